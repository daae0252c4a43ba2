declare const keyOf: unique symbol;

/** The database's own number of a book, which no caller ever sees; callers know a book by its UUID, `bookId`. */
export type BookKey = number & { readonly [keyOf]: 'book' };

/** The database's own number of a deck, which no caller ever sees; callers know a deck by its UUID, `deckId`. */
export type DeckKey = number & { readonly [keyOf]: 'deck' };

/** The database's own number of a job, which no caller ever sees; callers know a job by its UUID. */
export type JobKey = number & { readonly [keyOf]: 'job' };
