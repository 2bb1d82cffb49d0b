//! One withdrawal whole: what it would pay, its time line, its money, the calls to
//! gateways, its messages, and what people did.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use broker::contract::{Problem, WithdrawalDetails};
use chrono::{DateTime, Utc};
use domain::{LegState, WithdrawalState};
use maud::{Markup, html};
use store::audit::Entry;
use store::bank_accounts::{self, Masked};
use store::decisions::{self, Decision};
use store::demands::{self, Needed};
use store::history::{self, PastCall, PastMove, PastNotice, PastTransfer};
use store::instructions::{self, Instruction};
use store::legs::{self, Leg};
use store::operators::Role;
use store::resolutions::{self, Resolution};
use store::withdrawals::{self, Withdrawal};
use store::{Tx, audit};
use uuid::Uuid;

use super::frame::{page, reason_form, shown};
use super::session::Visitor;
use super::words::{Lang, age, amount, grouped, leg_state, moment, moment_or_dash, state as state_mark};
use super::{approve, attention, mend};
use crate::State;
use crate::refusal::Refusal;
use crate::withdrawal::{not_found, number};

/// Everything that is known about one withdrawal.
struct Whole {
    row: Withdrawal,
    legs: Vec<Leg>,
    payees: Vec<Masked>,
    approvers: Vec<String>,
    /// How many people its effect needs, once the rules have looked at it.
    needed: Option<Needed>,
    moves: Vec<PastMove>,
    decisions: Vec<Decision>,
    details: Vec<Instruction>,
    calls: Vec<PastCall>,
    notices: Vec<PastNotice>,
    transfers: Vec<PastTransfer>,
    deeds: Vec<Entry>,
    /// What people said became of legs in manual review.
    said: Vec<Resolution>,
}

impl Whole {
    async fn read(tx: &mut Tx, id: Uuid) -> Result<Option<Self>, store::Error> {
        let Some(row) = withdrawals::find(tx, id).await? else { return Ok(None) };
        let legs = legs::of_withdrawal(tx, id).await?;
        let payees: Vec<Uuid> = legs.iter().filter_map(|leg| leg.bank_account_id).collect();
        let approvers = decisions::approvers(tx, &[id]).await?;
        Ok(Some(Self {
            payees: bank_accounts::masked(tx, &payees).await?,
            approvers: approvers.into_iter().map(|it| it.1).collect(),
            needed: demands::needed(tx, &[id]).await?.pop(),
            moves: history::moves(tx, id).await?,
            decisions: decisions::of_withdrawal(tx, id).await?,
            details: instructions::of_withdrawal(tx, id, WithdrawalDetails::KIND).await?,
            calls: history::calls(tx, id).await?,
            notices: history::notices(tx, id).await?,
            transfers: history::transfers(tx, id).await?,
            said: resolutions::of_withdrawals(tx, &[id]).await?,
            deeds: audit::page(tx, Some(&id.to_string()), None, 100).await?,
            row,
            legs,
        }))
    }

    fn leg_name(&self, id: Option<Uuid>) -> String {
        let place = id.and_then(|id| self.legs.iter().position(|leg| leg.id == id));
        place.map_or_else(String::new, |it| format!("#{}", it + 1))
    }
}

/// `GET /withdrawals/{id}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let page = content(&state, &visitor, &id).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor, id: &str) -> Result<Markup, Refusal> {
    let (lang, desk) = (visitor.lang, state.desk()?);
    let mut tx = state.database.snapshot().await?;
    let whole = Whole::read(&mut tx, number(id)?).await?.ok_or_else(not_found)?;
    let now = desk.engine.now();
    let approvers: Vec<&str> = whole.approvers.iter().map(String::as_str).collect();
    let content = html! {
        (head(lang, &whole, now))
        @if approve::awaits_approval(&whole.row, &whole.legs) { (approve::decide(visitor, &whole.row, &approvers, whole.needed.as_ref())) }
        @if mend::wants_details(&whole.row, &whole.legs) && visitor.person.may(Role::Operator) { (mend::details_form(visitor, &whole.row)) }
        (reasons(lang, &whole.row))
        (all_legs(visitor, &whole))
        (money(lang, &whole))
        (timeline(lang, &whole))
        (calls(lang, &whole))
        (messages(lang, &whole))
        (deeds(lang, &whole.deeds))
        (approve::brake(visitor, &whole.row, &whole.legs))
        @if can_be_taken_back(&whole.row) && visitor.person.may(Role::Operator) {
            section.card { h2 { (lang.say("Take it back", "撤回")) }
                (reason_form(visitor, &format!("/withdrawals/{}/cancel", whole.row.id), lang.say("Take back", "撤回提现"), "danger")) }
        }
    };
    Ok(page(visitor, &format!("{} {}", lang.say("Withdrawal", "提现"), whole.row.request_id), &content))
}

