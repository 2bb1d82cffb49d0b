//! Requests against accounts, as tables: every reason, every route, every name.

use chrono::NaiveDate;
use domain::{
    Account, Book, Card, Channel, Currency, Decision, Detail, Money, Policy, Proof, ProofFault, Request,
    Route, Selection, Slice, Terms, decide,
};

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::Cny).expect("an amount of the table")
}

fn today() -> NaiveDate {
    "2026-03-10".parse().expect("a date")
}

/// `id:channel:arrived:remaining[:payer]`, in any order; `bonus` ids carry the mark.
fn slice(text: &str) -> Slice {
    let parts: Vec<&str> = text.split(':').collect();
    let channel: Channel = parts[1].parse().expect("a channel of the table");
    Slice {
        id: parts[0].to_owned(),
        channel,
        contract_entity: "default".to_owned(),
        arrived_at: format!("{}T12:00:00+08:00", parts[2]).parse().expect("a date of the table"),
        channel_paid_at: format!("{}T12:00:00+08:00", parts[2]).parse().expect("a date of the table"),
        sequence: i64::from(parts[0].bytes().fold(0_u16, |sum, byte| sum * 31 % 997 + u16::from(byte))),
        bonus: parts[0].starts_with("bonus"),
        remaining: cny(parts[3]),
        payer_name: parts.get(4).map(|it| (*it).to_owned()).or(Some("张三".to_owned())),
        source_account_known: true,
    }
}

fn book(slices: &str) -> Book {
    Book::complete(slices.split_whitespace().map(slice))
}

/// A verified account with all of the cash and nothing owed.
fn account(cash: &str) -> Account {
    Account {
        currency: Currency::Cny,
        real_name: "李四".to_owned(),
        real_name_verified: true,
        advance_payment: false,
        contract_entity: "default".to_owned(),
        refunds_forbidden: false,
        stopped: false,
        terms: Terms { cash: cny(cash), ..Terms::default() },
        open_withdrawals: 0,
    }
}

fn to_source(amount: &str) -> Request {
    Request {
        amount: cny(amount),
        currency: Currency::Cny,
        route: Route::Source,
        selection: Selection::Auto,
        card: None,
        proof: Proof::Accepted,
    }
}

fn to_card(amount: &str, holder: &str) -> Request {
    let card = Card { holder: Some(holder.to_owned()), missing: Vec::new() };
    Request { route: Route::BankCard, card: Some(card), ..to_source(amount) }
}

fn chosen(ids: &str, request: Request) -> Request {
    let ids = ids.split_whitespace().map(str::to_owned).collect();
    Request { selection: Selection::Chosen(ids), ..request }
}

/// The plan as `id amount`, or the codes of the refusal.
fn outcome(decision: &Decision) -> String {
    match decision {
        Decision::Accept(accepted) => {
            let parts =
                accepted.plan.iter().map(|it| format!("{} {}", it.slice, it.amount.to_text(Currency::Cny)));
            parts.collect::<Vec<_>>().join(", ")
        }
        Decision::Reject(reasons) => {
            format!("refused: {}", reasons.iter().map(domain::Reason::code).collect::<Vec<_>>().join(" "))
        }
        Decision::OlderSlices => "older slices".to_owned(),
    }
}

#[track_caller]
fn check(account: &Account, slices: &str, request: &Request, expected: &str) {
    let decision = decide(account, &book(slices), request, &Policy::default(), today());
    assert_eq!(outcome(&decision), expected, "{slices} {request:?}");
}

const WALLETS: &str = "a:alipay:2026-03-01:100 b:wechat:2026-02-01:50 c:alipay:2026-01-01:20";
const OLD: &str = "x:alipay:2025-01-03:100 y:wechat:2025-01-02:50 z:unionpay_personal:2025-01-01:20";

