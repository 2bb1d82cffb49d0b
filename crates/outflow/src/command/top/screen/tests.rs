//! Screens of a fixed overview, line by line.

use broker::topology::{DEAD, FACTS};
use broker::{Counted, Depth};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Circuit, CircuitState, Rail};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::style::Color;
use store::gauges::{Gauges, Legs, Piles, States};
use store::stops::Stop;

use super::{Look, Paint, draw};
use crate::overview::Overview;

fn overview() -> Overview {
    let at: DateTime<Utc> = "2026-09-23T09:30:00+08:00".parse().unwrap();
    let legs = |(rail, state): (&str, &str), count, hours: Option<i64>| Legs {
        rail: rail.to_owned(),
        state: state.to_owned(),
        count,
        oldest_at: at - TimeDelta::minutes(1),
        next_deadline_at: hours.map(|it| at + TimeDelta::hours(it)),
        overdue: 0,
    };
    let piles = Piles {
        unpublished: 2,
        unpublished_since: Some(at - TimeDelta::seconds(5)),
        parked: 0,
        parked_since: None,
        stopped_accounts: 0,
        waiting_bank_runs: 0,
        bank_runs_since: None,
        open_differences: 0,
    };
    let states = |state: &str, count, hours| States {
        state: state.to_owned(),
        count,
        oldest_at: at - TimeDelta::hours(hours),
    };
    let open = Circuit { state: CircuitState::Open, cause: Some("http_503".to_owned()), ..Circuit::CLOSED };
    let depth = |queue, ready, consumers| Depth { queue, counted: Some(Counted { ready, consumers }) };
    Overview {
        at,
        gauges: Gauges {
            withdrawals: vec![states("pending_approval", 7, 2), states("action_required", 1, 49)],
            legs: vec![
                legs(("alipay", "scheduled"), 5, None),
                legs(("alipay", "dispatching"), 2, None),
                legs(("alipay", "submitted"), 1, None),
                legs(("unionpay", "unknown"), 1, None),
                legs(("bank", "scheduled"), 3, Some(70)),
                legs(("bank", "submitted"), 4, Some(93)),
            ],
            piles,
        },
        stops: vec![Stop {
            name: "wechat".to_owned(),
            reason: "a trial".to_owned(),
            thrown_by: "li.wei".to_owned(),
            thrown_at: at,
        }],
        circuits: vec![(Rail::Alipay, Circuit::CLOSED), (Rail::UnionPay, open)],
        queues: Ok(vec![depth(FACTS, 12, 0), depth(DEAD, 0, 0), Depth { queue: "x", counted: None }]),
    }
}

/// The cells of a screen of this size.
fn cells(overview: &Overview, trouble: Option<&str>, paint: Paint) -> Vec<Vec<Cell>> {
    let mut terminal = Terminal::new(TestBackend::new(110, 24)).unwrap();
    let look = Look { overview, trouble, paint };
    terminal.draw(|frame| draw(frame, &look)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    buffer.content.chunks(usize::from(buffer.area.width)).map(<[Cell]>::to_vec).collect()
}

fn text(cells: &[Vec<Cell>]) -> Vec<String> {
    let line = |line: &Vec<Cell>| line.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned();
    cells.iter().map(line).collect()
}

#[test]
fn everything_that_is_under_way_is_on_one_screen_and_what_needs_somebody_is_marked() {
    let expected = "\
Outflow at 2026-09-23 09:30:00
outbox 2 (5 s)
parked 0
stopped accounts 0
! STOPPED wechat: a trial (li.wei)
! RESTS unionpay: http_503
Channels
  channel   sends    circuit   to go   in flight unknown  review  overdue  deadline
  alipay    go out   closed    5       3         0        0       0
! wechat    STOPPED  closed    0       0         0        0       0
! unionpay  go out   open      0       0         1        0       0
  bank      go out   closed    3       4         0        0       0        in 2 d 22 h

Withdrawals                                               Queues
  state             count       oldest for                  queue                    messages  consumers
  pending_approval  7           2 h 0 min                 ! outflow.facts            12        0
! action_required   1           2 d 1 h                     outflow.dead             0         0
                                                          ! x                        missing





q ends · ! needs somebody · outflow doctor says how to mend";
    let lines = text(&cells(&overview(), None, Paint::Plain));
    assert_eq!(lines, expected.lines().collect::<Vec<_>>(), "\n{}", lines.join("\n"));
}

#[test]
fn a_look_that_failed_leaves_the_one_before_and_says_so() {
    let lines = text(&cells(&overview(), Some("the database is unavailable"), Paint::Plain));
    assert_eq!(lines[6], "! this is the look before: the database is unavailable");
    assert_eq!(lines[16], text(&cells(&overview(), None, Paint::Plain))[15], "the rest stays");
}

#[test]
fn a_broker_that_is_away_is_a_line_of_its_own() {
    let overview = Overview { queues: Err("the broker is unavailable".to_owned()), ..overview() };
    let lines = text(&cells(&overview, None, Paint::Plain));
    assert!(lines[15].ends_with("! the broker is unavailabl"), "{}", lines[15]);
}

#[test]
fn a_deadline_that_is_near_needs_somebody_and_one_that_has_passed_says_how_long_ago() {
    let mut overview = overview();
    let at = overview.at;
    let bank = overview.gauges.legs.iter_mut().find(|it| it.rail == "bank").unwrap();
    (bank.next_deadline_at, bank.overdue) = (Some(at - TimeDelta::hours(3)), 2);
    let lines = text(&cells(&overview, None, Paint::Plain));
    assert_eq!(
        lines[11],
        "! bank      go out   closed    3       4         0        0       2        3 h 0 min ago"
    );
}

#[test]
fn colour_repeats_the_mark_and_nothing_else() {
    for (paint, expected) in [(Paint::Coloured, Color::Red), (Paint::Plain, Color::Reset)] {
        let cells = cells(&overview(), None, paint);
        assert_eq!(cells[4][0].fg, expected, "{paint:?}");
        assert_eq!(cells[0][0].fg, Color::Reset, "what is well has no colour");
    }
}

#[test]
fn what_rarely_waits_for_people_is_a_line_only_then() {
    let mut overview = overview();
    overview.gauges.piles.waiting_bank_runs = 1;
    overview.gauges.piles.open_differences = 3;
    let lines = text(&cells(&overview, None, Paint::Plain));
    assert_eq!(lines[4..6], ["! bank runs that wait 1", "! open differences 3"]);
}
