//! CSV as RFC 4180 has it: a header, CR LF, quotes where they are needed.

use std::collections::BTreeSet;

use serde_json::Value;

/// One line per row under a header of `fields` and of every other field that
/// occurs, in the order of the alphabet. What is itself a list or an object stands
/// as JSON in its cell.
pub(super) fn of(fields: &[&str], rows: &[Value]) -> String {
    let occurring = rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys().map(String::as_str));
    let names: BTreeSet<&str> = fields.iter().copied().chain(occurring).collect();
    if names.is_empty() {
        return rows.iter().map(|row| line(&[cell(row)])).collect();
    }
    let header: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let cells = |row: &Value| names.iter().map(|name| cell(&row[*name])).collect::<Vec<_>>();
    std::iter::once(line(&header)).chain(rows.iter().map(|row| line(&cells(row)))).collect()
}

fn line(cells: &[String]) -> String {
    format!("{}\r\n", cells.join(","))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_nested_data_is_json() {
        let rows = [
            json!({ "name": "a, \"b\"", "n": 1, "ok": true }),
            json!({ "name": "two\nlines", "list": [{ "x": "y" }] }),
        ];
        let expected = "list,n,name,ok\r\n,1,\"a, \"\"b\"\"\",true\r\n\
                        \"[{\"\"x\"\":\"\"y\"\"}]\",,\"two\nlines\",\r\n";
        assert_eq!(of(&[], &rows), expected);
        assert_eq!(of(&[], &[]), "");
    }

    #[test]
    fn a_list_without_rows_still_has_its_header() {
        assert_eq!(of(&["state", "id"], &[]), "id,state\r\n");
        assert_eq!(of(&["state", "id"], &[json!({ "id": 1, "state": "paid" })]), "id,state\r\n1,paid\r\n");
    }
}
