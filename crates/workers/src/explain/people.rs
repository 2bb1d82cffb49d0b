//! What people are told: about decisions, details and verification codes.

use domain::Row;

/// One row per [`crate::decisions::Refusal`], and the conflict.
pub(super) const DECISIONS: &[Row] = &[
    (
        "unknown_withdrawal",
        "",
        "There is no withdrawal of this number.",
        "Whoever decided: take the number from an event or from `outflow list`; a request that was only just sent may not be decided yet.",
    ),
    (
        "too_late",
        "",
        "The withdrawal is past the state in which this can be said: it was decided, sent, canceled or has expired meanwhile.",
        "Whoever decided: `outflow show ID` says what became of it.",
    ),
    (
        "requester_cannot_approve",
        "S01",
        "Who asked for the money cannot approve it.",
        "Somebody else with the right to approve: look at it and decide.",
    ),
    (
        "already_approved",
        "S01",
        "This person approved it already, and one person counts once.",
        "Somebody else with the right to approve: look at it and decide; `outflow show ID` says how many are missing.",
    ),
    (
        "effect_changed",
        "S01",
        "The decision was made on another payee, amount, route or set of legs than would be paid now, so that it does not count.",
        "Whoever decided: look at the withdrawal again, and decide on what it is now.",
    ),
    (
        "details_changed",
        "R11",
        "Other bank details were given meanwhile; these would have replaced details that their giver had not seen.",
        "Whoever gave them: look at the newest version, and give the details anew with its number as `expected_version`.",
    ),
    (
        "already_dispatched",
        "R11",
        "A part of the money was sent already, so that the receiving account can no longer be changed.",
        "Customer: wait for the payment, or for its return.",
    ),
    (
        "unknown_leg",
        "",
        "The withdrawal has no leg of this number.",
        "Whoever looked into it: take the leg's number from `outflow show ID`.",
    ),
    (
        "not_in_review",
        "",
        "The leg is not in manual review, so that nobody needs to say what became of it.",
        "Whoever looked into it: `outflow show ID` says what is known of the leg by now.",
    ),
    (
        "already_proposed",
        "S01",
        "This person said so already, and it takes two people.",
        "Somebody else: look at the evidence, and say the same with `outflow resolve`.",
    ),
    (
        "resolution_differs",
        "S01",
        "Another person found the opposite, so that nothing was moved.",
        "Both of them: agree on the evidence of the channel, then say the same; deploy/runbook/manual-review.md says where it is found.",
    ),
    (
        "requester_cannot_resolve",
        "S01",
        "Who asked for the money cannot say what became of its payment.",
        "Two other people: look at the evidence, and say what became of it.",
    ),
    (
        "nothing_to_hold",
        "",
        "Nothing of the withdrawal can be held now: it waits for bank details, is on hold already, or all of it was sent.",
        "Whoever decided: `outflow channel` stops a whole rail; what was sent can no longer be held.",
    ),
    (
        "not_on_hold",
        "",
        "The withdrawal is not on hold, so that there is nothing to let go on.",
        "Whoever decided: `outflow show ID` says what it waits for.",
    ),
    (
        "still_obstructed",
        "",
        "The account is stopped, tied to a partner, or owes more than it has left, and no person can overrule that.",
        "Whoever decided: `outflow facts` and `outflow quote ACCOUNT` say what is in the way; the hold ends once it is over.",
    ),
    (
        "conflict",
        "",
        "Another message came under this source and id before, and this one says something else. The first one stands.",
        "Upstream: send the new message under an id of its own; the detail names the fields that differ.",
    ),
];

/// One row per [`crate::codes::CodeRefusal`].
pub(super) const CODES: &[Row] = &[
    (
        "unknown_account",
        "R10",
        "No fact has ever named the account that the code would be for.",
        "Upstream: publish the account's facts first.",
    ),
    (
        "currency_mismatch",
        "R16",
        "The code would be for another currency than the account holds.",
        "Upstream: ask for a code in the account's currency.",
    ),
    (
        "amount_not_positive",
        "R16",
        "The code would be for nothing, or for less.",
        "Upstream: ask for a code for an amount above zero.",
    ),
    (
        "too_many_codes",
        "R10",
        "The account was issued as many codes as it may be within an hour.",
        "Customer: wait. Operations: `codes_per_hour` of [verification] is the limit; many codes at once can be an attack.",
    ),
    (
        "unknown_code",
        "R10",
        "There is no verification code of this number.",
        "Upstream: confirm with the number that the issuing answered with.",
    ),
    (
        "expired",
        "R10",
        "The code is older than ten minutes, or a newer one for the same request took its place.",
        "Customer: ask for another code.",
    ),
    (
        "wrong",
        "R10",
        "It is another code. Nothing says in which digit.",
        "Customer: look again; five wrong guesses end the code.",
    ),
    (
        "attempts_exhausted",
        "R10",
        "The code was guessed at too often, so that even the right one is refused now.",
        "Customer: ask for another code.",
    ),
    (
        "already_used",
        "R10",
        "The code was confirmed before, and a code is good for one token.",
        "Customer: ask for another code, or use the token that it gave.",
    ),
];
