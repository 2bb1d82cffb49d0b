//! Orders of the unit tests: those of the vectors, with a number that all four
//! channels take.

use chrono::{NaiveDate, TimeZone as _, Utc};
use domain::Money;
use secrecy::SecretString;

use crate::order::{Order, Payee, SourceTrade};

/// The purchase that is refunded.
pub(crate) fn trade() -> SourceTrade {
    SourceTrade {
        trade_no: "202611201000100336758".to_owned(),
        out_trade_no: Some("CZ2026112300000001".to_owned()),
        total: Money::from_minor(10_000),
    }
}

/// 12.34 yuan, complete for every channel.
pub(crate) fn order() -> Order {
    Order {
        payout_no: "WD20261123000000011".to_owned(),
        amount: Money::from_minor(1_234),
        minted_at: Utc.with_ymd_and_hms(2026, 11, 23, 2, 0, 0).unwrap(),
        source: Some(trade()),
        payee: Some(Payee {
            holder: "张三".to_owned(),
            number: SecretString::from("6217000000000000000"),
            bank_name: "中国建设银行".to_owned(),
            branch: "武汉分行".to_owned(),
            cnaps: "105100000017".to_owned(),
        }),
        execute_on: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
        reason: "提现退款".to_owned(),
    }
}
