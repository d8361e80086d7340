//! What follows from all schemas together: where each reference ends, what is `readOnly` or `writeOnly` by what it is
//! composed of, what has a default, and what declares members somewhere. It is found for all of them at once: asked of each anew, a chain
//! of schemas would be walked from every one of its links.

use super::{JsonType, Schema, SchemaId};

/// What was found, by the position of the schema. Those that were added later refer to nothing.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    pub(super) ends: Vec<End>,
    pub(super) read_only: Vec<bool>,
    pub(super) write_only: Vec<bool>,
    pub(super) declares: Vec<bool>,
    /// Whether it has a default, or a schema that certainly holds of it does.
    pub(super) defaulted: Vec<bool>,
}

/// Where a reference leads in the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) target: SchemaId,
    /// Whether a reference on the way says `nullable` (3.0).
    pub(crate) widened: bool,
    /// Whether `null` is an alternative of its own on the way, the target included.
    pub(crate) or_null: bool,
    /// How many references lead there.
    pub(crate) links: u32,
}

impl Derived {
    pub(super) fn of(schemas: &[Schema]) -> Self {
        let certain = |schema: &Schema| -> Vec<SchemaId> {
            schema.reference.into_iter().chain(schema.beyond.certain()).collect()
        };
        let applied = |schema: &Schema| -> Vec<SchemaId> {
            schema.reference.into_iter().chain(schema.beyond.in_place()).collect()
        };
        // annotations add up over what is applied to one value (JSON Schema 2020-12 section 7.7)
        let holders = holders(schemas, certain);
        // a list whose items never go one way could go it empty at most, and is not what is meant by them
        let of_lists =
            self::holders(schemas, |schema| certain(schema).into_iter().chain(items(schema)).collect());
        let ends = ends(schemas);
        let choices = Choices::of(schemas, &ends);
        Self {
            read_only: spread(schemas, &of_lists, choices.clone(), |schema| schema.read_only.is_some()),
            write_only: spread(schemas, &of_lists, choices, |schema| schema.write_only.is_some()),
            ends,
            defaulted: spread(schemas, &holders, Choices::default(), |schema| schema.default.is_some()),
            declares: spread(
                schemas,
                &self::holders(schemas, applied),
                Choices::default(),
                Schema::declares_members,
            ),
        }
    }
}

/// Where the reference of each schema ends. References that lead back to themselves end where the circle was entered.
pub(super) fn ends(schemas: &[Schema]) -> Vec<End> {
    let mut ends: Vec<Option<End>> = vec![None; schemas.len()];
    let mut seen = vec![false; schemas.len()];
    for (start, _) in schemas.iter().enumerate() {
        let mut way = Vec::new();
        let mut at = start;
        while let (Some(None), Some(schema)) = (ends.get(at), schemas.get(at)) {
            let again = seen.get_mut(at).is_some_and(|seen| std::mem::replace(seen, true));
            match schema.reference.filter(|_| !again) {
                Some(next) => {
                    way.push(at);
                    at = next.position();
                }
                None => {
                    let end =
                        End { target: SchemaId::at(at), widened: false, or_null: schema.or_null, links: 0 };
                    ends.get_mut(at).into_iter().for_each(|slot| *slot = Some(end));
                }
            }
        }
        let mut end = ends.get(at).copied().flatten();
        for step in way.into_iter().rev().filter(|step| *step != at) {
            end = end.zip(schemas.get(step)).map(|(end, schema)| End {
                widened: end.widened || schema.nullable,
                or_null: end.or_null || schema.or_null,
                links: end.links.saturating_add(1),
                ..end
            });
            ends.get_mut(step).into_iter().for_each(|slot| *slot = end);
        }
    }
    let itself = |at| End { target: SchemaId::at(at), widened: false, or_null: false, links: 0 };
    ends.into_iter().enumerate().map(|(at, end)| end.unwrap_or_else(|| itself(at))).collect()
}

/// What every item is, of a schema that is a list and nothing else.
fn items(schema: &Schema) -> Option<SchemaId> {
    let is_list = schema.types.iter().all(|kind| kind.value == JsonType::Array);
    schema.items.filter(|_| is_list && schema.beyond.prefix_items.is_empty())
}

/// Who holds each schema.
fn holders(schemas: &[Schema], held: impl Fn(&Schema) -> Vec<SchemaId>) -> Vec<Vec<usize>> {
    let mut holders = vec![Vec::new(); schemas.len()];
    for (at, schema) in schemas.iter().enumerate() {
        for id in held(schema) {
            holders.get_mut(id.position()).into_iter().for_each(|list: &mut Vec<usize>| list.push(at));
        }
    }
    holders
}

/// The choices of all schemas, for what a choice says where each of its alternatives does.
#[derive(Clone, Default)]
struct Choices {
    /// Whose each is, and how many of its alternatives do not say it yet.
    all: Vec<(usize, usize)>,
    /// The choices that each schema is an alternative of.
    of: Vec<Vec<usize>>,
}

impl Choices {
    fn of(schemas: &[Schema], ends: &[End]) -> Self {
        let mut choices = Self { all: Vec::new(), of: vec![Vec::new(); schemas.len()] };
        // one that nothing but `null` satisfies says nothing of a value
        let is_null = |id: &SchemaId| {
            let end = ends.get(id.position()).and_then(|end| schemas.get(end.target.position()));
            end.is_some_and(Schema::is_only_null)
        };
        for (at, schema) in schemas.iter().enumerate() {
            for list in [&schema.beyond.one_of, &schema.beyond.any_of] {
                let others: Vec<&SchemaId> = list.iter().filter(|id| !is_null(id)).collect();
                if list.len() < 2 || others.is_empty() {
                    continue;
                }
                for alternative in &others {
                    let of = choices.of.get_mut(alternative.position());
                    of.into_iter().for_each(|of| of.push(choices.all.len()));
                }
                choices.all.push((at, others.len()));
            }
        }
        choices
    }

    /// The holders of the choices whose last alternative this was.
    fn whole_by(&mut self, alternative: usize) -> Vec<usize> {
        let mut whole = Vec::new();
        for choice in self.of.get(alternative).into_iter().flatten() {
            if let Some((holder, left)) = self.all.get_mut(*choice) {
                *left = left.saturating_sub(1);
                whole.extend((*left == 0).then_some(*holder));
            }
        }
        whole
    }
}

/// The schemas of which this is true, whoever holds them, and the choices that have no other alternatives.
fn spread(
    schemas: &[Schema],
    holders: &[Vec<usize>],
    mut choices: Choices,
    is: impl Fn(&Schema) -> bool,
) -> Vec<bool> {
    let mut found = vec![false; schemas.len()];
    let mut waiting: Vec<usize> =
        schemas.iter().enumerate().filter(|(_, schema)| is(schema)).map(|(at, _)| at).collect();
    while let Some(at) = waiting.pop() {
        if let Some(found) = found.get_mut(at)
            && !std::mem::replace(found, true)
        {
            waiting.extend(holders.get(at).into_iter().flatten());
            waiting.extend(choices.whole_by(at));
        }
    }
    found
}
