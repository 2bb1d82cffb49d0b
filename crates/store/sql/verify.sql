-- Every invariant of the books as one query: a row is a violation, no row is a clean house.
--
-- $1 the moment, $2 distinct approvers above the automatic amount, where no rule said how many.
-- Evidence from outside stands in two temporary tables that the caller fills, or leaves empty:
--   evidence_movement (payout_no, amount, kind)  the gateways' own books: 'payout' or 'return'
--   evidence_given    (what)                     'movements' when that table is filled
-- Columns: invariant, subject, detail.

with live_leg as (
    select leg.*
      from leg
     where not exists (select 1 from leg as successor where successor.predecessor_id = leg.id)
),
legs_of as (
    select withdrawal_id,
           sum(amount)                                                              as amount,
           bool_and(state = 'scheduled')                                            as none_left,
           bool_or(state in ('manual_review', 'rerouting', 'returned', 'planned'))  as needs_people,
           bool_and(state = 'canceled')                                             as all_canceled,
           bool_or(state = 'held')                                                  as any_held,
           bool_and(state in ('paid', 'settled'))                                   as all_paid,
           bool_and(state in ('released', 'canceled'))                              as all_released,
           bool_and(state in ('paid', 'settled', 'released', 'canceled'))           as all_final
      from live_leg
     group by withdrawal_id
),
journal as (
    select top_up_id,
           coalesce(sum(amount) filter (where from_bucket = 'outside'), 0)          as credited,
           coalesce(sum(amount) filter (where to_bucket = 'remaining'), 0)
             - coalesce(sum(amount) filter (where from_bucket = 'remaining'), 0)    as remaining,
           coalesce(sum(amount) filter (where to_bucket = 'allocated'), 0)
             - coalesce(sum(amount) filter (where from_bucket = 'allocated'), 0)    as allocated,
           coalesce(sum(amount) filter (where to_bucket = 'consumed'), 0)
             - coalesce(sum(amount) filter (where from_bucket = 'consumed'), 0)     as consumed,
           coalesce(sum(amount) filter (where to_bucket = 'held'), 0)
             - coalesce(sum(amount) filter (where from_bucket = 'held'), 0)         as held,
           coalesce(sum(amount) filter (where to_bucket = 'paid_out'), 0)
             - coalesce(sum(amount) filter (where from_bucket = 'paid_out'), 0)     as paid_out
      from transfer
     group by top_up_id
),
legs_behind as (
    select top_up_id,
           coalesce(sum(amount) filter (where state not in ('paid', 'settled', 'released', 'canceled')), 0) as held,
           coalesce(sum(amount) filter (where state in ('paid', 'settled')), 0)                             as paid_out
      from live_leg
     group by top_up_id
),
members as (
    select top_up_id, sum(amount) as allocated from allocation_slice group by top_up_id
),
legal (machine, from_state, to_state) as (
    values ('withdrawal', 'new', 'received'), ('withdrawal', 'new', 'rejected'), ('withdrawal', 'new', 'awaiting_details'),
           ('withdrawal', 'new', 'pending_approval'), ('withdrawal', 'received', 'rejected'),
           ('withdrawal', 'received', 'awaiting_details'), ('withdrawal', 'received', 'pending_approval'),
           ('withdrawal', 'awaiting_details', 'pending_approval'), ('withdrawal', 'awaiting_details', 'expired'),
           ('withdrawal', 'awaiting_details', 'canceled'), ('withdrawal', 'pending_approval', 'approved'),
           ('withdrawal', 'pending_approval', 'denied'), ('withdrawal', 'pending_approval', 'expired'),
           ('withdrawal', 'pending_approval', 'canceled'), ('withdrawal', 'pending_approval', 'on_hold'),
           ('withdrawal', 'approved', 'canceled'), ('withdrawal', 'approved', 'on_hold'),
           ('withdrawal', 'on_hold', 'canceled'), ('withdrawal', 'on_hold', 'pending_approval'),
           ('withdrawal', 'on_hold', 'approved'), ('withdrawal', 'pending_approval', 'pending_approval'),
           ('withdrawal', 'approved', 'pending_approval'),
           ('withdrawal', 'approved', 'approved'), ('withdrawal', 'processing', 'processing'),
           ('withdrawal', 'on_hold', 'on_hold'), ('withdrawal', 'action_required', 'action_required'),
           ('withdrawal', 'action_required', 'approved'),
           ('leg', 'planned', 'released'), ('leg', 'rerouting', 'released'), ('leg', 'rerouting', 'canceled'),
           ('leg', 'rerouting', 'paid'),
           ('leg', 'new', 'planned'), ('leg', 'planned', 'scheduled'), ('leg', 'planned', 'canceled'),
           ('leg', 'scheduled', 'planned'), ('leg', 'held', 'planned'), ('leg', 'scheduled', 'dispatching'),
           ('leg', 'scheduled', 'rerouting'), ('leg', 'scheduled', 'held'), ('leg', 'scheduled', 'failed'),
           ('leg', 'scheduled', 'canceled'), ('leg', 'dispatching', 'submitted'), ('leg', 'dispatching', 'paid'),
           ('leg', 'dispatching', 'failed'), ('leg', 'dispatching', 'unknown'), ('leg', 'submitted', 'paid'),
           ('leg', 'submitted', 'failed'), ('leg', 'submitted', 'manual_review'), ('leg', 'unknown', 'submitted'),
           ('leg', 'unknown', 'paid'), ('leg', 'unknown', 'failed'), ('leg', 'unknown', 'scheduled'),
           ('leg', 'unknown', 'manual_review'), ('leg', 'failed', 'scheduled'), ('leg', 'failed', 'rerouting'),
           ('leg', 'failed', 'released'), ('leg', 'paid', 'settled'), ('leg', 'paid', 'returned'),
           ('leg', 'settled', 'returned'), ('leg', 'returned', 'rerouting'), ('leg', 'returned', 'released'),
           ('leg', 'held', 'scheduled'), ('leg', 'held', 'canceled'), ('leg', 'manual_review', 'paid'),
           ('leg', 'manual_review', 'failed')
),
chain as (
    select transition.*,
           row_number() over history                as place,
           lag(to_state) over history               as came_from,
           lead(to_state) over history is null      as is_last
      from transition
    window history as (partition by withdrawal_id, leg_id order by sequence)
),
moved as (
    select payout_no,
           count(*) filter (where kind = 'payout')                                   as payouts,
           count(*) filter (where kind = 'return')                                   as returns,
           max(amount) filter (where kind = 'payout')                                as amount
      from evidence_movement
     group by payout_no
),
books as (
    select (select coalesce(sum(amount), 0) from evidence_movement where kind = 'payout')
             - (select coalesce(sum(amount), 0) from evidence_movement where kind = 'return')   as gateways,
           (select coalesce(sum(paid_out), 0) from top_up)                                      as top_ups,
           (select coalesce(sum(paid_out), 0) from journal)                                     as journal
)

