-- What calls brought, in the order in which it was written: who measures reads on from where it stopped.

alter table attempt_outcome add column position bigint generated always as identity;
create unique index attempt_outcome_in_order on attempt_outcome (position);
