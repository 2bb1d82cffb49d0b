//! What a channel sends us by itself, once its signature holds.
//!
//! A notice is a hint: it hastens a query and never decides. The receiver keeps
//! its id for ever, compares number and amount with the leg, and answers as the
//! channel expects; all of that is not here.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use domain::{Money, Rail};
use reqwest::header::HeaderMap;

use crate::doubt::Doubt;
use crate::gateways::Gateways;

/// Bytes of a notification that are looked at.
const BODY_MAX: usize = 64 * 1024;

/// One verified word of a channel about one payout number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Unique for ever within its channel; a repeat has the same.
    pub id: String,
    /// Our number.
    pub payout_no: String,
    /// How much it speaks of.
    pub amount: Stated,
    /// What is claimed.
    pub claim: Claim,
    /// When it happened, where the channel says so.
    pub at: Option<DateTime<Utc>>,
}

/// How much a notice speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// The amount of this movement.
    This(Money),
    /// The sum of all refunds of the trade, this one among them: Alipay's notice
    /// knows no other.
    AllOfTrade(Money),
}

impl Stated {
    /// The amount that it names.
    #[must_use]
    pub const fn amount(self) -> Money {
        match self {
            Self::This(amount) | Self::AllOfTrade(amount) => amount,
        }
    }

    /// Whether a movement of `amount` can be meant.
    #[must_use]
    pub fn agrees_with(self, amount: Money) -> bool {
        match self {
            Self::This(stated) => stated == amount,
            Self::AllOfTrade(sum) => sum >= amount,
        }
    }
}

/// What a notice claims. The query decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The money left.
    Paid,
    /// It will not leave.
    Refused,
    /// It left and came back.
    Returned,
    /// Something else happened; worth a query.
    Unclear,
}

/// Why a notification is refused. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeRefused {
    /// Longer than 64 KiB.
    #[error("longer than 64 KiB")]
    TooLong,
    /// The signature is missing, stale or does not hold.
    #[error("signature: {0}")]
    Signature(String),
    /// Verified, but not what the channel documents.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// Verified, but for another merchant.
    #[error("for another merchant")]
    Foreign,
}

impl From<Doubt> for NoticeRefused {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Unknown { code, detail } if code == "bad_signature" => Self::Signature(detail),
            Doubt::Unknown { detail, .. } | Doubt::NotSent(detail) => Self::Unreadable(detail),
        }
    }
}

impl Gateways {
    /// Verifies a notification over its raw bytes and reads it.
    ///
    /// Empty when it is genuine but does not speak of a payout (a payment's
    /// notification to the same address): acknowledge it and forget it.
    ///
    /// # Errors
    /// [`NoticeRefused`]; nothing may be changed and nothing acknowledged.
    pub fn notices(
        &self,
        rail: Rail,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<Notice>, NoticeRefused> {
        if body.len() > BODY_MAX {
            return Err(NoticeRefused::TooLong);
        }
        let notices = match rail {
            Rail::Alipay => self.alipay.notices(body),
            Rail::WeChat => self.wechat.notices(headers, body),
            Rail::UnionPay => self.unionpay.notices(body),
            Rail::Bank => self.bank.notices(headers, body),
        }?;
        let usable = |text: &str| !text.is_empty() && text.len() <= 256 && !text.contains(char::is_control);
        if notices.iter().all(|it| usable(&it.id) && usable(&it.payout_no)) {
            Ok(notices)
        } else {
            Err(NoticeRefused::Unreadable("its id or its payout number cannot be kept".to_owned()))
        }
    }
}

/// A moment of Beijing without its offset.
pub(crate) fn beijing(text: &str, format: &str) -> Option<DateTime<Utc>> {
    let zone = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    let at = NaiveDateTime::parse_from_str(text, format).ok()?;
    Some(at.and_local_timezone(zone).single()?.with_timezone(&Utc))
}

/// A moment with its offset.
pub(crate) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::{DateTime, TimeZone as _, Utc};
    use domain::{Money, Rail};
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::Value;

    use super::{Claim, Notice, NoticeRefused, Stated};
    use crate::{GatewaySettings, Gateways, Limits};

    const NOW: i64 = 1_795_399_205;

