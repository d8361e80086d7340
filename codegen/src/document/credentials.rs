//! Where credentials stand, as far as an operation names their schemes.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::{Document, JsonType, Parameter, PathItem, Requirements, SchemaId, Scheme, SchemeForm};
use crate::model::{Binding, Location, Style};

/// What RFC 6750 sections 2.2 and 2.3 call a token in a form and in a query.
pub(crate) const ACCESS_TOKEN: &str = "access_token";

/// The header of a proof of possession (RFC 9449 section 4.1).
const PROOF: &str = "DPoP";

/// Notes for each operation where credentials of the schemes that it names may stand: a parameter of that name describes one
/// once more. On an operation that does not name the scheme it is a parameter like any other; but the header `Cookie` has all
/// cookies that a browser has for the server.
pub(super) fn mark_credentials(paths: &mut [PathItem], schemes: &[Scheme], security: Option<&Requirements>) {
    let by_name: HashMap<&str, &Scheme> =
        schemes.iter().map(|scheme| (&*scheme.name.value, scheme)).collect();
    let cookies = schemes.iter().flat_map(credentials).filter(|(place, _)| place == "cookie");
    let cookie = cookies.map(|(_, name)| name).next();
    for operation in paths.iter_mut().flat_map(|item| &mut item.operations) {
        let stated = operation.security.as_ref().or(security);
        let needs = stated.into_iter().flat_map(|all| &all.alternatives).flat_map(|one| &one.needs);
        let named: BTreeSet<&str> = needs.map(|need| &*need.scheme.value).collect();
        let named = named.into_iter().filter_map(|name| by_name.get(name));
        operation.credentials = named.flat_map(|scheme| credentials(scheme)).collect();
        operation.cookie.clone_from(&cookie);
    }
}

/// Where the credentials of a scheme stand beside `Authorization`.
fn credentials(scheme: &Scheme) -> Vec<(String, String)> {
    let mut places = Vec::new();
    if let SchemeForm::ApiKey { location, name } = &scheme.form {
        places.push((location.value.clone(), name.value.clone()));
    }
    if scheme.form.has_tokens() {
        // RFC 6750 section 2.3: a token in the query, which no request has beside the one in `Authorization`
        places.push(("query".to_owned(), ACCESS_TOKEN.to_owned()));
    }
    if matches!(scheme.rules.token.binding, Some(Binding::Proof { .. })) {
        places.push(("header".to_owned(), PROOF.to_owned()));
    }
    places
}

/// Notes which parameters are objects whose members stand in the request under names of their own (OpenAPI 3.1 section
/// 4.8.12.2, `explode` and `deepObject`). Once the schemas have been read.
pub(super) fn mark_spread(document: &mut Document) {
    let mut paths = std::mem::take(&mut document.paths);
    for item in &mut paths {
        let own = item.operations.iter_mut().flat_map(|operation| &mut operation.parameters);
        for parameter in own.chain(&mut item.parameters) {
            parameter.spread = is_spread(document, parameter);
        }
    }
    document.paths = paths;
}

fn is_spread(document: &Document, parameter: &Parameter) -> bool {
    let has_names = matches!(parameter.location, Location::Query | Location::Cookie);
    let of_members = parameter.explode || parameter.style == Style::DeepObject;
    has_names
        && of_members
        && parameter.content.is_none()
        && parameter.schema.is_some_and(|id| is_object(document, id))
}

/// How many schemas are followed from one to the next.
const DEEPEST: usize = 64;

/// Whether it is an object whatever else holds.
fn is_object(document: &Document, id: SchemaId) -> bool {
    are_objects(document, id, &mut HashMap::default(), 0)
}

/// The same, with what is known of others: what is looked at is none by itself.
fn are_objects(document: &Document, id: SchemaId, known: &mut HashMap<SchemaId, bool>, deep: usize) -> bool {
    if let Some(known) = known.get(&id) {
        return *known;
    }
    known.insert(id, false);
    let schema = document.schema(id);
    let says_members = schema.properties.is_some() || schema.additional.is_some();
    let is_one = match schema.types.as_slice() {
        [only] if only.value == JsonType::Object => true,
        [] if says_members && !schema.literal && !schema.takes_only_null() => true,
        _ if deep == DEEPEST => false,
        _ => {
            let mut certain = schema.reference.into_iter().chain(schema.beyond.certain());
            let mut choices = [&schema.beyond.one_of, &schema.beyond.any_of].into_iter();
            certain.any(|id| are_objects(document, id, known, deep + 1))
                || choices.any(|choice| {
                    !choice.is_empty() && choice.iter().all(|id| are_objects(document, *id, known, deep + 1))
                })
        }
    };
    known.insert(id, is_one);
    is_one
}

#[cfg(test)]
mod tests {
    use crate::finding::Code;
    use crate::front::understand;
    use crate::source::Source;

    /// Whether a handler gets the parameter, which has the name of a key that stands in the same place.
    fn arrives(place: &str, parameter: &str) -> bool {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\nsecurity: [{{ key: [] }}]\npaths:\n  /a:\n    get:\n      operationId: a\n      parameters: [{{ name: k, in: {place}, {parameter} }}]\n      responses: {{ '204': {{ description: ok }} }}\ncomponents: {{ schemas: {{ N: {{ type: object, properties: {{ n: {{ type: string }} }} }} }}, securitySchemes: {{ key: {{ type: apiKey, in: {place}, name: k{} }} }} }}\n",
            if place == "query" { ", x-palisade: { in-query: for a test }" } else { "" },
        );
        let understood = understand(&Source::text("a.yaml", text)).unwrap();
        let parameters = &understood.api.api().operations.first().unwrap().parameters;
        let is_told = understood.warnings.iter().any(|found| found.code() == Code::HeaderIgnored);
        assert_eq!(parameters.is_empty(), is_told, "what is ignored is told");
        !parameters.is_empty()
    }

    #[test]
    fn an_object_beside_others_has_the_names_of_its_members() {
        let object = "type: object, properties: { n: { type: string } }";
        for schema in [
            object,
            "properties: { n: { type: string } }",
            "type: object, additionalProperties: { type: string }",
            "allOf: [{ type: object, properties: { n: { type: string } } }, { required: [n] }]",
            "oneOf: [{ type: object, properties: { n: { type: string } } }, { type: object, properties: { m: { type: string } } }]",
            "anyOf: [{ $ref: '#/components/schemas/N' }, { allOf: [{ $ref: '#/components/schemas/N' }, { properties: { m: { type: string } } }] }]",
        ] {
            assert!(arrives("query", &format!("schema: {{ {schema} }}")), "{schema}");
        }
        assert!(arrives("query", &format!("style: deepObject, schema: {{ {object} }}")));
        assert!(arrives("cookie", &format!("schema: {{ {object} }}")));
        for (place, own) in [
            ("query", "schema: { type: string }"),
            ("query", "schema: { type: array, items: { type: string } }"),
            ("query", "explode: false, schema: { type: object, properties: { n: { type: string } } }"),
            (
                "query",
                "schema: { oneOf: [{ type: string }, { type: object, properties: { n: { type: string } } }] }",
            ),
            ("query", "content: { application/json: { schema: { type: object, properties: { n: {} } } } }"),
            ("header", "explode: true, schema: { type: object, properties: { n: { type: string } } }"),
        ] {
            assert!(!arrives(place, own), "{own}");
        }
    }
}
