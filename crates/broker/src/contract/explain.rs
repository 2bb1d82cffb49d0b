//! What the codes of unreadable messages mean, for `outflow explain` and for people
//! who look at dead letters.

use domain::{About, Explanation, Row};

/// One row per [`super::Code`].
const ROWS: &[Row] = &[
    (
        "body_too_large",
        "",
        "The body has more than 64 KiB.",
        "Upstream: send one message per fact or request, then publish it under a new id.",
    ),
    (
        "not_json",
        "",
        "The body is not one JSON document in UTF-8.",
        "Upstream: serialise it with a JSON library, then publish it under a new id.",
    ),
    (
        "too_deep",
        "",
        "The body has more than 32 levels of objects and lists.",
        "Upstream: send the fields of the schema and nothing else, then publish it under a new id.",
    ),
    (
        "duplicate_field",
        "",
        "A key occurs twice in one object, and programs differ in which one they read.",
        "Upstream: send each key once, then publish it under a new id.",
    ),
    (
        "control_character",
        "",
        "A text or a key holds NUL or another control character.",
        "Upstream: strip control characters where the text is entered, then publish it under a new id.",
    ),
    (
        "unknown_field",
        "",
        "The message has a field that the contract does not know; a misspelt limit must not be overlooked.",
        "Upstream: compare with the schema (`outflow schema json`), then publish it under a new id.",
    ),
    (
        "missing_field",
        "",
        "The contract demands a field that the message lacks. The pointer names it.",
        "Upstream: fill it in, then publish it under a new id.",
    ),
    (
        "wrong_type",
        "",
        "A field has another JSON type than the contract says. The pointer names it.",
        "Upstream: compare with the schema (`outflow schema json`), then publish it under a new id.",
    ),
    (
        "invalid_amount",
        "R16",
        "An amount is not a decimal text with at most the currency's decimals. JSON numbers are refused, because they have been through floating point.",
        "Upstream: write it as in \"88.80\", then publish it under a new id.",
    ),
    (
        "invalid_currency",
        "R16",
        "The currency is none that the product holds.",
        "Upstream: send the account's own currency, such as CNY, then publish it under a new id.",
    ),
    (
        "invalid_id",
        "",
        "An identifier is empty, too long, or has characters outside its grammar.",
        "Upstream: compare with the schema's pattern, then publish it under a new id.",
    ),
    (
        "invalid_text",
        "",
        "A text is too short, too long, or has characters outside its grammar.",
        "Upstream: compare with the schema's pattern, then publish it under a new id.",
    ),
    (
        "invalid_time",
        "",
        "A moment is not in RFC 3339 with an offset.",
        "Upstream: write it as in 2026-09-23T09:30:00+08:00, then publish it under a new id.",
    ),
    (
        "invalid_value",
        "",
        "A number is outside its range, or a word is not in its list.",
        "Upstream: compare with the schema's limits, then publish it under a new id.",
    ),
    (
        "inconsistent_fields",
        "",
        "Fields that are fine alone contradict each other. The detail names them.",
        "Upstream: make them agree, then publish it under a new id.",
    ),
    (
        "unknown_type",
        "",
        "The queue does not take messages of this type.",
        "Upstream: facts go to outflow.facts, requests to outflow.requests, decisions and details to outflow.decisions. Publish it there under a new id.",
    ),
    (
        "unsupported_specversion",
        "",
        "The message says another version of CloudEvents than 1.0.",
        "Upstream: send \"specversion\": \"1.0\", then publish it under a new id.",
    ),
];

/// What each code of [`super::Code`] means.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    ROWS.iter().map(|row| Explanation::of(About::Message, *row))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::super::Code;
    use super::explanations;

    #[test]
    fn every_code_has_its_text_and_every_text_its_code() {
        let codes: BTreeSet<&str> = Code::iter().map(Into::into).collect();
        let told: BTreeSet<&str> = explanations().map(|it| it.code).collect();
        assert_eq!(told, codes);
        assert_eq!(explanations().count(), codes.len());
        for it in explanations() {
            assert!(it.happened.ends_with('.') && it.mend.ends_with('.'), "{}", it.code);
        }
    }
}
