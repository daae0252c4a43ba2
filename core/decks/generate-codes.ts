import { closeGateOfOpenBook, findBook } from '../books/find-book.ts';
import type { Caller, Outcome } from '../caller.ts';
import { createPatternCodec } from '../codes/pattern-codec.ts';
import { checkRoom, commonText, isSamePattern, type Pattern, parsePattern } from '../codes/pattern-rules.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { type CouponError, invalidInput, refuse, unavailable } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { limits } from '../limits.ts';
import { refuseOutdatedSecret } from '../patterns/code-secret.ts';
import { makePatternKey, unwrapPatternKey, wrapPatternKey } from '../patterns/pattern-key.ts';
import { findUploadedCode, lastUploadedDeck, type UploadedSearch } from './find-uploaded-code.ts';
import type { GeneratedDeck, GenerateInput } from './generated-deck.ts';
import { insertDeck } from './insert-deck.ts';
import { lockTenantCodes } from './tenant-codes-lock.ts';

/** New codes are uploaded while the tenant's codes are searched; so often the search begins again. */
const searchTries = 3;

/** Thrown out of a transaction that needs a search: nothing may be searched while its locks are held. */
class SearchNeeded extends Error {}

/**
 * Adds a deck of generated codes to a book in any state but closed. Nothing is stored but the deck's row, whatever its
 * size: position i of the deck is number firstIndex + i of the pattern's sequence, and FF1 under the pattern's key
 * makes a code of it. The same pattern in any book of the tenant continues its sequence, so no code comes twice.
 *
 * One transaction under the tenant's lock, then the book's closed gate. Where the pattern is new to the tenant, its
 * uploaded codes are searched before, outside of it.
 *
 * @throws CouponError `invalid-input`; `idempotency-key-reused`; `book-not-found`, for an id that is no UUID too;
 *   `pattern-too-small`; `conflict` where the pattern could produce a code of another pattern or of an upload, or where
 *   too many uploaded codes begin like it; `unavailable` where others hold what it needs;
 *   `book-not-active` for a closed book
 */
export async function generateCodes(
  core: ColdCore & Pick<Core, 'clock' | 'config' | 'knownBooks' | 'deckMarks'>,
  caller: Caller,
  bookId: string,
  input: GenerateInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<GeneratedDeck>> {
  const { tenantId } = caller;
  const { count } = input;
  const pattern = readPattern(input);
  const generate = (search: UploadedSearch | null) =>
    runOnce(core, tenantId, keyed, 201, async (tx) => {
      const bookKey = await findBook(core, tenantId, bookId);
      await lockTenantCodes(tx, tenantId);
      const sequence =
        (await findSequence(core, tx, tenantId, pattern)) ?? (await newSequence(core, tx, tenantId, pattern, search));
      const room = checkRoom(pattern, sequence.nextIndex, count, input.allowGuessable ?? false);
      if (!room.ok) throw refuse('pattern-too-small', room.message);
      if (sequence.nextIndex + count > limits.sequenceMaxIndex)
        throw refuse('pattern-too-small', 'The pattern’s sequence is at its end: use another pattern.');
      await extendSequence(tx, tenantId, sequence.patternId, count);
      await closeGateOfOpenBook(tx, tenantId, bookKey);
      const deckId = await insertDeck(core, tx, tenantId, {
        deckKey: null,
        bookKey,
        size: count,
        sequence: { patternId: sequence.patternId, firstIndex: sequence.nextIndex },
      });
      const example = exampleOf(pattern, sequence.key);
      // Before COMMIT, from which on codes of the deck may be dealt that a restore would make once more.
      await core.deckMarks.write({ patterns: [[tenantId, sequence.patternId, sequence.nextIndex + count]] });
      return { deckId, count, pattern: pattern.template, example, guessOdds: room.odds.rounded };
    });
  return searchWhereNeeded(core, tenantId, pattern, generate);
}

async function searchWhereNeeded<T>(
  core: ColdCore,
  tenantId: number,
  pattern: Pattern,
  generate: (search: UploadedSearch | null) => Promise<T>,
): Promise<T> {
  let search: UploadedSearch | null = null;
  for (let tries = 0; tries <= searchTries; tries += 1) {
    try {
      return await generate(search);
    } catch (error) {
      if (!(error instanceof SearchNeeded)) throw error;
      search = await findUploadedCode(core, tenantId, pattern);
    }
  }
  throw unavailable('not-begun', 'Codes are being uploaded all the while. Repeat the request.', 5);
}

function readPattern({ pattern, alphabet }: GenerateInput): Pattern {
  const parsed = parsePattern(pattern, alphabet);
  if (parsed.ok) return parsed.pattern;
  if (parsed.problem === 'too-few-combinations') throw refuse('pattern-too-small', parsed.message);
  throw invalidInput(parsed.problem === 'invalid-alphabet' ? '/alphabet' : '/pattern', parsed.message);
}

/** A pattern's sequence under the tenant's lock: `nextIndex` codes have been made of it. */
interface Sequence {
  patternId: number;
  nextIndex: number;
  key: Buffer;
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
 * The pattern's own sequence, where it has one.
 * @throws CouponError `conflict` where another pattern of the tenant overlaps with it
 */
async function findSequence(
  core: Pick<Core, 'config'>,
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
      const opened = unwrapPatternKey(core.config.codeSecret, row.keyVersion, row.wrappedKey);
      if (!opened.ok)
        throw unavailable(
          'not-begun',
          'The pattern’s key is wrapped by another version of CODE_SECRET than this process has.',
          5,
        );
      return { patternId: row.patternId, nextIndex: row.nextIndex, key: opened.key };
    }
    const common = commonText(parsed.pattern, pattern);
    if (common !== null) {
      throw patternConflict(parsed.pattern, common, await bookOfPattern(tx, tenantId, row.patternId));
    }
  }
  return null;
}

