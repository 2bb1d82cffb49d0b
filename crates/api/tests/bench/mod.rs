//! An API that listens on an empty schema, and rows to put there.

#![allow(dead_code, reason = "each test binary uses its own part of the bench")]

pub(crate) mod relay;

use api::State;
use broker::{Connections, topology};
use chrono::{DateTime, Utc};
use devstack::{Options, Stack};
use domain::{Currency, LegState, Money, Rail, Route, WithdrawalState};
use reqwest::{Method, StatusCode};
use serde_json::json;
use store::Database;
use store::legs::Leg;
use store::operators::{self, Operator, Role};
use store::withdrawals::Withdrawal;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The token of somebody who may do everything.
pub(crate) const TOKEN: &str = "a token of a test";

/// Adds somebody with a token.
pub(crate) async fn add(database: &Database, name: &str, role: Role, token: &str) {
    let new = Operator {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        role,
        created_at: at(),
        created_by: "test".to_owned(),
        revoked_at: None,
        revoked_by: None,
    };
    let mut tx = database.begin().await.unwrap();
    assert!(operators::add(&mut tx, &new, token).await.unwrap());
    tx.commit().await.unwrap();
}

/// A server with an empty schema, and what a test needs to talk to it.
pub(crate) struct Server {
    _stack: Stack,
    pub(crate) database: Database,
    pub(crate) base_url: String,
    pub(crate) stop: CancellationToken,
    pub(crate) served: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// A server that takes no notices.
pub(crate) async fn server() -> Server {
    server_with(|_, state| state).await
}

/// A server whose state `change` completes, knowing its address.
pub(crate) async fn server_with(change: impl FnOnce(&str, State) -> State) -> Server {
    let stack = Stack::start(Options::default()).await.unwrap();
    let database = Database::connect(&stack.fresh_database("api").await.unwrap(), 4).await.unwrap();
    database.migrate().await.unwrap();
    add(&database, "admin", Role::Admin, TOKEN).await;
    let connections = Connections::open(&stack.fresh_vhost().await.unwrap(), "test").await.unwrap();
    topology::apply(&connections).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let state = change(&base_url, State::new(database.clone(), connections, stop.clone()));
    let served = tokio::spawn(api::serve(listener, state));
    Server { _stack: stack, database, base_url, stop, served }
}

impl Server {
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> (StatusCode, String, String) {
        self.ask_as(Some(TOKEN), method, path, body).await
    }

    /// The same with the token of somebody else, or none.
    pub(crate) async fn ask_as(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> (StatusCode, String, String) {
        let client = reqwest::Client::new();
        let mut request = client.request(method, format!("{}{path}", self.base_url)).body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").map(|it| it.to_str().unwrap().to_owned());
        (answer.status(), kind.unwrap_or_default(), answer.text().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String, String) {
        self.ask(Method::GET, path, Vec::new()).await
    }
}

pub(crate) fn at() -> DateTime<Utc> {
    "2026-09-23T01:30:00Z".parse().unwrap()
}

pub(crate) fn withdrawal() -> Withdrawal {
    Withdrawal {
        id: Uuid::now_v7(),
        source: "/shop/console".to_owned(),
        request_id: "R1".to_owned(),
        account_id: "acct-1".to_owned(),
        digest: vec![1; 32],
        amount: Money::from_minor(8_880),
        currency: Currency::Cny,
        route: Route::BankCard,
        requester: "li.wei".to_owned(),
        bank_account_id: None,
        state: WithdrawalState::Processing,
        held_from: None,
        held_because: None,
        sequence: 4,
        reasons: json!([]),
        terms: json!({}),
        effect_digest: Some(vec![0xab; 32]),
        traceparent: None,
        requested_at: at(),
        received_at: at(),
        approved_at: Some(at()),
        deadline_at: Some(at()),
        deadline_provisional: false,
        expires_at: None,
    }
}

pub(crate) fn leg(withdrawal: &Withdrawal) -> Leg {
    Leg {
        id: Uuid::now_v7(),
        withdrawal_id: withdrawal.id,
        account_id: withdrawal.account_id.clone(),
        top_up_id: Uuid::now_v7(),
        top_up_upstream_id: "T1".to_owned(),
        position: 0,
        generation: 1,
        predecessor_id: None,
        rail: Rail::Bank,
        bank_account_id: Some(Uuid::now_v7()),
        payee_last_four: Some("0042".to_owned()),
        amount: withdrawal.amount,
        payout_no: "P1".to_owned(),
        minted_at: at(),
        state: LegState::Scheduled,
        sequence: 1,
        dispatch_at: Some(at()),
        execute_on: None,
        nudged_at: None,
        deadline_at: Some(at()),
        deadline_provisional: false,
        lease_until: None,
        attempts: 0,
        queries: 0,
        asked: 0,
        check_at: None,
        doubted_at: None,
        reference: None,
        code: None,
        detail: None,
        paid_at: None,
    }
}
