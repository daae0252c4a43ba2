import { Type } from 'typebox';
import {
  BookInput,
  BookListRequest,
  BookPatch,
  type CountsView,
  changeBook,
  createBook,
  deleteBook,
  listBookRevisions,
  listBooks,
  PageRequest,
  ReportRequest,
  readBook,
  readBookCounts,
  readReport,
} from '../../../core/index.ts';
import { admins, operators } from '../auth/roles.ts';
import { hasVersion, readIfMatch } from '../request/headers.ts';
import { idFromPath } from '../request/id-from-path.ts';
import { Book, BookCounts, BookRevision, Report } from '../schemas/answers.ts';
import { BookPath, pageOf, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

const etag = { ETag: { type: 'string', description: 'The book’s revision in double quotes, for If-Match.' } };
const ifMatch = {
  type: 'object',
  properties: {
    'if-match': {
      type: 'string',
      description: 'Change the book only if it is at this revision still.',
      examples: ['"1"'],
    },
  },
} as const;

const countsTag = { ETag: { type: 'string', description: 'A version of the counts, for If-None-Match.' } };
const ifNoneMatch = {
  type: 'object',
  properties: {
    'if-none-match': {
      type: 'string',
      description: 'The ETag of counts that the client has.',
      examples: ['W/"1000-900-90-50-10"'],
    },
  },
} as const;

/** The routes of books. */
export const bookRoutes = routes('book-routes', (app) => {
  addCreate(app);
  addChanges(app);
  addReads(app);
  addCounts(app);
  addReport(app);
  addRevisions(app);
});

function addCreate(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/books',
    {
      config: {
        roles: admins,
        idempotent: true,
        locationOf: ({ id }: { id: string }) => `/v1/books/${id}`,
        kinds: ['conflict'],
      },
      schema: {
        operationId: 'createBook',
        summary: 'Create a book',
        tags: ['books'],
        body: BookInput,
        response: { 201: { ...ref(Book), headers: etag } },
      },
    },
    async (request, reply) => {
      const outcome = await createBook(core, request.caller, request.body, request.keyed);
      reply.header('etag', `"${outcome.body.rev}"`);
      return outcome;
    },
  );
}

function addChanges(app: Api): void {
  const { core } = app;

  app.patch(
    '/v1/books/:bookId',
    {
      config: { roles: admins, kinds: ['book-not-found', 'conflict', 'revision-mismatch'] },
      schema: {
        operationId: 'changeBook',
        summary: 'Change a book',
        description: 'Fields that are left out stay. What was granted before stays whatever the new limits are.',
        tags: ['books'],
        params: BookPath,
        headers: ifMatch,
        body: BookPatch,
        response: { 200: { ...ref(Book), headers: etag } },
      },
    },
    async (request, reply) => {
      const rev = readIfMatch(request);
      const bookId = idFromPath(request.params.bookId, 'book-not-found');
      const book = await changeBook(core, request.caller, bookId, request.body, rev);
      reply.header('etag', `"${book.rev}"`);
      return book;
    },
  );

  app.delete(
    '/v1/books/:bookId',
    {
      config: { roles: admins, kinds: ['book-not-found', 'conflict'] },
      schema: {
        operationId: 'deleteBook',
        summary: 'Delete a draft',
        description:
          'A draft from which nothing was ever assigned, with its decks and codes; uploaded ones can be uploaded again. Any other book is a `conflict`: close it instead. A book that was deleted before is `book-not-found`.',
        tags: ['books'],
        params: BookPath,
        response: { 204: Type.Null({ description: 'The book is deleted.' }) },
      },
    },
    async (request, reply) => {
      await deleteBook(core, request.caller, idFromPath(request.params.bookId, 'book-not-found'));
      return reply.code(204).send(null);
    },
  );
}

function addReads(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/books',
    {
      config: { roles: operators },
      schema: {
        operationId: 'listBooks',
        summary: 'List the books',
        tags: ['books'],
        querystring: BookListRequest,
        response: { 200: pageOf(ref(Book), 'Books, newest first.') },
      },
    },
    ({ caller, query }) => listBooks(core, caller, query),
  );

  app.get(
    '/v1/books/:bookId',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'readBook',
        summary: 'Read a book with its counts',
        tags: ['books'],
        params: BookPath,
        response: { 200: { ...ref(Book), headers: etag } },
      },
    },
    async (request, reply) => {
      const book = await readBook(core, request.caller, idFromPath(request.params.bookId, 'book-not-found'));
      reply.header('etag', `"${book.rev}"`);
      return book;
    },
  );
}

function addCounts(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/books/:bookId/counts',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'readBookCounts',
        summary: 'Read a book’s counts, again and again',
        description:
          'For screens: it may be asked every second by all of them. The `ETag` is one of the counts alone; with it in `If-None-Match` the answer is 304 until one of them changes.',
        tags: ['books'],
        params: BookPath,
        headers: ifNoneMatch,
        response: {
          200: { ...ref(BookCounts), headers: countsTag },
          304: Type.Null({ description: 'The counts are those of the version that the client has.' }),
        },
      },
    },
    async (request, reply) => {
      const bookId = idFromPath(request.params.bookId, 'book-not-found');
      const counts = await readBookCounts(core, request.caller, bookId);
      const etag = tagOf(counts);
      // Kept by nobody but the browser that asked, and never shown without asking whether it is still true.
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (!hasVersion(request, etag)) return counts;
      return reply
        .code(304)
        .removeHeader('content-type')
        .send(undefined as never) as never;
    },
  );
}

function addReport(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/books/:bookId/report',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'readReport',
        summary: 'Read what happened in a book, by the hour or day',
        description:
          'Every step of the span is there, as long as it was on the clocks of the book’s zone. The sums are those of the events, up to `settledUntil`.',
        tags: ['books'],
        params: BookPath,
        querystring: ReportRequest,
        response: { 200: ref(Report) },
      },
    },
    ({ caller, params, query }) => readReport(core, caller, idFromPath(params.bookId, 'book-not-found'), query),
  );
}

function addRevisions(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/books/:bookId/revisions',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'listBookRevisions',
        summary: 'List what a book has been',
        description:
          'Each change of the book, by whom, and what the book allowed from then on: so it can be said why something was refused at a moment. A change of its name, of other words for people, or of how it locks is a revision too, in which nothing of this differs.',
        tags: ['books'],
        params: BookPath,
        querystring: PageRequest,
        response: { 200: pageOf(ref(BookRevision), 'Revisions, newest first.') },
      },
    },
    ({ caller, params, query }) => listBookRevisions(core, caller, idFromPath(params.bookId, 'book-not-found'), query),
  );
}

/** A weak one: two answers of one version may differ in their `asOf`. */
function tagOf({ asOf: _, ...counts }: CountsView): string {
  return `W/"${Object.values(counts).join('-')}"`;
}
