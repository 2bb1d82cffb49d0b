//! Reconciliation: where a payment of ours is found again by its payout number.

use axum::extract::{Query, State as Extract};
use axum::response::Response;
use domain::LegState;
use maud::{Markup, html};
use serde::Deserialize;
use store::legs::{self, Leg};
use store::overview::{self, Filter};

use super::frame::{nothing, page, shown};
use super::session::Visitor;
use super::words::{leg_state, moment_or_dash, yuan};
use crate::State;
use crate::refusal::Refusal;

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
    let content = html! {
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

async fn legs_of(state: &State, number: &str) -> Result<Vec<Leg>, Refusal> {
    let mut tx = state.database.snapshot().await?;
    let filter = Filter { text: Some(number.to_owned()), limit: 5, ..Filter::default() };
    let mut found = Vec::new();
    for withdrawal in overview::withdrawals(&mut tx, &filter).await? {
        found.extend(legs::of_withdrawal(&mut tx, withdrawal.id).await?);
    }
    Ok(found)
}
