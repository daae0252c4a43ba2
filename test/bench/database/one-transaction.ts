/**
 * What an assign and a redeem write, one transaction a request, as scripts of pgbench: the usual way to build this, at
 * its best. There is no HTTP, no authentication, no decision and no look at idempotency keys that were used before.
 * Variables: book, deck, and for redeem first, clients (each client then has coupons of its own).
 */
export const oneTransactionScripts = {
  assign: `
\\set user random(0, 1099511627775)
begin;
insert into holders (tenant_id, book_id, user_id) values (1, :book, 'user-' || (:user)::text)
  on conflict (tenant_id, user_id, book_id) do update set user_id = excluded.user_id returning holder_id \\gset
update decks set next_pos = next_pos + 1 where tenant_id = 1 and deck_id = :deck and next_pos < size
  returning next_pos - 1 as pos, date_trunc('milliseconds', clock_timestamp()) as now \\gset
insert into coupons (tenant_id, deck_id, pos, code, holder_id, assigned_at, max_redemptions, rev)
  values (1, :deck, :pos, 'BENCH-' || (:pos)::text, :holder_id, :now, 1, 1);
insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, actor)
  values (1, :now, :deck, :pos, 1, 1, :holder_id, 0, 0, 'root');
insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev)
  values (1, gen_random_uuid(), 0, :deck, :pos, 1);
commit;
`,
  redeem: `
\\set turn :turn + 1
\\set pos :first + :turn * :clients + :client_id
\\set stripe random(0, 15)
begin;
select holder_id, gen_random_uuid() as redemption, date_trunc('milliseconds', clock_timestamp()) as now
  from coupons where tenant_id = 1 and deck_id = :deck and pos = :pos for no key update \\gset
update coupons set rev = 2, redemptions = 1 where tenant_id = 1 and deck_id = :deck and pos = :pos;
insert into redemptions (tenant_id, at, id, deck_id, pos, seq, reference)
  values (1, :now, :redemption, :deck, :pos, 1, 'order-' || (:pos)::text);
insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, redemption_id, actor)
  values (1, :now, :deck, :pos, 2, 5, :holder_id, 1, 0, :redemption, 'root');
insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev)
  values (1, gen_random_uuid(), 0, :deck, :pos, 2);
update book_counters set redemptions = redemptions + 1 where tenant_id = 1 and book_id = :book and stripe = :stripe;
commit;
`,
};
