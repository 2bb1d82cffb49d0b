-- What the books count for ever.
--
-- No binds, no locks.
select (select count(*) from repeat_request where verdict = 'same')          as repeated,
       (select count(*) from repeat_request where verdict <> 'same')         as conflicting,
       (select count(*) from parked_message where queue = 'outflow.requests') as malformed,
       (select count(*) from deadline_alert where kind = 'breach')           as missed