select 'I01' as invariant, 'top-up ' || id as subject, 'a bucket is below nothing, or they do not add up to the original' as detail
  from top_up
 where least(remaining, allocated, consumed, held, paid_out) < 0
    or original <> remaining + allocated + consumed + held + paid_out
union all
select 'I02', 'top-up ' || top_up.id, 'its buckets are not what the journal says'
  from top_up
  left join journal on journal.top_up_id = top_up.id
 where (top_up.remaining, top_up.allocated, top_up.consumed, top_up.held, top_up.paid_out)
       is distinct from (journal.remaining, journal.allocated, journal.consumed, journal.held, journal.paid_out)
union all
select 'I02', 'top-up ' || top_up.id, 'held or paid out is not what its legs say'
  from top_up
  left join legs_behind on legs_behind.top_up_id = top_up.id
 where (top_up.held, top_up.paid_out) is distinct from (coalesce(legs_behind.held, 0), coalesce(legs_behind.paid_out, 0))
union all
select 'I02', 'top-up ' || top_up.id, 'allocated is not what the allocations say'
  from top_up
  left join members on members.top_up_id = top_up.id
 where top_up.allocated <> coalesce(members.allocated, 0)
union all
select 'I02', 'account ' || account.id, 'its totals are not the sums of its top-ups'
  from account
  left join (select account_id, sum(remaining) as remaining, sum(held) as held from top_up group by account_id) as sums
    on sums.account_id = account.id
 where (account.remaining, account.held) is distinct from (coalesce(sums.remaining, 0), coalesce(sums.held, 0))
