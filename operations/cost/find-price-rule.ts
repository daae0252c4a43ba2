import { freePrefix, freeTypes } from './rules/free-types.ts';
import { rulesOfData } from './rules/price-data.ts';
import { rulesOfDrills } from './rules/price-drill.ts';
import { rulesOfNetwork } from './rules/price-network.ts';
import { rulesOfTheRest } from './rules/price-rest.ts';
import { rulesOfTasks } from './rules/price-tasks.ts';
import type { PriceRule } from './rules/rule.ts';

const rules: Record<string, PriceRule> = {
  ...rulesOfTasks,
  ...rulesOfData,
  ...rulesOfNetwork,
  ...rulesOfTheRest,
  ...rulesOfDrills,
};
const free: PriceRule = () => [];

/** The rule for a type of resource; undefined where there is none, and then nobody knows what it costs. */
export function priceRuleOf(type: string): PriceRule | undefined {
  if (Object.hasOwn(rules, type)) return rules[type];
  return Object.hasOwn(freeTypes, type) || type.startsWith(freePrefix) ? free : undefined;
}
