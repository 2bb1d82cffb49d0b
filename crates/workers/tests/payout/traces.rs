//! W3C trace context, from a request to the gateways: the same trace on every rail,
//! a span of its own for each call, and nothing where there is none.

use std::collections::BTreeSet;

use broker::contract::TraceParent;
use serde_json::Value;

use super::{World, change_for, intake, request, rules};
use crate::stage::Credit;

/// What a request says of its trace, and whether it can be followed.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const BROKEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";

impl World {
    /// Accepts and approves one withdrawal of an account with one top-up, and pays it.
    async fn pay_traced(&self, (channel, sim_channel): (&str, Option<&str>), traceparent: Option<&str>) {
        let credit =
            Credit { id: "t0000", channel, arrived_at: "2026-02-01T12:00:00+08:00", amount: "10.00" };
        self.stage.account("acct-0000", &[credit]).await;
        match sim_channel {
            Some(name) => self.register(name, &[credit]),
            None => self.end_bank_numbers_in_magic().await,
        }
        let mut message = request("r0000", "10.00", change_for("0000"));
        message.traceparent = traceparent.map(|it| it.parse().expect("an attribute"));
        let tally =
            intake::admit(&self.till.database, &rules(), &[message], self.now()).await.expect("intake");
        assert_eq!(tally.accepted, 1);
        self.approve_all().await;
        self.run_to_the_end().await;
        self.books_agree().await;
    }

    /// What the simulator received of us, call by call: its path, and its trace. What it
    /// sends us by itself is among its requests too, and is none.
    async fn received(&self) -> Vec<(String, Option<TraceParent>)> {
        let url = format!("{}/_sim/requests", self.simulator.base_url());
        let text = reqwest::get(url).await.expect("an answer").text().await.expect("a text");
        let told: Value = serde_json::from_str(&text).expect("a list in JSON");
        let newest = told["newest"].as_array().expect("requests").iter();
        let calls = newest.filter(|it| it["method"] != "NOTICE").map(|it| {
            let trace = it["traceparent"].as_str().map(|it| it.parse().expect("a traceparent"));
            (it["path"].as_str().expect("a path").to_owned(), trace)
        });
        calls.filter(|(path, _)| !path.starts_with("/_sim")).collect()
    }

    /// What rows of this kind say of their trace: distinct, and `-` for those that say nothing.
    async fn headers(&self, exchange: &'static str) -> Vec<String> {
        let sql = "select distinct coalesce(headers->>'traceparent', '-') from outbox where exchange = $1";
        let pool = self.till.database.pool();
        sqlx::query_scalar(sql).bind(exchange).fetch_all(pool).await.expect("rows")
    }
}

#[tokio::test]
async fn every_call_is_a_span_of_its_own_in_the_trace_of_its_request() {
    let request: TraceParent = TRACE.parse().expect("a traceparent");
    for rail in
        [("alipay", Some("alipay")), ("wechat", Some("wechat")), ("unionpay_personal", Some("unionpay"))]
    {
        let world = World::new().await;
        world.pay_traced(rail, Some(TRACE)).await;
        let calls = world.received().await;
        assert!(!calls.is_empty(), "{rail:?}");
        for (path, call) in &calls {
            let call = call.unwrap_or_else(|| panic!("{rail:?} was called at {path} outside of the trace"));
            assert_eq!(call.trace_id(), request.trace_id(), "{rail:?}");
            assert_ne!(call.span_id(), request.span_id(), "{rail:?}");
        }
        let spans: BTreeSet<u64> = calls.iter().filter_map(|(_, it)| *it).map(TraceParent::span_id).collect();
        assert_eq!(spans.len(), calls.len(), "{rail:?}: each call has a span");
        assert_eq!(world.headers("outflow.events").await, [TRACE], "{rail:?}: every event carries it");
        assert_eq!(world.headers("outflow.work").await, [TRACE], "{rail:?}: every nudge carries it");
        let told = "select count(*) from outbox where exchange = 'outflow.events'
                       and convert_from(body, 'UTF8')::jsonb->>'traceparent' is distinct from
                           (select traceparent from withdrawal)";
        assert_eq!(world.stage.text(told).await, "0", "and names it in its body");
    }
}

#[tokio::test]
async fn a_bank_file_has_a_trace_of_its_own_and_queries_belong_to_the_request() {
    let world = World::new().await;
    world.pay_traced(("bank_transfer", None), Some(TRACE)).await;
    let file = "select lower(replace(id::text, '-', '')) from bank_file";
    let file = world.stage.text(file).await;
    let calls = world.received().await;
    let traces: BTreeSet<String> =
        calls.iter().filter_map(|(_, it)| *it).map(|it| format!("{:032x}", it.trace_id())).collect();
    assert!(traces.contains(&file), "{file} in {traces:?}");
    let request: TraceParent = TRACE.parse().expect("a traceparent");
    let known = [file, format!("{:032x}", request.trace_id())].into();
    assert!(traces.is_subset(&known), "{traces:?}");
}

#[tokio::test]
async fn what_is_no_traceparent_is_as_good_as_none() {
    for given in [None, Some(BROKEN), Some("hello")] {
        let world = World::new().await;
        world.pay_traced(("alipay", Some("alipay")), given).await;
        let calls = world.received().await;
        assert!(!calls.is_empty() && calls.iter().all(|(_, it)| it.is_none()), "{given:?}: {calls:?}");
        assert_eq!(world.headers("outflow.events").await, ["-"], "{given:?}");
        assert_eq!(world.stage.text("select traceparent from withdrawal").await, "", "{given:?}");
    }
}