union all
select 'I02', 'account ' || account.id, 'its count of open withdrawals is wrong'
  from account
  left join (select account_id, count(*) as open
               from withdrawal
              where state not in ('rejected', 'denied', 'expired', 'canceled', 'completed', 'partially_completed', 'failed')
              group by account_id) as counted
    on counted.account_id = account.id
 where account.open_withdrawals <> coalesce(counted.open, 0)
union all
select 'I03', 'withdrawal ' || withdrawal.id, 'its legs do not add up to its amount'
  from withdrawal
  left join legs_of on legs_of.withdrawal_id = withdrawal.id
 where withdrawal.state <> 'rejected'
   and withdrawal.amount is distinct from legs_of.amount
union all
select 'I03', 'withdrawal ' || withdrawal.id, 'it was rejected and has legs'
  from withdrawal
  join legs_of on legs_of.withdrawal_id = withdrawal.id
 where withdrawal.state = 'rejected'
union all
select 'I04', 'withdrawal ' || withdrawal.id, 'its state ' || withdrawal.state || ' is not the one of its legs'
  from withdrawal
  join legs_of on legs_of.withdrawal_id = withdrawal.id
 where withdrawal.approved_at is not null
   and withdrawal.state <> case when all_canceled then 'canceled'
                                when none_left    then 'approved'
                                when needs_people then 'action_required'
                                when any_held     then 'on_hold'
                                when all_paid     then 'completed'
                                when all_released then 'failed'
                                when all_final    then 'partially_completed'
                                else 'processing' end
union all
select 'I05', 'payout number ' || moved.payout_no, 'the gateway moved money for no leg, another amount, or a leg that is not paid'
  from moved
  left join leg on leg.payout_no = moved.payout_no
 where payouts > 0
   and (leg.id is null or leg.amount <> moved.amount
        or (leg.state not in ('paid', 'settled', 'returned') and leg.paid_at is null))
union all
select 'I06', 'payout number ' || payout_no, 'it moved money ' || payouts || ' times'
  from moved
 where payouts > 1
union all
select 'I07', 'leg ' || leg.id, 'it is ' || leg.state || ' and the gateway knows no movement'
  from leg
  left join moved on moved.payout_no = leg.payout_no
 where leg.state in ('paid', 'settled')
   and exists (select 1 from evidence_given where what = 'movements')
   and coalesce(moved.payouts - moved.returns, 0) <= 0
union all
select 'I08', 'the books', 'paid out by the top-ups is ' || top_ups || ', by the journal ' || journal
  from books
 where top_ups <> journal
union all
select 'I08', 'the books', 'paid out by the top-ups is ' || top_ups || ', by the gateways ' || gateways
  from books
 where top_ups <> gateways
   and exists (select 1 from evidence_given where what = 'movements')
union all
select 'I09', 'top-up ' || top_up.id, 'the journal did not credit its original amount'
  from top_up
  left join journal on journal.top_up_id = top_up.id
 where top_up.original is distinct from journal.credited
union all
select 'I10', source || ' ' || request_id, 'one request has more than one withdrawal'
  from withdrawal
 group by source, request_id
having count(*) > 1
union all
select 'I11', 'withdrawal ' || withdrawal.id, 'a repeat is judged against its content'
  from repeat_request
  join withdrawal on withdrawal.id = repeat_request.withdrawal_id
 where (repeat_request.verdict = 'same') <> (repeat_request.digest = withdrawal.digest)
union all
select 'I12', 'leg ' || id, 'it is ' || state || ' and nobody will look at it again'
  from leg
 where (state in ('dispatching', 'submitted', 'unknown') and check_at is null)
    or (state = 'scheduled' and dispatch_at is null)
union all
select 'I13', coalesce('leg ' || leg_id, 'withdrawal ' || withdrawal_id), 'transition ' || sequence || ' is out of sequence'
  from chain
 where sequence <> place
    or from_state <> coalesce(came_from, 'new')
