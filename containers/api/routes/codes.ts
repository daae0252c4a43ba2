import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import {
  exportCodes,
  generateCodes,
  invalidInput,
  limits,
  listCodes,
  listDecks,
  uploadCodes,
  voidDeck,
} from '../../../core/index.ts';
import { prefersCsv, readIdempotencyKey, readKeyedRequest } from '../request-headers.ts';
import { operators } from '../roles.ts';
import { CodeItem, CodeStatus, Deck, GeneratedDeck, GenerateInput, UploadedDeck } from '../schemas/code.ts';
import { BookPath, DeckPath, oneOf, pageOf, pageParameters, ref, strictObject } from '../schemas/common.ts';
import { readUpload, takeUploads } from '../upload-body.ts';
import { type Api, answer, idFromPath, type RouteTools } from './answer.ts';

/** Adds the routes of codes and decks. */
export function addCodeRoutes(app: Api, tools: RouteTools): void {
  addGenerate(app, tools);
  app.register(async (uploads: Api) => addUpload(uploads, tools));
  addCodeList(app, tools);
  addDecks(app, tools);
}

function addGenerate(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/books/:bookId/codes/generate',
    {
      config: {
        roles: operators,
        idempotent: true,
        kinds: ['book-not-found', 'book-not-active', 'conflict', 'pattern-too-small'],
      },
      schema: {
        operationId: 'generateCodes',
        summary: 'Generate a deck of codes',
        description:
          'Any number of codes is there at once; they cannot repeat and cannot be predicted. Drafts and paused books take codes too; a closed book does not.',
        tags: ['codes'],
        params: BookPath,
        body: GenerateInput,
        response: { 201: ref(GeneratedDeck) },
      },
    },
    async (request, reply) => {
      // Not read as an id here: trouble with the key is named before a book that can't be there.
      const bookId = request.params.bookId.toLowerCase();
      const keyed = readKeyedRequest(request, `books/${bookId}/codes/generate`);
      return answer(reply, 201, await generateCodes(core, request.caller, bookId, request.body, keyed));
    },
  );
}

function addUpload(app: Api, { core }: RouteTools): void {
  takeUploads(app);
  app.post(
    '/v1/books/:bookId/codes',
    {
      config: {
        roles: operators,
        idempotent: true,
        upload: true,
        kinds: ['book-not-found', 'book-not-active', 'unsupported-media-type', 'body-too-large'],
      },
      schema: {
        operationId: 'uploadCodes',
        summary: 'Upload a deck of codes',
        description:
          'Drafts and paused books take codes too; a closed book does not. JSON `{ "codes": [] }`, CSV with a `code` column or one code a line, or NDJSON, streamed. A code has 4 to 64 of A-Z, 0-9, `-` and `_`; lower case becomes upper case, dashes of every kind become `-`, and white space around it and characters without width are left out. Rows that are none are left out and named; the others are there all together or not at all.\n\nThe codes are in the column called exactly `code`, else in the only one of a like name (`Coupon code`, `voucher_code`, `Gutschein`, `código` …), which goes for the fields of JSON objects too; two like names are refused. In a CSV with one column, such a name in the first line is a heading. A first line that may be either is refused (it has no digit, for instance): `header` then says what it is. A file of several lines needs `curl --data-binary @file`, since `curl -d` takes the line breaks out.',
        tags: ['codes'],
        params: BookPath,
        querystring: strictObject({
          header: Type.Optional(
            oneOf(['none', 'present'], {
              description:
                'What the first line is: `none`, a code like the others, whatever it looks like; `present`, a heading, whatever it is called.',
            }),
          ),
        }),
        response: {
          200: { ...ref(UploadedDeck), description: 'No row was taken, and no deck made: `deckId` is null.' },
          201: ref(UploadedDeck),
        },
      },
    },
    async (request, reply) => {
      const key = readIdempotencyKey(request) ?? null;
      const upload = readUpload(request);
      const { header } = request.query;
      const outcome = await uploadCodes(core, request.caller, request.params.bookId, { ...upload, header }, key);
      return answer(reply, outcome.body.deckId === null ? 200 : 201, outcome);
    },
  );
}

function addCodeList(app: Api, { core }: RouteTools): void {
  app.get(
    '/v1/books/:bookId/codes',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'listCodes',
        summary: 'List the codes of a book, or export them as CSV',
        description:
          'With `Accept: text/csv` the whole list is streamed: `limit` does not count, and `cursor` is refused. A user id that a spreadsheet would run as a formula has an apostrophe in front of it.',
        tags: ['codes'],
        params: BookPath,
        querystring: strictObject({ status: Type.Optional(CodeStatus), ...pageParameters }),
        response: {
          200: {
            description: 'Codes, in the order of their decks.',
            content: {
              'application/json': { schema: pageOf(ref(CodeItem), 'A page of codes.') },
              'text/csv': { schema: Type.String() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const bookId = idFromPath(request.params.bookId, 'book-not-found');
      const { limit, cursor, ...filter } = request.query;
      if (!prefersCsv(request))
        return listCodes(core, request.caller, bookId, { ...request.query, limit: limit ?? limits.pageDefaultItems });
      if (cursor !== undefined) throw invalidInput('cursor', 'has no place in a CSV, which is the whole list');
      const csv: Readable = await exportCodes(core, request.caller, bookId, filter);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="codes.csv"')
        .send(csv as never);
    },
  );
}

function addDecks(app: Api, { core }: RouteTools): void {
  app.get(
    '/v1/books/:bookId/decks',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'listDecks',
        summary: 'List the decks of a book',
        tags: ['codes'],
        params: BookPath,
        querystring: strictObject(pageParameters),
        response: { 200: pageOf(ref(Deck), 'Decks, oldest first.') },
      },
    },
    ({ caller, params, query }) =>
      listDecks(core, caller, idFromPath(params.bookId, 'book-not-found'), {
        ...query,
        limit: query.limit ?? limits.pageDefaultItems,
      }),
  );

  app.post(
    '/v1/books/:bookId/decks/:deckId/void',
    {
      config: {
        roles: operators,
        idempotent: true,
        bodyOptional: true,
        kinds: ['book-not-found', 'deck-not-found', 'conflict'],
      },
      schema: {
        operationId: 'voidDeck',
        summary: 'Void what is undealt of a deck',
        description: 'For codes that leaked: whatever is undealt is void at once. Coupons in users’ hands stay.',
        tags: ['codes'],
        params: DeckPath,
        body: strictObject({}),
        response: { 200: ref(Deck) },
      },
    },
    async (request, reply) => {
      // Not read as ids here: trouble with the key is named before what can't be there.
      const bookId = request.params.bookId.toLowerCase();
      const deckId = request.params.deckId.toLowerCase();
      const keyed = readKeyedRequest(request, `books/${bookId}/decks/${deckId}/void`);
      return answer(reply, 200, await voidDeck(core, request.caller, bookId, deckId, keyed));
    },
  );
}
