-- What waits for the relay and for people: how much, and since when.
--
-- No binds, no locks. The moments are null where nothing waits.
select outbox.count as unpublished, outbox.oldest_at as unpublished_since,
       parked.count as parked, parked.oldest_at as parked_since,
       stopped.count as stopped_accounts,
       runs.count as waiting_bank_runs, runs.oldest_at as bank_runs_since,
       differences.count as open_differences
  from (select count(*), min(created_at) as oldest_at from outbox where published_at is null) as outbox,
       (select count(*), min(parked_at) as oldest_at from parked_message where resolved_at is null) as parked,
       (select count(*) from account where stopped_because is not null) as stopped,
       (select count(*), min(waits_since) as oldest_at from bank_run
         where waits_since is not null and released_at is null and closed_at is null) as runs,
       (select count(*) from statement_difference where resolved_at is null) as differences
