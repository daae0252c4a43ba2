-- The books of every tenant are watched, and operators are told of those whose codes have come to be few or none.

-- When the next attempt to tell them may begin; null: they were told, or need not be. Of what came before this, they need not.
alter table stock_changes add column announce_at timestamptz;
create index stock_changes_announce_idx on stock_changes (announce_at) where announce_at is not null;

-- Since when all are watched: a book that was made after it had enough codes before it was first looked at.
create table stock_watch (
  only_row boolean constraint stock_watch_pk primary key default true
    constraint stock_watch_only_row_check check (only_row),
  since timestamptz not null
);
insert into stock_watch (since) values (clock_timestamp());

-- How many books of all tenants have few codes left, or none, is asked for metrics.
create index webhook_books_stock_idx on webhook_books (stock) where stock > 0;
