//! Parked messages: grouped by cause, opened masked, edited and sent again, or
//! discarded. The original and the difference are kept.

use axum::extract::{Path, Query, State as Extract};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use store::operators::Role;
use store::parked::{self, Group, Kept, Wanted as Which};
use uuid::Uuid;

use super::frame::{after, nothing, page, reason_form, shown, token};
use super::session::{Filled, Visitor};
use super::words::{Lang, badge, moment, moment_or_dash};
use crate::State;
use crate::parked::{number, open, send_again, throw_away};
use crate::refusal::Refusal;

/// Rows of a page.
const PAGE: i64 = 50;

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    queue: Option<String>,
    code: Option<String>,
    resolved: Option<String>,
    cursor: Option<Uuid>,
}

/// `GET /parked`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let page = content(&state, &visitor, wanted).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor, wanted: Wanted) -> Result<Markup, Refusal> {
    let lang = visitor.lang;
    let resolved = wanted.resolved.is_some();
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let groups = parked::groups(&mut connection).await?;
    let Wanted { queue, code, cursor, .. } = wanted;
    let rows =
        parked::page(&mut connection, &Which { resolved, queue, code, before: cursor, limit: PAGE }).await?;
    let content = html! {
        @if groups.is_empty() { (nothing(lang.say("No message waits for people.", "没有滞留消息。"))) }
        @else { (causes(lang, &groups)) }
        nav.tabs {
            a href="/parked" aria-current=[(!resolved).then_some("page")] { (lang.say("Waiting", "待处理")) }
            a href="/parked?resolved=yes" aria-current=[resolved.then_some("page")] { (lang.say("Dealt with", "已处理")) }
        }
        @if !rows.is_empty() { (messages(lang, &rows)) }
        @if rows.len() == 50 { @if let Some(last) = rows.last() {
            a.button href={ "/parked?cursor=" (last.id) @if resolved { "&resolved=yes" } } { (lang.say("Older", "更早")) } } }
    };
    Ok(page(visitor, lang.say("Parked messages", "滞留消息"), &content))
}

fn causes(lang: Lang, groups: &[Group]) -> Markup {
    html! { section.card {
        h2 { (lang.say("By cause", "按原因")) }
        p { (lang.say("No worker could use these messages. They moved no money, and they stay here until somebody decides.", "这些消息无法处理，未引起资金变动，将一直保留到有人处理。")) }
        table {
            thead { tr { th { (lang.say("Cause", "原因")) } th { (lang.say("Queue", "队列")) } th.num { (lang.say("Number", "数量")) } th { (lang.say("First", "最早")) } th { (lang.say("Last", "最近")) } } }
            tbody { @for it in groups { tr { td { a href={ "/parked?queue=" (it.queue) "&code=" (it.code) } { (it.title) } } td { code { (it.queue) } } td.num { (it.number) } td { (moment(it.oldest)) } td { (moment(it.newest)) } } } }
        }
    } }
}

fn messages(lang: Lang, rows: &[Kept]) -> Markup {
    let text = |it: &Kept, name: &str| it.problem[name].as_str().unwrap_or_default().to_owned();
    html! { div.scroll { table.list {
        thead { tr { th { (lang.say("Message", "消息")) } th { (lang.say("Queue", "队列")) } th { (lang.say("What is wrong", "问题")) } th { (lang.say("Parked", "滞留时间")) } th { (lang.say("Dealt with", "处理")) } } }
        tbody { @for it in rows { tr data-row {
            td { a href={ "/parked/" (it.id) } { (it.message_id.as_deref().unwrap_or("—")) } div.dim.small { (it.id) } }
            td { code { (it.queue) } } td { strong { (text(it, "title")) } " " code { (text(it, "pointer")) } div.dim.small { (text(it, "detail")) } }
            td { (moment(it.parked_at)) }
            td { @if let Some(what) = &it.resolution { (what) " · " (it.resolved_by.as_deref().unwrap_or_default()) } @else { "—" } }
        } } }
    } } }
}

