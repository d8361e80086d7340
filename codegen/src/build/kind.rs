//! Which type a schema has: as stated, as its keywords imply, or as it is viewed where it is composed.

use foldhash::{HashMap, HashSet};

use crate::document::{Additional, Document, JsonType, Schema as Written, SchemaId, Spanned, View};
use crate::model::{IntegerFormat, Word, WordValue};
use crate::normalise::Bound;
use crate::normalise::number::Decimal;
use crate::source::tree::{Node, Value};

/// What a schema is in Rust.
pub(super) enum Kind {
    Any,
    Is(JsonType),
    Words(Vec<Word>),
    /// A struct with these members, beside keywords that it does not say.
    One(SchemaId),
    Choice,
    /// Rust has no word for it: it stays JSON, and all of its keywords are checked.
    Free,
}

/// Which type a schema has.
pub(super) fn kind(document: &Document, written: &Written) -> Kind {
    match &written.view {
        Some(View::One(core)) if can_be(document.schema(*core)) => return Kind::One(*core),
        Some(View::Choice(choice)) if choice.said.get().is_some_and(|said| said.expressible) => {
            return Kind::Choice;
        }
        _ => {}
    }
    if written.never || written.beyond.first.is_some() {
        return Kind::Free;
    }
    if written.enumeration.is_some() || written.constant.is_some() {
        // where schemas are read to the letter, what is listed may be refused by what stands beside it
        if written.literal && written.narrows() {
            return Kind::Free;
        }
        return words(written).map_or(Kind::Free, Kind::Words);
    }
    match written.types.as_slice() {
        [one] if has_a_word(written, one.value) => Kind::Is(one.value),
        [] if written.literal && (written.nullable || written.says_something()) => Kind::Free,
        [] => match implied(written) {
            Some(kind) if has_a_word(written, kind) => Kind::Is(kind),
            None if !(written.nullable || written.says_something()) => Kind::Any,
            _ => Kind::Free,
        },
        _ => Kind::Free,
    }
}

/// Without `type`, `properties` or `items` mean an object or an array: stricter than the standard, which would let
/// every other value through. A schema that is read to the letter implies nothing.
pub(crate) fn implied(written: &Written) -> Option<JsonType> {
    let object = written.properties.is_some() || written.additional.is_some() || !written.required.is_empty();
    match object {
        _ if written.literal || written.takes_only_null() => None,
        true => Some(JsonType::Object),
        false => written.items.is_some().then_some(JsonType::Array),
    }
}

/// Whether a `number` has the format of an integer, which is for numbers as much as for integers (OpenAPI's registry of
/// formats), and bounds that an integer can have.
pub(crate) fn is_whole(written: &Written) -> bool {
    let format = written.format.as_ref().and_then(|format| IntegerFormat::of(&format.value));
    format.is_some() && has_a_word(written, JsonType::Integer)
}

/// Whether the type in Rust can say what the schema says of a value of this type.
fn has_a_word(written: &Written, kind: JsonType) -> bool {
    let whole = |bound: &Option<Spanned<Bound>>| {
        bound.as_ref().is_none_or(|bound| bound.value.value.to_integer().is_some())
    };
    let bounds = &written.bounds;
    match kind {
        JsonType::Integer => [
            &bounds.minimum,
            &bounds.maximum,
            &bounds.exclusive_minimum,
            &bounds.exclusive_maximum,
            &bounds.multiple_of,
        ]
        .into_iter()
        .all(whole),
        JsonType::Object if is_struct(written) => can_be(written),
        JsonType::Object => written.required.is_empty(),
        _ => true,
    }
}

/// Whether an object can be there: what is required and refused never is.
fn can_be(written: &Written) -> bool {
    let closed = matches!(
        written.additional.as_ref().map(|additional| additional.value),
        Some(Additional::Allowed(false))
    );
    !closed || undeclared(written).next().is_none()
}

/// Whether keywords of an object count its members.
pub(super) const fn counts_members(written: &Written) -> bool {
    written.min_properties.is_some() || written.max_properties.is_some()
}

/// Whether members that are not declared by name are let through, and described.
pub(super) fn describes_others(written: &Written) -> bool {
    matches!(written.additional.as_ref().map(|additional| additional.value), Some(Additional::Each(_)))
}

