//! W3C trace context: taken from messages, kept in the withdrawal's row, handed to
//! events, nudges and gateways.
//!
//! A withdrawal waits for people and cut-offs, so that its calls are no children
//! in time of the request; but they belong to its trace. A call's span is named
//! by its attempt: who finds it in a trace finds the row, and the other way round.

use broker::Delivery;
use broker::contract::{Attribute, Envelope, TRACEPARENT, TraceParent};
use domain::Rail;
use gateways::traced;
use tracing::field::Empty;
use tracing::{Instrument, info_span};
use uuid::Uuid;

use crate::cases::Cases;

/// The target of the spans of gateway calls: who exports them knows them by it. Their
/// fields are `channel`, `op`, `outcome`, the `traceparent` that was sent, and the
/// `requests` that led to the call, as such texts with spaces between them. None of
/// them says whose money it is.
pub const GATEWAY_CALLS: &str = "workers::gateway_calls";

/// The most requests that one span names: what `OpenTelemetry` takes of links.
const REQUESTS: usize = 128;

/// The span of a call, and the requests' spans that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    own: TraceParent,
    requests: Vec<TraceParent>,
}

/// The same message in the trace of its own attribute, or else of the header that it
/// came with. What is no `traceparent` is as good as none.
pub(crate) fn of_message<T>(message: Envelope<T>, delivery: &Delivery) -> Envelope<T> {
    let header = delivery.header(TRACEPARENT);
    let own = message.traceparent.as_ref().map(Attribute::as_str);
    let trace = TraceParent::first_of([own, header.as_deref()]);
    Envelope { traceparent: trace.and_then(|it| it.to_string().parse().ok()), ..message }
}

/// Makes a call to a gateway within its span, where it has one: the request carries it,
/// and what came of it stands in it. `word` says that in one word.
pub(crate) async fn in_span<T>(
    trace: Option<Trace>,
    (rail, op): (Rail, &'static str),
    call: impl Future<Output = T>,
    word: impl Fn(&T) -> &'static str,
) -> T {
    let Some(Trace { own, requests }) = trace else { return call.await };
    let own = own.to_string();
    let texts = || requests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let span = info_span!(
        target: GATEWAY_CALLS,
        "gateway call",
        channel = %rail,
        op,
        traceparent = own,
        requests = texts(),
        outcome = Empty
    );
    let answer = traced(Some(&own), call).instrument(span.clone()).await;
    span.record("outcome", word(&answer));
    answer
}

/// The span of a call about a leg, in the trace of its withdrawal's request.
pub(crate) fn of_call(cases: &Cases, leg: Uuid, attempt: Uuid) -> Option<Trace> {
    let withdrawal = &cases.get(cases.leg(leg)?.withdrawal_id)?.withdrawal;
    let request: TraceParent = withdrawal.traceparent.as_deref()?.parse().ok()?;
    Some(Trace { own: request.in_span(span_of(attempt)), requests: vec![request] })
}

/// The span in which a file goes to the bank. It holds transfers of many traces and
/// belongs to none of them: its trace is its own, and has the file's number. Nothing
/// where none of the transfers has a trace.
pub(crate) fn of_file(file: Uuid, transfers: impl IntoIterator<Item = Option<Trace>>) -> Option<Trace> {
    let requests = transfers.into_iter().flatten().flat_map(|it| it.requests);
    let requests: Vec<TraceParent> = requests.take(REQUESTS).collect();
    let own = requests.first()?.in_trace(file.as_u128()).in_span(span_of(file));
    Some(Trace { own, requests })
}

/// The end of a row's number. Its marks of the variant make it more than zero.
fn span_of(row: Uuid) -> u64 {
    row.as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use broker::contract::TraceParent;
    use uuid::Uuid;

    use super::{Trace, of_file, span_of};

    #[test]
    fn a_file_has_a_trace_of_its_own_where_its_transfers_have_any() {
        let file: Uuid = "0199f0c0-0000-7000-8123-456789abcdef".parse().unwrap();
        let one: TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let call = Trace { own: one.in_span(7), requests: vec![one] };
        let trace = of_file(file, [None, Some(call)]).unwrap();
        assert_eq!(trace.own.to_string(), "00-0199f0c0000070008123456789abcdef-8123456789abcdef-01");
        assert_eq!(trace.requests, [one]);
        assert_eq!(of_file(file, [None]), None);
        assert_ne!(span_of(Uuid::now_v7()), 0);
    }
}