#[test]
fn r9_the_newest_eligible_money_leaves_first() {
    let account = account("1000");
    check(&account, WALLETS, &to_source("30"), "a 30.00");
    check(&account, WALLETS, &to_source("120.5"), "a 100.00, b 20.50");
    check(&account, WALLETS, &to_source("170"), "a 100.00, b 50.00, c 20.00");
    check(&account, WALLETS, &to_source("170.01"), "refused: exceeds_route");
    let with_newer =
        "bonus1:alipay:2026-03-09:500 n:unionpay_personal:2025-12-01:500 a:alipay:2025-11-01:100";
    check(&account, with_newer, &to_source("60"), "a 60.00"); // ineligible newer ones are skipped
    check(&account, with_newer, &to_source("100.01"), "refused: exceeds_route");
}

#[test]
fn r9_top_ups_of_the_same_instant_leave_in_order_of_sequence() {
    let same = |id: &str, sequence| Slice { sequence, ..slice(&format!("{id}:alipay:2026-03-01:10")) };
    let book = Book::complete([same("second", 2), same("first", 1), same("third", 3)]);
    let decision = decide(&account("30"), &book, &to_source("25"), &Policy::default(), today());
    assert_eq!(outcome(&decision), "third 10.00, second 10.00, first 5.00");
}

#[test]
fn r9_a_selection_is_emptied_newest_first_and_never_topped_up() {
    let account = account("1000");
    check(&account, WALLETS, &chosen("c b", to_source("60")), "b 50.00, c 10.00");
    check(&account, WALLETS, &chosen("c b", to_source("70.01")), "refused: selection_too_small");
    check(&account, WALLETS, &chosen("c nobody", to_source("10")), "refused: transaction_unknown");
    let mixed = "a:alipay:2026-03-01:100 bonusx:alipay:2025-01-01:100 e:wechat:2026-03-02:0";
    check(
        &account,
        mixed,
        &chosen("a bonusx", to_source("10")),
        "refused: transaction_ineligible transaction_ineligible",
    );
    check(&account, mixed, &chosen("e a", to_source("10")), "refused: transaction_ineligible");
}

#[test]
fn r1_the_cap_counts_every_deduction_and_ineligible_money_absorbs_it() {
    let owing = |cash: &str, invoice: &str, unbilled: &str, held: &str| Account {
        terms: Terms {
            cash: cny(cash),
            outstanding_invoice: cny(invoice),
            unbilled: cny(unbilled),
            held: cny(held),
        },
        ..account(cash)
    };
    let slices = "a:alipay:2026-03-01:60 bonus1:alipay:2026-03-02:100";
    check(&owing("160", "50", "30", "20"), slices, &to_source("60"), "a 60.00"); // the bonus money absorbs 100
    check(&owing("160", "50", "30", "20.01"), slices, &to_source("60"), "refused: exceeds_withdrawable");
    check(&owing("160", "50", "30", "20.01"), slices, &to_source("59.99"), "a 59.99");
    check(&owing("160", "300", "0", "0"), slices, &to_source("0.01"), "refused: exceeds_withdrawable");
    check(
        &owing("160", "101", "0", "0"),
        slices,
        &to_source("60.01"),
        "refused: exceeds_withdrawable exceeds_route",
    );
}

#[test]
fn r6_r8_each_top_up_leaves_by_its_own_route_only() {
    let account = account("1000");
    let bank = "t:bank_transfer:2019-01-01:40";
    check(&account, bank, &to_source("40"), "t 40.00");
    check(&account, bank, &to_card("40", "李四"), "refused: exceeds_route");
    check(
        &account,
        bank,
        &chosen("t", to_card("40", "李四")),
        "refused: transaction_ineligible selection_too_small",
    );
    check(&account, WALLETS, &to_card("10", "张三"), "refused: exceeds_route");
    check(&account, OLD, &to_source("10"), "refused: exceeds_route");
    check(&account, OLD, &to_card("150", "张三"), "x 100.00, y 50.00");
    let card = to_card("10", "张三").card;
    check(&account, WALLETS, &Request { card, ..to_source("10") }, "refused: payee_not_chosen");
}

