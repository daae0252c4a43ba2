import { invalidInput, refuse } from '../../../core/index.ts';
import { checkJsonShape } from './json-shape.ts';

/**
 * Reads a JSON text that a stranger wrote.
 * @throws CouponError `invalid-input` where it is malformed, has more levels, fields or items than any request needs
 * (json-shape.ts), or holds what nothing downstream may see: NUL (which PostgreSQL has no room for), lone surrogates,
 * `__proto__`, `constructor.prototype`, and numbers beyond the largest one, which would be kept as null
 */
export function parseJsonText(text: string): unknown {
  const { mayOverflow } = checkJsonShape(text);
  const value = parse(text);
  if (mayOverflow || mayBeUnsafe(text)) refuseUnsafe(value, '');
  return value;
}

/** Only an escape or one of two names can bring in what is refused, so that almost no body is walked. */
function mayBeUnsafe(text: string): boolean {
  return text.includes('\\u') || text.includes('__proto__') || text.includes('constructor');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the body, which may hold codes; only the place is passed on.
    const place = /position (\d+)/.exec(String(error))?.[1];
    const where = place === undefined ? '' : ` (the mistake is near character ${Number(place) + 1})`;
    const message = `must be well-formed JSON${where}`;
    throw refuse('invalid-input', `body: ${message}`, { errors: [{ path: 'body', message }] });
  }
}

function refuseUnsafe(value: unknown, pointer: string): void {
  if (typeof value === 'string') {
    refuseUnsafeText(value, pointer || 'body');
  } else if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw invalidInput(pointer || 'body', 'must be a number of at most 1.7976931348623157e308');
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseUnsafe(item, `${pointer}/${index}`);
  } else if (value !== null && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) {
      const child = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      refuseUnsafeText(name, child);
      refuseUnsafeName(name, item, child);
      refuseUnsafe(item, child);
    }
  }
}

/**
 * Refuses NUL and lone surrogates in a text, wherever it comes from.
 * @param path as the refusal names the text: a JSON pointer, or a parameter's name
 * @throws CouponError `invalid-input`
 */
export function refuseUnsafeText(text: string, path: string): void {
  if (text.includes('\0')) throw invalidInput(path, 'must not contain the character NUL (\\u0000)');
  if (!text.isWellFormed()) throw invalidInput(path, 'must not contain half of a surrogate pair');
}

function refuseUnsafeName(name: string, value: unknown, path: string): void {
  const poisoned =
    name === '__proto__' ||
    (name === 'constructor' && value !== null && typeof value === 'object' && Object.hasOwn(value, 'prototype'));
  if (poisoned) throw invalidInput(path, 'is not a name that a field may have');
}
