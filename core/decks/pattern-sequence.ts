import {
  checkRoom,
  commonText,
  type GuessOdds,
  isSamePattern,
  type Pattern,
  parsePattern,
} from '../codes/pattern-rules.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse, unavailable } from '../errors.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { type KeySource, refuseOutdatedSecret } from '../patterns/code-secret.ts';
import { makePatternKey, unwrapPatternKey, wrapPatternKey } from '../patterns/pattern-key.ts';
import type { IdSource } from '../random.ts';
import type { DeckMarks } from './deck-marks.ts';
import { insertDeck } from './insert-deck.ts';
import { bookOfPattern } from './name-books.ts';

/** A pattern's sequence under the tenant's lock: `nextIndex` codes have been made of it. */
export interface Sequence {
  readonly patternId: number;
  readonly nextIndex: number;
  readonly key: Buffer;
}

/** The next numbers of a sequence, for a deck. */
export interface SequencePart {
  readonly patternId: number;
  readonly firstIndex: number;
  readonly count: number;
  /** Of all codes of the pattern, these included. */
  readonly odds: GuessOdds;
}

interface PatternRow {
  patternId: number;
  template: string;
  alphabet: string;
  keyVersion: number;
  wrappedKey: Buffer;
  nextIndex: number;
}

/**
 * The pattern's sequence, which begins where the tenant has none of it yet. To be called under the tenant's lock.
 * @param refuseTaken throws where a new pattern could produce a code that stands in no pattern: an upload, or a book's
 *   public code
 * @throws CouponError `conflict` where another pattern of the tenant overlaps with it; `unavailable`
 */
export async function openSequence(
  core: KeySource,
  tx: Transaction,
  tenantId: number,
  pattern: Pattern,
  refuseTaken: () => Promise<void>,
): Promise<Sequence> {
  const known = await findSequence(core, tx, tenantId, pattern);
  if (known !== null) return known;
  await refuseTaken();
  return newSequence(core, tx, tenantId, pattern);
}

/**
 * Takes the next `count` numbers of a sequence.
 * @throws CouponError `pattern-too-small`
 */
export async function takeNumbers(
  tx: Transaction,
  tenantId: number,
  pattern: Pattern,
  { patternId, nextIndex }: Sequence,
  { count, allowGuessable }: { count: number; allowGuessable: boolean },
): Promise<SequencePart> {
  const room = checkRoom(pattern, nextIndex, count, allowGuessable);
  if (!room.ok) throw refuse('pattern-too-small', room.message);
  if (nextIndex + count > limits.sequenceMaxIndex)
    throw refuse('pattern-too-small', 'The pattern’s sequence is at its end: use another pattern.');
  await tx.query({
    name: 'extend-sequence',
    text: 'update code_patterns set next_index = next_index + $3 where tenant_id = $1 and pattern_id = $2',
    values: [tenantId, patternId, count],
  });
  return { patternId, firstIndex: nextIndex, count, odds: room.odds };
}

/**
 * Publishes the deck that these numbers are. To be called under the tenant's lock and behind the book's closed gate.
 * @returns the UUID under which clients know the deck
 */
export async function publishNumbers(
  core: IdSource & { readonly deckMarks: DeckMarks },
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  { patternId, firstIndex, count }: SequencePart,
): Promise<string> {
  const sequence = { patternId, firstIndex };
  const deckId = await insertDeck(core, tx, tenantId, { deckKey: null, bookKey, size: count, sequence, name: null });
  // Before COMMIT, from which on codes of the deck may be dealt that a restore would make once more.
  await core.deckMarks.write({ patterns: [[tenantId, patternId, firstIndex + count]] });
  return deckId;
}

async function findSequence(
  { config }: Pick<KeySource, 'config'>,
  tx: Transaction,
  tenantId: number,
  pattern: Pattern,
): Promise<Sequence | null> {
  const answer = await tx.query<PatternRow>({
    name: 'patterns-of-length',
    text: `select pattern_id as "patternId", template, alphabet, key_version as "keyVersion",
        wrapped_key as "wrappedKey", next_index as "nextIndex"
      from code_patterns where tenant_id = $1 and length(template) = $2 order by pattern_id`,
    values: [tenantId, pattern.template.length],
  });
  for (const row of answer.rows) {
    const parsed = parsePattern(row.template, row.alphabet);
    if (!parsed.ok) throw new Error(`the stored pattern ${row.patternId} can't be read: ${parsed.message}`);
    if (isSamePattern(parsed.pattern, pattern)) {
      const opened = unwrapPatternKey(config.codeSecret, row.keyVersion, row.wrappedKey);
      if (!opened.ok)
        throw unavailable(
          'not-begun',
          'The pattern’s key is wrapped by another version of CODE_SECRET than this process has.',
          5,
        );
      return { patternId: row.patternId, nextIndex: row.nextIndex, key: opened.key };
    }
    const common = commonText(parsed.pattern, pattern);
    if (common !== null) await refuseOverlap(tx, tenantId, parsed.pattern, common, row.patternId);
  }
  return null;
}

async function refuseOverlap(
  tx: Transaction,
  tenantId: number,
  other: Pattern,
  common: string,
  patternId: number,
): Promise<never> {
  const book = await bookOfPattern(tx, tenantId, patternId);
  throw refuse(
    'conflict',
    `The pattern could produce ${common}, as could the pattern ${other.template} of ${book}: let a fixed character or the length differ.`,
    { reason: 'pattern-overlaps' },
  );
}

async function newSequence(core: KeySource, tx: Transaction, tenantId: number, pattern: Pattern): Promise<Sequence> {
  const { codeSecret, codeSecretVersion } = core.config;
  await refuseOutdatedSecret(tx, codeSecretVersion);
  const key = makePatternKey(core.random);
  const answer = await tx.query<{ patternId: number }>({
    name: 'insert-pattern',
    text: `insert into code_patterns (tenant_id, template, alphabet, key_version, wrapped_key, next_index, created_at)
      values ($1, $2, $3, $4, $5, 0, clock_timestamp()) returning pattern_id as "patternId"`,
    values: [
      tenantId,
      pattern.template,
      pattern.alphabet,
      codeSecretVersion,
      wrapPatternKey(codeSecret, codeSecretVersion, key, core.random),
    ],
  });
  return { patternId: answer.rows[0]!.patternId, nextIndex: 0, key };
}
