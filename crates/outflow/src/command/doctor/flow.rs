//! What waits for somebody: stops, doubts, deadlines, late events, parked messages.

use broker::Connections;
use chrono::{DateTime, Utc};
use store::Database;
use store::checks::{self, Check};

use super::Finding;
use crate::output::{age, moment};
use crate::overview::Overview;

/// A payment in doubt for longer is nobody's usual second.
const UNKNOWN_MAX_SECONDS: i64 = 15 * 60;

/// The verify worker looks each minute.
const CHECKED_MAX_SECONDS: i64 = 5 * 60;

/// A claim is leased for minutes; then it is taken up by settle.
const DISPATCHING_MAX_SECONDS: i64 = 10 * 60;

/// The outbox empties in well under a second.
const LAG_MAX_SECONDS: i64 = 60;

/// Looks at what is under way.
pub(super) async fn examine(
    database: &Database,
    connections: &Connections,
    at: DateTime<Utc>,
) -> Vec<Finding> {
    let mut findings = match Overview::read(database, connections, at).await {
        Ok(overview) => judge(&overview),
        Err(error) => vec![Finding::bad("books", format!("{error:#}"), "outflow migrate")],
    };
    let checks = async {
        let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
        checks::all(&mut connection).await
    };
    findings.push(match checks.await {
        Ok(checks) => invariants(&checks, at),
        Err(error) => Finding::bad("invariants", error.to_string(), "outflow migrate"),
    });
    findings
}

/// What the verify worker found at its last look.
fn invariants(checks: &[Check], at: DateTime<Utc>) -> Finding {
    if let Some(it) = checks.iter().find(|it| it.violations > 0) {
        let example = it.example.as_deref().unwrap_or_default();
        let detail = format!("{} is broken by {} rows: {example}", it.invariant, it.violations);
        return Finding::bad("invariants", detail, "deploy/runbook/broken-invariant.md; outflow verify");
    }
    let Some(oldest) = checks.iter().map(|it| it.checked_at).min() else {
        return Finding::doubtful("invariants", "nobody has looked yet", "outflow run verify");
    };
    let ago = (at - oldest).num_seconds().max(0);
    if ago > CHECKED_MAX_SECONDS {
        let detail = format!("nobody has looked for {}", age(ago));
        return Finding::doubtful("invariants", detail, "outflow run verify");
    }
    Finding::good("invariants", format!("{} hold, looked at {} ago", checks.len(), age(ago)))
}

fn judge(overview: &Overview) -> Vec<Finding> {
    let piles = &overview.gauges.piles;
    let mut findings = vec![stops(overview), doubts(overview), interrupted(overview), deadlines(overview)];
    let lag = piles.unpublished_since.map_or(0, |it| overview.age(it));
    findings.push(if lag > LAG_MAX_SECONDS {
        let detail = format!("{} messages wait, the first for {}", piles.unpublished, age(lag));
        Finding::bad("outbox", detail, "deploy/runbook/outbox-lag.md")
    } else {
        Finding::good("outbox", format!("{} messages wait", piles.unpublished))
    });
    let for_people = [
        ("parked messages", piles.parked, "messages wait for people", "deploy/runbook/parked-message.md"),
        (
            "stopped accounts",
            piles.stopped_accounts,
            "accounts pay nothing out",
            "outflow facts status; deploy/runbook/stopped-account.md",
        ),
        (
            "bank runs",
            piles.waiting_bank_runs,
            "runs over the limit of a day wait for people",
            "outflow bank-run list; deploy/runbook/bank-run.md",
        ),
        (
            "differences",
            piles.open_differences,
            "disagreements of statements and books are open",
            "outflow reconcile differences; deploy/runbook/reconciliation.md",
        ),
    ];
    findings.extend(for_people.map(|(name, count, what, mend)| match count {
        0 => Finding::good(name, "none"),
        _ => Finding::doubtful(name, format!("{count} {what}"), mend),
    }));
    findings
}

fn stops(overview: &Overview) -> Finding {
    let Some(first) = overview.stops.first() else {
        return Finding::good("stops", "none is thrown");
    };
    let detail =
        format!("{} since {}: {} ({})", first.name, moment(first.thrown_at), first.reason, first.thrown_by);
    Finding::bad("stops", detail, format!("outflow channel resume {} --reason … --by …", first.name))
}

/// Payments in doubt, and those that only people can end.
fn doubts(overview: &Overview) -> Finding {
    let legs = &overview.gauges.legs;
    if let Some(it) = legs.iter().find(|it| it.state == "manual_review") {
        let detail = format!("{} legs on {} wait for people with evidence", it.count, it.rail);
        return Finding::bad("outcomes", detail, "deploy/runbook/manual-review.md");
    }
    let unknown = legs.iter().filter(|it| it.state == "unknown");
    match unknown.max_by_key(|it| overview.age(it.oldest_at)) {
        Some(it) if overview.age(it.oldest_at) > UNKNOWN_MAX_SECONDS => {
            let detail = format!(
                "{} legs on {} are unknown, one for {}",
                it.count,
                it.rail,
                age(overview.age(it.oldest_at))
            );
            Finding::bad("outcomes", detail, "deploy/runbook/unknown-outcome.md")
        }
        Some(it) => Finding::good("outcomes", format!("{} unknown, and being asked about", it.count)),
        None => Finding::good("outcomes", "none is unknown"),
    }
}

