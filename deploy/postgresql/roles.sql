-- The roles of Outflow in PostgreSQL: one per worker, each with what its statements touch and nothing else (S05).
--
-- Printed by `outflow roles sql`, and not to be edited. Run it as a superuser, or as the owner of the tables
-- with createrole, in the database of Outflow, after every `outflow migrate`:
--
--     psql --set=ON_ERROR_STOP=1 --file=roles.sql outflow
--
-- Nobody may delete. Evidence can be added to and never changed. A role gets its password afterwards, by
-- `\password outflow_intake`, or none where certificates or peer authentication identify it.
begin;

revoke create on schema public from public;
revoke all on all tables in schema public from public;
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;

do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_facts') then
        create role outflow_facts login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_gaps') then
        create role outflow_gaps login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_intake') then
        create role outflow_intake login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_approval') then
        create role outflow_approval login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_decisions') then
        create role outflow_decisions login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_release') then
        create role outflow_release login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_holds') then
        create role outflow_holds login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_expiry') then
        create role outflow_expiry login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_deadlines') then
        create role outflow_deadlines login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_payout') then
        create role outflow_payout login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_settle') then
        create role outflow_settle login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_reconcile') then
        create role outflow_reconcile login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_verify') then
        create role outflow_verify login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_relay') then
        create role outflow_relay login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_parking') then
        create role outflow_parking login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_api') then
        create role outflow_api login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_operator') then
        create role outflow_operator login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;
do $$ begin
    if not exists (select from pg_roles where rolname = 'outflow_all') then
        create role outflow_all login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end $$;

revoke all on all tables in schema public from outflow_facts, outflow_gaps, outflow_intake, outflow_approval, outflow_decisions, outflow_release, outflow_holds, outflow_expiry, outflow_deadlines, outflow_payout, outflow_settle, outflow_reconcile, outflow_verify, outflow_relay, outflow_parking, outflow_api, outflow_operator, outflow_all;
grant usage on schema public to outflow_facts, outflow_gaps, outflow_intake, outflow_approval, outflow_decisions, outflow_release, outflow_holds, outflow_expiry, outflow_deadlines, outflow_payout, outflow_settle, outflow_reconcile, outflow_verify, outflow_relay, outflow_parking, outflow_api, outflow_operator, outflow_all;

-- facts
grant select, insert, update on account to outflow_facts;
grant select, insert, update on allocation to outflow_facts;
grant select, insert, update on allocation_slice to outflow_facts;
grant insert on bank_account to outflow_facts;
grant select, insert, update on fact to outflow_facts;
grant select, insert, update on invoice to outflow_facts;
grant insert on outbox to outflow_facts;
grant select, insert on parked_message to outflow_facts;
grant select, insert, update on top_up to outflow_facts;
grant insert on transfer to outflow_facts;

-- gaps
grant select, insert, update on account to outflow_gaps;
grant select, insert, update on allocation to outflow_gaps;
grant select, insert, update on allocation_slice to outflow_gaps;
grant insert on bank_account to outflow_gaps;
grant select, insert, update on fact to outflow_gaps;
grant select, insert, update on invoice to outflow_gaps;
grant insert on outbox to outflow_gaps;
grant select, insert on parked_message to outflow_gaps;
grant select, insert, update on top_up to outflow_gaps;
grant insert on transfer to outflow_gaps;

-- intake
grant select, update on account to outflow_intake;
grant select, insert on bank_account to outflow_intake;
grant insert on leg to outflow_intake;
grant insert on outbox to outflow_intake;
grant select, insert on parked_message to outflow_intake;
grant insert on repeat_request to outflow_intake;
grant select, update on top_up to outflow_intake;
grant insert on transfer to outflow_intake;
grant insert on transition to outflow_intake;
grant select, insert on withdrawal to outflow_intake;

-- approval
grant select, update on account to outflow_approval;
grant insert on approval to outflow_approval;
grant select, insert on approval_demand to outflow_approval;
grant select on bank_account to outflow_approval;
grant select on decision to outflow_approval;
grant select, update on leg to outflow_approval;
grant insert on outbox to outflow_approval;
grant select, insert on parked_message to outflow_approval;
grant select on top_up to outflow_approval;
grant insert on transition to outflow_approval;
grant select, update on withdrawal to outflow_approval;

