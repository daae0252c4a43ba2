import { BoundedMap, cacheMaxEntries } from '../bounded-map.ts';
import { createPatternCodec, type PatternCodec } from '../codes/pattern-codec.ts';
import { matchPattern, type Pattern, type PatternMatch, parsePattern } from '../codes/pattern-rules.ts';
import type { Queryable } from '../db/pool.ts';
import { unavailable } from '../errors.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import type { CodeSecret } from './code-secret.ts';
import { unwrapPatternKey } from './pattern-key.ts';

/** The part of a pattern's sequence that is a deck: `[firstIndex, firstIndex + size)`. */
export interface DeckRange {
  readonly deckKey: DeckKey;
  readonly bookKey: BookKey;
  readonly firstIndex: number;
  readonly size: number;
}

/** A pattern of a tenant with its key and its decks. */
export interface KnownPattern {
  readonly patternId: number;
  readonly pattern: Pattern;
  /** By first index, ascending and without overlap; there may be gaps (after a restore). */
  readonly decks: readonly DeckRange[];
  /**
   * Turns sequence numbers into codes and back. The key is unwrapped at the first call.
   * @throws CouponError `unavailable` where the key is wrapped by another version of CODE_SECRET than this process has
   */
  codec(): PatternCodec;
}

/** A code that a pattern of the tenant could produce, whether or not it ever did. */
export interface TypedMatch extends PatternMatch {
  readonly known: KnownPattern;
}

/** All patterns of a tenant as of one moment; never changed once made. */
export interface TenantPatterns {
  /** The tenant's highest deck id at that moment, 0 for none. Decks are inserted under the tenant's lock, so a tenant
   * that still has this highest id has no pattern and no deck that is missing here. */
  readonly version: number;
  readonly patterns: ReadonlyMap<number, KnownPattern>;
  /** The pattern that could produce this normalised code, with the code's stored form; patterns never overlap. */
  match(normalised: string): TypedMatch | null;
}

/** A bounded memory of the tenants' patterns and generated decks. */
export interface KnownPatterns {
  /** The tenant's patterns as remembered, or as read through the connection where nothing is. */
  ofTenant(queryable: Queryable, tenantId: number): Promise<TenantPatterns>;
  /** The same after reading what has come since; one statement, which reads new decks only. */
  refresh(queryable: Queryable, tenantId: number): Promise<TenantPatterns>;
  /** Drops what is remembered of a tenant: for a database that went back in time. */
  forget(tenantId: number): void;
}

/**
 * Opens an empty memory of at most cacheMaxEntries tenants.
 * Two reads at once are harmless: each makes a whole new snapshot, and the newer one stays.
 */
export function openKnownPatterns(secret: CodeSecret): KnownPatterns {
  const memory = new BoundedMap<number, TenantPatterns>(cacheMaxEntries);

  const refresh: KnownPatterns['refresh'] = async (queryable, tenantId) => {
    const before = memory.get(tenantId) ?? noPatterns;
    const after = extend(before, await readNewDecks(queryable, tenantId, before.version), secret);
    const current = memory.get(tenantId);
    if (current && current !== before && current.version >= after.version) return current;
    memory.set(tenantId, after);
    return after;
  };

  return {
    refresh,
    ofTenant: async (queryable, tenantId) => memory.get(tenantId) ?? refresh(queryable, tenantId),
    forget: (tenantId) => memory.delete(tenantId),
  };
}

/** Where a sequence number of the pattern stands, or null where no known deck holds it. Binary search. */
export function deckAt(known: KnownPattern, sequenceNumber: number): { deck: DeckRange; pos: number } | null {
  let low = 0;
  let high = known.decks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (known.decks[middle]!.firstIndex <= sequenceNumber) low = middle + 1;
    else high = middle;
  }
  const deck = known.decks[low - 1];
  if (!deck || sequenceNumber >= deck.firstIndex + deck.size) return null;
  return { deck, pos: sequenceNumber - deck.firstIndex };
}

/** A row of readNewDecks; all but the first two are null in the one row of a tenant without new decks. */
interface NewDeckRow {
  version: number;
  /** All patterns of the tenant; null where it has none. */
  present: number[] | null;
  deck_id: DeckKey | null;
  book_id: BookKey;
  first_index: number;
  size: number;
  pattern_id: number;
  template: string;
  alphabet: string;
  key_version: number;
  wrapped_key: Buffer;
}

