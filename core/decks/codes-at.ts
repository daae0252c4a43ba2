import type { Queryable } from '../db/pool.ts';
import type { DeckKey } from '../keys.ts';
import type { KnownPatterns } from '../patterns/known-patterns.ts';
import { blockOf, placeInBlock, splitBlock } from './deck-block-rules.ts';
import type { KnownDeck, KnownDecks } from './known-decks.ts';
import type { Place } from './place.ts';

/** What finds the codes at places. */
export interface CodeSource {
  readonly knownDecks: KnownDecks;
  readonly knownPatterns: KnownPatterns;
}

/**
 * The codes at these places, in the order given. Generated codes are computed, in one batch of FF1 a pattern; uploaded
 * ones are read in one statement. What must be read goes through `queryable`, so a caller inside a transaction waits
 * for no second connection.
 *
 * @throws Error where there is no code at a place: the caller made it up, or the database is damaged
 */
export async function codesAt(
  source: CodeSource,
  queryable: Queryable,
  tenantId: number,
  places: readonly Place[],
): Promise<string[]> {
  const codes = new Array<string | undefined>(places.length);
  const decks = await source.knownDecks.decksOf(queryable, tenantId, [
    ...new Set(places.map(({ deckKey }) => deckKey)),
  ]);
  const uploaded: number[] = [];
  const generated = new Map<number, number[]>();
  for (const [at, { deckKey, pos }] of places.entries()) {
    const deck = decks.get(deckKey);
    if (!deck || pos < 0 || pos >= deck.size) throw new Error(`deck ${deckKey} has no position ${pos}`);
    if (deck.patternId === null) {
      uploaded.push(at);
    } else {
      const ofPattern = generated.get(deck.patternId);
      if (ofPattern) ofPattern.push(at);
      else generated.set(deck.patternId, [at]);
    }
  }
  for (const [patternId, ats] of generated) {
    const texts = await computeCodes(
      source,
      queryable,
      tenantId,
      patternId,
      ats.map((at) => sequenceNumber(decks, places[at]!)),
    );
    for (const [k, at] of ats.entries()) codes[at] = texts[k];
  }
  if (uploaded.length > 0) await readCodes(queryable, tenantId, places, uploaded, codes);
  const missing = codes.indexOf(undefined);
  if (missing >= 0)
    throw new Error(`there is no code at position ${places[missing]!.pos} of deck ${places[missing]!.deckKey}`);
  return codes as string[];
}

function sequenceNumber(decks: ReadonlyMap<number, KnownDeck>, { deckKey, pos }: Place): number {
  return decks.get(deckKey)!.firstIndex! + pos;
}

async function computeCodes(
  { knownPatterns }: Pick<CodeSource, 'knownPatterns'>,
  queryable: Queryable,
  tenantId: number,
  patternId: number,
  sequenceNumbers: readonly number[],
): Promise<string[]> {
  const remembered = await knownPatterns.ofTenant(queryable, tenantId);
  const known =
    remembered.patterns.get(patternId) ?? (await knownPatterns.refresh(queryable, tenantId)).patterns.get(patternId);
  if (!known) throw new Error(`tenant ${tenantId} has no pattern ${patternId}`);
  return known.codec().codesAt(sequenceNumbers);
}

async function readCodes(
  queryable: Queryable,
  tenantId: number,
  places: readonly Place[],
  ats: readonly number[],
  codes: (string | undefined)[],
): Promise<void> {
  const blocks = new Map<string, { deckKey: DeckKey; block: number }>();
  for (const at of ats) {
    const { deckKey, pos } = places[at]!;
    blocks.set(blockMapKey(deckKey, blockOf(pos)), { deckKey, block: blockOf(pos) });
  }
  const wanted = [...blocks.values()];
  const answer = await queryable.query<{ deck_id: DeckKey; block: number; codes: string }>({
    name: 'codes-at',
    text: `select b.deck_id, b.block, b.codes
             from unnest($2::int[], $3::bigint[]) as w (deck_id, block)
             join deck_blocks b on b.tenant_id = $1 and b.deck_id = w.deck_id and b.block = w.block`,
    values: [tenantId, wanted.map(({ deckKey }) => deckKey), wanted.map(({ block }) => block)],
  });
  const texts = new Map(answer.rows.map((row) => [blockMapKey(row.deck_id, row.block), splitBlock(row.codes)]));
  for (const at of ats) {
    const { deckKey, pos } = places[at]!;
    codes[at] = texts.get(blockMapKey(deckKey, blockOf(pos)))?.[placeInBlock(pos)];
  }
}

function blockMapKey(deckKey: DeckKey, block: number): string {
  return `${deckKey} ${block}`;
}
