//! What waits for people, and what they say about it (S01).
//!
//! An approval is bound to the effect that the page showed: the form carries its
//! digest, and an effect that changed meanwhile makes the approval void.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use broker::contract::WithdrawalDecided;
use domain::{LegState, WithdrawalState};
use maud::{Markup, html};
use serde_json::json;
use store::decisions;
use store::demands::{self, Needed};
use store::legs::{self, Leg};
use store::operators::Role;
use store::overview::{self, Filter};
use store::withdrawals::Withdrawal;
use uuid::Uuid;

use super::frame::{after, nothing, page, reason_form, shown, token};
use super::session::{Filled, Visitor};
use super::words::{age, amount, moment_or_dash};
use crate::State;
use crate::refusal::Refusal;
use crate::request::{self, Wish};
use crate::withdrawal::number;

/// Withdrawals that the page shows at once.
const MOST: i64 = 100;

/// `GET /approve`
pub(super) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let page = content(&state, &visitor).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor) -> Result<Markup, Refusal> {
    let (lang, desk) = (visitor.lang, state.desk()?);
    let now = desk.engine.now();
    let mut tx = state.database.snapshot().await?;
    let states = vec![WithdrawalState::PendingApproval, WithdrawalState::ActionRequired];
    let filter = Filter { states, limit: MOST, ..Filter::default() };
    let mut rows = Vec::new();
    for row in overview::withdrawals(&mut tx, &filter).await? {
        let waits = row.state == WithdrawalState::PendingApproval
            || awaits_approval(&row, &legs::of_withdrawal(&mut tx, row.id).await?);
        if waits {
            rows.push(row);
        }
    }
    let ids: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let approvals = decisions::approvers(&mut tx, &ids).await?;
    let needed = demands::needed(&mut tx, &ids).await?;
    let people = |id: Uuid| quorum(needed.iter().find(|it| it.withdrawal_id == id));
    let of = |id: Uuid| -> Vec<&str> {
        approvals.iter().filter(|it| it.0 == id).map(|it| it.1.as_str()).collect()
    };
    let content = html! {
        @if rows.is_empty() { (nothing(lang.say("Nothing waits for people.", "没有待审批的提现。"))) }
        @else { div.scroll { table.list {
            thead { tr {
                th { (lang.say("Withdrawal", "提现")) } th { (lang.say("Account", "账户")) } th.num { (lang.say("Amount", "金额")) }
                th { (lang.say("Route", "路径")) } th { (lang.say("Requester", "申请人")) } th { (lang.say("Approvals", "批准")) }
                th { (lang.say("Waits", "已等")) } th { (lang.say("Ends", "截止")) } th {}
            } }
            tbody { @for it in &rows {
                tr data-row {
                    td { a href={ "/withdrawals/" (it.id) } { (it.request_id) } div.dim.small { (it.id) } }
                    td { (it.account_id) } td.num { (amount(it.amount, it.currency)) } td { (lang.route(it.route)) }
                    td { (it.requester) } td { (of(it.id).len()) " / " (people(it.id)) " " span.dim { (of(it.id).join(", ")) } }
                    td { (age(lang, it.received_at, now)) } td { (moment_or_dash(it.expires_at)) }
                    td { a.button.primary href={ "/withdrawals/" (it.id) "#decide" } { (lang.say("Look and decide", "查看并审批")) } }
                }
            } }
        } } }
    };
    Ok(page(visitor, lang.say("To approve", "待审批"), &content))
}

/// Whether people are to approve it: at first, or because a slice of it goes
/// another way than the one that was approved (R6c).
pub(super) fn awaits_approval(it: &Withdrawal, legs: &[Leg]) -> bool {
    let is_live = |leg: &Leg| !legs.iter().any(|it| it.predecessor_id == Some(leg.id));
    match it.state {
        WithdrawalState::PendingApproval => true,
        WithdrawalState::ActionRequired => {
            legs.iter().any(|leg| leg.state == LegState::Planned && is_live(leg))
        }
        _ => false,
    }
}

