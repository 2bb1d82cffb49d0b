//! Notifications of gateways: verified, compared, kept, and answered as each
//! channel expects.
//!
//! ```text
//! raw bytes + headers ─▶ signature, window ─▶ number and amount of the leg ─▶ a row ─▶ the answer
//! ```
//!
//! The row is all that is written here: no leg is touched, so a flood of
//! notices stands in nobody's way. Settle makes something of the row. A repeat or
//! a replay meets the id of the first and changes nothing; what is refused is
//! answered so that the channel sends it again on its own schedule.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{self, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use domain::Rail;
use gateways::{Notice, NoticeRefused};
use serde_json::json;
use store::notices::{self, Addressee, Claim, Received, Verdict};
use store::{Database, Error};
use tokio::time::timeout;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::State;
use crate::refusal::Refusal;
use crate::serve::BODY_MAX_BYTES;

/// `WeChat Pay` takes a longer silence for a refusal, and it is the least patient.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// What became of one delivery; its words are labels of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Receipt {
    /// Kept for settle.
    Accepted,
    /// Known already, all of it.
    Repeated,
    /// Genuine, but about no payout of ours.
    NotOurs,
    /// Genuine, and in another amount or on another rail than the leg's.
    Differs,
    /// The signature is missing, stale or does not hold.
    Forged,
    /// Not what the channel documents.
    Unreadable,
    /// Genuine, for another merchant.
    Foreign,
    /// More than 64 KiB.
    TooLong,
    /// We could not keep it.
    Unavailable,
}

