//! Internal messages: the ids of rows and nothing else.
//!
//! The row is the truth and the message a nudge, so a lost or repeated one is
//! harmless, and no secret passes through these queues.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::problem::{Code, Problem};
use super::{strict, typed};

/// Rows that one nudge may name.
pub const NUDGE_ROWS: usize = 32;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nudge<Ids> {
    ids: Ids,
}

/// The body of a nudge about rows, at most [`NUDGE_ROWS`] of them.
///
/// # Panics
/// Never: UUIDs serialise.
#[must_use]
pub fn nudge(ids: &[Uuid]) -> Vec<u8> {
    debug_assert!((1..=NUDGE_ROWS).contains(&ids.len()), "a nudge names {} rows", ids.len());
    serde_json::to_vec(&Nudge { ids }).expect("UUIDs serialise")
}

/// The ids of the rows that a nudge is about.
///
/// # Errors
/// A [`Problem`] that names the field and the rule.
pub fn parse_nudge(body: &[u8]) -> Result<Vec<Uuid>, Problem> {
    let Nudge { ids } = typed::read::<Nudge<Vec<Uuid>>>(&strict::read(body)?, "")?;
    if (1..=NUDGE_ROWS).contains(&ids.len()) {
        Ok(ids)
    } else {
        let rule = format!("must name between 1 and {NUDGE_ROWS} rows");
        Err(Problem::malformed(Code::InvalidValue, "/ids", rule))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{NUDGE_ROWS, nudge, parse_nudge};

    #[test]
    fn a_nudge_names_the_rows_that_were_written_into_it() {
        let ids: Vec<Uuid> = (0..NUDGE_ROWS as u128).map(Uuid::from_u128).collect();
        assert_eq!(parse_nudge(&nudge(&ids)), Ok(ids));
    }

    #[test]
    fn what_is_no_nudge_is_refused_by_its_field() {
        let id = Uuid::nil();
        let many = vec![id.to_string(); NUDGE_ROWS + 1];
        for (body, code, pointer) in [
            (r#"{"ids":[]}"#.to_owned(), "invalid_value", "/ids"),
            (serde_json::json!({ "ids": many }).to_string(), "invalid_value", "/ids"),
            (r#"{"ids":["x"]}"#.to_owned(), "invalid_id", "/ids/0"),
            (r#"{"ids":7}"#.to_owned(), "wrong_type", "/ids"),
            (format!(r#"{{"id":"{id}"}}"#), "unknown_field", "/id"),
            ("{}".to_owned(), "missing_field", "/ids"),
        ] {
            let problem = parse_nudge(body.as_bytes()).unwrap_err();
            assert_eq!((&*problem.code, problem.pointer.as_deref()), (code, Some(pointer)), "{body}");
        }
    }
}