const fn can_be_taken_back(it: &Withdrawal) -> bool {
    use WithdrawalState as S;
    matches!(it.state, S::AwaitingDetails | S::PendingApproval | S::Approved | S::OnHold)
}

fn head(lang: Lang, whole: &Whole, now: DateTime<Utc>) -> Markup {
    let it = &whole.row;
    html! {
        section.card.head {
            div.hero { span.big { (amount(it.amount, it.currency)) } " " (state_mark(lang, it.state)) }
            dl.facts {
                dt { (lang.say("Number", "提现号")) } dd { code { (it.id) } }
                dt { (lang.say("Account", "账户")) } dd { (it.account_id) }
                dt { (lang.say("Route", "路径")) } dd { (lang.route(it.route)) }
                dt { (lang.say("Requester", "申请人")) } dd { (it.requester) }
                dt { (lang.say("Asked", "申请时间")) } dd { (moment(it.requested_at)) " · " (age(lang, it.requested_at, now)) }
                @if let Some(at) = it.approved_at { dt { (lang.say("Approved", "批准时间")) } dd { (moment(at)) } }
                dt { (lang.say("Expected by", "最迟到账")) } dd { (moment_or_dash(it.deadline_at))
                    @if it.deadline_provisional { " " em { (lang.say("provisional", "暂定")) } } }
                @if let Some(at) = it.expires_at { dt { (lang.say("Waits until", "等待截止")) } dd { (moment(at)) } }
                @if let Some(why) = &it.held_because { dt { (lang.say("On hold because", "冻结原因")) } dd { (why) } }
            }
        }
    }
}

fn reasons(lang: Lang, it: &Withdrawal) -> Markup {
    let problems: Vec<Problem> = serde_json::from_value(it.reasons.clone()).unwrap_or_default();
    html! { @if !problems.is_empty() { section.card.refusal {
        h2 { (lang.say("Why", "原因")) }
        ul { @for it in problems { li { strong { (it.title) } " " (it.detail) @if let Some(rule) = it.rule { " " span.rule-id { (rule) } } } } }
    } } }
}

fn all_legs(visitor: &Visitor, whole: &Whole) -> Markup {
    let lang = visitor.lang;
    html! { @if !whole.legs.is_empty() { section.card {
        h2 { (lang.say("Legs", "分笔")) " · " (whole.legs.len()) }
        div.scroll { table {
            thead { tr { th { "#" } th { (lang.say("Top-up", "充值")) } th.num { (lang.say("Amount", "金额")) } th { (lang.say("Channel and payee", "渠道与收款方")) }
                th { (lang.say("State", "状态")) } th { (lang.say("Leaves", "付款时间")) } th { (lang.say("Deadline", "期限")) } th { (lang.say("Payout number", "付款号")) } } }
            tbody { @for (place, leg) in whole.legs.iter().enumerate() { tr id={ "leg-" (leg.id) } {
                td { (place + 1) @if leg.generation > 1 { span.dim { " ×" (leg.generation) } } }
                td { (leg.top_up_upstream_id) } td.num { (amount(leg.amount, whole.row.currency)) }
                td { (lang.rail(leg.rail)) (payee(whole, leg)) }
                td { (leg_state(lang, leg.state)) @if let Some(code) = &leg.code { div.dim.small { (code) " " (leg.detail.as_deref().unwrap_or_default()) } } }
                td { (moment_or_dash(leg.dispatch_at)) } td { (moment_or_dash(leg.deadline_at)) } td { code.small { (leg.payout_no) } }
            } } }
        } }
        @if visitor.person.may(Role::Operator) {
            @for leg in whole.legs.iter().filter(|it| matches!(it.state, LegState::Unknown | LegState::ManualReview)) {
                h3 { (whole.leg_name(Some(leg.id))) " " (leg_state(lang, leg.state)) }
                (attention::safe_actions(visitor, leg))
                @if leg.state == LegState::ManualReview { (mend::review_form(visitor, leg, &whole.said)) }
            }
        }
    } } }
}

/// Account numbers are their last four characters.
fn payee(whole: &Whole, leg: &Leg) -> Markup {
    let known = whole.payees.iter().find(|it| Some(it.id) == leg.bank_account_id);
    html! {
        @if let Some(it) = known { div.small { (it.holder) " ****" (it.last_four) } div.dim.small { (it.bank_name) " " (it.branch) } }
        @else if let Some(end) = &leg.payee_last_four { div.small { "****" (end) } }
    }
}

