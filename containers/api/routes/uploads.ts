import { Type } from 'typebox';
import { DeckName, HeaderRule, strictObject, uploadCodes } from '../../../core/index.ts';
import { operators } from '../auth/roles.ts';
import { readUpload, uploadBodies } from '../body/upload-body.ts';
import { UploadedDeck } from '../schemas/answers.ts';
import { BookPath, ref } from '../schemas/common.ts';
import { routes } from './api.ts';

/** The route of uploads, apart from the others of codes since bodies are read otherwise here. */
export const uploadRoutes = routes('upload-routes', async (app) => {
  const { core } = app;
  await app.register(uploadBodies);

  app.post(
    '/v1/books/:bookId/codes',
    {
      config: {
        roles: operators,
        idempotent: true,
        upload: 'codes',
        kinds: ['book-not-found', 'book-not-active', 'unsupported-media-type', 'body-too-large'],
      },
      schema: {
        operationId: 'uploadCodes',
        summary: 'Upload a deck of codes',
        description:
          'Drafts and paused books take codes too; a closed book does not. JSON `{ "codes": [] }`, CSV with a `code` column or one code a line, or NDJSON, streamed. A code has 4 to 64 of A-Z, 0-9, `-` and `_`; lower case becomes upper case, dashes of every kind become `-`, and white space around it and characters without width are left out. Rows that are none are left out and named; the others are there all together or not at all.\n\nThe codes are in the column called exactly `code`, else in the only one of a like name (`Coupon code`, `voucher_code`, `Gutschein`, `código` …), which goes for the fields of JSON objects too; two like names are refused. In a CSV with one column, such a name in the first line is a heading. A first line that may be either is refused (it has no digit, for instance): `header` then says what it is. A file of several lines needs `curl --data-binary @file`, since `curl -d` takes the line breaks out.\n\nThe deck is called what `name` says. It should name no customer: the erasure of a user does not look into it.',
        tags: ['codes'],
        params: BookPath,
        querystring: strictObject({ header: Type.Optional(HeaderRule), name: Type.Optional(DeckName) }),
        response: {
          200: { ...ref(UploadedDeck), description: 'No row was taken, and no deck made: `deckId` is null.' },
          201: ref(UploadedDeck),
        },
      },
    },
    async (request, reply) => {
      const { caller, params, query, keyed } = request;
      const upload = { ...readUpload(request), header: query.header, name: query.name };
      const outcome = await uploadCodes(core, caller, params.bookId, upload, keyed);
      reply.code(outcome.body.deckId === null ? 200 : 201);
      return outcome;
    },
  );
});
