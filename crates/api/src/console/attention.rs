//! What needs attention, grouped by what happened: whether money is at risk, and
//! what can be done about it.
//!
//! An unknown outcome offers only what is safe: to ask the gateway, to look into
//! its statement, and to tell somebody. To send again or to call it failed is not
//! on this page, because either may cost the amount once more.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::{LegState, WithdrawalState};
use maud::{Markup, html};
use serde_json::json;
use store::legs::{self, Leg};
use store::operators::Role;
use store::overview::{self, Filter};
use store::withdrawals::Withdrawal;
use store::{Database, audit, parked};
use uuid::Uuid;

use super::frame::{after, nothing, page, reason_form, shown, token};
use super::session::{Filled, Visitor};
use super::withdrawals::table;
use super::words::{Lang, age, leg_state, moment_or_dash, yuan};
use crate::State;
use crate::body;
use crate::refusal::Refusal;
use crate::withdrawal::{not_found, number};

/// Rows of each group.
const MOST: i64 = 100;

/// `GET /attention`
pub(super) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let page = content(&state, &visitor).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor) -> Result<Markup, Refusal> {
    let (lang, now) = (visitor.lang, state.desk()?.engine.now());
    let mut tx = state.database.snapshot().await?;
    let legs = overview::troubled(&mut tx, now, MOST).await?;
    let states =
        vec![WithdrawalState::ActionRequired, WithdrawalState::OnHold, WithdrawalState::AwaitingDetails];
    let rows = overview::withdrawals(&mut tx, &Filter { states, limit: MOST, ..Filter::default() }).await?;
    let parked: i64 = parked::groups(&mut tx).await?.iter().map(|it| it.number).sum();
    let is_calm = legs.is_empty() && rows.is_empty() && parked == 0;
    let content = html! {
        @if is_calm { (nothing(lang.say("Nothing needs attention.", "没有需要关注的事项。"))) }
        @for group in GROUPS { (leg_group(lang, group, &legs, now)) }
        @for group in WITHDRAWALS { (withdrawal_group(lang, group, &rows, now)) }
        @if parked > 0 {
            section.card { h2 { (lang.say("Parked messages", "滞留消息")) " · " (parked) }
                p { (lang.say("No worker could use them. No money moved because of them.", "无法处理的消息，未引起任何资金变动。")) }
                a.button href="/parked" { (lang.say("Look at them", "查看")) } }
        }
    };
    Ok(page(visitor, lang.say("Needs attention", "需要关注"), &content))
}

/// What happened, whether money is at risk, and what to do: English, Chinese.
struct Group<T: 'static> {
    of: &'static [T],
    happened: (&'static str, &'static str),
    risk: (&'static str, &'static str),
    advice: (&'static str, &'static str),
}

const GROUPS: &[Group<LegState>] = &[
    Group {
        of: &[LegState::Unknown],
        happened: ("The gateway did not say what became of it", "渠道未告知付款结果"),
        risk: (
            "The money may or may not have left. Only when the gateway says that nothing did is the same number sent again.",
            "资金可能已付也可能未付；仅当渠道确认未付时，才以同一付款号重发。",
        ),
        advice: (
            "It is asked about by itself; you can have it asked now, or look for its number in the statement.",
            "系统会自动查询；您可立即查询，或在对账单中查找付款号。",
        ),
    },
    Group {
        of: &[LegState::ManualReview],
        happened: ("Asking brought no answer in time", "查询在期限内没有结果"),
        risk: (
            "The money may have left. Only evidence from the channel can tell.",
            "资金可能已付，须以渠道凭证为准。",
        ),
        advice: (
            "Get evidence from the channel; two people decide with it.",
            "向渠道取得凭证，由两人共同裁定。",
        ),
    },
    Group {
        of: &[LegState::Returned],
        happened: ("Paid, then the money came back", "付款后被退回"),
        risk: ("The money is with us again. The customer waits.", "资金已退回我方，客户在等待。"),
        advice: (
            "Give other bank details, or let it go back to the top-up.",
            "补充新的账户信息，或退回余额。",
        ),
    },
    Group {
        of: &[LegState::Rerouting],
        happened: ("Its route is closed; it goes to a bank card", "原路径已关闭，改付银行卡"),
        risk: ("Nothing was sent. The money is held.", "未付款，金额仍冻结。"),
        advice: ("It waits for bank details and a new approval.", "等待账户信息和新的审批。"),
    },
    Group {
        of: &[LegState::Scheduled, LegState::Dispatching, LegState::Submitted, LegState::Held],
        happened: ("Past its deadline", "已超过期限"),
        risk: (
            "The money is held or under way; the promise to the customer is broken.",
            "资金冻结或在途，已超出对客户的承诺时限。",
        ),
        advice: ("Look at its channel, and tell the customer.", "检查渠道情况，并告知客户。"),
    },
];

const WITHDRAWALS: &[Group<WithdrawalState>] = &[
    Group {
        of: &[WithdrawalState::ActionRequired],
        happened: ("A part of it needs people", "部分款项需要人工处理"),
        risk: ("See its legs: what is in doubt stands above.", "见各分笔，存疑的列在上方。"),
        advice: ("Open it and follow the leg that stands out.", "打开并处理突出的分笔。"),
    },
    Group {
        of: &[WithdrawalState::OnHold],
        happened: ("A guard or a person stopped it", "被规则或人工冻结"),
        risk: ("No. Nothing is sent while it is on hold.", "无。冻结期间不会付款。"),
        advice: ("It goes on when its reason ends.", "原因解除后继续。"),
    },
    Group {
        of: &[WithdrawalState::AwaitingDetails],
        happened: ("Its bank details are incomplete", "账户信息不完整"),
        risk: ("No. The money is held.", "无。金额仍冻结。"),
        advice: ("The customer must complete them before it expires.", "客户须在到期前补全。"),
    },
];

