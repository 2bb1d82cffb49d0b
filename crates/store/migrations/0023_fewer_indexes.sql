-- Each change of a state writes into every index of its table. One index serves the looks of people and the gauges,
-- and the pace of an account is read through `withdrawal_by_account`.
drop index withdrawal_open;
drop index withdrawal_pace;

drop index leg_open;
drop index leg_live;
create index leg_live on leg (rail, state, changed_at) where state not in ('paid', 'settled', 'released', 'canceled');
