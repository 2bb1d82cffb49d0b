//! W3C Trace Context: which trace a message belongs to.
//!
//! <https://www.w3.org/TR/trace-context/>. Whoever cannot read a `traceparent`
//! goes on as if there were none: a trace is for those who watch, and no message
//! is refused for it.

use std::fmt;
use std::str::FromStr;

/// The name of the header, in AMQP as in HTTP, and of the attribute of `CloudEvents`.
pub const TRACEPARENT: &str = "traceparent";

/// `sampled` and `random`: the flags that the standard gives a meaning to. All others
/// must be sent as zero.
const KNOWN_FLAGS: u8 = 0b11;

/// The length of version 00; a later version may go on after it.
const LENGTH: usize = 55;

/// A trace, and the span in it that something is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// Not a `traceparent` that may be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATraceParent;

impl TraceParent {
    /// The trace; never zero.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The span; never zero.
    #[must_use]
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// Whether whoever began the trace records it.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }

    /// Another span of the same trace. A span of zero would be none, and leaves it as it is.
    #[must_use]
    pub const fn in_span(self, span_id: u64) -> Self {
        if span_id == 0 { self } else { Self { span_id, ..self } }
    }

    /// A span of another trace, with the flags of this one. A trace of zero would be
    /// none, and leaves it as it is.
    #[must_use]
    pub const fn in_trace(self, trace_id: u128) -> Self {
        if trace_id == 0 { self } else { Self { trace_id, ..self } }
    }

    /// The first of these texts that is one.
    pub fn first_of<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Option<Self> {
        texts.into_iter().flatten().find_map(|it| it.parse().ok())
    }
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let is_digit = |it: u8| matches!(it, b'0'..=b'9' | b'a'..=b'f');
        let part = |place: std::ops::Range<usize>| {
            text.get(place).filter(|it| it.bytes().all(is_digit)).ok_or(NotATraceParent)
        };
        let version = part(0..2)?;
        let goes_on = text.len() > LENGTH;
        let hyphens = [2, 35, 52].iter().all(|place| text.as_bytes().get(*place) == Some(&b'-'));
        let end = !goes_on || (version != "00" && text.as_bytes()[LENGTH] == b'-');
        if version == "ff" || !hyphens || !end {
            return Err(NotATraceParent);
        }
        let trace_id = u128::from_str_radix(part(3..35)?, 16).map_err(|_| NotATraceParent)?;
        let span_id = u64::from_str_radix(part(36..52)?, 16).map_err(|_| NotATraceParent)?;
        let flags = u8::from_str_radix(part(53..LENGTH)?, 16).map_err(|_| NotATraceParent)?;
        if trace_id == 0 || span_id == 0 {
            return Err(NotATraceParent);
        }
        Ok(Self { trace_id, span_id, flags: flags & KNOWN_FLAGS })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written_as_version_00() {
        for (text, expected) in [
            (GOOD, GOOD),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
            ),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", GOOD),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", GOOD),
        ] {
            assert_eq!(text.parse::<TraceParent>().map(|it| it.to_string()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert!(text.parse::<TraceParent>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn another_span_is_in_the_same_trace() {
        let parent: TraceParent = GOOD.parse().unwrap();
        let child = parent.in_span(0x8123_4567_89ab_cdef).to_string();
        assert_eq!(child, "00-4bf92f3577b34da6a3ce929d0e0e4736-8123456789abcdef-01");
        assert_eq!(parent.in_span(0), parent);
        assert_eq!(TraceParent::first_of([Some("none"), None, Some(GOOD)]), Some(parent));
    }
}
