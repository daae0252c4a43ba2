-- A replay may come to events after these have left the database: the webhook says of which span none was sent again.
-- Null: of none. The rows are few, and null in both columns: looking at them would only make everybody wait.
alter table webhooks add column missed_from timestamptz, add column missed_until timestamptz;
alter table webhooks add constraint webhooks_missed_check check ((missed_from is null) = (missed_until is null)) not valid;
