//! Every fault that the simulator can play, on every channel: each leg ends where
//! it must, money moves once for each that is paid, and the books agree.

use std::fmt::Write;

use crate::{World, approved, approved_in};

/// Where a leg ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Paid,
    /// Paid by a second call under the same number; by people where the channel
    /// does not promise to pay a number once.
    SentAgain,
    NotPaid,
}

/// A fault: what the first call meets, what the first query meets, and where the leg ends.
struct Fault {
    call: &'static str,
    query: &'static str,
    ends: Ends,
}

const fn paid(call: &'static str) -> Fault {
    Fault { call, query: "", ends: Ends::Paid }
}

const fn again(call: &'static str) -> Fault {
    Fault { call, query: "", ends: Ends::SentAgain }
}

const fn asked(call: &'static str, query: &'static str) -> Fault {
    Fault { call, query, ends: Ends::Paid }
}

/// The steps of the payment call, and those of the query where it is scripted too.
const FAULTS: &[Fault] = &[
    // Before the money moves: nothing was paid, and the same number goes again.
    again("{ attempt = 1, commit = false, reply = 'drop' }"),
    again("{ attempt = 1, commit = false, reply = 'reset' }"),
    again("{ attempt = 1, commit = false, reply = 'http-503' }"),
    again("{ attempt = 1, commit = false, reply = 'garbage' }"),
    again("{ attempt = 1, commit = false }"),
    // After it moved: only a query tells.
    paid("{ attempt = 1, commit = true, reply = 'drop' }"),
    paid("{ attempt = 1, commit = true, reply = 'reset' }"),
    paid("{ attempt = 1, commit = true, reply = 'http-503' }"),
    paid("{ attempt = 1, commit = true, reply = 'garbage' }"),
    paid("{ attempt = 1, commit = true, reply = 'bad-signature' }"),
    paid("{ attempt = 1, commit = true, reply = 'never' }"),
    // A code that nobody documented is no failure.
    paid("{ attempt = 1, commit = true, reply = 'NEVER.HEARD.OF' }"),
    // Slow, pending, repeated: no doubt at all.
    paid("{ attempt = 1, reply = 'slow:20ms' }"),
    paid("{ attempt = 1, reply = 'pending' }"),
    paid("{ attempt = 1, reply = 'pending' }, { after = '30s', notify = 'settled', times = 3 }"),
    paid("{ reply = 'duplicate' }"),
    paid("{ attempt = 1, commit = true, notify = 'early', times = 2, order = 'after-next' }"),
    paid("{ attempt = 1, commit = true, delay = '1m', sign = 'bad' }"),
    // The answer is lost, and the query about it meets a fault as well.
    asked("{ attempt = 1, commit = true, reply = 'drop' }", "{ attempt = 1, reply = 'drop' }"),
    asked("{ attempt = 1, commit = true, reply = 'drop' }", "{ attempt = 1, reply = 'reset' }"),
    asked("{ attempt = 1, commit = true, reply = 'drop' }", "{ attempt = 1, reply = 'garbage' }"),
    asked("{ attempt = 1, commit = true, reply = 'drop' }", "{ attempt = 1, reply = 'http-503' }"),
    asked("{ attempt = 1, commit = true, reply = 'drop' }", "{ attempt = 1, reply = 'bad-signature' }"),
    Fault {
        call: "{ attempt = 1, commit = false, reply = 'drop' }",
        query: "{ attempt = 1, reply = 'NEVER.HEARD.OF' }",
        ends: Ends::SentAgain,
    },
    // It was taken on and failed in the end. Alipay's query cannot tell that from what it never got.
    Fault {
        call: "{ attempt = 1, reply = 'pending' }, { after = '1m', notify = 'failed' }",
        query: "",
        ends: Ends::NotPaid,
    },
];

/// The ending of the account that meets a fault; none of the magic ones.
fn ending(place: usize) -> String {
    format!("{}", 9_000 + place)
}

