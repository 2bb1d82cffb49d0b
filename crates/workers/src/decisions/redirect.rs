//! Bank details for slices that left their route (R6c): where the money of an
//! approved withdrawal goes instead, once that is approved as well.
//!
//! ```text
//! rerouting ─▶ a planned leg to this account      planned, not approved yet ─▶ the same leg to this account
//! ```

use broker::contract::{PartialBankAccount, WithdrawalDetails};
use broker::topology::APPROVALS;
use domain::{LegState, Slice, WithdrawalEvent, judge_details};
use store::bank_accounts::Version;
use uuid::Uuid;

use super::details::{Book, of_details};
use super::{Desk, Refused};
use crate::cases::{Case, Cases};
use crate::intake::{bank_account, card, slice_of};
use crate::reroute::{Payee, renew_effect, succeed, wait};

/// Sends the slices that wait for a destination to this account: those that may
/// go there (R12). Slices of another holder go on waiting for details of theirs.
///
/// # Errors
/// Every reason for which none of them may go there; nothing changed then.
pub(super) fn apply(
    cases: &mut Cases,
    book: &mut Book,
    wish: &WithdrawalDetails,
    desk: &Desk,
) -> Result<(), Refused> {
    let id = wish.withdrawal_id;
    let case = cases.get(id).expect("the case is in hand");
    let legs = fitting(cases, case, book, &wish.bank_account)?;
    let (by, number) = (wish.actor.as_str(), book.newest(id) + 1);
    let version = Version { withdrawal_id: id, number, given_by: by.to_owned() };
    let account = bank_account(&case.withdrawal.account_id, &wish.bank_account, version);
    let last_four = wish.bank_account.number.as_ref().map(|it| it.last_four().to_owned());
    let payee = Payee { account_id: account.id, last_four };
    let note = format!("bank details, version {number}");
    cases
        .move_withdrawal(id, WithdrawalEvent::Revise, by, Some(&note))
        .expect("the state was looked at under its lock");
    for leg in legs {
        send_to(cases, leg, &payee, by);
    }
    cases.withdrawal_mut(id).expect("the case is in hand").bank_account_id = Some(account.id);
    renew_effect(cases, id);
    wait(cases, id, desk.approval_wait);
    cases.nudge(APPROVALS, id, id);
    book.add(id, account);
    Ok(())
}

/// The slices that may go to this account.
///
/// # Errors
/// Every reason against it, when there is none.
fn fitting(
    cases: &Cases,
    case: &Case,
    book: &Book,
    given: &PartialBankAccount,
) -> Result<Vec<Uuid>, Refused> {
    let card = card(given);
    let real_name = cases.account_of(case.withdrawal.id).map_or("", |it| it.real_name.as_str());
    let slices: Vec<(Uuid, Slice)> = case
        .redirected()
        .into_iter()
        .filter_map(|leg| Some((leg.id, slice_of(book.top_up(leg.top_up_id)?))))
        .collect();
    let fits = |slice: &Slice| judge_details(&card, std::slice::from_ref(slice), real_name).is_empty();
    let fitting: Vec<Uuid> = slices.iter().filter(|(_, it)| fits(it)).map(|(leg, _)| *leg).collect();
    if !fitting.is_empty() {
        return Ok(fitting);
    }
    let slices: Vec<Slice> = slices.into_iter().map(|(_, slice)| slice).collect();
    Err(judge_details(&card, &slices, real_name).iter().map(|reason| of_details(reason, case)).collect())
}

fn send_to(cases: &mut Cases, leg: Uuid, payee: &Payee, by: &str) {
    let waiting = cases.leg(leg).expect("the leg is in hand");
    if waiting.state == LegState::Rerouting {
        succeed(cases, leg, payee, by);
        return;
    }
    let planned = cases.leg_mut(leg).expect("the leg is in hand");
    planned.bank_account_id = Some(payee.account_id);
    planned.payee_last_four.clone_from(&payee.last_four);
}