/// What a visitor may decide about a withdrawal that waits for it. `approvers`
/// are those whose approvals stand, `needed` what the rules said of its effect.
pub(super) fn decide(
    visitor: &Visitor,
    it: &Withdrawal,
    approvers: &[&str],
    needed: Option<&Needed>,
) -> Markup {
    let lang = visitor.lang;
    let name = visitor.person.name.as_str();
    let obstacle = if it.requester == name {
        Some(lang.say(
            "You asked for this money: somebody else must approve it.",
            "这是您本人的申请，须由他人审批。",
        ))
    } else if approvers.contains(&name) {
        Some(lang.say("You approved it already: it waits for somebody else.", "您已批准，等待他人审批。"))
    } else if !visitor.person.may(Role::Approver) {
        Some(lang.say("Approving needs the role approver.", "审批需要审批角色。"))
    } else {
        None
    };
    let base = format!("/withdrawals/{}", it.id);
    let action = format!("{base}/approve");
    let digest = it.effect_digest.as_deref().map(hex::encode).unwrap_or_default();
    html! {
        section.card.decide #decide {
            h2 { (lang.say("Decide", "审批")) }
            p { (lang.say("Approvals: ", "已批准：")) strong { (approvers.len()) " / " (quorum(needed)) } " " (approvers.join(", ")) }
            @if let Some(needed) = needed { ul.demands { @for it in needed.said() {
                li { (it.people) " " (lang.say("people: ", "人：")) (it.why) " " span.rule-id { (it.rule) } } } } }
            @if let Some(words) = obstacle { p.obstacle role="note" { (words) } }
            form.act action=(action) method="post" {
                (token(visitor, &action))
                input type="hidden" name="effect_digest" value=(digest);
                label { span { (lang.say("Reason", "原因")) }
                    input #approve-reason name="reason" required maxlength="500" autocomplete="off" disabled[obstacle.is_some()]; }
                button.primary #approve type="submit" disabled[obstacle.is_some()] {
                    (lang.say("Approve ", "批准 ")) (amount(it.amount, it.currency)) }
            }
            p.dim.small { (lang.say("You approve exactly what this page shows: ", "您批准的正是本页所示内容：")) code { (digest) } }
            @if visitor.person.may(Role::Approver) { (reason_form(visitor, &format!("{base}/deny"), lang.say("Deny", "驳回"), "danger")) }
        }
    }
}

/// How many people an effect needs; a dash until the rules have looked at it.
fn quorum(needed: Option<&Needed>) -> String {
    needed.map_or_else(|| "–".to_owned(), |it| it.people.to_string())
}

/// `POST /withdrawals/{id}/approve`
pub(super) async fn approve(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let body = json!({
        "decision": "approve", "reason": form.field("reason"), "effect_digest": form.field("effect_digest"),
    });
    say(&state, &id, &form, (Role::Approver, "approve", "approved"), &body).await
}

/// `POST /withdrawals/{id}/deny`
pub(super) async fn deny(Extract(state): Extract<State>, Path(id): Path<String>, form: Filled) -> Response {
    let body = json!({ "decision": "deny", "reason": form.field("reason") });
    say(&state, &id, &form, (Role::Approver, "deny", "denied"), &body).await
}

/// `POST /withdrawals/{id}/cancel`
pub(super) async fn cancel(Extract(state): Extract<State>, Path(id): Path<String>, form: Filled) -> Response {
    let body = json!({ "decision": "cancel", "reason": form.field("reason") });
    say(&state, &id, &form, (Role::Operator, "cancel", "canceled"), &body).await
}

/// `POST /withdrawals/{id}/hold`
pub(super) async fn hold(Extract(state): Extract<State>, Path(id): Path<String>, form: Filled) -> Response {
    let body = json!({ "decision": "hold", "reason": form.field("reason") });
    say(&state, &id, &form, (Role::Approver, "hold", "held"), &body).await
}

/// `POST /withdrawals/{id}/release`
pub(super) async fn release(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let body = json!({ "decision": "release", "reason": form.field("reason") });
    say(&state, &id, &form, (Role::Approver, "release", "released"), &body).await
}

/// Stops what was not sent yet, or ends a stop, with a reason.
pub(super) fn brake(visitor: &Visitor, it: &Withdrawal, legs: &[Leg]) -> Markup {
    let lang = visitor.lang;
    let is_held = it.state == WithdrawalState::OnHold || legs.iter().any(|leg| leg.state == LegState::Held);
    let can_stop = it.state == WithdrawalState::PendingApproval
        || legs.iter().any(|leg| leg.state == LegState::Scheduled);
    let base = format!("/withdrawals/{}", it.id);
    html! { @if visitor.person.may(Role::Approver) && (is_held || can_stop) {
        section.card { h2 { (lang.say("Hold", "冻结")) }
            p.dim { (lang.say(
                "A hold stops what was not sent yet, until a person other than the requester ends it. What is under way is not called back.",
                "冻结将停止尚未发出的付款，直到申请人以外的人员解除。已发出的付款不会撤回。")) }
            @if can_stop { (reason_form(visitor, &format!("{base}/hold"), lang.say("Put on hold", "冻结"), "danger")) }
            @if is_held { (reason_form(visitor, &format!("{base}/release"), lang.say("End the hold", "解除冻结"), "primary")) }
        }
    } }
}

async fn say(
    state: &State,
    id: &str,
    form: &Filled,
    (least, action, word): (Role, &'static str, &str),
    body: &serde_json::Value,
) -> Response {
    let visitor = &form.visitor;
    let said = async {
        visitor.needs(least)?;
        let wish = Wish { kind: WithdrawalDecided::KIND, action, id: number(id)? };
        let name = (Uuid::now_v7().to_string(), None);
        request::say(state, &visitor.person, (wish, name), body.to_string().as_bytes()).await
    };
    after(visitor, said.await, &format!("/withdrawals/{id}"), word)
}