union all
select 'I13', coalesce('leg ' || leg_id, 'withdrawal ' || withdrawal_id), 'from ' || from_state || ' to ' || to_state || ' is no legal move'
  from chain
 where event <> 'legs'
   and not exists (select 1
                     from legal
                    where legal.machine = case when chain.leg_id is null then 'withdrawal' else 'leg' end
                      and legal.from_state = chain.from_state
                      and legal.to_state = chain.to_state)
union all
select 'I13', 'withdrawal ' || withdrawal.id, 'its state is not where its last transition led'
  from withdrawal
  left join chain on chain.withdrawal_id = withdrawal.id and chain.leg_id is null and chain.is_last
 where (withdrawal.state, withdrawal.sequence) is distinct from (chain.to_state, chain.sequence)
union all
select 'I13', 'leg ' || leg.id, 'its state is not where its last transition led'
  from leg
  left join chain on chain.leg_id = leg.id and chain.is_last
 where (leg.state, leg.sequence) is distinct from (chain.to_state, chain.sequence)
union all
select 'I14', 'withdrawal ' || traced.withdrawal_id, 'it has ' || traced.moves || ' transitions and ' || coalesce(told.events, 0) || ' events'
  from (select withdrawal_id, count(*) filter (where to_state <> 'received') as moves
          from transition
         where leg_id is null
         group by withdrawal_id) as traced
  left join (select key, count(*) as events
               from outbox
              where exchange = 'outflow.events' and routing_key like 'withdrawal.%'
              group by key) as told
    on told.key = traced.withdrawal_id::text
 where traced.moves <> coalesce(told.events, 0)
union all
select 'I14', 'outbox ' || id, 'it waits to be published for more than a minute'
  from outbox
 where published_at is null
   and created_at < $1::timestamptz - interval '1 minute'
union all
select 'I15', 'withdrawal ' || told.key, 'its event ' || (told.body ->> 'id') || ' is out of order, or tells of no transition'
  from (select key,
               convert_from(body, 'UTF8')::jsonb                                     as body,
               row_number() over (partition by key order by id)                      as place
          from outbox
         where exchange = 'outflow.events' and routing_key like 'withdrawal.%') as told
  left join (select withdrawal_id, to_state, sequence,
                    row_number() over (partition by withdrawal_id order by sequence)  as place
               from transition
              where leg_id is null and to_state <> 'received') as traced
    on traced.withdrawal_id::text = told.key and traced.place = told.place
 where (told.body ->> 'id', told.body ->> 'type')
       is distinct from (told.key || ':' || traced.sequence, 'outflow.withdrawal.' || traced.to_state || '.v1')
union all
select 'I16', 'withdrawal ' || withdrawal.id, 'it was approved without its quorum'
  from withdrawal
  join transition on transition.withdrawal_id = withdrawal.id and leg_id is null and transition.event = 'approve'
  cross join lateral (select coalesce((select approval.effect_digest
                                        from approval
                                       where approval.withdrawal_id = withdrawal.id
                                       order by approval.id desc
                                       limit 1), withdrawal.effect_digest) as effect_digest) as approved
  left join approval_demand on approval_demand.withdrawal_id = withdrawal.id
                           and approval_demand.effect_digest = approved.effect_digest
 where withdrawal.approved_at is not null
   and not exists (select 1
                     from transition as later
                    where later.withdrawal_id = withdrawal.id
                      and later.leg_id is null
                      and later.event = 'approve'
                      and later.sequence > transition.sequence)
   -- What was approved before there were demands was approved by the amount alone.
   and coalesce(approval_demand.people, case when transition.actor = 'approval' then 0 else $2::bigint end)
       > (select count(distinct actor)
            from decision
           where decision.withdrawal_id = withdrawal.id
             and verdict = 'approve'
             and result = 'applied'
             and decision.effect_digest is not distinct from approved.effect_digest
             and actor <> withdrawal.requester)
union all
select 'I16', 'leg ' || leg.id, 'it goes to another destination than the one before, and nobody approved that'
  from leg
 where leg.predecessor_id is not null
   and leg.attempts > 0
   and not exists (select 1
                     from transition as approve
                     join transition as born on born.leg_id = leg.id and born.from_state = 'new'
                    where approve.withdrawal_id = leg.withdrawal_id
                      and approve.leg_id is null
                      and approve.event = 'approve'
                      and approve.id > born.id)
