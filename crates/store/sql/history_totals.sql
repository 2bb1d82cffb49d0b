-- How much there is of everything: for the last lines of a report.
select (select count(*) from withdrawal)                                     as withdrawals,
       (select coalesce(sum(paid_out), 0)::bigint from top_up)               as paid_out,
       (select count(*) from parked_message where resolved_at is null)       as parked,
       (select count(*) from repeat_request)                                 as repeats,
       (select count(*) from outbox where published_at is null)              as unpublished
