//! What people approve: the computed effect of a withdrawal, as one digest.
//!
//! An approval is bound to it (R10, R11): whoever approved another payee, amount
//! or slice approved nothing. The text that is hashed is written out below, so
//! that anybody can recompute it.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use store::legs::Leg;
use store::withdrawals::Withdrawal;

/// SHA-256 of the canonical effect: account, amount, route, and every leg with
/// its slice, rail, amount and payee.
///
/// ```text
/// outflow effect 1
/// withdrawal <id> account <id> amount <minor units> <currency> route <route> payee <bank account id or source>
/// leg <position> generation <n> top-up <id> rail <rail> amount <minor units> payee <bank account id or source>
/// …
/// ```
///
/// Bank details are never edited: a change is a new row with a new id, and so
/// another digest. States, times and texts for people are left out, because
/// they change nothing about where the money goes.
///
/// # Panics
/// Never: a string takes all text.
#[must_use]
pub fn effect_digest(withdrawal: &Withdrawal, legs: &[Leg]) -> Vec<u8> {
    let payee = |id: Option<uuid::Uuid>| id.map_or_else(|| "source".to_owned(), |id| id.to_string());
    let mut text = format!(
        "outflow effect 1\nwithdrawal {} account {} amount {} {} route {} payee {}\n",
        withdrawal.id,
        withdrawal.account_id,
        withdrawal.amount.minor(),
        withdrawal.currency,
        withdrawal.route,
        payee(withdrawal.bank_account_id),
    );
    let mut ordered: Vec<&Leg> = legs.iter().collect();
    ordered.sort_by_key(|leg| (leg.position, leg.generation));
    for leg in ordered {
        writeln!(
            text,
            "leg {} generation {} top-up {} rail {} amount {} payee {}",
            leg.position,
            leg.generation,
            leg.top_up_id,
            leg.rail,
            leg.amount.minor(),
            payee(leg.bank_account_id),
        )
        .expect("a string takes all text");
    }
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::{Currency, LegState, Money, Rail, Route, WithdrawalState};
    use serde_json::json;
    use store::legs::Leg;
    use store::withdrawals::Withdrawal;
    use uuid::Uuid;

    use super::effect_digest;

    fn withdrawal() -> Withdrawal {
        Withdrawal {
            id: Uuid::from_u128(1),
            source: "/upstream".to_owned(),
            request_id: "r1".to_owned(),
            account_id: "acct-1".to_owned(),
            digest: vec![0; 32],
            amount: Money::from_minor(10_000),
            currency: Currency::Cny,
            route: Route::BankCard,
            requester: "customer".to_owned(),
            bank_account_id: Some(Uuid::from_u128(2)),
            state: WithdrawalState::PendingApproval,
            held_from: None,
            held_because: None,
            sequence: 1,
            reasons: json!([]),
            terms: json!({}),
            effect_digest: None,
            traceparent: None,
            requested_at: DateTime::UNIX_EPOCH,
            received_at: DateTime::UNIX_EPOCH,
            approved_at: None,
            deadline_at: None,
            deadline_provisional: false,
            expires_at: None,
        }
    }

    fn leg() -> Leg {
        Leg {
            id: Uuid::from_u128(3),
            withdrawal_id: Uuid::from_u128(1),
            account_id: "acct-1".to_owned(),
            top_up_id: Uuid::from_u128(4),
            top_up_upstream_id: "t1".to_owned(),
            position: 0,
            generation: 1,
            predecessor_id: None,
            rail: Rail::Bank,
            bank_account_id: Some(Uuid::from_u128(2)),
            payee_last_four: Some("3445".to_owned()),
            amount: Money::from_minor(10_000),
            payout_no: "1".to_owned(),
            minted_at: DateTime::UNIX_EPOCH,
            state: LegState::Planned,
            sequence: 1,
            dispatch_at: None,
            execute_on: None,
            nudged_at: None,
            deadline_at: None,
            deadline_provisional: false,
            lease_until: None,
            attempts: 0,
            queries: 0,
            asked: 0,
            check_at: None,
            doubted_at: None,
            reference: None,
            code: None,
            detail: None,
            paid_at: None,
        }
    }

    #[test]
    fn another_payee_amount_slice_or_generation_is_another_effect() {
        let agreed = effect_digest(&withdrawal(), &[leg()]);
        assert_eq!(agreed.len(), 32);
        let other = Some(Uuid::from_u128(9));
        for changed in [
            Leg { bank_account_id: other, ..leg() },
            Leg { bank_account_id: None, ..leg() },
            Leg { amount: Money::from_minor(10_001), ..leg() },
            Leg { top_up_id: Uuid::from_u128(9), ..leg() },
            Leg { generation: 2, ..leg() },
            Leg { rail: Rail::Alipay, ..leg() },
        ] {
            assert_ne!(effect_digest(&withdrawal(), std::slice::from_ref(&changed)), agreed, "{changed:?}");
        }
        assert_ne!(effect_digest(&withdrawal(), &[leg(), Leg { position: 1, ..leg() }]), agreed);
        let changed = Withdrawal { bank_account_id: other, ..withdrawal() };
        assert_ne!(effect_digest(&changed, &[leg()]), agreed);
    }

    #[test]
    fn what_moves_no_money_leaves_the_effect_alone() {
        let second = Leg { position: 1, ..leg() };
        let agreed = effect_digest(&withdrawal(), &[leg(), second.clone()]);
        let later = Withdrawal { state: WithdrawalState::OnHold, sequence: 7, ..withdrawal() };
        let moved = Leg { state: LegState::Held, sequence: 4, attempts: 2, ..leg() };
        assert_eq!(effect_digest(&later, &[second, moved]), agreed, "the order of the rows does not count");
    }
}
