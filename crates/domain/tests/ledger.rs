//! What facts do to an account, told as histories: one line each.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta};
use domain::ledger::{AccountKind, Book, Credit, Fact, InvoiceStep, Part, Profile, Sum};
use domain::{Currency, Money};
use proptest::prelude::*;

fn sum(amount: &str) -> Sum {
    match amount.strip_prefix('$') {
        Some(amount) => Sum { amount: minor(amount), currency: Currency::Usd },
        None => Sum { amount: minor(amount), currency: Currency::Cny },
    }
}

fn minor(text: &str) -> Money {
    Money::from_minor(text.parse().expect("an amount of the history"))
}

fn profile(currency: Currency) -> Profile {
    Profile {
        currency,
        kind: AccountKind::Person,
        real_name: "张三".to_owned(),
        real_name_verified: true,
        advance_payment: false,
        master_account_id: None,
        contract_entity: "default".to_owned(),
        refunds_forbidden: false,
    }
}

/// One step of a history. A top-up arrives on the day behind the `@`.
fn fact(step: &str) -> Fact {
    let words: Vec<&str> = step.split_whitespace().collect();
    let name = |place: usize| words[place].to_owned();
    let invoice = |step| Fact::Invoice { invoice_id: name(1), step, sum: sum(words[2]) };
    match words[0] {
        "open" => Fact::Upserted(profile(Currency::Cny)),
        "open_usd" => Fact::Upserted(profile(Currency::Usd)),
        "credit" => {
            let day: i64 = words[3].trim_start_matches('@').parse().expect("a day");
            let arrived_at = DateTime::UNIX_EPOCH + TimeDelta::days(day);
            Fact::Credited(Credit { top_up_id: name(1), sum: sum(words[2]), arrived_at, bonus: false })
        }
        "bonus" => Fact::BonusChanged { top_up_id: name(1), bonus: true },
        "no_bonus" => Fact::BonusChanged { top_up_id: name(1), bonus: false },
        "issued" => invoice(InvoiceStep::Issued),
        "returned" => invoice(InvoiceStep::Returned),
        "paid" => invoice(InvoiceStep::Paid),
        "unbilled" => Fact::Unbilled(sum(words[1])),
        "bill" => {
            let part = |text: &&str| {
                let (id, amount) = text.split_once('=').expect("a part is id=amount");
                Part { top_up_id: id.to_owned(), amount: minor(amount) }
            };
            Fact::Billed { sum: sum(words[1]), parts: words[2..].iter().map(part).collect() }
        }
        "grant" => Fact::Granted {
            allocation_id: name(1),
            member_account_id: "member".to_owned(),
            sum: sum(words[2]),
        },
        "reclaim" => Fact::Reclaimed { allocation_id: name(1), sum: sum(words[2]) },
        "invoiced" => Fact::AllocationInvoiced { allocation_id: name(1), invoiced: true },
        "cleared" => Fact::AllocationInvoiced { allocation_id: name(1), invoiced: false },
        word => panic!("no such step: {word}"),
    }
}

/// The book after all steps but the last, and what the last one said.
fn play(history: &str) -> (Book, Result<(), &'static str>) {
    let mut book = Book::default();
    let steps: Vec<&str> = history.split(',').map(str::trim).collect();
    for (step, version) in steps.iter().zip(1..) {
        let before = format!("{book:?}");
        if let Err(refusal) = book.apply(version, &fact(step)) {
            assert_eq!(format!("{book:?}"), before, "a refused fact changes nothing: {step}");
            assert_eq!(
                usize::try_from(version),
                Ok(steps.len()),
                "only the last step may be refused: {step} {refusal}"
            );
            return (book, Err(refusal.code()));
        }
    }
    (book, Ok(()))
}

/// What is free of each top-up, oldest first.
fn remaining(book: &Book) -> String {
    let parts: Vec<String> =
        book.slices().map(|it| format!("{} {}", it.top_up_id, it.remaining.minor())).collect();
    parts.join(", ")
}

#[test]
fn r9b_usage_consumes_the_oldest_money_unless_it_names_its_slices() {
    for (history, expected) in [
        ("open, credit a 100 @1, credit b 50 @2, bill 30", "a 70, b 50"),
        ("open, credit a 100 @1, credit b 50 @2, bill 120", "a 0, b 30"),
        ("open, credit a 100 @2, credit b 50 @1, bill 60", "b 0, a 90"),
        ("open, credit a 100 @1, credit b 50 @1, bill 110", "a 0, b 40"),
        ("open, credit a 100 @1, credit b 50 @2, bill 30 b=30", "a 100, b 20"),
        ("open, credit a 100 @1, credit b 50 @2, bill 30 b=10 a=20", "a 80, b 40"),
        ("open, credit a 100 @1, bill 60, credit b 50 @0, bill 60", "b 0, a 30"),
    ] {
        let (book, last) = play(history);
        assert_eq!((remaining(&book).as_str(), last), (expected, Ok(())), "{history}");
    }
}

