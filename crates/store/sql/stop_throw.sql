-- Throws a switch. No row: it is thrown already, by somebody else and for a reason of their own.
--
-- $1 id, $2 the name, $3 why, $4 who, $5 the moment.
insert into stop (id, name, reason, thrown_by, thrown_at)
values ($1, $2, $3, $4, $5)
    on conflict (name) where lifted_at is null do nothing
