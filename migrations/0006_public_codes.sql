-- A code of a whole book, which anybody may bring: null where the book has none. It is a code of the tenant, and so it has
-- its row in deck_codes too, which keeps it apart from uploaded ones. It stands in no deck: deck_id is there the book's id,
-- negative. An earlier version that goes on beside this one finds no deck for it, and so no coupon.
alter table books add column public_code text collate "C"
  constraint books_public_code_check check (octet_length(public_code) between 4 and 64);
create unique index books_public_code_key on books (tenant_id, public_code) where public_code is not null;
