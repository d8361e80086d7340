//! JSON from text that has no type: a parameter or a member of a form whose schema has no type in Rust.
//!
//! What was sent says nothing of types, so the schema is asked which ones it names at each place:
//!
//! 1. The schemas that may apply at a place are collected through `$ref`, `allOf`, `anyOf`, `oneOf`, `if` and
//!    `dependentSchemas`, each once and at most 256 of them; where a discriminator says which alternative is meant, only
//!    that one. Those of a member or an item are the ones that they state for it.
//! 2. A text can be read as a string, where one is named or nothing is; as a number by its digits, `true` or `false`, where
//!    they are named and it has that form; as `null`, where that is named and it is `null` or empty; as a list of one, where
//!    an array is named. If none of these, it stays a string, and the schema says what is wrong with it.
//! 3. Of several readings the one is meant that fits most of the schemas stated for the place, the string before the
//!    others. Should the whole then not be what the document declares, it is read once more with the string last.
//! 4. Names in brackets are a list where an array is named and they are `[]`, or `[0]`, `[1]` and so on; an object otherwise.
//! 5. A file is its text, if it is a short one. Where a type takes the files themselves, each is to the schema what stands for
//!    it.
//! 6. The whole is then checked as any other JSON. Whatever the reading, nothing comes through that the schema refuses.

use std::collections::BTreeSet;
use std::ptr;

use super::super::text::has_number_form;
use super::super::{At, Entry, Expected, Json, Tree, Violations};
use super::evaluate::Walk;
use super::stand_in::stand_in;
use super::{Fact, JsonType, Keyword, Shape, shape};

/// Schemas that are asked at one place. What a further one would take is a string, and is refused if it must not be one.
const MOST_SCHEMAS: usize = 256;

/// A value that is checked by its schema alone, from JSON or from text without a type. `None`: a violation was pushed.
pub fn shaped_from_tree(
    tree: &Tree<'_>,
    of: &'static Shape,
    at: &At<'_>,
    out: &mut Violations,
) -> Option<Json> {
    read(tree, of, Files::AsText, at, out)
}

/// The same, with files that are looked at here and taken elsewhere.
pub(super) fn read(
    tree: &Tree<'_>,
    of: &'static Shape,
    files: Files,
    at: &At<'_>,
    out: &mut Violations,
) -> Option<Json> {
    if !tree.is_untyped() {
        let value = tree.to_json(at, out)?;
        shape(&value, of, at, out);
        return Some(value);
    }
    let mut first = Violations::new();
    let mut reader = Reader::new(tree, Order::StringFirst, files);
    let value = reader.whole(tree, of, at, &mut first);
    if first.is_empty() {
        return value;
    }
    if reader.chose {
        let mut again = Violations::new();
        let value = Reader::new(tree, Order::StringLast, files).whole(tree, of, at, &mut again);
        if again.is_empty() {
            return value;
        }
    }
    out.append(first);
    None
}

