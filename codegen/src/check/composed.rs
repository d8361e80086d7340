//! What a schema is composed of, for a value of the document.

use foldhash::HashSet;

use super::value::Judge;
use crate::document::{Additional, Schema, SchemaId};
use crate::source::tree::{Node, Object, Value};

impl Judge<'_> {
    /// `allOf`, choices, conditions, and what looks at names or counts. What is unevaluated is left to the runtime.
    pub(super) fn composed(&self, schema: &Schema, node: &Node) -> Result<(), String> {
        let beyond = &schema.beyond;
        for id in beyond.reference.iter().chain(&beyond.all_of) {
            self.part(*id, node)?;
        }
        if !beyond.any_of.is_empty() {
            self.one_fits(&beyond.any_of, node)?;
        }
        if !beyond.one_of.is_empty() {
            self.one_fits(&beyond.one_of, node)?;
            let fitting = beyond.one_of.iter().filter(|id| self.part(**id, node).is_ok()).count();
            // a discriminator chooses before they are looked at
            if fitting > 1 && beyond.discriminator.is_none() {
                return Err("more than one alternative of `oneOf` allows it".into());
            }
        }
        if beyond.not.is_some_and(|id| self.satisfies(id, node)) {
            return Err("it is what `not` refuses".into());
        }
        if let Some(condition) = beyond.condition {
            let follows = if self.satisfies(condition, node) { beyond.then } else { beyond.otherwise };
            follows.map_or(Ok(()), |id| self.part(id, node))?;
        }
        match &node.value {
            Value::Array(items) => self.contained(schema, items),
            Value::Object(object) => self.names(schema, object, node),
            _ => Ok(()),
        }
    }

    fn one_fits(&self, list: &[SchemaId], node: &Node) -> Result<(), String> {
        let mut reason = None;
        for id in list {
            match self.part(*id, node) {
                Ok(()) => return Ok(()),
                Err(why) => reason = reason.or(Some(why)),
            }
        }
        match (list, reason) {
            ([_], Some(why)) => Err(why),
            _ => Err("no alternative allows it".into()),
        }
    }

    fn contained(&self, schema: &Schema, items: &[Node]) -> Result<(), String> {
        let beyond = &schema.beyond;
        let Some(contains) = beyond.contains else { return Ok(()) };
        let count = items.iter().filter(|item| self.satisfies(contains, item)).count();
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let least = beyond.min_contains.as_ref().map_or(1, |least| least.value);
        let most = beyond.max_contains.as_ref().map_or(u64::MAX, |most| most.value);
        if (least..=most).contains(&count) {
            Ok(())
        } else {
            Err("its items are not what `contains` asks for".into())
        }
    }

    fn names(&self, schema: &Schema, object: &Object, node: &Node) -> Result<(), String> {
        let beyond = &schema.beyond;
        let has = |name: &str| object.get(name).is_some();
        for (name, needs) in beyond.dependent_required.iter().filter(|(name, _)| has(name)) {
            if let Some(lacks) = needs.iter().find(|name| !has(name)) {
                return Err(format!("with `{name}` it lacks `{lacks}`"));
            }
        }
        for (_, id) in beyond.dependent_schemas.iter().filter(|(name, _)| has(name)) {
            self.part(*id, node)?;
        }
        let Some(names) = beyond.property_names else { return Ok(()) };
        for member in object.members() {
            let name = Node { value: Value::String(member.key.clone()), place: member.key_place };
            if !self.satisfies(names, &name) {
                return Err(format!("`{}` is no name that `propertyNames` allows", member.key));
            }
        }
        Ok(())
    }

    /// Whether each member is declared, where declared members close an object: it is closed over the whole of what is
    /// applied to it.
    pub(super) fn declares_all(&self, id: SchemaId, node: &Node) -> Result<(), String> {
        let Value::Object(object) = &node.value else { return Ok(()) };
        let Some(declared) = self.declared(self.document.target(id)) else { return Ok(()) };
        let unknown = object.members().iter().find(|member| {
            let is_it = |name: &Declared<'_>| match name {
                Declared::Name(name) => **name == *member.key,
                Declared::Pattern(pattern) => self.document.matches(pattern, &member.key),
            };
            !declared.iter().any(is_it)
        });
        match unknown {
            Some(member) => Err(format!("`{}` is not declared", member.key)),
            None => Ok(()),
        }
    }

    /// The members that are declared. `None`: others are let through.
    fn declared(&self, id: SchemaId) -> Option<Vec<Declared<'_>>> {
        let mut declared = Vec::new();
        let mut seen = HashSet::from_iter([id]);
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            let schema = self.document.schema(id);
            let says = matches!(
                schema.additional.as_ref().map(|additional| additional.value),
                Some(Additional::Allowed(true) | Additional::Each(_))
            );
            let open = schema.rules.open.is_some() || schema.beyond.unevaluated_properties.is_some();
            if says || open || schema.literal {
                return None;
            }
            let names = schema.properties.iter().flatten().map(|(name, _)| Declared::Name(&name.value));
            let patterns = schema.beyond.pattern_properties.iter();
            declared.extend(names.chain(patterns.map(|(pattern, _)| Declared::Pattern(&pattern.value))));
            // what is required is a member, whatever it is
            if !declared.is_empty() {
                declared.extend(schema.required.iter().map(|name| Declared::Name(&name.value)));
            }
            let inner = schema.reference.into_iter().chain(schema.beyond.in_place());
            waiting.extend(inner.filter(|id| seen.insert(*id)));
        }
        (!declared.is_empty()).then_some(declared)
    }
}

enum Declared<'d> {
    Name(&'d String),
    Pattern(&'d String),
}
