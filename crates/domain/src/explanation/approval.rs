//! Why a withdrawal needs people. Of the rules that apply, the strictest counts.

use super::Row;

/// One row per [`crate::ApprovalRule`].
pub(super) const RULES: &[Row] = &[
    (
        "amount",
        "S01",
        "The amount is above what leaves without people; the larger it is, the more of them it needs.",
        "Approvers: look at the withdrawal in the console or with `outflow show ID`, and decide. Operations: `bands` of [policy.approval] are the limits.",
    ),
    (
        "flagged_account",
        "S01",
        "The account is on the list of those whose every withdrawal people look at.",
        "Approvers: look at why it is on the list, and decide. Operations: `flagged_accounts` of [policy.approval] is the list.",
    ),
    (
        "first_bank_card",
        "S01",
        "The money would go to a bank card that this account was never paid out to.",
        "Approvers: see that the card is the holder's, and decide.",
    ),
    (
        "channel",
        "S01",
        "A part of the money leaves by a channel on which people look at everything.",
        "Approvers: look at the withdrawal, and decide. Operations: [policy.approval.channels] says which channels.",
    ),
    (
        "account_velocity",
        "S01",
        "The account takes out more, or more often, than leaves without people; the event says how much in how many hours.",
        "Approvers: look at its other withdrawals with `outflow list`, and decide.",
    ),
    (
        "payee_velocity",
        "S01",
        "The payee receives more, or more often, than leaves without people; the event says how much in how many hours.",
        "Approvers: look at who pays this payee, and decide.",
    ),
];
