-- A stop keeps its whole story: who threw it and why, who lifted it and why. Nothing is deleted.

alter table stop drop constraint stop_pkey;
alter table stop
    add column id          uuid primary key default gen_random_uuid(),
    add column lifted_by   text,
    add column lifted_at   timestamptz,
    add column lift_reason text,
    add constraint stop_lifted_whole check (num_nulls(lifted_by, lifted_at, lift_reason) in (0, 3));
create unique index stop_in_force on stop (name) where lifted_at is null;
