import { computeRules } from './rules/compute-rules.ts';
import { dataRules } from './rules/data-rules.ts';
import { freePrefix, freeTypes } from './rules/free-types.ts';
import { networkRules } from './rules/network-rules.ts';
import { otherRules } from './rules/other-rules.ts';
import type { PriceRule } from './rules/rule.ts';

const rules: Record<string, PriceRule> = { ...computeRules, ...dataRules, ...networkRules, ...otherRules };
const free: PriceRule = () => [];

/** The rule for a type of resource; undefined where there is none, and then nobody knows what it costs. */
export function priceRuleOf(type: string): PriceRule | undefined {
  if (Object.hasOwn(rules, type)) return rules[type];
  return Object.hasOwn(freeTypes, type) || type.startsWith(freePrefix) ? free : undefined;
}
