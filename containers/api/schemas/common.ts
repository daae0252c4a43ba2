import { type Static, type TSchema, Type } from 'typebox';
import { limits } from '../../../core/index.ts';

/**
 * The same schema, or null. A list of types instead of `anyOf`: the serializer then needs no validator at run time, and
 * clients' generators understand it.
 */
export function nullable<T extends TSchema>(schema: T) {
  const { type, ...rest } = schema as T & { type: string };
  const values = 'enum' in rest && Array.isArray(rest.enum) ? { enum: [...rest.enum, null] } : {};
  return Type.Unsafe<Static<T> | null>({ ...rest, ...values, type: [type, 'null'] });
}

/** A reference to a schema that the application knows by its `$id`, typed as that schema. */
export function ref<T extends TSchema>(schema: T) {
  const { $id } = schema as T & { $id: string };
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` });
}

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(values: T, options: object = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });
}

/** An id for examples. */
export const exampleId = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';

/** A public id. Hexadecimal digits in either case, without the `urn:uuid:` that some validators let through. */
export const Id = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  description: 'A UUID.',
  examples: [exampleId],
});

/** A point of time in an answer. */
export const Time = Type.String({
  format: 'date-time',
  description: 'RFC 3339 in UTC with milliseconds.',
  examples: ['2026-11-27T12:00:00.000Z'],
});

/** A user's id, as the caller's own system knows it. */
export const UserId = Type.String({
  minLength: 1,
  maxLength: limits.userIdMaxChars,
  description: 'A user’s id in the caller’s own system.',
  examples: ['u-1'],
});

/** A code in an answer. */
export const Code = Type.String({ description: 'The code, in upper case.', examples: ['BF26-7K2M-Q9XD'] });

/** Whatever a client wants to keep beside a thing. */
export const Metadata = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: `The caller’s own fields, at most ${limits.metadataMaxBytes} bytes of JSON.`,
  examples: [{ channel: 'web' }],
});

/** A revision, 1 and up. */
export const Rev = Type.Integer({ minimum: 1, description: 'Grows by one with each change.', examples: [1] });

/** The parameters that every list takes. */
export const pageParameters = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: limits.pageMaxItems,
      default: limits.pageDefaultItems,
      description: 'How many items at most.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2048, description: 'The `nextCursor` of the page before, unchanged.' }),
  ),
};

/** A page of a list. */
export function pageOf<T extends TSchema>(item: T, description: string) {
  return Type.Object(
    {
      data: Type.Array(item),
      nextCursor: nullable(Type.String({ description: 'Where the next page begins; null on the last one.' })),
    },
    { description },
  );
}

/** A request's object: unknown fields are refused, since a typing error in an optional field would pass silently. */
export function strictObject<T extends Record<string, TSchema>>(fields: T, options: object = {}) {
  return Type.Object(fields, { ...options, additionalProperties: false });
}

/** The path of a coupon. Any text is a code that may or may not exist: a wrong one is `coupon-not-found`. */
export const CodePath = Type.Object({
  code: Type.String({ description: 'The code, in upper or lower case.', examples: ['BF26-7K2M-Q9XD'] }),
});

/** The path of a book. An id that is no UUID is a book that does not exist. */
export const BookPath = Type.Object({ bookId: Type.String({ description: 'The book’s id.', examples: [exampleId] }) });

/** The path of a deck. */
export const DeckPath = Type.Object({
  bookId: Type.String({ description: 'The book’s id.', examples: [exampleId] }),
  deckId: Type.String({ description: 'The deck’s id.', examples: [exampleId] }),
});

/** The path of a user. */
export const UserPath = Type.Object({ userId: UserId });
