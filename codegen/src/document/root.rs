//! The root of a document: its version, which decides how all of it is read, and what stands beside it.

use std::cell::Cell;

use foldhash::{HashMap, HashSet};

use super::components::Components;
use super::credentials::{mark_credentials, mark_spread};
use super::derived::Derived;
use super::{Document, Fields, Reader};
use crate::build::Matchers;
use crate::check::endless;
use crate::finding::{Code, Finding, Findings};
use crate::normalise::merge::merge;
use crate::normalise::standing::Standing;
use crate::normalise::{Draft, Stated, Version};
use crate::resolve::Library;
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Reads the document whose root is the first tree of `library`.
pub(crate) fn read(library: &Library, findings: &mut Findings) -> Option<Document> {
    let root = library.root()?;
    let version = version(root, findings)?;
    let mut reader = Reader::new(library, version, findings);
    let document = reader.document(root);
    reader.finish_schemas();
    let components_elsewhere = reader.components_elsewhere();
    let schemas = reader.take_schemas();
    let branches = schemas.iter().flat_map(|schema| schema.beyond.all()).collect();
    let mut document =
        document.map(|document| Document { schemas, branches, components_elsewhere, ..document })?;
    let names = document.components_anywhere().enumerate().map(|(at, (_, id))| (*id, at));
    // of several the first
    document.names = names.collect::<Vec<_>>().into_iter().rev().collect();
    document.make_room();
    document.follow_references();
    mark_spread(&mut document);
    endless::references(&document, findings);
    if !findings.has_errors() {
        merge(&mut document, findings);
        endless::schemas(&document, findings);
    }
    Some(document)
}

/// `openapi: 3.1.0`. Without it nothing else can be judged, so it is the only finding when it is wrong.
fn version(root: &Node, findings: &mut Findings) -> Option<Stated> {
    let finding = if let Some(swagger) = root.get("swagger") {
        Finding::error(Code::Version, "this is a Swagger 2.0 document", swagger.place)
    } else if let Some(stated) = root.get("openapi") {
        let text = match &stated.value {
            Value::String(text) | Value::Number(text) => Some(&**text),
            _ => None,
        };
        match text.map(Stated::parse) {
            Some(Ok(version)) => {
                if let Some(meant) = version.meant {
                    let text = text.unwrap_or_default();
                    let message = format!("`{text}` is no full version: it is taken as `{meant}`");
                    let finding = Finding::warning(Code::TakenAs, message, stated.place);
                    findings.push(finding.help(format!("write `openapi: {meant}`")));
                }
                return Some(version);
            }
            Some(Err(message)) => Finding::error(Code::Version, message, stated.place),
            None => Finding::error(
                Code::WrongType,
                format!("`openapi` is a string, not {}", stated.kind()),
                stated.place,
            ),
        }
    } else if root.as_object().is_some() {
        Finding::error(
            Code::Version,
            "this is not an OpenAPI document: it has no member `openapi`",
            Place::start_of(root.place.file),
        )
    } else {
        Finding::error(
            Code::WrongType,
            format!("an OpenAPI document is an object, not {}", root.kind()),
            root.place,
        )
    };
    findings.push(finding.help("write `openapi: 3.1.0` (or 3.0.x, or 3.2.x) at the top of the document"));
    None
}

impl<'d> Reader<'d> {
    fn document(&mut self, root: &'d Node) -> Option<Document> {
        let mut fields = self.fields(root, "the document")?.guarding();
        fields.accept(&["openapi"]);
        if self.version == Version::V31 {
            fields.accept(&["jsonSchemaDialect"]);
            self.dialect(&fields);
        }
        let holds_something =
            ["paths", "components", "webhooks"].iter().any(|key| fields.peek(key).is_some());
        if self.version == Version::V31 && !holds_something {
            self.missing(&fields, "paths");
        }
        self.own_address(&mut fields);
        let (title, version, docs) = self.info(&mut fields);
        self.servers(&mut fields);
        let elsewhere = self.external_docs(&mut fields);
        let tags = self.tags(&mut fields);
        let security = self.security(&mut fields);
        let rules = self.document_rules(&mut fields);
        let Components { mut schemes, schemas: components, paths: component_paths } =
            self.components(&mut fields);
        let mut paths = self.paths(&mut fields);
        let webhooks = match self.version {
            Version::V31 => self.webhooks(&mut fields),
            Version::V30 => Vec::new(),
        };
        self.finish(fields);
        schemes.extend(self.take_schemes_elsewhere());
        mark_credentials(&mut paths, &schemes, security.as_ref());
        let (schemas, branches) = (Vec::new(), HashSet::default());
        let scheme_names =
            schemes.iter().enumerate().map(|(at, scheme)| (scheme.name.value.clone(), at)).collect();
        Some(Document {
            title,
            version,
            since_3_1: self.version != Version::V30,
            docs,
            elsewhere,
            tags,
            security,
            rules,
            paths,
            schemes,
            components,
            components_elsewhere: Vec::new(),
            schemas,
            branches,
            composed: HashMap::default(),
            parts: HashMap::default(),
            settled: HashSet::default(),
            derived: Derived::default(),
            names: HashMap::default(),
            scheme_names,
            room: Cell::new(0),
            patterns: Matchers::default(),
            standing: Standing::default(),
            webhooks,
            component_paths,
            assumed: None,
        })
    }

    /// `$self`: where references start from. Files are found beside the document whatever it says.
    fn own_address(&mut self, fields: &mut Fields<'d>) {
        if !self.since_3_2 {
            return;
        }
        let own = self.string(fields, "$self");
        if let Some(own) = own.filter(|own| own.value.contains('#')) {
            let finding = Finding::error(Code::InvalidValue, "`$self` with a fragment", own.place);
            self.push(finding.help("it is the address of the whole document (OpenAPI 3.2 section 4.1.2.2)"));
        }
    }

    /// Another dialect could give the keywords another meaning.
    fn dialect(&mut self, fields: &Fields<'d>) {
        let Some(dialect) = fields.peek("jsonSchemaDialect") else { return };
        let Some(uri) = dialect.as_str() else {
            return self.wrong_type("jsonSchemaDialect", "a string", dialect);
        };
        if !crate::normalise::is_known_dialect(uri) {
            let message = format!("the schema dialect `{uri}` is not supported");
            let help = "leave `jsonSchemaDialect` out: the dialect of OpenAPI 3.1 is the default";
            self.push(Finding::error(Code::NotSupported, message, dialect.place).help(help));
        }
        self.literal = Draft::stated(uri).is_some();
    }
}
