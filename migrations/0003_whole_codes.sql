-- A code that was cut short on its way in would be dealt to somebody, so the table refuses what is none. Only new rows are
-- looked at (not valid): looking at those that are there would keep everyone from writing for as long as it takes.
alter table deck_codes add constraint deck_codes_code_check check (octet_length(code) between 4 and 64) not valid;
