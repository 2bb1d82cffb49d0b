//! What people give when a withdrawal cannot go on by itself: bank details (R11),
//! and what became of a payment that only evidence can tell.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use broker::contract::{LegResolved, WithdrawalDetails};
use domain::{LegState, WithdrawalState};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use store::legs::Leg;
use store::operators::Role;
use store::resolutions::Resolution;
use store::withdrawals::Withdrawal;
use uuid::Uuid;

use super::frame::{after, token};
use super::session::{Filled, Visitor};
use super::words::moment;
use crate::State;
use crate::refusal::Refusal;
use crate::request::{self, Wish};
use crate::withdrawal::number;

/// The five fields of a bank account: name, English, Chinese.
pub(super) const ACCOUNT: &[(&str, &str, &str)] = &[
    ("holder", "Holder", "户名"),
    ("number", "Account number", "账号"),
    ("bank_name", "Bank", "开户行"),
    ("branch", "Branch", "支行"),
    ("cnaps", "CNAPS code", "联行号"),
];

/// Whether bank details can help this withdrawal on.
pub(super) fn wants_details(it: &Withdrawal, legs: &[Leg]) -> bool {
    it.state == WithdrawalState::AwaitingDetails
        || (it.state == WithdrawalState::ActionRequired
            && legs.iter().any(|leg| leg.state == LegState::Rerouting))
}

/// The form of bank details. Every field is needed: two accounts are never mixed.
pub(super) fn details_form(visitor: &Visitor, it: &Withdrawal) -> Markup {
    let lang = visitor.lang;
    let action = format!("/withdrawals/{}/details", it.id);
    html! {
        section.card #details {
            h2 { (lang.say("Bank details", "银行账户信息")) }
            p.dim { (lang.say("They void every approval that was given on others.", "更改后此前的审批作废。")) }
            form action=(action) method="post" {
                (token(visitor, &action))
                div.grid { @for (name, english, chinese) in ACCOUNT {
                    label { span { (lang.say(english, chinese)) } input name=(name) required autocomplete="off"; } } }
                button.primary type="submit" { (lang.say("Give these details", "提交账户信息")) }
            }
        }
    }
}

/// The form of a manual review: two people with evidence end it.
pub(super) fn review_form(visitor: &Visitor, leg: &Leg, said: &[Resolution]) -> Markup {
    let lang = visitor.lang;
    let action = format!("/withdrawals/{}/resolve", leg.withdrawal_id);
    let said = said.iter().filter(|it| it.leg_id == leg.id && it.review == leg.sequence);
    html! {
        div.safe {
            p { (lang.say(
                "Two people with evidence end this review: a line of the channel's statement, or its written word. The second one must say the same.",
                "由两人凭证裁定：渠道对账单中的记录或书面答复。第二人须作出相同判断。")) }
            ul { @for it in said { li { (moment(it.made_at)) " " strong { (it.actor) } ": " (it.claim) " “" (it.evidence) "” → " (it.result) } } }
            form.act action=(action) method="post" {
                (token(visitor, &action))
                input type="hidden" name="leg" value=(leg.id);
                label { span { (lang.say("The money", "资金")) } select name="outcome" required {
                    option value="" { "—" }
                    option value="paid" { (lang.say("left", "已付出")) }
                    option value="not_paid" { (lang.say("did not leave, and will not", "未付出且不会再付")) } } }
                label { span { (lang.say("Evidence", "凭证")) } input name="evidence" required maxlength="500" autocomplete="off"; }
                button type="submit" { (lang.say("Say so", "提交")) }
            }
        }
    }
}

/// `POST /withdrawals/{id}/details`
pub(super) async fn details(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let given = ACCOUNT.iter().filter(|it| !form.field(it.0).is_empty());
    let account: Map<String, Value> = given.map(|it| (it.0.to_owned(), form.field(it.0).into())).collect();
    let body = json!({ "bank_account": account });
    let said = say(&state, &form, (WithdrawalDetails::KIND, "details", &id), &body).await;
    after(&form.visitor, said, &format!("/withdrawals/{id}"), "detailed")
}

/// `POST /withdrawals/{id}/resolve`
pub(super) async fn resolve(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let body = json!({
        "leg_id": form.field("leg"), "outcome": form.field("outcome"), "evidence": form.field("evidence"),
    });
    let said = say(&state, &form, (LegResolved::KIND, "resolve", &id), &body).await;
    after(&form.visitor, said, &format!("/withdrawals/{id}"), "resolved")
}

async fn say(
    state: &State,
    form: &Filled,
    (kind, action, id): (&'static str, &'static str, &str),
    body: &Value,
) -> Result<(), Refusal> {
    form.visitor.needs(Role::Operator)?;
    let wish = Wish { kind, action, id: number(id)? };
    let name = (Uuid::now_v7().to_string(), None);
    request::say(state, &form.visitor.person, (wish, name), body.to_string().as_bytes()).await
}
