-- Takes a token back, and ends every session that was opened with it. No row: nobody of that name is in force.
--
-- $1 name, $2 who does it, $3 the moment.
with gone as (
    update operator
       set revoked_by = $2, revoked_at = $3
     where name = $1
       and revoked_at is null
 returning id
),
ended as (
    update console_session
       set ended_at = $3
      from gone
     where console_session.operator_id = gone.id
       and ended_at is null
)
select id from gone
