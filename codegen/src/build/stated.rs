//! What a document says of one value, with how it is applied: all schemas in place, of members and of items.

use foldhash::HashSet;

use crate::document::{Additional, Document, SchemaId};

/// How a schema is applied to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Applied {
    /// It must hold, as far as what it depends on is there.
    Must,
    /// One of several that may hold.
    May,
    /// It decides about something else.
    Decides,
}

/// Schemas of one value.
pub(super) type Stated = Vec<(SchemaId, Applied)>;

/// Which items of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Items {
    /// The one of this place.
    At(usize),
    /// That of this place and all behind it.
    From(usize),
}

/// What is said of a value by this schema.
pub(super) fn all_of(document: &Document, id: Option<SchemaId>) -> Stated {
    in_place(document, id.map(|id| (id, Applied::Must)).into_iter().collect())
}

/// With all that is applied to the same value, each once in each way.
fn in_place(document: &Document, start: Stated) -> Stated {
    let (mut seen, mut waiting, mut all) = (HashSet::default(), start, Vec::new());
    while let Some((id, applied)) = waiting.pop() {
        if !seen.insert((id, applied)) {
            continue;
        }
        all.push((id, applied));
        let schema = document.schema(id);
        let beyond = &schema.beyond;
        let certain = schema.reference.into_iter().chain(beyond.certain());
        let decides = beyond.not.into_iter().chain(beyond.condition);
        let chosen = beyond.any_of.iter().chain(&beyond.one_of).copied();
        let dependent = beyond.dependent_schemas.iter().map(|(_, id)| *id);
        let later = dependent.chain(beyond.then).chain(beyond.otherwise);
        let may = if applied == Applied::Must { Applied::May } else { applied };
        waiting.extend(certain.chain(later).map(|id| (id, applied)));
        waiting.extend(chosen.map(|id| (id, may)));
        waiting.extend(decides.map(|id| (id, Applied::Decides)));
    }
    all
}

/// What is said of a member of these objects.
pub(super) fn of_member(document: &Document, wholes: &Stated, name: &str) -> Stated {
    let mut stated = Vec::new();
    for (id, applied) in wholes {
        let schema = document.schema(*id);
        let declared = schema.properties.iter().flatten().filter(|(known, _)| known.value == name);
        let matching = schema.beyond.pattern_properties.iter();
        let matching = matching.filter(|(pattern, _)| document.matches(&pattern.value, name));
        let mut own: Vec<SchemaId> = declared.chain(matching).map(|(_, id)| *id).collect();
        let others = schema.additional.as_ref().map(|additional| additional.value);
        match others {
            Some(Additional::Each(each)) if own.is_empty() => own.push(each),
            _ => own.extend(schema.beyond.unevaluated_properties.filter(|_| own.is_empty())),
        }
        stated.extend(own.into_iter().map(|id| (id, *applied)));
    }
    in_place(document, stated)
}

/// What is said of these items of these lists.
pub(super) fn items(document: &Document, lists: &Stated, which: Items) -> Stated {
    let mut stated = Vec::new();
    for (id, applied) in lists {
        let schema = document.schema(*id);
        let beyond = &schema.beyond;
        let placed = match which {
            Items::At(at) => beyond.prefix_items.get(at..=at),
            Items::From(first) => beyond.prefix_items.get(first..),
        };
        let placed = placed.unwrap_or_default();
        let has_own = matches!(which, Items::At(_)) && !placed.is_empty();
        let others = schema.items.iter().chain(&beyond.unevaluated_items).filter(|_| !has_own);
        stated.extend(placed.iter().chain(others).map(|id| (*id, *applied)));
        stated.extend(beyond.contains.map(|id| (id, Applied::Decides)));
    }
    in_place(document, stated)
}
