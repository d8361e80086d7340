//! Parts into the value that they are.

use std::borrow::Cow;

use super::super::form::NO_JSON;
use super::super::{Kind, Style, Wire};
use super::declared::is_json;
use super::places::{numbered, tree as placed};
use super::{Declared, Part};
use crate::input::json::finish;
use crate::input::{Decode, Entry, Expected, Refused, Rule, Tree, Upload, parse_tree};

pub(super) const TWICE: Expected =
    Expected { rule: "duplicate", message: Cow::Borrowed("must not come twice") };
const NO_TEXT: Expected = Expected { rule: "encoding", message: Cow::Borrowed("must be text in UTF-8") };

/// The value that parts are.
///
/// # Errors
/// Why they are not what the document declares, with every violation together.
pub(in crate::input) fn multipart<T: Decode>(
    parts: &[Part],
    fields: &'static [Wire],
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let declared = Declared::Named(fields);
    finish(&tree(parts, fields, depth), rule).map_err(|refused| numbered(refused, declared))
}

/// The list that parts without names are.
///
/// # Errors
/// Why they are not what the document declares, with every violation together.
pub(in crate::input) fn in_order<T: Decode>(
    parts: &[Part],
    item: &'static Wire,
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let declared = Declared::InOrder(item);
    finish(&listed(parts, item, depth), rule).map_err(|refused| numbered(refused, declared))
}

/// What parts are, as they are declared.
fn of_declared<'t>(parts: &'t [Part], declared: Declared, depth: usize) -> Tree<'t> {
    match declared {
        Declared::Named(fields) => tree(parts, fields, depth),
        Declared::InOrder(item) => listed(parts, item, depth),
        Declared::ByPlace(places) => placed(parts, places, depth),
    }
}

pub(super) fn listed<'t>(parts: &'t [Part], item: &Wire, depth: usize) -> Tree<'t> {
    Tree::List(parts.iter().map(|part| value(part, Some(item), depth)).collect())
}

/// The object that the parts are.
pub(super) fn tree<'t>(parts: &'t [Part], fields: &[Wire], depth: usize) -> Tree<'t> {
    let mut entries = Vec::with_capacity(fields.len());
    for field in fields {
        let own: Vec<&Part> = parts.iter().filter(|part| part.name == field.name).collect();
        let many = field.has_many() && field.kind != Kind::Either;
        let value = match own.as_slice() {
            [] => continue,
            [one] if !many => value(one, Some(field), depth),
            all if many || field.kind == Kind::Either => {
                Tree::List(all.iter().map(|part| value(part, Some(field), depth)).collect())
            }
            _ => Tree::Wrong(TWICE),
        };
        entries.push(Entry { name: Cow::Borrowed(field.name), value, repeated: false });
    }
    // What is not declared: the type that it is read into says what becomes of it.
    let others = parts.iter().filter(|part| fields.iter().all(|field| field.name != part.name));
    for (at, part) in others.clone().enumerate() {
        if others.clone().take(at).any(|before| before.name == part.name) {
            continue;
        }
        let own: Vec<&Part> = others.clone().filter(|other| other.name == part.name).collect();
        let value = match own.as_slice() {
            [one] => value(one, None, depth),
            all => Tree::List(all.iter().map(|part| value(part, None, depth)).collect()),
        };
        entries.push(Entry { name: Cow::Borrowed(&part.name), value, repeated: false });
    }
    Tree::Object(entries)
}

pub(super) fn value<'t>(part: &'t Part, field: Option<&Wire>, depth: usize) -> Tree<'t> {
    let upload = match &part.content {
        Ok(upload) => upload,
        Err(expected) => return Tree::Wrong(expected.clone()),
    };
    match (field.map(|field| field.kind), upload.text()) {
        (Some(Kind::File | Kind::Files), _) => Tree::File(upload),
        (Some(Kind::Parts(declared)), _) => of_declared(&part.inner, declared, depth),
        (None | Some(Kind::Either), text) => as_it_says(part, upload, text, depth),
        (_, None) => Tree::Wrong(NO_TEXT),
        (Some(Kind::Json | Kind::JsonList), Some(text)) => json(text, depth),
        (Some(Kind::List | Kind::Object(..)), Some(text)) => {
            field.and_then(|field| joined(text, field)).unwrap_or(Tree::Plain(Cow::Borrowed(text)))
        }
        (_, Some(text)) => Tree::Plain(Cow::Borrowed(text)),
    }
}

/// By what the part says of itself.
fn as_it_says<'t>(part: &Part, upload: &'t Upload, text: Option<&'t str>, depth: usize) -> Tree<'t> {
    match text.filter(|_| !part.is_file) {
        Some(text) if is_json(upload.content_type()) => json(text, depth),
        Some(text) => Tree::Plain(Cow::Borrowed(text)),
        // bytes are a file, whether it has a name or not
        None => Tree::File(upload),
    }
}

fn json(text: &str, depth: usize) -> Tree<'_> {
    parse_tree(text, depth).unwrap_or(Tree::Wrong(NO_JSON))
}

/// The pieces of a text that its style joined: nothing in it is escaped (OpenAPI 3.2 section 4.15.2). `None`: it is one of several
/// texts, or has a name without a value.
fn joined<'t>(text: &'t str, field: &Wire) -> Option<Tree<'t>> {
    if field.explode {
        return None;
    }
    let pieces: Vec<&str> = text.split(delimiter(field.style)).filter(|_| !text.is_empty()).collect();
    let plain = |piece: &'t str| Tree::Plain(Cow::Borrowed(piece));
    if field.kind == Kind::List {
        return Some(Tree::List(pieces.into_iter().map(plain).collect()));
    }
    let mut entries: Vec<Entry<'t>> = Vec::with_capacity(pieces.len() / 2);
    for pair in pieces.chunks(2) {
        let [name, value] = pair else { return None };
        let repeated = entries.iter().any(|entry| entry.name == *name);
        entries.push(Entry { name: Cow::Borrowed(name), value: plain(value), repeated });
    }
    Some(Tree::Object(entries))
}

/// What stands between the pieces of a text.
pub(crate) const fn delimiter(style: Style) -> char {
    match style {
        Style::SpaceDelimited => ' ',
        Style::PipeDelimited => '|',
        _ => ',',
    }
}
