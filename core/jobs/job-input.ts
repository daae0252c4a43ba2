import { type Static, Type } from 'typebox';
import { RedemptionListRequest } from '../coupons/list-redemptions.ts';
import { CodeStatus } from '../decks/code-view.ts';
import { invalidInput } from '../errors.ts';
import { Id, strictObject } from '../input/shapes.ts';
import { HeaderRule } from '../uploads/formats/row-sink.ts';
import { JobKind } from './job-document.ts';

const { userId, code, reference, from, to } = RedemptionListRequest.properties;

/** What a job is to do, beside its file. */
export const JobRequest = strictObject(
  {
    kind: JobKind,
    bookId: Type.Optional({
      ...Id,
      description:
        'Of an `assign` or `export-codes`: the book. Of a `void` or `export-redemptions`, where it is given: codes and redemptions of other books are none.',
    }),
    header: Type.Optional(HeaderRule),
    status: Type.Optional(CodeStatus),
    userId,
    code,
    reference,
    from,
    to,
  },
  { examples: [{ kind: 'void' }] },
);
export type JobRequest = Static<typeof JobRequest>;

/** The parameters that each kind takes beside `kind`; those with a `!` it needs. */
const parametersOf: Record<JobKind, readonly string[]> = {
  assign: ['bookId!', 'header'],
  void: ['bookId', 'header'],
  'export-codes': ['bookId!', 'status'],
  'export-redemptions': ['bookId', 'userId', 'code', 'reference', 'from', 'to'],
};

/**
 * Refuses parameters that the job's kind does not take, and one that it needs and is missing.
 * @throws CouponError `invalid-input` naming the parameter
 */
export function checkParameters({ kind, ...given }: JobRequest): void {
  const known = parametersOf[kind];
  for (const name of Object.keys(given)) {
    if (!known.includes(name) && !known.includes(`${name}!`)) {
      throw invalidInput(name, `has no place in a job of the kind ${kind}`);
    }
  }
  if (known.includes('bookId!') && given.bookId === undefined) {
    throw invalidInput('bookId', `is required for a job of the kind ${kind}`);
  }
}
