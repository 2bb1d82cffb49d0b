//! Withdraw money: the source document's page, as an upstream would build it. It
//! shows both maximums, takes an amount, top-ups, bank details and a code, and
//! publishes a real message.

use std::time::Duration;

use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use broker::contract::{Code, Problem};
use domain::{Currency, Money};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use store::operators::Role;
use store::withdrawals;
use uuid::Uuid;

use super::super::frame::{page, refused, shown, token};
use super::super::mend::ACCOUNT;
use super::super::session::{Filled, Visitor};
use super::super::words::grouped;
use crate::State;
use crate::engine::CodeWish;
use crate::refusal::Refusal;
use crate::request::{self, Made};

/// How often it is looked whether the intake has decided, and how long between looks.
const LOOKS: u32 = 30;
const BETWEEN: Duration = Duration::from_millis(100);

/// Whose money.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Whose {
    account: Option<String>,
}

/// What the form holds so far.
#[derive(Debug, Default)]
struct Sheet {
    account: String,
    amount: String,
    route: String,
    transactions: String,
    request_id: String,
    bank: Vec<(&'static str, String)>,
    /// The number of the code that was issued, and the code itself.
    code: Option<(Uuid, Option<String>)>,
}

/// `GET /withdraw`
pub(crate) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(whose): Query<Whose>,
) -> Response {
    let sheet = Sheet {
        account: whose.account.unwrap_or_default().trim().to_owned(),
        request_id: format!("WEB-{}", Uuid::now_v7().simple()),
        route: "source".to_owned(),
        ..Sheet::default()
    };
    let page = content(&state, &visitor, &sheet).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor, sheet: &Sheet) -> Result<Markup, Refusal> {
    let lang = visitor.lang;
    let quote = match sheet.account.as_str() {
        "" => None,
        account => state.desk()?.engine.quote(account).await?,
    };
    let content = html! {
        section.card {
            form.filter action="/withdraw" {
                label { span { (lang.say("Account", "账户")) } input name="account" value=(sheet.account) required; }
                button type="submit" { (lang.say("Show what can be withdrawn", "查看可提现金额")) }
            }
        }
        @match &quote {
            Some(quote) => { (maximums(visitor, quote)) (ask(visitor, sheet)) }
            None if sheet.account.is_empty() => {}
            None => { p.error role="alert" { (lang.say("No fact has ever named this account.", "系统不认识此账户。")) } }
        }
    };
    Ok(page(visitor, lang.say("Withdraw money", "申请提现"), &content))
}

fn maximums(visitor: &Visitor, quote: &Value) -> Markup {
    let lang = visitor.lang;
    let text = |value: &Value| value.as_str().unwrap_or("—").to_owned();
    html! {
        div.tiles {
            div.tile.calm { span.question { (lang.say("To the source account", "原路退回")) } span.figure.amount { (grouped(&text(&quote["source"]["maximum"]))) } span.about { (text(&quote["currency"])) } }
            div.tile.calm { span.question { (lang.say("To a bank card", "退到银行卡")) } span.figure.amount { (grouped(&text(&quote["bank_card"]["maximum"]))) } span.about { (text(&quote["currency"])) } }
        }
        @if let Some(excluded) = quote["excluded"].as_array().filter(|it| !it.is_empty()) {
            details.card { summary { (lang.say("Top-ups that cannot be withdrawn, and why", "不可提现的充值及原因")) }
                table { tbody { @for it in excluded { tr { td { (text(&it["top_up_id"])) } td.num { span.amount { (text(&it["remaining"])) } }
                    td { @for why in it["source"].as_array().into_iter().flatten() { span.dim { (text(&why["detail"])) " " } } } } } } }
            }
        }
    }
}

fn ask(visitor: &Visitor, sheet: &Sheet) -> Markup {
    let lang = visitor.lang;
    let of = |name: &str| sheet.bank.iter().find(|it| it.0 == name).map_or("", |it| it.1.as_str());
    html! {
        form.card.ask action="/withdraw" method="post" {
            (token(visitor, "/withdraw"))
            input type="hidden" name="account" value=(sheet.account);
            input type="hidden" name="request_id" value=(sheet.request_id);
            div.grid {
                label { span { (lang.say("Amount (CNY)", "金额 (CNY)")) } input name="amount" inputmode="decimal" required value=(sheet.amount); }
                label { span { (lang.say("Route", "路径")) } select name="route" {
                    option value="source" { (lang.say("source account", "原路退回")) }
                    option value="bank_card" selected[sheet.route == "bank_card"] { (lang.say("bank card", "银行卡")) } } }
                label { span { (lang.say("Top-ups, with commas (empty: the newest)", "指定充值，逗号分隔（留空为最新）")) } input name="transactions" value=(sheet.transactions); }
            }
            fieldset { legend { (lang.say("Bank details, for a bank card", "银行卡信息")) }
                div.grid { @for (name, english, chinese) in ACCOUNT { label { span { (lang.say(english, chinese)) } input name=(name) value=(of(name)) autocomplete="off"; } } } }
            fieldset { legend { (lang.say("Verification code", "验证码")) }
                @if let Some((id, code)) = &sheet.code {
                    input type="hidden" name="code_id" value=(id);
                    p.told { (lang.say("The code of this machine: ", "本机验证码：")) strong { (code.as_deref().unwrap_or(lang.say("sent", "已发送"))) } }
                }
                div.grid { label { span { (lang.say("Code", "验证码")) } input name="code" inputmode="numeric" autocomplete="one-time-code"; } }
                button type="submit" name="step" value="code" { (lang.say("Send a code", "发送验证码")) }
            }
            button.primary type="submit" name="step" value="ask" { (lang.say("Withdraw", "提交申请")) }
        }
    }
}

