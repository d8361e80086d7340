//! The keywords of a schema that no type of Rust says: composition, conditions, and what looks at names or counts.

use super::schema::SchemaId;
use super::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::normalise::Version;
use crate::source::span::Place;
use crate::source::tree::{Member, Node};

/// What a schema says beyond its type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beyond {
    /// A `$ref` with assertions beside it (3.1): one more schema that must hold.
    pub(crate) reference: Option<SchemaId>,
    pub(crate) all_of: Vec<SchemaId>,
    pub(crate) any_of: Vec<SchemaId>,
    pub(crate) one_of: Vec<SchemaId>,
    pub(crate) not: Option<SchemaId>,
    pub(crate) condition: Option<SchemaId>,
    pub(crate) then: Option<SchemaId>,
    pub(crate) otherwise: Option<SchemaId>,
    pub(crate) discriminator: Option<Discriminator>,
    pub(crate) pattern_properties: Vec<(Spanned<String>, SchemaId)>,
    pub(crate) property_names: Option<SchemaId>,
    pub(crate) dependent_required: Vec<(String, Vec<String>)>,
    pub(crate) dependent_schemas: Vec<(String, SchemaId)>,
    pub(crate) unevaluated_properties: Option<SchemaId>,
    pub(crate) prefix_items: Vec<SchemaId>,
    pub(crate) contains: Option<SchemaId>,
    pub(crate) min_contains: Option<Spanned<u64>>,
    pub(crate) max_contains: Option<Spanned<u64>>,
    pub(crate) unevaluated_items: Option<SchemaId>,
    /// The first of these keywords that is there.
    pub(crate) first: Option<(&'static str, Place)>,
}

/// `discriminator`
#[derive(Clone, Debug)]
pub(crate) struct Discriminator {
    pub(crate) property: Spanned<String>,
    pub(crate) mapping: Vec<(Spanned<String>, SchemaId)>,
    /// `defaultMapping` (OpenAPI 3.2): what is meant where the member is absent, or its word means nothing.
    pub(crate) default: Option<Spanned<SchemaId>>,
    /// Whether what is meant where the member is absent must be said: since OpenAPI 3.2.
    pub(crate) absence_is_told: bool,
}

impl Beyond {
    /// The schemas that are applied to the same value, whatever else holds.
    pub(crate) fn in_place(&self) -> impl Iterator<Item = SchemaId> {
        let lists = [&self.all_of, &self.any_of, &self.one_of];
        let single = [self.reference, self.then, self.otherwise, self.condition];
        let dependent = self.dependent_schemas.iter().map(|(_, id)| *id);
        lists.into_iter().flatten().copied().chain(single.into_iter().flatten()).chain(dependent)
    }

    /// The schemas that hold whatever else does: a reference, those of `allOf`, and a choice of one.
    pub(crate) fn certain(&self) -> impl Iterator<Item = SchemaId> {
        let one = |list: &'_ Vec<SchemaId>| match list.as_slice() {
            // with a discriminator even a choice of one asks for its word
            [only] if self.discriminator.is_none() => Some(*only),
            _ => None,
        };
        let choices = [one(&self.one_of), one(&self.any_of)];
        self.reference.into_iter().chain(self.all_of.iter().copied()).chain(choices.into_iter().flatten())
    }

    /// Takes them out.
    pub(crate) fn take_certain(&mut self) -> Vec<SchemaId> {
        let certain = self.certain().collect();
        self.reference = None;
        self.all_of.clear();
        for list in [&mut self.one_of, &mut self.any_of] {
            if list.len() == 1 && self.discriminator.is_none() {
                list.clear();
            }
        }
        certain
    }

    /// Whether nothing is said. Whoever adds a keyword has to say here whether it counts.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            reference,
            all_of,
            any_of,
            one_of,
            not,
            condition,
            then,
            otherwise,
            // of no alternatives it chooses nothing
            discriminator: _,
            pattern_properties,
            property_names,
            dependent_required,
            dependent_schemas,
            unevaluated_properties,
            prefix_items,
            contains,
            // of nothing that is contained they count nothing
            min_contains: _,
            max_contains: _,
            unevaluated_items,
            first: _,
        } = self;
        let single = [
            reference,
            not,
            condition,
            then,
            otherwise,
            property_names,
            unevaluated_properties,
            contains,
            unevaluated_items,
        ];
        let lists = [all_of, any_of, one_of, prefix_items];
        single.into_iter().all(Option::is_none)
            && lists.into_iter().all(Vec::is_empty)
            && pattern_properties.is_empty()
            && dependent_required.is_empty()
            && dependent_schemas.is_empty()
    }

    /// Every schema inside.
    pub(crate) fn all(&self) -> impl Iterator<Item = SchemaId> {
        let single = [
            self.not,
            self.property_names,
            self.unevaluated_properties,
            self.contains,
            self.unevaluated_items,
        ];
        let patterns = self.pattern_properties.iter().map(|(_, id)| *id);
        self.in_place()
            .chain(single.into_iter().flatten())
            .chain(patterns)
            .chain(self.prefix_items.iter().copied())
    }
}

