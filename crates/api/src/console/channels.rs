//! Channels: what each carries, what its gateway answers and how fast, and the
//! switches that stop it.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use chrono::TimeDelta;
use domain::{Circuit, CircuitState, Rail};
use maud::{Markup, html};
use store::circuits;
use store::operators::Role;
use store::overview::{self, CallCount, LegCount};
use store::stops::{self, ALL, Stop};
use strum::IntoEnumIterator;

use super::frame::{after, page, reason_form, shown};
use super::session::{Filled, Visitor};
use super::words::{badge, leg_state, moment, moment_or_dash, yuan};
use crate::State;
use crate::body;
use crate::channel::turn;
use crate::refusal::Refusal;

/// `GET /channels`
pub(super) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let page = content(&state, &visitor).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor) -> Result<Markup, Refusal> {
    let lang = visitor.lang;
    let since = state.desk()?.engine.now() - TimeDelta::hours(24);
    let mut tx = state.database.snapshot().await?;
    let stops = stops::all(&mut tx).await?;
    let circuits = circuits::all(&mut tx).await?;
    let legs = overview::open_legs(&mut tx).await?;
    let calls = overview::calls(&mut tx, since).await?;
    let content = html! {
        section.card.switch-all {
            h2 { (lang.say("Every channel", "所有渠道")) }
            p { (lang.say("The kill switch stops every send in less than a second. What is under way is still asked about.", "总开关可在一秒内停止所有付款；在途款项仍会继续查询。")) }
            (switch(visitor, ALL, &stops, false))
        }
        @for rail in Rail::iter() {
            section.card {
                h2 { (lang.rail(rail)) }
                @let rests = circuits.iter().find(|it| it.0 == rail && it.1.circuit.state != CircuitState::Closed);
                (switch(visitor, rail.into(), &stops, rests.is_some()))
                @if let Some((_, row)) = rests { (circuit(visitor, rail, &row.circuit)) }
                (carried(visitor, rail, &legs))
                (answered(visitor, rail, &calls))
            }
        }
    };
    Ok(page(visitor, lang.say("Channels", "渠道"), &content))
}

/// The switch of a channel. Where its circuit rests nobody stopped it, and nothing goes out.
fn switch(visitor: &Visitor, name: &str, stops: &[Stop], rests: bool) -> Markup {
    let lang = visitor.lang;
    let stop = stops.iter().find(|it| it.name == name);
    let may = visitor.person.may(Role::Operator);
    html! {
        @if let Some(stop) = stop {
            p { (badge(("bad", "‖"), lang.say("stopped", "已停止"))) " " (stop.thrown_by) " · " (moment(stop.thrown_at)) " · “" (stop.reason) "”" }
            @if may { (reason_form(visitor, &format!("/channels/{name}/resume"), lang.say("Let sends go on", "恢复付款"), "primary")) }
        } @else {
            @if !rests { p { (badge(("good", "✓"), lang.say("sends go out", "正常付款"))) } }
            @if may { (reason_form(visitor, &format!("/channels/{name}/pause"), lang.say("Stop sends", "停止付款"), "danger")) }
        }
    }
}

/// A circuit that rests: why, since when, and what happens next.
fn circuit(visitor: &Visitor, rail: Rail, it: &Circuit) -> Markup {
    let lang = visitor.lang;
    html! {
        p {
            (badge(("bad", "⚡"), lang.say("circuit open", "熔断"))) " " (moment_or_dash(it.opened_at)) " · "
            code { (it.cause.as_deref().unwrap_or("—")) } " · "
            @if it.state == CircuitState::HalfOpen { (lang.say("one payment is finding out whether the channel is well again", "正以一笔付款试探渠道是否恢复")) }
            @else { (lang.say("next try ", "下次尝试 ")) (moment_or_dash(it.probe_at)) }
        }
        p.dim { (lang.say("Nothing is sent and nothing fails meanwhile; what is in doubt is still asked about.", "期间不付款、不判失败；存疑款项仍会继续查询。")) }
        @if visitor.person.may(Role::Operator) {
            (reason_form(visitor, &format!("/channels/{rail}/resume"), lang.say("Close the circuit now", "立即恢复"), "primary"))
        }
    }
}

fn carried(visitor: &Visitor, rail: Rail, legs: &[LegCount]) -> Markup {
    let lang = visitor.lang;
    let legs: Vec<&LegCount> = legs.iter().filter(|it| it.rail == rail).collect();
    html! { @if !legs.is_empty() { table {
        thead { tr { th { (lang.say("Legs", "分笔")) } th.num { (lang.say("Number", "笔数")) } th.num { (lang.say("Amount", "金额")) } th { (lang.say("First deadline", "最近期限")) } } }
        tbody { @for it in legs { tr { td { (leg_state(lang, it.state)) } td.num { (it.number) } td.num { (yuan(it.amount)) } td { (moment_or_dash(it.first_deadline)) } } } }
    } } }
}

fn answered(visitor: &Visitor, rail: Rail, calls: &[CallCount]) -> Markup {
    let lang = visitor.lang;
    let calls: Vec<&CallCount> = calls.iter().filter(|it| it.rail == rail).collect();
    html! {
        h3 { (lang.say("Calls of the last 24 hours", "最近 24 小时调用")) }
        @if calls.is_empty() { p.dim { (lang.say("There were none.", "没有调用。")) } }
        @else { table {
            thead { tr { th { (lang.say("Call", "调用")) } th { (lang.say("Outcome", "结果")) } th { (lang.say("Code", "代码")) } th.num { (lang.say("Number", "次数")) } th.num { (lang.say("Mean", "平均耗时")) } } }
            tbody { @for it in calls { tr { td { (it.kind) } td { (it.outcome) } td { (it.code.as_deref().unwrap_or("—")) } td.num { (it.number) }
                td.num { @if let Some(ms) = it.mean_ms { (ms) " ms" } @else { "—" } } } } }
        } }
    }
}

/// `POST /channels/{channel}/pause`
pub(super) async fn pause(
    Extract(state): Extract<State>,
    Path(name): Path<String>,
    form: Filled,
) -> Response {
    let done = move_switch(&state, &form, (&name, true)).await;
    after(&form.visitor, done, "/channels", "paused")
}

/// `POST /channels/{channel}/resume`
pub(super) async fn resume(
    Extract(state): Extract<State>,
    Path(name): Path<String>,
    form: Filled,
) -> Response {
    let done = move_switch(&state, &form, (&name, false)).await;
    after(&form.visitor, done, "/channels", "resumed")
}

async fn move_switch(state: &State, form: &Filled, switch: (&str, bool)) -> Result<(), Refusal> {
    form.visitor.needs(Role::Operator)?;
    let reason = body::reason(form.field("reason"))?;
    turn(state, &form.visitor.person, switch, &reason).await
}
