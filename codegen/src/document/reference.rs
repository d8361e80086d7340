//! References between schemas, and what schemas are known by.

use super::extension::is_extension;
use super::schema::Schema;
use super::{Fields, Reader, SchemaId};
use crate::finding::{Code, Finding};
use crate::normalise::Version;
use crate::source::pointer::percent_decode;
use crate::source::tree::{Node, Value};

impl<'d> Reader<'d> {
    /// `$ref`, or an `allOf` of one `$ref`: what the tools of 3.0 write to put prose beside a reference.
    pub(super) fn referenced(
        &mut self,
        node: &'d Node,
        fields: &mut Fields<'d>,
        schema: &mut Schema,
    ) -> bool {
        let Some((holder, reference)) = self.reference(fields) else { return false };
        schema.reference_place = reference.place;
        schema.default = fields.get("default").map(|member| member.node.clone());
        schema.reference = self.followed(node, holder, reference);
        if holder == "allOf" && self.version == Version::V30 {
            schema.nullable = self.boolean(fields, "nullable").is_some_and(|flag| flag.value);
            schema.or_null = schema.nullable;
        }
        let (newer, id) = (self.version == Version::V31, self.draft.id());
        if let Some(member) = fields.members().iter().find(|member| &*member.key == "nullable")
            && newer
            && holder == "allOf"
            && let Some(finding) = self.undefined(fields, member)
        {
            self.push(finding);
        }
        let lone = !newer || self.draft.has_lone_references();
        if lone && holder == "$ref" {
            self.meant_all_the_same(fields);
        }
        let free = |key: &str| {
            FREE_BESIDE.contains(&key)
                || (newer && (IDENTITY.contains(&key) || key == id))
                || key == holder
                || (holder == "allOf" && key == "nullable")
                || (is_extension(key) && key != "x-palisade")
        };
        let beside = fields.members().iter().any(|member| !free(&member.key));
        if !beside || lone {
            let extensions = fields.members().iter().filter(|member| is_extension(&member.key));
            extensions.for_each(|member| self.extension(member, "a schema"));
        }
        match lone {
            _ if !beside => true,
            // JSON Schema 2020-12 section 8.2.3.1: a reference is one assertion among others
            false => {
                schema.beyond.reference = schema.reference.take();
                fields.accept(&[holder]);
                false
            }
            true => {
                self.without_effect(fields, free);
                true
            }
        }
    }

    /// OpenAPI 3.0.3 section 4.7.23, and JSON Schema up to draft-07 (core, section 8.3): siblings of `$ref` are ignored. What
    /// protects something is not ignored.
    fn without_effect(&mut self, fields: &Fields<'d>, free: impl Fn(&str) -> bool) {
        let ignored =
            fields.members().iter().filter(|member| !free(&member.key) && !is_extension(&member.key));
        for member in ignored {
            let message = format!(
                "`{}` beside a reference has no effect in {}",
                member.key,
                self.dialect_of_references()
            );
            let help = "state the keyword at the schema it refers to, or write `allOf: [{ $ref: .. }]`";
            let finding = match is_keyword(&member.key) {
                true => Finding::warning(Code::KeywordWithoutEffect, message, member.key_place),
                false => Finding::error(Code::KeywordWithoutEffect, message, member.key_place),
            };
            self.push(finding.help(help));
        }
    }

    /// Remarks on siblings that are ignored by the same rules and count here: documents mean them, and they protect a member
    /// or fill it.
    fn meant_all_the_same(&mut self, fields: &Fields<'d>) {
        let meant = ["readOnly", "writeOnly", "default"];
        for member in fields.members().iter().filter(|member| meant.contains(&&*member.key)) {
            let dialect = self.dialect_of_references();
            let message =
                format!("`{}` beside a reference has no effect in {dialect}, but has one here", member.key);
            let finding = Finding::warning(Code::KeywordWithoutEffect, message, member.key_place);
            self.push(finding.help(
                "write `allOf: [{ $ref: .. }]` instead of the `$ref`, so that every reader takes it so",
            ));
        }
    }

