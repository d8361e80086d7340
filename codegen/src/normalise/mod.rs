//! 3.0, 3.1 and older drafts of JSON Schema in one form, without loss: versions, types with `null`, bounds.

mod alias;
mod both;
mod draft;
mod inheritance;
mod listed;
pub(crate) mod merge;
pub(crate) mod number;
pub(crate) mod standing;
mod view;

use crate::document::{Fields, JsonType, Reader, Schema, Spanned};
use crate::finding::{Code, Finding};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};
pub(crate) use draft::Draft;
use number::Decimal;

/// The forms that are understood. 3.2 has that of 3.1, with more members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V30,
    V31,
}

/// The version that a document states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) version: Version,
    pub(crate) since_3_2: bool,
    /// The full version, when the document states half of one: `3.1`.
    pub(crate) meant: Option<&'static str>,
}

impl Stated {
    /// Reads `3.1.0`; patch releases change nothing. The error is the message of the finding.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let numbers: Vec<Option<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
        let (version, since_3_2, full) = match numbers.get(..2) {
            Some([Some(3), Some(0)]) => (Version::V30, false, "3.0.4"),
            Some([Some(3), Some(1)]) => (Version::V31, false, "3.1.1"),
            Some([Some(3), Some(2)]) => (Version::V31, true, "3.2.0"),
            _ => return Err(format!("`{text}` is not a version of OpenAPI that is supported")),
        };
        match numbers.get(2..) {
            Some([Some(_)]) => Ok(Self { version, since_3_2, meant: None }),
            Some([]) => Ok(Self { version, since_3_2, meant: Some(full) }),
            _ => Err(format!("`{text}` is not a version of OpenAPI that is supported")),
        }
    }
}

/// Whether schemas of this dialect mean what they mean here: another could give the keywords another meaning.
pub(crate) fn is_known_dialect(uri: &str) -> bool {
    let uri = uri.trim_end_matches('#');
    let dated = ["https://spec.openapis.org/oas/3.1/dialect/", "https://spec.openapis.org/oas/3.2/dialect/"];
    Draft::stated(uri).is_some() || dated.iter().any(|base| uri.starts_with(base))
}

/// Bounds of a number, exact, each with its place. 3.0's boolean exclusives are resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) minimum: Option<Spanned<Bound>>,
    pub(crate) maximum: Option<Spanned<Bound>>,
    pub(crate) exclusive_minimum: Option<Spanned<Bound>>,
    pub(crate) exclusive_maximum: Option<Spanned<Bound>>,
    pub(crate) multiple_of: Option<Spanned<Bound>>,
}

/// A number as written, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) text: String,
    pub(crate) value: Decimal,
}

impl Bounds {
    /// The first bound that is stated.
    pub(crate) fn any(&self) -> Option<(&'static str, Place)> {
        [
            ("minimum", &self.minimum),
            ("maximum", &self.maximum),
            ("exclusiveMinimum", &self.exclusive_minimum),
            ("exclusiveMaximum", &self.exclusive_maximum),
            ("multipleOf", &self.multiple_of),
        ]
        .into_iter()
        .find_map(|(name, bound)| bound.as_ref().map(|bound| (name, bound.place)))
    }
}

impl<'d> Reader<'d> {
    /// `type` (3.1: or an array of types, `null` among them) and 3.0's `nullable`.
    pub(crate) fn types(&mut self, fields: &mut Fields<'d>, schema: &mut Schema) {
        if let Some(member) = fields.get("type") {
            match (&member.node.value, self.version) {
                (Value::Array(words), Version::V31) => {
                    for word in words {
                        self.one_type(word, schema);
                    }
                    if words.is_empty() {
                        let message = "an empty list of types allows nothing";
                        let finding = Finding::error(Code::Contradiction, message, member.node.place);
                        self.push(finding.help("name a type, or leave `type` out"));
                    }
                }
                (Value::Array(_), Version::V30) => {
                    let finding = Finding::error(
                        Code::WrongType,
                        "`type` is one word in OpenAPI 3.0",
                        member.node.place,
                    );
                    self.push(
                        finding.help(
                            "write `nullable: true` for `null`, or move the document to `openapi: 3.1.0`",
                        ),
                    );
                }
                _ => self.one_type(&member.node, schema),
            }
        }
        if self.version == Version::V30 {
            let nullable = self.boolean(fields, "nullable");
            if let Some(flag) = nullable.filter(|flag| flag.value) {
                // OpenAPI 3.0.3 section 4.7.24.1: it widens a `type`. Documents write it beside what implies one as well,
                // and mean the same; and beside a composition that the whole may be `null`, whatever its branches say.
                let widens = ["allOf", "oneOf", "anyOf", "properties", "items", "additionalProperties"];
                let typed = !schema.types.is_empty() || widens.iter().any(|word| fields.peek(word).is_some());
                let moot = ["enum", "format", "pattern"].iter().any(|word| fields.peek(word).is_some());
                if typed {
                    schema.nullable = true;
                    schema.widens = true;
                    let composed = ["allOf", "oneOf", "anyOf"].iter().any(|word| fields.peek(word).is_some());
                    let lists = ["enum", "const"].iter().any(|word| fields.peek(word).is_some());
                    schema.or_null = composed && !lists;
                } else if moot {
                    let message = "`nullable` has no effect without a `type` beside it";
                    let finding = Finding::error(Code::KeywordWithoutEffect, message, flag.place);
                    self.push(finding.help("state the `type` in the same schema"));
                }
                // without any other keyword every value is allowed, `null` among them
                schema.only_nullable = !typed && !moot;
            }
        }
    }

