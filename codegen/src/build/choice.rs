//! Choices: `oneOf`, `anyOf` and lists of types as enumerations of types.
//!
//! 1. An alternative that is `null` makes the choice nullable: the others are what is left to tell apart.
//! 2. The keywords of the schema are checked first, so the alternatives only have to be told apart among values that it
//!    lets through. Where their types, constants or members do that, so do the guards; otherwise each guard is its whole
//!    alternative, and the document gets a remark.
//! 3. Of an `anyOf` a value may satisfy two alternatives: it is the first. Where it has members of both, it is neither,
//!    and stays JSON.

use foldhash::HashSet;

use super::Builder;
use super::apart::Head;
use super::discriminator::{Tags, tags};
use super::keywords::Place;
use super::kind::{Kind, kind, nullable};
use super::types::with;
use crate::document::{Choice, Document, JsonType, Said, Schema as Written, SchemaId, View};
use crate::finding::{Code, Finding};
use crate::model::{self, Keyword, Keywords, Schema, Shape, Type, Union, Variant};

use crate::source::tree::Value as Node;

/// Alternatives that are compared with each other. Without a discriminator a choice of more stays JSON: each pair would
/// have to be told apart, and by the server as well.
const MOST: usize = 500;
/// Choices and lists inside each other that are looked into for a name.
const DEEPEST: usize = 8;

/// Finds out about every choice, those inside of others first: so nothing is asked twice, and no chain is too long.
pub(super) fn settle(document: &Document) {
    let mut begun = HashSet::default();
    for id in document.ids() {
        let mut waiting = vec![(id, false)];
        while let Some((id, ready)) = waiting.pop() {
            let Some(View::Choice(choice)) = &document.schema(id).view else { continue };
            if ready {
                choice.said.get_or_init(|| said(document, choice));
            } else if begun.insert(id) {
                waiting.push((id, true));
                let inner = choice.alternatives.iter().map(|one| document.target(one.schema));
                waiting.extend(inner.map(|inner| (inner, false)));
            }
        }
    }
}

fn said(document: &Document, choice: &Choice) -> Said {
    let mut stays_json = 0;
    for alternative in &choice.alternatives {
        match kind(document, document.schema(document.target(alternative.schema))) {
            Kind::Any => return Said::default(),
            Kind::Free => stays_json += 1,
            _ => {}
        }
    }
    let count = choice.alternatives.len();
    let told = choice.holder.is_some_and(|holder| tags(document, document.schema(holder)).is_some());
    // a discriminator is a member, and `null` has none
    let nullable = choice.alternatives.iter().filter(|one| !told && nullable(document, one.schema));
    let nulls = choice.nulls + nullable.count();
    // whether what stays JSON takes `null` is for its keywords to say
    let null_is_clear = choice.widened || nulls == 0 || (stays_json == 0 && !choice.judged);
    Said {
        expressible: (count > 1 || told) && stays_json < count && null_is_clear && (told || count <= MOST),
        // of `oneOf` a second one is one too many
        takes_null: if choice.exactly_one { nulls == 1 } else { nulls > 0 },
    }
}

impl<'d> Builder<'d> {
    /// The enumeration of a choice.
    pub(super) fn choice(&mut self, id: SchemaId, path: &[String]) -> Option<Shape> {
        let document = self.document;
        let Some(View::Choice(choice)) = &document.schema(id).view else { return None };
        let tags = choice.holder.and_then(|holder| tags(document, document.schema(holder)));
        let (guards, mixed) = self.guards(id, choice, tags.as_ref());
        let mut variants = Vec::new();
        for (alternative, guard) in choice.alternatives.iter().zip(guards) {
            let words = tags.as_ref().map(|tags| tags.of(alternative.written));
            let name = name(document, alternative.written, words);
            let schema = self.schema(alternative.schema, &with(path, &name), 0)?;
            let target = document.schema(document.target(alternative.written));
            let schema = Schema { nullable: false, ..schema };
            variants.push(Variant { name, schema, guard, docs: target.docs.clone() });
        }
        if mixed {
            variants.push(Variant {
                name: "mixed".to_owned(),
                schema: Schema::of(Type::Any),
                guard: Keywords::default(),
                docs: model::Docs::described(
                    "Members of several alternatives at once: JSON that is checked.",
                ),
            });
        }
        Some(Shape::Union(Union { variants, shape: self.shape_of(id, Place::Top) }))
    }