-- decisions
grant select, update on account to outflow_decisions;
grant insert on approval to outflow_decisions;
grant select, insert on approval_demand to outflow_decisions;
grant select, insert on bank_account to outflow_decisions;
grant select, insert on decision to outflow_decisions;
grant select, insert on instruction to outflow_decisions;
grant select, insert, update on leg to outflow_decisions;
grant insert on outbox to outflow_decisions;
grant select, insert on parked_message to outflow_decisions;
grant select, insert on resolution to outflow_decisions;
grant select, update on top_up to outflow_decisions;
grant insert on transfer to outflow_decisions;
grant insert on transition to outflow_decisions;
grant select, update on withdrawal to outflow_decisions;

-- release
grant select on circuit to outflow_release;
grant select, update on leg to outflow_release;
grant insert on outbox to outflow_release;

-- holds
grant select, update on account to outflow_holds;
grant select on bank_account to outflow_holds;
grant select, update on leg to outflow_holds;
grant insert on outbox to outflow_holds;
grant select on top_up to outflow_holds;
grant insert on transition to outflow_holds;
grant select, update on withdrawal to outflow_holds;

-- expiry
grant select, update on account to outflow_expiry;
grant select, update on leg to outflow_expiry;
grant insert on outbox to outflow_expiry;
grant select, update on top_up to outflow_expiry;
grant insert on transfer to outflow_expiry;
grant insert on transition to outflow_expiry;
grant select, update on withdrawal to outflow_expiry;

-- deadlines
grant select, update on account to outflow_deadlines;
grant select, insert on deadline_alert to outflow_deadlines;
grant select, update on leg to outflow_deadlines;
grant insert on outbox to outflow_deadlines;
grant select, insert on reminder to outflow_deadlines;
grant select on top_up to outflow_deadlines;
grant select, insert on transition to outflow_deadlines;
grant select, update on withdrawal to outflow_deadlines;

-- payout
grant select, update on account to outflow_payout;
grant select, insert on attempt to outflow_payout;
grant select, insert on attempt_outcome to outflow_payout;
grant select on bank_account to outflow_payout;
grant select, insert, update on bank_file to outflow_payout;
grant select, insert, update on bank_run to outflow_payout;
grant select, insert on bank_transfer to outflow_payout;
grant select, update on circuit to outflow_payout;
grant select, insert on late_effect to outflow_payout;
grant select, insert, update on leg to outflow_payout;
grant insert on outbox to outflow_payout;
grant select, insert on parked_message to outflow_payout;
grant select on stop to outflow_payout;
grant select, update on top_up to outflow_payout;
grant insert on transfer to outflow_payout;
grant insert on transition to outflow_payout;
grant select, update on withdrawal to outflow_payout;

-- settle
grant select, update on account to outflow_settle;
grant insert on attempt to outflow_settle;
grant select, insert on attempt_outcome to outflow_settle;
grant select on bank_account to outflow_settle;
grant select, insert on late_effect to outflow_settle;
grant select, insert, update on leg to outflow_settle;
grant select, update on notice to outflow_settle;
grant insert on outbox to outflow_settle;
grant select, update on top_up to outflow_settle;
grant insert on transfer to outflow_settle;
grant insert on transition to outflow_settle;
grant select, update on withdrawal to outflow_settle;

-- reconcile
grant select, update on account to outflow_reconcile;
grant select on bank_account to outflow_reconcile;
grant select, insert on late_effect to outflow_reconcile;
grant select, insert, update on leg to outflow_reconcile;
grant select on notice to outflow_reconcile;
grant insert on outbox to outflow_reconcile;
grant select, insert, update on statement_day to outflow_reconcile;
grant select, insert, update on statement_difference to outflow_reconcile;
grant select, update on top_up to outflow_reconcile;
grant insert on transfer to outflow_reconcile;
grant insert on transition to outflow_reconcile;
grant select, update on withdrawal to outflow_reconcile;

-- verify
grant select on account to outflow_verify;
grant select on allocation_slice to outflow_verify;
grant select on approval to outflow_verify;
grant select on approval_demand to outflow_verify;
grant select on attempt to outflow_verify;
grant select on attempt_outcome to outflow_verify;
grant select on audit_entry to outflow_verify;
grant select on bank_file to outflow_verify;
grant select on bank_transfer to outflow_verify;
grant select on deadline_alert to outflow_verify;
grant select on decision to outflow_verify;
grant select, insert, update on invariant_check to outflow_verify;
grant select on leg to outflow_verify;
grant select on outbox to outflow_verify;
grant select on repeat_request to outflow_verify;
grant select, insert on stop to outflow_verify;
grant select on top_up to outflow_verify;
grant select on transfer to outflow_verify;
grant select on transition to outflow_verify;
grant select on withdrawal to outflow_verify;
do $$ begin execute format('grant temporary on database %I to outflow_verify', current_database()); end $$;

