//! Masking: what may be a bank account number keeps its last four characters.
//!
//! A message that cannot be understood cannot be trusted to have its numbers in
//! the right field either. So every long run of digits is masked, wherever it is
//! and whether or not blanks or hyphens group it; and the fields that hold an
//! account number or a proof are masked by their names, whatever they contain.

use serde_json::Value;

/// The shortest run of digits that may be an account number.
const RUN_MIN: usize = 8;

/// The shortest number that is also recognised in groups, such as `6222 0202 0011 2233`.
/// A date with hyphens has fewer.
const GROUPED_MIN: usize = 13;

/// A body that may travel: masked, and no longer than `max` bytes.
///
/// JSON stays JSON. What is no JSON becomes text.
#[must_use]
pub fn masked(body: &[u8], max: usize) -> Vec<u8> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            mask_value(&mut value);
            value.to_string()
        }
        Err(_) => mask_text(&String::from_utf8_lossy(body)),
    };
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.as_bytes()[..end].to_vec()
}

fn mask_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = mask_text(text),
        Value::Number(number) => {
            let masked = mask_text(&number.to_string());
            if masked.contains('*') {
                *value = masked.into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask_value),
        Value::Object(fields) => {
            let masked = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                match (name.as_str(), &value) {
                    ("number", Value::String(text)) => value = last_four(text).into(),
                    ("verification", _) => value = "****".into(),
                    _ => mask_value(&mut value),
                }
                (mask_text(&name), value)
            });
            *fields = masked.collect();
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let (before, from_digit) = rest.split_at(start);
        masked.push_str(before);
        let run = &from_digit[..run_length(from_digit)];
        masked.push_str(&mask_run(run));
        rest = &from_digit[run.len()..];
    }
    masked.push_str(rest);
    masked
}

/// The bytes of digits, and of single blanks and hyphens between digits.
fn run_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let mut length = 0;
    while digit(length) || (matches!(bytes.get(length), Some(b' ' | b'-')) && digit(length + 1)) {
        length += 1;
    }
    length
}

/// Masks a run as a whole when it is long enough, else its long parts.
fn mask_run(run: &str) -> String {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    if digits >= GROUPED_MIN {
        return last_four(run);
    }
    let part = |part: &str| if part.len() >= RUN_MIN { last_four(part) } else { part.to_owned() };
    run.split_inclusive([' ', '-'])
        .map(|with_end| match with_end.strip_suffix([' ', '-']) {
            Some(digits) => part(digits) + &with_end[digits.len()..],
            None => part(with_end),
        })
        .collect()
}

fn last_four(number: &str) -> String {
    let characters: Vec<char> = number.chars().filter(char::is_ascii_alphanumeric).collect();
    // Of a number that is too short to be one, four characters would be most of it.
    let shown = if characters.len() < RUN_MIN { 0 } else { 4 };
    format!("****{}", characters[characters.len() - shown..].iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_may_be_an_account_number_keeps_its_last_four() {
        for (text, expected) in [
            ("6222020200112233445", "\"****3445\""),
            ("to 6222020200112233445", "to ****3445"),
            ("pay 6222 0202 0011 2233 now", "pay ****2233 now"),
            ("6222-0202-0011-2233", "****2233"),
            ("n 12345678", "n ****5678"),
            ("n 1234567", "n 1234567"),
            ("2026-11-23T13:24:17.123456Z", "2026-11-23T13:24:17.123456Z"),
            ("2026-11-23 13:24", "2026-11-23 13:24"),
            ("GB29NWBK60161331926819", "GB29NWBK****6819"),
            ("amount 100.00 of 12", "amount 100.00 of 12"),
            ("\"6222020200112233445", "\"****3445"),
            (r#"{"number":"AB12CD34EF56"}"#, r#"{"number":"****EF56"}"#),
            (r#"{"number":"123"}"#, r#"{"number":"****"}"#),
            (r#"{"amount":6222020200112233445}"#, r#"{"amount":"****3445"}"#),
            (r#"{"6222020200112233445":[1,"12345678"]}"#, r#"{"****3445":[1,"****5678"]}"#),
            (r#"{"n":"\u0036222020200112233445"}"#, r#"{"n":"****3445"}"#),
            (r#"{"verification":"abc.def"}"#, r#"{"verification":"****"}"#),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(masked(text.as_bytes(), 1000)).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_travels_is_cut_between_characters() {
        assert_eq!(masked("aé".as_bytes(), 2), b"a");
        assert_eq!(masked("aé".as_bytes(), 3), "aé".as_bytes());
        assert_eq!(masked(&[0xff, b'a'], 10), "\u{fffd}a".as_bytes());
    }
}
