//! The header fields of parts, where the document declares some (OpenAPI 3.1 section 4.8.15.1): read beside the form, into
//! a type of their own.

use std::borrow::Cow;

use super::super::cut::{Cut, leaf};
use super::super::form::NO_JSON;
use super::super::{Kind, Wire};
use super::places::numbered;
use super::tree::{TWICE, listed, tree};
use super::{Declared, Part};
use crate::input::encoded::Decoding;
use crate::input::json::finish;
use crate::input::{Decode, Entry, Expected, Refused, Rule, Tree, no_rule, parse_tree};

const NOT_ASCII: Expected =
    Expected { rule: "encoding", message: Cow::Borrowed("must consist of visible ASCII characters") };

/// A multipart body, and the header fields that its document declares of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<T, H> {
    /// The form; of parts without names their list.
    pub form: T,
    /// Of each part that declares some and is there, its header fields; of parts without names those of each, in their
    /// order.
    pub headers: H,
}

/// The value that parts are, and their header fields.
///
/// # Errors
/// Why they are not what the document declares, with every violation of both together.
pub(in crate::input) fn multipart_with_headers<T: Decode, H: Decode>(
    parts: &[Part],
    fields: &'static [Wire],
    depth: usize,
    rule: Rule<T>,
) -> Result<Parts<T, H>, Refused> {
    both(finish(&tree(parts, fields, depth), rule), finish(&heads(parts, fields, None, depth), no_rule))
        .map_err(|refused| numbered(refused, Declared::Named(fields)))
}

/// The list that parts without names are, and the header fields of each.
///
/// # Errors
/// As for parts with names.
pub(in crate::input) fn with_headers_in_order<T: Decode, H: Decode>(
    parts: &[Part],
    item: &'static Wire,
    depth: usize,
    rule: Rule<T>,
) -> Result<Parts<T, H>, Refused> {
    let heads = Tree::List(parts.iter().map(|part| head(part, depth)).collect());
    both(finish(&listed(parts, item, depth), rule), finish(&heads, no_rule))
        .map_err(|refused| numbered(refused, Declared::InOrder(item)))
}

pub(super) fn both<T, H>(
    form: Result<T, Refused>,
    headers: Result<H, Refused>,
) -> Result<Parts<T, H>, Refused> {
    match (form, headers) {
        (Ok(form), Ok(headers)) => Ok(Parts { form, headers }),
        (Err(Refused::Invalid(mut found)), Err(Refused::Invalid(more))) => {
            found.append(more);
            Err(Refused::Invalid(found))
        }
        (Err(refused), _) | (_, Err(refused)) => Err(refused),
    }
}

/// The header fields by part: of each that declares some and came. `rest` is the field of all parts without a place of their own.
pub(super) fn heads<'t>(parts: &'t [Part], fields: &[Wire], rest: Option<&Wire>, depth: usize) -> Tree<'t> {
    let mut entries = Vec::new();
    for field in fields.iter().filter(|field| !field.headers.is_empty()) {
        let own = parts.iter().filter(|part| part.name == field.name);
        let mut own: Vec<Tree<'t>> = own.map(|part| head(part, depth)).collect();
        let value = match own.len() {
            0 => continue,
            _ if field.has_many() || rest == Some(field) => Tree::List(own),
            // a part that must not come again is told of with the form
            _ => own.swap_remove(0),
        };
        entries.push(Entry { name: Cow::Borrowed(field.name), value, repeated: false });
    }
    Tree::Object(entries)
}

fn head(part: &Part, depth: usize) -> Tree<'_> {
    let entries = part.headers.iter().map(|(header, lines)| {
        let value = read_part_header(header, lines, depth).unwrap_or_else(Tree::Wrong);
        Entry { name: Cow::Borrowed(header.name), value, repeated: false }
    });
    Tree::Object(entries.collect())
}

/// As a header of a request is read: nothing in it is escaped.
pub(crate) fn read_part_header<'t>(
    header: &Wire,
    lines: &'t [String],
    depth: usize,
) -> Result<Tree<'t>, Expected> {
    if !lines.iter().all(|line| line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))) {
        return Err(NOT_ASCII);
    }
    let cut = Cut { wire: header, decoding: Decoding::Plain };
    match (header.kind, lines) {
        (Kind::List | Kind::Object(..), lines) => {
            cut.field(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        }
        (Kind::Json, [line]) => parse_tree(line, depth).ok_or(NO_JSON),
        (_, [line]) => leaf(line, cut.decoding),
        _ => Err(TWICE),
    }
}
