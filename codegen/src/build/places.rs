//! Parts that are told by their places: `prefixItems`, `prefixEncoding` (OpenAPI 3.2 section 4.14.4.2).
//!
//! The first parts have a schema and an encoding each, all others those of `items` and `itemEncoding`. They become an object, as if
//! they had names: `part1`, `part2`, and `rest`, a list. As many of the first are always there as `minItems` says.

use super::Builder;
use super::family::{Family, is_json};
use super::left_out::LeftOut;
use super::stated::{Applied, all_of};
use super::stream::{is_list, is_list_by_place};
use super::types::with;
use super::wire::Flat;
use crate::document::{Encoding, Media, Schema as Written, SchemaId, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{
    Array, ContentForm, Counts, Definition, Docs, Member, Object, Origin, Schema, Shape, Type, Wire, WireKind,
};

/// The name of the list of all others.
pub(super) const REST: &str = "rest";

/// What stands at the places of a body.
#[derive(Clone, Copy, Debug)]
struct Places {
    /// How many have a place of their own.
    first: usize,
    /// How many are always there.
    least: usize,
    /// How many there may be.
    most: Option<usize>,
}

impl Builder<'_> {
    /// Whether its parts are told by their places.
    pub(super) fn is_by_place(&self, one: &Media) -> bool {
        match one.schema {
            Some(id) if one.prefix_encoding.is_empty() => is_list_by_place(self.document, id),
            Some(id) => is_list(self.document, id),
            None => !one.prefix_encoding.is_empty(),
        }
    }

    /// Rejects encodings of parts by their order where they have names, or are not looked into. `None` after a finding.
    pub(super) fn order_is_told(&mut self, one: &Media, family: Family) -> Option<()> {
        let first = one.prefix_encoding.iter().chain(&one.item_encoding).next();
        let Some(first) = first.filter(|_| matches!(family, Family::Multipart | Family::Bytes)) else {
            return Some(());
        };
        let said = all_of(self.document, one.schema);
        if said.iter().any(|(id, applied)| *applied == Applied::Must && is_list(self.document, *id)) {
            self.left_out(one, LeftOut::PartsByPlace, self.direction, true);
            return None;
        }
        let finding = match family {
            Family::Multipart => Finding::error(
                Code::InvalidValue,
                "`prefixEncoding` and `itemEncoding` are those of the items of an array, and this is none",
                first.place,
            )
            .help("describe an array, or write `encoding` for the members of an object"),
            _ => Finding::error(
                Code::MediaType,
                "`prefixEncoding` and `itemEncoding` are those of the items of an array, and nothing says that this is one",
                first.place,
            )
            .help("describe it by `itemSchema`, or by `type: array` and `items`"),
        };
        self.findings.push(finding);
        None
    }

    /// The same media type, as if its parts had names.
    pub(super) fn with_names(&self, one: &Media) -> Media {
        let first = one.prefix_encoding.iter().enumerate().map(|(at, encoding)| (name(at), encoding));
        let rest = one.item_encoding.iter().map(|encoding| (REST.to_owned(), encoding));
        let named = |(name, encoding): (String, &Spanned<Encoding>)| {
            (Spanned::new(name, encoding.place), encoding.value.clone())
        };
        Media {
            encoding: first.chain(rest).map(named).collect(),
            prefix_encoding: Vec::new(),
            item_encoding: None,
            examples: Vec::new(),
            ..one.clone()
        }
    }

    /// The object that the parts are. `None` after a finding; `Err` for what cannot be enforced.
    pub(super) fn places(&mut self, one: &Media, path: &[String]) -> Option<Result<Schema, LeftOut>> {
        let whole = one.schema.map(|id| self.document.schema(self.document.target(id)));
        let prefix = whole.map(|whole| whole.beyond.prefix_items.as_slice()).unwrap_or_default();
        let described = whole.filter(|whole| whole.items.is_some() || !whole.beyond.prefix_items.is_empty());
        if let Some(whole) = described.filter(|_| one.item_schema.is_some()) {
            return self.only_one_is_enforced(whole.place);
        }
        let items = one.item_schema.or_else(|| whole?.items);
        let closed = items.is_some_and(|items| self.document.schema(self.document.target(items)).never);
        let first = if closed { prefix.len() } else { prefix.len().max(one.prefix_encoding.len()) };
        let known = whole.is_none_or(says_nothing_else);
        let Some(places) = Places::of(whole, first, closed).filter(|_| known) else {
            return Some(Err(LeftOut::PartsByPlace));
        };
        self.encodes_parts(one, places)?;
        let named = self.with_names(one);
        let own = self.is_own(one);
        let mut members = Vec::new();
        for at in 0..places.first {
            let encoding = one.prefix_encoding.get(at).map(|encoding| &encoding.value);
            let schema = self.at_place(prefix.get(at).copied().or(items), encoding, path, &name(at))?;
            let member = Member { required: at < places.least, ..member(&name(at), schema) };
            members.push(self.as_file(&named, &member, own));
        }
        if places.has_others() {
            let encoding = one.item_encoding.as_ref().map(|encoding| &encoding.value);
            let items = self.at_place(items, encoding, path, REST)?;
            let others = Schema::of(Type::Array(Box::new(Array { items, ..places.others() })));
            members.push(self.as_file(&named, &member(REST, others), own));
        }
        let id = self.types.declare();
        let shape = Shape::Object(Object { members, others: None, shape: None });
        let docs = whole.map(|whole| whole.docs.clone()).unwrap_or_default();
        let origin = Origin::Inline(path.to_vec());
        self.types.define(id, Definition { origin, docs, shape, examples: Vec::new() });
        Some(Ok(Schema::of(Type::Named(id))))
    }

    /// Rejects an encoding of parts that are never there. `None` after a finding.
    fn encodes_parts(&mut self, one: &Media, places: Places) -> Option<()> {
        let behind = one.prefix_encoding.iter().skip(places.first);
        let others = one.item_encoding.iter().filter(|_| !places.has_others());
        let Some(nothing) = behind.chain(others).next() else { return Some(()) };
        let message = "this encoding is that of no part: there are fewer";
        self.findings.push(Finding::error(Code::InvalidValue, message, nothing.place).help("remove it"));
        None
    }

    fn at_place(
        &mut self,
        id: Option<SchemaId>,
        encoding: Option<&Encoding>,
        path: &[String],
        name: &str,
    ) -> Option<Schema> {
        let inside = encoding.and_then(|encoding| encoding.inside.as_deref());
        if let Some(inside) = inside {
            return self.in_parts(inside, id, path, name);
        }
        let Some(id) = id else { return Some(Schema::of(Type::Any)) };
        self.goes_this_way(id)?;
        self.schema(id, &with(path, name), 0)
    }
}