fn money(lang: Lang, whole: &Whole) -> Markup {
    let names: &[(&str, &str, &str)] = &[
        ("cash", "cash", "现金余额"),
        ("outstanding_invoice", "less outstanding invoices", "减：未结发票"),
        ("unbilled", "less unbilled usage", "减：未出账用量"),
        ("held", "less what is held", "减：已冻结"),
        ("cap", "at most", "可提现上限"),
    ];
    let terms = &whole.row.terms;
    html! { section.card {
        h2 { (lang.say("Money", "资金")) }
        @if terms.get("cap").is_some() {
            h3 { (lang.say("Why this much was possible (R1)", "可提现金额的构成 (R1)")) }
            dl.facts { @for (key, english, chinese) in names { dt { (lang.say(english, chinese)) } dd.num { span.amount { (grouped(terms[*key].as_str().unwrap_or("—"))) } } } }
        }
        h3 { (lang.say("Journal: newest top-ups first (R9)", "流水：最新充值优先 (R9)")) }
        @if whole.transfers.is_empty() { p.dim { (lang.say("No money moved.", "没有资金变动。")) } }
        @else { div.scroll { table {
            thead { tr { th { (lang.say("When", "时间")) } th { "#" } th { (lang.say("Top-up", "充值")) } th { (lang.say("From", "从")) } th { (lang.say("To", "到")) } th.num { (lang.say("Amount", "金额")) } th { (lang.say("Cause", "原因")) } } }
            tbody { @for it in &whole.transfers { tr {
                td { (moment(it.at)) } td { (whole.leg_name(Some(it.leg_id))) } td { (it.top_up) } td { (it.from) } td { (it.to) }
                td.num { (amount(it.amount, whole.row.currency)) } td { (it.cause) } } } }
        } } }
    } }
}

fn timeline(lang: Lang, whole: &Whole) -> Markup {
    html! { section.card {
        h2 { (lang.say("Time line", "时间线")) }
        ol.timeline { @for it in &whole.moves { li class=[it.leg_id.is_none().then_some("whole")] {
            (moment(it.at)) " "
            span.leg { (whole.leg_name(it.leg_id)) } " "
            span.dim { (it.from) " → " } strong { (it.to) } " "
            span.dim { (it.event) " · " (it.actor) } @if let Some(note) = &it.note { " “" (note) "”" }
        } } }
    } }
}

fn calls(lang: Lang, whole: &Whole) -> Markup {
    html! { section.card {
        h2 { (lang.say("Attempts and queries", "付款与查询")) " · " (whole.calls.len()) }
        @if whole.calls.is_empty() { p.dim { (lang.say("No gateway was called.", "尚未调用渠道。")) } }
        @else { div.scroll { table {
            thead { tr { th { (lang.say("Started", "开始")) } th { "#" } th { (lang.say("Call", "调用")) } th { (lang.say("Outcome", "结果")) } th { (lang.say("Code", "代码")) } th { (lang.say("Gateway's number", "渠道流水号")) } th { (lang.say("Answered", "返回")) } } }
            tbody { @for it in &whole.calls { tr {
                td { (moment(it.started_at)) } td { (whole.leg_name(Some(it.leg_id))) } td { (it.kind) " " (it.number) }
                td { (it.outcome.as_deref().unwrap_or("—")) } td { (it.code.as_deref().unwrap_or("—")) div.dim.small { (it.detail.as_deref().unwrap_or_default()) } }
                td { code.small { (it.reference.as_deref().unwrap_or("—")) } } td { (moment_or_dash(it.finished_at)) } } } }
        } } }
        @if !whole.notices.is_empty() {
            h3 { (lang.say("What the gateway told by itself", "渠道主动通知")) }
            ul { @for it in &whole.notices { li { (moment(it.received_at)) " " (it.claim) " " span.dim { (it.effect.as_deref().unwrap_or("…")) " " (it.notice_id) } } } }
        }
    } }
}

fn messages(lang: Lang, whole: &Whole) -> Markup {
    let it = &whole.row;
    html! { section.card {
        h2 { (lang.say("Messages", "消息")) }
        ul.messages {
            li { (moment(it.received_at)) " ← " code { "outflow.withdrawal.requested.v1" } " " (it.source) " " strong { (it.request_id) } }
            @for decision in &whole.decisions { li { "← " code { "outflow.withdrawal.decided.v1" } " " strong { (decision.verdict) } " " (decision.actor) " “" (decision.reason) "” → " (decision.result) } }
            @for said in &whole.said { li { (moment(said.made_at)) " ← " code { "outflow.leg.resolved.v1" } " " strong { (said.claim) } " " (said.actor) " “" (said.evidence) "” → " (said.result) } }
            @for details in &whole.details { li { "← " code { "outflow.withdrawal.details.v1" } " " (details.actor) " → " (details.result) } }
            @for event in whole.moves.iter().filter(|it| it.leg_id.is_none()) {
                li { (moment(event.at)) " → " code { "withdrawal." (event.to) } " " span.dim { (it.id) ":" (event.sequence) } }
            }
        }
    } }
}

fn deeds(lang: Lang, entries: &[Entry]) -> Markup {
    html! { section.card {
        h2 { (lang.say("Audit", "审计")) }
        @if entries.is_empty() { p.dim { (lang.say("Nobody did anything here through the API or the console.", "没有人通过接口或控制台操作过。")) } }
        @else { (super::audit::table(lang, entries)) }
    } }
}
