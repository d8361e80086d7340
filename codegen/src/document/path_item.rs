//! `paths`, and each path with its operations.

use foldhash::HashSet;

use super::parameter::is_token;
use super::read::is_extension;
use super::{Operation, Parameter, Reader, Spanned};
use crate::annotation::PathRules;
use crate::finding::{Code, Finding};
use crate::model::Method;
use crate::source::span::Place;
use crate::source::tree::{Member, Node};

/// A path template and what stands under it.
#[derive(Debug)]
pub(crate) struct PathItem {
    pub(crate) template: Spanned<String>,
    /// Those that all operations of the path share.
    pub(crate) parameters: Vec<Parameter>,
    /// Its `x-palisade`.
    pub(crate) annotation: Option<Place>,
    pub(crate) rules: PathRules,
    pub(crate) operations: Vec<Operation>,
}

const METHODS: [(&str, Method); 8] = [
    ("get", Method::Get),
    ("put", Method::Put),
    ("post", Method::Post),
    ("delete", Method::Delete),
    ("options", Method::Options),
    ("head", Method::Head),
    ("patch", Method::Patch),
    ("trace", Method::Trace),
];

impl<'d> Reader<'d> {
    pub(super) fn paths(&mut self, document: &mut super::Fields<'d>) -> Vec<PathItem> {
        if document.peek("paths").is_none() && self.version == crate::normalise::Version::V30 {
            document.accept(&["paths"]);
            self.missing(document, "paths");
            return Vec::new();
        }
        let members = self.map(document, "paths");
        let mut paths = Vec::new();
        for member in members {
            if is_extension(&member.key) {
                self.extension(member, "the paths");
                continue;
            }
            if !member.key.starts_with('/') {
                let message = format!("the path `{}` does not start with `/`", member.key);
                let finding = Finding::error(Code::PathTemplate, message, member.key_place);
                self.push(finding.help(format!("write `/{}`", member.key)));
            }
            paths.extend(self.path_item(member));
        }
        paths
    }

    pub(super) fn path_item(&mut self, member: &'d Member) -> Option<PathItem> {
        let template = Spanned::new(member.key.to_string(), member.key_place);
        let node = self.path_node(&member.node)?;
        let mut fields = self.fields(node, "a path")?.guarding();
        fields.accept(&["$ref"]);
        self.docs(&mut fields, &["summary", "description"]);
        self.servers(&mut fields);
        let parameters = self.parameters(&mut fields);
        let annotation = fields.peek("x-palisade").map(|node| node.place);
        let rules = self.path_rules(&mut fields);
        let mut operations = Vec::new();
        for entry in fields.members() {
            if let Some((word, method)) = METHODS.iter().find(|(word, _)| **word == *entry.key) {
                fields.accept(&[word]);
                operations.extend(self.operation(method.clone(), entry));
            }
        }
        fields.accept(&METHODS.map(|(word, _)| word));
        operations.extend(self.since_3_2(&mut fields));
        self.finish(fields);
        Some(PathItem { template, parameters, annotation, rules, operations })
    }

    /// `query`, and methods by their names (OpenAPI 3.2 section 4.9.1).
    fn since_3_2(&mut self, fields: &mut super::Fields<'d>) -> Vec<Operation> {
        let mut operations = Vec::new();
        if let Some(member) = fields.get("query")
            && self.is_since_3_2(member, "`query` is a method")
        {
            operations.extend(self.operation(Method::Query, member));
        }
        if let Some(member) = fields.get("additionalOperations")
            && self.is_since_3_2(member, "`additionalOperations` are there")
        {
            for entry in self.map(fields, "additionalOperations") {
                operations.extend(self.other_method(entry));
            }
        }
        operations
    }

    fn is_since_3_2(&mut self, member: &Member, what: &str) -> bool {
        if !self.since_3_2 {
            let message = format!("{what} since OpenAPI 3.2");
            let finding = Finding::error(Code::UnknownMember, message, member.key_place);
            self.push(finding.help("write `openapi: 3.2.0`"));
        }
        self.since_3_2
    }

    /// An entry of `additionalOperations`: its key is the method as it is sent, and none that has a member of its own.
    fn other_method(&mut self, entry: &'d Member) -> Option<Operation> {
        let name = &*entry.key;
        let mut known = METHODS.iter().map(|(word, _)| *word).chain(["query"]);
        let (message, help) = if let Some(word) = known.find(|word| word.eq_ignore_ascii_case(name)) {
            (
                format!("`{name}` is a member of the path, not of `additionalOperations`"),
                format!("write `{word}` at the path"),
            )
        } else if name.eq_ignore_ascii_case("connect") {
            // RFC 9110 section 9.3.6: its target is an authority, not a path
            ("`CONNECT` asks for a tunnel: no path answers it".to_owned(), "remove it".to_owned())
        } else if !is_token(name) {
            (
                format!("`{name}` is no method"),
                "a method is a token (RFC 9110 section 9.1), such as `COPY`".to_owned(),
            )
        } else {
            return self.operation(Method::Other(name.to_owned()), entry);
        };
        self.push(Finding::error(Code::InvalidValue, message, entry.key_place).help(help));
        None
    }

    /// A path may stand elsewhere. What stands beside its `$ref` has no defined meaning (OpenAPI 3.1 section 4.8.9).
    fn path_node(&mut self, node: &'d Node) -> Option<&'d Node> {
        let object = node.as_object();
        let Some(reference) = object.and_then(|object| object.get("$ref")) else { return Some(node) };
        let beside = object.into_iter().flat_map(|object| object.members());
        let mut sound = true;
        for member in beside.filter(|member| !matches!(&*member.key, "$ref" | "summary" | "description")) {
            sound &= member.key.starts_with("x-") && &*member.key != "x-palisade";
            if !sound {
                let message = format!("`{}` beside the `$ref` of a path has no defined meaning", member.key);
                let finding = Finding::error(Code::NotSupported, message, member.key_place);
                self.push(
                    finding
                        .related(reference.key_place, "the reference")
                        .help("move it to where the path is written out"),
                );
                return None;
            }
        }
        let mut seen: HashSet<*const Node> = HashSet::from_iter([std::ptr::from_ref(node)]);
        let mut at = reference;
        loop {
            let target = match self.library.follow(&at.node, Some("pathItems")) {
                Ok(target) => target,
                Err(finding) => {
                    self.push(*finding);
                    return None;
                }
            };
            if !seen.insert(target) {
                let finding = Finding::error(
                    Code::ReferenceCycle,
                    "this reference leads back to itself",
                    at.node.place,
                );
                self.push(finding.help("write the path out in one of the places"));
                return None;
            }
            match target.as_object().and_then(|object| object.get("$ref")) {
                Some(next) => at = next,
                None => return Some(target),
            }
        }
    }
}
