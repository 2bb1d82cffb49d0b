-- What gateways tell us by themselves, once their signature held. The id of a notice is unique in its
-- channel for ever, so that a repeat or a replay changes nothing.
create table notice (
    id           uuid primary key,
    rail         text        not null check (rail in ('alipay', 'wechat', 'unionpay', 'bank')),
    notice_id    text        not null,                   -- the channel's own number of it
    payout_no    text        not null,
    leg_id       uuid,                                   -- null: not about a leg of ours, or not in its amount
    amount       bigint      not null,
    claim        text        not null check (claim in ('paid', 'refused', 'returned', 'unclear')),
    verdict      text        not null check (verdict in ('accepted', 'not_ours', 'differs')),
    happened_at  timestamptz,                            -- where the channel says so
    received_at  timestamptz not null,
    effect       text,                                   -- what settle made of it
    applied_at   timestamptz,                            -- null: settle has not looked at it
    unique (rail, notice_id),
    check ((verdict = 'accepted') = (leg_id is not null)),
    check ((effect is null) = (applied_at is null))
);
create index notice_waiting on notice (received_at) where applied_at is null and leg_id is not null;
create index notice_by_leg on notice (leg_id) where leg_id is not null;

-- A payment that its channel may have taken back is asked about like one that is under way.
drop index leg_to_check;
create index leg_to_check on leg (check_at)
 where state in ('dispatching', 'submitted', 'unknown', 'paid', 'settled') and check_at is not null;
