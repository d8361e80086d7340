//! Bodies of `application/x-www-form-urlencoded`: names and values, into the type that the document declares.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::pairs::Pairs;
use super::{Kind, Wire};
use crate::input::encoded::Decoding;
use crate::input::json::finish;
use crate::input::{Check, Decode, Entry, Expected, Refused, Rule, Tree, parse_tree};

/// More pairs than these are refused before they are looked at.
const MOST_PAIRS: usize = 1000;

/// What becomes of the names that are not among the fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Each is a text, or texts. The type that it is read into says what becomes of it.
    Plain,
    /// Its schema alone says what is in the form: they can be written with brackets as well.
    Free,
}

/// Reads a form.
///
/// # Errors
/// Why not, with every violation together.
pub(in crate::input) fn form<T: Decode + Check>(
    bytes: &[u8],
    fields: &[Wire],
    others: Others,
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Syntax)?;
    let pairs = Pairs::cut(text, Decoding::Form, MOST_PAIRS).map_err(|_| Refused::Syntax)?;
    let read = form_tree(&pairs, fields, others, depth, |tree| finish(tree, rule));
    read.map_err(|_| Refused::Syntax)?
}

/// The texts that stand at these fields, the first of each, for what is counted by them. Where the bytes are no form there are
/// none, and a field that comes twice has one: such a body is refused by what decodes it.
pub(in crate::input) fn form_texts(bytes: &[u8], fields: &[&'static str]) -> Vec<(&'static str, String)> {
    let pairs = std::str::from_utf8(bytes).map(|text| Pairs::cut(text, Decoding::Form, MOST_PAIRS));
    let Ok(Ok(pairs)) = pairs else { return Vec::new() };
    let found = fields.iter().filter_map(|field| {
        let text = pairs.take(field).next()??;
        Some((*field, pairs.text(text).ok()?.into_owned()))
    });
    found.collect()
}

/// Whether a form has this field, with a value or without.
pub(in crate::input) fn has_field(bytes: &[u8], field: &str) -> bool {
    bytes.split(|byte| *byte == b'&').any(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        percent_decode(name).eq(field.bytes())
    })
}

/// Reads what the pairs of a form say.
///
/// # Errors
/// What is wrong with one that no field takes.
pub(in crate::input) fn form_tree<R>(
    pairs: &Pairs<'_>,
    fields: &[Wire],
    others: Others,
    depth: usize,
    read: impl FnOnce(&Tree<'_>) -> R,
) -> Result<R, Expected> {
    let texts: Vec<Texts<'_>> = fields.iter().map(|field| json_texts(pairs, field)).collect();
    let mut entries = declared(pairs, fields, &texts, depth);
    let left = match others {
        Others::Plain => pairs.left()?,
        Others::Free => pairs.free(),
    };
    // a declared name that was not taken is written in two ways
    let again = |entry: &Entry<'_>| fields.iter().any(|field| field.name == entry.name);
    entries.extend(left.into_iter().map(|entry| Entry { repeated: again(&entry), ..entry }));
    Ok(read(&Tree::Object(entries)))
}

/// The JSON texts of a member, decoded, for as long as the tree that is read from them.
type Texts<'a> = Result<Vec<Cow<'a, str>>, Expected>;

const ENCODING: Expected =
    Expected { rule: "encoding", message: Cow::Borrowed("must be percent-encoded UTF-8 without NUL") };

fn json_texts<'a>(pairs: &Pairs<'a>, field: &Wire) -> Texts<'a> {
    let raws: Vec<&'a str> = match field.kind {
        Kind::Json => pairs.single(field)?.into_iter().collect(),
        Kind::JsonList => pairs.take(field.name).map(Option::unwrap_or_default).collect(),
        _ => Vec::new(),
    };
    raws.into_iter().map(|raw| pairs.text(raw).map_err(|_| ENCODING)).collect()
}

