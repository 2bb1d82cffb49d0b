//! `[channels.<name>]`: how hard each channel may be pushed.

use chrono::TimeDelta;
use domain::{ChannelControl, ChannelControls, CircuitRule, FailureShare, RetryBudget, SendPace};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The limits of all channels.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ChannelsSettings {
    /// Alipay.
    alipay: ChannelSettings,
    /// WeChat Pay.
    wechat: ChannelSettings,
    /// UnionPay.
    unionpay: ChannelSettings,
    /// The bank. It gets one file at a time, whatever its limits are.
    bank: ChannelSettings,
}

/// The limits of one, for all payout workers together.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ChannelSettings {
    /// Calls that may be under way at once; 0: no limit.
    concurrency: u32,
    /// Calls that may start in a second; 0: no limit.
    per_second: u32,
    /// Seconds between two refunds of one payment [default: 3 at Alipay, 60 at WeChat Pay, 0 elsewhere].
    refund_spacing_seconds: Option<u32>,
    /// Sends of one number; after the last one the leg is held for people.
    #[serde(deserialize_with = "at_least_one")]
    sends: u32,
    /// The longest first delay before a repeat. Each later one may be twice as long.
    #[serde(deserialize_with = "at_least_one")]
    retry_first_seconds: u32,
    /// The longest delay of all.
    #[serde(deserialize_with = "at_least_one")]
    retry_longest_seconds: u32,
    /// Failures in a row that open the circuit; 0: no row does.
    circuit_failures: u32,
    /// Failures in a hundred calls that open it; 0: no share does.
    #[serde(deserialize_with = "a_percentage")]
    circuit_percent: u32,
    /// Calls of which fewer say nothing about a share.
    #[serde(deserialize_with = "at_least_one")]
    circuit_calls: u32,
    /// Seconds over which a share is counted.
    #[serde(deserialize_with = "at_least_one")]
    circuit_within_seconds: u32,
    /// Seconds of the first rest before one payment tries again. Each later one may be twice as long.
    #[serde(deserialize_with = "at_least_one")]
    circuit_rest_seconds: u32,
    /// Seconds of the longest rest.
    #[serde(deserialize_with = "at_least_one")]
    circuit_rest_longest_seconds: u32,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            concurrency: 0,
            per_second: 0,
            refund_spacing_seconds: None,
            sends: 20,
            retry_first_seconds: 10,
            retry_longest_seconds: 900,
            circuit_failures: 10,
            circuit_percent: 50,
            circuit_calls: 20,
            circuit_within_seconds: 30,
            circuit_rest_seconds: 5,
            circuit_rest_longest_seconds: 30,
        }
    }
}

impl ChannelSettings {
    /// As the workers know it; `spacing` is the channel's own, in seconds.
    fn control(self, spacing: u32) -> ChannelControl {
        let seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
        let some = |number: u32| (number > 0).then_some(number);
        ChannelControl {
            concurrency: some(self.concurrency),
            pace: some(self.per_second).map(|per_second| SendPace { per_second }),
            retry: RetryBudget {
                sends: self.sends,
                first: seconds(self.retry_first_seconds),
                longest: seconds(self.retry_longest_seconds),
            },
            circuit: CircuitRule {
                failures: some(self.circuit_failures),
                share: some(self.circuit_percent).map(|percent| FailureShare {
                    percent,
                    calls: self.circuit_calls,
                    within: seconds(self.circuit_within_seconds),
                }),
                rest: seconds(self.circuit_rest_seconds),
                rest_longest: seconds(self.circuit_rest_longest_seconds),
            },
            refund_spacing: seconds(self.refund_spacing_seconds.unwrap_or(spacing)),
        }
    }
}

impl From<ChannelsSettings> for ChannelControls {
    fn from(it: ChannelsSettings) -> Self {
        Self {
            alipay: it.alipay.control(3),
            wechat: it.wechat.control(60),
            unionpay: it.unionpay.control(0),
            bank: it.bank.control(0),
        }
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(D::Error::custom("must be at least 1")),
        number => Ok(number),
    }
}

fn a_percentage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        percent @ 0..=100 => Ok(percent),
        _ => Err(D::Error::custom("must be at most 100")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::ChannelControls;

    use super::ChannelsSettings;

    #[test]
    fn each_channel_has_its_own_limits_and_the_spacing_that_it_wants() {
        let text =
            "[alipay]\nper_second = 50\n[wechat]\nrefund_spacing_seconds = 0\n[bank]\ncircuit_failures = 0";
        let it: ChannelControls = toml::from_str::<ChannelsSettings>(text).expect("settings").into();
        assert_eq!(it.alipay.pace.map(|it| it.per_second), Some(50));
        assert_eq!((it.wechat.pace, it.wechat.refund_spacing), (None, TimeDelta::zero()));
        assert_eq!(it.alipay.refund_spacing, TimeDelta::seconds(3));
        assert_eq!((it.bank.circuit.failures, it.unionpay.circuit.failures), (None, Some(10)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (text, said) in [
            ("[alipay]\nsends = 0", "must be at least 1"),
            ("[alipay]\ncircuit_percent = 101", "must be at most 100"),
            ("[alipay]\nper_minute = 3", "unknown field `per_minute`"),
            ("[paypal]\nsends = 3", "unknown field `paypal`"),
        ] {
            let error = toml::from_str::<ChannelsSettings>(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
