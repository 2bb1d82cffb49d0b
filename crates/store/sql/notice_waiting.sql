-- Notices that settle has not looked at, oldest first. One about a leg whose payment call is under way
-- waits for the call.
--
-- $1 how many at most.
select notice.id, notice.leg_id, notice.notice_id, notice.claim
  from notice
  join leg on leg.id = notice.leg_id
 where notice.applied_at is null
   and notice.leg_id is not null
   and leg.state <> 'dispatching'
 order by notice.received_at, notice.id
 limit $1
