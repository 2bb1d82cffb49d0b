//! The reference of all settings, made from their types: key, type, default, meaning.

use schemars::schema_for;
use serde_json::{Map, Value};

use super::Settings;
use super::environment::{VARIABLES, Variable};

/// What stands above the tables.
const HEAD: &str = "\
# Settings

Made from the settings' types by `outflow config reference`; a test compares. `config/outflow.toml` holds the same keys as a file to
start from. Paths start at the settings file. A key that nobody knows is an error with its line. Secrets come from files or from the
environment, never from the command line, and `outflow config show` never shows them.
";

/// The reference as Markdown.
///
/// # Panics
/// Never: the types are fixed when the product is built.
pub(crate) fn reference() -> String {
    let schema = schema_for!(Settings).to_value();
    let defaults = serde_json::to_value(Settings::default()).expect("settings are plain data");
    let mut tables = vec![];
    section("", &schema, (&schema, &defaults), &mut tables);
    let environment: Vec<String> = VARIABLES.iter().map(variable).collect();
    format!(
        "{HEAD}\n{}\n## Environment\n\nA variable comes before the file. An empty one says nothing.\n\n\
         | variable | comes before | is written |\n|---|---|---|\n{}",
        tables.join("\n"),
        environment.concat()
    )
}

/// A row about a variable.
fn variable(it: &Variable) -> String {
    let settings: Vec<String> = it.settings.iter().map(|setting| format!("`{setting}`")).collect();
    let settings = if settings.is_empty() { "–".to_owned() } else { settings.join(", ") };
    let form = if it.form.is_empty() { "as the setting is" } else { it.form };
    format!("| `{}` | {settings} | {form} |\n", it.name)
}

/// The table of one section, and after it those of the sections within.
fn section(path: &str, schema: &Value, (root, defaults): (&Value, &Value), tables: &mut Vec<String>) {
    let Some(properties) = resolved(schema, root)["properties"].as_object() else { return };
    let mut rows = Vec::new();
    let mut inner = Vec::new();
    for (name, property) in properties {
        let of_type = resolved(property, root);
        if of_type["properties"].is_object() {
            inner.push((name, property));
            continue;
        }
        rows.push(format!(
            "| `{name}` | {} | {} | {} |\n",
            type_of(property, root),
            default_of(&defaults[name]),
            text_of(property, of_type)
        ));
    }
    if !rows.is_empty() {
        let title = if path.is_empty() { "At the top".to_owned() } else { format!("[{path}]") };
        tables.push(format!(
            "## {title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{}",
            rows.concat()
        ));
    }
    for (name, property) in inner {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        section(&path, property, (root, &defaults[name]), tables);
    }
}

/// Follows a reference to a definition.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    target.and_then(|it| root.pointer(it.trim_start_matches('#'))).unwrap_or(schema)
}

fn type_of(property: &Value, root: &Value) -> String {
    let schema = resolved(property, root);
    if let Some(words) = words(schema) {
        return words;
    }
    match &schema["type"] {
        Value::String(kind) => named(kind, schema, root),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|it| *it != "null");
            kinds.map(|kind| named(kind, schema, root)).collect::<Vec<_>>().join(" or ")
        }
        _ => schema["anyOf"].as_array().map_or_else(String::new, |choices| {
            let known = choices.iter().filter(|it| it["type"] != "null");
            known.map(|it| type_of(it, root)).collect::<Vec<_>>().join(" or ")
        }),
    }
}

/// A type as TOML calls it.
fn named(kind: &str, schema: &Value, root: &Value) -> String {
    match kind {
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => "whole number".to_owned(),
        "array" => format!("list of {}", type_of(&schema["items"], root)),
        "object" => "table".to_owned(),
        other => other.to_owned(),
    }
}

/// The words of an enumeration.
fn words(schema: &Value) -> Option<String> {
    let one = |it: &Value| it["const"].as_str().map(|word| format!("`{word}`"));
    let choices = schema["oneOf"].as_array()?;
    Some(choices.iter().filter_map(one).collect::<Vec<_>>().join(" or "))
}

fn default_of(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Object(map) if map.is_empty() => "–".to_owned(),
        Value::Object(Map { .. }) | Value::Array(_) => format!("`{value}`"),
        Value::String(text) => format!("`\"{text}\"`"),
        other => format!("`{other}`"),
    }
}

fn text_of(property: &Value, of_type: &Value) -> String {
    let text = property["description"].as_str().or_else(|| of_type["description"].as_str());
    text.unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::reference;

    /// `UPDATE_REFERENCE=1` writes it anew.
    #[test]
    fn the_committed_reference_is_that_of_the_types() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/settings.md");
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(file, reference()).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(committed, reference(), "set UPDATE_REFERENCE=1 to write config/settings.md anew");
    }

    #[test]
    fn every_setting_says_what_it_is_and_of_which_type() {
        let text = reference();
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split(" | ").map(|it| it.trim_matches(['|', ' '])).collect();
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        }
        for words in ["[policy.windows.general]", "`auto_approve_up_to` | text | `\"5000.00\"`"] {
            assert!(text.contains(words), "{words} in\n{text}");
        }
    }
}
