//! What the codes mean that the workers themselves give.

mod flow;
mod people;

use domain::{About, Explanation, Row};

/// What each code means that a worker gives by itself.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    let tables: [(About, &[Row]); 8] = [
        (About::Decision, people::DECISIONS),
        (About::Code, people::CODES),
        (About::Hold, flow::HOLDS),
        (About::Message, flow::MESSAGES),
        (About::Account, flow::ACCOUNTS),
        (About::BankRun, flow::BANK_RUNS),
        (About::Call, flow::CALLS),
        (About::Difference, flow::DIFFERENCES),
    ];
    tables.into_iter().flat_map(|(about, rows)| rows.iter().map(move |row| Explanation::of(about, *row)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::About;
    use store::statement_differences::Kind;
    use strum::IntoEnumIterator;

    use super::explanations;
    use crate::codes::CodeRefusal;
    use crate::decisions::Refusal;

    fn told(about: About) -> BTreeSet<&'static str> {
        explanations().filter(|it| it.about == about).map(|it| it.code).collect()
    }

    #[test]
    fn every_code_has_its_text_and_every_text_its_code() {
        let decisions: BTreeSet<&str> = Refusal::iter().map(Into::into).chain(["conflict"]).collect();
        assert_eq!(told(About::Decision), decisions);
        let codes: BTreeSet<&str> = CodeRefusal::iter().map(Into::into).collect();
        assert_eq!(told(About::Code), codes);
        let differences: BTreeSet<&str> = Kind::iter().map(Into::into).collect();
        assert_eq!(told(About::Difference), differences);
        for it in explanations() {
            assert!(it.happened.ends_with('.') && it.mend.ends_with('.'), "{}", it.code);
        }
    }
}
