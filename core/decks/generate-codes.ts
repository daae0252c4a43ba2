import { closeGateOfOpenBook, findBook } from '../books/find-book.ts';
import type { KnownBooks } from '../books/known-books.ts';
import type { Caller, Outcome } from '../caller.ts';
import { createPatternCodec } from '../codes/pattern-codec.ts';
import { type Pattern, parsePattern } from '../codes/pattern-rules.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { invalidInput, refuse, unavailable } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { limits } from '../limits.ts';
import { findUploadedCode, lastUploadedDeck, type SearchCore, type UploadedSearch } from './find-uploaded-code.ts';
import type { GeneratedDeck, GenerateInput } from './generated-deck.ts';
import { bookOfStoredCode } from './name-books.ts';
import { openSequence, publishNumbers, takeNumbers } from './pattern-sequence.ts';
import { refusePublicCodesOf } from './public-codes.ts';
import type { StockCore } from './stock-public-book.ts';
import { lockTenantCodes } from './tenant-codes-lock.ts';

/** How often the search begins again because new codes were uploaded while it ran. */
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
 *   `pattern-too-small`; `conflict` where the pattern could produce a code of another pattern or of an upload, or the
 *   public code of a book, or where too many uploaded codes begin like it; `unavailable` where others hold what it
 *   needs; `book-not-active` for a closed book
 */
export async function generateCodes(
  core: ColdCore & StockCore & { readonly knownBooks: KnownBooks },
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
      const refuseTaken = () => refuseTakenCode(tx, tenantId, pattern, search);
      const sequence = await openSequence(core, tx, tenantId, pattern, refuseTaken);
      const allowGuessable = input.allowGuessable ?? false;
      const part = await takeNumbers(tx, tenantId, pattern, sequence, { count, allowGuessable });
      await closeGateOfOpenBook(tx, tenantId, bookKey);
      const deckId = await publishNumbers(core, tx, tenantId, bookKey, part);
      const example = exampleOf(pattern, sequence.key);
      return { deckId, count, pattern: pattern.template, example, guessOdds: part.odds.rounded };
    });
  return searchWhereNeeded(core, tenantId, pattern, generate);
}

async function searchWhereNeeded<T>(
  core: SearchCore,
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

/**
 * Refuses a pattern that could produce a public code of the tenant, or an uploaded one, by a search that knows all of
 * them.
 */
async function refuseTakenCode(
  tx: Transaction,
  tenantId: number,
  pattern: Pattern,
  search: UploadedSearch | null,
): Promise<void> {
  await refusePublicCodesOf(tx, tenantId, pattern);
  const taken = search?.found ?? null;
  const where = taken === null ? null : await bookOfStoredCode(tx, tenantId, taken);
  if (where !== null) {
    throw refuse(
      'conflict',
      `The pattern could produce the code ${taken}, which ${where}: let a fixed character or the length differ.`,
      { reason: 'code-exists' },
    );
  }
  // A public code that was found may be given up by now. Under the tenant's lock nothing is uploaded any more.
  const isComplete = taken === null && search?.lastDeckKey === (await lastUploadedDeck(tx, tenantId));
  if (!isComplete) throw new SearchNeeded();
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