    fn dialect_of_references(&self) -> &'static str {
        match self.version {
            Version::V30 => "OpenAPI 3.0",
            Version::V31 => "the draft that `$schema` states",
        }
    }

    /// The first reference, and the keyword that holds it.
    fn reference(&self, fields: &mut Fields<'d>) -> Option<(&'static str, &'d Node)> {
        if let Some(member) = fields.get("$ref") {
            return Some(("$ref", &member.node));
        }
        let is_keyword = self.version == Version::V31 && !self.draft.lacks("$dynamicRef");
        match fields.peek("$dynamicRef").filter(|_| is_keyword) {
            Some(node) => Some(("$dynamicRef", node)),
            None => Some(("allOf", single_reference(fields)?)),
        }
    }

    /// A `$dynamicRef` beside a `$ref`.
    pub(super) fn second_reference(&mut self, node: &'d Node, fields: &mut Fields<'d>) -> Option<SchemaId> {
        fields.peek("$ref").filter(|_| self.version == Version::V31)?;
        let second = fields.get("$dynamicRef")?;
        self.followed(node, "$dynamicRef", &second.node)
    }

    fn followed(&mut self, node: &'d Node, holder: &str, reference: &'d Node) -> Option<SchemaId> {
        match self.identities.follow(node, reference) {
            Ok(target) if holder == "$dynamicRef" => {
                let target = self.in_scope(target, reference).unwrap_or(target);
                Some(self.schema(target))
            }
            Ok(target) => Some(self.schema(target)),
            Err(finding) => {
                self.push(*finding);
                None
            }
        }
    }

    /// JSON Schema 2020-12, core, section 8.2.3.2: where the reference leads to a dynamic anchor, the outermost of that name
    /// is meant; anywhere else it is as any reference.
    fn in_scope(&self, target: &'d Node, reference: &Node) -> Option<&'d Node> {
        let (_, fragment) = reference.as_str()?.split_once('#')?;
        let name = percent_decode(fragment)?;
        let anchor = self.identities.dynamic_anchor(target, &name)?;
        if std::ptr::eq(anchor, target) { self.scopes.outermost(self.scope, &name) } else { None }
    }

    /// Names count where schemas stand (see `resolve/identity.rs`). Where one stands elsewhere and is referred to all the
    /// same, what it is known by would be passed over.
    pub(super) fn identified(&mut self, node: &Node, fields: &Fields<'d>) {
        if self.version == Version::V30 || self.identities.knows(node) {
            return;
        }
        for keyword in ["$id", "$dynamicAnchor", "$dynamicRef"] {
            let Some(found) = fields.peek(keyword) else { continue };
            if keyword != "$id" || holds_reference(node) {
                let message = format!("`{keyword}` in a schema that stands where schemas do not stand");
                let finding = Finding::error(Code::NotSupported, message, found.place);
                self.push(finding.help("move the schema to `components/schemas`"));
            }
        }
    }
}

/// What may stand beside a reference and asserts nothing. `readOnly` and `writeOnly` are about the member, not its schema.
const FREE_BESIDE: [&str; 12] = [
    "title",
    "description",
    "summary",
    "deprecated",
    "example",
    "examples",
    "$comment",
    "externalDocs",
    "xml",
    "readOnly",
    "writeOnly",
    "default",
];

/// What a schema is known by, and what it keeps for others.
const IDENTITY: [&str; 6] = ["$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "definitions"];

/// Keywords whose being ignored loses no protection that the standard gives.
fn is_keyword(key: &str) -> bool {
    const KEYWORDS: [&str; 28] = [
        "type",
        "nullable",
        "enum",
        "default",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "allOf",
        "oneOf",
        "anyOf",
        "not",
        "discriminator",
        "const",
    ];
    KEYWORDS.contains(&key)
}

fn holds_reference(node: &Node) -> bool {
    match &node.value {
        Value::Object(object) => {
            object.get("$ref").is_some()
                || object.members().iter().any(|member| holds_reference(&member.node))
        }
        Value::Array(items) => items.iter().any(holds_reference),
        _ => false,
    }
}

/// The `$ref` inside `allOf: [{ $ref: .. }]` where only prose stands beside `allOf`.
fn single_reference<'n>(fields: &Fields<'n>) -> Option<&'n Node> {
    let [only] = fields.peek("allOf")?.as_array()? else { return None };
    let object = only.as_object()?;
    let all_prose = fields.members().iter().all(|member| {
        let key = &*member.key;
        key == "allOf"
            || key == "nullable"
            || FREE_BESIDE.contains(&key)
            || (is_extension(key) && key != "x-palisade")
    });
    if object.members().len() == 1 && all_prose { only.get("$ref") } else { None }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::finding::Code;
    use crate::front::understand;
    use crate::source::Source;

    /// Each schema leads to two, each of which declares an anchor: the ways to the last one double with every step.
    fn chain(steps: usize) -> String {
        let mut schemas = String::new();
        for step in 0..steps {
            let next = match step + 1 == steps {
                true => r##""items":{"$dynamicRef":"https://x.org/a0#n0"}"##.to_owned(),
                false => format!(r#""anyOf":[{{"$ref":"a{0}"}},{{"$ref":"b{0}"}}]"#, step + 1),
            };
            for name in ["a", "b"] {
                let anchor = format!(r#""$defs":{{"d":{{"$dynamicAnchor":"n{step}"}}}}"#);
                write!(schemas, r#","{name}{step}":{{"$id":"https://x.org/{name}{step}",{next},{anchor}}}"#)
                    .unwrap();
            }
        }
        let schemas = schemas.trim_start_matches(',');
        format!(
            r#"{{"openapi":"3.1.0","info":{{"title":"T","version":"1"}},"paths":{{}},"components":{{"schemas":{{{schemas}}}}}}}"#
        )
    }

    #[test]
    fn ways_to_a_dynamic_reference_are_bounded() {
        assert!(understand(&Source::text("a.json", chain(6))).is_ok());
        let findings = understand(&Source::text("a.json", chain(40))).unwrap_err();
        assert!(findings.iter().all(|finding| finding.code() == Code::NotSupported));
    }
}
