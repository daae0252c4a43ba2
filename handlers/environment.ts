import type { Environment } from '../core/index.ts';

/** Reads a variable that must be set. Throws an Error that names it. */
export function requireVariable(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`the variable ${name} must be set`);
  return value;
}

/** Reads a whole number from `least` to `most`, or takes `fallback`. Throws an Error that names the variable. */
export function wholeVariable(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const value = env[name];
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new Error(`the variable ${name} must be a whole number from ${least} to ${most}`);
  }
  return number;
}
