-- What goes to the bank goes in files, once per cut-off.

-- A cut-off of a working day, and the one run that it has. Its row is unique, so that a run cannot happen twice.
create table bank_run (
    id              uuid primary key,
    rail            text        not null check (rail = 'bank'),
    bank_day        date        not null,                -- the working day of the cut-off
    cut_off         time        not null,                -- its time of day in Asia/Shanghai
    opened_at       timestamptz not null,
    closed_at       timestamptz,                         -- no leg is claimed into it any more
    waits_because   text,                                -- why it waits for people
    waits_since     timestamptz,
    released_by     text,                                -- who let it go all the same, and why
    release_reason  text        check (release_reason <> ''),
    released_at     timestamptz,
    unique (rail, bank_day, cut_off),
    check (num_nulls(waits_because, waits_since) in (0, 2)),
    check (num_nulls(released_by, release_reason, released_at) in (0, 3))
);

-- The files of a run. The exact bytes are kept, and sent again under the same number when it is not certain that they
-- arrived.
create table bank_file (
    id          uuid primary key,
    run_id      uuid        not null,
    number      integer     not null check (number > 0),
    msg_id      text        not null unique,
    execute_on  date        not null,                    -- ReqdExctnDt
    transfers   integer     not null check (transfers > 0),
    total       bigint      not null check (total > 0),
    message     bytea       not null,                    -- sealed: it holds account numbers
    digest      bytea       not null,                    -- sha256 of the exact bytes
    state       text        not null check (state in ('written', 'unsent', 'answered', 'void')),
    sends       integer     not null default 1,
    written_at  timestamptz not null,
    changed_at  timestamptz not null,
    unique (run_id, number)
);
create index bank_file_open on bank_file (id) where state in ('written', 'unsent');

-- Append-only. Which legs a file pays.
create table bank_transfer (
    file_id  uuid    not null,
    leg_id   uuid    not null,
    place    integer not null,
    primary key (file_id, leg_id),
    unique (file_id, place)
);
create index bank_transfer_by_leg on bank_transfer (leg_id, file_id);
