//! XML read into a small tree, and escaped text written.
//!
//! No DTD is accepted and entities other than the five of XML are refused, so an
//! answer can neither grow nor reach outside.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};

/// Levels of nesting. The deepest path that is read here has 11.
const DEPTH_MAX: usize = 40;

/// An element by local name; namespaces are not looked at.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Attributes by local name.
    attributes: Vec<(String, String)>,
    pub(crate) text: String,
    children: Vec<Node>,
}

/// Not one whole XML document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotXml;

impl Node {
    /// The first element at a path of local names below this one.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |node, name| node.children.iter().find(|child| child.name == name))
    }

    /// The text of the first element at a path; empty when there is none.
    pub(crate) fn text_at(&self, path: &str) -> &str {
        self.at(path).map_or("", |node| node.text.trim())
    }

    /// The children of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// An attribute; empty when there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Reads a document into its root element.
pub(crate) fn read(bytes: &[u8]) -> Result<Node, NotXml> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotXml)?;
    let mut reader = Reader::from_str(text);
    // The first one stands for the document and collects the root.
    let mut open = vec![Node::default()];
    loop {
        let event = reader.read_event().map_err(|_| NotXml)?;
        let top = open.last_mut().ok_or(NotXml)?;
        match event {
            Event::Start(start) => {
                let node = node(&start)?;
                if open.len() > DEPTH_MAX {
                    return Err(NotXml);
                }
                open.push(node);
            }
            Event::Empty(start) => top.children.push(node(&start)?),
            Event::End(_) => {
                let done = open.pop().ok_or(NotXml)?;
                open.last_mut().ok_or(NotXml)?.children.push(done);
            }
            Event::Text(text) => top.text.push_str(&text.xml10_content()),
            Event::CData(text) => top.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|_| NotXml)? {
                Some(character) => top.text.push(character),
                None => top.text.push_str(resolve_predefined_entity(&reference).ok_or(NotXml)?),
            },
            Event::DocType(_) => return Err(NotXml),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    let document = open.pop().filter(|_| open.is_empty()).ok_or(NotXml)?;
    let [root] = <[Node; 1]>::try_from(document.children).map_err(|_| NotXml)?;
    Ok(root)
}

fn node(start: &BytesStart<'_>) -> Result<Node, NotXml> {
    let mut node = Node { name: start.local_name().as_ref().to_owned(), ..Node::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| NotXml)?;
        node.attributes.push((attribute.key.local_name().as_ref().to_owned(), attribute.value.to_string()));
    }
    Ok(node)
}

/// `<name>text</name>`, escaped.
pub(crate) fn leaf(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

#[cfg(test)]
mod tests {
    use super::{NotXml, leaf, read};

    #[test]
    fn texts_survive_writing_and_reading() {
        for text in ["张三", "a & b <c> \"d\" 'e'", "", "]]>"] {
            let root = read(leaf("Nm", text).as_bytes()).unwrap();
            assert_eq!((root.name.as_str(), root.text.as_str()), ("Nm", text));
        }
        assert_eq!(read(b"<a>x&#65;<![CDATA[<]]></a>").unwrap().text, "xA<");
    }

    #[test]
    fn elements_are_found_by_path_whatever_their_prefix() {
        let root = read(br#"<p:a xmlns:p="u"><p:b/><p:b><c Ccy="CNY"> 1 </c></p:b></p:a>"#).unwrap();
        assert_eq!(root.all("b").count(), 2);
        let second = root.all("b").nth(1).unwrap();
        assert_eq!((second.text_at("c"), second.at("c").unwrap().attribute("Ccy")), ("1", "CNY"));
        assert_eq!(root.text_at("b/none"), "");
    }

    #[test]
    fn what_could_grow_or_is_not_one_document_is_refused() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&unknown;</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            deep.as_str(),
        ] {
            assert_eq!(read(text.as_bytes()).err(), Some(NotXml), "{text}");
        }
        assert_eq!(read(b"<a>\xff</a>").err(), Some(NotXml));
    }
}
