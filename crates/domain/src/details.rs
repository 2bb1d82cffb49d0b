//! Bank details that come after the request: whether the money may go there.

use crate::decision::Card;
use crate::eligibility::{Exclusion, Slice};
use crate::names::same_name;
use crate::reason::Reason;

/// Every reason against paying `slices` to `card`; none when the money may go there.
///
/// `slices` are those whose payee the customer chooses. None means that the
/// whole withdrawal goes back to where it came from (R8).
///
/// Sources, R11: "If information of the bank account that receives the money is
/// not complete, manually enter the information." R12: "… the bank account name
/// must be the same as the holder name of Alipay or WeChat." and "… consistent
/// with your real-name authentication information."
///
/// Our reading: the rules of the request hold for details that come later too.
/// A slice whose payer nobody knows can go to no card.
#[must_use]
pub fn judge_details(card: &Card, slices: &[Slice], real_name: &str) -> Vec<Reason> {
    if slices.is_empty() {
        return vec![Reason::PayeeNotChosen];
    }
    let mut reasons = Vec::new();
    if !card.missing.is_empty() {
        reasons.push(Reason::DetailsIncomplete { missing: card.missing.clone() });
    }
    let mut holders: Vec<String> = Vec::new();
    for (place, slice) in slices.iter().enumerate() {
        match (slice.card_holder(real_name), &card.holder) {
            (None, _) => reasons.push(Reason::TransactionIneligible {
                id: slice.id.clone(),
                place,
                because: Exclusion::HolderUnknown,
            }),
            (Some(needed), Some(holder))
                if !same_name(needed, holder) && !holders.iter().any(|it| same_name(it, needed)) =>
            {
                holders.push(needed.to_owned());
            }
            _ => {}
        }
    }
    if !holders.is_empty() {
        reasons.push(Reason::HolderMismatch { holders });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::judge_details;
    use crate::{Card, Detail, Money, Slice};

    fn slice(channel: &str, payer: &str) -> Slice {
        Slice {
            id: "t".to_owned(),
            channel: channel.parse().expect("a channel of the table"),
            contract_entity: "default".to_owned(),
            arrived_at: "2025-01-15T12:00:00+08:00".parse().expect("a moment"),
            channel_paid_at: "2025-01-15T12:00:00+08:00".parse().expect("a moment"),
            sequence: 1,
            bonus: false,
            remaining: Money::from_minor(100),
            payer_name: (!payer.is_empty()).then(|| payer.to_owned()),
            source_account_known: false,
        }
    }

    #[test]
    fn r11_r12_details_that_come_later_meet_the_rules_of_the_request() {
        let whole = |holder: &str| Card { holder: Some(holder.to_owned()), missing: Vec::new() };
        let nameless = Card { holder: None, missing: vec![Detail::Holder, Detail::Cnaps] };
        let half = Card { missing: vec![Detail::Branch], ..whole("张三丰") };
        for (card, slices, expected) in [
            (whole("张三"), vec![slice("alipay", "张三")], ""),
            (whole(" 张 三"), vec![slice("wechat", "张三")], ""),
            (whole("李四"), vec![slice("alipay", "张三")], "holder_mismatch"),
            (whole("李四"), vec![slice("unionpay_personal", "张三")], ""), // the account's name is 李四
            (whole("张三"), vec![slice("unionpay_personal", "张三")], "holder_mismatch"),
            (whole("张三"), vec![slice("bank_transfer", "张三")], ""),
            (whole("李四"), vec![slice("bank_transfer", "")], ""),
            (whole("张三"), vec![slice("alipay", "张三"), slice("alipay", "王五")], "holder_mismatch"),
            (whole("张三"), vec![slice("alipay", "")], "transaction_ineligible"),
            (nameless, vec![slice("alipay", "张三")], "details_incomplete"),
            (half, vec![slice("alipay", "张三")], "details_incomplete holder_mismatch"),
            (whole("张三"), vec![], "payee_not_chosen"),
        ] {
            let codes: Vec<_> =
                judge_details(&card, &slices, "李四").iter().map(crate::Reason::code).collect();
            assert_eq!(codes.join(" "), expected, "{card:?} {slices:?}");
        }
    }
}
