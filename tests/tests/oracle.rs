//! The rules against an oracle: slow, written from the text of the rules, and
//! sharing no code with the product but the types in which a question is put.
//!
//! It keeps dates as day numbers, names as numbers of persons and money as plain
//! integers, and looks for the newest eligible top-up again and again.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    Account, Book, Card, Channel, Currency, Decision, Money, Policy, Proof, Request, Route, Selection, Slice,
    Terms, decide,
};

/// Histories that are compared in one run, each with several requests.
const HISTORIES: u64 = 12_000;

const DAY_MS: i64 = 86_400_000;
const SHANGHAI_MS: i64 = 8 * 3_600_000;

/// 2024-01-01, counted in days since 1970-01-01.
const FIRST_DAY: i64 = 19_723;

/// Persons, each with spellings that mean them. The account is the last one's.
const PERSONS: [&[&str]; 3] =
    [&["张三", " 张 三"], &["阿·凡提", "阿•凡提", "阿・凡提"], &["华云（北京）", "华云(北京)"]];

/// Numbers that look random and are the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((mixed ^ (mixed >> 31)) >> 1).expect("63 bits") % sides
    }

    fn one_in(&mut self, sides: i64) -> bool {
        self.roll(sides) == 0
    }

    fn spelling(&mut self, person: usize) -> String {
        let spellings = PERSONS[person];
        let place = self.roll(i64::try_from(spellings.len()).expect("a few spellings"));
        spellings[usize::try_from(place).expect("a place")].to_owned()
    }
}

/// A top-up, as the oracle sees it.
#[derive(Debug, Clone)]
struct Coin {
    name: String,
    /// 0 Alipay, 1 WeChat, 2 UnionPay of persons, 3 of enterprises, 4 bank transfer.
    channel: i64,
    day: i64,
    ms: i64,
    sequence: i64,
    bonus: bool,
    left: i64,
    /// Whose wallet; nobody knows for some.
    payer: Option<usize>,
}

/// What is asked, as the oracle sees it.
#[derive(Debug, Clone)]
struct Wish {
    amount: i64,
    to_card: bool,
    /// None means all of them.
    chosen: Option<Vec<String>>,
    /// Whose card; none when the request says nothing of a card.
    card: Option<usize>,
}

/// Year, month and day of a day number: Howard Hinnant's algorithm.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, date)
}

/// "The same day of the month, so many months on, or the month's last day",
/// found by walking forward day by day.
fn last_day(arrived: i64, months: i64) -> i64 {
    let (year, month, date) = civil(arrived);
    let wanted = (year * 12 + month - 1) + months;
    let mut day = arrived;
    loop {
        let (year, month, reached) = civil(day);
        let (_, next_month, _) = civil(day + 1);
        if year * 12 + month - 1 == wanted && (reached == date || next_month != month) {
            return day;
        }
        day += 1;
    }
}

/// R3, R6, R8, R12: whether a coin can leave, and in whose name the card must be.
fn leaves(coin: &Coin, to_card: bool, today: i64) -> bool {
    let window = match coin.channel {
        0 | 1 => Some(11),
        2 | 3 => Some(3),
        _ => None,
    };
    let open = window.is_none_or(|months| today <= last_day(coin.day, months));
    let named = coin.channel > 1 || coin.payer.is_some();
    let by_route = if to_card { window.is_some() && !open && named } else { open };
    by_route && !coin.bonus && coin.left > 0
}

fn owner(coin: &Coin) -> usize {
    if coin.channel <= 1 { coin.payer.expect("a wallet with a name") } else { PERSONS.len() - 1 }
}

