//! `application/x-www-form-urlencoded` (the URL standard, section 5.2), written so that whoever reads it by the same document
//! reads the same value.
//!
//! 1. A member is written in its style, as a form of a request is read: see `input::wire`.
//! 2. `null` and a list without items are not written: text has neither (RFC 6570 section 2.3).
//! 3. What a reader would take for something else has no form, and does not leave: a text with a control character, an item
//!    with the delimiter of its style, a name that is another member's. Lines and tabs are read, and written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::value::RawValue;

use super::members::{Member, Value, members, scalar};
use super::{Unfit, conforms};
use crate::input::{Check, Decoding, Entry, Kind, Others, Rule, Style, Tree, Wire, parse_tree};

/// The `application/x-www-form-urlencoded` percent-encode set (the URL standard, section 1.3), but for the space.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
/// Names in brackets, one in another: what is read.
const DEEPEST: usize = 16;

/// The form that a value is.
pub(super) fn written<T: Serialize + Check>(
    value: &T,
    fields: &[Wire],
    others: Others,
    rule: Rule<T>,
) -> Result<String, Unfit> {
    conforms(value, rule)?;
    let mut form = Form { fields, out: String::new() };
    for member in members(value, false)? {
        form.member(&member, others).ok_or_else(|| member.unwritable())?;
    }
    Ok(form.out)
}

/// A form in the making. `None` of its functions: the value has no form.
struct Form<'f> {
    fields: &'f [Wire],
    out: String,
}

impl Form<'_> {
    fn member(&mut self, member: &Member, others: Others) -> Option<()> {
        let Value::Json(json) = &member.value else { return None };
        let name = &*member.name;
        match self.fields.iter().find(|field| field.name == name) {
            Some(field) => self.value(name, field, json),
            None if self.belongs(name, None) => None,
            None => {
                let style = match others {
                    Others::Plain => Style::Form,
                    Others::Free if name.contains('[') => return None,
                    Others::Free => Style::DeepObject,
                };
                self.value(name, &Wire::text("").style(style).explode(true).kind(Kind::Either), json)
            }
        }
    }

    /// Whether a name is one under which a declared member stands; of an object that is written beside the others, but of that.
    fn belongs(&self, name: &str, spread: Option<&str>) -> bool {
        self.fields.iter().any(|field| {
            let within = match field.kind {
                Kind::Object(members, open) if field.explode && field.style != Style::DeepObject => {
                    Some(field.name) != spread && (open || members.contains(&name))
                }
                _ => false,
            };
            within || field.has_name(name)
        })
    }

    fn value(&mut self, name: &str, wire: &Wire, json: &str) -> Option<()> {
        match wire.kind {
            Kind::Json => self.pair(name, json),
            Kind::JsonList => {
                let items: Option<Vec<&RawValue>> = serde_json::from_str(json).ok()?;
                items.unwrap_or_default().iter().for_each(|item| self.raw(name, &encoded(item.get())));
                Some(())
            }
            _ => self.tree(name, wire, &parse_tree(json, usize::MAX)?),
        }
    }

    fn tree(&mut self, name: &str, wire: &Wire, tree: &Tree<'_>) -> Option<()> {
        let either = wire.kind == Kind::Either;
        match tree {
            Tree::Null => Some(()),
            // a list, to a reader who knows the names alone
            Tree::Object(_) if either && numbered(tree) => None,
            Tree::Object(_) if wire.style == Style::DeepObject => self.brackets(name, tree, 0),
            _ if wire.style == Style::DeepObject && !either => self.brackets(name, tree, 0),
            Tree::Object(members) => match wire.kind {
                Kind::Object(known, _) if wire.explode => self.beside(wire, known, members),
                Kind::Object(..) => {
                    let pieces =
                        members.iter().map(|member| Some([member.name.to_string(), text(&member.value)?]));
                    let pieces: Vec<String> = pieces.collect::<Option<Vec<_>>>()?.concat();
                    self.joined(name, wire, &pieces)
                }
                _ => None,
            },
            Tree::List(items) if wire.explode && matches!(wire.kind, Kind::List | Kind::Either) => {
                items.iter().try_for_each(|item| self.pair(name, &text(item)?))
            }
            Tree::List(items) if wire.kind == Kind::List => {
                let pieces: Option<Vec<String>> = items.iter().map(text).collect();
                // one empty text would be read as no item
                self.joined(name, wire, &pieces.filter(|pieces| pieces.as_slice() != [""])?)
            }
            scalar => self.pair(name, &text(scalar)?),
        }
    }

    /// An object whose members stand beside the others.
    fn beside(&mut self, wire: &Wire, known: &[&str], members: &[Entry<'_>]) -> Option<()> {
        for member in members {
            if !known.contains(&&*member.name) && self.belongs(&member.name, Some(wire.name)) {
                return None;
            }
            self.tree(&member.name, &Wire::text("").kind(Kind::List), &member.value)?;
        }
        Some(())
    }

    /// Pieces in one text, cut before it is decoded: a comma in one is `%2C`. The other delimiters are read escaped as well.
    fn joined(&mut self, name: &str, wire: &Wire, pieces: &[String]) -> Option<()> {
        let (between, delimiter) = match wire.style {
            Style::SpaceDelimited => ("%20", Some(' ')),
            Style::PipeDelimited => ("%7C", Some('|')),
            _ => (",", None),
        };
        if delimiter.is_some_and(|delimiter| pieces.iter().any(|piece| piece.contains(delimiter))) {
            return None;
        }
        let pieces: Vec<String> = pieces.iter().map(|piece| encoded(piece)).collect();
        self.raw(name, &pieces.join(between));
        Some(())
    }

    /// `name[member]=value`, and `name[0]=value` for the items of a list.
    fn brackets(&mut self, name: &str, tree: &Tree<'_>, depth: usize) -> Option<()> {
        match tree {
            Tree::Object(_) | Tree::List(_) if depth == DEEPEST => None,
            Tree::Object(members) => {
                members.iter().filter(|member| member.value != Tree::Null).try_for_each(|member| {
                    let sound = !member.name.is_empty() && !member.name.contains(['[', ']']);
                    sound.then(|| {
                        self.brackets(&format!("{name}[{}]", member.name), &member.value, depth + 1)
                    })?
                })
            }
            Tree::List(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(at, item)| self.brackets(&format!("{name}[{at}]"), item, depth + 1)),
            _ if depth == 0 => None,
            scalar => self.pair(name, &text(scalar)?),
        }
    }

    fn pair(&mut self, name: &str, value: &str) -> Option<()> {
        self.raw(name, &encoded(value));
        Some(())
    }

    /// A pair whose value is encoded already.
    fn raw(&mut self, name: &str, value: &str) {
        let between = if self.out.is_empty() { "" } else { "&" };
        self.out.extend([between, &encoded(name), "=", value]);
    }
}

/// Whether an object in it would be a list, if its names stood in brackets.
fn numbered(tree: &Tree<'_>) -> bool {
    match tree {
        Tree::Object(members) => tree.is_numbered() || members.iter().any(|member| numbered(&member.value)),
        Tree::List(items) => items.iter().any(numbered),
        _ => false,
    }
}

/// The text of a scalar, of what is read.
fn text(value: &Tree<'_>) -> Option<String> {
    scalar(value).filter(|text| text.chars().all(|char| Decoding::Form.may_have(char)))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string().replace("%20", "+")
}
