//! Reconciliation: settlement days, what does not agree, and where a payment of
//! ours is found again by its payout number.

use axum::extract::{Path, Query, State as Extract};
use axum::response::Response;
use domain::LegState;
use maud::{Markup, html};
use serde::Deserialize;
use store::legs::{self, Leg};
use store::operators::Role;
use store::overview::{self, Filter};
use store::statement_days::{self, Day, DayState};
use store::statement_differences::{self as differences, Difference, Which};

use super::frame::{after, nothing, page, reason_form, shown};
use super::session::{Filled, Visitor};
use super::words::{badge, leg_state, moment, moment_or_dash, yuan};
use crate::State;
use crate::body;
use crate::reconciliation::settle;
use crate::refusal::Refusal;

/// Days and differences that the page shows at once.
const MOST: i64 = 100;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
}

/// `GET /reconciliation`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let page = content(&state, &visitor, wanted.q.as_deref().unwrap_or_default().trim()).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor, number: &str) -> Result<Markup, Refusal> {
    let lang = visitor.lang;
    let found = if number.is_empty() { Vec::new() } else { legs_of(state, number).await? };
    let mut tx = state.database.snapshot().await?;
    let days = statement_days::newest(&mut tx, MOST).await?;
    let open = differences::list(&mut tx, None, Which::Open, MOST).await?;
    let content = html! {
        h2 { (lang.say("What does not agree", "差异")) }
        @if open.is_empty() { (nothing(lang.say("No difference is open.", "没有未处理的差异。"))) }
        @for it in &open { (difference(visitor, it)) }
        h2 { (lang.say("Settlement days", "对账日")) }
        (all_days(visitor, &days))
        h2 { (lang.say("Find a payment", "查找付款")) }
        section.card {
            p { (lang.say(
                "A payment is settled once its payout number stands in the channel's statement with the same amount. Look for one here, and for the same number in the statement.",
                "付款号与金额同时出现在渠道对账单中，该笔付款即为已对账。可在此按付款号查找，并与对账单核对。")) }
            form.filter action="/reconciliation" {
                label { span { (lang.say("Payout number", "付款号")) } input type="search" name="q" value=(number); }
                button type="submit" { (lang.say("Look for it", "查找")) }
            }
        }
        @if !number.is_empty() && found.is_empty() { (nothing(lang.say("No payment of ours has this number.", "没有此付款号的付款。"))) }
        @if !found.is_empty() { div.scroll { table.list {
            thead { tr { th { (lang.say("Payout number", "付款号")) } th { (lang.say("Channel", "渠道")) } th.num { (lang.say("Amount", "金额")) } th { (lang.say("State", "状态")) }
                th { (lang.say("Gateway's number", "渠道流水号")) } th { (lang.say("Paid", "付款时间")) } th { (lang.say("In a statement", "对账单")) } } }
            tbody { @for leg in &found { tr data-row {
                td { a href={ "/withdrawals/" (leg.withdrawal_id) } { code { (leg.payout_no) } } } td { (lang.rail(leg.rail)) } td.num { (yuan(leg.amount)) }
                td { (leg_state(lang, leg.state)) } td { code { (leg.reference.as_deref().unwrap_or("—")) } } td { (moment_or_dash(leg.paid_at)) }
                td { @if leg.state == LegState::Settled { "✓ " (lang.say("found", "已找到")) } @else { (lang.say("not yet", "尚未")) } }
            } } }
        } } }
    };
    Ok(page(visitor, lang.say("Reconciliation", "对账"), &content))
}

fn all_days(visitor: &Visitor, days: &[(Day, i64)]) -> Markup {
    let lang = visitor.lang;
    let state = |it: DayState| match it {
        DayState::Open => badge(("dim", "…"), lang.say("open", "未完成")),
        DayState::Refused => badge(("bad", "✗"), lang.say("file refused", "文件被拒")),
        DayState::Differs => badge(("warn", "≠"), lang.say("differs", "有差异")),
        DayState::Closed => badge(("good", "✓"), lang.say("closed", "已关账")),
    };
    html! {
        @if days.is_empty() { (nothing(lang.say("No statement was taken yet.", "尚未取得对账单。"))) }
        @else { div.scroll { table.list {
            thead { tr { th { (lang.say("Day", "日期")) } th { (lang.say("Channel", "渠道")) } th { (lang.say("State", "状态")) }
                th.num { (lang.say("Lines", "行数")) } th.num { (lang.say("Total", "合计")) } th.num { (lang.say("Open differences", "未处理差异")) }
                th { (lang.say("Looked at", "检查时间")) } th {} } }
            tbody { @for (it, open) in days { tr data-row {
                td { (it.day) } td { (lang.rail(it.rail)) } td { (state(it.state)) }
                td.num { @if let Some(taken) = &it.taken { (taken.lines) } @else { "—" } }
                td.num { @if let Some(taken) = &it.taken { (yuan(taken.total)) } @else { "—" } }
                td.num { (open) } td { (moment(it.looked_at)) } td.dim { (it.detail.as_deref().unwrap_or_default()) }
            } } }
        } } }
    }
}

fn difference(visitor: &Visitor, it: &Difference) -> Markup {
    let (lang, found) = (visitor.lang, &it.found);
    html! { section.card {
        h3 { (found.kind) " · " (lang.rail(it.rail)) " · " (it.day) }
        p { code { (found.subject) } " " (found.detail) }
        p {
            @if let Some(ours) = found.ours { (lang.say("our books ", "账面 ")) (yuan(ours)) " " }
            @if let Some(theirs) = found.theirs { (lang.say("the statement ", "对账单 ")) (yuan(theirs)) }
        }
        @if visitor.person.may(Role::Operator) {
            (reason_form(visitor, &format!("/reconciliation/{}/resolve", it.id), lang.say("Resolve", "标记已处理"), "primary"))
        }
    } }
}

/// `POST /reconciliation/{id}/resolve`
pub(super) async fn resolve(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let done = async {
        form.visitor.needs(Role::Operator)?;
        let reason = body::reason(form.field("reason"))?;
        let id = id.parse().map_err(|_| crate::reconciliation::no_difference())?;
        settle(&state, &form.visitor.person, id, reason).await
    };
    after(&form.visitor, done.await, "/reconciliation", "difference")
}

async fn legs_of(state: &State, number: &str) -> Result<Vec<Leg>, Refusal> {
    let mut tx = state.database.snapshot().await?;
    let filter = Filter { text: Some(number.to_owned()), limit: 5, ..Filter::default() };
    let mut found = Vec::new();
    for withdrawal in overview::withdrawals(&mut tx, &filter).await? {
        found.extend(legs::of_withdrawal(&mut tx, withdrawal.id).await?);
    }
    Ok(found)
}
