//! One document of OpenAPI 3.0, read by us and by `openapiv3`: an independent opinion of what it says.
#![allow(missing_docs, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "test code")]

use openapiv3::{OpenAPI, ParameterSchemaOrContent, ReferenceOr, SchemaKind, StatusCode};
use palisade_codegen::model::{Access, Api, Location, Origin, Shape, StatusKey, Type};
use palisade_codegen::{Source, understand};

fn read() -> (Api, OpenAPI) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/every_form_of_3_0.json");
    let text = std::fs::read_to_string(path).unwrap();
    let ours = understand(&Source::text("every_form_of_3_0.json", text.as_str()))
        .unwrap_or_else(|findings| panic!("{findings}"));
    (ours.api.api().clone(), serde_json::from_str(&text).unwrap())
}

#[test]
fn operations_are_the_same() {
    let (ours, theirs) = read();
    let mut expected: Vec<(String, String, Option<String>, bool)> = Vec::new();
    for (path, item) in &theirs.paths.paths {
        for (method, operation) in item.as_item().unwrap().iter() {
            let id = operation.operation_id.clone();
            expected.push((path.clone(), method.to_uppercase(), id, operation.deprecated));
        }
    }
    let mut found: Vec<_> = ours
        .operations
        .iter()
        .map(|one| {
            (one.path.text.clone(), one.method.as_str().to_owned(), Some(one.id.clone()), one.docs.deprecated)
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn parameters_are_the_same() {
    let (ours, theirs) = read();
    let theirs_of = |path: &str, id: &str| {
        let item = theirs.paths.paths[path].as_item().unwrap();
        let operation =
            item.iter().map(|(_, operation)| operation).find(|one| one.operation_id.as_deref() == Some(id));
        let listed = item.parameters.iter().chain(&operation.unwrap().parameters);
        let parameters = &theirs.components.as_ref().unwrap().parameters;
        listed
            .map(|one| match one {
                ReferenceOr::Item(parameter) => parameter,
                ReferenceOr::Reference { reference } => {
                    parameters[reference.rsplit('/').next().unwrap()].as_item().unwrap()
                }
            })
            .map(|parameter| {
                let data = parameter.parameter_data_ref();
                let place = match parameter {
                    openapiv3::Parameter::Path { .. } => Location::Path,
                    openapiv3::Parameter::Query { .. } => Location::Query,
                    openapiv3::Parameter::Header { .. } => Location::Header,
                    openapiv3::Parameter::Cookie { .. } => Location::Cookie,
                };
                assert!(matches!(data.format, ParameterSchemaOrContent::Schema(_)));
                (data.name.clone(), place, data.required)
            })
            .collect::<Vec<_>>()
    };
    for operation in &ours.operations {
        let found: Vec<_> =
            operation.parameters.iter().map(|one| (one.name.clone(), one.location, one.required)).collect();
        assert_eq!(found, theirs_of(&operation.path.text, &operation.id), "{}", operation.id);
    }
}

#[test]
fn requirements_and_answers_are_the_same() {
    let (ours, theirs) = read();
    for operation in &ours.operations {
        let item = theirs.paths.paths[&operation.path.text].as_item().unwrap();
        let other = item
            .iter()
            .map(|(_, one)| one)
            .find(|one| one.operation_id.as_ref() == Some(&operation.id))
            .unwrap();
        let expected = other.security.as_ref().or(theirs.security.as_ref()).unwrap();
        let Access::Any(found) = &operation.access else { panic!("{} is public", operation.id) };
        assert_eq!(found.len(), expected.len(), "{}", operation.id);
        for (found, expected) in found.iter().zip(expected) {
            let found: Vec<_> =
                found.iter().map(|need| (&ours.scheme(need.scheme).name, &need.scopes)).collect();
            assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{}", operation.id);
        }
        let mut statuses: Vec<String> = other
            .responses
            .responses
            .keys()
            .map(|status| match status {
                StatusCode::Code(code) => code.to_string(),
                StatusCode::Range(hundred) => format!("{hundred}XX"),
            })
            .collect();
        statuses.extend(other.responses.default.as_ref().map(|_| "default".to_owned()));
        let mut found: Vec<String> = operation
            .responses
            .iter()
            .map(|response| match response.status {
                StatusKey::Exactly(status) => status.to_string(),
                StatusKey::Range(hundred) => format!("{hundred}XX"),
                StatusKey::Default => "default".to_owned(),
            })
            .collect();
        statuses.sort();
        found.sort();
        assert_eq!(found, statuses, "{}", operation.id);
        assert_eq!(operation.body.is_some(), other.request_body.is_some(), "{}", operation.id);
    }
}

#[test]
fn objects_and_their_constraints_are_the_same() {
    let (ours, theirs) = read();
    let schemas = &theirs.components.as_ref().unwrap().schemas;
    let SchemaKind::Type(openapiv3::Type::Object(expected)) = &schemas["Book"].as_item().unwrap().schema_kind
    else {
        panic!("an object")
    };
    let (_, book) =
        ours.types.iter().find(|(_, one)| one.origin == Origin::Component("Book".into())).unwrap();
    let Shape::Object(book) = &book.shape else { panic!("an object") };
    let names: Vec<_> = book.members.iter().map(|member| &member.name).collect();
    assert_eq!(names, expected.properties.keys().collect::<Vec<_>>());
    let required: Vec<_> =
        book.members.iter().filter(|member| member.required).map(|member| &member.name).collect();
    assert_eq!(required, expected.required.iter().collect::<Vec<_>>());
    let of = |name: &str| &book.members.iter().find(|member| member.name == name).unwrap().schema;
    let kind = |name: &str| match &expected.properties[name] {
        ReferenceOr::Item(schema) => schema.clone(),
        ReferenceOr::Reference { .. } => panic!("{name} is a reference"),
    };

    let SchemaKind::Type(openapiv3::Type::Integer(pages)) = kind("pages").schema_kind else { panic!() };
    let Type::Integer(found) = &of("pages").ty else { panic!() };
    assert_eq!(
        (pages.exclusive_minimum, pages.minimum),
        (true, found.bounds.exclusive_minimum.map(|n| n as i64))
    );
    assert_eq!((pages.exclusive_maximum, pages.maximum), (false, found.bounds.maximum.map(|n| n as i64)));
    assert_eq!(of("pages").nullable, kind("pages").schema_data.nullable);

    let SchemaKind::Type(openapiv3::Type::Number(weight)) = kind("weight").schema_kind else { panic!() };
    let Type::Number(found) = &of("weight").ty else { panic!() };
    assert_eq!((weight.exclusive_minimum, weight.minimum), (false, found.bounds.minimum));
    assert_eq!((weight.exclusive_maximum, weight.maximum), (true, found.bounds.exclusive_maximum));

    let SchemaKind::Type(openapiv3::Type::String(title)) = kind("title").schema_kind else { panic!() };
    let Type::Text(found) = &of("title").ty else { panic!() };
    assert_eq!((title.min_length, title.max_length), (found.length.min, found.length.max));

    let SchemaKind::Type(openapiv3::Type::Array(sequels)) = kind("sequels").schema_kind else { panic!() };
    let Type::Array(found) = &of("sequels").ty else { panic!() };
    assert_eq!((sequels.min_items, sequels.max_items), (found.counts.min, found.counts.max));
    assert_eq!(sequels.unique_items, found.unique);
}
