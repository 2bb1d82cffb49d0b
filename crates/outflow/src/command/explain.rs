//! `outflow explain`: what a code means, without any server.

use std::collections::BTreeMap;

use anyhow::Result;
use domain::Explanation;
use serde_json::{Value, json};

use crate::cli::{Explain, General};
use crate::exit::{Exit, Failure};
use crate::output;

/// Every meaning of every code that the product gives.
fn all() -> impl Iterator<Item = Explanation> {
    domain::explanations().chain(broker::contract::explanations()).chain(workers::explanations())
}

/// Explains one code, or lists all of them.
///
/// # Errors
/// When there is no such code.
pub(crate) fn run(general: &General, arguments: &Explain) -> Result<()> {
    let Some(code) = &arguments.code else {
        list(general);
        return Ok(());
    };
    // A problem's `type` ends with the same word, with hyphens.
    let wanted = code.rsplit('/').next().unwrap_or(code).replace('-', "_").to_lowercase();
    let meanings: Vec<Explanation> = all().filter(|it| it.code == wanted).collect();
    if meanings.is_empty() {
        let what = format!("there is no code {code:?}");
        return Err(Failure::new(Exit::NotFound, what, hint(&wanted)).into());
    }
    if general.output.is_data() {
        output::data(general.output, &meanings.iter().map(in_json).collect());
    } else {
        let pages: Vec<String> = meanings.iter().map(page).collect();
        output::page(&pages.join("\n"));
    }
    eprintln!("next: outflow show ID shows a withdrawal with all of its reasons");
    Ok(())
}

fn in_json(it: &Explanation) -> Value {
    json!({
        "code": it.code, "about": it.about.to_string(), "rule": it.rule,
        "happened": it.happened, "money_at_risk": it.about.money(), "what_to_do": it.mend,
    })
}

fn page(it: &Explanation) -> String {
    let rule = it.rule.map(|rule| format!(" (rule {rule})")).unwrap_or_default();
    format!(
        "{}: {}{rule}\n\n  What happened\n    {}\n  Is money at risk?\n    {}\n  What to do\n    {}\n",
        it.code,
        it.about.title(),
        it.happened,
        it.about.money(),
        it.mend
    )
}

/// Every code once, with what it is about.
fn list(general: &General) {
    if general.output.is_data() {
        output::data(general.output, &all().map(|it| in_json(&it)).collect());
        return;
    }
    let mut codes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in all() {
        codes.entry(it.code).or_default().push(it.about.title());
    }
    let mut table = output::table(&["code", "about"]);
    for (code, about) in codes {
        table.add_row([code, &about.join("; ")]);
    }
    output::page(&format!("{table}\n"));
    eprintln!("next: outflow explain CODE");
}

/// The codes that share a word with what was typed.
fn hint(wanted: &str) -> String {
    let words: Vec<&str> = wanted.split('_').filter(|word| word.len() > 2).collect();
    let mut near: Vec<&str> =
        all().map(|it| it.code).filter(|code| words.iter().any(|word| code.contains(word))).collect();
    near.sort_unstable();
    near.dedup();
    if near.is_empty() {
        "outflow explain lists every code".to_owned()
    } else {
        format!("perhaps {}; outflow explain lists every code", near.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{all, hint};

    #[test]
    fn a_code_has_one_meaning_for_each_thing_that_it_is_about() {
        let meanings: BTreeSet<(&str, String)> = all().map(|it| (it.code, it.about.to_string())).collect();
        assert_eq!(meanings.len(), all().count());
        assert!(all().filter(|it| it.code == "account_stopped").count() == 2);
    }

    #[test]
    fn a_code_that_is_nearly_right_is_pointed_at() {
        assert!(hint("exceeds_withdrawal").contains("exceeds_withdrawable"));
        assert_eq!(hint("zz"), "outflow explain lists every code");
    }
}
