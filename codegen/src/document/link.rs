//! Links (OpenAPI 3.1 section 4.8.20): hints to clients, of which no code comes. They are read for their form, and for the
//! operation that they name, so that a broken one is found where it stands. That an operation is not there is a remark: clients
//! follow links, and the server does not.

use foldhash::HashSet;

use super::{Fields, Reader};
use crate::finding::{Code, Finding};
use crate::source::tree::{Member, Node, Value};

impl<'d> Reader<'d> {
    pub(super) fn links(&mut self, response: &mut Fields<'d>) {
        let Some(member) = response.get("links") else { return };
        self.ungenerated(member, "links are hints to clients");
        self.map(response, "links").into_iter().for_each(|link| self.link(link));
    }

    pub(super) fn link(&mut self, member: &'d Member) {
        let Some((node, _)) = self.follow(&member.node, "links") else { return };
        let Some(mut fields) = self.fields(node, "a link") else { return };
        self.docs(&mut fields, &["description"]);
        self.target(&mut fields);
        // what is passed: values and expressions
        self.map(&mut fields, "parameters");
        fields.accept(&["requestBody"]);
        if let Some(server) = fields.get("server") {
            self.server(&server.node);
        }
        self.finish(fields);
    }

    /// The operation that is meant: by its id, or by where it stands.
    fn target(&mut self, fields: &mut Fields<'d>) {
        let id = self.string(fields, "operationId");
        let reference = self.string(fields, "operationRef");
        match (id, reference) {
            (Some(id), Some(_)) => {
                let message = "a link has `operationId` or `operationRef`, not both";
                self.push(Finding::error(Code::InvalidValue, message, id.place).help("keep one of the two"));
            }
            (Some(id), None) => {
                let ids = self.operation_ids();
                if !ids.contains(&*id.value) {
                    let message =
                        format!("the link leads to the operation `{}`, which is not there", id.value);
                    let finding = Finding::warning(Code::UnresolvedReference, message, id.place);
                    let finding = finding.nearest(&id.value, ids.iter().copied());
                    self.push(finding.help("write the `operationId` of an operation, or remove the link"));
                }
            }
            (None, Some(_)) => self.referred_operation(fields),
            (None, None) if ["operationId", "operationRef"].iter().all(|key| fields.peek(key).is_none()) => {
                let message = "a link says which operation it leads to, by `operationId` or `operationRef`";
                let finding = Finding::error(Code::MissingMember, message, fields.place);
                self.push(finding.help("write `operationId: ..`"));
            }
            // not a string
            (None, None) => {}
        }
    }

    /// Where it leads inside of the document; elsewhere it is the client's affair.
    fn referred_operation(&mut self, fields: &Fields<'d>) {
        let Some(node) = fields.peek("operationRef") else { return };
        let text = node.as_str().unwrap_or_default();
        if !text.starts_with('#') {
            return;
        }
        let leads_to_one = self.library.follow(node, None).is_ok_and(|target| {
            target.as_object().is_some()
                && ["openapi", "paths", "get"].iter().all(|key| target.get(key).is_none())
        });
        if !leads_to_one {
            let message = format!("`{text}` leads to no operation");
            let finding = Finding::warning(Code::UnresolvedReference, message, node.place);
            self.push(
                finding
                    .help("operations stand at `#/paths/~1things/get`, with `~1` for each `/` of the path"),
            );
        }
    }

    /// The ids of all operations, in every document (OpenAPI 3.2 section 4.1.2.3).
    fn operation_ids(&mut self) -> &HashSet<&'d str> {
        let library = self.library;
        self.operation_ids.get_or_insert_with(|| {
            let mut ids = HashSet::default();
            library.trees().for_each(|tree| collect(tree, &mut ids));
            ids
        })
    }
}

/// What is called `operationId`, but in links themselves and in what is data.
fn collect<'d>(node: &'d Node, ids: &mut HashSet<&'d str>) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(object) => {
            for member in object.members() {
                match (&*member.key, member.node.as_str()) {
                    ("operationId", Some(id)) => _ = ids.insert(id),
                    ("links" | "schema" | "schemas" | "example" | "examples", _) => {}
                    (key, _) if key.starts_with("x-") => {}
                    _ => collect(&member.node, ids),
                }
            }
        }
        _ => {}
    }
}