    fn one_type(&mut self, node: &Node, schema: &mut Schema) {
        if matches!(node.value, Value::Null) && self.version == Version::V31 {
            let message = "`null` without quotes stands among the types: it is taken as the type `\"null\"`";
            self.push(Finding::warning(Code::TakenAs, message, node.place).help("put it in quotes"));
            schema.nullable = true;
            return;
        }
        let Some(word) = self.text("type", node) else { return };
        let kind = match &*word.value {
            "null" if self.version == Version::V31 => {
                schema.nullable = true;
                return;
            }
            "boolean" => JsonType::Boolean,
            "integer" => JsonType::Integer,
            "number" => JsonType::Number,
            "string" => JsonType::String,
            "array" => JsonType::Array,
            "object" => JsonType::Object,
            other => {
                let message = format!("`{other}` is no type");
                let known = ["boolean", "integer", "number", "string", "array", "object"];
                let finding = Finding::error(Code::InvalidValue, message, word.place).nearest(other, known);
                self.push(
                    finding
                        .help("the types are `boolean`, `integer`, `number`, `string`, `array` and `object`"),
                );
                return;
            }
        };
        if schema.types.iter().any(|known| known.value == kind) {
            let message = format!("the type `{}` is listed twice", word.value);
            self.push(Finding::error(Code::InvalidValue, message, word.place).help("keep one"));
            return;
        }
        schema.types.push(Spanned::new(kind, word.place));
    }

    /// `minimum` and its kin. In 3.0 and draft-04 `exclusiveMinimum: true` sharpens `minimum`; since then it is a bound of its own.
    pub(crate) fn bounds(&mut self, fields: &mut Fields<'d>) -> Bounds {
        let mut bounds = Bounds {
            minimum: self.bound(fields, "minimum"),
            maximum: self.bound(fields, "maximum"),
            multiple_of: self.bound(fields, "multipleOf"),
            ..Bounds::default()
        };
        let flags = self.version == Version::V30 || self.draft == Draft::Four;
        match flags {
            false => {
                bounds.exclusive_minimum = self.bound(fields, "exclusiveMinimum");
                bounds.exclusive_maximum = self.bound(fields, "exclusiveMaximum");
            }
            true => {
                if self.exclusive(fields, "exclusiveMinimum", "minimum", bounds.minimum.is_some()) {
                    bounds.exclusive_minimum = bounds.minimum.take();
                }
                if self.exclusive(fields, "exclusiveMaximum", "maximum", bounds.maximum.is_some()) {
                    bounds.exclusive_maximum = bounds.maximum.take();
                }
            }
        }
        if let Some(multiple) = &bounds.multiple_of
            && (multiple.value.value.is_negative() || multiple.value.value.is_zero())
        {
            let message = "`multipleOf` is greater than zero";
            let finding = Finding::error(Code::InvalidValue, message, multiple.place);
            self.push(finding.help("write the step between two values: `0.01` for cents"));
            bounds.multiple_of = None;
        }
        bounds
    }

    fn exclusive(&mut self, fields: &mut Fields<'d>, key: &'static str, beside: &str, stated: bool) -> bool {
        if let Some(node) = fields.get(key).map(|member| &member.node)
            && let Value::Number(bound) = &node.value
        {
            let message = format!("`{key}` is a boolean in OpenAPI 3.0 and in draft-04, not {}", node.kind());
            let help = format!("write `{beside}: {bound}` and `{key}: true`, or `openapi: 3.1.0`");
            self.push(Finding::error(Code::WrongType, message, node.place).help(help));
            return false;
        }
        let Some(flag) = self.boolean(fields, key).filter(|flag| flag.value) else { return false };
        if !stated {
            let message = format!("`{key}` has no effect without `{beside}`");
            let finding = Finding::warning(Code::KeywordWithoutEffect, message, flag.place);
            self.push(finding.help(format!("state `{beside}`, or remove it")));
        }
        stated
    }

