//! Why requests are refused, why top-ups stay, why withdrawals wait.

use super::Row;

/// One row per [`crate::Reason`].
pub(super) const REFUSALS: &[Row] = &[
    (
        "unknown_account",
        "R1",
        "No fact has ever named the account, so that nobody knows its money.",
        "Upstream: publish outflow.account.upserted.v1 and the account's top-ups to outflow.facts, then a new request. `outflow facts status ACCOUNT` says what has arrived.",
    ),
    (
        "currency_mismatch",
        "R16",
        "The request names another currency than the account holds; nothing is converted.",
        "Upstream: ask for the amount in the account's own currency, under a new id.",
    ),
    (
        "amount_not_positive",
        "R16",
        "The amount is zero; only more than nothing can be withdrawn.",
        "Upstream: send an amount above zero, as a decimal text such as \"88.80\".",
    ),
    (
        "real_name_not_verified",
        "R14",
        "The account's real-name verification is not done, and only verified people and enterprises are paid.",
        "Customer: complete the real-name verification. Upstream: publish the account's new fact, then a new request.",
    ),
    (
        "partner_advance_payment",
        "R2",
        "The account is tied to a partner in advance-payment mode, and its cash belongs to that arrangement.",
        "Customer: settle with the partner. Upstream: publish the account's fact once the tie has ended, then a new request.",
    ),
    (
        "refunds_forbidden",
        "R15",
        "The account's contract forbids refunds.",
        "Sales: change the contract. Upstream: publish the account's fact with `refunds_forbidden` false, then a new request.",
    ),
    (
        "account_stopped",
        "R1",
        "The account's facts contradict each other or are incomplete, so that its balance cannot be trusted.",
        "Operations: `outflow facts status ACCOUNT` names the fact that is missing or wrong; deploy/runbook/stopped-account.md says how to go on.",
    ),
    (
        "too_many_open_withdrawals",
        "R15",
        "As many withdrawals of this account are open as the settings allow.",
        "Customer: wait until one has ended, or cancel one. Operations: `max_open_withdrawals` of [policy] is the limit.",
    ),
    (
        "verification_failed",
        "R10",
        "The proof that the verification code was entered is missing, is too old, was signed by an unknown key, or was issued for another account, amount, route or request id.",
        "Customer: ask for a new code and enter it within ten minutes. Upstream: put the token into `verification` unchanged, and keep account, amount, route and id as they were when it was issued.",
    ),
    (
        "exceeds_withdrawable",
        "R1",
        "More was asked for than cash less outstanding invoices, unbilled usage and what is held already.",
        "Customer: ask for no more than the cap in the event's `terms`, or return or pay the invoices first. `outflow quote ACCOUNT` shows every term.",
    ),
    (
        "exceeds_route",
        "R6",
        "The top-ups that may leave by this route hold less than the amount; each excluded one is counted under its own code.",
        "Customer: ask for less, or use the other route. `outflow quote ACCOUNT` shows both maximums and why each top-up is excluded.",
    ),
    (
        "selection_too_small",
        "R9",
        "The selected transactions hold less than the amount, and others are never added to a selection.",
        "Customer: select more transactions, ask for less, or let the newest be chosen with `auto`.",
    ),
    (
        "transaction_unknown",
        "R9",
        "A selected transaction is none of the account's top-ups.",
        "Upstream: send numbers as its own outflow.top_up.credited.v1 facts named them; `outflow quote ACCOUNT` lists them.",
    ),
    (
        "transaction_ineligible",
        "R9",
        "A selected transaction cannot leave by this route. The detail names it and says why.",
        "Customer: leave it out of the selection, or choose the route that it has. `outflow explain` knows the code of the exclusion too.",
    ),
    (
        "several_holders",
        "R12",
        "The selected transactions need bank cards in different names, and one card has one name.",
        "Customer: make one request per holder; the detail names the holders.",
    ),
    (
        "holder_mismatch",
        "R12",
        "The bank card is in another name than the wallet that paid, or than the account's real name.",
        "Customer: give a bank card in one of the names in the detail. Spaces and full-width letters do not matter, every other difference does.",
    ),
    (
        "payee_not_chosen",
        "R8",
        "The money goes back to where it came from, so that a receiving account cannot be chosen.",
        "Upstream: leave `bank_account` out of the request.",
    ),
    (
        "details_incomplete",
        "R11",
        "Bank details that came after the request lack what a bank needs; the detail names the fields.",
        "Customer: give holder, number, bank, branch and CNAPS code together: what a later version leaves out is not taken from an earlier one.",
    ),
];