/// The plan, or the codes of every reason.
fn judge(
    coins: &[Coin],
    cap: i64,
    wish: &Wish,
    today: i64,
) -> Result<Vec<(String, i64)>, BTreeSet<&'static str>> {
    let mut reasons = BTreeSet::new();
    let asked_for = |coin: &&Coin| wish.chosen.as_ref().is_none_or(|names| names.contains(&coin.name));
    let other_name = |coin: &Coin| wish.to_card && wish.card.is_some_and(|person| person != owner(coin));
    let mut pool: Vec<&Coin> =
        coins.iter().filter(asked_for).filter(|coin| leaves(coin, wish.to_card, today)).collect();
    let mut owners: BTreeSet<usize> = BTreeSet::new();
    let mut others = false;
    if let Some(names) = &wish.chosen {
        if names.iter().any(|name| coins.iter().all(|coin| coin.name != *name)) {
            reasons.insert("transaction_unknown");
        }
        if coins.iter().filter(asked_for).any(|coin| !leaves(coin, wish.to_card, today)) {
            reasons.insert("transaction_ineligible");
        }
        owners.extend(pool.iter().filter(|_| wish.to_card).map(|coin| owner(coin)));
        others = pool.iter().any(|coin| other_name(coin)) && owners.len() == 1;
    } else {
        let before = pool.len();
        pool.retain(|coin| !other_name(coin));
        others |= pool.len() < before;
    }
    let (mut missing, mut plan) = (wish.amount, Vec::new());
    while missing > 0 && !pool.is_empty() {
        let newest = (0..pool.len())
            .max_by_key(|place| (pool[*place].day * DAY_MS + pool[*place].ms, pool[*place].sequence));
        let coin = pool.remove(newest.expect("a pool that is not empty"));
        let given = missing.min(coin.left);
        missing -= given;
        plan.push((coin.name.clone(), given));
        owners.extend(wish.to_card.then(|| owner(coin)));
    }
    let conditions = [
        ("exceeds_withdrawable", wish.amount > cap),
        ("exceeds_route", missing > 0 && wish.chosen.is_none()),
        ("selection_too_small", missing > 0 && wish.chosen.is_some()),
        ("several_holders", owners.len() > 1),
        ("holder_mismatch", others && (wish.chosen.is_some() || missing > 0)),
        ("payee_not_chosen", !wish.to_card && wish.card.is_some()),
    ];
    reasons.extend(conditions.into_iter().filter_map(|(code, stands)| stands.then_some(code)));
    if reasons.is_empty() { Ok(plan) } else { Err(reasons) }
}

fn some_coin(dice: &mut Dice, sequence: i64) -> Coin {
    let channel = dice.roll(5);
    let known = channel == 4 || !dice.one_in(6);
    Coin {
        name: format!("t{sequence}"),
        channel,
        day: FIRST_DAY + dice.roll(500),
        // Some arrive at the very edges of a day, some at the same instant.
        ms: [0, DAY_MS - 1, 43_200_000, dice.roll(DAY_MS)][usize::try_from(dice.roll(4)).expect("a place")],
        sequence,
        bonus: dice.one_in(6),
        left: if dice.one_in(8) { 0 } else { 1 + dice.roll(10_000) },
        payer: known.then(|| usize::try_from(dice.roll(3)).expect("a person")),
    }
}

fn some_wish(dice: &mut Dice, coins: &[Coin]) -> Wish {
    let to_card = dice.one_in(2);
    let mut chosen = None;
    if dice.one_in(3) {
        let mut names: Vec<String> =
            coins.iter().filter(|_| dice.one_in(3)).map(|coin| coin.name.clone()).collect();
        if dice.one_in(10) || names.is_empty() {
            names.push("nobody".to_owned());
        }
        chosen = Some(names);
    }
    let some_person = usize::try_from(dice.roll(3)).expect("a person");
    let card = if to_card { !dice.one_in(4) } else { dice.one_in(15) };
    Wish { amount: 1 + dice.roll(20_000), to_card, chosen, card: card.then_some(some_person) }
}

fn slice(coin: &Coin, dice: &mut Dice) -> Slice {
    let channels = [
        Channel::Alipay,
        Channel::WeChat,
        Channel::UnionPayPersonal,
        Channel::UnionPayEnterprise,
        Channel::BankTransfer,
    ];
    let moment: DateTime<Utc> =
        DateTime::from_timestamp_millis(coin.day * DAY_MS + coin.ms - SHANGHAI_MS).expect("a moment");
    Slice {
        id: coin.name.clone(),
        channel: channels[usize::try_from(coin.channel).expect("a channel")],
        contract_entity: "default".to_owned(),
        arrived_at: moment,
        channel_paid_at: moment,
        sequence: coin.sequence,
        bonus: coin.bonus,
        remaining: Money::from_minor(coin.left),
        payer_name: coin.payer.map(|person| dice.spelling(person)),
        source_account_known: true,
    }
}

