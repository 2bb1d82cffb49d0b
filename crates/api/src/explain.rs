//! What the codes mean that answers over HTTP have, besides those of the rules.

use domain::{About, Explanation, Row};

/// One row per code that an answer of the API or of the console has by itself.
const ANSWERS: &[Row] = &[
    (
        "not_authenticated",
        "",
        "There was no token, or none that lets anybody in: it was never issued, or was revoked.",
        "Caller: send `Authorization: Bearer TOKEN`. Operations: `outflow operator add NAME` issues one, and shows it once.",
    ),
    (
        "role_too_low",
        "S01",
        "The token is good, and its holder's role may not do this.",
        "Caller: let somebody do it who may. Operations: `outflow operator add` gives a role; the one that is needed is in the detail.",
    ),
    (
        "stale_form",
        "",
        "The form was made for another session, or its session has ended, so that it may have been sent by another page.",
        "Whoever sent it: load the page anew, look at what it says now, and decide again.",
    ),
    (
        "not_yours",
        "S01",
        "The request speaks in somebody else's name, and nobody speaks for another.",
        "Caller: leave the field out that the pointer names, or fill in the token's holder; a decision is made anew in one's own name.",
    ),
    (
        "missing_idempotency_key",
        "",
        "The header Idempotency-Key is missing, without which a repeat could not be told from a second withdrawal.",
        "Caller: choose a key for each withdrawal, and send the same one with every try.",
    ),
    (
        "invalid_idempotency_key",
        "",
        "The header Idempotency-Key is empty, too long, or has characters that are not printable.",
        "Caller: send 1 to 128 printable characters, such as a UUID.",
    ),
    (
        "in_progress",
        "",
        "The same request is being decided at this very moment.",
        "Caller: send it again in a second, under the same key: the answer is that of the first.",
    ),
    (
        "conflict",
        "",
        "Another request came under this key before, and this one says something else. The first one stands.",
        "Caller: send the new request under a key of its own; the detail names the fields that differ.",
    ),
    (
        "bad_request",
        "",
        "The address of the request cannot be understood, for example because a number in it is none.",
        "Caller: compare the address with /v1/openapi.json.",
    ),
    (
        "invalid_parameter",
        "",
        "A parameter of the address has a value outside of what it may be; the detail says what it may be.",
        "Caller: compare it with /v1/openapi.json.",
    ),
    (
        "body_too_large",
        "",
        "The body has more than 64 KiB.",
        "Caller: send the fields of /v1/openapi.json and nothing else.",
    ),
    (
        "no_such_resource",
        "",
        "There is nothing at this address.",
        "Caller: compare the address with /v1/openapi.json.",
    ),
    (
        "method_not_allowed",
        "",
        "The address is right, and does not take this method.",
        "Caller: compare the method with /v1/openapi.json.",
    ),
    (
        "no_such_withdrawal",
        "",
        "There is no withdrawal of this number.",
        "Caller: take the number from the answer to the request, from an event, or from GET /v1/withdrawals.",
    ),
    (
        "no_such_channel",
        "",
        "There is no channel of this name: they are alipay, wechat, unionpay and bank, or `all`.",
        "Caller: take the name from GET /v1/channels.",
    ),
    (
        "already_paused",
        "",
        "The channel is stopped already, and the first reason stands.",
        "Nobody: what was wanted is so. GET /v1/channels says who stopped it and why.",
    ),
    (
        "not_paused",
        "",
        "The channel is not stopped, and its circuit is closed, so that there is nothing to let go on.",
        "Nobody: what was wanted is so. Another switch may still stop it: GET /v1/channels lists them.",
    ),
    (
        "no_such_message",
        "",
        "There is no parked message of this number.",
        "Caller: take the number from GET /v1/parked-messages, or from `outflow parked list`.",
    ),
    (
        "already_resolved",
        "",
        "Somebody dealt with the parked message before: it was sent again or discarded.",
        "Caller: `outflow parked show ID` says who did what with it, and why.",
    ),
    (
        "no_such_difference",
        "",
        "There is no open difference of this number: it never was, or somebody resolved it.",
        "Caller: take the number from GET /v1/reconciliation/differences, or from `outflow reconcile differences`.",
    ),
    (
        "unknown_account",
        "",
        "No fact has ever named this account.",
        "Caller: compare the number. Upstream: publish the account's facts first.",
    ),
    (
        "unknown_code",
        "R10",
        "There is no verification code of this number.",
        "Caller: confirm with the number that the issuing answered with.",
    ),
    (
        "codes_not_set_up",
        "R10",
        "No key that signs tokens is set in this process, so that it issues no verification codes.",
        "Operations: set [verification] in the settings; `outflow config check` says whether it holds together.",
    ),
    (
        "not_deciding",
        "",
        "This process answers questions and decides nothing: it was started without what deciding needs.",
        "Operations: send the request to a process that runs `outflow run api`.",
    ),
    (
        "not_published",
        "",
        "The broker did not confirm the message, and may or may not have it.",
        "Caller: publish it again under the same id: a repeat changes nothing.",
    ),
    (
        "not_ready",
        "",
        "The process cannot work now: its database or its broker does not answer, or the schema is not its own. The detail says which.",
        "Operations: `outflow doctor` says what is wrong and how to mend it.",
    ),
    (
        "temporarily_unavailable",
        "",
        "The database does not answer, or somebody else changed the same rows again and again.",
        "Caller: send it again, under the same key. Operations: `outflow doctor` where it goes on.",
    ),
    (
        "timed_out",
        "",
        "The answer took too long. What was asked for may have been done.",
        "Caller: send it again under the same key: the answer is that of the first.",
    ),
    (
        "internal_error",
        "",
        "The database refused a statement, which only a defect or a wrong schema explains.",
        "Operations: the process's log says what it was; `outflow doctor` compares the schema.",
    ),
    (
        "refused",
        "",
        "The request was refused in a way that has no code of its own; the status and the detail say more.",
        "Caller: compare the request with /v1/openapi.json.",
    ),
];

