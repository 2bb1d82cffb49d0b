//! The JSON Schemas of the contract, generated from its types.

use domain::WithdrawalState;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::envelope::Envelope;
use super::{
    AccountUpserted, AllocationGranted, AllocationInvoiced, AllocationReclaimed, ApprovalRequired,
    CodeIssued, DeadlineAlert, Invoice, LegResolved, MessageRefused, RequestRepeated, StatusChanged,
    TopUpBonusChanged, TopUpCredited, UsageBilled, UsageUnbilled, WaitEnding, WithdrawalDecided,
    WithdrawalDetails, WithdrawalRequested,
};

/// Where the schemas are named. A stable name, not a place to fetch from.
const IDS: &str = "https://outflow.example/schemas/";

/// Every schema by its file name without `.json`: the type of the message, and
/// one for all states of a withdrawal.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        fixed::<AccountUpserted>("outflow.account.upserted.v1"),
        fixed::<TopUpCredited>("outflow.top_up.credited.v1"),
        fixed::<TopUpBonusChanged>("outflow.top_up.bonus_changed.v1"),
        fixed::<Invoice>("outflow.invoice.issued.v1"),
        fixed::<Invoice>("outflow.invoice.returned.v1"),
        fixed::<Invoice>("outflow.invoice.paid.v1"),
        fixed::<UsageUnbilled>("outflow.usage.unbilled.v1"),
        fixed::<UsageBilled>("outflow.usage.billed.v1"),
        fixed::<AllocationGranted>("outflow.allocation.granted.v1"),
        fixed::<AllocationInvoiced>("outflow.allocation.invoiced.v1"),
        fixed::<AllocationReclaimed>("outflow.allocation.reclaimed.v1"),
        fixed::<WithdrawalRequested>(WithdrawalRequested::KIND),
        fixed::<WithdrawalDecided>(WithdrawalDecided::KIND),
        fixed::<WithdrawalDetails>(WithdrawalDetails::KIND),
        fixed::<LegResolved>(LegResolved::KIND),
        fixed::<RequestRepeated>(RequestRepeated::KIND),
        fixed::<MessageRefused>(MessageRefused::KIND),
        fixed::<CodeIssued>(CodeIssued::KIND),
        fixed::<ApprovalRequired>(ApprovalRequired::KIND),
        fixed::<WaitEnding>(WaitEnding::KIND),
        fixed::<DeadlineAlert>(DeadlineAlert::WARNING),
        fixed::<DeadlineAlert>(DeadlineAlert::BREACHED),
        status(),
    ]
}

fn fixed<T: JsonSchema>(kind: &'static str) -> (&'static str, Value) {
    (kind, message::<T>(kind, json!({ "type": "string", "const": kind })))
}

fn status() -> (&'static str, Value) {
    let name = "outflow.withdrawal.status.v1";
    let kinds: Vec<_> =
        WithdrawalState::iter().map(|state| format!("outflow.withdrawal.{state}.v1")).collect();
    (name, message::<StatusChanged>(name, json!({ "type": "string", "enum": kinds })))
}

/// The schema of a whole message whose `type` is narrowed to `kind`.
fn message<T: JsonSchema>(name: &str, kind: Value) -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Envelope<T>>();
    let mut schema = schema.to_value();
    schema["$id"] = format!("{IDS}{name}.json").into();
    schema["title"] = name.into();
    schema["properties"]["type"] = kind;
    schema
}