impl<'d> Reader<'d> {
    /// The keywords that both versions have, then those of JSON Schema 2020-12.
    pub(super) fn beyond(&mut self, node: &Node, fields: &mut Fields<'d>) -> Beyond {
        let mut beyond = Beyond {
            all_of: self.schema_list(fields, "allOf"),
            any_of: self.schema_list(fields, "anyOf"),
            one_of: self.schema_list(fields, "oneOf"),
            not: self.schema_of(fields, "not"),
            discriminator: self.discriminator(node, fields),
            ..Beyond::default()
        };
        if self.version == Version::V31 {
            self.newer(fields, &mut beyond);
        }
        const KEYWORDS: [&str; 18] = [
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "patternProperties",
            "propertyNames",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "unevaluatedProperties",
            "prefixItems",
            "contains",
            "minContains",
            "maxContains",
            "unevaluatedItems",
        ];
        let known = if self.version == Version::V31 { KEYWORDS.len() } else { 4 };
        let positional = self.has_positional_items(fields).then_some("items");
        beyond.first = KEYWORDS.into_iter().take(known).chain(positional).find_map(|keyword| {
            let member = fields.members().iter().find(|member| &*member.key == keyword)?;
            Some((keyword, member.key_place))
        });
        beyond
    }

    fn newer(&mut self, fields: &mut Fields<'d>, beyond: &mut Beyond) {
        beyond.condition = self.schema_of(fields, "if");
        beyond.then = self.schema_of(fields, "then");
        beyond.otherwise = self.schema_of(fields, "else");
        let patterns = self.schema_map(fields, "patternProperties");
        beyond.pattern_properties = patterns
            .into_iter()
            .map(|(member, id)| (Spanned::new(member.key.to_string(), member.key_place), id))
            .collect();
        beyond.property_names = self.schema_of(fields, "propertyNames");
        beyond.dependent_required = self.dependent_required(fields);
        let dependent = self.schema_map(fields, "dependentSchemas");
        beyond.dependent_schemas =
            dependent.into_iter().map(|(member, id)| (member.key.to_string(), id)).collect();
        self.dependencies(fields, beyond);
        beyond.unevaluated_properties = self.schema_of(fields, "unevaluatedProperties");
        let prefix = if self.has_positional_items(fields) { "items" } else { "prefixItems" };
        beyond.prefix_items = self.schema_list(fields, prefix);
        beyond.contains = self.schema_of(fields, "contains");
        beyond.min_contains = self.count(fields, "minContains");
        beyond.max_contains = self.count(fields, "maxContains");
        beyond.unevaluated_items = self.schema_of(fields, "unevaluatedItems");
    }

