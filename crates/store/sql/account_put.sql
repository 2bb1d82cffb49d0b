-- Writes the particulars of accounts, new and known. The currency of a known account stays.
--
-- $1 ids, $2 currencies, $3 kinds, $4 names, $5 verified, $6 advance payment, $7 masters or null, $8 entities,
-- $9 refunds forbidden; $10 the moment.
insert into account (id, currency, kind, real_name, real_name_verified, advance_payment, master_account_id,
                     contract_entity, refunds_forbidden, changed_at)
select id, currency, kind, real_name, real_name_verified, advance_payment, master_account_id,
       contract_entity, refunds_forbidden, $10
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::boolean[], $7::text[], $8::text[], $9::boolean[])
       as it (id, currency, kind, real_name, real_name_verified, advance_payment, master_account_id,
              contract_entity, refunds_forbidden)
    on conflict (id) do update
   set kind               = excluded.kind,
       real_name          = excluded.real_name,
       real_name_verified = excluded.real_name_verified,
       advance_payment    = excluded.advance_payment,
       master_account_id  = excluded.master_account_id,
       contract_entity    = excluded.contract_entity,
       refunds_forbidden  = excluded.refunds_forbidden,
       changed_at         = excluded.changed_at
