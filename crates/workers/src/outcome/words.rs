//! The words of an answer: what is kept of it with the call, on the leg and in the traces.

use gateways::{Finding, Outcome, Refusal};
use store::attempts::AttemptOutcome;
use store::legs::Leg;
use uuid::Uuid;

/// The class, code, words and reference of an answer, as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) class: &'static str,
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) reference: Option<String>,
}

impl Words {
    pub(crate) fn new(class: &'static str, code: &str, detail: &str) -> Self {
        Self { class, code: Some(code.to_owned()), detail: Some(detail.to_owned()), reference: None }
    }

    pub(crate) fn referring(class: &'static str, reference: Option<&str>) -> Self {
        Self { class, reference: reference.map(str::to_owned), ..Self::default() }
    }

    pub(crate) fn of_payment(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded { reference } => Self::referring("succeeded", Some(reference)),
            Outcome::Pending { reference } => Self::referring("pending", reference.as_deref()),
            Outcome::Unknown { code, detail } => Self::new("unknown", code, detail),
            Outcome::RetryLater { code, detail } => Self::new("retry_later", code, detail),
            Outcome::Configuration { code, detail } => Self::new("configuration", code, detail),
            Outcome::Failed { code, detail } => Self::new("failed", code, detail),
            Outcome::Reroute { code, detail } => Self::new("reroute", code, detail),
        }
    }

    pub(crate) fn of_finding(finding: &Finding) -> Self {
        match finding {
            Finding::Paid { reference } => Self::referring("paid", Some(reference)),
            Finding::Pending { reference } => Self::referring("pending", reference.as_deref()),
            Finding::Refused { refusal: Refusal::Failed, code, detail } => Self::new("failed", code, detail),
            Finding::Refused { refusal: Refusal::Reroute, code, detail } => {
                Self::new("reroute", code, detail)
            }
            Finding::Spent { code, detail } => Self::new("spent", code, detail),
            Finding::Returned { reference, detail } => {
                Self { detail: Some(detail.clone()), ..Self::referring("returned", Some(reference)) }
            }
            Finding::NotFound { detail } => {
                Self { detail: Some(detail.clone()), ..Self::referring("not_found", None) }
            }
            Finding::Unknown { code, detail } => Self::new("unknown", code, detail),
        }
    }

    pub(crate) fn kept(&self, attempt_id: Uuid) -> AttemptOutcome {
        AttemptOutcome {
            attempt_id,
            outcome: self.class,
            code: self.code.clone(),
            detail: self.detail.clone(),
            reference: self.reference.clone(),
        }
    }

    /// The words as a trace of a move shows them.
    pub(crate) fn note(&self) -> Option<String> {
        self.code.as_ref().map(|code| match &self.detail {
            Some(detail) => format!("{code}: {detail}"),
            None => code.clone(),
        })
    }

    /// Leaves the last words on the leg, and a reference for good.
    pub(crate) fn write_on(&self, leg: &mut Leg) {
        leg.code.clone_from(&self.code);
        leg.detail.clone_from(&self.detail);
        if self.reference.is_some() {
            leg.reference.clone_from(&self.reference);
        }
    }
}
