//! The gateways' own book, from a simulator that runs or from the file that it kept.
//!
//! The types here are our own reading of that book: evidence that shares its
//! reader with the one who wrote it proves less.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use store::verify::GatewayMovement;

use crate::exit::{Exit, Failure};

/// How long a simulator may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a simulator answers at `/_sim/book`.
#[derive(Debug, Deserialize)]
struct Report {
    movements: Vec<Movement>,
}

/// A movement of money.
#[derive(Debug, Deserialize)]
struct Movement {
    number: String,
    amount_fen: i64,
    kind: String,
}

/// A line of the book's file.
#[derive(Debug, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Line {
    Movement(Movement),
    #[serde(other)]
    Other,
}

/// Reads the book at an address or in a file.
///
/// # Errors
/// When nobody answers there, or there is something else.
pub(super) async fn read(place: &str) -> Result<Vec<GatewayMovement>> {
    if place.starts_with("http://") || place.starts_with("https://") {
        return movements_of(place).await;
    }
    let text = std::fs::read_to_string(place).map_err(|error| {
        let next = "name the file that `gateway-simulator --book` keeps, or its address";
        Failure::new(Exit::NotFound, format!("the book {place} cannot be read"), next).because(error)
    })?;
    parse(&text).with_context(|| format!("{place} is no book of a simulator"))
}

/// Asks a simulator for its book.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn movements_of(base_url: &str) -> Result<Vec<GatewayMovement>> {
    let url = format!("{}/_sim/book", base_url.trim_end_matches('/'));
    let ask = async {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        client.get(&url).send().await?.error_for_status()?.text().await
    };
    let text = ask.await.map_err(|error| {
        Failure::new(
            Exit::Unreachable,
            format!("the book at {url} cannot be read"),
            "check that the simulator runs",
        )
        .because(error)
    })?;
    parse(&text).with_context(|| format!("{url} is no book of a simulator"))
}

/// Reads a report, or the lines of a file.
fn parse(text: &str) -> Result<Vec<GatewayMovement>> {
    if let Ok(report) = serde_json::from_str::<Report>(text) {
        return report.movements.into_iter().map(movement).collect();
    }
    let mut movements = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).with_context(|| format!("line {}", index + 1))?;
        if let Line::Movement(it) = line {
            movements.push(movement(it)?);
        }
    }
    Ok(movements)
}

fn movement(it: Movement) -> Result<GatewayMovement> {
    let kind = match it.kind.as_str() {
        "payout" => "payout",
        "return" => "return",
        other => bail!("a movement of the kind {other:?}"),
    };
    Ok(GatewayMovement { payout_no: it.number, amount: it.amount_fen, kind })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_book_is_read_from_a_report_and_from_its_file() {
        let movement =
            r#"{"number":"A1","channel":"bank","amount_fen":5,"at":"x","kind":"payout","trade_no":""}"#;
        let line = movement.replace("{\"number", "{\"entry\":\"movement\",\"number");
        let file = format!("{{\"entry\":\"attempt\",\"key\":\"k\"}}\n{line}\n");
        for text in [format!("{{\"movements\":[{movement}],\"totals\":{{}}}}"), file] {
            let movements = parse(&text).unwrap();
            assert_eq!((movements.len(), movements[0].amount, movements[0].kind), (1, 5, "payout"));
        }
        assert!(parse("what is this").is_err());
    }
}