#[test]
fn r5_a_member_gets_the_newest_money_and_gives_it_back_where_it_was() {
    for (history, expected) in [
        ("open, credit a 100 @1, credit b 50 @2, grant g 30", "a 100, b 20"),
        ("open, credit a 100 @1, credit b 50 @2, grant g 80", "a 70, b 0"),
        // What was taken last comes back first: as if 60 had been granted.
        ("open, credit a 100 @1, credit b 50 @2, grant g 80, reclaim g 20", "a 90, b 0"),
        ("open, credit a 100 @1, credit b 50 @2, grant g 80, reclaim g 40", "a 100, b 10"),
        ("open, credit a 100 @1, credit b 50 @2, grant g 80, reclaim g 40, reclaim g 40", "a 100, b 50"),
        // Money that comes back is as old as it was, not the newest.
        ("open, credit a 100 @1, grant g 100, credit b 50 @2, reclaim g 100, grant h 60", "a 90, b 0"),
        ("open, credit a 100 @1, grant g 100, credit b 50 @2, reclaim g 100, bill 20", "a 80, b 50"),
        ("open, credit a 100 @1, grant g 100, invoiced g, cleared g, reclaim g 1", "a 1"),
    ] {
        let (book, last) = play(history);
        assert_eq!((remaining(&book).as_str(), last), (expected, Ok(())), "{history}");
    }
}

#[test]
fn r4_and_r1_the_deductions_follow_their_facts() {
    for (history, outstanding, unbilled) in [
        ("open, issued i 70", 70, 0),
        ("open, issued i 70, issued j 30, returned i 20, paid j 30", 50, 0),
        ("open, unbilled 5, unbilled 3", 0, 3),
        ("open, unbilled 5, unbilled 0", 0, 0),
    ] {
        let (book, last) = play(history);
        let actual = (book.balance.outstanding_invoice.minor(), book.balance.unbilled.minor());
        assert_eq!((actual, last), ((outstanding, unbilled), Ok(())), "{history}");
    }
}

#[test]
fn r3_a_bonus_mark_is_set_and_cleared() {
    for (history, expected) in [
        ("open, credit a 1 @1, bonus a", true),
        ("open, credit a 1 @1, bonus a, no_bonus a", false),
        ("open, credit a 1 @1, bonus a, bonus a", true),
    ] {
        let (book, last) = play(history);
        assert_eq!((book.slice("a").expect("the top-up").bonus, last), (expected, Ok(())), "{history}");
    }
}

#[test]
fn a_fact_that_contradicts_what_is_known_is_refused_by_name() {
    for (history, code) in [
        ("credit a 1 @1", "unknown_account"),
        ("open, open_usd", "currency_mismatch"),
        ("open, credit a $1 @1", "currency_mismatch"),
        ("open, unbilled $1", "currency_mismatch"),
        ("open, credit a 0 @1", "amount_not_positive"),
        ("open, credit a 1 @1, credit a 1 @1", "top_up_already_credited"),
        ("open, credit a 9223372036854775807 @1, credit b 1 @1", "balance_out_of_range"),
        ("open, bonus a", "unknown_top_up"),
        ("open, paid i 1", "unknown_invoice"),
        ("open, issued i 1, issued i 1", "invoice_already_issued"),
        ("open, issued i 5, paid i 3, returned i 3", "invoice_exceeded"),
        ("open, credit a 5 @1, bill 6", "not_enough_remaining"),
        ("open, credit a 5 @1, credit b 5 @1, bill 6 a=6", "not_enough_remaining"),
        ("open, credit a 5 @1, bill 3 a=2", "slices_do_not_add_up"),
        ("open, credit a 5 @1, bill 3 x=3", "unknown_top_up"),
        ("open, credit a 5 @1, grant g 6", "not_enough_remaining"),
        ("open, credit a 5 @1, grant g 1, grant g 1", "allocation_already_granted"),
        ("open, reclaim g 1", "unknown_allocation"),
        ("open, invoiced g", "unknown_allocation"),
        ("open, credit a 5 @1, grant g 3, reclaim g 4", "allocation_exceeded"),
        ("open, credit a 5 @1, grant g 3, reclaim g 2, reclaim g 2", "allocation_exceeded"),
        ("open, credit a 5 @1, grant g 3, invoiced g, reclaim g 1", "allocation_invoiced"),
    ] {
        assert_eq!(play(history).1, Err(code), "{history}");
    }
}

#[test]
fn a_total_that_says_more_than_the_slices_hold_is_noticed() {
    let mut book = play("open, credit a 5 @1").0;
    book.balance.remaining = minor("9");
    let refusal = book.apply(3, &fact("bill 6")).expect_err("there are only 5");
    assert_eq!(refusal.code(), "totals_differ");
}

proptest! {
    #[test]
    fn r5_a_reclaim_undoes_exactly_so_much_of_the_grant(
        credits in prop::collection::vec((1_i64..100, 0_i64..5), 1..8),
        granted in 1_i64..400,
        reclaimed in 1_i64..400,
    ) {
        let total: i64 = credits.iter().map(|(amount, _)| amount).sum();
        let granted = 1 + granted % total;
        let reclaimed = 1 + reclaimed % granted;
        let mut history = "open".to_owned();
        for (place, (amount, day)) in credits.iter().enumerate() {
            write!(history, ", credit t{place} {amount} @{day}").expect("a string takes all text");
        }
        let undone = play(&format!("{history}, grant g {granted}, reclaim g {reclaimed}")).0;
        let less = match granted - reclaimed {
            0 => play(&history).0,
            less => play(&format!("{history}, grant g {less}")).0,
        };
        prop_assert_eq!(remaining(&undone), remaining(&less));
    }
}