/// Names that are required and that nothing describes: any value will do.
pub(super) fn undeclared(written: &Written) -> impl Iterator<Item = &Spanned<String>> {
    let declared: HashSet<&str> = match written.required.as_slice() {
        [] => HashSet::default(),
        _ => written.properties.iter().flatten().map(|(name, _)| &*name.value).collect(),
    };
    written.required.iter().filter(move |name| !declared.contains(&*name.value))
}

/// The values of `enum` or `const`, `null` apart, when they are all strings, all integers or all truth values. Other
/// numbers have no word: floats are not compared for being the same.
fn words(written: &Written) -> Option<Vec<Word>> {
    let values: &[Node] = match (&written.enumeration, &written.constant) {
        (Some(values), None) => &values.value,
        (None, Some(value)) => std::slice::from_ref(value),
        _ => return None,
    };
    let mut titles = HashMap::default();
    for (node, docs) in &written.titles {
        titles.entry(word(node)?).or_insert(docs);
    }
    let mut words: Vec<Word> = Vec::new();
    let mut known = HashSet::default();
    for node in values.iter().filter(|value| !is_null(value)) {
        let value = word(node)?;
        if known.insert(value.clone()) {
            let docs = titles.get(&value).copied().cloned().unwrap_or_default();
            words.push(Word { value, name: docs.summary.clone(), docs });
        }
    }
    let of =
        |kind: JsonType| written.types.is_empty() || written.types.iter().all(|stated| stated.value == kind);
    let all = |is: fn(&WordValue) -> bool| words.iter().all(|word| is(&word.value));
    let within = |low: i128, high: i128| {
        all(|value| matches!(value, WordValue::Integer(_)))
            && words
                .iter()
                .all(|word| matches!(word.value, WordValue::Integer(value) if (low..=high).contains(&value)))
    };
    let integers = (of(JsonType::Integer) || of(JsonType::Number))
        && (within(i64::MIN.into(), i64::MAX.into()) || within(0, u64::MAX.into()));
    let texts = of(JsonType::String) && all(|value| matches!(value, WordValue::Text(_)));
    let booleans = of(JsonType::Boolean) && all(|value| matches!(value, WordValue::Boolean(_)));
    (!words.is_empty() && (texts || integers || booleans)).then_some(words)
}

fn word(node: &Node) -> Option<WordValue> {
    match &node.value {
        Value::String(text) => Some(WordValue::Text(text.to_string())),
        Value::Bool(value) => Some(WordValue::Boolean(*value)),
        Value::Number(text) => {
            let number = Decimal::parse(text).filter(Decimal::is_whole)?;
            number.to_integer().map(WordValue::Integer)
        }
        _ => None,
    }
}

/// Objects with declared members, and closed ones without, are structs; the others are maps.
pub(super) fn is_struct(written: &Written) -> bool {
    let closed = matches!(
        written.additional.as_ref().map(|additional| additional.value),
        Some(Additional::Allowed(false))
    );
    written.properties.as_ref().is_some_and(|properties| !properties.is_empty()) || closed
}

/// Closed unless the document says otherwise: members that nobody declared must not slip through.
pub(super) fn is_open(written: &Written) -> bool {
    matches!(written.additional.as_ref().map(|additional| additional.value), Some(Additional::Allowed(true)))
        || written.rules.open.as_ref().is_some_and(|open| open.value)
}

/// Whether `null` is allowed: by the types, and by the enumeration if there is one. What stays JSON says so itself.
pub(super) fn nullable(document: &Document, id: SchemaId) -> bool {
    let end = document.end(id);
    let (written, widened) = (document.schema(end.target), end.widened);
    match (kind(document, written), &written.view) {
        (Kind::Free, _) => return widened,
        (Kind::One(core), _) => return widened || document.schema(core).nullable,
        (Kind::Choice, Some(View::Choice(choice))) => {
            return widened || choice.widened || choice.said.get().is_some_and(|said| said.takes_null);
        }
        _ => {}
    }
    let listed = |nodes: &[Node]| nodes.iter().any(is_null);
    let typed = written.nullable || written.types.is_empty();
    // which no enumeration beside it takes away: `anyOf: [X, { type: "null" }]`
    let alternative = end.or_null;
    match (&written.enumeration, &written.constant) {
        (Some(values), _) => alternative || (typed && listed(&values.value)),
        (None, Some(value)) => alternative || (typed && is_null(value)),
        (None, None) => written.nullable || widened,
    }
}

pub(super) const fn is_null(node: &Node) -> bool {
    matches!(node.value, Value::Null)
}