/** In words that name the first book of a pattern of the tenant. */
async function bookOfPattern(tx: Transaction, tenantId: number, patternId: number): Promise<string> {
  const { rows } = await tx.query<NamedBook>({
    name: 'book-of-pattern',
    text: `select b.name, b.id as "bookId" from decks d
      join books b on b.tenant_id = d.tenant_id and b.book_id = d.book_id
      where d.tenant_id = $1 and d.pattern_id = $2 order by d.first_index limit 1`,
    values: [tenantId, patternId],
  });
  return nameBook(rows[0]);
}

function patternConflict(other: Pattern, common: string, book: string): CouponError {
  return refuse(
    'conflict',
    `The pattern could produce ${common}, as could the pattern ${other.template} of ${book}: let a fixed character or the length differ.`,
    { reason: 'pattern-overlaps' },
  );
}

async function newSequence(
  core: Pick<Core, 'config' | 'random'>,
  tx: Transaction,
  tenantId: number,
  pattern: Pattern,
  search: UploadedSearch | null,
): Promise<Sequence> {
  const { codeSecret, codeSecretVersion } = core.config;
  await refuseUploadedCode(tx, tenantId, search);
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

/** Refuses a pattern that could produce an uploaded code of the tenant, by a search that knows all of them. */
async function refuseUploadedCode(tx: Transaction, tenantId: number, search: UploadedSearch | null): Promise<void> {
  if (search != null && search.found !== null) {
    const book = await bookOfUploadedCode(tx, tenantId, search.found);
    throw refuse(
      'conflict',
      `The pattern could produce the code ${search.found}, which was uploaded to ${book}: let a fixed character or the length differ.`,
      { reason: 'code-exists' },
    );
  }
  // Under the tenant's lock nothing is uploaded any more.
  if (search?.lastDeckKey !== (await lastUploadedDeck(tx, tenantId))) throw new SearchNeeded();
}

/** In words that name the book of an uploaded code of the tenant. */
async function bookOfUploadedCode(tx: Transaction, tenantId: number, code: string): Promise<string> {
  const { rows } = await tx.query<NamedBook>({
    name: 'book-of-uploaded-code',
    text: `select b.name, b.id as "bookId" from deck_codes c
      join decks d on d.tenant_id = c.tenant_id and d.deck_id = c.deck_id
      join books b on b.tenant_id = d.tenant_id and b.book_id = d.book_id
      where c.tenant_id = $1 and c.code = $2`,
    values: [tenantId, code],
  });
  return nameBook(rows[0]);
}

/** A book as an operator of its tenant is told of it. */
interface NamedBook {
  name: string;
  bookId: string;
}

function nameBook(book: NamedBook | undefined): string {
  return book === undefined ? 'a book' : `the book “${book.name}” (${book.bookId})`;
}

async function extendSequence(tx: Transaction, tenantId: number, patternId: number, count: number): Promise<void> {
  await tx.query({
    name: 'extend-sequence',
    text: 'update code_patterns set next_index = next_index + $3 where tenant_id = $1 and pattern_id = $2',
    values: [tenantId, patternId, count],
  });
}

/**
 * A code that shows how the pattern's codes look and is none of them: the very last number of the sequence, which no
 * deck holds before every other combination is used up (and then every text of this shape is a code anyway). A known
 * pair of number and code tells nothing about the others: FF1 is a pseudorandom permutation.
 */
function exampleOf(pattern: Pattern, key: Buffer): string {
  const last = pattern.combinations - 1n;
  const number = last > BigInt(limits.sequenceMaxIndex) ? limits.sequenceMaxIndex : Number(last);
  return createPatternCodec(pattern, key).codesAt([number])[0]!;
}
