//! Data for stdout: tables for people, JSON, JSON lines or CSV for programs.
//!
//! A command builds one JSON value, and whatever program reads it gets the same
//! fields: the formats differ in their frame alone.

mod csv;

use std::io::Write;

use chrono::{DateTime, FixedOffset, Utc};
use comfy_table::{ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle};
use domain::{Currency, Money};
use serde_json::Value;

use crate::cli::{General, Output};

/// One line under the header and nothing else: a copied row carries no frame along.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// A table for people.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// A moment as people in Shanghai read it.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    shanghai(at).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment in the product's time zone.
pub(crate) fn shanghai(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset"))
}

/// A moment, or nothing.
pub(crate) fn moment_or_nothing(at: Option<DateTime<Utc>>) -> String {
    at.map(moment).unwrap_or_default()
}

/// An amount with its currency.
pub(crate) fn amount(money: Money, currency: Currency) -> String {
    format!("{} {currency}", money.to_text(currency))
}

/// An amount in RMB.
pub(crate) fn yuan(money: Money) -> String {
    money.to_text(Currency::Cny)
}

/// A length of time as people read it: the two largest units.
pub(crate) fn age(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// How far a deadline is away, or how long ago it passed.
pub(crate) fn headroom(seconds: i64) -> String {
    match seconds {
        left @ 0.. => format!("in {}", age(left)),
        past => format!("{} ago", age(-past)),
    }
}

/// Writes data to stdout in the form that programs asked for.
///
/// A list is one object a line, or a row each; anything else is one line, or one row.
pub(crate) fn data(output: Output, value: &Value) {
    page(&framed(output, value));
}

/// Writes a list to stdout, whose rows all have these fields: a spreadsheet gets its
/// header also where there is no row.
pub(crate) fn list(output: Output, fields: &[&str], rows: &[Value]) {
    debug_assert!(
        rows.iter()
            .filter_map(Value::as_object)
            .all(|row| { row.len() == fields.len() && fields.iter().all(|name| row.contains_key(*name)) }),
        "a row has other fields than {fields:?}"
    );
    match output {
        Output::Csv => page(&csv::of(fields, rows)),
        _ => data(output, &rows.iter().cloned().collect()),
    }
}

/// Writes a text to stdout. A reader that has enough is no fault: then this
/// process ends.
pub(crate) fn page(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Says something about the data, on stderr: a pipe sees data alone.
pub(crate) fn talk(text: &str) {
    eprintln!("{text}");
}

/// Ends a command with the command that comes next. Only a person wants to know:
/// a program that reads data is told nothing.
pub(crate) fn next(general: &General, command: &str) {
    if !general.output.is_data() {
        talk(&format!("next: {command}"));
    }
}

fn framed(output: Output, value: &Value) -> String {
    let rows = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    match output {
        Output::Table | Output::Json => format!("{value:#}\n"),
        Output::Jsonl => rows.iter().flat_map(|row| [row.to_string(), "\n".to_owned()]).collect(),
        Output::Csv => csv::of(&[], rows),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{age, framed};
    use crate::cli::Output;

    #[test]
    fn the_formats_frame_the_same_data() {
        let rows = json!([{ "id": 1, "state": "paid" }, { "id": 2, "state": null }]);
        let cases = [
            (Output::Jsonl, "{\"id\":1,\"state\":\"paid\"}\n{\"id\":2,\"state\":null}\n"),
            (Output::Csv, "id,state\r\n1,paid\r\n2,\r\n"),
        ];
        for (output, expected) in cases {
            assert_eq!(framed(output, &rows), expected);
        }
        assert_eq!(framed(Output::Jsonl, &json!({ "a": [1] })), "{\"a\":[1]}\n");
        assert_eq!(framed(Output::Jsonl, &json!([])), "");
        let again: serde_json::Value = serde_json::from_str(&framed(Output::Json, &rows)).unwrap();
        assert_eq!(again, rows);
    }

    /// A command that says it by itself would say it to programs too.
    #[test]
    fn every_command_says_what_comes_next_in_one_way() {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/command"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(!text.contains("\"next: ") && !text.contains("\\nnext: "), "{}", path.display());
                }
            }
        }
    }

    #[test]
    fn an_age_is_told_in_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3_599, "59 min 59 s"),
            (7_260, "2 h 1 min"),
            (180_000, "2 d 2 h"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }
}
