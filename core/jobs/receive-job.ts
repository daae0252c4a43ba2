import { createHash } from 'node:crypto';
import type { Core } from '../core.ts';
import { refuse, unavailable } from '../errors.ts';
import type { JobKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { type IdSource, newId } from '../random.ts';
import type { HeaderRule } from '../uploads/formats/row-sink.ts';
import type { FileJobKind, JobKind, JobName } from './job-document.ts';
import { isRefused, type JobRow, pieceRows } from './job-rows.ts';
import { openJobRows } from './read-job-rows.ts';

/** What receiving a job works with. */
export type ReceiveCore = IdSource & Pick<Core, 'coldPool'>;

/** A job that was received and is shown to nobody yet. */
export interface ReceivedJob extends JobName {
  /** What its file holds; an export has none. */
  readonly rows: number;
  readonly refused: number;
  readonly pieces: number;
  /** SHA-256 over the bytes of the file, in hexadecimal. */
  readonly digest: string;
}

/** How many pieces are stored at a time. Reading waits meanwhile. */
const piecesAtOnce = 8;
/** Whenever pieces are stored, the lease is renewed. If the process dies, maintenance removes the job after its end. */
const receivingLeaseSeconds = 3_600;

/** Makes a job that nobody is shown and nobody works on. */
export async function openJob(core: ReceiveCore, tenantId: number, kind: JobKind, createdBy: string): Promise<JobName> {
  const { rows } = await core.coldPool.query<{ jobKey: JobKey }>({
    name: 'open-job',
    text: `insert into jobs (id, tenant_id, kind, status, created_by, lease_until)
      values ($1, $2, $3, 'receiving', $4, clock_timestamp() + make_interval(secs => $5)) returning job_id as "jobKey"`,
    values: [newId(core), tenantId, kind, createdBy, receivingLeaseSeconds],
  });
  return { tenantId, jobKey: rows[0]!.jobKey };
}

/** Takes back a job that was not published, with its pieces. */
export async function dropJob({ coldPool }: Pick<Core, 'coldPool'>, { tenantId, jobKey }: JobName): Promise<void> {
  await coldPool.query({
    name: 'drop-job',
    text: `with gone as (
        delete from jobs where tenant_id = $1 and job_id = $2 and status = 'receiving' returning job_id)
      delete from job_pieces p using gone where p.tenant_id = $1 and p.job_id = gone.job_id`,
    values: [tenantId, jobKey],
  });
}

/**
 * Reads the file of a job into pieces, which are stored as they fill: memory holds some pieces, and what tells
 * duplicates apart.
 * @throws CouponError `invalid-input` where the file as a whole can't be read or holds no row, `body-too-large` beyond
 *   limits.jobMaxRows, `unavailable`; what `body` throws
 */
export async function receiveFile(
  core: ReceiveCore,
  job: JobName,
  kind: FileJobKind,
  header: HeaderRule | null,
  body: AsyncIterable<Uint8Array>,
): Promise<ReceivedJob> {
  const hash = createHash('sha256');
  const pieces = new PieceWriter(core, job);
  const read: { row: JobRow; times: number }[] = [];
  const reader = openJobRows(kind, header, (row, times) => read.push({ row, times }));
  const store = async () => {
    for (const { row, times } of read) await pieces.add(row, times);
    read.length = 0;
  };
  for await (const bytes of body) {
    hash.update(bytes);
    reader.push(bytes);
    await store();
  }
  reader.end();
  await store();
  await pieces.finish();
  const { rows, refused, written } = pieces;
  if (rows === 0) throw refuse('invalid-input', 'The file holds no row.');
  return { ...job, rows, refused, pieces: written, digest: hash.digest('hex') };
}

/** Rows become pieces, and pieces are stored some at a time. */
class PieceWriter {
  rows = 0;
  refused = 0;
  /** How many pieces are stored. */
  written = 0;
  readonly #core: ReceiveCore;
  readonly #job: JobName;
  #full: string[] = [];
  #piece: JobRow[] = [];

  constructor(core: ReceiveCore, job: JobName) {
    this.#core = core;
    this.#job = job;
  }

  async add(row: JobRow, times: number): Promise<void> {
    this.rows += times;
    if (isRefused(row)) this.refused += times;
    if (this.rows > limits.jobMaxRows) {
      throw refuse('body-too-large', `A job has at most ${limits.jobMaxRows} rows; send the rest as a second one.`);
    }
    for (let time = 0; time < times; time += 1) {
      this.#piece.push(row);
      if (this.#piece.length < pieceRows) continue;
      this.#cut();
      if (this.#full.length >= piecesAtOnce) await this.#store();
    }
  }

  async finish(): Promise<void> {
    if (this.#piece.length > 0) this.#cut();
    if (this.#full.length > 0) await this.#store();
  }

  #cut(): void {
    this.#full.push(JSON.stringify(this.#piece));
    this.#piece = [];
  }

  async #store(): Promise<void> {
    const { tenantId, jobKey } = this.#job;
    const { rowCount } = await this.#core.coldPool.query({
      name: 'store-job-pieces',
      text: `with kept as (
          update jobs set lease_until = clock_timestamp() + make_interval(secs => $5)
          where tenant_id = $1 and job_id = $2 and status = 'receiving' returning tenant_id, job_id)
        insert into job_pieces (tenant_id, job_id, piece, rows)
        select kept.tenant_id, kept.job_id, $3::int + piece.n - 1, piece.rows::jsonb
        from kept cross join unnest($4::text[]) with ordinality as piece (rows, n)`,
      values: [tenantId, jobKey, this.written, this.#full, receivingLeaseSeconds],
    });
    if (rowCount !== this.#full.length) throw unavailable('not-begun', 'The file took too long. Send it again.');
    this.written += this.#full.length;
    this.#full = [];
  }
}
