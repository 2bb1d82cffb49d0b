-- What every invariant came to at the last look.
select invariant, violations, example, checked_at, broken_since from invariant_check order by invariant
