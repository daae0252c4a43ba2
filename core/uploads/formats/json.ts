import { type CouponError, invalidInput } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { takeJsonValue, takeString } from './ndjson.ts';
import type { HeaderRule, RowSink, TextReader } from './row-sink.ts';

/** What may come next, ignoring white space. */
type Expected =
  | 'object'
  | 'field'
  | 'colon'
  | 'array'
  | 'first code or end of array'
  | 'code'
  | 'comma or end of array'
  | 'end of object'
  | 'nothing';

/**
 * Reads `{ "codes": ["…", …] }` and keeps one code at a time in memory. A code is a string, or an object with the code
 * in it as on a line of NDJSON. Anything else is refused as a whole: if a document is malformed in its middle, nobody
 * can tell which codes were meant.
 *
 * @throws CouponError `invalid-input` from `push` and `end`, naming the field
 */
export function openJsonRows(sink: RowSink, header: HeaderRule | null): TextReader {
  let expected: Expected = 'object';
  let count = 0;
  /** Characters of earlier pieces, for messages. */
  let passed = 0;
  let open: JsonString | JsonObject | null = null;

  const finishString = (text: string) => {
    if (expected === 'field') {
      if (text !== 'codes') throw unknownField(text);
      expected = 'colon';
      return;
    }
    count += 1;
    if (text.length > limits.uploadStringMaxChars) sink.broken(count, text, 'line-too-long');
    else takeString(sink, count, text, header);
    expected = 'comma or end of array';
  };

  const finishObject = ({ text, isTooLong }: JsonObject, at: number) => {
    count += 1;
    if (isTooLong) sink.broken(count, text, 'line-too-long');
    else if (isJson(text)) takeJsonValue(sink, count, text, header);
    else throw malformed('has an object that is not valid', at);
    expected = 'comma or end of array';
  };

  const punctuation = (character: string, at: number) => {
    const next = successors[expected][character];
    if (next === undefined) throw unexpected(expected, character, count, passed + at);
    expected = next;
  };

  /** Reads a character that stands in no string and no object of a code; returns where to go on. */
  const readBetween = (text: string, at: number): number => {
    const character = text[at]!;
    if (character === '{' && takesCode.has(expected)) {
      // It reads its own brace.
      open = new JsonObject();
      return at;
    }
    if (character === '"' && takesString.has(expected)) open = new JsonString();
    else if (!whiteSpace.includes(character)) punctuation(character, at);
    return at + 1;
  };

  return {
    push(text) {
      for (let at = 0; at < text.length; ) {
        if (open === null) {
          at = readBetween(text, at);
          continue;
        }
        at = open.read(text, at);
        if (!open.isClosed) break;
        if (open instanceof JsonString) finishString(open.value(passed + at));
        else finishObject(open, passed + at);
        open = null;
      }
      passed += text.length;
    },
    end() {
      if (expected !== 'nothing') throw malformed(`ends where ${expected} is expected`, passed);
    },
  };
}

const whiteSpace = ' \n\r\t';
const takesCode: ReadonlySet<Expected> = new Set<Expected>(['first code or end of array', 'code']);
const takesString: ReadonlySet<Expected> = new Set<Expected>(['field', ...takesCode]);

/** The grammar, without strings. */
const successors: Record<Expected, Partial<Record<string, Expected>>> = {
  object: { '{': 'field' },
  field: {},
  colon: { ':': 'array' },
  array: { '[': 'first code or end of array' },
  'first code or end of array': { ']': 'end of object' },
  code: {},
  'comma or end of array': { ',': 'code', ']': 'end of object' },
  'end of object': { '}': 'nothing' },
  nothing: {},
};

/** One string of the document, read in pieces. Beyond limits.uploadStringMaxChars only its end is searched. */
class JsonString {
  isClosed = false;
  #raw = '';
  #isEscaped = false;
  #hasEscapes = false;

  /** Reads on at `start` and returns where it stopped: behind the closing quote, or at the text's end. */
  read(text: string, start: number): number {
    const quote = text.indexOf('"', start);
    const simple = quote < 0 ? text.slice(start) : text.slice(start, quote);
    if (!this.#isEscaped && !simple.includes('\\')) {
      this.#keep(simple);
      this.isClosed = quote >= 0;
      return quote < 0 ? text.length : quote + 1;
    }
    this.#hasEscapes = true;
    let at = start;
    for (; at < text.length && !this.isClosed; at += 1) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (text[at] === '\\') this.#isEscaped = true;
      else if (text[at] === '"') this.isClosed = true;
    }
    this.#keep(text.slice(start, this.isClosed ? at - 1 : at));
    return at;
  }

  /**
   * The string's value. One that is too long is returned as it stands, cut to a little more than
   * limits.uploadStringMaxChars.
   */
  value(at: number): string {
    if (this.#raw.length > limits.uploadStringMaxChars) return this.#raw;
    if (!this.#hasEscapes && !hasControlCharacter(this.#raw)) return this.#raw;
    try {
      return JSON.parse(`"${this.#raw}"`) as string;
    } catch {
      throw malformed('has a string that is not valid', at);
    }
  }

  #keep(part: string): void {
    if (this.#raw.length <= limits.uploadStringMaxChars) this.#raw += part.slice(0, 2 * limits.uploadStringMaxChars);
  }
}

/**
 * One object of the array, read in pieces up to its closing brace. Beyond limits.uploadLineMaxChars only that brace is
 * searched.
 */
class JsonObject {
  text = '';
  isClosed = false;
  isTooLong = false;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** Reads on at `start` and returns where it stopped: behind the closing brace, or at the text's end. */
  read(text: string, start: number): number {
    let at = start;
    for (; at < text.length && !this.isClosed; at += 1) this.#look(text[at]!);
    if (this.text.length + at - start > limits.uploadLineMaxChars) this.isTooLong = true;
    else if (!this.isTooLong) this.text += text.slice(start, at);
    return at;
  }

  #look(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInString && character === '\\') this.#isEscaped = true;
    else if (character === '"') this.#isInString = !this.#isInString;
    else if (this.#isInString) return;
    else if (character === '{' || character === '[') this.#depth += 1;
    else if (character === '}' || character === ']') {
      this.#depth -= 1;
      this.isClosed = this.#depth === 0;
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** In a JSON string a character below the space must be escaped. */
function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) < 0x20) return true;
  return false;
}

function unexpected(expected: Expected, character: string, count: number, at: number): CouponError {
  const beginsValue = '{["-0123456789tfn'.includes(character);
  if (beginsValue && expected === 'object') return invalidInput('body', 'must be an object with the field "codes"');
  if (beginsValue && expected === 'array')
    return invalidInput('/codes', 'must be an array of strings, or of objects with a field "code"');
  if (beginsValue && takesString.has(expected) && expected !== 'field') {
    return invalidInput(`/codes/${count}`, 'must be a string, or an object with a field "code"');
  }
  if (expected === 'field' && character === '}') return invalidInput('/codes', 'is missing');
  if (expected === 'end of object' && character === ',')
    return invalidInput('body', 'must have no field beside "codes"');
  return malformed(`has ${JSON.stringify(character)} where ${expected} is expected`, at);
}

function unknownField(name: string): CouponError {
  return invalidInput(`/${name.slice(0, 64)}`, 'is not a field of this request; its one field is "codes"');
}

function malformed(what: string, at: number): CouponError {
  return invalidInput('body', `is not valid JSON: it ${what}, at character ${at + 1}`);
}