impl Receipt {
    /// The status of a refusal; nothing where the channel may forget the notice.
    const fn refusal(self) -> Option<StatusCode> {
        match self {
            Self::Accepted | Self::Repeated | Self::NotOurs => None,
            Self::Differs => Some(StatusCode::CONFLICT),
            Self::Forged => Some(StatusCode::UNAUTHORIZED),
            Self::Unreadable => Some(StatusCode::BAD_REQUEST),
            Self::Foreign => Some(StatusCode::FORBIDDEN),
            Self::TooLong => Some(StatusCode::PAYLOAD_TOO_LARGE),
            Self::Unavailable => Some(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// Of everything in one body, which is answered as a whole.
    fn over(rows: &[Received], new: usize) -> Self {
        if rows.iter().any(|it| it.verdict == Verdict::Differs) {
            Self::Differs
        } else if rows.iter().all(|it| it.verdict == Verdict::NotOurs) {
            Self::NotOurs
        } else if new == 0 {
            Self::Repeated
        } else {
            Self::Accepted
        }
    }

    /// The answer in the words of the channel.
    fn answer(self, rail: Rail) -> Response<Body> {
        let text = [(CONTENT_TYPE, "text/plain")];
        match (self.refusal(), rail) {
            (None, Rail::Alipay) => (text, "success").into_response(),
            (None, Rail::UnionPay) => (text, "ok").into_response(),
            (None, Rail::WeChat | Rail::Bank) => StatusCode::NO_CONTENT.into_response(),
            (Some(status), Rail::Alipay | Rail::UnionPay) => (status, text, "fail").into_response(),
            (Some(status), Rail::WeChat) => {
                let body = json!({ "code": "FAIL", "message": <&str>::from(self) });
                (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
            }
            (Some(status), Rail::Bank) => {
                Refusal::new(self.into(), status, "the notification was not taken").into_response()
            }
        }
    }
}

/// The words of every receipt that is a refusal.
#[cfg(test)]
pub(crate) fn refusals() -> impl Iterator<Item = &'static str> {
    <Receipt as strum::IntoEnumIterator>::iter().filter(|it| it.refusal().is_some()).map(Into::into)
}

impl From<NoticeRefused> for Receipt {
    fn from(why: NoticeRefused) -> Self {
        match why {
            NoticeRefused::TooLong => Self::TooLong,
            NoticeRefused::Signature(_) => Self::Forged,
            NoticeRefused::Unreadable(_) => Self::Unreadable,
            NoticeRefused::Foreign => Self::Foreign,
        }
    }
}

/// Takes a notification of the channel that the path names.
pub(crate) async fn receive(
    extract::State(state): extract::State<State>,
    Path(rail): Path<String>,
    request: Request,
) -> Response<Body> {
    let Ok(rail) = rail.parse::<Rail>() else {
        return Refusal::new("no_such_resource", StatusCode::NOT_FOUND, "there is no such channel")
            .into_response();
    };
    let (parts, body) = request.into_parts();
    let receipt = match to_bytes(body, BODY_MAX_BYTES).await {
        Ok(body) => take(&state, rail, &parts.headers, &body).await,
        Err(_) => Receipt::TooLong,
    };
    state.gauges.count_notice(rail, receipt.into());
    receipt.answer(rail)
}

async fn take(state: &State, rail: Rail, headers: &HeaderMap, body: &[u8]) -> Receipt {
    let Some(mailbox) = &state.mailbox else {
        error!(%rail, "A gateway sends notices, but this process has no keys to verify them");
        return Receipt::Unavailable;
    };
    let notices = match mailbox.gateways.notices(rail, headers, body) {
        Ok(notices) => notices,
        Err(why) => {
            warn!(%rail, %why, "A notification was refused");
            return why.into();
        }
    };
    if notices.is_empty() {
        return Receipt::NotOurs;
    }
    // A task of its own: a sender that hangs up must not end a transaction half-way.
    let keeping = tokio::spawn(keep(state.database.clone(), rail, notices, (mailbox.now)()));
    match timeout(ANSWER_WITHIN, keeping).await {
        Ok(Ok(Ok(receipt))) => receipt,
        Ok(Ok(Err(why))) => {
            error!(%rail, %why, "A notification could not be kept; its sender repeats it");
            Receipt::Unavailable
        }
        Ok(Err(_)) | Err(_) => {
            error!(%rail, "A notification was not kept in time; its sender repeats it");
            Receipt::Unavailable
        }
    }
}

/// Writes the rows of one body, in one transaction.
async fn keep(
    database: Database,
    rail: Rail,
    notices: Vec<Notice>,
    at: DateTime<Utc>,
) -> Result<Receipt, Error> {
    let mut tx = database.begin().await?;
    let numbers: Vec<&str> = notices.iter().map(|it| it.payout_no.as_str()).collect();
    let legs = notices::addressees(&mut tx, &numbers).await?;
    let rows: Vec<Received> = notices.iter().map(|it| compared(rail, it, &legs)).collect();
    let new = notices::put(&mut tx, &rows, at).await?;
    tx.commit().await?;
    for row in &rows {
        let (notice, claim) = (&row.notice_id, row.claim);
        if row.verdict == Verdict::Differs {
            error!(%rail, notice, payout_no = row.payout_no, "A genuine notification has another amount or rail than its leg");
        } else {
            info!(%rail, notice, %claim, verdict = %row.verdict, new = new.contains(&row.id), "A notification was kept");
        }
    }
    Ok(Receipt::over(&rows, new.len()))
}

/// A notice beside the leg that it speaks of.
fn compared(rail: Rail, notice: &Notice, legs: &[Addressee]) -> Received {
    let leg = legs.iter().find(|it| it.payout_no == notice.payout_no);
    let verdict = match leg {
        None => Verdict::NotOurs,
        Some(leg) if leg.rail == rail && notice.amount.agrees_with(leg.amount) => Verdict::Accepted,
        Some(_) => Verdict::Differs,
    };
    Received {
        id: Uuid::now_v7(),
        rail,
        notice_id: notice.id.clone(),
        payout_no: notice.payout_no.clone(),
        leg_id: leg.filter(|_| verdict == Verdict::Accepted).map(|it| it.leg_id),
        amount: notice.amount.amount(),
        claim: claim(notice.claim),
        verdict,
        happened_at: notice.at,
    }
}

const fn claim(claim: gateways::Claim) -> Claim {
    match claim {
        gateways::Claim::Paid => Claim::Paid,
        gateways::Claim::Refused => Claim::Refused,
        gateways::Claim::Returned => Claim::Returned,
        gateways::Claim::Unclear => Claim::Unclear,
    }
}