#[test]
fn r12_one_card_has_one_name_and_it_is_the_right_one() {
    let account = account("1000");
    check(&account, OLD, &to_card("20", "李四"), "z 20.00"); // e-banking: the account's real name
    check(&account, OLD, &to_card("20.01", "李四"), "refused: exceeds_route holder_mismatch");
    check(&account, OLD, &to_card("1", "王五"), "refused: exceeds_route holder_mismatch");
    check(&account, OLD, &chosen("x z", to_card("110", "张三")), "refused: several_holders");
    check(&account, OLD, &chosen("x y", to_card("110", "李四")), "refused: holder_mismatch");
    check(&account, OLD, &chosen("x y", to_card("110", " 张 三 ")), "x 100.00, y 10.00");
    let nameless = Request { card: None, ..to_card("160", "") };
    check(&account, OLD, &nameless, "refused: several_holders");
    check(&account, OLD, &Request { amount: cny("150"), ..nameless }, "x 100.00, y 50.00");
    let decision =
        decide(&account, &book(OLD), &chosen("x z", to_card("110", "张三")), &Policy::default(), today());
    let Decision::Reject(reasons) = decision else { panic!("two names are refused") };
    assert_eq!(reasons[0].detail(Currency::Cny), "one bank card cannot be in several names: 张三, 李四");
}

#[test]
fn r11_what_is_missing_of_the_receiving_account_is_waited_for() {
    let account = account("1000");
    let missing_of = |card: Option<Card>| {
        let request = Request { card, ..to_card("10", "") };
        match decide(&account, &book(OLD), &request, &Policy::default(), today()) {
            Decision::Accept(accepted) => accepted.missing,
            refused => panic!("{refused:?}"),
        }
    };
    let holder = Some("张三".to_owned());
    assert_eq!(missing_of(None).len(), 5);
    assert_eq!(missing_of(Some(Card { holder: holder.clone(), missing: vec![] })), []);
    let without = Card { holder, missing: vec![Detail::Cnaps] };
    assert_eq!(missing_of(Some(without)), [Detail::Cnaps]);
}

#[test]
fn a_refusal_names_every_reason_at_once() {
    let barred = Account {
        real_name_verified: false,
        advance_payment: true,
        refunds_forbidden: true,
        stopped: true,
        open_withdrawals: 10,
        terms: Terms { cash: cny("5"), ..Terms::default() },
        ..account("5")
    };
    let faulty =
        Request { proof: Proof::Faulty(ProofFault::Expired), currency: Currency::Usd, ..to_source("10") };
    let expected = "refused: account_stopped real_name_not_verified partner_advance_payment refunds_forbidden \
                    too_many_open_withdrawals verification_failed currency_mismatch exceeds_withdrawable exceeds_route";
    check(&barred, "a:alipay:2026-03-01:5", &faulty, expected);
    check(
        &account("5"),
        WALLETS,
        &Request { amount: Money::ZERO, ..to_source("1") },
        "refused: amount_not_positive",
    );
}

#[test]
fn r15_policy_flags_are_obeyed() {
    let policy = Policy { max_open_withdrawals: 2, ..Policy::default() };
    for (open, expected) in [(1, "a 1.00"), (2, "refused: too_many_open_withdrawals")] {
        let account = Account { open_withdrawals: open, ..account("100") };
        assert_eq!(outcome(&decide(&account, &book(WALLETS), &to_source("1"), &policy, today())), expected);
    }
    let policy = Policy { refunds_forbidden: ["default".to_owned()].into(), ..Policy::default() };
    let decision = decide(&account("100"), &book(WALLETS), &to_source("1"), &policy, today());
    assert_eq!(outcome(&decision), "refused: refunds_forbidden");
}

#[test]
fn a_book_that_ends_too_early_asks_for_older_slices_only_when_it_must() {
    let newest = slice("a:alipay:2026-03-01:100");
    let mut short = Book::default();
    assert_eq!(
        outcome(&decide(&account("500"), &short, &to_source("1"), &Policy::default(), today())),
        "older slices"
    );
    short.reaches(domain::Reach::DownTo(newest.age()));
    short.add([newest, slice("far:alipay:2026-01-01:100")]);
    let of =
        |amount| outcome(&decide(&account("500"), &short, &to_source(amount), &Policy::default(), today()));
    assert_eq!(of("100"), "a 100.00");
    assert_eq!(of("100.01"), "older slices", "a slice beyond the gap does not count");
    let chosen = chosen("far", to_source("100"));
    assert_eq!(outcome(&decide(&account("500"), &short, &chosen, &Policy::default(), today())), "far 100.00");
}
