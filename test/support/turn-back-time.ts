import type pg from 'pg';

/** Every table that has to do with books and their codes, and with what is counted of them. */
const tables = [
  'books',
  'dealers',
  'decks',
  'deck_taken',
  'deck_codes',
  'deck_blocks',
  'code_patterns',
  'holders',
  'coupons',
  'redemptions',
  'events',
  'settled_events',
  'counted_events',
  'event_counts',
  'book_revisions',
  'book_counters',
  'idempotency',
];

/** Copies the tables aside as of one moment: what a backup has, or a replica that fell behind. */
export async function backUp(pool: pg.Pool): Promise<void> {
  const copies = tables.map(
    (table) => `drop table if exists backup_${table}; create table backup_${table} as table ${table};`,
  );
  await pool.query(`begin isolation level repeatable read; ${copies.join('\n')} commit`);
}

/** Puts the tables back as they were, as a restore to that moment or the promotion of that replica would. */
export async function restore(pool: pg.Pool): Promise<void> {
  const refills = tables.map((table) => `insert into ${table} overriding system value table backup_${table};`);
  await pool.query(`begin; truncate ${tables.join(', ')} cascade; ${refills.join('\n')} commit`);
}