/// One row per refusal of [`crate::notice::Receipt`].
const NOTICES: &[Row] = &[
    (
        "differs",
        "",
        "The notice is genuine, and in another amount or on another rail than the payment that it names.",
        "Operations: compare the payment with the channel's statement of its day; `outflow reconcile` does it too.",
    ),
    (
        "forged",
        "",
        "The notice's signature is missing, stale or does not hold, so that nothing it says counts.",
        "Operations: compare the channel's certificate in the key folder with the one it publishes; many of them may be an attack.",
    ),
    (
        "unreadable",
        "",
        "The notice is not what the channel documents, so that nothing it says counts.",
        "Operations: compare it with the channel's documents.",
    ),
    (
        "foreign",
        "",
        "The notice is genuine and meant for another merchant.",
        "Operations: compare the merchant's number in [gateways] with that at the channel, and `notify_url` there.",
    ),
    (
        "too_long",
        "",
        "The notice has more than 64 KiB, which no notice of the channel has.",
        "Operations: see who sends to `notify_url`.",
    ),
    (
        "unavailable",
        "",
        "The notice could not be kept, because the database did not answer in time. The channel sends it again.",
        "Operations: `outflow doctor` where it goes on.",
    ),
];

/// What each code means that HTTP alone has.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    let tables: [(About, &[Row]); 2] = [(About::Answer, ANSWERS), (About::Notice, NOTICES)];
    tables.into_iter().flat_map(|(about, rows)| rows.iter().map(move |row| Explanation::of(about, *row)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::About;

    use super::explanations;
    use crate::notice::refusals;

    #[test]
    fn every_refusal_of_a_notice_has_its_text_and_every_text_its_refusal() {
        let told: BTreeSet<&str> =
            explanations().filter(|it| it.about == About::Notice).map(|it| it.code).collect();
        assert_eq!(told, refusals().collect::<BTreeSet<&str>>());
    }
}
