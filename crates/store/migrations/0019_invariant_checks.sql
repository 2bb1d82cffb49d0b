-- What the verify duty found at its last look, per invariant.
create table invariant_check (
    invariant     text primary key,
    violations    integer     not null check (violations >= 0),
    example       text,                                 -- the first of them
    checked_at    timestamptz not null,
    broken_since  timestamptz,
    check ((violations = 0) = (broken_since is null)),
    check ((violations = 0) = (example is null))
);
