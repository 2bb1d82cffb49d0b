//! Every invariant catches the corruption that it is there for.

use chrono::{DateTime, Utc};
use devstack::{Options, Servers, Stack};
use serde_json::json;
use store::Database;
use store::audit::{self, Deed};
use store::verify::{GatewayMovement, verify};

/// One paid withdrawal of 60.00 from a top-up of 100.00, and one that was rejected.
const CLEAN_HOUSE: &str = "
    insert into account (id, currency, kind, real_name, real_name_verified, advance_payment, contract_entity,
                         refunds_forbidden, remaining, held, changed_at)
    values ('a', 'CNY', 'person', 'Li Lei', true, false, 'default', false, 4000, 0, now());
    insert into top_up (id, account_id, upstream_id, sequence, channel, contract_entity, arrived_at, channel_paid_at, bonus,
                        original, remaining, paid_out, open)
    values ('00000000-0000-0000-0000-00000000000a', 'a', 't', 1, 'alipay', 'default', now(), now(), false, 10000, 4000, 6000, true);
    insert into transfer (account_id, top_up_id, from_bucket, to_bucket, amount, cause, cause_id, at)
    values ('a', '00000000-0000-0000-0000-00000000000a', 'outside', 'remaining', 10000, 'credited', 'f', now()),
           ('a', '00000000-0000-0000-0000-00000000000a', 'remaining', 'held', 6000, 'hold', 'l', now()),
           ('a', '00000000-0000-0000-0000-00000000000a', 'held', 'paid_out', 6000, 'payout', 'l', now());
    insert into withdrawal (id, source, request_id, account_id, digest, request, amount, currency, route, requester, state, sequence,
                            requested_at, received_at, approved_at, changed_at)
    values ('00000000-0000-0000-0000-0000000000b1', 's', '1', 'a', '', '{}', 6000, 'CNY', 'source', 'me', 'completed', 4,
            now(), now(), now(), now()),
           ('00000000-0000-0000-0000-0000000000b2', 's', '2', 'a', '', '{}', 9000, 'CNY', 'source', 'me', 'rejected', 1,
            now(), now(), null, now());
    insert into leg (id, withdrawal_id, account_id, top_up_id, position, rail, amount, payout_no, minted_at, state, sequence,
                     top_up_upstream_id, attempts, dispatch_at, changed_at)
    values ('00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000b1', 'a',
            '00000000-0000-0000-0000-00000000000a', 0, 'alipay', 6000, 'P1', now(), 'paid', 4, 't', 1, now(), now());
    insert into attempt (id, leg_id, payout_no, number, kind, started_at)
    values ('00000000-0000-0000-0000-0000000000d1', '00000000-0000-0000-0000-0000000000c1', 'P1', 1, 'pay', now());
    insert into bank_file (id, run_id, number, msg_id, execute_on, transfers, total, message, digest, state, written_at, changed_at)
    values ('00000000-0000-0000-0000-0000000000f1', '00000000-0000-0000-0000-0000000000f0', 1, 'M1', now(), 1, 6000, '', '', 'written',
            now(), now());
    insert into bank_transfer (file_id, leg_id, place)
    values ('00000000-0000-0000-0000-0000000000f1', '00000000-0000-0000-0000-0000000000c1', 1);
    insert into decision (id, source, event_id, withdrawal_id, verdict, actor, reason, result, decided_at)
    values ('00000000-0000-0000-0000-0000000000e1', 's', 'd', '00000000-0000-0000-0000-0000000000b1', 'approve', 'boss', '', 'applied', now());
    insert into transition (withdrawal_id, leg_id, sequence, from_state, to_state, event, actor, at)
    select w, l, sequence, from_state, to_state, event, actor, now()
      from (values ('b1', null, 1, 'new', 'pending_approval', 'accept', 'intake'),
                   ('b1', null, 2, 'pending_approval', 'approved', 'approve', 'boss'),
                   ('b1', null, 3, 'approved', 'processing', 'legs', 'payout'),
                   ('b1', null, 4, 'processing', 'completed', 'legs', 'payout'),
                   ('b2', null, 1, 'new', 'rejected', 'reject', 'intake'),
                   ('b1', 'c1', 1, 'new', 'planned', 'plan', 'intake'),
                   ('b1', 'c1', 2, 'planned', 'scheduled', 'schedule', 'boss'),
                   ('b1', 'c1', 3, 'scheduled', 'dispatching', 'dispatch', 'payout'),
                   ('b1', 'c1', 4, 'dispatching', 'paid', 'succeed', 'payout'))
           as it (short_w, short_l, sequence, from_state, to_state, event, actor)
     cross join lateral (select ('00000000-0000-0000-0000-0000000000' || short_w)::uuid as w,
                                ('00000000-0000-0000-0000-0000000000' || short_l)::uuid as l) as ids;
    insert into outbox (shard, key, exchange, routing_key, content_type, body, created_at, published_at)
    select 0, withdrawal_id::text, 'outflow.events', 'withdrawal.' || to_state, '',
           convert_to(json_build_object('id', withdrawal_id || ':' || sequence,
                                        'type', 'outflow.withdrawal.' || to_state || '.v1')::text, 'UTF8'), now(), now()
      from transition where leg_id is null order by id;