async function readNewDecks(queryable: Queryable, tenantId: number, afterDeckKey: number): Promise<NewDeckRow[]> {
  const answer = await queryable.query<NewDeckRow>({
    name: 'known-patterns',
    text: `select newest.version, newest.present, fresh.*
             from (select coalesce(max(deck_id), 0) as version,
                     (select array_agg(pattern_id) from code_patterns where tenant_id = $1) as present
                   from decks where tenant_id = $1) newest
             left join (select d.deck_id, d.book_id, d.first_index, d.size, p.pattern_id, p.template, p.alphabet,
                               p.key_version, p.wrapped_key
                          from decks d join code_patterns p on p.tenant_id = $1 and p.pattern_id = d.pattern_id
                         where d.tenant_id = $1 and d.deck_id > $2 and d.pattern_id is not null) fresh on true
            order by fresh.deck_id`,
    values: [tenantId, afterDeckKey],
  });
  return answer.rows;
}

function extend(before: TenantPatterns, rows: readonly NewDeckRow[], secret: CodeSecret): TenantPatterns {
  const version = rows[0]!.version;
  const present = new Set(rows[0]!.present);
  // A pattern is deleted with its last deck. From then on another one may produce the same texts.
  const patterns = new Map([...before.patterns].filter(([patternId]) => present.has(patternId)));
  const isSame = version === before.version && patterns.size === before.patterns.size;
  if (isSame && rows[0]!.deck_id === null) return before;
  const grown = new Map<number, DeckRange[]>();
  for (const row of rows) {
    if (row.deck_id === null) continue;
    let decks = grown.get(row.pattern_id);
    if (!decks) {
      const known = patterns.get(row.pattern_id);
      decks = [...(known?.decks ?? [])];
      grown.set(row.pattern_id, decks);
      patterns.set(row.pattern_id, known ? { ...known, decks } : knownPattern(row, decks, secret));
    }
    decks.push({ deckKey: row.deck_id, bookKey: row.book_id, firstIndex: row.first_index, size: row.size });
  }
  return { version, patterns, match: matcher([...patterns.values()]) };
}

function knownPattern(row: NewDeckRow, decks: readonly DeckRange[], secret: CodeSecret): KnownPattern {
  const parsed = parsePattern(row.template, row.alphabet);
  if (!parsed.ok) throw new Error(`the stored pattern ${row.pattern_id} can't be read: ${parsed.message}`);
  let codec: PatternCodec | null = null;
  return {
    patternId: row.pattern_id,
    pattern: parsed.pattern,
    decks,
    codec() {
      codec ??= createPatternCodec(parsed.pattern, openKey(row, secret));
      return codec;
    },
  };
}

/** Opens a pattern's key, or says that this process can't. */
function openKey(row: Pick<NewDeckRow, 'key_version' | 'wrapped_key'>, secret: CodeSecret): Buffer {
  // While CODE_SECRET is rotated, a task that still has the former one may meet keys of the next version. Another task
  // can use them.
  if (row.key_version !== secret.codeSecretVersion) {
    const detail = `A pattern's key is wrapped by version ${row.key_version} of CODE_SECRET; this process has version ${secret.codeSecretVersion}.`;
    throw unavailable('not-begun', detail, 5);
  }
  const opened = unwrapPatternKey(secret.codeSecret, row.key_version, row.wrapped_key);
  if (!opened.ok) throw new Error(opened.message);
  return opened.key;
}

/**
 * Patterns by the length of their codes and the text before the first `#`, so that only few have to be compared in
 * full.
 */
function matcher(patterns: readonly KnownPattern[]): TenantPatterns['match'] {
  const byStart = new Map<string, KnownPattern[]>();
  const startsByLength = new Map<number, Set<number>>();
  for (const known of patterns) {
    const { template, placeholders } = known.pattern;
    const start = placeholders[0]!;
    const key = startKey(template, start);
    byStart.set(key, [...(byStart.get(key) ?? []), known]);
    startsByLength.set(template.length, (startsByLength.get(template.length) ?? new Set<number>()).add(start));
  }
  return (normalised) => {
    for (const start of startsByLength.get(normalised.length) ?? []) {
      for (const known of byStart.get(startKey(normalised, start)) ?? []) {
        const match = matchPattern(known.pattern, normalised);
        if (match) return { ...match, known };
      }
    }
    return null;
  };
}

function startKey(text: string, start: number): string {
  return `${text.length} ${text.slice(0, start)}`;
}

const noPatterns: TenantPatterns = { version: 0, patterns: new Map(), match: () => null };
