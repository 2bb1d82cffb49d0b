-- How many messages wait to be published.
select count(*) from outbox where published_at is null
