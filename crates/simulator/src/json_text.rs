//! JSON objects built once as text, in the order in which they were written.
//!
//! A signed answer is signed as text, so it must never pass through a
//! serialiser again: what is written here is what is signed and what is sent.

/// An object under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    text: String,
}

impl Object {
    /// An object without members.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a member with a text value.
    #[must_use]
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        let value = serde_json::to_string(value).expect("a text is always JSON");
        self.raw(name, &value)
    }

    /// Adds a member with a whole number.
    #[must_use]
    pub(crate) fn number(self, name: &str, value: i64) -> Self {
        self.raw(name, &value.to_string())
    }

    /// Adds a member whose value is JSON already.
    #[must_use]
    pub(crate) fn raw(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self.text.push_str(value);
        self
    }

    /// The object's text.
    #[must_use]
    pub(crate) fn finish(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn members_keep_their_order_and_slashes_stay() {
        let text = Object::new().text("b", "a/\"ü").number("a", -3).raw("c", "[]").finish();
        assert_eq!(text, r#"{"b":"a/\"ü","a":-3,"c":[]}"#);
        assert_eq!(Object::new().finish(), "{}");
    }
}
