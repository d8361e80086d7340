//! From trees to structs: what reading needs at hand, and how the values of members are read.

use foldhash::{HashMap, HashSet};

use super::Fields;
use super::by_uri::Elsewhere;
use super::keywords::Waiting;
use super::schema::{Schema, SchemaId};
use super::undefined::{PROSE, UNDECISIVE};
use crate::finding::{Code, Finding, Findings};
use crate::model::Docs;
use crate::normalise::{Draft, Stated, Version};
use crate::resolve::{Identities, Library, Scope, Scopes};
use crate::source::span::Place;
use crate::source::tree::{Member, Node, Value};

/// A value and where the document says it.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

/// What reading needs at hand.
pub(crate) struct Reader<'d> {
    pub(crate) library: &'d Library,
    pub(crate) version: Version,
    /// Whether the document is of 3.2, which reads as 3.1 with more members.
    pub(crate) since_3_2: bool,
    pub(crate) findings: &'d mut Findings,
    pub(super) schemas: Vec<Option<Schema>>,
    pub(super) schema_ids: HashMap<(*const Node, Scope), SchemaId>,
    pub(super) waiting: Vec<Waiting<'d>>,
    pub(super) identities: Identities<'d>,
    pub(super) scopes: Scopes<'d>,
    /// The draft of JSON Schema that is read here.
    pub(crate) draft: Draft,
    /// The dynamic anchors in force here.
    pub(super) scope: Scope,
    /// Whether schemas are read to the letter of JSON Schema here.
    pub(super) literal: bool,
    /// Members that were passed over, by what they stand on and their name: each is remarked once.
    pub(super) passed_over: HashSet<(&'static str, String)>,
    /// Whether what is read is sent by the server.
    pub(super) sends: bool,
    /// The ids of all operations, once they are asked for.
    pub(super) operation_ids: Option<HashSet<&'d str>>,
    /// Security schemes that are named by a URI.
    pub(super) schemes_elsewhere: Vec<Elsewhere<'d>>,
}

