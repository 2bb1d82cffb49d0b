-- Every switch that is thrown.
select name, reason, thrown_by, thrown_at from stop where lifted_at is null order by name
