import { Type } from 'typebox';
import {
  cancelJob,
  createJob,
  exampleId,
  JobRequest,
  listJobs,
  PageRequest,
  readJob,
  readJobResult,
  strictObject,
} from '../../../core/index.ts';
import { csvParameters, localParameter, sendCsv } from '../answers/csv-answer.ts';
import { operators } from '../auth/roles.ts';
import { readJobFile, uploadBodies } from '../body/upload-body.ts';
import { Job } from '../schemas/answers.ts';
import { pageOf, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

/** What a browser calls the file of a result, by the kind of its job. */
const fileNames = {
  assign: 'given-codes',
  void: 'voided-codes',
  'export-codes': 'codes',
  'export-redemptions': 'redemptions',
} as const satisfies Record<JobRequest['kind'], string>;

const JobPath = Type.Object({ jobId: Type.String({ description: 'The job’s id.', examples: [exampleId] }) });

/** The routes of jobs that are there. */
export const jobRoutes = routes('job-routes', (app) => {
  addList(app);
  addRead(app);
  addCancel(app);
  addResult(app);
});

/** The route that makes jobs, apart from the others since bodies are read otherwise here. */
export const newJobRoutes = routes('new-job-routes', async (app) => {
  const { core } = app;
  await app.register(uploadBodies);

  app.post(
    '/v1/jobs',
    {
      config: {
        roles: operators,
        idempotent: true,
        upload: 'job',
        locationOf: ({ id }: { id: string }) => `/v1/jobs/${id}`,
        kinds: ['book-not-found', 'unsupported-media-type', 'body-too-large'],
      },
      schema: {
        operationId: 'createJob',
        summary: 'Start a job in the background',
        description: `An \`assign\` brings a CSV with a column \`userId\` and perhaps \`count\` (how many codes, 1 by default), a \`void\` one with a column \`code\`, found as in an upload of codes, and perhaps \`reason\`; an export brings no body, and the filters of the list that it writes. The answer comes once the file has been read and stored. From then on the job goes on by itself, whatever becomes of the server that took it, and does each row once.

Each row stands on its own, as if it had been a request: one that is refused says why in the result, and the others go on. A line that can’t be read, and a user or a code that an earlier line has, is refused too. A pause of the book refuses rows while it lasts.

A tenant’s jobs run one after the other, beside the requests and not at their cost. A job, its file and its result are kept for seven days after its end.`,
        tags: ['jobs'],
        querystring: JobRequest,
        response: { 202: ref(Job) },
      },
    },
    (request) =>
      createJob(core, request.caller, request.query, readJobFile(request, request.query.kind), request.keyed),
  );
});

function addList(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/jobs',
    {
      config: { roles: operators },
      schema: {
        operationId: 'listJobs',
        summary: 'List jobs',
        tags: ['jobs'],
        querystring: PageRequest,
        response: { 200: pageOf(ref(Job), 'Jobs, newest first.') },
      },
    },
    ({ caller, query }) => listJobs(core, caller, query),
  );
}

function addRead(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/jobs/:jobId',
    {
      config: { roles: operators, kinds: ['not-found'] },
      schema: {
        operationId: 'readJob',
        summary: 'Read a job',
        description: 'How far it is. Once a second is often enough.',
        tags: ['jobs'],
        params: JobPath,
        response: { 200: ref(Job) },
      },
    },
    ({ caller, params }) => readJob(core, caller, params.jobId),
  );
}

function addCancel(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/jobs/:jobId/cancel',
    {
      config: { roles: operators, idempotent: true, bodyOptional: true, kinds: ['not-found', 'conflict'] },
      schema: {
        operationId: 'cancelJob',
        summary: 'End a job before it is done',
        description:
          'After the answer nothing more is done for it; what was done stays done, and is in its result. Cancelling it again changes nothing. One that has ended otherwise is a `conflict` with the reason `job-finished`.',
        tags: ['jobs'],
        params: JobPath,
        body: strictObject({}),
        response: { 200: ref(Job) },
      },
    },
    ({ caller, params, keyed }) => cancelJob(core, caller, params.jobId, keyed),
  );
}

function addResult(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/jobs/:jobId/result',
    {
      config: { roles: operators, kinds: ['not-found', 'conflict'] },
      schema: {
        operationId: 'readJobResult',
        summary: 'Read what came of a job, as CSV',
        description:
          'Of a job that has ended; before, it is a `conflict` with the reason `job-unfinished`. An `assign` has `line,userId,outcome,code`, a line for each code that was wanted; a `void` has `line,code,outcome`; an export has the columns of its list. The outcome is `assigned` or `voided`, else the kind of the problem that a request would have got, or what is wrong with the line: `duplicate-in-file`, `broken-line`, `line-too-long`, `wrong-column-count`, `invalid-user-id`, `invalid-count`, `invalid-reason`, `user-erased`. It is empty for a row that was not carried out, as the job was cancelled or failed. A text of a stranger’s that a spreadsheet would run as a formula has an apostrophe in front of it.',
        tags: ['jobs'],
        params: JobPath,
        querystring: strictObject({ ...csvParameters, ...localParameter }),
        response: { 200: { description: 'The result.', content: { 'text/csv': { schema: Type.String() } } } },
      },
    },
    async ({ caller, params, query }, reply) => {
      const { kind } = await readJob(core, caller, params.jobId);
      const csv = await readJobResult(core, caller, params.jobId, query.bom === 'true', query.local === 'true');
      return sendCsv(reply, csv, fileNames[kind]);
    },
  );
}
