//! Metrics: read from the books when Prometheus asks.
//!
//! Every process that serves them says the same, because the rows are the truth.
//! Only what leaves no row is counted in the process: the notices of gateways,
//! most of all those that were refused.
//! Names begin with `outflow_`, units are base units, and no label holds an id.

use axum::extract;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use domain::{CircuitState, Rail};
use metrics::{counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use store::checks::{self, Check};
use store::circuits::{self, CircuitRow};
use store::history::{self, Totals};
use store::stops;

use crate::State;
use crate::refusal::Refusal;

/// The text format that Prometheus reads.
const TEXT_FORMAT: (HeaderName, &str) = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

/// Our own registry: a process may serve several states, in tests for example.
pub(crate) struct Gauges {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Gauges {
    pub(crate) fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        with_local_recorder(&recorder, || {
            describe_gauge!("outflow_build_info", "1, with the version as a label");
            describe_gauge!("outflow_withdrawals", "Withdrawals in the books, rejected ones included");
            describe_gauge!("outflow_repeated_requests", "Requests that came again");
            describe_gauge!(
                "outflow_parked_messages",
                "Messages that no worker could use and nobody has dealt with"
            );
            describe_gauge!("outflow_outbox_messages", "Messages in the outbox that are not published yet");
            describe_gauge!("outflow_stops", "Switches that keep money from leaving");
            describe_gauge!(
                "outflow_channel_circuit_open",
                "1 while nothing is sent on a channel because it kept failing"
            );
            describe_gauge!(
                "outflow_invariant_violations",
                "Rows that break an invariant of the books, at the last look of the verify duty"
            );
            describe_gauge!(
                "outflow_invariants_checked_timestamp_seconds",
                "When the verify duty last looked at every invariant"
            );
            describe_counter!(
                "outflow_notices_total",
                "Notifications of gateways to this process, by result"
            );
            gauge!("outflow_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        });
        Self { recorder, handle }
    }

    /// Counts one delivery of a notification.
    pub(crate) fn count_notice(&self, rail: Rail, result: &'static str) {
        with_local_recorder(&self.recorder, || {
            counter!("outflow_notices_total", "rail" => <&str>::from(rail), "result" => result).increment(1);
        });
    }

    fn render(
        &self,
        totals: &Totals,
        stops: usize,
        (checks, circuits): (&[Check], &[(Rail, CircuitRow)]),
    ) -> String {
        with_local_recorder(&self.recorder, || {
            for (rail, row) in circuits {
                let open = row.circuit.state != CircuitState::Closed;
                gauge!("outflow_channel_circuit_open", "channel" => <&str>::from(*rail))
                    .set(f64::from(u8::from(open)));
            }
            for it in checks {
                gauge!("outflow_invariant_violations", "invariant" => it.invariant.clone())
                    .set(it.violations);
            }
            if let Some(oldest) = checks.iter().map(|it| it.checked_at.timestamp()).min() {
                #[expect(clippy::cast_precision_loss, reason = "seconds below 2^53")]
                gauge!("outflow_invariants_checked_timestamp_seconds").set(oldest as f64);
            }
            for (name, value) in [
                ("outflow_withdrawals", totals.withdrawals),
                ("outflow_repeated_requests", totals.repeats),
                ("outflow_parked_messages", totals.parked),
                ("outflow_outbox_messages", totals.unpublished),
                ("outflow_stops", i64::try_from(stops).unwrap_or(i64::MAX)),
            ] {
                #[expect(clippy::cast_precision_loss, reason = "a count below 2^53")]
                gauge!(name).set(value as f64);
            }
        });
        self.handle.render()
    }
}

/// The metrics as a text.
pub(crate) async fn metrics(
    extract::State(state): extract::State<State>,
) -> Result<([(HeaderName, &'static str); 1], String), Refusal> {
    let mut connection = state.database.pool().acquire().await.map_err(store::Error::from)?;
    let totals = history::totals(&mut connection).await?;
    let stops = stops::all(&mut connection).await?.len();
    let checks = checks::all(&mut connection).await?;
    let circuits = circuits::all(&mut connection).await?;
    Ok(([TEXT_FORMAT], state.gauges.render(&totals, stops, (&checks, &circuits))))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::{Circuit, Money, Rail};
    use store::checks::Check;
    use store::circuits::CircuitRow;
    use store::history::Totals;

    use super::Gauges;

    #[test]
    fn every_metric_has_the_prefix_and_no_label_holds_an_id() {
        let totals =
            Totals { withdrawals: 12, paid_out: Money::from_minor(5), parked: 3, repeats: 2, unpublished: 1 };
        let check = Check {
            invariant: "I02".to_owned(),
            violations: 4,
            example: None,
            checked_at: DateTime::UNIX_EPOCH,
            broken_since: None,
        };
        let circuit = Circuit::CLOSED.probed(DateTime::UNIX_EPOCH);
        let open = CircuitRow { circuit, version: 3, probe_leg_id: None, paced_until: None };
        let text = Gauges::new().render(&totals, 0, (&[check], &[(Rail::Alipay, open)]));
        for line in [
            "outflow_withdrawals 12",
            "outflow_parked_messages 3",
            "outflow_stops 0",
            "outflow_channel_circuit_open{channel=\"alipay\"} 1",
            "outflow_invariant_violations{invariant=\"I02\"} 4",
            "outflow_invariants_checked_timestamp_seconds 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is missing in\n{text}");
        }
        let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for sample in samples {
            assert!(sample.starts_with("outflow_"), "{sample}");
            let labelled = [
                "outflow_build_info{version=",
                "outflow_channel_circuit_open{channel=",
                "outflow_invariant_violations{invariant=",
            ];
            assert!(!sample.contains('{') || labelled.iter().any(|it| sample.starts_with(it)), "{sample}");
        }
    }
}
