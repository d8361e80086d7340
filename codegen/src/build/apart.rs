//! What tells two schemas apart before they are looked at as a whole: their types, the values they list, and members
//! that one requires and the other has otherwise or not at all.

use crate::document::{Additional, Document, JsonType, Schema as Written, SchemaId, View};
use crate::model::{Keyword, Keywords, Kind, Value};
use crate::source::tree::Node;

/// Choices and members inside each other that are looked into.
const DEEPEST: usize = 4;

/// What is plain of a schema.
#[derive(Debug, Default)]
pub(super) struct Head<'d> {
    /// The types, `null` apart. `None`: any.
    kinds: Option<Vec<Kind>>,
    /// The values that it lists.
    values: Option<Vec<&'d Node>>,
    /// The members that it declares, with what is plain of them.
    members: Vec<(&'d str, Head<'d>)>,
    required: Vec<&'d str>,
    /// Whether it refuses members that it does not declare, whatever stands beside it.
    closed: bool,
    /// Whether it lets them through. Otherwise they are another's, if that one is satisfied as well.
    open: bool,
    /// Nothing is allowed.
    never: bool,
}

impl<'d> Head<'d> {
    /// `is_member` says which properties go this way at all.
    pub(super) fn of(document: &'d Document, id: SchemaId, is_member: &dyn Fn(SchemaId) -> bool) -> Self {
        Self::within(document, id, is_member, 0)
    }

    fn within(
        document: &'d Document,
        id: SchemaId,
        is_member: &dyn Fn(SchemaId) -> bool,
        depth: usize,
    ) -> Self {
        let written = document.schema(document.target(id));
        let plain = match &written.view {
            Some(View::One(core)) => document.schema(*core),
            Some(View::Choice(choice)) if depth < DEEPEST => {
                let kinds = choice
                    .alternatives
                    .iter()
                    .map(|one| Self::within(document, one.schema, is_member, depth + 1).kinds);
                let kinds = kinds.collect::<Option<Vec<_>>>().map(|all| each_once(all.concat()));
                return Self { kinds, open: true, ..Self::default() };
            }
            _ if written.beyond.first.is_some() => {
                return Self { kinds: stated(written), open: true, never: written.never, ..Self::default() };
            }
            _ => written,
        };
        let values = match (&plain.constant, &plain.enumeration) {
            (Some(value), _) => Some(vec![value]),
            (None, Some(values)) => Some(values.value.iter().collect()),
            (None, None) => None,
        };
        let additional = plain.additional.as_ref().map(|additional| additional.value);
        let properties = || plain.properties.iter().flatten();
        let goes = |name: &str| {
            properties().find(|(known, _)| *known.value == *name).is_none_or(|(_, id)| is_member(*id))
        };
        let required: Vec<&str> =
            plain.required.iter().map(|name| &*name.value).filter(|name| goes(name)).collect();
        let members = properties().filter(|_| depth < DEEPEST).map(|(name, id)| {
            // of a member that may be absent it only counts whether it may be there
            let member = match is_member(*id) {
                true if required.contains(&&*name.value) => Self::within(document, *id, is_member, depth + 1),
                true => Self { never: document.schema(document.target(*id)).never, ..Self::default() },
                false => Self { never: true, ..Self::default() },
            };
            (&*name.value, member)
        });
        Self {
            kinds: stated(plain),
            values,
            members: members.collect(),
            required,
            closed: matches!(additional, Some(Additional::Allowed(false))),
            open: matches!(additional, Some(Additional::Allowed(true) | Additional::Each(_)))
                || plain.literal,
            never: written.never,
        }
    }

    /// Whether no value that is let through satisfies both, as far as it is plain to see. Where exactly one may be
    /// satisfied, members that only another declares are refused.
    pub(super) fn is_apart(&self, other: &Self, exactly_one: bool) -> bool {
        if self.never || other.never || self.values_differ(other) {
            return true;
        }
        let (Some(one), Some(two)) = (&self.kinds, &other.kinds) else { return false };
        let shared: Vec<Kind> =
            one.iter().copied().filter(|kind| two.iter().any(|it| meet(*kind, *it))).collect();
        shared.iter().all(|kind| *kind == Kind::Object)
            && (shared.is_empty() || self.members_differ(other, exactly_one))
    }

    /// Whether something says which types it takes.
    pub(super) const fn is_typed(&self) -> bool {
        self.kinds.is_some()
    }

    fn values_differ(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (&self.values, &other.values) else { return false };
        !one.iter().any(|value| two.iter().any(|known| known.same_value(value)))
    }

