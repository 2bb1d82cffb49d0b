//! Amounts: integer fen inside, each channel's own text outside.

/// The decimal yuan text with two places: `1234` fen is `12.34`.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Reads a positive decimal yuan text with at most two places into fen.
///
/// `None` for anything else: a sign, an exponent, a third place, zero.
pub(crate) fn fen(yuan: &str) -> Option<i64> {
    let (whole, cents) = yuan.split_once('.').unwrap_or((yuan, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 13 || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return None;
    }
    if cents.is_empty() && yuan.contains('.') {
        return None;
    }
    let fen: i64 = format!("{whole}{cents:0<2}").parse().ok()?;
    (fen > 0).then_some(fen)
}

/// Reads a positive digit string of fen, as `UnionPay` writes amounts.
pub(crate) fn fen_digits(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|fen| *fen > 0)
}

#[cfg(test)]
mod tests {
    use super::{fen, fen_digits, yuan};

    #[test]
    fn yuan_text_is_read_exactly_or_not_at_all() {
        for (text, expected) in [
            ("12.34", Some(1234)),
            ("12.3", Some(1230)),
            ("12", Some(1200)),
            ("0.01", Some(1)),
            ("100000000.00", Some(10_000_000_000)),
            ("0.00", None),
            ("0", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1.234", None),
            ("1.", None),
            (".5", None),
            ("1_000", None),
            ("", None),
            ("99999999999999", None),
        ] {
            assert_eq!(fen(text), expected, "{text}");
        }
    }

    #[test]
    fn fen_digits_are_positive_whole_numbers() {
        for (text, expected) in [("1234", Some(1234)), ("0", None), ("12.3", None), ("", None)] {
            assert_eq!(fen_digits(text), expected, "{text}");
        }
    }

    #[test]
    fn fen_are_written_with_two_places() {
        for (amount, expected) in [(1234, "12.34"), (5, "0.05"), (-1234, "-12.34"), (0, "0.00")] {
            assert_eq!(yuan(amount), expected);
        }
    }
}
