//! Where schemas stand in a document: which of its places a reference to a schema may name.
//!
//! 1. Under `schema`, `itemSchema` and `schemas`, and in the keywords of a schema that take one, several, or some by name.
//! 2. Anywhere below a member that OpenAPI does not define: an extension, or what other specifications call `definitions`.
//! 3. Nowhere else: a list of schemas, a map of them and an example are none.

use super::identity::{MAPS, SCHEMAS};
use crate::source::pointer::Pointer;
use crate::source::tree::Node;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Schema,
    /// What a keyword takes: a schema, or a list of them.
    OneOrMore,
    /// Schemas by name.
    Named,
    /// What is no schema, and may hold some.
    Elsewhere,
    /// Such things by name, or in a list.
    Names,
    /// Where nobody says what stands.
    Free,
    /// A value.
    Nothing,
}

/// Whether a schema stands there, in a document of OpenAPI.
pub(super) fn is_of_a_schema(pointer: &Pointer, target: &Node) -> bool {
    let is_defined = pointer.steps().first().is_none_or(|first| DOCUMENT.contains(&&**first));
    !is_defined || leads_to_a_schema(Place::Elsewhere, pointer, target)
}

/// The same inside of a schema.
pub(super) fn is_within_a_schema(pointer: &Pointer, target: &Node) -> bool {
    leads_to_a_schema(Place::Schema, pointer, target)
}

fn leads_to_a_schema(from: Place, pointer: &Pointer, target: &Node) -> bool {
    match pointer.steps().iter().fold(from, |place, step| place.below(step)) {
        Place::Schema | Place::Free => true,
        Place::OneOrMore => target.as_array().is_none(),
        Place::Named | Place::Elsewhere | Place::Names | Place::Nothing => false,
    }
}

impl Place {
    fn below(self, step: &str) -> Self {
        match self {
            Self::Free => Self::Free,
            Self::Nothing => Self::Nothing,
            Self::Named => Self::Schema,
            Self::Names => Self::Elsewhere,
            Self::Schema | Self::OneOrMore | Self::Elsewhere if step.starts_with("x-") => Self::Free,
            Self::OneOrMore if step.bytes().all(|byte| byte.is_ascii_digit()) => Self::Schema,
            Self::Schema | Self::OneOrMore if MAPS.contains(&step) => Self::Named,
            Self::Schema | Self::OneOrMore if SCHEMAS.contains(&step) => Self::OneOrMore,
            Self::Schema | Self::OneOrMore => Self::Nothing,
            Self::Elsewhere => match step {
                "schema" | "itemSchema" => Self::Schema,
                "schemas" => Self::Named,
                "example" | "value" | "dataValue" | "info" => Self::Nothing,
                step if NAMES.contains(&step) => Self::Names,
                _ => Self::Elsewhere,
            },
        }
    }
}

/// The members of a document (OpenAPI 3.2 section 4.1.1).
const DOCUMENT: [&str; 11] = [
    "openapi",
    "$self",
    "info",
    "jsonSchemaDialect",
    "servers",
    "paths",
    "webhooks",
    "components",
    "security",
    "tags",
    "externalDocs",
];

/// Members whose own members have names of the document's choice, or stand in a list.
const NAMES: [&str; 14] = [
    "paths",
    "webhooks",
    "pathItems",
    "additionalOperations",
    "parameters",
    "requestBodies",
    "responses",
    "headers",
    "content",
    "mediaTypes",
    "encoding",
    "callbacks",
    "examples",
    "links",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::json;

    fn is_schema(pointer: &str) -> bool {
        let target = if pointer.ends_with("allOf") { json("[]") } else { json("{}") };
        is_of_a_schema(&Pointer::parse(pointer).unwrap(), &target)
    }

    #[test]
    fn where_schemas_stand() {
        for good in [
            "/components/schemas/S",
            "/components/schemas/S/properties/x",
            "/components/schemas/S/properties/example",
            "/components/schemas/S/items",
            "/components/schemas/S/items/0",
            "/components/schemas/S/allOf/0/additionalProperties",
            "/components/schemas/S/$defs/T",
            "/components/schemas/S/x-old/T",
            "/components/parameters/schema/schema",
            "/components/headers/value/schema",
            "/paths/~1a/get/parameters/0/schema",
            "/paths/~1a/get/responses/default/content/application~1json/schema/not",
            "/paths/~1a/post/callbacks/done/{$url}/post/requestBody/content/a~1b/schema",
            "/definitions/S",
            "/x-schemas/S",
        ] {
            assert!(is_schema(good), "{good}");
        }
        for bad in [
            "",
            "/paths",
            "/info/contact",
            "/components",
            "/components/schemas",
            "/components/schemas/S/properties",
            "/components/schemas/S/allOf",
            "/components/schemas/S/default",
            "/components/schemas/S/example",
            "/components/schemas/S/enum/0",
            "/components/schemas/S/example/properties/x",
            "/components/responses/R/content",
            "/components/examples/E/value",
            "/paths/~1a/get/parameters/0",
        ] {
            assert!(!is_schema(bad), "{bad}");
        }
    }
}
