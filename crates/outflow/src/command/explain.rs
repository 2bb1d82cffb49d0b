//! `outflow explain`: what a code means, ours or a channel's, without any server.

use std::collections::BTreeMap;

use anyhow::Result;
use domain::{About, Explanation};
use gateways::ChannelCode;
use serde_json::{Value, json};

use crate::cli::{Explain, General};
use crate::exit::{Exit, Failure};
use crate::output;

/// Every meaning of every code that the product gives.
fn all() -> impl Iterator<Item = Explanation> {
    domain::explanations()
        .chain(broker::contract::explanations())
        .chain(gateways::explanations())
        .chain(workers::explanations())
        .chain(api::explanations())
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
    let wanted = word(code);
    let meanings: Vec<Explanation> = all().filter(|it| it.code == wanted).collect();
    let channels: Vec<ChannelCode> = gateways::channel_codes(&code.trim().to_uppercase()).collect();
    if meanings.is_empty() && channels.is_empty() {
        let what = format!("there is no code {code:?}");
        return Err(Failure::new(Exit::NotFound, what, hint(&wanted)).into());
    }
    if general.output.is_data() {
        let channels = channels.iter().map(channel_in_json);
        output::data(general.output, &meanings.iter().map(in_json).chain(channels).collect());
    } else {
        let channels = channels.iter().map(channel_page);
        let pages: Vec<String> = meanings.iter().map(page).chain(channels).collect();
        output::page(&pages.join("\n"));
    }
    output::next(general, "outflow show ID shows a withdrawal with all of its reasons");
    Ok(())
}

/// The code that was meant. A problem's `type` ends with the same word, with hyphens;
/// a stop's text begins with it; and every HTTP status of a gateway is one code.
fn word(typed: &str) -> String {
    let last = typed.rsplit('/').next().unwrap_or(typed);
    let word = last.split(':').next().unwrap_or(last).trim().replace('-', "_").to_lowercase();
    match word.strip_prefix("http_") {
        Some(status) if status.parse::<u16>().is_ok() => "http_status".to_owned(),
        _ => word,
    }
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

fn channel_in_json(it: &ChannelCode) -> Value {
    json!({
        "code": it.code, "about": "channel_code", "channel": it.rail.to_string(), "rule": null,
        "happened": it.happened(), "money_at_risk": About::Call.money(), "what_to_do": it.what_to_do(),
    })
}

fn channel_page(it: &ChannelCode) -> String {
    format!(
        "{}: a code of {}\n\n  What Outflow makes of it\n    {}\n  Is money at risk?\n    {}\n  What to do\n    {}\n",
        it.code,
        it.rail,
        it.happened(),
        About::Call.money(),
        it.what_to_do()
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
    output::next(general, "outflow explain CODE");
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
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use super::{all, hint, word};

    /// The crates whose codes people and programs meet.
    const CRATES: &[&str] = &["domain", "store", "broker", "gateways", "workers", "api", "outflow"];

    /// What stands before a code in the source, wherever one is given by hand. A code
    /// that comes from an enumeration is compared with it where its text stands.
    const BEFORE: &[&str] =
        &["with_status(", "rejection(", "Refusal::new(", "Doubt::new(", "code: ", "code: Some("];

    fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|it| it == "rs") {
                into.push(path);
            }
        }
    }

    /// The words that stand as texts after one of [`BEFORE`].
    fn given_in(source: &str) -> Vec<String> {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let after = BEFORE.iter().flat_map(|before| code.split(before).skip(1));
        let text = after.filter_map(|it| it.trim_start().strip_prefix('"')?.split('"').next());
        text.filter(|it| it.bytes().all(|it| matches!(it, b'a'..=b'z' | b'_'))).map(str::to_owned).collect()
    }

    #[test]
    fn every_code_that_the_source_gives_by_hand_is_explained() {
        let mut files = vec![];
        for name in CRATES {
            sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"), &mut files);
        }
        let mut given: BTreeMap<String, PathBuf> = BTreeMap::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            given.extend(given_in(&text).into_iter().map(|code| (code, file.clone())));
        }
        let known: BTreeSet<&str> = all().map(|it| it.code).collect();
        let unknown: Vec<_> = given.iter().filter(|(code, _)| !known.contains(code.as_str())).collect();
        assert!(unknown.is_empty(), "codes without a text: {unknown:#?}");
        for code in
            ["role_too_low", "already_paused", "timeout", "delivery_limit", "not_yours", "in_progress"]
        {
            assert!(given.contains_key(code), "{code} is no longer found in the source");
        }
    }

    #[test]
    fn what_rows_hold_is_explained_too() {
        let known: BTreeSet<&str> = all().map(|it| it.code).collect();
        for code in ["daily_total", "fact_refused", "facts_missing", "control_total", "circuit_open"] {
            assert!(known.contains(code), "{code}");
        }
    }

    #[test]
    fn a_code_is_known_in_every_form_in_which_it_is_met() {
        for (typed, code) in [
            ("https://outflow.example/problems/role-too-low", "role_too_low"),
            ("fact_refused: version 7 cannot be stored", "fact_refused"),
            ("http_503", "http_status"),
            ("Role-Too-Low", "role_too_low"),
        ] {
            assert_eq!(word(typed), code);
        }
    }

    #[test]
    fn every_text_is_whole_sentences() {
        for it in all() {
            for text in [it.happened, it.mend] {
                assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{}: {text}", it.code);
            }
        }
    }

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
