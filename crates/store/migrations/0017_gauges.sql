-- What is under way, for those who watch: few rows among many that have ended.

create index withdrawal_live on withdrawal (state, changed_at)
 where state not in ('rejected', 'denied', 'expired', 'canceled', 'completed', 'partially_completed', 'failed');
create index leg_live on leg (rail, state, changed_at)
 where state not in ('paid', 'settled', 'rerouting', 'released', 'canceled');
