//! S01, S11: who must look at a withdrawal, as a table of cases.

use chrono::TimeDelta;
use domain::{
    AmountRule, ApprovalRules, Asked, Band, Currency, Money, Pace, Rail, Velocity, demands, people_needed,
};

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::Cny).expect("an amount of the table")
}

fn amount_rule() -> AmountRule {
    AmountRule { nobody_up_to: cny("5000.00"), people_above: 3 }
}

fn rules() -> ApprovalRules {
    let day = Velocity { window: TimeDelta::hours(24), most: Some(3), sum: Some(cny("10000.00")), people: 2 };
    let band = |up_to, people| Band { up_to: cny(up_to), people };
    ApprovalRules {
        bands: vec![band("50000.00", 2), band("20000.00", 1)],
        first_bank_card: 1,
        flagged_accounts: ["watched".to_owned()].into(),
        flagged: 4,
        rails: [(Rail::UnionPay, 1), (Rail::Alipay, 0)].into(),
        account_velocity: vec![day],
        payee_velocity: vec![Velocity { most: Some(5), sum: None, people: 3, ..day }],
    }
}

fn asked(account_id: &str, amount: &str) -> Asked<'static> {
    Asked {
        account_id: if account_id == "watched" { "watched" } else { "acct-1" },
        amount: cny(amount),
        currency: Currency::Cny,
        rails: [Rail::Alipay].into(),
        is_first_bank_card: false,
        account_pace: vec![Pace { count: 1, sum: cny(amount) }],
        payee_pace: vec![Pace::default()],
    }
}

fn pace(count: u32, sum: &str) -> Vec<Pace> {
    vec![Pace { count, sum: cny(sum) }]
}

/// What the rules say, as `rule:people` from the strictest on.
fn said(asked: &Asked<'_>) -> String {
    let demands = demands(&amount_rule(), &rules(), asked);
    assert!(demands.iter().all(|it| !it.why.is_empty()));
    assert_eq!(people_needed(&demands), demands[0].people, "the strictest comes first");
    let words: Vec<String> = demands.iter().map(|it| format!("{}:{}", it.rule, it.people)).collect();
    words.join(" ")
}

#[test]
fn s01_bands_of_amounts_need_nobody_one_two_or_the_whole_quorum() {
    for (amount, expected) in [
        ("0.01", "amount:0"),
        ("5000.00", "amount:0"),
        ("5000.01", "amount:1"),
        ("20000.00", "amount:1"),
        ("20000.01", "amount:2"),
        ("50000.00", "amount:2"),
        ("50000.01", "amount:3"),
        ("9999999999999.99", "amount:3"),
    ] {
        let asked = Asked { account_pace: vec![Pace::default()], ..asked("acct-1", amount) };
        assert_eq!(said(&asked), expected, "{amount}");
    }
}

#[test]
fn s01_without_bands_there_is_one_limit_and_nothing_above_it_leaves_alone() {
    for (amount, people_above, expected) in
        [("5000.00", 2, 0), ("5000.01", 2, 2), ("5000.01", 1, 1), ("5000.01", 0, 1)]
    {
        let rule = AmountRule { people_above, ..amount_rule() };
        let demands = demands(&rule, &ApprovalRules::default(), &asked("acct-1", amount));
        assert_eq!(people_needed(&demands), expected, "{amount} {people_above}");
        assert_eq!(demands.len(), 1, "no other rule is set");
    }
}

#[test]
fn s01_every_rule_that_applies_speaks_and_the_strictest_decides() {
    let small = || asked("acct-1", "100.00");
    for (asked, expected) in [
        (small(), "amount:0"),
        (asked("watched", "100.00"), "flagged_account:4 amount:0"),
        (Asked { is_first_bank_card: true, ..small() }, "first_bank_card:1 amount:0"),
        (Asked { rails: [Rail::UnionPay, Rail::Bank].into(), ..small() }, "channel:1 amount:0"),
        (
            Asked {
                is_first_bank_card: true,
                rails: [Rail::UnionPay].into(),
                ..asked("watched", "60000.00")
            },
            "flagged_account:4 amount:3 account_velocity:2 first_bank_card:1 channel:1",
        ),
    ] {
        assert_eq!(said(&asked), expected, "{asked:?}");
    }
}

#[test]
fn s11_velocity_counts_what_passes_and_stops_what_is_beyond() {
    let small = || asked("acct-1", "100.00");
    for (asked, expected) in [
        (Asked { account_pace: pace(3, "300.00"), ..small() }, "amount:0"),
        (Asked { account_pace: pace(4, "400.00"), ..small() }, "account_velocity:2 amount:0"),
        (Asked { account_pace: pace(2, "10000.00"), ..small() }, "amount:0"),
        (Asked { account_pace: pace(2, "10000.01"), ..small() }, "account_velocity:2 amount:0"),
        (Asked { payee_pace: pace(5, "999999.00"), ..small() }, "amount:0"),
        (Asked { payee_pace: pace(6, "6.00"), ..small() }, "payee_velocity:3 amount:0"),
    ] {
        assert_eq!(said(&asked), expected, "{asked:?}");
    }
}
