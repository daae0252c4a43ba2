import { type CouponError, invalidInput } from '../errors.ts';
import type { RowSink, TextReader } from './upload-rows.ts';

/** What may come next, white space aside. */
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

/** Longer strings are no codes; what is kept of one is enough to show it. */
const stringMaxChars = 4_096;

/**
 * Reads `{ "codes": ["…", …] }` without ever holding more than one string of it. Anything else is refused as a whole:
 * a document that is malformed in its middle says nothing about which of its codes were meant. Nesting can't go deep,
 * since nothing but strings is accepted inside the array.
 *
 * @throws CouponError `invalid-input` from `push` and `end`, naming the field
 */
export function openJsonRows(sink: RowSink): TextReader {
  let expected: Expected = 'object';
  let count = 0;
  /** Characters of earlier pieces, for messages. */
  let passed = 0;
  let string: JsonString | null = null;

  const finishString = (text: string) => {
    if (expected === 'field') {
      if (text !== 'codes') throw unknownField(text);
      expected = 'colon';
      return;
    }
    count += 1;
    if (text.length > stringMaxChars) sink.broken(count, text, 'line-too-long');
    else sink.row(count, text);
    expected = 'comma or end of array';
  };

  const punctuation = (character: string, at: number) => {
    const next = successors[expected][character];
    if (next !== undefined) {
      expected = next;
      return;
    }
    throw unexpected(expected, character, count, passed + at);
  };

  return {
    push(text) {
      let at = 0;
      while (at < text.length) {
        if (string !== null) {
          at = string.read(text, at);
          if (!string.isClosed) break;
          finishString(string.value(passed + at));
          string = null;
          continue;
        }
        const character = text[at]!;
        if (character === '"' && takesString.has(expected)) string = new JsonString();
        else if (!whiteSpace.includes(character)) punctuation(character, at);
        at += 1;
      }
      passed += text.length;
    },
    end() {
      if (expected !== 'nothing') throw malformed(`ends where ${expected} is expected`, passed);
    },
  };
}

const whiteSpace = ' \n\r\t';
const takesString: ReadonlySet<Expected> = new Set<Expected>(['field', 'first code or end of array', 'code']);

/** The grammar but for its strings. */
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

/** One string of the document, read in pieces; beyond stringMaxChars only its end is looked for. */
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

  /** What the string says. One that is too long is cut to stringMaxChars and a little more, as it stands. */
  value(at: number): string {
    if (this.#raw.length > stringMaxChars) return this.#raw;
    if (!this.#hasEscapes && !hasControlCharacter(this.#raw)) return this.#raw;
    try {
      return JSON.parse(`"${this.#raw}"`) as string;
    } catch {
      throw malformed('has a string that is none', at);
    }
  }

  #keep(part: string): void {
    if (this.#raw.length <= stringMaxChars) this.#raw += part.slice(0, 2 * stringMaxChars);
  }
}

/** A character below the space can only stand in a JSON string as an escape. */
function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) < 0x20) return true;
  return false;
}

function unexpected(expected: Expected, character: string, count: number, at: number): CouponError {
  const beginsValue = '{["-0123456789tfn'.includes(character);
  if (beginsValue && expected === 'object') return invalidInput('body', 'must be an object with the field "codes"');
  if (beginsValue && expected === 'array') return invalidInput('/codes', 'must be an array of strings');
  if (beginsValue && takesString.has(expected) && expected !== 'field') {
    return invalidInput(`/codes/${count}`, 'must be a string');
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
