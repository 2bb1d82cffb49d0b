//! From the words of the wire to the words of the rules.

use broker::contract::{self, Amount, PartnerMode};
use domain::Currency;
use domain::ledger::{AccountKind, Credit, Fact, InvoiceStep, Part, Profile, Sum};

/// The fact as the rules see it.
pub(super) fn translate(fact: &contract::Fact) -> Fact {
    use contract::Fact as Wire;
    match fact {
        Wire::AccountUpserted(it) => Fact::Upserted(profile(it)),
        Wire::TopUpCredited(it) => Fact::Credited(Credit {
            top_up_id: it.top_up_id.to_string(),
            sum: sum(&it.amount, it.currency),
            arrived_at: it.arrived_at,
            bonus: it.bonus,
        }),
        Wire::TopUpBonusChanged(it) => {
            Fact::BonusChanged { top_up_id: it.top_up_id.to_string(), bonus: it.bonus }
        }
        Wire::InvoiceIssued(it) => invoice(it, InvoiceStep::Issued),
        Wire::InvoiceReturned(it) => invoice(it, InvoiceStep::Returned),
        Wire::InvoicePaid(it) => invoice(it, InvoiceStep::Paid),
        Wire::UsageUnbilled(it) => Fact::Unbilled(sum(&it.amount, it.currency)),
        Wire::UsageBilled(it) => {
            let part = |slice: &contract::Slice| Part {
                top_up_id: slice.top_up_id.to_string(),
                amount: slice.amount.money(it.currency),
            };
            let parts = it.slices.iter().flatten().map(part).collect();
            Fact::Billed { sum: sum(&it.amount, it.currency), parts }
        }
        Wire::AllocationGranted(it) => Fact::Granted {
            allocation_id: it.allocation_id.to_string(),
            member_account_id: it.member_account_id.to_string(),
            sum: sum(&it.amount, it.currency),
        },
        Wire::AllocationInvoiced(it) => {
            Fact::AllocationInvoiced { allocation_id: it.allocation_id.to_string(), invoiced: it.invoiced }
        }
        Wire::AllocationReclaimed(it) => {
            Fact::Reclaimed { allocation_id: it.allocation_id.to_string(), sum: sum(&it.amount, it.currency) }
        }
    }
}

fn sum(amount: &Amount, currency: Currency) -> Sum {
    Sum { amount: amount.money(currency), currency }
}

fn invoice(it: &contract::Invoice, step: InvoiceStep) -> Fact {
    Fact::Invoice { invoice_id: it.invoice_id.to_string(), step, sum: sum(&it.amount, it.currency) }
}

fn profile(it: &contract::AccountUpserted) -> Profile {
    Profile {
        currency: it.currency,
        kind: match it.kind {
            contract::AccountKind::Person => AccountKind::Person,
            contract::AccountKind::Enterprise => AccountKind::Enterprise,
        },
        real_name: it.real_name.to_string(),
        real_name_verified: it.real_name_verified,
        advance_payment: it.partner_mode == PartnerMode::AdvancePayment,
        master_account_id: it.master_account_id.as_ref().map(ToString::to_string),
        contract_entity: it.contract_entity.to_string(),
        refunds_forbidden: it.refunds_forbidden,
    }
}
