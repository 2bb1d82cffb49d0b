//! What `outflow reconcile` prints.

use chrono::NaiveDate;
use domain::{Money, Rail};
use serde_json::{Value, json};
use store::statement_days::Day;
use store::statement_differences::Difference;
use workers::reconcile::Outcome;

use crate::cli::{General, ResolveDifference};
use crate::output;

/// Settlement days, each with how many differences are open.
pub(super) fn days(general: &General, days: &[(Day, i64)]) {
    if general.output.is_data() {
        let rows: Vec<Value> = days.iter().map(|(day, open)| day_in_json(day, *open)).collect();
        output::list(general.output, DAY_FIELDS, &rows);
    } else {
        let mut table =
            output::table(&["day", "channel", "state", "lines", "left", "open", "looked at", "why"]);
        for (day, open) in days {
            let taken = day.taken.as_ref();
            table.add_row([
                day.day.to_string(),
                day.rail.to_string(),
                day.state.to_string(),
                taken.map(|it| it.lines.to_string()).unwrap_or_default(),
                taken.map(|it| output::yuan(it.total)).unwrap_or_default(),
                open.to_string(),
                output::moment(day.looked_at),
                day.detail.clone().unwrap_or_default(),
            ]);
        }
        println!("{table}");
    }
    if days.iter().any(|(_, open)| *open > 0) {
        output::next(general, "outflow reconcile differences");
    } else {
        output::next(general, "outflow reconcile --rail RAIL --day DATE");
    }
}

/// The fields of [`day_in_json`].
const DAY_FIELDS: &[&str] = &[
    "rail",
    "day",
    "state",
    "lines",
    "total",
    "source",
    "open_differences",
    "detail",
    "looked_at",
    "closed_at",
];

fn day_in_json(day: &Day, open: i64) -> Value {
    let taken = day.taken.as_ref();
    json!({
        "rail": day.rail.to_string(),
        "day": day.day,
        "state": day.state.to_string(),
        "lines": taken.map(|it| it.lines),
        "total": taken.map(|it| output::yuan(it.total)),
        "source": taken.map(|it| &it.source),
        "open_differences": open,
        "detail": day.detail,
        "looked_at": day.looked_at,
        "closed_at": day.closed_at,
    })
}

/// What one look at a day came to.
pub(super) fn outcome(general: &General, (rail, day): (Rail, NaiveDate), it: &Outcome, open: &[Difference]) {
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({
                "rail": rail.to_string(),
                "day": day,
                "state": it.state.to_string(),
                "detail": it.detail,
                "lines": it.lines,
                "settled": it.settled,
                "returned": it.returned,
                "differences": open.iter().map(difference_in_json).collect::<Vec<_>>(),
            }),
        );
        return;
    }
    println!(
        "{rail} {day}  {}  {} lines, {} settled now, {} taken back now",
        it.state, it.lines, it.settled, it.returned
    );
    if !open.is_empty() {
        println!("{}", table(open));
    }
}

/// Differences.
pub(super) fn differences(general: &General, found: &[Difference]) {
    if general.output.is_data() {
        output::list(
            general.output,
            DIFFERENCE_FIELDS,
            &found.iter().map(difference_in_json).collect::<Vec<_>>(),
        );
    } else {
        println!("{}", table(found));
    }
    if let Some(it) = found.iter().find(|it| it.resolved.is_none()) {
        output::next(general, &format!("outflow reconcile resolve {} --reason … --by …", it.id));
    } else {
        output::talk("Nothing is open.");
        output::next(general, "outflow reconcile days");
    }
}

fn table(found: &[Difference]) -> comfy_table::Table {
    let yuan = |amount: Option<Money>| amount.map(output::yuan).unwrap_or_default();
    let mut table =
        output::table(&["difference", "day", "channel", "kind", "number", "ours", "theirs", "what"]);
    for it in found {
        let resolved = it.resolved.as_ref().map(|(by, _, how)| format!(" (resolved by {by}: {how})"));
        table.add_row([
            it.id.to_string(),
            it.day.to_string(),
            it.rail.to_string(),
            it.found.kind.to_string(),
            it.found.subject.clone(),
            yuan(it.found.ours),
            yuan(it.found.theirs),
            format!("{}{}", it.found.detail, resolved.unwrap_or_default()),
        ]);
    }
    table
}

/// The fields of [`difference_in_json`].
const DIFFERENCE_FIELDS: &[&str] = &[
    "id",
    "rail",
    "day",
    "kind",
    "subject",
    "leg_id",
    "ours",
    "theirs",
    "detail",
    "found_at",
    "resolved_by",
    "resolved_at",
    "resolution",
];

fn difference_in_json(it: &Difference) -> Value {
    json!({
        "id": it.id,
        "rail": it.rail.to_string(),
        "day": it.day,
        "kind": it.found.kind.to_string(),
        "subject": it.found.subject,
        "leg_id": it.found.leg_id,
        "ours": it.found.ours.map(output::yuan),
        "theirs": it.found.theirs.map(output::yuan),
        "detail": it.found.detail,
        "found_at": it.found_at,
        "resolved_by": it.resolved.as_ref().map(|it| &it.0),
        "resolved_at": it.resolved.as_ref().map(|it| it.1),
        "resolution": it.resolved.as_ref().map(|it| &it.2),
    })
}

/// A difference that a person resolved.
pub(super) fn resolved(general: &General, wish: &ResolveDifference) {
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({ "id": wish.id, "resolved_by": wish.by, "resolution": wish.reason }),
        );
    }
    output::talk("The difference is resolved; its day closes when it is looked at again.");
}
