//! What a quote offers is accepted, and one minor unit more is refused.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    Account, Book, Card, Channel, Currency, Decision, Exclusion, Money, Policy, Proof, Request, Route,
    Selection, Slice, Terms, date_in_shanghai, decide, end_of_day, quote,
};
use proptest::prelude::*;
use strum::IntoEnumIterator;

fn now() -> DateTime<Utc> {
    "2026-03-10T12:00:00+08:00".parse().expect("a moment")
}

fn today() -> NaiveDate {
    date_in_shanghai(now())
}

prop_compose! {
    fn a_slice()(
        channel in prop::sample::select(Channel::iter().collect::<Vec<_>>()),
        days in 0_i64..500,
        credited_after in prop::sample::select(vec![0_i64, 1, 200, 320, 360]),
        remaining in 0_i64..100_000,
        bonus in prop::bool::weighted(0.2),
        payer in prop::sample::select(vec![None, Some("张三"), Some("张 三"), Some("王五")]),
    ) -> Slice {
        Slice {
            id: String::new(),
            channel,
            contract_entity: "default".to_owned(),
            arrived_at: now() - TimeDelta::days(days),
            channel_paid_at: now() - TimeDelta::days(days + credited_after),
            sequence: 0,
            bonus,
            remaining: Money::from_minor(remaining),
            payer_name: payer.map(str::to_owned),
            source_account_known: true,
        }
    }
}

prop_compose! {
    fn an_account()(
        extra in 0_i64..50_000,
        invoice in 0_i64..60_000,
        unbilled in 0_i64..60_000,
        held in 0_i64..20_000,
        verified in prop::bool::weighted(0.95),
    ) -> (Account, i64) {
        let terms = Terms {
            cash: Money::from_minor(held),
            outstanding_invoice: Money::from_minor(invoice),
            unbilled: Money::from_minor(unbilled),
            held: Money::from_minor(held),
        };
        let account = Account {
            currency: Currency::Cny,
            real_name: "李四".to_owned(),
            real_name_verified: verified,
            advance_payment: false,
            contract_entity: "default".to_owned(),
            refunds_forbidden: false,
            stopped: false,
            terms,
            open_withdrawals: 0,
        };
        (account, extra)
    }
}

/// The account with its cash made of these slices, and the slices numbered.
fn world((account, _): (Account, i64), slices: Vec<Slice>) -> (Account, Book) {
    let slices: Vec<Slice> = slices
        .into_iter()
        .zip(1..)
        .map(|(it, sequence)| Slice { id: format!("t{sequence}"), sequence, ..it })
        .collect();
    let free: Money = slices.iter().map(|it| it.remaining).sum();
    let terms = Terms { cash: [free, account.terms.held].into_iter().sum(), ..account.terms };
    (Account { terms, ..account }, Book::complete(slices))
}

fn request(route: Route, amount: Money, holder: Option<&str>) -> Request {
    let card = holder.map(|it| Card { holder: Some(it.to_owned()), missing: Vec::new() });
    Request {
        amount,
        currency: Currency::Cny,
        route,
        selection: Selection::Auto,
        card,
        proof: Proof::Accepted,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r1_what_a_quote_offers_is_accepted_and_one_minor_unit_more_is_refused(
        account in an_account(),
        slices in prop::collection::vec(a_slice(), 0..12),
    ) {
        let (account, book) = world(account, slices);
        let policy = Policy::default();
        let offer = quote(&account, &book, &policy, today());
        let mut offers = vec![(Route::Source, offer.source.maximum, None)];
        offers.extend(offer.bank_card.by_holder.iter().map(|it| (Route::BankCard, it.maximum, Some(it.holder.as_str()))));
        for (route, maximum, holder) in offers {
            if maximum.is_positive() {
                let accepted = decide(&account, &book, &request(route, maximum, holder), &policy, today());
                let Decision::Accept(accepted) = accepted else { panic!("{accepted:?}") };
                prop_assert_eq!(accepted.plan.iter().map(|it| it.amount).sum::<Money>(), maximum);
            }
            let more = Money::from_minor(maximum.minor() + 1);
            let refused = decide(&account, &book, &request(route, more, holder), &policy, today());
            prop_assert!(matches!(refused, Decision::Reject(_)), "{:?}", refused);
        }
    }

    #[test]
    fn every_plan_takes_only_eligible_money_newest_first_and_exactly_the_amount(
        account in an_account(),
        slices in prop::collection::vec(a_slice(), 1..12),
        amount in 1_i64..200_000,
    ) {
        let (account, book) = world(account, slices);
        let policy = Policy::default();
        let asked = request(Route::Source, Money::from_minor(amount), None);
        if let Decision::Accept(accepted) = decide(&account, &book, &asked, &policy, today()) {
            let taken: Vec<&Slice> = accepted.plan.iter().map(|it| book.find(&it.slice).expect("a slice")).collect();
            prop_assert!(taken.iter().all(|it| it.exclusions(Route::Source, &policy, today()).is_empty()));
            prop_assert!(taken.windows(2).all(|pair| pair[0].age() > pair[1].age()));
            prop_assert_eq!(accepted.plan.iter().map(|it| it.amount).sum::<Money>().minor(), amount);
            // All but the last are emptied, and nothing eligible and newer is left out.
            let (_, whole) = accepted.plan.split_last().expect("a plan has parts");
            prop_assert!(whole.iter().zip(&taken).all(|(part, slice)| part.amount == slice.remaining));
            let oldest = taken.last().expect("a plan has parts").age();
            let newer = book.newest_first().filter(|it| it.age() > oldest);
            let left_out = newer.filter(|it| it.exclusions(Route::Source, &policy, today()).is_empty()).count();
            prop_assert_eq!(left_out, whole.len());
        }
    }
}

#[test]
fn a_quote_names_every_top_up_that_a_route_excludes_and_until_when_it_holds() {
    let slice = |id: &str, days, bonus| Slice {
        id: id.to_owned(),
        channel: Channel::Alipay,
        contract_entity: "default".to_owned(),
        arrived_at: now() - TimeDelta::days(days),
        channel_paid_at: now() - TimeDelta::days(days),
        sequence: days,
        bonus,
        remaining: Money::from_minor(1_000),
        payer_name: Some("张三".to_owned()),
        source_account_known: true,
    };
    let (account, book) = world(
        (account_without_debts(), 0),
        vec![slice("", 10, false), slice("", 20, true), slice("", 400, false)],
    );
    let quote = quote(&account, &book, &Policy::default(), today());
    assert_eq!((quote.source.maximum.minor(), quote.bank_card.maximum.minor()), (1_000, 1_000));
    let codes = |found: &[Exclusion]| found.iter().map(Exclusion::code).collect::<Vec<_>>().join(" ");
    let excluded: Vec<String> = quote
        .excluded
        .iter()
        .map(|it| format!("{}: {} / {}", it.id, codes(&it.source), codes(&it.bank_card)))
        .collect();
    assert_eq!(excluded, ["t1:  / window_open", "t2: bonus / bonus window_open", "t3: window_closed / "]);
    // The older of the two open windows: 20 days before 2026-03-10 is 2026-02-18.
    assert_eq!(quote.valid_until, Some(end_of_day("2027-01-18".parse().expect("a date"))));
}

fn account_without_debts() -> Account {
    Account {
        currency: Currency::Cny,
        real_name: "李四".to_owned(),
        real_name_verified: true,
        advance_payment: false,
        contract_entity: "default".to_owned(),
        refunds_forbidden: false,
        stopped: false,
        terms: Terms::default(),
        open_withdrawals: 0,
    }
}
