//! Reads a reply as strict XML. It refuses everything that XML 1.0 and Namespaces forbid, and everything that
//! XMPP forbids (RFC 6120 §11.1: comments, processing instructions, DTDs, entities).
//!
//! `quick-xml` finds the tokens. This module makes the checks that `quick-xml` leaves to its user.

use std::borrow::Cow;
#[cfg(feature = "client")]
use std::fmt;

use quick_xml::XmlVersion;
#[cfg(feature = "client")]
use quick_xml::escape::escape;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, PrefixDeclaration, QName, ResolveResult};
use quick_xml::reader::NsReader;

use super::ns;
use crate::text::is_xml_text;

const MAX_DEPTH: usize = 32;
const MAX_ATTRIBUTES: usize = 64;

const XML_VERSION: XmlVersion = XmlVersion::Implicit1_0;

/// What is wrong with a document, in words that repeat nothing of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct XmlError(&'static str);

/// An element with its expanded name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The namespace. It is borrowed if prebind knows it, which is nearly always so.
    pub(crate) namespace: Cow<'static, str>,
    pub(crate) name: String,
    /// All character data directly inside the element.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    namespace: Cow<'static, str>,
    pub(super) name: String,
    pub(super) value: String,
}

impl Element {
    /// Reads one document.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, XmlError> {
        Self::parse_by(document, expand)
    }

    /// Reads a document in which prefixes need not be declared, because some connection managers send stream
    /// errors like this. An undeclared `stream` has its usual meaning, and other undeclared prefixes have
    /// none.
    pub(crate) fn parse_loosely(document: &[u8]) -> Result<Self, XmlError> {
        Self::parse_by(document, |namespace| match namespace {
            ResolveResult::Unknown(prefix) if prefix == "stream" => Ok(Cow::Borrowed(ns::STREAMS)),
            ResolveResult::Unknown(_) => Ok(Cow::Borrowed("")),
            known => expand(known),
        })
    }

    fn parse_by(document: &[u8], expand: Expand) -> Result<Self, XmlError> {
        let document = std::str::from_utf8(document).map_err(|_| XmlError("text that is not UTF-8"))?;
        let document = document.strip_prefix('\u{feff}').unwrap_or(document);
        if !is_xml_text(document) {
            return Err(XmlError("a character that XML does not allow"));
        }
        Parser::new(document, expand).run()
    }

    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    pub(crate) fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// The name of the condition inside this error, and the text next to it.
    pub(crate) fn condition_in(&self, namespace: &str) -> (Option<&str>, Option<&str>) {
        let mut of_namespace = self.children.iter().filter(|child| child.namespace == namespace);
        let condition = of_namespace.find(|child| child.name != "text");
        let text = self.child(namespace, "text").map(|text| text.text.as_str());
        (condition.map(|condition| condition.name.as_str()), text)
    }

    /// An attribute without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_in("", name)
    }

    pub(crate) fn attribute_in(&self, namespace: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.namespace == namespace && attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }
}

#[cfg(feature = "client")]
impl Element {
    fn show(&self, outer: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        if self.namespace != outer {
            write!(f, " xmlns=\"{}\"", escape(&*self.namespace))?;
        }
        for Attribute { name, value, .. } in &self.attributes {
            write!(f, " {name}=\"{}\"", escape(value))?;
        }
        if self.text.is_empty() && self.children.is_empty() {
            return f.write_str("/>");
        }
        write!(f, ">{}", escape(&self.text))?;
        for child in &self.children {
            child.show(&self.namespace, f)?;
        }
        write!(f, "</{}>", self.name)
    }
}

/// Shows the element for people: prefixes are resolved, and text comes before child elements.
#[cfg(feature = "client")]
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show("", f)
    }
}

/// Finds the namespace of a name.
type Expand = fn(&ResolveResult<'_>) -> Result<Cow<'static, str>, XmlError>;

struct Parser<'a> {
    reader: NsReader<&'a [u8]>,
    expand: Expand,
    open: Vec<Element>,
    root: Option<Element>,
    is_first: bool,
}