union all
select 'I16', 'withdrawal ' || withdrawal.id, 'its requester approved it'
  from withdrawal
  join decision on decision.withdrawal_id = withdrawal.id
 where verdict = 'approve' and result = 'applied' and decision.actor = withdrawal.requester
union all
select 'I17', 'leg ' || leg.id, 'it has ' || leg.attempts || ' sends and ' || count(attempt.id) || ' attempt rows'
  from leg
  left join attempt on attempt.leg_id = leg.id and attempt.kind = 'pay' and attempt.payout_no = leg.payout_no
 group by leg.id
having leg.attempts <> count(attempt.id)
union all
select 'I17', 'leg ' || leg.id, 'it takes the place of a leg that is not rerouting, or of another slice, or not as its next generation'
  from leg
  left join leg as before on before.id = leg.predecessor_id
 where leg.predecessor_id is not null
   and (before.state, before.withdrawal_id, before.top_up_id, before.position, before.amount, before.generation + 1)
       is distinct from ('rerouting', leg.withdrawal_id, leg.top_up_id, leg.position, leg.amount, leg.generation)
union all
select 'I17', 'leg ' || predecessor_id, count(*) || ' legs take its place'
  from leg
 where predecessor_id is not null
 group by predecessor_id
having count(*) > 1
union all
select 'I17', 'leg ' || leg.id, 'it was rerouted although it may have been paid: a call of it has no definite end'
  from leg
 where leg.state = 'rerouting'
   and leg.paid_at is null
   and exists (select 1
                 from attempt
                 left join attempt_outcome on attempt_id = attempt.id
                where attempt.leg_id = leg.id
                  and attempt.kind = 'pay'
                  and coalesce(outcome, 'none') not in ('failed', 'reroute', 'retry_later', 'configuration'))
   and not exists (select 1
                     from attempt
                     join attempt_outcome on attempt_id = attempt.id
                    where attempt.leg_id = leg.id
                      and attempt.kind = 'query'
                      and outcome in ('failed', 'reroute'))
union all
select 'I17', 'payout number ' || moved.payout_no, 'money moved without an attempt row'
  from moved
 where not exists (select 1 from attempt where attempt.payout_no = moved.payout_no and attempt.kind = 'pay')
union all
select 'I17', 'bank file ' || file.msg_id, 'its legs are not those that it was made for'
  from bank_file as file
  left join bank_transfer on bank_transfer.file_id = file.id
  left join leg on leg.id = bank_transfer.leg_id
 group by file.id
having (file.transfers, file.total) is distinct from (count(leg.id), coalesce(sum(leg.amount), 0))
union all
select 'I17', 'leg ' || bank_transfer.leg_id, 'it stands in ' || count(*) || ' bank files that may still be sent'
  from bank_transfer
  join bank_file as file on file.id = bank_transfer.file_id
 where file.state in ('written', 'unsent')
 group by bank_transfer.leg_id
having count(*) > 1
union all
select 'I18', 'audit entry ' || entry.sequence, 'the chain is broken here'
  from audit_entry as entry
  left join audit_entry as before on before.sequence = entry.sequence - 1
 where entry.digest <> audit_digest(entry)
    or entry.previous <> coalesce(before.digest, '')
    or (entry.sequence > 1 and before.sequence is null)
union all
select 'I21', 'leg ' || leg.id, 'it was sent before its dispatch time'
  from leg
  join attempt on attempt.leg_id = leg.id and attempt.kind = 'pay' and attempt.number = leg.attempts
 where leg.state in ('dispatching', 'submitted', 'unknown', 'paid', 'settled')
   and attempt.started_at < leg.dispatch_at
union all
select 'I21', 'leg ' || leg.id, 'its deadline is over for more than five minutes, and nobody was told'
  from live_leg as leg
 where leg.deadline_at < $1::timestamptz - interval '5 minutes'
   and leg.state not in ('paid', 'settled', 'released', 'canceled')
   and leg.paid_at is null
   and not exists (select 1 from deadline_alert where deadline_alert.leg_id = leg.id and kind = 'breach')
 order by invariant, subject