    fn schema_of(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Option<SchemaId> {
        fields.get(key).map(|member| self.schema(&member.node))
    }

    fn schema_list(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Vec<SchemaId> {
        let Some((nodes, place)) = self.array(fields, key) else { return Vec::new() };
        if nodes.is_empty() {
            let message = format!("an empty `{key}` says nothing");
            self.push(
                Finding::error(Code::InvalidValue, message, place).help("list schemas, or leave it out"),
            );
        }
        nodes.iter().map(|node| self.schema(node)).collect()
    }

    fn schema_map(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Vec<(&'d Member, SchemaId)> {
        if fields.peek(key).is_none() {
            return Vec::new();
        }
        self.map(fields, key).into_iter().map(|member| (member, self.schema(&member.node))).collect()
    }

    fn dependent_required(&mut self, fields: &mut Fields<'d>) -> Vec<(String, Vec<String>)> {
        if fields.peek("dependentRequired").is_none() {
            return Vec::new();
        }
        let members = self.map(fields, "dependentRequired");
        let mut all = Vec::new();
        for member in members {
            let Some(names) = member.node.as_array() else {
                self.wrong_type(&member.key, "an array of names", &member.node);
                continue;
            };
            let names = names.iter().filter_map(|name| self.text("dependentRequired", name));
            all.push((member.key.to_string(), names.map(|name| name.value).collect()));
        }
        all
    }

    /// What draft 2019-09 split in two, and 2020-12 leaves to implementations (validation, appendix A).
    fn dependencies(&mut self, fields: &mut Fields<'d>, beyond: &mut Beyond) {
        if fields.peek("dependencies").is_none() {
            return;
        }
        for member in self.map(fields, "dependencies") {
            let name = member.key.to_string();
            match member.node.as_array() {
                Some(names) => {
                    let names = names.iter().filter_map(|name| self.text("dependencies", name));
                    let names = names.map(|name| name.value).collect();
                    beyond.dependent_required.push((name, names));
                }
                None => beyond.dependent_schemas.push((name, self.schema(&member.node))),
            }
        }
    }

    /// OpenAPI 3.1 section 4.8.25. Without `oneOf` or `anyOf` beside it, it is one of inheritance.
    fn discriminator(&mut self, schema: &Node, fields: &mut Fields<'d>) -> Option<Discriminator> {
        let node = &fields.get("discriminator")?.node;
        let mut inner = self.fields(node, "a discriminator")?;
        let property = self.required_string(&mut inner, "propertyName");
        let mut mapping = Vec::new();
        if inner.peek("mapping").is_some() {
            for member in self.map(&mut inner, "mapping") {
                if let Some(target) = self.mapped(schema, "mapping", &member.node) {
                    let word = Spanned::new(member.key.to_string(), member.key_place);
                    mapping.push((word, self.schema(target)));
                }
            }
        }
        let default = self.default_mapping(schema, &mut inner);
        self.finish(inner);
        Some(Discriminator { property: property?, mapping, default, absence_is_told: self.since_3_2 })
    }

    fn default_mapping(&mut self, schema: &Node, fields: &mut Fields<'d>) -> Option<Spanned<SchemaId>> {
        if !self.since_3_2 {
            return None; // a member that is not defined
        }
        let node = &fields.get("defaultMapping")?.node;
        let target = self.mapped(schema, "defaultMapping", node)?;
        Some(Spanned::new(self.schema(target), node.place))
    }

    /// The name of a component, or a reference from the schema that has the discriminator.
    fn mapped(&mut self, schema: &Node, key: &'static str, node: &'d Node) -> Option<&'d Node> {
        let name = self.text(key, node)?;
        let is_name = !name.value.contains(['#', '/']);
        match self.library.component(node.place.file, &name.value).filter(|_| is_name) {
            Some(component) => Some(component),
            None if is_name && !name.value.contains('.') => {
                let message = format!("`{key}` leads to `{}`, and there is no such schema", name.value);
                let finding = Finding::error(Code::UnresolvedReference, message, node.place);
                self.push(finding.help("write the name of a schema, or a reference to one"));
                None
            }
            None => match self.identities.follow(schema, node) {
                Ok(target) => Some(target),
                Err(finding) => {
                    self.push(*finding);
                    None
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code;
    use crate::front::understand;
    use crate::source::Source;

    fn mapped_to(target: &str) -> Result<(), Code> {
        let text = format!(
            "openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n    Pet:\n      oneOf: [{{ $ref: '#/components/schemas/Cat' }}, {{ $ref: 'https://example.com/schemas/monster' }}]\n      discriminator: {{ propertyName: kind, mapping: {{ cat: '#/components/schemas/Cat', monster: '{target}' }} }}\n    Cat: {{ type: object, required: [kind], properties: {{ kind: {{ type: string }} }} }}\n    Monster: {{ $id: 'https://example.com/schemas/monster', $anchor: m, type: object, required: [kind], properties: {{ kind: {{ type: string }} }} }}\n"
        );
        match understand(&Source::text("a.yaml", text)) {
            Ok(_) => Ok(()),
            Err(findings) => Err(findings.iter().next().unwrap().code()),
        }
    }

    /// As a `$ref` in the same place would (OpenAPI 3.2 section 4.25.3).
    #[test]
    fn mappings_lead_where_references_do() {
        for target in [
            "Monster",
            "#/components/schemas/Monster",
            "https://example.com/schemas/monster",
            "https://example.com/schemas/monster#m",
        ] {
            assert_eq!(mapped_to(target), Ok(()), "{target}");
        }
        assert_eq!(mapped_to("https://example.com/schemas/ghost"), Err(Code::ForeignReference));
        assert_eq!(mapped_to("Ghost"), Err(Code::UnresolvedReference));
    }
}