/// How the parts of such an object are written. `Err` for what cannot be enforced.
pub(super) fn form_of_places(fields: Vec<(String, Wire)>, flat: &Flat) -> Result<ContentForm, LeftOut> {
    let Flat::Object(members, _) = flat else { return Err(LeftOut::PartsByPlace) };
    let rest = members.iter().any(|(name, _)| name == REST);
    let mut placed = Vec::with_capacity(fields.len());
    for ((name, wire), (_, member)) in fields.into_iter().zip(members) {
        let part = match member {
            Flat::List(items) if name == REST => items,
            member => member,
        };
        let is_list = matches!(part, Flat::List(_));
        // one part is one value: an array is JSON
        let as_json = is_list && wire.kind != WireKind::Files && wire.types.iter().all(|one| is_json(one));
        let kind = match wire.kind {
            kind @ WireKind::Parts(_) => kind,
            _ if is_list && !as_json => return Err(LeftOut::ListInAPart),
            _ if is_list && name == REST => WireKind::JsonList,
            _ if is_list => WireKind::Json,
            kind => kind,
        };
        placed.push((name, Wire { kind, ..wire }));
    }
    Ok(ContentForm::Places { fields: placed, rest })
}

impl Places {
    /// Of so many that have a place of their own, and of no others where it is closed. `None`: there must be more than there may
    /// be.
    fn of(whole: Option<&Written>, first: usize, closed: bool) -> Option<Self> {
        let count = |count: Option<&Spanned<u64>>| count.and_then(|count| usize::try_from(count.value).ok());
        let least = count(whole.and_then(|whole| whole.min_items.as_ref())).unwrap_or_default();
        let most = count(whole.and_then(|whole| whole.max_items.as_ref()));
        let most = [most, closed.then_some(first)].into_iter().flatten().min();
        let first = most.map_or(first, |most| first.min(most));
        most.is_none_or(|most| least <= most).then_some(Self { first, least, most })
    }

    fn has_others(self) -> bool {
        self.most.is_none_or(|most| most > self.first)
    }

    /// How many may stand behind the first.
    fn others(self) -> Array {
        let counts = Counts {
            min: Some(self.least.saturating_sub(self.first)).filter(|least| *least > 0),
            max: self.most.map(|most| most.saturating_sub(self.first)),
        };
        Array { items: Schema::of(Type::Any), counts, unique: false }
    }
}

/// Whether a list is described by its places, items and counts alone.
fn says_nothing_else(whole: &Written) -> bool {
    let beyond = &whole.beyond;
    let inside = [beyond.not, beyond.contains, beyond.unevaluated_items];
    let listed = whole.enumeration.is_some() || whole.constant.is_some();
    let unique = whole.unique_items.as_ref().is_some_and(|unique| unique.value);
    let only = !listed && !unique && !whole.nullable && inside.iter().all(Option::is_none);
    only && beyond.in_place().next().is_none()
}

fn name(at: usize) -> String {
    format!("part{}", at + 1)
}

fn member(name: &str, schema: Schema) -> Member {
    let name = name.to_owned();
    Member { name, schema, required: true, default: None, docs: Docs::default(), examples: Vec::new() }
}
