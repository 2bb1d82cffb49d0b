-- The accounts whose totals are not the sums of their top-ups. One snapshot, no locks; reads every top-up.
select account.id, account.remaining, account.held,
       coalesce(sum(top_up.remaining), 0)::bigint as sum_remaining,
       coalesce(sum(top_up.held), 0)::bigint      as sum_held
  from account
  left join top_up on top_up.account_id = account.id
 group by account.id
having account.remaining <> coalesce(sum(top_up.remaining), 0)
    or account.held <> coalesce(sum(top_up.held), 0)
 order by account.id
