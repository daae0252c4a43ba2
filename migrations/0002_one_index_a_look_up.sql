-- A look-up by an internal id or a book finds one index that it can use, and no other that starts with tenant_id and so
-- fits half of it: with several, PostgreSQL may read the whole tenant while it knows little of the tables.
alter table books drop constraint books_pk, add constraint books_pk primary key (book_id, tenant_id);
alter table decks drop constraint decks_id_key, add constraint decks_id_key unique (id, tenant_id);
drop index decks_book_idx;
create index decks_book_idx on decks (book_id, deck_id, tenant_id);