/// The same of one text.
///
/// # Errors
/// When the schema takes no reading of it.
pub fn shaped_from_text(text: &str, of: &'static Shape) -> Result<Json, Expected> {
    let mut out = Violations::new();
    let value = shaped_from_tree(&Tree::Plain(text.into()), of, &At::root(), &mut out);
    value.filter(|_| out.is_empty()).ok_or_else(|| Expected::kind("must be what the document declares"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    StringFirst,
    StringLast,
}

/// What a file is to a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// Its text.
    AsText,
    /// What stands for it.
    StandIn,
}

/// One reading of a whole value.
struct Reader {
    walk: Walk,
    order: Order,
    files: Files,
    /// Whether a text had several readings.
    chose: bool,
}

impl Reader {
    fn new(tree: &Tree<'_>, order: Order, files: Files) -> Self {
        Self { walk: Walk::over(tree.size()), order, files, chose: false }
    }

    fn whole(
        &mut self,
        tree: &Tree<'_>,
        of: &'static Shape,
        at: &At<'_>,
        out: &mut Violations,
    ) -> Option<Json> {
        let value = self.read(tree, &[of], at, out)?;
        if self.walk.is_exhausted() {
            out.push(at, "complexity", "takes too much work to be checked");
            return None;
        }
        shape(&value, of, at, out);
        Some(value)
    }

    fn read(
        &mut self,
        tree: &Tree<'_>,
        stated: &[&'static Shape],
        at: &At<'_>,
        out: &mut Violations,
    ) -> Option<Json> {
        if !tree.is_untyped() {
            return tree.to_json(at, out); // it says itself what it is, and may be large
        }
        let schemas = Schemas::of(stated, tree);
        match tree {
            Tree::Plain(text) => Some(self.text(text, &schemas)),
            Tree::List(items) => self.list(items.iter(), &schemas, at, out),
            Tree::Brackets(entries) if tree.counts() && schemas.names(JsonType::Array) => {
                self.list(entries.iter().map(|entry| &entry.value), &schemas, at, out)
            }
            Tree::Object(entries) | Tree::Brackets(entries) => self.object(entries, &schemas, at, out),
            Tree::File(file) if self.files == Files::StandIn => Some(Json::from(stand_in(file))),
            other => other.to_json(at, out),
        }
    }

    fn list<'t>(
        &mut self,
        items: impl Iterator<Item = &'t Tree<'t>>,
        schemas: &Schemas,
        at: &At<'_>,
        out: &mut Violations,
    ) -> Option<Json> {
        let read = |(index, item)| self.read(item, &schemas.of_item(index), &at.index(index), out);
        items.enumerate().map(read).collect::<Option<_>>().map(Json::Array)
    }

    fn object(
        &mut self,
        entries: &[Entry<'_>],
        schemas: &Schemas,
        at: &At<'_>,
        out: &mut Violations,
    ) -> Option<Json> {
        let mut members = serde_json::Map::new();
        for entry in entries {
            let (name, stated) = schemas.of_member(&entry.name);
            // a name that the document does not declare is the client's
            let here = name.map_or_else(|| at.entry(), |name| at.member(name));
            let value = self.read(&entry.value, &stated, &here, out)?;
            if entry.repeated || members.insert(entry.name.clone().into_owned(), value).is_some() {
                out.push(&here, "duplicate", "must not come twice");
                return None;
            }
        }
        Some(Json::Object(members))
    }

    /// Rules 2 and 3.
    fn text(&mut self, text: &str, schemas: &Schemas) -> Json {
        let mut readings = schemas.readings(text);
        if schemas.names(JsonType::Array) {
            // an item is no list of one again
            let items = Schemas::of(&schemas.of_item(0), &Tree::Null);
            let item = self.best(items.readings(text), &items.stated);
            readings.push(Json::Array(vec![item.unwrap_or_else(|| Json::from(text))]));
        }
        self.best(readings, &schemas.stated).unwrap_or_else(|| Json::from(text))
    }

    /// The reading that most of the schemas take; of those that are equal the first in order.
    fn best(&mut self, mut readings: Vec<Json>, stated: &[&'static Shape]) -> Option<Json> {
        if readings.len() < 2 {
            return readings.pop();
        }
        self.chose = true;
        if self.order == Order::StringLast && readings.first().is_some_and(Json::is_string) {
            readings.rotate_left(1);
        }
        let mut best = None;
        for reading in readings {
            let fits = |shape: &&&'static Shape| self.walk.fits(shape, &reading, &At::root(), None);
            let count = stated.iter().filter(fits).count();
            if best.as_ref().is_none_or(|(most, _)| count > *most) {
                best = Some((count, reading));
            }
        }
        best.map(|(_, reading)| reading)
    }
}

/// The schemas that may apply at a place.
struct Schemas {
    /// Those that are stated for it, and are held against a reading.
    stated: Vec<&'static Shape>,
    /// They, and what they apply to the same value.
    all: Vec<&'static Shape>,
}

impl Schemas {
    /// Rule 1.
    fn of(stated: &[&'static Shape], tree: &Tree<'_>) -> Self {
        let mut all: Vec<&'static Shape> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut waiting = stated.to_vec();
        while let Some(next) = waiting.pop().filter(|_| all.len() < MOST_SCHEMAS) {
            if seen.insert(ptr::from_ref(next)) {
                all.push(next);
                next.0.iter().for_each(|keyword| keyword.in_place(tree, &mut waiting));
            }
        }
        Self { stated: stated.to_vec(), all }
    }

    fn keywords(&self) -> impl Iterator<Item = &'static Keyword> {
        self.all.iter().flat_map(|shape| shape.0)
    }

    fn names(&self, wanted: JsonType) -> bool {
        self.keywords().any(|keyword| keyword.names(&|named| named == wanted))
    }

    /// Rule 2, but for the list of one. A string stands first.
    fn readings(&self, text: &str) -> Vec<Json> {
        let mut readings = Vec::new();
        let any = self.keywords().any(|keyword| keyword.names(&|_| true));
        if !any || self.names(JsonType::String) {
            readings.push(Json::from(text));
        }
        let number = self.names(JsonType::Integer) || self.names(JsonType::Number);
        match text {
            "true" | "false" if self.names(JsonType::Boolean) => readings.push(Json::Bool(text == "true")),
            "null" | "" if self.names(JsonType::Null) => readings.push(Json::Null),
            // by its digits, as in a body: an integer that no type holds is refused, not rounded
            digits if number && has_number_form(digits) => {
                readings.extend(Tree::Number(digits).to_json(&At::root(), &mut Violations::new()));
            }
            _ => {}
        }
        readings
    }

    fn of_item(&self, index: usize) -> Vec<&'static Shape> {
        let mut stated = Vec::new();
        for keyword in self.keywords() {
            match keyword {
                Keyword::Items(prefix, rest) => stated.extend(prefix.get(index).copied().or(*rest)),
                Keyword::Contains(shape, ..) | Keyword::UnevaluatedItems(shape) => stated.push(shape),
                _ => {}
            }
        }
        stated
    }

    /// The name as the document declares it, if it does, and what is stated for the member.
    fn of_member(&self, name: &str) -> (Option<&'static str>, Vec<&'static Shape>) {
        let (mut known, mut stated) = (None, Vec::new());
        for keyword in self.keywords() {
            match keyword {
                Keyword::Properties { declared, patterns, others } => {
                    let own = declared.iter().find(|(declared, _)| *declared == name);
                    known = known.or(own.map(|(declared, _)| *declared));
                    let matching = patterns.iter().filter(|(pattern, _)| pattern.matches(name));
                    let before = stated.len();
                    stated.extend(own.map(|(_, shape)| *shape));
                    stated.extend(matching.map(|(_, shape)| *shape));
                    stated.extend(others.filter(|_| stated.len() == before));
                }
                Keyword::UnevaluatedProperties(shape) => stated.push(shape),
                _ => {}
            }
        }
        (known, stated)
    }
}

impl Keyword {
    /// The schemas that it applies to the same value.
    fn in_place(&'static self, tree: &Tree<'_>, into: &mut Vec<&'static Shape>) {
        match self {
            Self::Ref(shape) => into.push(shape),
            Self::AllOf(shapes) | Self::AnyOf(shapes) | Self::OneOf(shapes) => into.extend(*shapes),
            Self::DependentSchemas(all) => into.extend(all.iter().map(|(_, shape)| *shape)),
            Self::Tagged(tagged) => {
                let named = |entry: &&Entry<'_>| entry.name == tagged.member;
                let sent = tree.entries().and_then(|entries| entries.iter().find(named));
                let word = sent.and_then(|entry| entry.value.text());
                match tagged.meant(word) {
                    Some(shape) => into.push(shape),
                    None if word.is_none() => into.extend(tagged.words.iter().map(|(_, shape)| *shape)),
                    None => {}
                }
            }
            Self::If(condition, then, otherwise) => {
                into.push(condition);
                into.extend(then.iter().chain(otherwise));
            }
            _ => {}
        }
    }

    /// Whether it names a type that is wanted, by itself or as that of a value.
    fn names(&self, wanted: &dyn Fn(JsonType) -> bool) -> bool {
        match self {
            Self::Types(types) => types.iter().any(|named| wanted(*named)),
            Self::Enum(facts) => facts.iter().any(|fact| wanted(fact.json_type())),
            Self::Words(_) => wanted(JsonType::String),
            Self::Const(fact) => wanted(fact.json_type()),
            Self::Tagged(..) => wanted(JsonType::Object),
            _ => false,
        }
    }
}

impl Fact {
    const fn json_type(&self) -> JsonType {
        match self {
            Self::Null => JsonType::Null,
            Self::Bool(_) => JsonType::Boolean,
            Self::Number(_) => JsonType::Number,
            Self::Text(_) => JsonType::String,
            Self::List(_) => JsonType::Array,
            Self::Object(_) => JsonType::Object,
        }
    }
}

#[cfg(test)]
mod tests;
