import { invalidInput, limits, refuse } from '../../core/index.ts';

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Reads a JSON text that a stranger wrote.
 * @throws CouponError `invalid-input` where it is malformed, nests too deep, or holds what nothing downstream may see:
 * NUL (which PostgreSQL has no room for), lone surrogates, `__proto__`, `constructor.prototype`, and numbers beyond the
 * largest one, which would be kept as null
 */
export function parseJsonText(text: string): unknown {
  if (nestsDeeperThan(text, limits.jsonMaxDepth)) {
    throw invalidInput('body', `must not nest deeper than ${limits.jsonMaxDepth} levels`);
  }
  const value = parse(text);
  if (mayBeUnsafe(text)) refuseUnsafe(value, '');
  return value;
}

const hugeNumber = /[eE]\+?[0-9]{3}|[0-9]{309}/;

/** Only an escape, one of two names or a long number can bring in what is refused, so that almost no body is walked. */
function mayBeUnsafe(text: string): boolean {
  return text.includes('\\u') || text.includes('__proto__') || text.includes('constructor') || hugeNumber.test(text);
}

/**
 * Whether brackets nest deeper than `max`, found without recursion: a parser’s own recursion is what the bound is to
 * protect.
 */
export function nestsDeeperThan(text: string, max: number): boolean {
  if (!hasMoreThan(text, '{', max / 2) && !hasMoreThan(text, '[', max / 2)) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === backslash) index += 1;
      else if (unit === quote) inString = false;
    } else if (unit === quote) {
      inString = true;
    } else if (unit === openBrace || unit === openBracket) {
      depth += 1;
      if (depth > max) return true;
    } else if (unit === closeBrace || unit === closeBracket) {
      depth -= 1;
    }
  }
  return false;
}

/** Finds a character quickly where it is rare: most bodies have few brackets, and need not be looked at further. */
function hasMoreThan(text: string, character: string, count: number): boolean {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) {
    found += 1;
    if (found > count) return true;
  }
  return false;
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

/** Says no to NUL and to lone surrogates in a text, wherever it comes from. */
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
