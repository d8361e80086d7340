//! The groups of the published JSON Schema tests as component schemas of four documents: draft 2020-12 as OpenAPI 3.1, the
//! same as a plain document has them (no `$schema` asks for the letter, so that most become types of their own), draft 4 as
//! OpenAPI 3.0, and once more as OpenAPI 3.1 whose schemas state that draft. Each group is a struct with one member, so that
//! it is read on the way that a body takes.
//!
//! Where the suite is not beside the checkout, the module is empty and the test says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use palisade_codegen::{Options, Source};
use serde_json::{Map, Value, json};

/// Writes `json_schema.rs` with a module for each draft and the table of groups.
pub fn generate() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites/json-schema");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={}", suite.display());
    let index = std::fs::read_to_string(suite.join("index.json")).ok();
    let index: Value = index.map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"));
    let mut code = String::new();
    let mut table = String::from("pub const GROUPS: &[Group] = &[\n");
    let documents = [
        ("draft2020-12", "newer", "3.1.0", None),
        ("draft2020-12", "plain", "3.1.0", None),
        ("draft4", "older", "3.0.3", None),
        ("draft4", "stated", "3.1.0", Some("http://json-schema.org/draft-04/schema#")),
    ];
    for (draft, module, version, dialect) in documents {
        let draft = Draft { folder: suite.join(draft), draft, module, version, dialect };
        let schemas = draft.groups(&index["files"][draft.draft], &mut table);
        let generated = palisade_codegen::generate(&draft.document(schemas), &Options::default());
        let generated = generated.unwrap_or_else(|findings| panic!("{findings}"));
        writeln!(code, "#[rustfmt::skip]\npub mod {module} {{\n{}\n}}", generated.code()).unwrap();
    }
    table.push_str("];\n");
    std::fs::write(out.join("json_schema.rs"), code + &table).unwrap();
}

struct Draft<'a> {
    folder: PathBuf,
    draft: &'a str,
    module: &'a str,
    version: &'a str,
    /// What each schema states by `$schema`, if it does not by itself.
    dialect: Option<&'a str>,
}

impl Draft<'_> {
    /// Each group that the generator takes, as a schema; all of them in the table.
    fn groups(&self, index: &Value, table: &mut String) -> Map<String, Value> {
        let mut schemas = Map::new();
        let older = self.version.starts_with("3.0");
        let plain = self.module == "plain";
        for (file, facts) in index.as_object().into_iter().flatten() {
            let text = std::fs::read_to_string(self.folder.join(file).with_extension("json"))
                .expect("a file of the index");
            let groups: Value = serde_json::from_str(&text).expect("JSON");
            for (at, group) in groups.as_array().into_iter().flatten().enumerate() {
                let expressible = facts["groups_expressible_in_oas30"]
                    .as_array()
                    .is_some_and(|all| all.contains(&json!(at)));
                let class = facts["class"].as_str().unwrap_or_default();
                if older && !expressible || plain && class == "not-oas" {
                    continue;
                }
                let name = format!("G{}", schemas.len() + 1);
                let mut schema = group["schema"].clone();
                rewrite(&mut schema, &name);
                if older || plain {
                    open(&mut schema);
                }
                if let (Some(dialect), Value::Object(members)) = (self.dialect, &mut schema) {
                    members.insert("$schema".into(), json!(dialect));
                }
                // not required: some groups are schemas that nothing satisfies, which no value may need
                let component = json!({ "type": "object", "properties": { "value": schema } });
                let alone = Map::from_iter([(name.clone(), component.clone())]);
                let (decode, refused) =
                    match palisade_codegen::generate(&self.document(alone), &Options::default()) {
                        Ok(_) => {
                            schemas.insert(name.clone(), component);
                            (format!("Some(fits::<{}::{name}>)", self.module), String::new())
                        }
                        Err(findings) => (
                            "None".into(),
                            findings
                                .iter()
                                .map(|finding| finding.message().to_owned())
                                .collect::<Vec<_>>()
                                .join("; "),
                        ),
                    };
                writeln!(
                    table,
                    "    Group {{ draft: {:?}, document: {:?}, file: {file:?}, at: {at}, class: {class:?}, fits: {decode}, refused: {refused:?} }},",
                    self.draft, self.module,
                )
                .unwrap();
            }
        }
        schemas
    }

    fn document(&self, schemas: Map<String, Value>) -> Source {
        let document = json!({
            "openapi": self.version,
            "info": { "title": "The published tests", "version": "1" },
            "paths": { "/": { "get": {
                "operationId": "nothing",
                "security": [],
                "x-palisade": { "public": "the schemas are what matters" },
                "responses": { "204": { "description": "Nothing." } },
            } } },
            "components": { "schemas": schemas },
        });
        Source::text("suite.json", document.to_string())
    }
}

/// References by place lead from the document, not from the schema, unless it says by `$id` where they lead from.
fn rewrite(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(members)
            if ["$id", "id"].iter().any(|id| members.get(*id).is_some_and(Value::is_string)) => {}
        Value::Object(members) => {
            for keyword in ["$ref", "$dynamicRef"] {
                if let Some(Value::String(reference)) = members.get_mut(keyword)
                    && let Some(pointer) = by_place(reference)
                {
                    *reference = format!("#/components/schemas/{name}/properties/value{pointer}");
                }
            }
            let schemas =
                members.iter_mut().filter(|(key, _)| !matches!(&***key, "enum" | "const" | "default"));
            schemas.for_each(|(_, member)| rewrite(member, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, name)),
        _ => {}
    }
}

/// The pointer of a reference, unless it names an anchor.
fn by_place(reference: &str) -> Option<&str> {
    reference.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'))
}

/// Without a `$schema` that asks for the letter of JSON Schema, each object asks for itself.
fn open(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.remove("$schema");
    for key in ["items", "not", "additionalProperties"] {
        members.get_mut(key).into_iter().for_each(open);
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(open);
    }
    // which 3.0 demands, and which says nothing
    if members.get("type").is_some_and(|kind| kind == "array") {
        members.entry("items").or_insert_with(|| json!({}));
    }
    let is_object = members.get("type").is_none_or(|kind| kind == "object");
    if is_object && !members.contains_key("additionalProperties") && !members.contains_key("$ref") {
        members.insert("x-palisade".into(), json!({ "open": true }));
    }
}
