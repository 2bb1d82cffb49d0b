//! What our own codes about a channel's answer mean. They are in lower case, and a
//! channel's never are: those are explained by the channel.

use domain::{About, Explanation, Row};

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