/// The script of all faults of a channel.
fn script(channel: &str) -> String {
    let mut toml = "name = \"every fault\"\nseed = 7\n".to_owned();
    for (place, fault) in FAULTS.iter().enumerate() {
        let ending = ending(place);
        for (op, steps) in [("transfer", fault.call), ("query", fault.query)] {
            if !steps.is_empty() {
                let rule = format!(
                    "[[on]]\nchannel = \"{channel}\"\nop = \"{op}\"\npayee = \"*{ending}\"\nsteps = [{steps}]"
                );
                writeln!(toml, "{rule}").expect("a string takes all text");
            }
        }
    }
    // A while in which the channel answers nobody.
    let last = ending(FAULTS.len());
    let rule = format!("[[on]]\nchannel = \"{channel}\"\npayee = \"*{last}\"\noutage = {{ for = \"20s\" }}");
    writeln!(toml, "{rule}").expect("a string takes all text");
    toml
}

impl World {
    async fn state_of(&self, ending: &str) -> String {
        sqlx::query_scalar("select state from leg where account_id = $1")
            .bind(format!("acct-{ending}"))
            .fetch_one(self.till.database.pool())
            .await
            .expect("a leg")
    }
}

async fn every_fault(channel: &str, sim_channel: Option<&str>) {
    let endings: Vec<String> = (0..=FAULTS.len()).map(ending).collect();
    let ends: Vec<(&str, &str)> = endings.iter().map(|it| (it.as_str(), "")).collect();
    let world = approved(channel, sim_channel, &ends).await;
    let script = script(sim_channel.unwrap_or("bank"));
    world.simulator.load_scenario(&script).expect("a scenario");
    // WeChat Pay limits requests that fail to six a second: they come one after the other.
    let apart = "update leg set dispatch_at = dispatch_at + mod(right(account_id, 4)::integer - 9000, 25) * interval '7 seconds' \
                 where rail <> 'bank'";
    world.stage.run(apart).await;
    world.run_to_the_end().await;
    let mut paid = 0;
    for (place, ending) in endings.iter().enumerate() {
        let (fault, ends) = FAULTS.get(place).map_or(("an outage", Ends::SentAgain), |it| (it.call, it.ends));
        let state = world.state_of(ending).await;
        let fits = match ends {
            Ends::SentAgain if channel == "unionpay_personal" => state == "manual_review",
            Ends::Paid | Ends::SentAgain => state == "paid",
            Ends::NotPaid => ["released", "rerouting", "manual_review"].contains(&state.as_str()),
        };
        assert!(fits, "{channel} {fault}: {state}; {}", world.story_of(ending).await);
        paid += usize::from(state == "paid");
    }
    let movements = world.simulator.book().movements.len();
    assert_eq!(movements, paid, "{channel}: one movement for each leg that is paid");
    let numbers = "select count(distinct payout_no) from attempt";
    assert_eq!(
        world.stage.text(numbers).await,
        endings.len().to_string(),
        "{channel}: no number but the first"
    );
    world.books_agree().await;
}

#[tokio::test]
async fn every_fault_of_alipay_ends_where_it_must() {
    every_fault("alipay", Some("alipay")).await;
}

#[tokio::test]
async fn every_fault_of_wechat_ends_where_it_must() {
    every_fault("wechat", Some("wechat")).await;
}

#[tokio::test]
async fn every_fault_of_unionpay_ends_where_it_must() {
    every_fault("unionpay_personal", Some("unionpay")).await;
}

#[tokio::test]
async fn every_fault_of_the_bank_ends_where_it_must() {
    every_fault("bank_transfer", None).await;
}

/// A channel that pays twice what it is asked twice: nothing is sent again there.
#[tokio::test]
async fn a_channel_that_does_not_pay_a_number_once_is_never_sent_it_again() {
    for (channel, sim_channel) in [
        ("alipay", Some("alipay")),
        ("wechat", Some("wechat")),
        ("unionpay_personal", Some("unionpay")),
        ("bank_transfer", None),
    ] {
        let world = World::without_dedup().await;
        let world =
            approved_in(world, channel, sim_channel, &[("0006", ""), ("0007", ""), ("0008", "")]).await;
        world.run_to_the_end().await;
        for (ending, state) in [("0006", "manual_review"), ("0007", "paid"), ("0008", "manual_review")] {
            assert_eq!(world.state_of(ending).await, state, "{channel} {ending}");
        }
        let sends =
            "select max(count) from (select count(*) from attempt where kind = 'pay' group by leg_id) each";
        assert_eq!(world.stage.text(sends).await, "1", "{channel}");
        assert_eq!(world.simulator.book().movements.len(), 1, "{channel}");
        world.books_agree().await;
    }
}
