//! The vocabulary of scenarios; whatever is not here is an error.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::channel::Channel;
use crate::clock::parse_rfc3339;
use crate::workdays;

/// Reads a text through a function that says what is wrong with it.
fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).map_err(serde::de::Error::custom)
}

/// A channel, or `*`.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChannelWord {
    Any,
    One(Channel),
}

impl<'de> Deserialize<'de> for ChannelWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, |word| {
            let named = Channel::ALL.into_iter().find(|channel| channel.name() == word);
            match named {
                Some(channel) => Ok(Self::One(channel)),
                None if word == "*" => Ok(Self::Any),
                None => {
                    Err(format!("unknown channel `{word}`, expected alipay, wechat, unionpay, bank or *"))
                }
            }
        })
    }
}

impl ChannelWord {
    pub(super) fn means(self, channel: Channel) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => one == channel,
        }
    }
}

/// What is asked of a channel. A refund and a transfer are the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Op {
    /// Money is to move.
    #[default]
    #[serde(alias = "refund")]
    Transfer,
    /// What became of it?
    Query,
}

/// A text with `*` for any run of characters.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Pattern(String);

impl Default for Pattern {
    fn default() -> Self {
        Self("*".to_owned())
    }
}

impl Pattern {
    pub(super) fn fits(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// A share between 0 and 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance(pub(super) f64);

impl Default for Chance {
    fn default() -> Self {
        Self(1.0)
    }
}

impl<'de> Deserialize<'de> for Chance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(serde::de::Error::custom(format!("{share} is not between 0 and 1")))
        }
    }
}

/// What the caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplyWord {
    Ok,
    Pending,
    Unavailable,
    Drop,
    Reset,
    Garbage,
    BadSignature,
    Never,
    Slow(Duration),
    Code(String),
}

impl<'de> Deserialize<'de> for ReplyWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, |word| {
            Ok(match word {
                // A repeat is recognised by the channel itself.
                "ok" | "duplicate" => Self::Ok,
                "pending" => Self::Pending,
                "http-503" => Self::Unavailable,
                "drop" => Self::Drop,
                "reset" => Self::Reset,
                "garbage" => Self::Garbage,
                "bad-signature" => Self::BadSignature,
                "never" => Self::Never,
                _ => match word.strip_prefix("slow:") {
                    Some(wait) => {
                        let ms = Wait::parse(wait)?.span_ms(0);
                        Self::Slow(Duration::from_millis(ms.unsigned_abs()))
                    }
                    None if is_code(word) => Self::Code(word.to_owned()),
                    None => {
                        return Err(format!(
                            "unknown reply `{word}`, expected ok, pending, duplicate, http-503, drop, \
                             reset, garbage, bad-signature, never, slow:2s or a code of the channel"
                        ));
                    }
                },
            })
        })
    }
}

/// Whether a word looks like a channel's code: `ACQ.SYSTEM_ERROR`, `05`, `AC04`, or one
/// of Alipay's gateway such as `isp.unknow-error`.
fn is_code(word: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_.".contains(c);
    let small = |c: char| c.is_ascii_lowercase() || "_-".contains(c);
    let gateway = ["isv.", "isp.", "aop."].iter().find_map(|prefix| word.strip_prefix(prefix));
    match gateway {
        Some(rest) => !rest.is_empty() && rest.chars().all(small),
        None => !word.is_empty() && word.chars().all(capital),
    }
}

/// A length of time, of which some are counted in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wait {
    ms: i64,
    working_days: u32,
}

impl Wait {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(digits);
        let unknown = || {
            format!("unknown length of time `{text}`, expected 500ms, 2s, 5m, 1h, 2 days or 3 working days")
        };
        let count: u32 = count.parse().map_err(|_| unknown())?;
        let unit_ms = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "day" | "days" => 24 * 3_600_000,
            "working day" | "working days" => return Ok(Self { ms: 0, working_days: count }),
            _ => return Err(unknown()),
        };
        Ok(Self { ms: i64::from(count) * unit_ms, working_days: 0 })
    }

    /// The moment this long after `from_ms`, unix milliseconds.
    pub(super) fn end_ms(self, from_ms: i64) -> i64 {
        workdays::after(from_ms, self.working_days) + self.ms
    }

    /// The length in milliseconds, when it begins at `from_ms`.
    pub(super) fn span_ms(self, from_ms: i64) -> i64 {
        self.end_ms(from_ms) - from_ms
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, Self::parse)
    }
}

/// A moment, RFC 3339.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) i64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, |text| {
            parse_rfc3339(text).map(Self).ok_or_else(|| format!("`{text}` is not RFC 3339"))
        })
    }
}

/// What a notice tells, or `early`: the settlement, before the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NewsWord {
    Settled,
    Returned,
    Failed,
    Early,
}

/// Where a notice stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Order {
    Normal,
    /// After the notice of the next order.
    AfterNext,
}

/// Whose signature a notice carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sign {
    Good,
    Bad,
}

/// Which amount a notice names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sum {
    Right,
    /// One fen more than the order's.
    Off,
}

/// Where an order is expected to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FinalState {
    Paid,
    Pending,
    Refused,
    Returned,
}

#[cfg(test)]
mod tests {
    use super::{Pattern, is_code};

    #[test]
    fn a_code_looks_like_one_of_a_channels() {
        for (word, is) in [
            ("SYSTEM_ERROR", true),
            ("ACQ.SYSTEM_ERROR", true),
            ("05", true),
            ("isp.unknow-error", true),
            ("isv.insufficient-isv-permissions", true),
            ("isv.", false),
            ("dorp", false),
            ("http-500", false),
            ("", false),
        ] {
            assert_eq!(is_code(word), is, "{word}");
        }
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, fits) in [
            ("*0420", "62170420", true),
            ("*0420", "62170421", false),
            ("6217*", "62170420", true),
            ("6*17*20", "62170420", true),
            ("62170420", "62170420", true),
            ("62170420", "621704200", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(Pattern(pattern.to_owned()).fits(text), fits, "{pattern} {text}");
        }
    }
}
