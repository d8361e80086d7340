//! `paths`, and each path with its operations.

use foldhash::HashMap;

use super::extension::is_extension;
use super::parameter::is_token;
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
        let mut item = PathItem {
            template: Spanned::new(member.key.to_string(), member.key_place),
            parameters: Vec::new(),
            annotation: None,
            rules: PathRules::default(),
            operations: Vec::new(),
        };
        for node in self.path_nodes(&member.node)? {
            self.read_path(node, &mut item)?;
        }
        Some(item)
    }

    /// Adds what stands in one place; no other says anything of the same.
    fn read_path(&mut self, node: &'d Node, item: &mut PathItem) -> Option<()> {
        let mut fields = self.fields(node, "a path")?.guarding();
        fields.accept(&["$ref"]);
        self.docs(&mut fields, &["summary", "description"]);
        self.servers(&mut fields);
        item.parameters.extend(self.parameters(&mut fields));
        if let Some(annotation) = fields.peek("x-palisade") {
            item.annotation = Some(annotation.place);
            item.rules = self.path_rules(&mut fields);
        }
        for entry in fields.members() {
            if let Some((word, method)) = METHODS.iter().find(|(word, _)| **word == *entry.key) {
                fields.accept(&[word]);
                item.operations.extend(self.operation(method.clone(), entry));
            }
        }
        fields.accept(&METHODS.map(|(word, _)| word));
        item.operations.extend(self.since_3_2(&mut fields));
        self.finish(fields);
        Some(())
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

    /// A path may stand elsewhere, in part or as a whole. What both places say has no defined meaning (OpenAPI 3.1 section
    /// 4.8.9).
    fn path_nodes(&mut self, node: &'d Node) -> Option<Vec<&'d Node>> {
        let mut nodes = vec![node];
        let mut at = node;
        while let Some(reference) = at.as_object().and_then(|object| object.get("$ref")) {
            at = self
                .library
                .follow(&reference.node, Some("pathItems"))
                .map_err(|finding| self.push(*finding))
                .ok()?;
            if nodes.iter().any(|known| std::ptr::eq(*known, at)) {
                let message = "this reference leads back to itself";
                let finding = Finding::error(Code::ReferenceCycle, message, reference.node.place);
                self.push(finding.help("write the path out in one of the places"));
                return None;
            }
            nodes.push(at);
        }
        match said_twice(&nodes) {
            Some((here, there)) => {
                let message =
                    format!("`{}` stands beside the `$ref` of a path and where that leads", here.key);
                let finding = Finding::error(Code::NotSupported, message, here.key_place);
                self.push(
                    finding
                        .related(there.key_place, "the other")
                        .help("which of them holds is not defined: keep one"),
                );
                None
            }
            None => Some(nodes),
        }
    }
}

/// A member that two of the places have, but for what is said to readers.
fn said_twice<'d>(nodes: &[&'d Node]) -> Option<(&'d Member, &'d Member)> {
    let mut known: HashMap<&str, &Member> = HashMap::default();
    let members = nodes.iter().filter_map(|node| node.as_object()).flat_map(|object| object.members());
    for member in members {
        let key = &*member.key;
        let free =
            matches!(key, "$ref" | "summary" | "description") || (is_extension(key) && key != "x-palisade");
        if let Some(first) = known.insert(key, member).filter(|_| !free) {
            return Some((first, member));
        }
    }
    None
}
