import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Stage } from '../checklists/read-stage.ts';

const file = join(resolve(import.meta.dirname, '../..'), 'resources/stages.yml');

/**
 * The parameters that the next deployment of a stage has: those of resources/stages.yml, and over them what the one
 * that runs was given on the command line, which must be given again.
 */
export function readParameters(stage: Stage): Record<string, unknown> {
  const { default: shared = {}, [stage.name]: own = {} } = parse(readFileSync(file, 'utf8')) as Record<string, object>;
  return { ...shared, ...own, ...givenParameters(stage) };
}

/** What was given on the command line, as the command line takes it again. */
export function parametersToGive(stage: Stage): Record<string, string> {
  return Object.fromEntries(Object.entries(givenParameters(stage)).map(([name, value]) => [name, asGiven(value)]));
}

function givenParameters({ outputs }: Stage): Record<string, unknown> {
  return JSON.parse(outputs.GivenParameters ?? '{}') as Record<string, unknown>;
}

/** A value as the command line takes it. */
export function asGiven(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return value === '' ? 'none' : String(value);
}
