import { type Pattern, parsePattern } from '../codes/pattern-rules.ts';
import type { Transaction } from '../db/transaction.ts';
import { CouponError, refuse } from '../errors.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import type { KeySource } from '../patterns/code-secret.ts';
import type { IdSource, Random } from '../random.ts';
import type { DeckMarks } from './deck-marks.ts';
import { openSequence, publishNumbers, type SequencePart, takeNumbers } from './pattern-sequence.ts';

/** What a book with a public code gets its deck from. */
export interface StockCore extends IdSource, KeySource {
  readonly deckMarks: DeckMarks;
}

/** 32^12 combinations: of ten billion codes, one guess in a hundred million is right. */
const unguessable = '####-####-####';

/**
 * Gives a book with a public code a generated deck, so that there is a code for everybody who brings it: as many as
 * there may be in a deck, which is more than there are people. The codes begin with the public code, so that whoever
 * sees one knows what it is of. To be called under the tenant's lock and behind the book's closed gate.
 * @throws CouponError `conflict` where codes of the tenant begin with everything that was tried; `unavailable`
 */
export async function stockPublicBook(
  core: StockCore,
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  publicCode: string,
): Promise<void> {
  for (const start of startsFor(publicCode, core.random)) {
    const part = await tryStart(core, tx, tenantId, start);
    if (part === null) continue;
    await publishNumbers(core, tx, tenantId, bookKey, part);
    return;
  }
  throw refuse('conflict', 'No pattern is free for the codes of the book: upload or generate codes for it.');
}

/** What its codes may begin with, the best first. */
function startsFor(publicCode: string, random: Random): string[] {
  const room = limits.codeLengthMaxChars - unguessable.length;
  const drawn = random.bytes(5).toString('hex').toUpperCase();
  return [`${publicCode}-`, `P-${publicCode}-`, `P-${drawn}-`].filter((start) => start.length <= room);
}

/** The numbers of a deck whose codes begin so; null where others of the tenant do too. */
async function tryStart(
  core: KeySource,
  tx: Transaction,
  tenantId: number,
  start: string,
): Promise<SequencePart | null> {
  const pattern = patternOf(start);
  try {
    const sequence = await openSequence(core, tx, tenantId, pattern, () => refuseStart(tx, tenantId, start));
    return await takeNumbers(tx, tenantId, pattern, sequence, {
      count: limits.generatedDeckMaxCodes,
      allowGuessable: false,
    });
  } catch (error) {
    if (error instanceof CouponError && (error.kind === 'conflict' || error.kind === 'pattern-too-small')) return null;
    throw error;
  }
}

function patternOf(start: string): Pattern {
  const parsed = parsePattern(start + unguessable);
  if (!parsed.ok) throw new Error(`${start} can't begin a pattern: ${parsed.message}`);
  return parsed.pattern;
}

/**
 * Refuses what an uploaded or public code of the tenant begins with. That is more than need be, and one step in an
 * index instead of a search through the codes, which nobody could wait for here.
 */
async function refuseStart(tx: Transaction, tenantId: number, start: string): Promise<void> {
  const { rows } = await tx.query({
    name: 'begins-a-code',
    // "~" sorts after every character that a code can have.
    text: 'select from deck_codes where tenant_id = $1 and code >= $2 and code < $3 order by code limit 1',
    values: [tenantId, start, `${start}~`],
  });
  if (rows.length > 0) throw refuse('conflict', `A code begins with ${start}.`);
}
