import { Type } from 'typebox';
import {
  CodeListRequest,
  exportCodes,
  findAlikeCodes,
  GenerateInput,
  generateCodes,
  limits,
  listCodes,
  listDecks,
  lookUpCode,
  PageRequest,
  strictObject,
  VoidDeckInput,
  voidDeck,
} from '../../../core/index.ts';
import { csvDescription, csvParameters, refuseCursor, sendCsv } from '../answers/csv-answer.ts';
import { codeReaders, operators } from '../auth/roles.ts';
import { prefersCsv } from '../request/headers.ts';
import { idFromPath } from '../request/id-from-path.ts';
import { CodeItem, CodeLookUp, Deck, GeneratedDeck } from '../schemas/answers.ts';
import { BookPath, CodePath, DeckPath, pageOf, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

/** The routes of codes and decks, but for uploads. */
export const codeRoutes = routes('code-routes', (app) => {
  addGenerate(app);
  addCodeList(app);
  addLookUp(app);
  addAlike(app);
  addDecks(app);
});

function addGenerate(app: Api): void {
  const { core } = app;

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
    // The id is not checked here: a problem with the idempotency key is reported before a missing book.
    ({ caller, params, body, keyed }) => generateCodes(core, caller, params.bookId, body, keyed),
  );
}

function addCodeList(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/books/:bookId/codes',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'listCodes',
        summary: 'List the codes of a book, or export them as CSV',
        description: csvDescription,
        tags: ['codes'],
        params: BookPath,
        querystring: strictObject({ ...CodeListRequest.properties, ...csvParameters }),
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
      if (!prefersCsv(request)) {
        const { bom: _, ...query } = request.query;
        return listCodes(core, request.caller, bookId, query);
      }
      refuseCursor(request.query);
      const csv = await exportCodes(core, request.caller, bookId, request.query, request.query.bom === 'true');
      return sendCsv(reply, csv, 'codes');
    },
  );
}

function addLookUp(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/codes/:code',
    {
      config: { roles: codeReaders, looksUpCode: 'for-nobody', kinds: ['coupon-not-found'] },
      schema: {
        operationId: 'lookUpCode',
        summary: 'Look a code up, also one that nobody has yet',
        description:
          'Where the code is from, what has become of it, and its coupon, which is null for a code that nobody has had. A code that went void with its deck tells when and why. The public code of a book stands in no deck: its `deckId` is null.',
        tags: ['codes'],
        params: CodePath,
        response: { 200: ref(CodeLookUp) },
      },
    },
    ({ caller, params }) => lookUpCode(core, caller, params.code),
  );
}

function addAlike(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/codes/:code/alike',
    {
      config: { roles: codeReaders, looksUpCode: 'for-nobody', kinds: ['coupon-not-found'] },
      schema: {
        operationId: 'findAlikeCodes',
        summary: 'Find a code as somebody wrote, read or heard it',
        description:
          'Dashes, underscores and blanks count for nothing, and what looks alike is alike: `O` and `0`; `I`, `L` and `1`. So there may be several. For people who look for a customer’s code; a program that has a code looks that one up.',
        tags: ['codes'],
        params: CodePath,
        response: { 200: pageOf(ref(CodeLookUp), `The codes, ${limits.alikeCodesMax} at most, on one page.`) },
      },
    },
    async ({ caller, params }) => ({ data: await findAlikeCodes(core, caller, params.code), nextCursor: null }),
  );
}

function addDecks(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/books/:bookId/decks',
    {
      config: { roles: operators, kinds: ['book-not-found'] },
      schema: {
        operationId: 'listDecks',
        summary: 'List the decks of a book',
        tags: ['codes'],
        params: BookPath,
        querystring: PageRequest,
        response: { 200: pageOf(ref(Deck), 'Decks, oldest first.') },
      },
    },
    ({ caller, params, query }) => listDecks(core, caller, idFromPath(params.bookId, 'book-not-found'), query),
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
        description:
          'For codes that leaked: whatever is undealt is void at once. Coupons in users’ hands stay. The deck tells when, by whom and why; repeated, the first void stays what it tells.',
        tags: ['codes'],
        params: DeckPath,
        body: VoidDeckInput,
        response: { 200: ref(Deck) },
      },
    },
    // The ids are not checked here: a problem with the idempotency key is reported before a missing book or deck.
    ({ caller, params, body, keyed }) => voidDeck(core, caller, params.bookId, params.deckId, body, keyed),
  );
}
