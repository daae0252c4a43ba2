import { type CouponError, type InputProblem, refuse } from '../errors.ts';
import { isStorableText } from './metadata-rules.ts';

/** What is wrong with a value, in words that follow its name and say how to mend it. */
export class Fault {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Reads one field's value: what it means, or what is wrong with it. */
export type Reader<T> = (value: unknown) => T | Fault;

/** A reader for each field that a request may have. */
export type Readers<T> = { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> };

/**
 * Reads a request's body field by field. A field that is undefined is missing.
 * @param thing what the fields are of, for the messages: "a book"
 * @param required the fields that must be there
 * @throws CouponError `invalid-input` naming every field that is wrong, unknown or missing
 */
export function readFields<T extends object, R extends keyof T & string = never>(
  input: unknown,
  readers: Readers<T>,
  thing: string,
  required: readonly R[] = [],
): Partial<T> & Pick<T, R> {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    throw refuseFields([{ path: '', message: `must be a JSON object with the fields of ${thing}` }]);
  }
  const read: Record<string, unknown> = {};
  const problems: InputProblem[] = [];
  for (const [field, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const reader = Object.hasOwn(readers, field) ? readers[field as keyof T] : null;
    const result = reader === null ? new Fault(`is not a field that ${thing} takes; leave it out`) : reader(value);
    if (result instanceof Fault) problems.push({ path: pointerTo(field), message: result.message });
    else read[field] = result;
  }
  for (const field of required) {
    if (Object.hasOwn(input, field) && Reflect.get(input, field) !== undefined) continue;
    problems.push({ path: pointerTo(field), message: `is missing; ${thing} must have it` });
  }
  if (problems.length > 0) throw refuseFields(problems);
  // Each reader gave its own field's type, and the required ones are there: more than the compiler can follow.
  return read as Partial<T> & Pick<T, R>;
}

/** An `invalid-input` about several fields, each named by a JSON pointer into the body. */
export function refuseFields(errors: InputProblem[]): CouponError {
  const detail = errors.map(({ path, message }) => `${path === '' ? 'The body' : path} ${message}`).join('; ');
  return refuse('invalid-input', detail, { errors });
}

/** The reader for a field that may be null as well. */
export function orNull<T>(reader: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? null : reader(value));
}

/** Reads a text of at most `maxChars` characters that PostgreSQL can hold. */
export function readText(value: unknown, maxChars: number): string | Fault {
  if (typeof value !== 'string') return new Fault('must be a text');
  // A character may take two units; counting the characters of a text that can't fit would only waste time.
  if (value.length > 2 * maxChars || [...value].length > maxChars) {
    return new Fault(`must have at most ${maxChars} characters`);
  }
  return isStorableText(value) ? value : new Fault('must not hold NUL characters or lone surrogates');
}

/** Reads a name for people: a text of 1 to `maxChars` characters, not all of them white space. */
export function readLabel(value: unknown, maxChars: number): string | Fault {
  const text = readText(value, maxChars);
  return typeof text === 'string' && text.trim() === '' ? new Fault('must not be empty or blank') : text;
}

/** Reads a whole number from 1 to `most`. */
export function readWhole(value: unknown, most: number): number | Fault {
  const isWhole = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
  return isWhole ? value : new Fault(`must be a whole number from 1 to ${most}`);
}

/** Reads true or false, and nothing that merely looks like it. */
export function readBoolean(value: unknown): boolean | Fault {
  return typeof value === 'boolean' ? value : new Fault('must be true or false');
}

function pointerTo(field: string): string {
  return `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