    fn bound(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Option<Spanned<Bound>> {
        let node = &fields.get(key)?.node;
        let Value::Number(text) = &node.value else {
            let finding = Finding::error(
                Code::WrongType,
                format!("`{key}` is a number, not {}", node.kind()),
                node.place,
            );
            let boolean = node.as_bool().is_some() && key.starts_with("exclusive");
            self.push(finding.help(match boolean {
                true => "the boolean is of OpenAPI 3.0; since 3.1 this is the bound itself",
                false => "write the number without quotation marks",
            }));
            return None;
        };
        let Some(value) = Decimal::parse(text) else {
            let finding = Finding::error(Code::InvalidValue, format!("`{text}` is out of range"), node.place);
            self.push(finding.help("write fewer digits, or a smaller exponent"));
            return None;
        };
        Some(Spanned::new(Bound { text: text.to_string(), value }, node.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let parsed =
            |text: &str| Stated::parse(text).map(|stated| (stated.version, stated.since_3_2, stated.meant));
        assert_eq!(parsed("3.0.3"), Ok((Version::V30, false, None)));
        assert_eq!(parsed("3.1.1"), Ok((Version::V31, false, None)));
        assert_eq!(parsed("3.2.0"), Ok((Version::V31, true, None)));
        assert_eq!(parsed("3.1"), Ok((Version::V31, false, Some("3.1.1"))));
        for wrong in ["3", "3.", "2.0", "4.0.0", "3.10.0", "", "3.1.x", "3.1.0.0", "3.3.0"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dialects_of_openapi_are_known_in_every_edition() {
        for known in [
            "https://spec.openapis.org/oas/3.1/dialect/base",
            "https://spec.openapis.org/oas/3.2/dialect/2025-09-17",
        ] {
            assert!(is_known_dialect(known), "{known}");
        }
        assert!(!is_known_dialect("http://json-schema.org/draft-03/schema#"));
    }

    /// Whether a member of this schema may be `null`, by its type in Rust. `None`: it has none, and its keywords say.
    fn takes_null(component: &str, member: &str) -> Option<bool> {
        use crate::front::understand;
        use crate::model::{Shape, Type};
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n    E: {component}\n    T: {{ type: object, properties: {{ f: {member} }} }}\n"
        );
        let understood = understand(&crate::source::Source::text("a.yaml", text)).unwrap();
        let types = &understood.api.api().types;
        let object = types.iter().find_map(|(_, one)| match &one.shape {
            Shape::Object(object) => Some(object),
            _ => None,
        });
        let schema = &object.unwrap().members.first().unwrap().schema;
        let is_json = |id| matches!(types.get(id).shape, Shape::Checked(_));
        match &schema.ty {
            Type::Named(id) if is_json(*id) => None,
            _ => Some(schema.nullable),
        }
    }

    /// JSON Schema 2020-12: `null` satisfies `allOf` where it satisfies each, and an `anyOf` where it satisfies one.
    #[test]
    fn null_beside_a_list_is_no_value_of_the_list() {
        let plain = "{ $ref: '#/components/schemas/E' }";
        let or_null = "{ anyOf: [{ $ref: '#/components/schemas/E' }, { type: 'null' }] }";
        for component in ["{ type: string, enum: [a, b] }", "{ type: [string, 'null'], enum: [a, b] }"] {
            for (all, expected) in [
                (format!("allOf: [{plain}]"), Some(false)),
                (format!("type: [string, 'null'], allOf: [{plain}]"), Some(false)),
                (format!("allOf: [{or_null}]"), Some(true)),
                (format!("allOf: [{or_null}, {{ description: more }}]"), Some(true)),
                (format!("allOf: [{or_null}, {{ maxLength: 5 }}]"), Some(true)),
                (format!("allOf: [{or_null}, {or_null}]"), Some(true)),
                (format!("allOf: [{or_null}, {{ enum: [a, null] }}]"), Some(true)),
                (format!("type: [string, 'null'], allOf: [{or_null}]"), Some(true)),
                (format!("type: string, allOf: [{or_null}]"), Some(false)),
                (format!("allOf: [{or_null}, {plain}]"), Some(false)),
                (format!("allOf: [{or_null}, {{ enum: [a] }}]"), Some(false)),
                // nothing but `null`
                (format!("allOf: [{or_null}, {{ enum: [c, null] }}]"), None),
                (format!("allOf: [{or_null}, {{ type: [integer, 'null'] }}]"), None),
            ] {
                assert_eq!(takes_null(component, &format!("{{ {all} }}")), expected, "{component} {all}");
            }
        }
    }
}
