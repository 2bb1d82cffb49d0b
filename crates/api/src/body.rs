//! Bodies of requests, read as the data of messages.
//!
//! The body of a `POST` is what a message would have as its `data`. It is put
//! into an envelope and read by the contract's own parser, so that whatever is
//! wrong is told in the same words and with the same pointers as on the queues.

use axum::http::{HeaderMap, StatusCode};
use broker::contract::{Code, Problem};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use crate::engine::Failed;
use crate::refusal::Refusal;

/// The header that names a request for ever.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A field that the caller need not write.
#[derive(Debug, Clone)]
pub(crate) enum Own {
    /// Taken when the body does not say otherwise.
    Usual(&'static str, Value),
    /// Taken always; a body that says otherwise is refused.
    Fixed(&'static str, Value),
}

/// What is around the data.
#[derive(Debug, Clone)]
pub(crate) struct Cover {
    /// The type of the message.
    pub(crate) kind: &'static str,
    /// Who sends it.
    pub(crate) source: String,
    /// Its id.
    pub(crate) id: String,
    /// When.
    pub(crate) time: chrono::DateTime<chrono::Utc>,
    /// The trace that it belongs to.
    pub(crate) traceparent: Option<String>,
}

/// The key of a request: what the caller sent, within the rule of message ids.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().ok().filter(|it| it.parse::<broker::contract::MessageId>().is_ok());
    text.map(|it| Some(it.to_owned())).ok_or_else(|| {
        let detail = "Idempotency-Key must have 1 to 128 printable characters";
        Refusal::new("invalid_idempotency_key", StatusCode::BAD_REQUEST, detail)
    })
}

/// The message whose data are `body` with the fields of `own`.
pub(crate) fn message(body: &[u8], cover: &Cover, own: &[Own]) -> Result<Vec<u8>, Failed> {
    let data = spliced(body, own)?;
    let mut attributes = json!({
        "specversion": "1.0", "id": cover.id, "source": cover.source, "type": cover.kind, "time": cover.time,
    });
    if let Some(trace) = &cover.traceparent {
        attributes["traceparent"] = trace.as_str().into();
    }
    let mut text = attributes.to_string();
    let end = text.pop();
    debug_assert_eq!(end, Some('}'), "an object ends with a brace");
    text.push_str(",\"data\":");
    text.push_str(&data);
    text.push('}');
    Ok(text.into_bytes())
}

/// The body with more fields in front. Everything else stays as it was written,
/// so that the strict parser still sees equal keys and odd numbers.
fn spliced(body: &[u8], own: &[Own]) -> Result<String, Failed> {
    let not_json =
        || Failed::from(Problem::malformed(Code::NotJson, "/data", "the body must be one JSON object"));
    // One document and nothing behind it: it can stand inside another one.
    serde_json::from_slice::<IgnoredAny>(body).map_err(|_| not_json())?;
    let text = std::str::from_utf8(body).map_err(|_| not_json())?.trim();
    let rest = text.strip_prefix('{').ok_or_else(not_json)?;
    let said: Value = serde_json::from_str(text).map_err(|_| not_json())?;
    let mut front = Vec::new();
    for field in own {
        let (Own::Usual(name, value) | Own::Fixed(name, value)) = field;
        match said.get(name) {
            None => front.push(format!("{}:{value}", Value::from(*name))),
            Some(other) if matches!(field, Own::Fixed(..)) && other != value => {
                let detail = format!("must be {value} here, or left out");
                let problem = Problem::with_status("not_yours", 403, detail);
                return Err(problem.at(format!("/data/{name}")).into());
            }
            Some(_) => {}
        }
    }
    let is_empty = rest.trim_start().starts_with('}');
    let comma = if front.is_empty() || is_empty { "" } else { "," };
    Ok(format!("{{{}{comma}{rest}", front.join(",")))
}

/// A body of the API's own, with fields that nobody knows refused.
pub(crate) fn own<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failed> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let (code, detail) = match error.classify() {
            serde_json::error::Category::Data => (Code::InvalidValue, error.to_string()),
            _ => (Code::NotJson, "the body must be one JSON object".to_owned()),
        };
        Problem::malformed(code, "", detail).into()
    })
}

/// Why somebody does something: every write that has no reason of its own type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Because {
    /// In their words.
    pub(crate) reason: String,
}

impl Because {
    /// The reason, within the rule of reasons.
    pub(crate) fn checked(self) -> Result<String, Failed> {
        reason(&self.reason)
    }
}

/// A reason within the contract's rule.
pub(crate) fn reason(text: &str) -> Result<String, Failed> {
    match text.parse::<broker::contract::Reason>() {
        Ok(reason) => Ok(reason.into()),
        Err(rule) => Err(Problem::malformed(Code::InvalidText, "/reason", rule.to_string()).into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Own, spliced};
    use crate::engine::Failed;

    #[test]
    fn a_body_gets_the_fields_that_it_leaves_out_and_keeps_the_others_as_written() {
        let own = [Own::Fixed("actor", json!("li")), Own::Usual("at", json!("now"))];
        for (body, expected) in [
            ("{}", r#"{"actor":"li","at":"now"}"#),
            (r#" {"a":1.50} "#, r#"{"actor":"li","at":"now","a":1.50}"#),
            (r#"{"at":"then","a":1,"a":2}"#, r#"{"actor":"li","at":"then","a":1,"a":2}"#),
            (r#"{"actor":"li","at":1}"#, r#"{"actor":"li","at":1}"#),
        ] {
            assert_eq!(spliced(body.as_bytes(), &own).ok().as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn a_body_cannot_speak_for_somebody_else_or_leave_its_envelope() {
        let own = [Own::Fixed("actor", json!("li"))];
        for (body, code) in [
            (r#"{"actor":"wang"}"#, "not_yours"),
            (r#"{"actor":null}"#, "not_yours"),
            (r#"{},"id":"other""#, "not_json"),
            ("[]", "not_json"),
            ("", "not_json"),
            ("{", "not_json"),
        ] {
            let Err(Failed::Refused(problems)) = spliced(body.as_bytes(), &own) else { panic!("{body}") };
            assert_eq!(&*problems[0].code, code, "{body}");
        }
    }
}