    fn members_differ(&self, other: &Self, exactly_one: bool) -> bool {
        let lacks =
            |one: &Self, other: &Self| one.required.iter().any(|name| other.refuses(name, exactly_one));
        let differs = |name: &&str| match (self.member(name), other.member(name)) {
            (Some(one), Some(two)) => other.required.contains(name) && one.is_apart(two, false),
            _ => false,
        };
        lacks(self, other) || lacks(other, self) || self.required.iter().any(differs)
    }

    fn member(&self, name: &str) -> Option<&Self> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, member)| member)
    }

    fn refuses(&self, name: &str, exactly_one: bool) -> bool {
        let closed = if exactly_one { !self.open } else { self.closed };
        self.member(name).map_or(closed, |member| member.never)
    }

    /// Whether it is an object that refuses what others declare.
    pub(super) fn is_closed_object(&self) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&Kind::Object)) && !self.open
    }

    /// What tells it from the others: nothing that it does not say itself.
    pub(super) fn guard<'h>(&'h self, others: impl Iterator<Item = &'h Self>, exactly_one: bool) -> Keywords {
        let mut all = Vec::new();
        all.extend(self.kinds.clone().map(Keyword::Types));
        let (mut declared, mut required): (Vec<(String, Keywords)>, Vec<String>) = Default::default();
        for other in others {
            match self.difference(other, exactly_one) {
                Difference::Kinds => {}
                Difference::Values(values) => add(&mut all, vec![listed(values)]),
                Difference::Member(name, said) => {
                    match declared.iter_mut().find(|(known, _)| known == name) {
                        Some((_, known)) => add(&mut known.0, said.0),
                        None => declared.push((name.to_owned(), said)),
                    }
                }
                Difference::Required(name) if required.iter().any(|known| known == name) => {}
                Difference::Required(name) => required.push(name.to_owned()),
            }
        }
        if !declared.is_empty() {
            all.push(Keyword::Properties { declared, patterns: Vec::new(), others: None });
        }
        if !required.is_empty() {
            all.push(Keyword::Required(required));
        }
        Keywords(all)
    }

    /// What it says that the other does not allow, the two being apart.
    fn difference(&self, other: &Self, exactly_one: bool) -> Difference<'_, 'd> {
        if let (Some(values), true) = (&self.values, self.values_differ(other)) {
            return Difference::Values(values);
        }
        let shares = |kind: &Kind| other.kinds.iter().flatten().any(|it| meet(*kind, *it));
        if !self.kinds.iter().flatten().any(shares) {
            return Difference::Kinds;
        }
        for name in self.required.iter().copied().filter(|name| other.required.contains(name)) {
            if let (Some(one), Some(two)) = (self.member(name), other.member(name))
                && one.is_apart(two, false)
            {
                return Difference::Member(name, one.guard(std::iter::once(two), false));
            }
        }
        match self.required.iter().find(|name| other.refuses(name, exactly_one)) {
            Some(name) => Difference::Required(name),
            None => match other.required.iter().find(|name| self.refuses(name, exactly_one)) {
                Some(name) => Difference::Member(name, Keywords::never()),
                None => Difference::Kinds,
            },
        }
    }
}

/// Why two schemas are apart.
enum Difference<'h, 'd> {
    Kinds,
    Values(&'h [&'d Node]),
    Member(&'d str, Keywords),
    Required(&'d str),
}

fn add(all: &mut Vec<Keyword>, more: Vec<Keyword>) {
    for keyword in more {
        if !all.contains(&keyword) {
            all.push(keyword);
        }
    }
}

fn listed(values: &[&Node]) -> Keyword {
    Keyword::Enum(values.iter().map(|value| Value::of(value)).collect())
}

fn meet(one: Kind, other: Kind) -> bool {
    one == other || matches!((one, other), (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer))
}

/// The types that are stated, implied, or those of the values that are listed.
fn stated(written: &Written) -> Option<Vec<Kind>> {
    if !written.types.is_empty() {
        return Some(written.types.iter().map(|kind| Kind::of(kind.value)).collect());
    }
    let values = written.enumeration.as_ref().map(|values| &*values.value);
    let values = values.or_else(|| written.constant.as_ref().map(std::slice::from_ref));
    match values {
        Some(values) => {
            let kinds = values.iter().map(|value| Value::of(value).kind());
            Some(each_once(kinds.filter(|kind| *kind != Kind::Null).collect()))
        }
        None => super::kind::implied(written).map(|kind: JsonType| vec![Kind::of(kind)]),
    }
}

fn each_once(kinds: Vec<Kind>) -> Vec<Kind> {
    let mut each = Vec::new();
    for kind in kinds {
        if !each.contains(&kind) {
            each.push(kind);
        }
    }
    each
}
