//! Why facts about accounts are refused. Upstream corrects them under the same version.

use super::Row;

/// One row per [`crate::ledger::Refusal`].
pub(super) const REFUSALS: &[Row] = &[
    (
        "unknown_account",
        "",
        "The fact is about an account that no outflow.account.upserted.v1 has named before.",
        "Upstream: publish outflow.account.upserted.v1 as the account's version 1.",
    ),
    (
        "currency_mismatch",
        "R16",
        "The fact is in another currency than the account.",
        "Upstream: publish a corrected fact with the same version.",
    ),
    (
        "amount_not_positive",
        "R16",
        "The fact moves nothing, or less than nothing.",
        "Upstream: publish a corrected fact with the same version and an amount above zero.",
    ),
    (
        "balance_out_of_range",
        "R16",
        "The account's balance would become larger than can be counted exactly.",
        "Upstream: check the amount; it is very likely in the wrong unit.",
    ),
    (
        "unknown_top_up",
        "",
        "The fact names a top-up that was never credited to this account.",
        "Upstream: publish outflow.top_up.credited.v1 first, or correct the number, with the same version.",
    ),
    (
        "top_up_already_credited",
        "",
        "A top-up of this number was credited by another fact, and a top-up is credited once.",
        "Upstream: give each top-up a number of its own; publish the corrected fact with the same version.",
    ),
    (
        "unknown_invoice",
        "R4",
        "The fact returns or pays an invoice that was never issued to this account.",
        "Upstream: publish outflow.invoice.issued.v1 first, or correct the number, with the same version.",
    ),
    (
        "invoice_already_issued",
        "R4",
        "An invoice of this number was issued by another fact, and an invoice is issued once.",
        "Upstream: correct the number and publish the fact with the same version.",
    ),
    (
        "invoice_exceeded",
        "R4",
        "More of the invoice would be returned and paid than was issued; the detail says how much is open.",
        "Upstream: publish a corrected amount with the same version.",
    ),
    (
        "not_enough_remaining",
        "R9b",
        "More would be taken than is free. Held, allocated and spent money is not free.",
        "Upstream: compare its books with `outflow quote ACCOUNT`, and publish a corrected amount with the same version.",
    ),
    (
        "slices_do_not_add_up",
        "R9b",
        "The slices that the fact names do not add up to its amount.",
        "Upstream: publish the fact with slices that add up, or without slices, with the same version.",
    ),
    (
        "unknown_allocation",
        "R5",
        "The fact is about an allocation that was never granted by this account.",
        "Upstream: publish outflow.allocation.granted.v1 first, or correct the number, with the same version.",
    ),
    (
        "allocation_already_granted",
        "R5",
        "An allocation of this number was granted by another fact.",
        "Upstream: give each allocation a number of its own; publish the corrected fact with the same version.",
    ),
    (
        "allocation_invoiced",
        "R5",
        "The allocation was invoiced, and an invoiced allocation cannot be reclaimed.",
        "Upstream: settle the invoice first (R4), then reclaim with a new version.",
    ),
    (
        "allocation_exceeded",
        "R5",
        "More would be reclaimed than the member still has of the allocation; the detail says how much is left.",
        "Upstream: publish a corrected amount with the same version.",
    ),
    (
        "totals_differ",
        "R9b",
        "The account's total and the sum of its top-ups differ, so that no rule can be trusted on it.",
        "Operations: `outflow verify` says where the books differ; deploy/runbook/stopped-account.md says how to go on. Nothing of the account is paid meanwhile.",
    ),
];