fn request(wish: &Wish, dice: &mut Dice) -> Request {
    let holder = wish.card.map(|person| dice.spelling(person));
    Request {
        amount: Money::from_minor(wish.amount),
        currency: Currency::Cny,
        route: if wish.to_card { Route::BankCard } else { Route::Source },
        selection: wish.chosen.clone().map_or(Selection::Auto, Selection::Chosen),
        card: holder.map(|holder| Card { holder: Some(holder), missing: Vec::new() }),
        proof: Proof::Accepted,
    }
}

/// What the product decides, in the oracle's words.
fn in_its_words(decision: &Decision) -> Result<Vec<(String, i64)>, BTreeSet<&'static str>> {
    match decision {
        Decision::Accept(accepted) => {
            Ok(accepted.plan.iter().map(|part| (part.slice.clone(), part.amount.minor())).collect())
        }
        Decision::Reject(reasons) => Err(reasons.iter().map(domain::Reason::code).collect()),
        Decision::OlderSlices => panic!("the book is complete"),
    }
}

#[test]
fn the_product_decides_as_the_oracle_does() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let mut coins: Vec<Coin> =
            (1..=1 + dice.roll(12)).map(|sequence| some_coin(&mut dice, sequence)).collect();
        let mut debts =
            [0, dice.roll(15_000), dice.roll(40_000)][usize::try_from(dice.roll(3)).expect("a place")];
        let mut today = FIRST_DAY + 300 + dice.roll(500);
        let slices: Vec<Slice> = coins.iter().map(|coin| slice(coin, &mut dice)).collect();
        let cash: i64 = coins.iter().map(|coin| coin.left).sum();
        let terms = Terms {
            cash: Money::from_minor(cash),
            outstanding_invoice: Money::from_minor(debts),
            ..Terms::default()
        };
        let mut account = account(terms, &mut dice);
        let mut book = Book::complete(slices);
        for _ in 0..5 {
            let wish = some_wish(&mut dice, &coins);
            let asked = request(&wish, &mut dice);
            let date = NaiveDate::from_epoch_days(i32::try_from(today).expect("a day")).expect("a date");
            let expected = judge(&coins, (cash - debts).max(0), &wish, today);
            let decision = decide(&account, &book, &asked, &Policy::default(), date);
            assert_eq!(in_its_words(&decision), expected, "seed {seed}: {wish:?} on {date} of {coins:#?}");
            if let (Decision::Accept(plan), Ok(taken)) = (&decision, &expected) {
                account.hold(asked.amount);
                book.take(&plan.plan);
                for (name, amount) in taken {
                    coins.iter_mut().find(|coin| coin.name == *name).expect("a coin of the plan").left -=
                        amount;
                }
                debts += wish.amount; // what is held cannot be withdrawn again
                accepted += 1;
            } else {
                refused += 1;
            }
            today += dice.roll(40);
        }
    }
    // A comparison that only ever sees one side proves nothing.
    assert!(accepted > HISTORIES / 3 && refused > HISTORIES / 3, "{accepted} accepted, {refused} refused");
}

fn account(terms: Terms, dice: &mut Dice) -> Account {
    Account {
        currency: Currency::Cny,
        real_name: dice.spelling(PERSONS.len() - 1),
        real_name_verified: true,
        advance_payment: false,
        contract_entity: "default".to_owned(),
        refunds_forbidden: false,
        stopped: false,
        terms,
        open_withdrawals: 0,
    }
}

#[test]
fn the_oracle_itself_knows_the_examples_of_the_text() {
    for (arrived, months, expected) in [
        ("2025-01-15", 11, "2025-12-15"),
        ("2025-03-31", 11, "2026-02-28"),
        ("2023-03-31", 11, "2024-02-29"),
        ("2024-02-29", 11, "2025-01-29"),
        ("2025-11-30", 3, "2026-02-28"),
    ] {
        let day = |text: &str| i64::from(text.parse::<NaiveDate>().expect("a date").to_epoch_days());
        assert_eq!(last_day(day(arrived), months), day(expected), "{arrived}");
    }
}
