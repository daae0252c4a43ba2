import { invalidInput, limits } from '../../../core/index.ts';

const quote = 0x22;
const comma = 0x2c;
const digitNine = 0x39;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const lowerE = 0x65;
const upperE = 0x45;

/**
 * A number without an exponent is finite up to 308 digits; this is shorter than that, and longer than any honest one.
 */
const longNumberChars = 64;

/** What a look at a JSON text tells before it is parsed. */
export interface JsonShape {
  /** Whether a number may be there that is beyond the largest one: it has an exponent, or very many digits. */
  mayOverflow: boolean;
}

/**
 * Looks at a JSON text that a stranger wrote, before anything is made of it: a parser's recursion overflows the stack,
 * and three million items need a hundred megabytes, most of which only go to say that they are too many. One pass
 * without recursion, which stops where a bound is passed; the text need not be well-formed.
 * @throws CouponError `invalid-input` beyond limits.jsonMaxDepth levels, limits.jsonMaxFields fields of the body,
 *   limits.jsonMaxItems items in one field of it, at all its levels together, or limits.jsonMaxTokens in all
 */
export function checkJsonShape(text: string): JsonShape {
  let depth = 0;
  let fields = 1;
  let items = 1;
  // The last string right inside the body: at a deeper level it is the name of the field that one is in.
  let nameStart = 0;
  let nameEnd = 0;
  let tokenStart = 0;
  let mayOverflow = false;
  // Strings, brackets, commas and escaped quotes: each costs steps, and a body needs none of its items to have
  // millions.
  let tokens = 0;

  /** Where the string that begins at `start` ends; the text's end where it does not. */
  const endOfString = (start: number): number => {
    let end = text.indexOf('"', start + 1);
    for (; end >= 0 && isEscaped(text, end) && tokens <= limits.jsonMaxTokens; tokens += 1) {
      end = text.indexOf('"', end + 1);
    }
    return end < 0 ? text.length : end;
  };

  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Digits and white space, of which there may be millions, are told from the rest by one comparison.
    if (unit <= digitNine && unit !== quote && unit !== comma) continue;
    if (unit === quote) {
      tokens += 1;
      const end = endOfString(at);
      if (depth === 1) {
        nameStart = at + 1;
        nameEnd = end;
      }
      at = end;
    } else if (unit === comma) {
      tokens += 1;
      if (depth > 1) {
        items += 1;
        if (items > limits.jsonMaxItems) throw tooManyItems(text.slice(nameStart, nameEnd));
      } else {
        fields += 1;
        items = 1;
        if (fields > limits.jsonMaxFields) throw tooManyFields();
      }
    } else if (unit === openBrace || unit === openBracket) {
      tokens += 1;
      depth += 1;
      if (depth > limits.jsonMaxDepth) {
        throw invalidInput('body', `must not nest deeper than ${limits.jsonMaxDepth} levels`);
      }
    } else if (unit === closeBrace || unit === closeBracket) {
      depth -= 1;
    } else if (unit === lowerE || unit === upperE) {
      // That of `true` and `false` comes after a letter.
      mayOverflow ||= isDigit(text.charCodeAt(at - 1));
      continue;
    } else if (unit !== colon) {
      continue;
    }
    if (tokens > limits.jsonMaxTokens) throw tooManyTokens();
    // Numbers stand between two of the characters above.
    mayOverflow ||= unit !== quote && at - tokenStart > longNumberChars;
    tokenStart = at;
  }
  return { mayOverflow: mayOverflow || text.length - tokenStart > longNumberChars };
}

/** Whether an odd number of backslashes is in front. A quote ends the run, so that no backslash is counted twice. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === backslash) before -= 1;
  return (at - before) % 2 === 0;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function tooManyTokens() {
  const counted = 'strings, brackets, commas and escaped quotes together';
  return invalidInput('body', `must have at most ${limits.jsonMaxTokens} ${counted}`);
}

function tooManyFields() {
  return invalidInput('body', `must be a JSON object of at most ${limits.jsonMaxFields} fields`);
}

function tooManyItems(name: string) {
  const path = /^[A-Za-z0-9_-]{1,64}$/.test(name) ? `/${name}` : 'body';
  return invalidInput(path, `must have at most ${limits.jsonMaxItems} items`);
}