-- relay
grant select, update on outbox to outflow_relay;

-- parking
grant select, insert on parked_message to outflow_parking;

-- api
grant select, update on account to outflow_api;
grant select on account_intervention to outflow_api;
grant select on allocation to outflow_api;
grant select on allocation_slice to outflow_api;
grant select, insert on approval to outflow_api;
grant select, insert on approval_demand to outflow_api;
grant select on attempt to outflow_api;
grant select on attempt_outcome to outflow_api;
grant select, insert on audit_entry to outflow_api;
grant select, insert on bank_account to outflow_api;
grant select on bank_file to outflow_api;
grant select on bank_run to outflow_api;
grant select on bank_transfer to outflow_api;
grant select, update on circuit to outflow_api;
grant select, insert, update on console_session to outflow_api;
grant select on deadline_alert to outflow_api;
grant select, insert on decision to outflow_api;
grant select on fact to outflow_api;
grant select, insert on instruction to outflow_api;
grant select on invariant_check to outflow_api;
grant select on invoice to outflow_api;
grant select on late_effect to outflow_api;
grant select, insert, update on leg to outflow_api;
grant select, insert on notice to outflow_api;
grant select on operator to outflow_api;
grant select, insert on outbox to outflow_api;
grant select, update on parked_message to outflow_api;
grant select on reminder to outflow_api;
grant select, insert on repeat_request to outflow_api;
grant select, insert on resolution to outflow_api;
grant select on statement_day to outflow_api;
grant select, update on statement_difference to outflow_api;
grant select, insert, update on stop to outflow_api;
grant select, update on top_up to outflow_api;
grant select, insert on transfer to outflow_api;
grant select, insert on transition to outflow_api;
grant select, insert, update on verification_code to outflow_api;
grant select, insert, update on withdrawal to outflow_api;

-- operator
grant select on _sqlx_migrations to outflow_operator;
grant select, update on account to outflow_operator;
grant select, insert on account_intervention to outflow_operator;
grant select on allocation to outflow_operator;
grant select on allocation_slice to outflow_operator;
grant select, insert on approval to outflow_operator;
grant select, insert on approval_demand to outflow_operator;
grant select on attempt to outflow_operator;
grant select on attempt_outcome to outflow_operator;
grant select, insert on audit_entry to outflow_operator;
grant select, insert on bank_account to outflow_operator;
grant select on bank_file to outflow_operator;
grant select, update on bank_run to outflow_operator;
grant select on bank_transfer to outflow_operator;
grant select, update on circuit to outflow_operator;
grant select, update on console_session to outflow_operator;
grant select on deadline_alert to outflow_operator;
grant select, insert on decision to outflow_operator;
grant select, update on fact to outflow_operator;
grant select, insert on instruction to outflow_operator;
grant select, insert, update on invariant_check to outflow_operator;
grant select on invoice to outflow_operator;
grant select, insert on late_effect to outflow_operator;
grant select, insert, update on leg to outflow_operator;
grant select on notice to outflow_operator;
grant select, insert, update on operator to outflow_operator;
grant select, insert on outbox to outflow_operator;
grant select, update on parked_message to outflow_operator;
grant select on reminder to outflow_operator;
grant select, insert on repeat_request to outflow_operator;
grant select, insert on resolution to outflow_operator;
grant select, insert, update on statement_day to outflow_operator;
grant select, insert, update on statement_difference to outflow_operator;
grant select, insert, update on stop to outflow_operator;
grant select, update on top_up to outflow_operator;
grant select, insert on transfer to outflow_operator;
grant select, insert on transition to outflow_operator;
grant select, insert, update on verification_code to outflow_operator;
grant select, insert, update on withdrawal to outflow_operator;
do $$ begin execute format('grant temporary on database %I to outflow_operator', current_database()); end $$;

-- What `outflow run all` needs: every worker in one process, and not the API.
grant outflow_facts, outflow_gaps, outflow_intake, outflow_approval, outflow_decisions, outflow_release, outflow_holds, outflow_expiry, outflow_deadlines, outflow_payout, outflow_settle, outflow_reconcile, outflow_verify, outflow_relay, outflow_parking to outflow_all;

commit;
