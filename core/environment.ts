/** A variable that is missing or malformed. Its message is one line that names the variable. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Variables by their names; one that is empty counts as not set. */
export type Environment = Record<string, string | undefined>;

/** The text of a variable; null where it is not set, or empty. */
export function text(env: Environment, name: string): string | null {
  const value = env[name];
  return value === undefined || value === '' ? null : value;
}

/**
 * The text of a variable that must be set.
 * @throws ConfigError
 */
export function required(env: Environment, name: string): string {
  const value = text(env, name);
  if (value === null) throw new ConfigError(`${name} must be set`);
  return value;
}

/**
 * The text of a variable that must be set, of `least` to `most` characters.
 * @throws ConfigError
 */
export function secret(env: Environment, name: string, least: number, most: number): string {
  const value = required(env, name);
  if (value.length < least || value.length > most) {
    throw new ConfigError(`${name} must have ${least} to ${most} characters`);
  }
  return value;
}

/**
 * A variable's whole number from `least` to `most`; `fallback` where it is not set, whose bounds are not checked.
 * @throws ConfigError
 */
export function whole(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const value = text(env, name);
  if (value === null) return fallback;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new ConfigError(`${name} must be a whole number from ${least} to ${most}`);
  }
  return number;
}

/**
 * A variable's value, one of `values`; `fallback` where it is not set.
 * @throws ConfigError
 */
export function choice<T extends string>(env: Environment, name: string, values: readonly T[], fallback: T): T {
  const value = text(env, name);
  if (value === null) return fallback;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw new ConfigError(`${name} must be one of ${values.join(', ')}`);
  return found;
}

/**
 * Whether a URL leads by https, or to this very machine. Over http, whoever sits between us and an issuer could put
 * keys of their own in its place.
 */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}