fn declared<'t>(pairs: &Pairs<'t>, fields: &[Wire], texts: &'t [Texts<'_>], depth: usize) -> Vec<Entry<'t>> {
    let mut entries = Vec::with_capacity(fields.len());
    for (field, texts) in fields.iter().zip(texts) {
        let value = match (field.kind, texts) {
            (Kind::Json, Ok(texts)) => {
                texts.first().map(|text| parse_tree(text, depth).unwrap_or(Tree::Wrong(NO_JSON)))
            }
            (Kind::JsonList, Ok(texts)) if texts.is_empty() => None,
            (Kind::JsonList, Ok(texts)) => {
                let items = texts.iter().map(|text| parse_tree(text, depth).unwrap_or(Tree::Wrong(NO_JSON)));
                Some(Tree::List(items.collect()))
            }
            (_, Err(expected)) => Some(Tree::Wrong(expected.clone())),
            (_, Ok(_)) => {
                let declared = |name: &str| fields.iter().any(|field| field.has_name(name));
                pairs.tree(field, declared).unwrap_or_else(|expected| Some(Tree::Wrong(expected)))
            }
        };
        let name = Cow::Borrowed(field.name);
        entries.extend(value.map(|value| Entry { name, value, repeated: false }));
    }
    entries
}

pub(super) const NO_JSON: Expected = Expected::kind("must be one JSON text");

#[cfg(test)]
mod tests {
    use super::super::super::sample::{Part, Transfer};
    use super::super::Style;
    use super::*;

    const FIELDS: &[Wire] = &[
        Wire::text("to"),
        Wire::text("amount"),
        Wire::text("currency"),
        Wire::text("note"),
        Wire::text("tags").kind(Kind::List),
        Wire::text("parts").kind(Kind::JsonList),
        Wire::text("labels").style(Style::DeepObject),
    ];
    const TO: &str = "to=f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    fn read(text: &str) -> Result<Transfer, Vec<(String, &'static str)>> {
        form::<Transfer>(text.as_bytes(), FIELDS, Others::Plain, 8, |_, _, _| {}).map_err(|refused| {
            match refused {
                Refused::Invalid(found) => found.iter().map(|v| (v.pointer.clone(), v.rule)).collect(),
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_form_is_read_into_the_type_of_the_document() {
        let text = format!(
            "{TO}&amount=5&currency=EUR&note=a+b%2B&tags=DE&tags=FR&labels[a]=1&labels%5Bb%5D=2\
             &parts=%7B%22share%22%3A1%7D"
        );
        let transfer = read(&text).unwrap();
        assert_eq!((transfer.amount, transfer.note), (5, Some(Some("a b+".to_owned()))));
        assert_eq!(transfer.tags, Some(vec!["DE".to_owned(), "FR".to_owned()]));
        assert_eq!(transfer.labels.unwrap().into_values().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(transfer.parts, Some(vec![Part { share: 1, inner: None, extra: None }]));
    }

    #[test]
    fn every_violation_is_told_at_its_place() {
        let text =
            "amount=x&currency=GBP&tags=DE&tags=x&parts=%7B&parts=%7B%22share%22%3A-1%7D&labels[a]=z&more=1";
        let at = |pointer: &str, rule: &'static str| (pointer.to_owned(), rule);
        assert_eq!(
            read(text),
            Err(vec![
                at("/to", "required"),
                at("/amount", "type"),
                at("/currency", "enum"),
                at("/tags/1", "pattern"),
                at("/parts/0", "type"),
                at("/parts/1/share", "minimum"),
                at("/labels", "type"),
                at("", "additionalProperties"),
            ])
        );
        assert_eq!(read(&format!("{TO}&amount=1&amount=2")), Err(vec![at("/amount", "duplicate")]));
        assert_eq!(read(&format!("{TO}&amount=%zz")), Err(vec![at("/amount", "encoding")]));
        assert_eq!(
            read(&format!("{TO}&amount=1&labels[a]=1&labels=2")),
            Err(vec![at("/labels", "duplicate")]),
            "written in two ways"
        );
    }

    #[test]
    fn an_open_object_beside_other_members_leaves_them_theirs() {
        const SPREAD: &[Wire] =
            &[Wire::text("labels").kind(Kind::Object(&[], true)), Wire::text("to"), Wire::text("amount")];
        let read = |text: &str| form::<Transfer>(text.as_bytes(), SPREAD, Others::Plain, 8, |_, _, _| {});
        let transfer = read(&format!("{TO}&amount=5&a=1&b=2")).unwrap();
        assert_eq!(transfer.labels.unwrap().into_keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for bytes in [&b"\xff=1"[..], b"%ff=1"] {
            assert_eq!(form::<Transfer>(bytes, FIELDS, Others::Plain, 8, |_, _, _| {}), Err(Refused::Syntax));
        }
        let many = vec!["a=1"; 1001].join("&");
        assert_eq!(
            form::<Transfer>(many.as_bytes(), FIELDS, Others::Plain, 8, |_, _, _| {}),
            Err(Refused::Syntax)
        );
    }
}