    fn gateways() -> Gateways {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        let mut settings =
            GatewaySettings::from_key_folder(&keys, "http://127.0.0.1:1", Limits::default()).unwrap();
        settings.clock = || NOW;
        Gateways::new(&settings).unwrap()
    }

    fn vector(text: &str) -> Value {
        serde_json::from_str::<Value>(text).unwrap()["notify"].clone()
    }

    fn utc(hour: u32, minute: u32, second: u32) -> Option<DateTime<Utc>> {
        Utc.with_ymd_and_hms(2026, 11, 23, hour, minute, second).single()
    }

    /// Rail, headers, body of each channel's own vector.
    fn vectors() -> Vec<(Rail, HeaderMap, Vec<u8>)> {
        let alipay = vector(include_str!("../tests/vectors/alipay.json"));
        let wechat = vector(include_str!("../tests/vectors/wechat.json"));
        let unionpay = vector(include_str!("../tests/vectors/unionpay.json"));
        let headers = wechat["headers"].as_object().unwrap().iter().map(|(name, value)| {
            let name = HeaderName::from_bytes(name.to_lowercase().as_bytes()).unwrap();
            (name, HeaderValue::from_str(value.as_str().unwrap()).unwrap())
        });
        let body = |value: &Value| value.as_str().unwrap().as_bytes().to_vec();
        vec![
            (Rail::Alipay, HeaderMap::new(), body(&alipay["http_body"])),
            (Rail::WeChat, headers.collect(), body(&wechat["body"])),
            (Rail::UnionPay, HeaderMap::new(), body(&unionpay["http_body_urlencoded"])),
        ]
    }

    #[test]
    fn genuine_notifications_are_read() {
        let notice = |id: &str, payout_no: &str, amount, at| Notice {
            id: id.to_owned(),
            payout_no: payout_no.to_owned(),
            amount,
            claim: Claim::Paid,
            at,
        };
        let amount = Stated::This(Money::from_minor(1_234));
        let sum = Stated::AllOfTrade(Money::from_minor(1_234));
        let at = utc(2, 0, 1).map(|at| at + chrono::TimeDelta::milliseconds(123));
        let expected = [
            notice("2026112300222100000000000000000001", "WD2026112300000001-1", sum, at),
            notice("EV-2026112310000300001", "WD2026112300000001-1", amount, utc(2, 0, 3)),
            notice("202611231000000336768-00", "WD20261123000000011", amount, None),
        ];
        for ((rail, headers, body), expected) in vectors().into_iter().zip(expected) {
            let notices = gateways().notices(rail, &headers, &body);
            assert_eq!(notices, Ok(vec![expected]), "{rail}");
        }
    }

    #[test]
    fn a_changed_byte_or_a_missing_signature_is_refused() {
        let refused =
            |result| matches!(result, Err(NoticeRefused::Signature(_) | NoticeRefused::Unreadable(_)));
        for (rail, headers, body) in vectors() {
            let text = String::from_utf8(body).unwrap();
            for (name, changed) in [
                ("a field", text.replace("WD2026", "WD2027").replace("REFUND.SUCCESS", "REFUND.CLOSED")),
                ("no signature", text.replace("sign=", "x=").replace("signature=", "x=") + " "),
                ("nothing", String::new()),
                ("garbage", "\u{fffd}{<".to_owned()),
            ] {
                let result = gateways().notices(rail, &headers, changed.as_bytes());
                assert!(refused(result.clone()), "{rail} {name}: {result:?}");
            }
        }
    }

    #[test]
    fn an_old_notification_of_wechat_and_one_that_is_too_long_are_refused() {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        let mut settings =
            GatewaySettings::from_key_folder(&keys, "http://127.0.0.1:1", Limits::default()).unwrap();
        settings.clock = || NOW + 300;
        let late = Gateways::new(&settings).unwrap();
        let (rail, headers, body) = vectors().remove(1);
        assert!(matches!(late.notices(rail, &headers, &body), Err(NoticeRefused::Signature(_))));
        let long = vec![b' '; 65_537];
        for rail in [Rail::Alipay, Rail::WeChat, Rail::UnionPay, Rail::Bank] {
            assert_eq!(late.notices(rail, &headers, &long), Err(NoticeRefused::TooLong), "{rail}");
        }
    }
}
