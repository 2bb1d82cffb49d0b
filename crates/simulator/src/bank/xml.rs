//! XML as a small tree to read, and as escaped text to write.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

/// How deep elements may be nested; the deepest ISO path here has 12.
const DEPTH_MAX: usize = 32;

/// An element: local name, text, children in order.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// The value of `Ccy`, or of `xmlns` on the root.
    pub(super) attribute: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child along a path of local names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.children.iter().find(|child| child.name == *name))
    }

    /// The text along a path; empty when there is none.
    pub(super) fn text_at(&self, path: &[&str]) -> &str {
        self.at(path).map_or("", |element| element.text.trim())
    }

    /// The children with a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document without DTD into its root.
pub(super) fn parse(bytes: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() <= DEPTH_MAX => open.push(element(&start)?),
            Event::Start(_) | Event::DocType(_) => return None,
            Event::Empty(start) => open.last_mut()?.children.push(element(&start)?),
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => resolve_predefined_entity(&reference.xml10_content())?.to_owned(),
                };
                open.last_mut()?.text.push_str(&resolved);
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    let top = open.pop().filter(|_| open.is_empty())?;
    let mut roots = top.children.into_iter();
    roots.next().filter(|_| roots.next().is_none())
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Option<Element> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let key: &str = attribute.key.as_ref();
        if key == "Ccy" || key == "xmlns" || key.starts_with("xmlns:") {
            element.attribute = attribute.value.to_string();
        }
    }
    Some(element)
}

/// `<name>text</name>` with the text escaped.
pub(super) fn leaf(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// `<name>inner</name>` around XML.
pub(super) fn node(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// A whole document under a namespace of the ISO registry.
pub(super) fn document(message: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{message}\">{inner}</Document>"
    )
}
