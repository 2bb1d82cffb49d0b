-- Writes a new code; an older one for the same request ends with it.
--
-- $1 the id, $2 the account, $3 the amount, $4 the currency, $5 the route, $6 the request, $7 the code's digest, $8 the
-- moment, $9 when it ends. The caller holds the account's lock.
with ended as (
    update verification_code
       set expires_at = $8
     where account_id = $2
       and request_id = $6
       and confirmed_at is null
       and expires_at > $8
)
insert into verification_code (id, account_id, amount, currency, route, request_id, code_digest, issued_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