impl<'d> Reader<'d> {
    pub(crate) fn new(library: &'d Library, stated: Stated, findings: &'d mut Findings) -> Self {
        let identities = Identities::of(library, stated.version, findings);
        Self {
            scopes: Scopes::of(&identities),
            identities,
            draft: Draft::default(),
            scope: Scope::default(),
            library,
            version: stated.version,
            since_3_2: stated.since_3_2,
            findings,
            schemas: Vec::new(),
            schema_ids: HashMap::default(),
            waiting: Vec::new(),
            literal: false,
            passed_over: HashSet::default(),
            sends: false,
            operation_ids: None,
            schemes_elsewhere: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(crate) fn wrong_type(&mut self, name: &str, wanted: &str, node: &Node) {
        let message = format!("`{name}` is {wanted}, not {}", node.kind());
        self.push(Finding::error(Code::WrongType, message, node.place).help(form(wanted, node)));
    }

    pub(crate) fn missing(&mut self, fields: &Fields<'_>, key: &str) {
        let message = format!("{} needs the member `{key}`", fields.what());
        self.push(
            Finding::error(Code::MissingMember, message, fields.place).help(format!("write `{key}: ..`")),
        );
    }

    /// Warns that no code comes of this part.
    pub(crate) fn ungenerated(&mut self, member: &Member, why: &str) {
        let message = format!("no code is generated for `{}`: {why}", member.key);
        self.push(Finding::warning(Code::Ungenerated, message, member.key_place));
    }

    pub(crate) fn string(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<Spanned<String>> {
        let node = &fields.get(key)?.node;
        if self.stands_for_nothing(fields, key, node) {
            return None;
        }
        if fields.is_ours() || (fields.guards() && !PROSE.contains(&key)) {
            return self.text(key, node);
        }
        self.loose_text(key, node)
    }

    /// Text, or a number or boolean that was written without the quotes: `version: 1.0`.
    pub(crate) fn loose_text(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        let (Value::Number(_) | Value::Bool(_)) = &node.value else { return self.text(name, node) };
        let text = node.to_string();
        let message =
            format!("`{name}` is a string, and {} stands here: it is taken as `{text}`", node.kind());
        self.push(Finding::warning(Code::TakenAs, message, node.place).help("put it in quotes"));
        Some(Spanned::new(text, node.place))
    }

    /// `description: null`, or `description:` with nothing behind it: as if the member were not there. Not where it
    /// decides who may call: `security: null` could mean the opposite of itself.
    fn stands_for_nothing(&mut self, fields: &Fields<'_>, key: &str, node: &Node) -> bool {
        let decides =
            fields.is_ours() || key == "security" || (fields.guards() && !UNDECISIVE.contains(&key));
        let nothing = matches!(node.value, Value::Null) && !decides;
        if nothing {
            let message = format!("`{key}` is null: it is taken as if it were not there");
            self.push(Finding::warning(Code::TakenAs, message, node.place).help("remove the member"));
        }
        nothing
    }

    pub(crate) fn required_string(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
    ) -> Option<Spanned<String>> {
        let nothing = fields.peek(key).is_none_or(|node| matches!(node.value, Value::Null));
        if nothing {
            fields.accept(&[key]);
            self.missing(fields, key);
            return None;
        }
        self.string(fields, key)
    }

    pub(crate) fn text(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        match &node.value {
            Value::String(text) => Some(Spanned::new(text.to_string(), node.place)),
            _ => {
                let finding = Finding::error(
                    Code::WrongType,
                    format!("`{name}` is a string, not {}", node.kind()),
                    node.place,
                );
                self.push(finding.help("put it in quotes if it is meant as text"));
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<Spanned<bool>> {
        let node = &fields.get(key)?.node;
        if self.stands_for_nothing(fields, key, node) {
            return None;
        }
        match node.as_bool() {
            Some(value) => Some(Spanned::new(value, node.place)),
            None => {
                let message = format!("`{key}` is a boolean, not {}", node.kind());
                let help = "the booleans of YAML 1.2 and JSON are `true` and `false`";
                self.push(Finding::error(Code::WrongType, message, node.place).help(help));
                None
            }
        }
    }

    pub(crate) fn array<'n>(
        &mut self,
        fields: &mut Fields<'n>,
        key: &'static str,
    ) -> Option<(&'n [Node], Place)> {
        let node = &fields.get(key)?.node;
        if self.stands_for_nothing(fields, key, node) {
            return None;
        }
        match node.as_array() {
            Some(items) => Some((items, node.place)),
            None => {
                self.wrong_type(key, "an array", node);
                None
            }
        }
    }

    /// The members of the object `key`, without `x-` extensions when `extensions` says that it may have them.
    pub(crate) fn map(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Vec<&'d Member> {
        let Some(member) = fields.get(key) else { return Vec::new() };
        if self.stands_for_nothing(fields, key, &member.node) {
            return Vec::new();
        }
        let Some(object) = member.node.as_object() else {
            self.wrong_type(key, "an object", &member.node);
            return Vec::new();
        };
        match object.members() {
            // a property may be called so: it is described by a schema
            [only] if &*only.key == "$ref" && only.node.as_str().is_some() && !fields.is_ours() => {
                self.written_elsewhere(key, only)
            }
            members => members.iter().collect(),
        }
    }

    /// A map that is written out elsewhere: `schemas: { $ref: schemas.yaml }`. The standard has references to entries
    /// only; bundlers understand these as well, and they can mean nothing else.
    fn written_elsewhere(&mut self, key: &str, reference: &'d Member) -> Vec<&'d Member> {
        let message = format!("`{key}` has no `$ref`: what it leads to is taken for the whole of it");
        let finding = Finding::warning(Code::TakenAs, message, reference.key_place);
        self.push(finding.help("write a reference for each entry"));
        match self.library.follow(&reference.node, None) {
            Ok(target) => match target.as_object() {
                Some(object) if object.get("$ref").is_none() => object.members().iter().collect(),
                _ => {
                    self.wrong_type(key, "an object", target);
                    Vec::new()
                }
            },
            Err(finding) => {
                self.push(*finding);
                Vec::new()
            }
        }
    }

    /// `summary`, `description` and `deprecated`, whichever the object has.
    pub(crate) fn docs(&mut self, fields: &mut Fields<'_>, keys: &[&'static str]) -> Docs {
        let mut docs = Docs::default();
        for key in keys {
            match *key {
                "deprecated" => docs.deprecated = self.boolean(fields, key).is_some_and(|flag| flag.value),
                "description" => docs.description = self.string(fields, key).map(|text| text.value),
                _ => docs.summary = self.string(fields, key).map(|text| text.value),
            }
        }
        docs
    }
}

/// How what was wanted is written.
pub(super) fn form(wanted: &str, found: &Node) -> String {
    let written = if wanted.starts_with("an array") { "`[one, two]`" } else { "`{ name: value }`" };
    match found.value {
        Value::Null => format!("nothing stands here: write {wanted}, {written}, or remove the member"),
        _ => format!("write {wanted}: {written}"),
    }
}
