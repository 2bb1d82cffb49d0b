//! The overview answers four questions: what needs approval, what is unusual,
//! what is getting old, and which channel is unhealthy. Every tile leads on.

use axum::extract::State as Extract;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::{CircuitState, LegState, Money, Rail, WithdrawalState};
use maud::{Markup, html};
use store::overview::{self, LegCount, StateCount};
use store::{Tx, circuits, history, parked, stops};
use strum::IntoEnumIterator;

use super::frame::{page, shown};
use super::session::Visitor;
use super::words::{Lang, age, badge, moment_or_dash, yuan};
use crate::State;
use crate::refusal::Refusal;

/// `GET /`
pub(super) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let page = content(&state, &visitor).await;
    shown(&visitor, page)
}

/// Everything that the page is made of.
struct Seen {
    now: DateTime<Utc>,
    states: Vec<StateCount>,
    legs: Vec<LegCount>,
    stops: Vec<stops::Stop>,
    /// Channels whose circuit is not closed.
    resting: Vec<Rail>,
    parked: Vec<parked::Group>,
    totals: history::Totals,
}

async fn content(state: &State, visitor: &Visitor) -> Result<Markup, Refusal> {
    let mut tx = state.database.snapshot().await?;
    let seen = Seen {
        now: state.desk()?.engine.now(),
        states: overview::states(&mut tx).await?,
        legs: overview::open_legs(&mut tx).await?,
        stops: stops::all(&mut tx).await?,
        resting: resting(&mut tx).await?,
        parked: parked::groups(&mut tx).await?,
        totals: history::totals(&mut tx).await?,
    };
    let lang = visitor.lang;
    let content = html! {
        div.tiles {
            (approvals(lang, &seen))
            (unusual(lang, &seen))
            (old(lang, &seen))
            (health(lang, &seen))
        }
        (open(lang, &seen))
        (channels(lang, &seen))
        (books(lang, &seen))
    };
    Ok(page(visitor, lang.say("Overview", "总览"), &content))
}

/// Channels that are left in peace because their calls kept failing.
async fn resting(tx: &mut Tx) -> Result<Vec<Rail>, store::Error> {
    let all = circuits::all(tx).await?;
    Ok(all.into_iter().filter(|it| it.1.circuit.state != CircuitState::Closed).map(|it| it.0).collect())
}

impl Seen {
    fn of(&self, state: WithdrawalState) -> Option<&StateCount> {
        self.states.iter().find(|it| it.state == state)
    }

    fn legs_in(&self, states: &[LegState]) -> (i64, Money) {
        let legs = self.legs.iter().filter(|it| states.contains(&it.state));
        legs.fold((0, Money::ZERO), |(number, sum), it| {
            (number + it.number, Money::from_minor(sum.minor() + it.amount.minor()))
        })
    }
}

/// A tile: a question, a figure, what it is about, and where it leads.
fn tile(class: &str, place: &str, question: &str, figure: i64, about: &Markup) -> Markup {
    html! { a class={ "tile " (class) } href=(place) { span.question { (question) } span.figure { (figure) } span.about { (about) } } }
}

fn approvals(lang: Lang, seen: &Seen) -> Markup {
    let waiting = seen.of(WithdrawalState::PendingApproval);
    let number = waiting.map_or(0, |it| it.number);
    let about = html! {
        @if let Some(it) = waiting { (yuan(it.amount)) " · " (lang.say("oldest ", "最早 ")) (age(lang, it.oldest, seen.now)) }
        @else { (lang.say("nothing waits for people", "没有待审批的提现")) }
    };
    tile(
        if number > 0 { "wait" } else { "calm" },
        "/approve",
        lang.say("What needs approval?", "哪些待审批？"),
        number,
        &about,
    )
}

fn unusual(lang: Lang, seen: &Seen) -> Markup {
    let (doubt, sum) = seen.legs_in(&[LegState::Unknown, LegState::ManualReview, LegState::Returned]);
    let required = seen.of(WithdrawalState::ActionRequired).map_or(0, |it| it.number);
    let parked: i64 = seen.parked.iter().map(|it| it.number).sum();
    let about = html! {
        (doubt) " " (lang.say("in doubt", "笔存疑")) " " (yuan(sum)) " · "
        (required) " " (lang.say("need action", "需要处理")) " · " (parked) " " (lang.say("parked", "滞留"))
    };
    let number = doubt + required + parked;
    tile(
        if number > 0 { "bad" } else { "calm" },
        "/attention",
        lang.say("What is unusual?", "哪些异常？"),
        number,
        &about,
    )
}