    /// What tells each alternative from those behind it, and whether a value may be none of them alone.
    fn guards(&mut self, id: SchemaId, choice: &Choice, tags: Option<&Tags<'_>>) -> (Vec<Keywords>, bool) {
        if let Some(tags) = tags {
            let guards = choice.alternatives.iter().map(|one| tagged(tags, one.written));
            return (guards.collect(), false);
        }
        let heads = self.heads(choice);
        let overlaps: Vec<(usize, usize)> = overlaps(&heads, choice.exactly_one).collect();
        if let Some(first) = overlaps.first() {
            self.report_overlap(id, choice, &heads, *first);
        }
        let mut overlapping = vec![false; heads.len()];
        for at in overlaps.iter().flat_map(|(one, other)| [one, other]) {
            overlapping.get_mut(*at).into_iter().for_each(|it| *it = true);
        }
        let mixed = !choice.exactly_one
            && heads
                .iter()
                .zip(&overlapping)
                .filter(|(head, overlaps)| **overlaps && head.is_closed_object())
                .count()
                > 1;
        let last = heads.len().saturating_sub(1);
        let guards = choice.alternatives.iter().zip(&heads).zip(overlapping).enumerate();
        let guards =
            guards.map(|(at, ((alternative, head), overlaps))| match (overlaps, choice.exactly_one) {
                (false, _) if at == last && !mixed => Keywords::default(),
                (false, _) => {
                    // where a value may be of none alone, those before it do not take all of theirs
                    let others =
                        heads.iter().enumerate().filter(|(other, _)| *other > at || (mixed && *other != at));
                    head.guard(others.map(|(_, other)| other), choice.exactly_one)
                }
                (true, true) if at == last => Keywords::default(),
                (true, true) => Keywords(vec![Keyword::Ref(self.shape_of(alternative.written, Place::Part))]),
                (true, false) => Keywords(vec![Keyword::Ref(self.shape_of(alternative.schema, Place::Top))]),
            });
        (guards.collect(), mixed)
    }

    /// Remarks on a choice that has no type in Rust: of `oneOf` a value that is two is refused there as well.
    pub(super) fn choice_that_stays_json(&mut self, id: SchemaId) {
        let document = self.document;
        let Some(View::Choice(choice)) = &document.schema(id).view else { return };
        let is_told = choice.holder.is_some_and(|holder| tags(document, document.schema(holder)).is_some());
        if !choice.exactly_one || is_told || choice.alternatives.len() > MOST {
            return;
        }
        let heads = self.heads(choice);
        if let Some(first) = overlaps(&heads, true).next() {
            self.report_overlap(id, choice, &heads, first);
        }
    }

    fn heads(&self, choice: &Choice) -> Vec<Head<'d>> {
        let alternatives = choice.alternatives.iter();
        alternatives.map(|one| Head::of(self.document, one.schema, &|id| self.is_member(id))).collect()
    }

    /// Once for each choice of the document.
    fn report_overlap(
        &mut self,
        id: SchemaId,
        choice: &Choice,
        heads: &[Head<'_>],
        (one, other): (usize, usize),
    ) {
        if !self.reported_choices.insert(id) {
            return;
        }
        let named = |at: usize| {
            choice.alternatives.get(at).map_or_else(String::new, |one| name(self.document, one.written, None))
        };
        let written = self.document.schema(id);
        let place = written.beyond.first.map_or(written.place, |(_, place)| place);
        let message = format!("nothing tells `{}` from `{}`", named(one), named(other));
        let typed = [one, other].iter().all(|at| heads.get(*at).is_some_and(Head::is_typed));
        let help = match choice.exactly_one {
            true if !typed => {
                "a value that is both is refused: state the `type` of each alternative, or write `anyOf` if a value may be both"
            }
            true => {
                "a value that is both is refused: give each a required member with a `const` of its own, or a `discriminator`"
            }
            false => {
                "a value that is both is taken for the first: list the narrower one first, or give each a required member with a `const` of its own"
            }
        };
        self.findings.push(Finding::warning(Code::Overlap, message, place).help(help));
    }
}