impl<'a> Parser<'a> {
    fn new(document: &'a str, expand: Expand) -> Self {
        let mut reader = NsReader::from_str(document);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, expand, open: Vec::new(), root: None, is_first: true }
    }

    fn run(mut self) -> Result<Element, XmlError> {
        loop {
            let event = self.reader.read_event().map_err(|_| XmlError("XML that is not well-formed"))?;
            match event {
                Event::Start(start) => self.start(&start)?,
                Event::End(_) => self.end(),
                Event::Text(text) if text.contains("]]>") => return Err(XmlError("]]> in text")),
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) if self.open.is_empty() => {
                    self.text(&text.xml10_content()).and(Err(XmlError("CDATA outside the root element")))?;
                }
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => self.reference(&reference)?,
                Event::Decl(declaration) => self.declaration(&declaration)?,
                Event::Eof => break,
                Event::DocType(_) => return Err(XmlError("a document type declaration")),
                Event::PI(_) => return Err(XmlError("a processing instruction")),
                Event::Comment(_) => return Err(XmlError("a comment")),
                Event::Empty(_) => unreachable!("empty elements are expanded"),
            }
            self.is_first = false;
        }
        match (self.open.is_empty(), self.root) {
            (true, Some(root)) => Ok(root),
            (true, None) => Err(XmlError("nothing")),
            (false, _) => Err(XmlError("an element that is not closed")),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlError("more than one root element"));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError("elements nested too deeply"));
        }
        let name = start.name();
        check_name(name)?;
        let (namespace, local) = self.reader.resolver().resolve_element(name);
        let mut element = Element {
            namespace: (self.expand)(&namespace)?,
            name: local.as_ref().to_owned(),
            ..Element::default()
        };
        if !are_separated(start.attributes_raw()) {
            return Err(XmlError("attributes without a space between"));
        }
        let mut raw = Vec::new();
        for (count, attribute) in start.attributes().with_checks(false).enumerate() {
            if count == MAX_ATTRIBUTES {
                return Err(XmlError("too many attributes"));
            }
            let attribute = attribute.map_err(|_| XmlError("an attribute that is not well-formed"))?;
            // ejabberd repeats `type='terminate'`. A repeated attribute with the same value is accepted.
            match raw.iter().find(|(key, _)| *key == attribute.key) {
                Some((_, value)) if *value == attribute.value => continue,
                Some(_) => return Err(XmlError("the same attribute twice")),
                None => raw.push((attribute.key, attribute.value.clone())),
            }
            check_name(attribute.key)?;
            if attribute.value.contains('<') {
                return Err(XmlError("< in an attribute"));
            }
            let value = attribute
                .normalized_value(XML_VERSION)
                .map_err(|_| XmlError("an entity that XMPP does not allow"))?;
            // Only a value with references needs this check; the others were checked with the whole document.
            if matches!(value, Cow::Owned(_)) && !is_xml_text(&value) {
                return Err(XmlError("a reference to a character that XML does not allow"));
            }
            match attribute.key.as_namespace_binding() {
                Some(PrefixDeclaration::Named(_)) if value.is_empty() => {
                    return Err(XmlError("a prefix without a namespace"));
                }
                Some(_) => continue,
                None => {}
            }
            let (namespace, local) = self.reader.resolver().resolve_attribute(attribute.key);
            let (namespace, name) = ((self.expand)(&namespace)?, local.as_ref());
            if element.attributes.iter().any(|other| other.namespace == namespace && other.name == name) {
                return Err(XmlError("the same attribute twice"));
            }
            let attribute = Attribute { namespace, name: name.to_owned(), value: value.into_owned() };
            element.attributes.push(attribute);
        }
        self.open.push(element);
        Ok(())
    }

    /// Closes an element. The reader has checked that the names match, so there is one.
    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) => {}
            None => return Err(XmlError("text outside the root element")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        let Some(element) = self.open.last_mut() else {
            return Err(XmlError("text outside the root element"));
        };
        let character = reference.resolve_char_ref().map_err(|_| XmlError("a bad character reference"))?;
        match (character, resolve_predefined_entity(reference)) {
            (Some(character), _) if is_xml_text(character.encode_utf8(&mut [0; 4])) => {
                element.text.push(character);
            }
            (Some(_), _) => return Err(XmlError("a reference to a character that XML does not allow")),
            (None, Some(text)) => element.text.push_str(text),
            (None, None) => return Err(XmlError("an entity that XMPP does not allow")),
        }
        Ok(())
    }

    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
        let is_utf8 = match declaration.encoding() {
            None => true,
            Some(Ok(encoding)) => encoding.eq_ignore_ascii_case("utf-8"),
            Some(Err(_)) => false,
        };
        if self.is_first && is_utf8 && declaration.version().is_ok_and(|version| version == "1.0") {
            Ok(())
        } else {
            Err(XmlError("an XML declaration that XMPP does not allow"))
        }
    }
}

/// Whether each closing quote is followed by white space or by the end.
fn are_separated(attributes: &str) -> bool {
    let mut rest = attributes;
    while let Some((_, quoted)) = rest.split_once(['"', '\'']) {
        let quote = char::from(rest.as_bytes()[rest.len() - quoted.len() - 1]);
        let Some((_, after)) = quoted.split_once(quote) else { return true };
        if after.starts_with(|next: char| !next.is_ascii_whitespace()) {
            return false;
        }
        rest = after;
    }
    true
}

fn check_name(name: QName<'_>) -> Result<(), XmlError> {
    let (local, prefix) = name.decompose();
    let is_plain = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase()) && !part.is_empty();
    let is_name = |part: &str| is_plain(part) || rxml_validation::validate_ncname(part).is_ok();
    if is_name(local.as_ref()) && prefix.is_none_or(|prefix| is_name(prefix.as_ref())) {
        Ok(())
    } else {
        Err(XmlError("a name that XML does not allow"))
    }
}

fn expand(namespace: &ResolveResult<'_>) -> Result<Cow<'static, str>, XmlError> {
    match namespace {
        ResolveResult::Bound(Namespace(name)) => {
            let known = ns::EXCHANGE.iter().find(|known| *known == name);
            Ok(known.map_or_else(|| Cow::Owned((*name).to_owned()), |known| Cow::Borrowed(*known)))
        }
        ResolveResult::Unbound => Ok(Cow::Borrowed("")),
        ResolveResult::Unknown(_) => Err(XmlError("a prefix without a namespace")),
    }
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_shown_with_its_namespaces_where_they_change() {
        for (document, shown) in [
            ("<a/>", "<a/>"),
            ("<a b='1'></a>", "<a b=\"1\"/>"),
            ("<a xmlns='n'><p:b xmlns:p='n'/></a>", "<a xmlns=\"n\"><b/></a>"),
            (
                "<a xmlns='n'>1<b xmlns='m' c='&lt;\"'/>2&amp;</a>",
                "<a xmlns=\"n\">12&amp;<b xmlns=\"m\" c=\"&lt;&quot;\"/></a>",
            ),
        ] {
            assert_eq!(Element::parse(document.as_bytes()).unwrap().to_string(), shown);
        }
    }
}
