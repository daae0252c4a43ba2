import { type Static, type TOptional, type TSchema, Type } from 'typebox';
import { limits } from '../limits.ts';
import { uuidPattern } from '../uuid.ts';

/**
 * The same shape, or null. A list of types instead of `anyOf`: a serializer then needs no validator at run time, and
 * clients' generators understand it.
 */
export function nullable<T extends TSchema>(shape: T) {
  const { type, ...rest } = shape as T & { type: string };
  const values = 'enum' in rest && Array.isArray(rest.enum) ? { enum: [...rest.enum, null] } : {};
  return Type.Unsafe<Static<T> | null>({ ...rest, ...values, type: [type, 'null'] });
}

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(words: T, options: object = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...options });
}

/** A request's object: unknown fields are refused, since a typing error in an optional field would pass silently. */
export function strictObject<T extends Record<string, TSchema>>(fields: T, options: object = {}) {
  return Type.Object(fields, { ...options, additionalProperties: false });
}

/** The same fields, each of which may be left out. */
export function optional<T extends Record<string, TSchema>>(fields: T) {
  const entries = Object.entries(fields).map(([name, shape]) => [name, Type.Optional(shape)]);
  return Object.fromEntries(entries) as { [Name in keyof T]: TOptional<T[Name]> };
}

/** The same shape, with what stands for a field that is left out: readers are told so, and no validator fills it in. */
export function withDefault<T extends TSchema>(shape: T, value: Static<T>) {
  return Type.Unsafe<Static<T>>({ ...shape, default: value });
}

/** What bounds a value that comes in. An answer promises none of it: a bound may be raised, and stored values stay. */
const boundKeywords = new Set(['minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'default']);

/** The same fields as answers show them: without their bounds and defaults. */
export function shown<T extends Record<string, TSchema>>(fields: T): T {
  const bare = (shape: object) =>
    Object.fromEntries(Object.entries(shape).filter(([word]) => !boundKeywords.has(word)));
  return Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, bare(shape)])) as T;
}

/** An id for examples. */
export const exampleId = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';

/** A public id. Operations give ids in lower case, and take them in either. */
export const Id = Type.String({ pattern: uuidPattern, description: 'A UUID.', examples: [exampleId] });

/** Who made a change. */
export const Actor = Type.String({
  description:
    '`root`, `key:` and the API key’s id, `person:` and the name of who was signed in, `jwt:` and its sub, or `customer`.',
  examples: [`key:${exampleId}`],
});

/** A point of time in an answer. */
export const Time = Type.String({
  format: 'date-time',
  description: 'RFC 3339 in UTC with milliseconds.',
  examples: ['2026-11-27T12:00:00.000Z'],
});

/** A time as a caller writes it. What the text means, and whether it means a time at all, only readTime can say. */
export function givenTime(description: string, example: string) {
  return Type.String({ minLength: 1, maxLength: 64, description, examples: [example] });
}

/** A user's id, as the caller's own system knows it. */
export const UserId = Type.String({
  minLength: 1,
  maxLength: limits.userIdMaxChars,
  description: 'A user’s id in the caller’s own system.',
  examples: ['u-1'],
});

/** A code in an answer. */
export const Code = Type.String({ description: 'The code, in upper case.', examples: ['BF26-7K2M-Q9XD'] });

/** A caller's own JSON object, kept as it is and never looked into. What bounds it, only metadataProblem can say. */
export const Metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: `The caller’s own fields, at most ${limits.metadataMaxBytes} bytes of JSON.`,
  examples: [{ channel: 'web' }],
});
export type Metadata = Static<typeof Metadata>;

/** A revision, 1 and up. */
export const Rev = Type.Integer({ minimum: 1, description: 'Grows by one with each change.', examples: [1] });

/** Why something is done: a text of a request that may be left out. */
export function reason(description: string) {
  return Type.Optional(Type.String({ maxLength: limits.reasonMaxChars, description }));
}

/** A name for people. */
export function label(maxChars: number, example: string) {
  return Type.String({
    minLength: 1,
    maxLength: maxChars,
    pattern: '\\S',
    description: 'A text that is not blank.',
    examples: [example],
  });
}
