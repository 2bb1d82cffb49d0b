//! Withdrawals in a list: the newest, those of one state, or those that a search finds.

use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::WithdrawalState;
use maud::{Markup, html};
use serde::Deserialize;
use store::overview::{self, Filter};
use store::withdrawals::Withdrawal;
use strum::IntoEnumIterator;
use uuid::Uuid;

use super::frame::{nothing, page, shown};
use super::session::Visitor;
use super::words::{Lang, age, amount, moment, state as state_mark};
use crate::State;
use crate::refusal::Refusal;

/// Rows of a page.
const PAGE: i64 = 50;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
    state: Option<String>,
    cursor: Option<Uuid>,
}

/// `GET /withdrawals`. A search that finds one leads there at once.
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let text = wanted.q.as_deref().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
    let filter = Filter {
        states: wanted.state.iter().filter_map(|it| it.parse().ok()).collect(),
        text: text.clone(),
        before: wanted.cursor,
        limit: PAGE,
        ..Filter::default()
    };
    let found = async {
        let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
        Ok::<_, Refusal>((overview::withdrawals(&mut connection, &filter).await?, state.desk()?.engine.now()))
    };
    let page = match found.await {
        Ok((rows, _)) if text.is_some() && rows.len() == 1 => {
            let place = format!("/withdrawals/{}", rows[0].id);
            return (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response();
        }
        Ok((rows, now)) => Ok(content(&visitor, &rows, &filter, now)),
        Err(refusal) => Err(refusal),
    };
    shown(&visitor, page)
}

fn content(visitor: &Visitor, rows: &[Withdrawal], filter: &Filter, now: DateTime<Utc>) -> Markup {
    let lang = visitor.lang;
    let next = rows.last().filter(|_| rows.len() == 50);
    let state = filter.states.first();
    let content = html! {
        form.filter action="/withdrawals" {
            label { span { (lang.say("State", "状态")) }
                select name="state" {
                    option value="" { (lang.say("every state", "全部状态")) }
                    @for it in WithdrawalState::iter() {
                        option value=(it) selected[state == Some(&it)] { (lang.state(it)) }
                    }
                } }
            button type="submit" { (lang.say("Show", "查看")) }
        }
        @if let Some(text) = &filter.text {
            p.dim { (rows.len()) " " (lang.say("found for", "条结果：")) " “" (text) "”" }
        }
        @if rows.is_empty() { (nothing(lang.say("No withdrawal is like this.", "没有符合条件的提现。"))) }
        @else { (table(lang, rows, now)) }
        @if let Some(last) = next {
            a.button href={ "/withdrawals?cursor=" (last.id) @if let Some(it) = state { "&state=" (it) } } { (lang.say("Older", "更早")) }
        }
    };
    page(visitor, lang.say("Withdrawals", "提现记录"), &content)
}

/// A table of withdrawals, each row of which can be chosen by keyboard.
pub(super) fn table(lang: Lang, rows: &[Withdrawal], now: DateTime<Utc>) -> Markup {
    html! {
        div.scroll { table.list {
            thead { tr {
                th { (lang.say("Withdrawal", "提现")) } th { (lang.say("Account", "账户")) } th.num { (lang.say("Amount", "金额")) }
                th { (lang.say("Route", "路径")) } th { (lang.say("State", "状态")) } th { (lang.say("Requester", "申请人")) }
                th { (lang.say("Received", "收到")) } th { (lang.say("Age", "已过")) }
            } }
            tbody { @for it in rows {
                tr data-row {
                    td { a href={ "/withdrawals/" (it.id) } { (it.request_id) } div.dim.small { (it.id) } }
                    td { (it.account_id) } td.num { (amount(it.amount, it.currency)) }
                    td { (lang.route(it.route)) } td { (state_mark(lang, it.state)) } td { (it.requester) }
                    td { (moment(it.received_at)) } td { (age(lang, it.received_at, now)) }
                }
            } }
        } }
    }
}
