//! What codes about a channel's answer mean. Ours are in lower case, and a channel's
//! never are: the channel says what those mean, and this file what Outflow makes of them.

use domain::{About, Explanation, Rail, Row};

use crate::doubt::Class;
use crate::{alipay, bank, unionpay, wechat};

/// One row per code that an adapter gives by itself. `http_status` stands for
/// `http_503` and its like.
const CALLS: &[Row] = &[
    (
        "not_connected",
        "",
        "There was no connection to the gateway, so that the request never left.",
        "Nobody, at first: it goes again by itself. Operations: where it goes on, look at the network and at `base_url` of [gateways].",
    ),
    (
        "timeout",
        "",
        "The gateway did not answer within the limit, and may have done what it was asked.",
        "Nobody, at first: the gateway is asked what became of it; deploy/runbook/unknown-outcome.md where that goes on.",
    ),
    (
        "broken",
        "",
        "The connection broke before the answer was whole, and the gateway may have done what it was asked.",
        "Nobody, at first: the gateway is asked what became of it; deploy/runbook/unknown-outcome.md where that goes on.",
    ),
    (
        "too_large",
        "",
        "The answer is longer than any that the channel documents, so that it was not read to its end.",
        "Operations: see who answers at `base_url` of [gateways]; deploy/runbook/unknown-outcome.md.",
    ),
    (
        "http_status",
        "",
        "The gateway answered with an HTTP status that the channel gives no meaning to; the number is in the code, as in http_503.",
        "Nobody, at first: the gateway is asked what became of it. Operations: deploy/runbook/circuit-open.md where it goes on.",
    ),
    (
        "bad_signature",
        "",
        "The answer's signature is missing or does not hold, so that nothing it says counts.",
        "Operations: compare the channel's certificate in the key folder with the one it publishes, and see who answers; deploy/runbook/unknown-outcome.md.",
    ),
    (
        "unreadable",
        "",
        "The answer is not what the channel documents, so that nothing it says counts.",
        "Operations: compare it with the channel's documents; deploy/runbook/unknown-outcome.md.",
    ),
    (
        "mismatch",
        "",
        "The answer is genuine and speaks of another number, amount or payment than was asked about; the detail says which.",
        "Operations: ask the channel about both numbers before anything else; deploy/runbook/unknown-outcome.md.",
    ),
    (
        "unknown_status",
        "",
        "The answer is genuine and has a status that the channel does not document, so that it says neither paid nor refused.",
        "Operations: ask the channel what the status in the detail means; deploy/runbook/unknown-outcome.md.",
    ),
    (
        "order_incomplete",
        "",
        "The leg lacks something that the channel needs, so that nothing was sent; the detail names it.",
        "Operations: see what is missing with `outflow show ID`. Customer: give bank details that are whole.",
    ),
];

/// What each code means that an adapter gives by itself.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    CALLS.iter().map(|row| Explanation::of(About::Call, *row))
}

/// A documented code of a channel, and what Outflow makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelCode {
    /// Whose code it is.
    pub rail: Rail,
    /// The code, without the prefix that Alipay gives it at times.
    pub code: &'static str,
    class: Class,
}

impl ChannelCode {
    /// What a payment that is answered so becomes.
    #[must_use]
    pub const fn happened(&self) -> &'static str {
        match self.class {
            Class::Unknown => {
                "The channel does not say for certain whether it paid: the leg is `unknown`, and the channel is asked until it is certain."
            }
            Class::RetryLater => {
                "The channel did not pay, and may later: the leg goes again after a pause, at the bank with a later run."
            }
            Class::Configuration => {
                "The channel did not pay, and pays nothing as it is set up: the leg waits, and the channel's circuit opens."
            }
            Class::Failed => "The channel refused for good and did not pay.",
            Class::Reroute => {
                "The channel cannot pay by this way any more and did not pay: the money may go to a bank card."
            }
        }
    }

    /// Who does what about it.
    #[must_use]
    pub const fn what_to_do(&self) -> &'static str {
        match self.class {
            Class::Unknown => "Nobody, at first; deploy/runbook/unknown-outcome.md where it goes on.",
            Class::RetryLater => {
                "Operations: fund the account at the channel where the code speaks of funds; deploy/runbook/circuit-open.md where it goes on."
            }
            Class::Configuration => {
                "Operations: compare identity, keys and rights at the channel with [gateways]; deploy/runbook/circuit-open.md."
            }
            Class::Failed => {
                "Operations: `outflow show ID`, and deploy/runbook/manual-review.md where the leg is there."
            }
            Class::Reroute => {
                "Customer: give bank details if they are asked for; deploy/runbook/rerouted-money.md."
            }
        }
    }
}

/// The channels that document this code, spelled as a channel spells it.
pub fn channel_codes(code: &str) -> impl Iterator<Item = ChannelCode> {
    let of = |rail| move |(code, class)| ChannelCode { rail, code, class };
    let all = alipay::codes::documented().map(of(Rail::Alipay));
    let all = all.chain(wechat::codes::documented().map(of(Rail::WeChat)));
    let all = all.chain(unionpay::codes::documented().map(of(Rail::UnionPay)));
    let all = all.chain(bank::codes::documented().map(of(Rail::Bank)));
    let wanted = alipay::codes::bare(code);
    all.filter(move |it| it.code == wanted)
}

#[cfg(test)]
mod tests {
    use domain::Rail;

    use super::channel_codes;

    #[test]
    fn a_channels_code_is_told_as_what_is_made_of_it() {
        for (code, rails, words) in [
            ("ACQ.SELLER_BALANCE_NOT_ENOUGH", vec![Rail::Alipay], "goes again"),
            ("SYSTEM_ERROR", vec![Rail::Alipay, Rail::WeChat], "asked until"),
            ("NO_AUTH", vec![Rail::WeChat], "circuit opens"),
            ("38", vec![Rail::UnionPay], "refused for good"),
            ("AC04", vec![Rail::Bank], "bank card"),
            ("NEVER_HEARD_OF", vec![], ""),
        ] {
            let found: Vec<_> = channel_codes(code).collect();
            assert_eq!(found.iter().map(|it| it.rail).collect::<Vec<_>>(), rails, "{code}");
            assert!(found.iter().all(|it| it.happened().contains(words)), "{code}");
        }
    }
}
