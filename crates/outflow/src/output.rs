//! Data for stdout: tables for people, JSON for programs.

use chrono::{DateTime, FixedOffset, Utc};
use comfy_table::{ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle};
use domain::{Currency, Money};

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

/// Writes pretty JSON to stdout.
pub(crate) fn json(value: &serde_json::Value) {
    println!("{value:#}");
}
