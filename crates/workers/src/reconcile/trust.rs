//! Whether a statement can be the one of its day.

use aws_lc_rs::digest::{Context, SHA256};
use chrono::NaiveDate;
use domain::{Money, Rail, date_in_shanghai};
use gateways::{Balances, Movement, Statement};
use store::Tx;
use store::statement_days::{self, Day, Taken};
use store::statement_differences::{self as differences, Found, Kind};

use super::file;

/// What a statement says as a whole.
pub(super) fn taken(statement: &Statement, source: &str) -> Taken {
    let out = statement.rows.iter().filter(|it| it.movement == Movement::Out);
    Taken {
        digest: digest(statement),
        lines: i32::try_from(statement.rows.len()).expect("a statement has fewer than two billion lines"),
        total: out.map(|it| it.amount).sum(),
        balances: statement.balances.map(|Balances { opening, closing }| (opening, closing)),
        source: source.to_owned(),
    }
}

/// SHA-256 of every line and of the balances. Of what is said and not of the file's
/// bytes: a channel packs the same statement anew at every download.
fn digest(statement: &Statement) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for row in &statement.rows {
        let movement = match row.movement {
            Movement::Out => "out",
            Movement::Back => "back",
            Movement::Unfinished => "unfinished",
            Movement::Refused => "refused",
        };
        let at = row.at.map_or(0, |at| at.timestamp_millis());
        let line = format!(
            "{}\n{}\n{}\n{movement}\n{}\n{at}\n",
            row.payout_no,
            row.reference,
            row.amount.minor(),
            row.trade_no
        );
        context.update(line.as_bytes());
    }
    if let Some(Balances { opening, closing }) = statement.balances {
        context.update(format!("{} {}", opening.minor(), closing.minor()).as_bytes());
    }
    context.finish().as_ref().to_vec()
}

/// Why a statement is not taken for its day; nothing when it is.
///
/// A person who resolved the same objection has accepted the file.
pub(super) async fn distrust(
    tx: &mut Tx,
    day: &Day,
    (statement, new): (&Statement, &Taken),
) -> Result<Option<Found>, store::Error> {
    let of = (day.rail, day.day);
    let (start, _) = new.digest.split_first_chunk::<8>().expect("a digest has 32 bytes");
    let subject = format!("{:016x}", u64::from_be_bytes(*start));
    let mut objections = Vec::new();
    if let Some(old) = day.taken.as_ref().filter(|old| old.digest != new.digest) {
        let detail = format!(
            "the file says something else than the one taken before: {} lines instead of {}, from {}",
            new.lines, old.lines, new.source
        );
        objections.push(file(Kind::FileAltered, &subject, detail));
    }
    // A day without lines says the same as any other.
    if !statement.rows.is_empty()
        && let Some(other) = statement_days::same(tx, day.rail, day.day, &new.digest).await?
    {
        let detail = format!("the file says the very same as that of {other}, from {}", new.source);
        objections.push(file(Kind::FileRepeated, &subject, detail));
    }
    if is_of_another_day(day.rail, day.day, statement) {
        let detail = format!("no line of the file is of {}, from {}", day.day, new.source);
        objections.push(file(Kind::FileOfAnotherDay, &subject, detail));
    }
    if let Some((opening, _)) = new.balances
        && let Some(closing) = statement_days::closing_before(tx, day.rail, day.day).await?
        && opening != closing
    {
        objections.push(broken(&subject, opening, closing));
    }
    for found in objections {
        if !differences::accepted(tx, of, found.kind, &found.subject).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Lines say when, and none of them is of the day. `WeChat Pay` is believed: nobody
/// documents whether its lines of refunds tell the time of the refund or of the payment.
fn is_of_another_day(rail: Rail, day: NaiveDate, statement: &Statement) -> bool {
    let mut days = statement.rows.iter().filter_map(|it| it.at).map(date_in_shanghai).peekable();
    rail != Rail::WeChat && days.peek().is_some() && days.all(|it| it != day)
}

fn broken(subject: &str, opening: Money, closing: Money) -> Found {
    let detail = "the opening balance is not the closing one of the last day before".to_owned();
    Found { ours: Some(closing), theirs: Some(opening), ..file(Kind::BalanceBroken, subject, detail) }
}

#[cfg(test)]
mod tests {
    use domain::{Money, Rail};
    use gateways::{Balances, Movement, Row, Statement};

    use super::{digest, is_of_another_day, taken};

    fn statement(fen: i64, movement: Movement) -> Statement {
        let row = Row {
            payout_no: "WD1".to_owned(),
            reference: "R1".to_owned(),
            amount: Money::from_minor(fen),
            movement,
            trade_no: String::new(),
            at: None,
        };
        Statement { rows: vec![row], balances: None }
    }

    #[test]
    fn a_digest_is_of_what_a_statement_says() {
        let first = statement(1_234, Movement::Out);
        assert_eq!(digest(&first), digest(&first.clone()));
        let balances = Some(Balances { opening: Money::ZERO, closing: Money::ZERO });
        for other in [
            statement(1_235, Movement::Out),
            statement(1_234, Movement::Back),
            Statement { balances, ..first.clone() },
            Statement::default(),
        ] {
            assert_ne!(digest(&first), digest(&other), "{other:?}");
        }
        assert_eq!(taken(&first, "here").total, Money::from_minor(1_234));
        assert_eq!(taken(&statement(1_234, Movement::Back), "here").total, Money::ZERO);
    }

    #[test]
    fn a_file_none_of_whose_lines_is_of_its_day_is_of_another() {
        let day = "2026-03-10".parse().expect("a day");
        for (rail, times, expected) in [
            (Rail::Alipay, vec!["2026-03-11T00:00:00+08:00"], true),
            (Rail::Alipay, vec!["2026-03-10T23:59:59+08:00", "2026-03-11T00:00:00+08:00"], false),
            (Rail::WeChat, vec!["2026-02-01T12:00:00+08:00"], false),
            (Rail::Bank, vec!["2026-03-09T00:00:00+08:00"], true),
            (Rail::UnionPay, vec![], false),
        ] {
            let row = |at: &&str| Row {
                at: Some(at.parse().expect("a moment")),
                ..statement(1, Movement::Out).rows[0].clone()
            };
            let rows = times.iter().map(row).chain(statement(1, Movement::Out).rows).collect();
            let statement = Statement { rows, balances: None };
            assert_eq!(is_of_another_day(rail, day, &statement), expected, "{rail} {times:?}");
        }
    }
}
