-- What waits for the relay and for people: how much, and since when.
--
-- No binds, no locks. The moments are null where nothing waits.
select outbox.count as unpublished, outbox.oldest_at as unpublished_since,
       parked.count as parked, parked.oldest_at as parked_since,
       stopped.count as stopped_accounts
  from (select count(*), min(created_at) as oldest_at from outbox where published_at is null) as outbox,
       (select count(*), min(parked_at) as oldest_at from parked_message where resolved_at is null) as parked,
       (select count(*) from account where stopped_because is not null) as stopped