/// `POST /withdraw`: issues a code, or publishes the request.
pub(crate) async fn publish(Extract(state): Extract<State>, form: Filled) -> Response {
    let visitor = &form.visitor;
    let filled = |name: &'static str| (name, form.field(name).to_owned());
    let mut sheet = Sheet {
        account: form.field("account").to_owned(),
        amount: form.field("amount").to_owned(),
        route: form.field("route").to_owned(),
        transactions: form.field("transactions").to_owned(),
        request_id: form.field("request_id").to_owned(),
        bank: ACCOUNT.iter().map(|it| filled(it.0)).collect(),
        code: None,
    };
    if form.field("step") == "code" {
        let page = match send_code(&state, visitor, &sheet).await {
            Ok(code) => {
                sheet.code = Some(code);
                content(&state, visitor, &sheet).await
            }
            Err(refusal) => Err(refusal),
        };
        return shown(visitor, page);
    }
    match ask_for_it(&state, &form, &sheet).await {
        Ok(place) => (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response(),
        Err(refusal) => refused(visitor, &refusal),
    }
}

async fn send_code(
    state: &State,
    visitor: &Visitor,
    sheet: &Sheet,
) -> Result<(Uuid, Option<String>), Refusal> {
    visitor.needs(Role::Operator)?;
    let wrong =
        |field: &str, rule: String| Refusal::from(Problem::malformed(Code::InvalidValue, field, rule));
    let wish = CodeWish {
        account_id: sheet.account.parse().map_err(|rule| wrong("/account", format!("{rule}")))?,
        amount: Money::parse(&sheet.amount, Currency::Cny)
            .map_err(|rule| wrong("/amount", rule.to_string()))?,
        currency: Currency::Cny,
        route: sheet.route.parse().map_err(|_| wrong("/route", "must be source or bank_card".to_owned()))?,
        request_id: sheet.request_id.parse().map_err(|rule| wrong("/request_id", format!("{rule}")))?,
    };
    let deed = visitor.person.deed("issue_code", sheet.account.as_str());
    let issued = state.desk()?.engine.issue_code(wish, deed).await?;
    Ok((issued.id, issued.code))
}

/// Publishes the request, and answers where its withdrawal is, or will be.
async fn ask_for_it(state: &State, form: &Filled, sheet: &Sheet) -> Result<String, Refusal> {
    let visitor = &form.visitor;
    visitor.needs(Role::Operator)?;
    let engine = &state.desk()?.engine;
    let mut body = json!({
        "account_id": sheet.account, "amount": sheet.amount, "currency": "CNY", "route": sheet.route,
    });
    let named: Vec<&str> = sheet.transactions.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    body["transactions"] = if named.is_empty() { "auto".into() } else { named.into() };
    let bank: serde_json::Map<String, Value> = sheet
        .bank
        .iter()
        .filter(|it| !it.1.is_empty())
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    if !bank.is_empty() {
        body["bank_account"] = bank.into();
    }
    if let Ok(id) = form.field("code_id").parse::<Uuid>() {
        let deed = visitor.person.deed("confirm_code", id.to_string());
        body["verification"] = engine.confirm_code(id, form.field("code").to_owned(), deed).await?.into();
    }
    let name = (sheet.request_id.clone(), None);
    let body = body.to_string();
    let Made { message, first } = request::request(state, &visitor.person, name, body.as_bytes()).await?;
    let word = if first { "published" } else { "repeated" };
    let (source, id) = (message.source.to_string(), message.id.to_string());
    engine.publish(message, visitor.person.deed("publish_request", id.as_str())).await?;
    for _ in 0..LOOKS {
        let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
        let known = withdrawals::known_requests(&mut connection, &[&source], &[&id]).await?;
        if let Some(it) = known.first() {
            return Ok(format!("/withdrawals/{}?done={word}", it.id));
        }
        drop(connection);
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(format!("/withdrawals?q={id}"))
}