";

/// What is broken, and which invariant must say so.
const CORRUPTIONS: &[(&str, &str)] = &[
    ("I01", "update top_up set remaining = remaining + 1"),
    ("I01", "update top_up set consumed = -1, remaining = remaining + 1"),
    ("I02", "update top_up set consumed = 100, remaining = remaining - 100"),
    ("I02", "delete from transfer where to_bucket = 'paid_out'"),
    ("I02", "update account set remaining = remaining + 1"),
    ("I02", "update account set open_withdrawals = 1"),
    ("I02", "update leg set state = 'released'"),
    ("I03", "update withdrawal set amount = 5999 where state = 'completed'"),
    ("I03", "update leg set withdrawal_id = '00000000-0000-0000-0000-0000000000b2'"),
    ("I04", "update withdrawal set state = 'processing' where state = 'completed'"),
    ("I05", "update leg set payout_no = 'P9'"),
    ("I05", "update leg set amount = 5999"),
    ("I07", "update leg set payout_no = 'P9'"),
    ("I08", "update top_up set paid_out = 5000, remaining = 5000"),
    ("I09", "update transfer set amount = 9999 where from_bucket = 'outside'"),
    ("I10", "update withdrawal set request_id = '1'"),
    (
        "I11",
        "insert into repeat_request (id, withdrawal_id, verdict, digest, received_at)
         select id, id, 'conflict', digest, now() from withdrawal",
    ),
    ("I12", "update leg set state = 'unknown', check_at = null"),
    ("I13", "delete from transition where sequence = 2"),
    ("I13", "update transition set to_state = 'planned' where to_state = 'dispatching'"),
    ("I13", "update leg set sequence = 9"),
    ("I13", "update withdrawal set sequence = 9"),
    ("I14", "delete from outbox where routing_key = 'withdrawal.completed'"),
    ("I14", "update outbox set published_at = null, created_at = now() - interval '1 hour'"),
    ("I15", "update outbox set body = convert_to(replace(convert_from(body, 'UTF8'), ':2', ':3'), 'UTF8')"),
    ("I15", "update outbox set id = default where routing_key = 'withdrawal.pending_approval'"),
    ("I16", "delete from decision"),
    ("I16", "update decision set actor = 'me'"),
    ("I16", "update decision set effect_digest = 'another'"),
    ("I16", "update withdrawal set effect_digest = 'another' where state = 'completed'"),
    ("I16", "insert into approval (withdrawal_id, effect_digest, approved_by, approved_at)
             select id, 'another', 'boss', now() from withdrawal where state = 'completed'"),
    ("I16", GENERATION_TWO),
    ("I05", "update leg set state = 'released'"),
    ("I17", "delete from attempt"),
    ("I17", "update bank_file set total = total + 1"),
    ("I17", "delete from bank_transfer"),
    (
        "I17",
        "insert into bank_file select gen_random_uuid(), run_id, 2, 'M2', execute_on, transfers, total, message, digest, state, sends, written_at, changed_at from bank_file;
         insert into bank_transfer select id, '00000000-0000-0000-0000-0000000000c1', 1 from bank_file where msg_id = 'M2'",
    ),
    // It takes the place of a leg that is paid.
    ("I17", GENERATION_TWO),
    ("I17", "update leg set state = 'rerouting'"),
    ("I17", "insert into attempt_outcome (attempt_id, outcome, finished_at) select id, 'unknown', now() from attempt;
             update leg set state = 'rerouting'"),
    ("I18", "update audit_entry set actor = 'nobody' where sequence = 2"),
    ("I18", "update audit_entry set at = at + interval '1 microsecond' where sequence = 3"),
    ("I18", "delete from audit_entry where sequence = 2"),
    (
        "I18",
        "update audit_entry set detail = '{}' where sequence = 1;
         update audit_entry set digest = audit_digest(audit_entry) where sequence = 1",
    ),
    (
        "I16",
        "insert into approval_demand (withdrawal_id, effect_digest, people, demands, decided_at)
         select id, 'e', 2, '[]', now() from withdrawal where state = 'completed';
         update withdrawal set effect_digest = 'e'; update decision set effect_digest = 'e'",
    ),
    (
        "I16",
        "insert into approval_demand (withdrawal_id, effect_digest, people, demands, decided_at)
         select id, 'e', 1, '[]', now() from withdrawal where state = 'completed';
         update withdrawal set effect_digest = 'e'; update transition set actor = 'approval' where event = 'approve'",
    ),
    ("I21", "update leg set dispatch_at = now() + interval '1 hour'"),
    (
        "I21",
        "update leg set state = 'submitted', paid_at = null, check_at = now(), deadline_at = now() - interval '1 hour'",
    ),
    (
        "I21",
        "update leg set state = 'held', paid_at = null, deadline_at = now() - interval '1 hour';
         insert into deadline_alert (leg_id, kind, withdrawal_id, rail, deadline_at, raised_at)
         select id, 'warning', withdrawal_id, rail, deadline_at, now() from leg",
    ),
];

/// A leg in the place of the only one, sent without anybody's approval.
const GENERATION_TWO: &str = "
    insert into leg (id, withdrawal_id, account_id, top_up_id, position, rail, amount, payout_no, minted_at, state, sequence,
                     top_up_upstream_id, attempts, dispatch_at, changed_at, generation, predecessor_id)
    select '00000000-0000-0000-0000-0000000000c2', withdrawal_id, account_id, top_up_id, position, 'bank', amount, 'P2', minted_at,
           'paid', 1, top_up_upstream_id, 1, dispatch_at, changed_at, 2, id from leg;
    insert into transition (withdrawal_id, leg_id, sequence, from_state, to_state, event, actor, at)
    select withdrawal_id, id, 1, 'new', 'paid', 'plan', 'payout', now() from leg where generation = 2";

/// What is no corruption: a leg that was definitely refused and whose money another one waits to carry.
const REROUTED: &str = "
    insert into attempt_outcome (attempt_id, outcome, finished_at) select id, 'reroute', now() from attempt;
    update leg set state = 'rerouting'";

#[tokio::test]
async fn every_planted_corruption_is_named_by_its_invariant() {
    let stack = Stack::start(Options { servers: Servers::PostgresOnly, ..Options::default() })
        .await
        .expect("a PostgreSQL");
    let url = stack.fresh_database("verify").await.expect("a database");
    let database = Database::connect(&url, 2).await.expect("a connection");
    database.migrate().await.expect("the schema");
    the_audit_refuses_changes(&database).await;
    lift_constraints(&database).await;
    let moved = [movement("P1")];

    rebuild(&database).await;
    assert_eq!(invariants(&database, &moved).await, Vec::<String>::new(), "the clean house is clean");
    assert_eq!(invariants(&database, &[movement("P1"), movement("P1")]).await, ["I06", "I08"]);
    assert_eq!(invariants(&database, &[]).await, ["I07", "I08"]);

    for (invariant, corruption) in CORRUPTIONS {
        rebuild(&database).await;
        sqlx::raw_sql(*corruption).execute(database.pool()).await.expect("the corruption is planted");
        let found = invariants(&database, &moved).await;
        assert!(found.iter().any(|it| it == invariant), "{corruption}: {invariant} is not among {found:?}");
    }
    rebuild(&database).await;
    sqlx::raw_sql(REROUTED).execute(database.pool()).await.expect("a rerouted leg");
    let found = invariants(&database, &[]).await;
    assert!(!found.iter().any(|it| it == "I17"), "a definite negative may be rerouted: {found:?}");
    // Two legs in one place: the schema's own index would refuse it.
    rebuild(&database).await;
    sqlx::raw_sql("drop index leg_successor").execute(database.pool()).await.expect("without the index");
    let twice = GENERATION_TWO
        .replace("c2", "c3")
        .replace("'P2'", "'P3'")
        .replace("from leg;", "from leg where generation = 1;")
        .replace("where generation = 2", "where payout_no = 'P3'");
    for sql in [GENERATION_TWO, &twice] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(database.pool())
            .await
            .expect("a successor");
    }
    let at: DateTime<Utc> = "2030-01-01T00:00:00Z".parse().expect("a moment");
    let found = verify(&database, None, 1, at).await.expect("an answer");
    assert!(
        found.iter().any(|it| it.invariant == "I17" && it.detail.starts_with("2 legs take")),
        "{found:?}"
    );
    stack.stop().await.expect("the stack stops");
}

async fn the_audit_refuses_changes(database: &Database) {
    write_audit(database).await;
    for change in ["update audit_entry set actor = 'x'", "delete from audit_entry", "truncate audit_entry"] {
        let refused = sqlx::raw_sql(change).execute(database.pool()).await.expect_err(change);
        assert!(refused.to_string().contains("insert-only"), "{change}: {refused}");
    }
}

fn movement(payout_no: &str) -> GatewayMovement {
    GatewayMovement { payout_no: payout_no.to_owned(), amount: 6000, kind: "payout" }
}

async fn invariants(database: &Database, movements: &[GatewayMovement]) -> Vec<String> {
    let at: DateTime<Utc> =
        sqlx::query_scalar("select now()").fetch_one(database.pool()).await.expect("the server's moment");
    let found = verify(database, Some(movements), 1, at).await.expect("an answer");
    let mut names: Vec<String> = found.into_iter().map(|it| it.invariant).collect();
    names.dedup();
    names
}

async fn rebuild(database: &Database) {
    let unlock = "alter table audit_entry disable trigger all";
    sqlx::raw_sql(unlock).execute(database.pool()).await.expect("the audit can be forged");
    let empty = "truncate account, top_up, transfer, withdrawal, leg, attempt, decision, transition, outbox, repeat_request, audit_entry, bank_file, bank_transfer, \
                 approval, attempt_outcome, approval_demand, deadline_alert";
    sqlx::raw_sql(empty).execute(database.pool()).await.expect("an empty house");
    sqlx::raw_sql(CLEAN_HOUSE).execute(database.pool()).await.expect("a clean house");
    write_audit(database).await;
}

async fn write_audit(database: &Database) {
    for actor in ["zhang.min", "wang.fang", "li.wei"] {
        let mut tx = database.begin().await.expect("a transaction");
        let deed = Deed::new((actor, "admin"), "pause", "bank").with(json!({ "reason": "a test" }));
        let at = "2026-09-23T01:30:00.123456Z".parse().expect("a moment");
        audit::put(&mut tx, &deed, at).await.expect("an entry");
        tx.commit().await.expect("it is written");
    }
}

/// The schema's own constraints would refuse most corruptions: that is their
/// job, and here they would be in the way.
async fn lift_constraints(database: &Database) {
    let lift = "
        do $$
        declare it record;
        begin
            for it in select conrelid::regclass as relation, conname
                        from pg_constraint
                       where connamespace = 'public'::regnamespace and contype in ('c', 'u')
            loop
                execute format('alter table %s drop constraint %I', it.relation, it.conname);
            end loop;
        end $$";
    sqlx::raw_sql(lift).execute(database.pool()).await.expect("the constraints are lifted");
}
