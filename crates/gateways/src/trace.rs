//! The trace that a call belongs to: a header on every request that it makes.
//!
//! The adapters need not know it: what runs within [`traced`] sends it along. It
//! is part of no signature, since every channel signs a list of its own.

use reqwest::header::HeaderValue;

/// The name of the header: <https://www.w3.org/TR/trace-context/>.
pub(crate) const NAME: &str = "traceparent";

tokio::task_local! {
    static PARENT: HeaderValue;
}

/// Runs `call`; every request that it makes carries `parent` as its W3C `traceparent`.
/// What is no value of a header is left out.
pub async fn traced<T>(parent: Option<&str>, call: impl Future<Output = T>) -> T {
    match parent.and_then(|it| HeaderValue::from_str(it).ok()) {
        Some(parent) => PARENT.scope(parent, call).await,
        None => call.await,
    }
}

/// The header's value, where this runs within [`traced`].
pub(crate) fn parent() -> Option<HeaderValue> {
    PARENT.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::{parent, traced};

    #[tokio::test]
    async fn a_call_knows_its_trace_and_nothing_else_does() {
        assert_eq!(parent(), None);
        let seen = traced(Some("00-a-b-01"), async { parent() }).await;
        assert_eq!(seen.expect("a trace"), "00-a-b-01");
        assert_eq!(traced(Some("00-a\r\nx: y"), async { parent() }).await, None);
        assert_eq!(traced(None, async { parent() }).await, None);
        assert_eq!(parent(), None);
    }
}
