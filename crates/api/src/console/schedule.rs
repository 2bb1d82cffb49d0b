//! The schedule: what leaves and what must have arrived, by day, with holidays
//! and make-up working days (R7, R7b).

use axum::extract::State as Extract;
use axum::response::Response;
use chrono::{Datelike, NaiveDate, TimeDelta};
use domain::{Money, date_in_shanghai, end_of_day};
use maud::{Markup, html};
use store::overview::{self, DayCount};

use super::frame::{page, shown};
use super::session::Visitor;
use super::words::{Lang, badge, day, moment, yuan};
use crate::State;
use crate::calendar::kind;
use crate::refusal::Refusal;

/// Days that the page shows.
const DAYS: i64 = 28;

/// `GET /schedule`
pub(super) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let page = content(&state, &visitor).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor) -> Result<Markup, Refusal> {
    let (lang, desk) = (visitor.lang, state.desk()?);
    let now = desk.engine.now();
    let today = date_in_shanghai(now);
    let from = end_of_day(today) - TimeDelta::days(8);
    let mut tx = state.database.snapshot().await?;
    let due = overview::days(&mut tx, from, end_of_day(today) + TimeDelta::days(DAYS)).await?;
    let late: i64 = due.iter().filter(|it| !it.leaves && it.day < today).map(|it| it.number).sum();
    let deadline = desk.calendar.bank_deadline(now);
    let cut_off = desk.calendar.next_cut_off(now, &desk.bank_cut_offs);
    let content = html! {
        section.card { dl.facts {
            dt { (lang.say("Next bank cut-off", "下一个银行截止时间")) } dd { (moment(cut_off.at)) }
            dt { (lang.say("Approved now, a bank payout has arrived by", "现在批准的银行付款最迟到账")) } dd { (moment(deadline.at))
                @if deadline.provisional { " " em { (lang.say("provisional", "暂定")) } } }
            @if late > 0 { dt { (lang.say("Past their deadline", "已超期")) } dd { (badge(("bad", "!"), "")) (late) } }
        } }
        div.scroll { table.calendar {
            thead { tr { th { (lang.say("Day", "日期")) } th { (lang.say("Kind", "类型")) } th.num { (lang.say("Leaves", "付出")) } th.num {} th.num { (lang.say("Must have arrived", "应到账")) } th.num {} } }
            tbody { @for date in today.iter_days().take(28) {
                (line(lang, (date, kind(&desk.calendar, date), desk.calendar.knows(date.year())), &due, today)) } }
        } }
    };
    Ok(page(visitor, lang.say("Schedule", "排期"), &content))
}

fn line(
    lang: Lang,
    (date, kind, is_official): (NaiveDate, &str, bool),
    due: &[DayCount],
    today: NaiveDate,
) -> Markup {
    let of = |leaves: bool| -> (i64, Money) {
        due.iter()
            .find(|it| it.day == date && it.leaves == leaves)
            .map_or((0, Money::ZERO), |it| (it.number, it.amount))
    };
    let (leaves, arrives) = (of(true), of(false));
    let (word, class) = match kind {
        "holiday" => (lang.say("holiday", "法定节假日"), "off"),
        "weekend" => (lang.say("weekend", "周末"), "off"),
        "make_up_day" => (lang.say("make-up working day", "调休上班"), "makeup"),
        _ => (lang.say("working day", "工作日"), "work"),
    };
    html! { tr class={ (class) @if date == today { " today" } } {
        td { (day(lang, date)) @if date == today { " " strong { (lang.say("today", "今天")) } } }
        td { (word) @if !is_official { " " em { (lang.say("not official yet", "尚未公布")) } } }
        td.num { @if leaves.0 > 0 { (leaves.0) } @else { span.dim { "·" } } } td.num { @if leaves.0 > 0 { (yuan(leaves.1)) } }
        td.num { @if arrives.0 > 0 { (arrives.0) } @else { span.dim { "·" } } } td.num { @if arrives.0 > 0 { (yuan(arrives.1)) } }
    } }
}
