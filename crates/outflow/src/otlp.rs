//! Spans of the gateway calls, for an OpenTelemetry collector.
//!
//! ```text
//! workers: tracing span ─▶ layer ─▶ queue, bounded ─▶ the SDK's thread ─▶ POST …/v1/traces
//! ```
//!
//! A span has the numbers that the gateway was sent in its `traceparent`. The request
//! may have waited days for people and cut-offs, so that its span is no parent but a
//! link. A collector that is away costs spans, and no worker waits for it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use broker::contract::TraceParent;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor,
};
use reqwest::Url;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber, info, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use workers::{Clock, GATEWAY_CALLS};

/// The longest that a post to the collector may take, and the end of the product waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans go once the settings are known.
pub(crate) type Collector = OnceLock<BatchSpanProcessor>;

/// The collector of this process.
pub(crate) static COLLECTOR: Collector = OnceLock::new();

/// Lets spans go to the collector at `address` until what is answered is dropped.
///
/// # Errors
/// When no client can be made for it.
pub(crate) fn start(address: &Url, collector: &'static Collector) -> Result<Flush> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", address.as_str().trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()?;
    let mut processor = BatchSpanProcessor::builder(Told { exporter, lost: AtomicUsize::new(0) }).build();
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    processor.set_resource(&Resource::builder().with_service_name("outflow").with_attribute(version).build());
    collector.get_or_init(|| processor);
    Ok(Flush(collector))
}

/// Sends what is still in the queue when it is dropped.
pub(crate) struct Flush(&'static Collector);

impl Drop for Flush {
    fn drop(&mut self) {
        // What goes wrong is logged where it goes wrong.
        let _ = self.0.get().map(|it| it.shutdown_with_timeout(PATIENCE));
    }
}

/// The exporter, which tells once that the collector is away, and how many spans that cost.
#[derive(Debug)]
struct Told {
    exporter: opentelemetry_otlp::SpanExporter,
    lost: AtomicUsize,
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        match self.exporter.export(batch).await {
            Ok(()) => match self.lost.swap(0, Ordering::Relaxed) {
                0 => {}
                lost => info!(lost, "The collector takes spans again"),
            },
            Err(error) => {
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    warn!("The collector takes no spans, and they are dropped until it does: {error}");
                }
            }
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > 0 {
            warn!(lost, "The collector did not take these spans");
        }
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Hands the spans of gateway calls, and no others, to `collector`.
pub(crate) fn layer<S>(collector: &'static Collector) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Calls(collector).with_filter(Targets::new().with_target(GATEWAY_CALLS, Level::INFO))
}

struct Calls(&'static Collector);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let (Some(_), Some(span)) = (self.0.get(), context.span(id)) {
            let mut call = Call { began: Clock::System.now().into(), fields: BTreeMap::new() };
            attributes.record(&mut call);
            span.extensions_mut().insert(call);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(call) = span.extensions_mut().get_mut::<Call>()
        {
            values.record(call);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let call: Option<Call> = context.span(&id).and_then(|it| it.extensions_mut().remove());
        if let (Some(collector), Some(span)) = (self.0.get(), call.and_then(Call::end)) {
            collector.on_end(span);
        }
    }
}

/// A call under way, as its span tells it.
struct Call {
    began: SystemTime,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Call {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl Call {
    /// The span, now that it is over. None where whoever began the trace does not record it.
    fn end(mut self) -> Option<SpanData> {
        let own: TraceParent = self.fields.remove("traceparent")?.parse().ok()?;
        if !own.is_sampled() {
            return None;
        }
        let requests = self.fields.remove("requests").unwrap_or_default();
        let mut links = SpanLinks::default();
        links.links = requests
            .split_whitespace()
            .filter_map(|it| Some(Link::with_context(place(it.parse().ok()?, true))))
            .collect();
        let field = |name| self.fields.get(name).map_or("", String::as_str);
        let status = match field("outcome") {
            "" => Status::error("the call was given up"),
            word @ ("unknown" | "doubtful" | "configuration") => Status::error(word.to_owned()),
            _ => Status::Unset,
        };
        Some(SpanData {
            span_context: place(own, false),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Client,
            name: format!("{} {}", field("op"), field("channel")).into(),
            start_time: self.began,
            end_time: Clock::System.now().into(),
            attributes: self.fields.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links,
            status,
            instrumentation_scope: InstrumentationScope::builder("outflow").build(),
        })
    }
}

/// A place in a trace, in the SDK's words.
fn place(it: TraceParent, is_remote: bool) -> SpanContext {
    let (trace, span) = (TraceId::from(it.trace_id()), SpanId::from(it.span_id()));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, is_remote, TraceState::NONE)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use reqwest::Url;
    use tracing::field::Empty;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;
    use workers::GATEWAY_CALLS;

    use super::{Collector, layer, start};

    const OWN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-8123456789abcdef-01";
    const REQUEST: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn make_calls(count: usize, traceparent: &str) {
        for _ in 0..count {
            let span = info_span!(
                target: GATEWAY_CALLS, "gateway call",
                channel = "alipay", op = "pay", traceparent, requests = REQUEST, outcome = Empty
            );
            span.record("outcome", "unknown");
        }
    }

    /// Takes one post, and answers with its path and its body.
    fn collect_one(listener: &TcpListener) -> (String, Vec<u8>) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let from = head.len();
            reader.read_line(&mut head).unwrap();
            if let Some(text) = head[from..].to_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body)
    }

    #[test]
    fn otlp_spans_have_the_numbers_that_were_sent_and_link_to_their_request() {
        static COLLECTOR: Collector = Collector::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || collect_one(&listener));
        let flush = start(&Url::parse(&address).unwrap(), &COLLECTOR).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(&COLLECTOR)), || {
            make_calls(1, OWN);
            make_calls(1, &OWN.replace("-8123", "-9999").replace("-01", "-00"));
            info_span!("another").record("outcome", "none");
        });
        drop(flush);
        let (head, body) = server.join().unwrap();
        assert_eq!(head, "POST /v1/traces HTTP/1.1");
        let holds = |hexadecimal: &str| {
            let bytes = hex::decode(hexadecimal).unwrap();
            body.windows(bytes.len()).filter(|it| *it == bytes).count()
        };
        // Fields 1 and 2 of a span, and of a link, which is field 13 of a span; 4 is the parent.
        let trace = "0a104bf92f3577b34da6a3ce929d0e0e47361208";
        assert_eq!(holds(&format!("{trace}8123456789abcdef")), 1, "the span itself");
        assert_eq!(holds(&format!("6a21{trace}00f067aa0ba902b7")), 1, "the link to the request");
        assert_eq!(holds("220800f067aa0ba902b7"), 0, "and no parent");
        assert_eq!(holds("9999456789abcdef"), 0, "nobody records that one");
        for word in ["pay alipay", "channel", "unknown", "service.name"] {
            assert!(holds(&hex::encode(word)) > 0, "{word}");
        }
    }

    #[test]
    fn otlp_makes_nobody_wait_for_a_collector_that_never_answers() {
        static COLLECTOR: Collector = Collector::new();
        // It takes the connection, and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let flush = start(&Url::parse(&address).unwrap(), &COLLECTOR).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(&COLLECTOR)), || {
            // More than the queue takes: whoever waited would wait for hours.
            make_calls(4_000, OWN);
        });
        drop(flush);
    }
}