fn explained<T>(lang: Lang, group: &Group<T>, number: usize) -> Markup {
    html! {
        h2 { (lang.say(group.happened.0, group.happened.1)) " · " (number) }
        dl.explain {
            dt { (lang.say("Is money at risk?", "资金有风险吗？")) } dd { (lang.say(group.risk.0, group.risk.1)) }
            dt { (lang.say("What to do", "怎么办")) } dd { (lang.say(group.advice.0, group.advice.1)) }
        }
    }
}

fn leg_group(lang: Lang, group: &Group<LegState>, legs: &[Leg], now: DateTime<Utc>) -> Markup {
    let legs: Vec<&Leg> = legs.iter().filter(|it| group.of.contains(&it.state)).collect();
    html! { @if !legs.is_empty() { section.card {
        (explained(lang, group, legs.len()))
        div.scroll { table.list {
            thead { tr { th { (lang.say("Payout number", "付款号")) } th { (lang.say("Channel", "渠道")) } th.num { (lang.say("Amount", "金额")) }
                th { (lang.say("State", "状态")) } th { (lang.say("Since", "开始")) } th { (lang.say("Deadline", "期限")) } th { (lang.say("The gateway said", "渠道返回")) } } }
            tbody { @for leg in legs { tr data-row {
                td { a href={ "/withdrawals/" (leg.withdrawal_id) "#leg-" (leg.id) } { code { (leg.payout_no) } } }
                td { (lang.rail(leg.rail)) } td.num { (yuan(leg.amount)) } td { (leg_state(lang, leg.state)) }
                td { @if let Some(at) = leg.doubted_at { (age(lang, at, now)) } @else { "—" } }
                td { (moment_or_dash(leg.deadline_at)) }
                td { (leg.code.as_deref().unwrap_or("—")) " " span.dim { (leg.detail.as_deref().unwrap_or_default()) } }
            } } }
        } }
    } } }
}

fn withdrawal_group(
    lang: Lang,
    group: &Group<WithdrawalState>,
    rows: &[Withdrawal],
    now: DateTime<Utc>,
) -> Markup {
    let rows: Vec<Withdrawal> = rows.iter().filter(|it| group.of.contains(&it.state)).cloned().collect();
    html! { @if !rows.is_empty() { section.card { (explained(lang, group, rows.len())) (table(lang, &rows, now)) } } }
}

/// What can safely be done about a leg whose outcome nobody knows.
pub(super) fn safe_actions(visitor: &Visitor, leg: &Leg) -> Markup {
    let lang = visitor.lang;
    let base = format!("/withdrawals/{}", leg.withdrawal_id);
    let ask = format!("{base}/ask");
    html! {
        div.safe data-safe-actions {
            p { strong { (lang.say("Safe actions only.", "仅限安全操作。")) } " "
                (lang.say("The money may have left, so nothing here sends it again or calls it failed.", "资金可能已付，这里不会重发，也不会判为失败。")) }
            div.row {
                @if leg.state == LegState::Unknown { form action=(ask) method="post" { (token(visitor, &ask)) input type="hidden" name="leg" value=(leg.id);
                    button type="submit" { (lang.say("Ask the gateway now", "立即查询渠道")) } } }
                a.button href={ "/reconciliation?q=" (leg.payout_no) } { (lang.say("Find it in the statement", "在对账单中查找")) }
            }
            (reason_form(visitor, &format!("{base}/escalate"), lang.say("Escalate", "升级处理"), ""))
        }
    }
}

/// `POST /withdrawals/{id}/ask`: settle asks the gateway at its next look.
pub(super) async fn ask(Extract(state): Extract<State>, Path(id): Path<String>, form: Filled) -> Response {
    let visitor = &form.visitor;
    let asked = async {
        visitor.needs(Role::Operator)?;
        let (id, at) = (number(&id)?, state.desk()?.engine.now());
        let leg: Uuid = form.field("leg").parse().map_err(|_| not_found())?;
        let deed = visitor.person.deed("ask_gateway", id.to_string()).with(json!({ "leg_id": leg }));
        let writing = tokio::spawn(hasten(state.database.clone(), (id, leg), deed, at));
        let done = writing.await.map_err(|_| store::Error::Stale { what: "a leg" })??;
        if done { Ok(()) } else { Err(not_found()) }
    };
    after(visitor, asked.await, &format!("/withdrawals/{id}"), "asked")
}

async fn hasten(
    database: Database,
    (withdrawal, leg): (Uuid, Uuid),
    deed: audit::Deed,
    at: DateTime<Utc>,
) -> Result<bool, store::Error> {
    let mut tx = database.begin().await?;
    let done = legs::ask_now(&mut tx, withdrawal, leg, at).await?;
    if done {
        audit::put(&mut tx, &deed, at).await?;
        tx.commit().await?;
    }
    Ok(done)
}

/// `POST /withdrawals/{id}/escalate`: somebody was told, and it stays written down.
pub(super) async fn escalate(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let visitor = &form.visitor;
    let told = async {
        visitor.needs(Role::Operator)?;
        let at = state.desk()?.engine.now();
        let reason = body::reason(form.field("reason"))?;
        let deed =
            visitor.person.deed("escalate", number(&id)?.to_string()).with(json!({ "reason": reason }));
        let database = state.database.clone();
        let writing = async move {
            let mut tx = database.begin().await?;
            audit::put(&mut tx, &deed, at).await?;
            tx.commit().await.map_err(store::Error::from)
        };
        tokio::spawn(writing).await.map_err(|_| store::Error::Stale { what: "the audit" })??;
        Ok(())
    };
    after(visitor, told.await, &format!("/withdrawals/{id}"), "escalated")
}
