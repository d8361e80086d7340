//! The header fields of the parts of an answer, where the document declares some (OpenAPI 3.1 section 4.8.15.1).
//!
//! 1. Each is one line, written as a header of an answer is. What whoever reads it by the same document would take for
//!    something else does not leave: spaces at an end, an empty item of a list, anything but visible ASCII characters.
//! 2. A part has the header fields that are required of it. Where some are given, they are as many as the parts of that
//!    name, and those of a part that is not written do not leave either.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use serde::Serialize;
use serde_json::value::RawValue;

use super::header::{HeaderForm, written};
use super::members::scalar;
use super::{Unfit, conforms};
use crate::input::{Check, Kind, Tree, Wire, no_rule, parse_tree, read_part_header};

/// Of each part that declares some and has some, a text for each time that it is written.
#[derive(Default)]
pub(super) struct PartHeaders<'f> {
    given: Vec<(&'f str, Vec<String>)>,
}

/// What one name, or a list, has still to be written with.
#[derive(Default)]
pub(super) struct Heads {
    lines: IntoIter<String>,
    asked: bool,
    missing: bool,
}

impl<'f> PartHeaders<'f> {
    /// Of parts that have names.
    pub(super) fn named<H: Serialize + Check>(headers: &H, fields: &'f [Wire]) -> Result<Self, Unfit> {
        conforms(headers, no_rule)?;
        let json = serde_json::to_string(headers).map_err(Unfit::Unserializable)?;
        let by_part: BTreeMap<&str, &RawValue> =
            serde_json::from_str(&json).map_err(Unfit::Unserializable)?;
        let mut given = Vec::with_capacity(by_part.len());
        for field in fields {
            let Some(own) = by_part.get(field.name) else { continue };
            let own = match field.has_many() {
                true => serde_json::from_str(own.get()),
                false => serde_json::from_str(own.get()).map(|one| vec![one]),
            };
            given.push((field.name, texts(own, field)?));
        }
        Ok(Self { given })
    }

    /// What the parts of a field are written with. Nothing is left for a second one.
    pub(super) fn take(&mut self, field: &Wire) -> Heads {
        let at = self.given.iter().position(|(name, _)| *name == field.name);
        let given = at.map(|at| self.given.swap_remove(at).1);
        Heads::of(given, field)
    }

    /// Rule 2, of parts that are not written.
    pub(super) fn end(self) -> Result<(), Unfit> {
        match self.given.iter().find(|(_, lines)| !lines.is_empty()) {
            Some(_) => Err(Unfit::PartHeaders("of a part that is absent")),
            None => Ok(()),
        }
    }
}

impl Heads {
    /// Of parts in their order.
    pub(super) fn in_order<H: Serialize + Check>(headers: &Vec<H>, item: &Wire) -> Result<Self, Unfit> {
        conforms(headers, no_rule)?;
        let json = serde_json::to_string(headers).map_err(Unfit::Unserializable)?;
        Ok(Self::of(Some(texts(serde_json::from_str(&json), item)?), item))
    }

    fn of(given: Option<Vec<String>>, field: &Wire) -> Self {
        let asked = given.is_some() || field.headers.iter().any(|header| header.required);
        Self { lines: given.unwrap_or_default().into_iter(), asked, missing: false }
    }

    /// The lines of the next part.
    pub(super) fn next(&mut self) -> Option<String> {
        let next = self.lines.next();
        self.missing |= self.asked && next.is_none();
        next
    }

    /// Rule 2.
    pub(super) fn end(mut self, name: &'static str) -> Result<(), Unfit> {
        let left = self.lines.next().is_some();
        if self.missing || left { Err(Unfit::PartHeaders(name)) } else { Ok(()) }
    }
}

/// The values of one part, as JSON.
type Values<'j> = BTreeMap<&'j str, &'j RawValue>;

fn texts(parts: serde_json::Result<Vec<Values<'_>>>, field: &Wire) -> Result<Vec<String>, Unfit> {
    let parts = parts.map_err(Unfit::Unserializable)?;
    parts.iter().map(|values| text(values, field)).collect()
}

fn text(values: &Values<'_>, field: &Wire) -> Result<String, Unfit> {
    let mut text = String::new();
    for header in field.headers {
        let Some(json) = values.get(header.name) else { continue };
        let value = line(json.get(), header).ok_or(Unfit::Header(header.name))?;
        text.extend([header.name, ": ", &value, "\r\n"]);
    }
    Ok(text)
}

/// Rule 1. `None`: it has no such form.
fn line(json: &str, header: &Wire) -> Option<String> {
    let form = match header.kind {
        Kind::Json => HeaderForm::Json,
        _ if header.explode => HeaderForm::Exploded,
        _ => HeaderForm::Simple,
    };
    let lines = [written(json, form)?];
    let [line] = &lines;
    let read = read_part_header(header, &lines, usize::MAX).ok()?;
    let same = form == HeaderForm::Json || is_read_as(&read, &parse_tree(json, usize::MAX)?);
    let same = same && line.trim_matches([' ', '\t']) == line;
    same.then(|| line.clone())
}

fn is_read_as(read: &Tree<'_>, meant: &Tree<'_>) -> bool {
    match (read, meant) {
        (Tree::List(read), Tree::List(meant)) => {
            read.len() == meant.len() && read.iter().zip(meant).all(|(read, meant)| is_read_as(read, meant))
        }
        (Tree::Object(read), Tree::Object(meant)) => {
            let same = read
                .iter()
                .zip(meant)
                .all(|(read, meant)| read.name == meant.name && is_read_as(&read.value, &meant.value));
            read.len() == meant.len() && same
        }
        (read, meant) => scalar(read).is_some_and(|read| scalar(meant).is_some_and(|meant| read == meant)),
    }
}
