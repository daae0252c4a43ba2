import { type Static, type TSchema, Type } from 'typebox';
import { exampleId, nullable, UserId } from '../../../core/index.ts';

/** A shape of the core with the name that it has in the OpenAPI document. */
export function named<T extends TSchema>(shape: T, $id: string, description: string): T {
  return { ...shape, $id, description };
}

/** A reference to a schema that the application knows by its `$id`, typed as that schema. */
export function ref<T extends TSchema>(schema: T) {
  const { $id } = schema as T & { $id: string };
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` });
}

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