fn old(lang: Lang, seen: &Seen) -> Markup {
    let open = || seen.legs.iter().filter(|it| it.state != LegState::Planned);
    let first = open().filter_map(|it| it.first_deadline).min();
    let late: i64 =
        open().filter(|it| it.first_deadline.is_some_and(|at| at < seen.now)).map(|it| it.number).sum();
    let about = html! {
        @if let Some(at) = first { (lang.say("next deadline in ", "最近期限还有 ")) (age(lang, seen.now, at)) }
        @else { (lang.say("no deadline runs", "没有运行中的期限")) }
    };
    tile(
        if late > 0 { "bad" } else { "calm" },
        "/schedule",
        lang.say("What is getting old?", "哪些快到期？"),
        late,
        &about,
    )
}

fn health(lang: Lang, seen: &Seen) -> Markup {
    let number = i64::try_from(seen.stops.len() + seen.resting.len()).unwrap_or(i64::MAX);
    let about = html! {
        @if number == 0 { (lang.say("every channel pays", "所有渠道正常付款")) }
        @for stop in &seen.stops { (stop.name) ": " (stop.reason) " " }
        @for rail in &seen.resting { (lang.rail(*rail)) ": " (lang.say("circuit open", "熔断")) " " }
    };
    tile(
        if number > 0 { "bad" } else { "calm" },
        "/channels",
        lang.say("Which channel is stopped?", "哪个渠道停了？"),
        number,
        &about,
    )
}

fn open(lang: Lang, seen: &Seen) -> Markup {
    html! {
        section.card {
            h2 { (lang.say("Under way", "进行中")) }
            @if seen.states.is_empty() { (super::frame::nothing(lang.say("Nothing is under way.", "没有进行中的提现。"))) }
            @else {
                table {
                    thead { tr { th { (lang.say("State", "状态")) } th.num { (lang.say("Number", "笔数")) } th.num { (lang.say("Amount", "金额")) } th { (lang.say("Oldest", "最早")) } } }
                    tbody { @for it in &seen.states {
                        tr data-row { td { a href={ "/withdrawals?state=" (it.state) } { (super::words::state(lang, it.state)) } }
                            td.num { (it.number) } td.num { (yuan(it.amount)) } td { (age(lang, it.oldest, seen.now)) } }
                    } }
                }
            }
        }
    }
}

fn channels(lang: Lang, seen: &Seen) -> Markup {
    let is_stopped =
        |rail: Rail| seen.stops.iter().any(|it| it.name == stops::ALL || it.name == <&str>::from(rail));
    let count = |rail: Rail, states: &[LegState]| -> i64 {
        seen.legs.iter().filter(|it| it.rail == rail && states.contains(&it.state)).map(|it| it.number).sum()
    };
    html! {
        section.card {
            h2 { (lang.say("Channels", "渠道")) }
            table {
                thead { tr { th { (lang.say("Channel", "渠道")) } th { (lang.say("Sends", "付款")) } th.num { (lang.say("Scheduled", "已排期")) }
                    th.num { (lang.say("Under way", "处理中")) } th.num { (lang.say("Unknown", "未知")) } th { (lang.say("First deadline", "最近期限")) } } }
                tbody { @for rail in Rail::iter() {
                    tr { td { a href="/channels" { (lang.rail(rail)) } }
                        td { @if is_stopped(rail) { (badge(("bad", "‖"), lang.say("stopped", "已停止"))) }
                            @else if seen.resting.contains(&rail) { (badge(("bad", "⚡"), lang.say("circuit open", "熔断"))) }
                            @else { (badge(("good", "✓"), lang.say("go out", "正常"))) } }
                        td.num { (count(rail, &[LegState::Scheduled])) }
                        td.num { (count(rail, &[LegState::Dispatching, LegState::Submitted])) }
                        td.num { (count(rail, &[LegState::Unknown, LegState::ManualReview])) }
                        td { (moment_or_dash(seen.legs.iter().filter(|it| it.rail == rail).filter_map(|it| it.first_deadline).min())) } }
                } }
            }
        }
    }
}

fn books(lang: Lang, seen: &Seen) -> Markup {
    let it = &seen.totals;
    html! {
        section.card {
            h2 { (lang.say("Books", "账本")) }
            dl.facts {
                dt { (lang.say("Withdrawals", "提现")) } dd.num { (it.withdrawals) }
                dt { (lang.say("Paid out", "已付")) } dd.num { (yuan(it.paid_out)) }
                dt { (lang.say("Requests that came again", "重复申请")) } dd.num { (it.repeats) }
                dt { (lang.say("Messages not published yet", "待发布消息")) } dd.num { (it.unpublished) }
            }
        }
    }
}