/// One row per [`crate::Exclusion`].
pub(super) const EXCLUSIONS: &[Row] = &[
    (
        "bonus",
        "R3",
        "The top-up earned a bonus or a cash coupon, and such a top-up cannot be withdrawn.",
        "Upstream: publish outflow.top_up.bonus_changed.v1 if the bonus was taken back; otherwise other top-ups have to do.",
    ),
    (
        "window_closed",
        "R6",
        "The time in which the top-up could go back to its source is over (11 months for Alipay and WeChat Pay, 3 months for UnionPay).",
        "Customer: ask for the bank-card route, with a card in the holder's name.",
    ),
    (
        "channel_window_closed",
        "R18",
        "The channel itself refunds a payment only for so long after the customer paid, and that time is over, although the window to the source is open.",
        "Customer: choose other top-ups, or ask for the bank-card route once the window to the source has closed too.",
    ),
    (
        "window_open",
        "R6",
        "The top-up can still go back to its source, and until then not to a bank card.",
        "Customer: ask for the source route, or wait until the day in the detail has passed.",
    ),
    (
        "source_account_only",
        "R8",
        "The top-up came by bank transfer and goes back to the account that it came from only.",
        "Customer: ask for the source route.",
    ),
    (
        "holder_unknown",
        "R12",
        "Nobody knows whose wallet the top-up came from, so that no bank card can be shown to be in the same name.",
        "Operations: find out the payer at the channel. Upstream: future top-ups should carry `payer_name`.",
    ),
    (
        "holder_differs",
        "R12",
        "The top-up needs a bank card in another name than the one that was given.",
        "Customer: give a card in the name in the detail, or leave the top-up out.",
    ),
    (
        "empty",
        "R1",
        "Nothing of the top-up is left: it was spent, allocated, withdrawn, or is held for another withdrawal.",
        "Customer: choose other top-ups. `outflow quote ACCOUNT` shows what each one still has.",
    ),
];

/// One row per [`crate::Obstacle`].
pub(super) const OBSTACLES: &[Row] = &[
    (
        "account_stopped",
        "R1",
        "The account's facts contradict each other or are incomplete since the withdrawal was accepted.",
        "Operations: `outflow facts status ACCOUNT`, and deploy/runbook/stopped-account.md. The hold ends by itself when the facts agree again.",
    ),
    (
        "partner_advance_payment",
        "R2",
        "The account was tied to a partner in advance-payment mode after the withdrawal was accepted.",
        "Customer: settle with the partner. The hold ends by itself with the fact that the tie has ended; the withdrawal can be canceled meanwhile.",
    ),
    (
        "outstanding_invoice",
        "R4",
        "Invoices or unbilled usage rose above what the account has left besides this withdrawal.",
        "Customer: return or pay the invoices. The hold ends by itself with those facts; nothing is shrunk, and the withdrawal can be canceled.",
    ),
];

/// One row per [`crate::RouteClosed`].
pub(super) const CLOSED: &[Row] = &[
    (
        "window_closed",
        "R6c",
        "The window to the source closed between the request and the dispatch of the leg.",
        "Customer: the money can go to a bank card in the holder's name instead; `outflow show ID` says what the withdrawal waits for.",
    ),
    (
        "channel_window_closed",
        "R18",
        "The channel itself refunds a payment only for so long after the customer paid, and that time is over.",
        "Customer: the money can go to a bank card in the holder's name instead; `outflow show ID` says what the withdrawal waits for.",
    ),
    (
        "refund_count_spent",
        "R18",
        "The channel carries out only so many refunds of one payment, and as many were made or may have been.",
        "Customer: the money can go to a bank card in the holder's name instead; `outflow show ID` says what the withdrawal waits for.",
    ),
];
