//! The audit: everything that people did, as a chain (S13).

use axum::extract::{Query, State as Extract};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use store::audit::{self, Entry};
use store::operators::Role;

use super::frame::{page, shown};
use super::session::Visitor;
use super::words::{Lang, moment};
use crate::State;
use crate::refusal::Refusal;

/// Rows of a page.
const PAGE: i64 = 100;

/// Where the page begins.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    before: Option<i64>,
}

/// `GET /audit`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let page = content(&state, &visitor, wanted.before).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor, before: Option<i64>) -> Result<Markup, Refusal> {
    visitor.needs(Role::Approver)?;
    let lang = visitor.lang;
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let entries = audit::page(&mut connection, None, before, PAGE).await?;
    let older = entries.last().filter(|_| entries.len() == 100);
    let content = html! {
        p.dim { (lang.say(
            "Each entry holds the digest of the one before it. Keep the newest one elsewhere, and nothing before it can be changed unseen.",
            "每条记录都含有上一条的摘要。把最新摘要存于别处，此前的任何改动都会暴露。")) }
        (table(lang, &entries))
        @if let Some(last) = older { a.button href={ "/audit?before=" (last.sequence) } { (lang.say("Older", "更早")) } }
    };
    Ok(page(visitor, lang.say("Audit", "审计"), &content))
}

/// Entries, the newest first.
pub(super) fn table(lang: Lang, entries: &[Entry]) -> Markup {
    html! { div.scroll { table.list {
        thead { tr { th.num { "№" } th { (lang.say("When", "时间")) } th { (lang.say("Who", "操作人")) } th { (lang.say("Did what", "操作")) }
            th { (lang.say("To what", "对象")) } th { (lang.say("Detail", "详情")) } th { (lang.say("Digest", "摘要")) } } }
        tbody { @for it in entries { tr {
            td.num { (it.sequence) } td { (moment(it.at)) } td { (it.deed.actor) div.dim.small { (it.deed.role) } } td { (it.deed.action) }
            td { (subject(&it.deed.subject)) } td.small { (detail(it)) } td { code.small title=(hex::encode(&it.digest)) { (&hex::encode(&it.digest)[..12]) } }
        } } }
    } } }
}

fn subject(text: &str) -> Markup {
    let is_number = text.parse::<uuid::Uuid>().is_ok();
    html! { @if is_number { a href={ "/withdrawals?q=" (text) } { code.small { (text) } } } @else { (text) } }
}

fn detail(it: &Entry) -> Markup {
    let fields = it.deed.detail.as_object();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let kept = fields.into_iter().flatten().filter(|(_, value)| !value.is_null());
    html! { @for (name, value) in kept { div { span.dim { (name) ": " } (text(value)) } } }
}
