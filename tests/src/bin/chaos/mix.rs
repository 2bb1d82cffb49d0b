//! How the gateways treat the payments of a run: by the end of the payee's number.
//!
//! The upstream deals out the endings, so the share of each fault is known before
//! the run, and the simulator's scenario says what each of them means.

use std::fmt::Write;

use rand::Rng;
use rand::rngs::StdRng;

/// A way in which gateways treat a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Treatment {
    /// The fault of the list of promises; nothing for a payment that is just made.
    pub(crate) fault: Option<&'static str>,
    /// The last four digits.
    pub(crate) ending: &'static str,
    /// How many of a thousand payments.
    share: u32,
    /// What a rule of the scenario says, in `steps`.
    steps: &'static str,
}

const fn fault(fault: &'static str, ending: &'static str, share: u32, steps: &'static str) -> Treatment {
    Treatment { fault: Some(fault), ending, share, steps }
}

/// Whatever is left of a thousand.
pub(crate) const PAID: Treatment = Treatment { fault: None, ending: "4242", share: 0, steps: "" };

/// `CODE` stands for a code of the channel that says nothing certain, `NEW` for one that
/// nobody has heard of.
const FAULTS: &[Treatment] = &[
    fault("F15", "6015", 10, "{ attempt = 1, notify = 'early' }"),
    fault("F19", "6019", 50, "{ attempt = 1, commit = true, reply = 'drop' }"),
    fault("F19", "6119", 30, "{ attempt = 1, commit = true, reply = 'never' }"),
    fault("F20", "6020", 20, "{ attempt = 1, commit = false, reply = 'http-503' }"),
    fault("F20", "6120", 20, "{ attempt = 1, commit = true, reply = 'http-503' }"),
    fault("F21", "6021", 20, "{ attempt = 1, commit = true, reply = 'CODE' }"),
    fault(
        "F21",
        "6121",
        20,
        "{ attempt = 1, commit = true, reply = 'pending' }, { after = '20s', notify = 'settled' }",
    ),
    fault("F22", "6022", 10, "{ attempt = 1, commit = true, reply = 'garbage' }"),
    fault("F22", "6122", 10, "{ attempt = 1, commit = true, reply = 'NEW' }"),
    fault("F23", "6023", 30, "{ attempt = 1, notify = 'settled', times = 3, order = 'after-next' }"),
    fault("F24", "6024", 10, "{ attempt = 1, notify = 'settled', sign = 'bad' }"),
    fault(
        "F25",
        "6025",
        20,
        "{ attempt = 1, commit = true, reply = 'drop', notify = 'settled', amount = 'off' }",
    ),
    fault("F26", "6026", 10, "{ attempt = 1, commit = true, reply = 'slow:4s' }"),
];

/// Draws a treatment; the first `n` are one of each, so that the smallest run meets all.
pub(crate) fn draw(n: Option<usize>, dice: &mut StdRng) -> Treatment {
    if let Some(it) = n.and_then(|it| FAULTS.get(it)) {
        return *it;
    }
    let mut place = dice.random_range(0..1000);
    for it in FAULTS {
        if place < it.share {
            return *it;
        }
        place -= it.share;
    }
    PAID
}

/// The scenario that gives the endings their meaning.
pub(crate) fn scenario(seed: u64) -> String {
    let mut text = format!("name = \"a storm\"\nseed = {seed}\n");
    for (channel, code, new) in [
        ("alipay", "SYSTEM_ERROR", "ACQ.NEW_IN_2031"),
        ("wechat", "SYSTEM_ERROR", "NEW_IN_2031"),
        ("unionpay", "03", "9Z"),
        ("bank", "garbage", "garbage"),
    ] {
        for it in FAULTS {
            let steps = it.steps.replace("CODE", code).replace("NEW", new);
            // A table of TOML must stay on its line, a text may be in either quotes.
            writeln!(
                text,
                "\n[[on]]\nchannel = \"{channel}\"\npayee = \"*{}\"\nsteps = [{steps}]",
                it.ending
            )
            .expect("a text takes everything");
        }
    }
    text
}

/// Nobody deviates from what is right.
pub(crate) fn nothing_wrong() -> String {
    "name = \"nothing wrong\"\n\n[[on]]\nchannel = \"*\"\nsteps = []\n".to_owned()
}

/// Every gateway loses every answer after the money moved: for one control.
pub(crate) fn answers_lost() -> String {
    let steps = "{ attempt = 1, commit = true, reply = 'drop' }";
    format!("name = \"answers lost\"\n\n[[on]]\nchannel = \"*\"\nsteps = [{steps}]\n")
}
