//! A quote as a page of tables for people.

use std::fmt::Write;

use domain::{Exclusion, Money};

use super::{Answer, Offer};
use crate::output::{self, amount, moment};

/// Adds a line; a string takes all text.
macro_rules! line {
    ($page:expr, $($text:tt)*) => { writeln!($page, $($text)*).expect("a string takes all text") };
}

/// The page.
pub(super) fn of(offer: &Offer<'_>) -> String {
    let mut page = String::new();
    maximums(&mut page, offer);
    terms(&mut page, offer);
    excluded(&mut page, offer);
    if let Some(answer) = &offer.answer {
        plan(&mut page, offer, answer);
    }
    page
}

fn maximums(page: &mut String, offer: &Offer<'_>) {
    let quote = &offer.quote;
    line!(page, "Account {} at {}", offer.account_id, moment(offer.at));
    line!(page, "  withdrawable to the source account: {}", amount(quote.source.maximum, offer.currency));
    line!(page, "  withdrawable to a bank card: {}", amount(quote.bank_card.maximum, offer.currency));
    for it in &quote.bank_card.by_holder {
        line!(page, "    in the name of {}: {}", it.holder, amount(it.maximum, offer.currency));
    }
    match quote.valid_until {
        Some(at) => line!(page, "  valid until {}, when a window closes", moment(at)),
        None => line!(page, "  valid until a fact changes it: no window is open"),
    }
    for it in &quote.obstacles {
        line!(page, "  nothing, by {}: {} ({})", it.rule(), it.detail(offer.currency), it.code());
    }
}

fn terms(page: &mut String, offer: &Offer<'_>) {
    let it = &offer.quote.terms;
    let mut table = output::table(&["R1", "amount"]);
    let mut row = |name: &str, money: Money| {
        table.add_row([name.to_owned(), amount(money, offer.currency)]);
    };
    row("cash", it.cash);
    row("less outstanding invoices", it.outstanding_invoice);
    row("less unbilled usage", it.unbilled);
    row("less what is held", it.held);
    row("at most", it.cap());
    row("eligible for the source account", offer.quote.source.eligible);
    row("eligible for a bank card", offer.quote.bank_card.eligible);
    line!(page, "\nTerms\n{table}");
}

fn excluded(page: &mut String, offer: &Offer<'_>) {
    if offer.quote.excluded.is_empty() {
        return;
    }
    let codes = |found: &[Exclusion]| {
        let codes: Vec<String> = found.iter().map(|it| format!("{} {}", it.rule(), it.code())).collect();
        codes.join(", ")
    };
    let mut table = output::table(&["top-up", "left", "not to its source", "not to a bank card"]);
    for it in &offer.quote.excluded {
        table.add_row([
            it.id.clone(),
            amount(it.remaining, offer.currency),
            codes(&it.source),
            codes(&it.bank_card),
        ]);
    }
    line!(page, "\nTop-ups that a route excludes, newest first\n{table}");
}

fn plan(page: &mut String, offer: &Offer<'_>, answer: &Answer) {
    let asked = amount(answer.amount, offer.currency);
    match &answer.outcome {
        Ok(accepted) => {
            let mut table = output::table(&["top-up", "amount"]);
            for part in &accepted.plan {
                table.add_row([part.slice.clone(), amount(part.amount, offer.currency)]);
            }
            line!(page, "\n{asked} by route {} would be accepted\n{table}", answer.route);
            if !accepted.missing.is_empty() {
                let missing: Vec<String> = accepted.missing.iter().map(ToString::to_string).collect();
                line!(page, "It would wait for the bank account's {} (R11).", missing.join(", "));
            }
        }
        Err(reasons) => {
            line!(page, "\n{asked} by route {} would be refused", answer.route);
            for it in reasons {
                line!(page, "  by {}: {} ({})", it.rule(), it.detail(offer.currency), it.code());
            }
        }
    }
}