/// The pairs of which a value may be both.
fn overlaps(heads: &[Head<'_>], exactly_one: bool) -> impl Iterator<Item = (usize, usize)> {
    let behind = move |at: usize| heads.iter().enumerate().skip(at + 1);
    heads.iter().enumerate().flat_map(move |(at, one)| {
        let overlapping = behind(at).filter(move |(_, other)| !one.is_apart(other, exactly_one));
        overlapping.map(move |(behind, _)| (at, behind))
    })
}

/// What tells an alternative from the others by the words of the member; that there is an object around it is what its
/// schema says. The default is what no other is.
fn tagged(tags: &Tags<'_>, alternative: SchemaId) -> Keywords {
    let is_one_of = |words: Vec<&String>| {
        let values = words.into_iter().cloned().map(model::Value::Text).collect();
        let declared = vec![(tags.member.to_owned(), Keywords(vec![Keyword::Enum(values)]))];
        let member = Keyword::Properties { declared, patterns: Vec::new(), others: None };
        match tags.default {
            Some(_) => Keywords(vec![Keyword::Required(vec![tags.member.to_owned()]), member]),
            None => Keywords(vec![member]), // it is there, or the schema did not hold
        }
    };
    if tags.default == Some(alternative) {
        let others = tags.words.iter().filter(|(id, _)| *id != alternative).flat_map(|(_, words)| words);
        return Keywords(vec![Keyword::Not(is_one_of(others.collect()))]);
    }
    is_one_of(tags.of(alternative).iter().collect())
}

/// What an alternative is called: as its component, its title, its word of the discriminator, its constant, the first
/// member that it requires, or its type.
fn name(document: &Document, id: SchemaId, words: Option<&[String]>) -> String {
    let mut at = id;
    for _ in 0..DEEPEST {
        if let Some(name) = document.component(at) {
            return name.value.clone();
        }
        match document.schema(at).reference {
            Some(next) => at = next,
            None => break,
        }
    }
    let written = document.schema(document.target(id));
    let title = written.docs.summary.clone().filter(|title| title.chars().any(char::is_alphanumeric));
    let constant = || {
        single(written).or_else(|| {
            let members = written.properties.iter().flatten();
            members.filter_map(|(_, member)| single(document.schema(document.target(*member)))).next()
        })
    };
    let required = || written.required.first().map(|name| name.value.clone());
    title
        .or_else(|| words.and_then(<[String]>::first).cloned())
        .or_else(constant)
        .or_else(required)
        .unwrap_or_else(|| by_type(document, written, 0))
}

/// The one word that a schema allows.
fn single(written: &Written) -> Option<String> {
    let value = match (&written.constant, &written.enumeration) {
        (Some(value), _) => value,
        (None, Some(values)) => match &*values.value {
            [only] => only,
            _ => return None,
        },
        _ => return None,
    };
    match &value.value {
        Node::String(text) => Some(text.to_string()).filter(|text| text.chars().any(char::is_alphanumeric)),
        Node::Bool(value) => Some(value.to_string()),
        Node::Number(digits) => Some(format!("value {digits}")),
        _ => None,
    }
}

fn by_type(document: &Document, written: &Written, depth: usize) -> String {
    let stated = written.types.first().map(|kind| kind.value).or_else(|| super::kind::implied(written));
    match stated {
        Some(JsonType::Array) => {
            let item = written.items.filter(|_| depth < DEEPEST).map(|item| {
                let target = document.target(item);
                document.component(target).map_or_else(
                    || by_type(document, document.schema(target), depth + 1),
                    |name| name.value.clone(),
                )
            });
            item.map_or_else(|| "array".to_owned(), |item| format!("{item} array"))
        }
        Some(kind) => kind.word().to_owned(),
        None => match &written.enumeration {
            Some(values) if values.value.iter().all(|value| value.as_str().is_some()) => "string".to_owned(),
            _ => "value".to_owned(),
        },
    }
}
