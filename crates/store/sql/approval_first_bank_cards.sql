-- Withdrawals to a bank card that their account was never paid out to.
--
-- $1 withdrawals.
select mine.id
  from withdrawal as mine
  join bank_account as card on card.id = mine.bank_account_id
 where mine.id = any($1)
   and not exists (select 1
                     from bank_account as known
                     join leg on leg.bank_account_id = known.id
                    where known.number_digest = card.number_digest
                      and leg.account_id = mine.account_id
                      and leg.state in ('paid', 'settled'))