/// Calls that a worker began and nobody has ended: queues that have grown old.
fn interrupted(overview: &Overview) -> Finding {
    let dispatching = overview.gauges.legs.iter().filter(|it| it.state == "dispatching");
    match dispatching.max_by_key(|it| overview.age(it.oldest_at)) {
        Some(it) if overview.age(it.oldest_at) > DISPATCHING_MAX_SECONDS => {
            let detail = format!("{} has a call under way for {}", it.rail, age(overview.age(it.oldest_at)));
            Finding::bad("calls under way", detail, "outflow run settle takes up what was interrupted")
        }
        _ => Finding::good("calls under way", "none for long"),
    }
}

fn deadlines(overview: &Overview) -> Finding {
    let overdue: i64 = overview.gauges.legs.iter().map(|it| it.overdue).sum();
    if overdue > 0 {
        let detail = format!("{overdue} legs are past theirs");
        return Finding::bad(
            "deadlines",
            detail,
            "outflow status shows the rail; deploy/runbook/missed-deadline.md",
        );
    }
    Finding::good("deadlines", "none is missed")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use store::checks::Check;
    use store::gauges::{Gauges, Legs, Piles};
    use store::stops::Stop;

    use super::super::{Finding, Verdict};
    use super::{invariants, judge};
    use crate::overview::Overview;

    /// What happens to quiet books.
    type Change<'a> = &'a dyn Fn(&mut Overview);

    fn at() -> DateTime<Utc> {
        "2026-09-23T09:30:00+08:00".parse().unwrap()
    }

    fn overview() -> Overview {
        let piles = Piles {
            unpublished: 0,
            unpublished_since: None,
            parked: 0,
            parked_since: None,
            stopped_accounts: 0,
            waiting_bank_runs: 0,
            bank_runs_since: None,
            open_differences: 0,
        };
        let gauges = Gauges { withdrawals: vec![], legs: vec![], piles };
        Overview { at: at(), gauges, stops: vec![], circuits: vec![], queues: Ok(vec![]) }
    }

    fn leg(state: &str, minutes: i64, overdue: i64) -> Legs {
        Legs {
            rail: "bank".to_owned(),
            state: state.to_owned(),
            count: 1,
            oldest_at: at() - TimeDelta::minutes(minutes),
            next_deadline_at: None,
            overdue,
        }
    }

    #[test]
    fn what_waits_is_named_with_its_page_and_quiet_books_are_good() {
        assert!(judge(&overview()).iter().all(|it| it.verdict == Verdict::Good && it.mend.is_empty()));
        let with = |change: &dyn Fn(&mut Overview)| {
            let mut overview = overview();
            change(&mut overview);
            let found: Vec<Finding> =
                judge(&overview).into_iter().filter(|it| it.verdict != Verdict::Good).collect();
            assert_eq!(found.len(), 1, "{found:?}");
            found.into_iter().next().unwrap()
        };
        let cases: [(Change, Verdict, &str); 10] = [
            (&|it| it.gauges.legs = vec![leg("unknown", 16, 0)], Verdict::Bad, "unknown-outcome.md"),
            (&|it| it.gauges.legs = vec![leg("manual_review", 0, 0)], Verdict::Bad, "manual-review.md"),
            (&|it| it.gauges.legs = vec![leg("dispatching", 11, 0)], Verdict::Bad, "outflow run settle"),
            (&|it| it.gauges.legs = vec![leg("scheduled", 0, 2)], Verdict::Bad, "missed-deadline.md"),
            (
                &|it| it.gauges.piles.unpublished_since = Some(at() - TimeDelta::seconds(61)),
                Verdict::Bad,
                "outbox-lag.md",
            ),
            (&|it| it.gauges.piles.parked = 1, Verdict::Doubtful, "parked-message.md"),
            (&|it| it.gauges.piles.stopped_accounts = 1, Verdict::Doubtful, "stopped-account.md"),
            (&|it| it.gauges.piles.waiting_bank_runs = 1, Verdict::Doubtful, "bank-run.md"),
            (&|it| it.gauges.piles.open_differences = 1, Verdict::Doubtful, "reconciliation.md"),
            (
                &|it| {
                    it.stops = vec![Stop {
                        name: "all".to_owned(),
                        reason: "a drill".to_owned(),
                        thrown_by: "wang".to_owned(),
                        thrown_at: at(),
                    }];
                },
                Verdict::Bad,
                "outflow channel resume all",
            ),
        ];
        for (change, verdict, mend) in cases {
            let found = with(change);
            assert!(found.verdict == verdict && found.mend.contains(mend), "{found:?}");
        }
        let young = [leg("unknown", 15, 0), leg("dispatching", 10, 0)];
        let mut patient = overview();
        patient.gauges.legs = young.to_vec();
        assert!(
            judge(&patient).iter().all(|it| it.verdict == Verdict::Good),
            "these still end by themselves"
        );
    }

    #[test]
    fn invariants_that_are_broken_or_not_looked_at_are_told() {
        let check = |violations: i32, minutes: i64| Check {
            invariant: "I02".to_owned(),
            violations,
            example: (violations > 0).then(|| "top-up 7 holds -0.01".to_owned()),
            checked_at: at() - TimeDelta::minutes(minutes),
            broken_since: None,
        };
        for (checks, verdict, words) in [
            (vec![], Verdict::Doubtful, "nobody has looked yet"),
            (vec![check(0, 1)], Verdict::Good, "1 hold"),
            (vec![check(0, 1), check(0, 6)], Verdict::Doubtful, "for 6 min"),
            (vec![check(2, 9)], Verdict::Bad, "I02 is broken by 2 rows: top-up 7"),
        ] {
            let found = invariants(&checks, at());
            assert!(found.verdict == verdict && found.detail.contains(words), "{found:?}");
        }
    }
}
