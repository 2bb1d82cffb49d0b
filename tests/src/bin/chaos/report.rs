//! What a run came to, for people; and whether it was clean.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::controls::Caught;
use crate::storm::Outcome;
use crate::sweep::Swept;

/// Everything that was run.
#[derive(Default)]
pub(crate) struct Report {
    swept: Option<Swept>,
    storm: Option<Outcome>,
    controls: Vec<Caught>,
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

impl Report {
    /// Keeps a sweep, and says how it went.
    pub(crate) fn sweep(&mut self, swept: Swept) {
        let Swept { deaths, verdict, took } = &swept;
        let mark = if verdict.violations.is_empty() { '✓' } else { '✗' };
        println!("{mark} killed at {deaths} named steps, one after the other ({})", seconds(*took));
        tell(&verdict.shown());
        self.swept = Some(swept);
    }

    /// Keeps a storm, and says how it went.
    pub(crate) fn storm(&mut self, outcome: Outcome) {
        let Outcome { size, verdict, planned, counts, restarted, took, drained } = &outcome;
        println!("\n{:<6}{:<44}{:>9}{:>9}{:>10}", "fault", "what", "planned", "n", "3/n");
        let kinds: BTreeSet<_> = planned.keys().chain(counts.keys()).collect();
        for it in kinds {
            let planned = planned.get(it).map_or_else(String::new, u64::to_string);
            let (count, (fault, what)) = (counts.get(it).copied().unwrap_or_default(), it);
            println!("{fault:<6}{what:<44}{planned:>9}{count:>9}{:>10}", bound(count));
        }
        let ends: Vec<String> =
            verdict.ends.iter().map(|(state, count)| format!("{state} {count}")).collect();
        let (events, repeats) = verdict.events;
        println!("\n{} withdrawals: {}", size.withdrawals, ends.join(", "));
        println!(
            "{} movements at the gateways, {events} events of which {repeats} repeats, {} legs for people",
            verdict.movements, verdict.for_people
        );
        println!("{} approvals in the audit", verdict.audited);
        println!("{restarted} processes gave up while a server was away, and were started again");
        let count = |invariants: &[&str]| {
            verdict.violations.iter().filter(|(it, _)| invariants.contains(&it.as_str())).count()
        };
        println!(
            "lost: {}, paid twice: {}, out of order: {}, other violations: {}",
            count(&["I10"]),
            count(&["I05", "I06", "I07", "I08"]),
            count(&["I15"]),
            verdict.violations.len() - count(&["I05", "I06", "I07", "I08", "I10", "I15"])
        );
        let mark = if verdict.violations.is_empty() { '✓' } else { '✗' };
        let drained = seconds(*drained);
        println!("{mark} storm of seed {} in {}, drained in {drained}", size.seed, seconds(*took));
        if verdict.violations.is_empty() {
            println!(
                "  none in n of a fault: with 95 % confidence it does harm in fewer than 3/n of its cases"
            );
        }
        tell(&verdict.shown());
        self.storm = Some(outcome);
    }

    /// Keeps a control, and says whether it was caught.
    pub(crate) fn control(&mut self, caught: Caught) {
        let Caught { control, by, took } = &caught;
        let (bug, what, took) = (control.bug, control.what, seconds(*took));
        match by {
            Some(by) => println!("✓ {bug} ({what}) was caught by {by} ({took})"),
            None => println!("✗ {bug} ({what}) was not caught ({took})"),
        }
        self.controls.push(caught);
    }

    /// Whether everything was as it should be.
    pub(crate) fn is_clean(&self) -> bool {
        self.swept.as_ref().is_none_or(|it| it.verdict.violations.is_empty())
            && self.storm.as_ref().is_none_or(|it| it.verdict.violations.is_empty())
            && self.controls.iter().all(|it| it.by.is_some())
    }
}

/// The rule of three: what never happened in `n` cases happens in fewer than 3/n of them, with 95 % confidence.
fn bound(n: u64) -> String {
    if n <= 3 {
        return "-".to_owned();
    }
    let tenths = 3_000 / n;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn tell(lines: &[String]) {
    for line in lines {
        println!("    {line}");
    }
}