/// `GET /parked/{id}`
pub(super) async fn one(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let opened = async {
        visitor.needs(Role::Operator)?;
        let (kept, body, sent) = open(&state, &visitor.person, number(&id)?).await?;
        Ok(message(&visitor, &kept, &body, sent.as_deref()))
    };
    let page = opened.await;
    shown(&visitor, page)
}

fn message(visitor: &Visitor, kept: &Kept, body: &str, sent: Option<&str>) -> Markup {
    let lang = visitor.lang;
    let text = |name: &str| kept.problem[name].as_str().unwrap_or_default();
    let base = format!("/parked/{}", kept.id);
    let replay = format!("{base}/replay");
    let content = html! {
        section.card.refusal {
            h2 { (text("title")) " " code { (text("pointer")) } }
            p { (text("detail")) }
            dl.facts {
                dt { (lang.say("Queue", "队列")) } dd { code { (kept.queue) } }
                dt { (lang.say("Message id", "消息号")) } dd { (kept.message_id.as_deref().unwrap_or("—")) }
                dt { (lang.say("Parked", "滞留时间")) } dd { (moment(kept.parked_at)) }
                dt { "SHA-256" } dd { code.small { (hex::encode(&kept.digest)) } }
            }
        }
        @if let Some(what) = &kept.resolution {
            section.card {
                h2 { (badge(("good", "✓"), what)) }
                p { (kept.resolved_by.as_deref().unwrap_or_default()) " · " (moment_or_dash(kept.resolved_at)) " · “" (kept.reason.as_deref().unwrap_or_default()) "”" }
                (changes(lang, kept.diff.as_ref()))
                @if let Some(sent) = sent { h3 { (lang.say("What was sent", "已发送的内容")) } pre { (sent) } }
                h3 { (lang.say("The original", "原始消息")) } pre { (body) }
            }
        } @else {
            section.card {
                h2 { (lang.say("Mend it and send it again", "修改并重发")) }
                p.dim { (lang.say("Account numbers and proofs are masked. What you leave masked is taken from the original.", "账号与凭证已遮盖；保持遮盖的部分将沿用原文。")) }
                form.edit action=(replay) method="post" {
                    (token(visitor, &replay))
                    label { span { (lang.say("Message", "消息")) } textarea #body name="body" rows="22" spellcheck="false" { (body) } }
                    label { span { (lang.say("Reason", "原因")) } input name="reason" required maxlength="500" autocomplete="off"; }
                    button.primary type="submit" { (lang.say("Send again", "重新发送")) }
                }
            }
            section.card { h2 { (lang.say("Or discard it", "或丢弃")) }
                (reason_form(visitor, &format!("{base}/discard"), lang.say("Discard", "丢弃"), "danger")) }
        }
    };
    page(visitor, lang.say("Parked message", "滞留消息"), &content)
}

fn changes(lang: Lang, diff: Option<&Value>) -> Markup {
    let changes = diff.and_then(Value::as_array).filter(|it| !it.is_empty());
    html! { @if let Some(changes) = changes { table.diff {
        thead { tr { th { (lang.say("Field", "字段")) } th { (lang.say("Before", "修改前")) } th { (lang.say("After", "修改后")) } } }
        tbody { @for it in changes { tr { td { code { (it["pointer"].as_str().unwrap_or_default()) } } td { del { (it["before"]) } } td { ins { (it["after"]) } } } } }
    } } }
}

/// `POST /parked/{id}/replay`
pub(super) async fn replay(Extract(state): Extract<State>, Path(id): Path<String>, form: Filled) -> Response {
    let visitor = &form.visitor;
    let done = async {
        visitor.needs(Role::Operator)?;
        let edited = form.whole("body").map(str::to_owned);
        send_again(&state, &visitor.person, (number(&id)?, edited), form.field("reason")).await
    };
    after(visitor, done.await.map(drop), &format!("/parked/{id}"), "replayed")
}

/// `POST /parked/{id}/discard`
pub(super) async fn discard(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    form: Filled,
) -> Response {
    let visitor = &form.visitor;
    let done = async {
        visitor.needs(Role::Operator)?;
        throw_away(&state, &visitor.person, number(&id)?, form.field("reason")).await
    };
    after(visitor, done.await, &format!("/parked/{id}"), "discarded")
}
