//! What operations are told: about holds, messages, stopped accounts, bank runs,
//! calls that were not made and statements that do not agree.

use domain::Row;

use crate::facts::stops;

/// What withdrawals wait for besides the obstacles of `domain`.
pub(super) const HOLDS: &[Row] = &[
    (
        crate::holds::PAYEE_UNREADABLE,
        "",
        "The receiving account's number cannot be opened with the keys at hand.",
        "Operations: put the key back into the ring; deploy/runbook/unreadable-payee.md says how. The hold ends by itself.",
    ),
    (
        crate::holds::RETRIES_SPENT,
        "",
        "The channel refused this payment for the moment as often as one number may be sent. Nothing was paid; the money is held.",
        "Operations: look at `outflow show ID` for what the channel says, mend it, and let it go: outflow release ID.",
    ),
    (
        crate::late::PREDECESSOR_PAID,
        "",
        "The channel said of a payment that it had failed and then that it was made, after another leg had taken its place; that other leg is kept from being sent.",
        "Operations: look at the channel's statement; what was paid stays paid, and the leg that took its place must not be sent.",
    ),
];

/// What becomes of facts and requests that cannot be taken as they are.
pub(super) const MESSAGES: &[Row] = &[
    (
        "event_conflict",
        "",
        "A fact came under a source and id that another fact has. The first one stands.",
        "Upstream: publish the new fact under an id of its own.",
    ),
    (
        "version_conflict",
        "",
        "Another fact has this version of the account already. The first one stands.",
        "Upstream: publish it with the account's next version.",
    ),
    (
        "missing_versions",
        "",
        "Facts of the account wait for earlier versions that have not come, and the account pays nothing out meanwhile.",
        "Upstream: publish the versions that the detail names. Operations: deploy/runbook/stopped-account.md.",
    ),
    (
        "cannot_be_stored",
        "",
        "The database refuses the fact by itself, and its account pays nothing out until a person has looked.",
        "Operations: the log of the facts worker says why; deploy/runbook/stopped-account.md.",
    ),
    (
        "refused_by_database",
        "",
        "The database refuses what the request would write.",
        "Operations: the log of the intake says why; deploy/runbook/parked-message.md.",
    ),
    (
        "delivery_limit",
        "",
        "The broker delivered the message again and again, and nobody acknowledged it: whoever took it broke down each time.",
        "Operations: the worker's log says what it broke down on; mend that first, then send the message again; deploy/runbook/parked-message.md.",
    ),
    (
        "expired_in_queue",
        "",
        "The message waited in its queue for longer than its sender allowed.",
        "Upstream: publish without an expiration. Operations: see that the queue has a worker, then send it again; deploy/runbook/parked-message.md.",
    ),
    (
        "dead_lettered",
        "",
        "The broker put the message among the dead letters, and no worker had refused it.",
        "Operations: look at it, then send it again or discard it; deploy/runbook/parked-message.md.",
    ),
];

/// Why an account pays nothing out: what its `stopped_because` begins with.
pub(super) const ACCOUNTS: &[Row] = &[
    (
        stops::REFUSED,
        "R1",
        "A fact of the account contradicts what is known, or could not be stored, and every later fact waits behind it.",
        "Upstream: publish a corrected fact with the same version. Operations: `outflow facts status ACCOUNT` names it; deploy/runbook/stopped-account.md.",
    ),
    (
        stops::MISSING,
        "R1",
        "Facts of the account have not come, and later ones wait for them.",
        "Upstream: publish the versions that are named. Operations: `outflow facts status ACCOUNT`; deploy/runbook/stopped-account.md.",
    ),
    (
        stops::TOTALS,
        "R1",
        "The account's totals are not the sums of its top-ups, so that no rule can be trusted on it. Only people end this stop.",
        "Operations: find the difference with `outflow verify`, then `outflow facts end-stop ACCOUNT`; deploy/runbook/stopped-account.md.",
    ),
];

/// Why a bank run waits.
pub(super) const BANK_RUNS: &[Row] = &[(
    crate::bank_run::DAILY_TOTAL,
    "R7",
    "With this run more would go to the bank in a day than `daily_total` of [bank] allows.",
    "Operations: look at what is in it with `outflow bank-run list`, then `outflow bank-run release ID`; deploy/runbook/bank-run.md.",
)];

/// Calls that were not made, and one that the channel's statement answered.
pub(super) const CALLS: &[Row] = &[
    (
        crate::payout::STOPPED,
        "",
        "Sends were stopped after the leg was taken up, so that the call was not made. The leg waits.",
        "Operations: `outflow channel list` says who stopped what and why; deploy/runbook/channel-stopped.md.",
    ),
    (
        crate::payout::RESTS,
        "",
        "The channel failed too often and is left in peace, so that the call was not made. The leg waits.",
        "Nobody, at first: a call is tried by itself after a while; deploy/runbook/circuit-open.md.",
    ),
    (
        crate::statement::BY_STATEMENT,
        "",
        "The channel's own statement of the day said what became of the payment, before any query did.",
        "Nobody: the books follow the statement. `outflow reconcile differences` lists what does not agree.",
    ),
];

/// One row per [`store::statement_differences::Kind`].
pub(super) const DIFFERENCES: &[Row] = &[
    (
        "paid_not_in_statement",
        "",
        "The books have the payment as made, and the channel's statement of its day does not name it, or calls it refused.",
        "Operations: ask the channel about the payout number; deploy/runbook/reconciliation.md.",
    ),
    (
        "in_statement_not_paid",
        "",
        "The channel's statement has the payment as made, and the books do not.",
        "Operations: see the leg with `outflow show ID`, and do not send it again; deploy/runbook/reconciliation.md.",
    ),
    (
        "amount_differs",
        "",
        "The books and the statement have the same payment in different amounts.",
        "Operations: ask the channel which amount moved; deploy/runbook/reconciliation.md.",
    ),
    (
        "listed_twice",
        "",
        "The statement has the same payment more than once: it may have been made twice.",
        "Operations: stop the channel with `outflow channel pause`, then ask it; deploy/runbook/reconciliation.md.",
    ),
    (
        "returned",
        "",
        "The statement says that the money came back. The books follow by themselves.",
        "Customer: may need to give another account. Operations: deploy/runbook/rerouted-money.md.",
    ),
    (
        "file_missing",
        "",
        "Money left on the day, and there is no statement of it.",
        "Operations: fetch the statement from the channel, then `outflow reconcile --rail RAIL --day DATE --file FILE`; deploy/runbook/reconciliation.md.",
    ),
    (
        "file_repeated",
        "",
        "The statement says the very same as that of another day.",
        "Operations: fetch the right day's statement from the channel; deploy/runbook/reconciliation.md.",
    ),
    (
        "file_altered",
        "",
        "The statement says something else than the one that was taken for the day before.",
        "Operations: ask the channel which of them counts; deploy/runbook/reconciliation.md.",
    ),
    (
        "file_of_another_day",
        "",
        "None of the statement's lines is of the day that it was taken for.",
        "Operations: fetch the right day's statement from the channel; deploy/runbook/reconciliation.md.",
    ),
    (
        "file_unreadable",
        "",
        "The statement cannot be read whole, or its lines do not add up to its own totals.",
        "Operations: fetch it again; where it stays so, the channel has changed its form; deploy/runbook/reconciliation.md.",
    ),
    (
        "balance_broken",
        "",
        "The statement's opening balance is not the closing balance of the day before, so that something moved in between.",
        "Operations: ask the bank for what is missing between the two; deploy/runbook/reconciliation.md.",
    ),
];
