//! References: the trees that they may lead into, and where each leads.

mod by_self;
mod files;
mod identity;
mod position;
mod scope;

use std::path::Path;

use foldhash::HashMap;

use crate::finding::{Code, Finding, Findings};
use crate::source::Sources;
use crate::source::pointer::Pointer;
use crate::source::span::FileId;
use crate::source::tree::{Member, Node};

pub(crate) use identity::Identities;
pub(crate) use scope::{Scope, Scopes};

/// The trees of the root document and of every file that it refers to, all read before the first reference is followed.
#[derive(Debug)]
pub(crate) struct Library {
    trees: Vec<(FileId, Node)>,
    /// What a file reference leads to, by the file that holds it and the text before `#`.
    files: HashMap<(FileId, String), Result<FileId, String>>,
    /// Where each file is, as a URI below the folder that is read: what a relative `$self` starts from.
    retrieved: HashMap<FileId, String>,
    /// The files up to this number are the document and its overlays: what these say is said in the document.
    overlays: usize,
}

/// Reads the files that the document refers to, below `folder` or below the document's own.
pub(crate) fn gather(
    root: Node,
    folder: Option<&Path>,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Library {
    // what was read so far besides the document are its overlays
    let overlays = sources.files().len();
    let (files, retrieved) = (HashMap::default(), HashMap::default());
    let mut library = Library { trees: vec![(FileId(0), root)], files, retrieved, overlays };
    files::gather(&mut library, folder, sources, findings);
    library
}

impl Library {
    pub(crate) fn root(&self) -> Option<&Node> {
        self.trees.first().map(|(_, tree)| tree)
    }

    /// The schema that `components` of the document names so, or else those of the file.
    pub(crate) fn component(&self, file: FileId, name: &str) -> Option<&Node> {
        let trees = self.root().into_iter().chain(self.tree(file));
        trees.filter_map(schemas).find_map(|schemas| schemas.get(name))
    }

    /// The schemas that `components` of the other files name.
    pub(crate) fn components_elsewhere(&self) -> impl Iterator<Item = &Member> {
        let trees = self.trees.iter().skip(1).filter_map(|(_, tree)| schemas(tree)?.as_object());
        trees.flat_map(|object| object.members())
    }

    /// Every document.
    pub(crate) fn trees(&self) -> impl Iterator<Item = &Node> {
        self.trees.iter().map(|(_, tree)| tree)
    }

    /// `$self` as a whole URI: a relative one starts from where the document was found (OpenAPI 3.2 section 4.1.2.2.1).
    fn base_of(&self, id: FileId) -> Option<String> {
        let stated = self.tree(id)?.get("$self")?.as_str()?;
        let found = self.retrieved.get(&id).map_or(files::ROOT, String::as_str);
        identity::absolute(stated).or_else(|| identity::resolve(found, stated))
    }

    fn tree(&self, id: FileId) -> Option<&Node> {
        self.trees.iter().find(|(file, _)| *file == id).map(|(_, tree)| tree)
    }

    /// The node that the text of a `$ref` names. `kind` is the folder of `components` that it should lead to.
    pub(crate) fn follow(&self, reference: &Node, kind: Option<&str>) -> Result<&Node, Box<Finding>> {
        let place = reference.place;
        let broken = |message: String| Finding::error(Code::UnresolvedReference, message, place);
        let Some(text) = reference.as_str() else {
            let message = format!("`$ref` is a string, not {}", reference.kind());
            let finding = Finding::error(Code::WrongType, message, place);
            return Err(Box::new(finding.help("references look like `#/components/schemas/Account`")));
        };
        let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
        let tree = self.tree_of(place.file, file, text).map_err(|finding| {
            Box::new(match finding {
                Trouble::Remote => {
                    let is_web = text.starts_with("http://") || text.starts_with("https://");
                    let what = if is_web { "is on the network" } else { "is no file beside the document" };
                    Finding::error(Code::ForeignReference, format!("`{text}` {what}"), place)
                        .help("generation never uses the network: copy the file beside the document, and refer to it by its path there")
                }
                Trouble::Outside => Finding::error(
                    Code::ForeignReference,
                    format!("`{file}` is outside the document's folder"),
                    place,
                )
                .help("copy the file into the folder of the document, or name a folder that holds both by `--root`"),
                Trouble::Unreadable(reason) => broken(format!("cannot read `{file}`: {reason}"))
                    .help("files are named from the folder of the one that refers to them"),
            })
        })?;
        let Some(pointer) = Pointer::parse_fragment(fragment) else {
            let help = "references look like `#/components/schemas/Account`";
            return Err(Box::new(broken(format!("`{text}` is no reference")).help(help)));
        };
        let target = pointer.find(tree).map_err(|(holder, lacking)| {
            let known =
                holder.as_object().into_iter().flat_map(|object| object.members()).map(|member| &*member.key);
            let finding = broken(format!("`{text}` leads nowhere: there is no `{lacking}`"));
            Box::new(finding.help("write what it leads to, or correct the way").nearest(lacking, known))
        })?;
        let Some(kind) = kind else { return Ok(target) };
        let message = match pointer.steps() {
            [components, found, _] if &**components == "components" && &**found != kind => {
                format!("`{text}` leads to `components/{found}`, where `components/{kind}` is needed")
            }
            _ if is_of_another_kind(target, kind)
                || (kind == "schemas"
                    && tree.get("openapi").is_some()
                    && !position::is_of_a_schema(&pointer, target)) =>
            {
                format!("`{text}` leads to what is none of `components/{kind}`")
            }
            _ => return Ok(target),
        };
        let finding = broken(message).related(target.place, "what it leads to");
        Err(Box::new(
            finding.help(format!("refer to one of `components/{kind}`, or to what could stand there")),
        ))
    }

    fn tree_of(&self, from: FileId, file: &str, text: &str) -> Result<&Node, Trouble> {
        let from = if usize::from(from.0) < self.overlays { FileId(0) } else { from };
        if file.is_empty() {
            return self.tree(from).ok_or_else(|| Trouble::Unreadable("no such file".into()));
        }
        let remote = files::is_remote(text);
        // a document may be known by a URI of its own, from which its references start (`$self`, OpenAPI 3.2 section
        // 4.1.2.2.1): nothing has to be fetched then
        let uri = match self.base_of(from) {
            Some(base) => identity::resolve(&base, file),
            None => remote.then(|| file.to_owned()),
        };
        let known = |uri: &String| {
            let is_it = |(id, _): &&(FileId, Node)| self.base_of(*id).is_some_and(|own| own == *uri);
            self.trees.iter().filter(is_it).collect::<Vec<_>>()
        };
        match uri.as_ref().map(known).unwrap_or_default().as_slice() {
            [] => {}
            [(_, tree)] => return Ok(tree),
            _ => return Err(Trouble::Unreadable("two documents say that this is their `$self`".into())),
        }
        if remote {
            return Err(Trouble::Remote);
        }
        match self.files.get(&(from, file.to_owned())) {
            Some(Ok(id)) => self.tree(*id).ok_or_else(|| Trouble::Unreadable("it is not a document".into())),
            Some(Err(reason)) if reason == files::OUTSIDE => Err(Trouble::Outside),
            Some(Err(reason)) => Err(Trouble::Unreadable(reason.clone())),
            None => Err(Trouble::Unreadable("no such file".into())),
        }
    }
}

fn schemas(tree: &Node) -> Option<&Node> {
    tree.get("components")?.get("schemas")
}

/// Members of parameters, responses, operations and path items, and no keywords.
const OF_NO_SCHEMA: [&str; 8] = ["in", "content", "responses", "get", "put", "post", "patch", "delete"];

/// Whether it plainly is no such component: what every one has is not there, or what none has is. Of what refers on, that
/// is asked where it leads.
fn is_of_another_kind(target: &Node, kind: &str) -> bool {
    let has = |key| target.get(key).is_some();
    if has("$ref") || target.as_object().is_none() {
        return false;
    }
    match kind {
        "parameters" => !has("in") && !has("name"),
        "requestBodies" => !has("content") && (has("in") || has("type")),
        "responses" | "headers" => has("in") || has("type"),
        "schemas" => !has("type") && OF_NO_SCHEMA.iter().any(|key| has(key)),
        _ => false,
    }
}

enum Trouble {
    Remote,
    Outside,
    Unreadable(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::json;

    fn library() -> Library {
        let root = json(
            r##"{"components":{"schemas":{"Account":{"a/b":{}}},"parameters":{"P":{}}},
            "r":["#/components/schemas/Account","#/components/schemas/Account/a~1b","#/components/schemas/Acount",
                 "#/components/parameters/P","https://example.com/a.yaml#/b","other.yaml","#components", 5, "#"]}"##,
        );
        gather(root, None, &mut Sources::default(), &mut Findings::default())
    }

    fn follow(at: usize) -> Result<String, (Code, Option<String>)> {
        let library = library();
        let reference = &library.root().unwrap().get("r").unwrap().as_array().unwrap()[at];
        match library.follow(reference, Some("schemas")) {
            Ok(node) => Ok(node.kind().into()),
            Err(finding) => Err((finding.code(), finding.suggestion().map(str::to_owned))),
        }
    }

    #[test]
    fn a_document_is_known_by_its_own_uri() {
        let root = json(
            r##"{"$self":"https://example.com/a.json","b":{},"r":["https://example.com/a.json#/b",
            "https://example.com/b.json#/b","a.json#/b","/a.json#/b","b.json#/b","x/a.json#/b"]}"##,
        );
        let library = gather(root, None, &mut Sources::default(), &mut Findings::default());
        let references = library.root().unwrap().get("r").unwrap().as_array().unwrap();
        let follow = |at: usize| library.follow(&references[at], None).map_err(|finding| finding.code());
        for itself in [0, 2, 3] {
            assert!(follow(itself).is_ok(), "{itself}");
        }
        assert_eq!(follow(1).unwrap_err(), Code::ForeignReference);
        for other in [4, 5] {
            assert_eq!(follow(other).unwrap_err(), Code::UnresolvedReference, "{other}");
        }
    }

    /// The example of OpenAPI 3.2, appendix F: what they are called is not where they are.
    #[test]
    fn relative_uris_start_from_where_documents_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shared")).unwrap();
        let shared = "openapi: 3.2.0\n$self: /api/shared/foo\ninfo: { title: T, version: '1' }\ncomponents:\n  requestBodies:\n    Foo: { content: { application/json: { schema: { $ref: ../schemas/foo } } } }\n  schemas:\n    Foo: { $id: /api/schemas/foo, type: object, properties: { bar: { $ref: bar } } }\n    Bar: { $id: /api/schemas/bar, type: string, maxLength: 7 }\n";
        std::fs::write(folder.path().join("shared/foo"), shared).unwrap();
        for own in ["/api/openapi", "openapi", "../api/openapi", "https://example.com/api/openapi"] {
            let text = format!(
                "openapi: 3.2.0\n$self: {own}\ninfo: {{ title: T, version: '1' }}\npaths:\n  /foo:\n    put: {{ operationId: foo, security: [], x-palisade: {{ public: a test }}, requestBody: {{ $ref: 'shared/foo#/components/requestBodies/Foo' }}, responses: {{ '204': {{ description: d }} }} }}\n"
            );
            std::fs::write(folder.path().join("openapi.yaml"), text).unwrap();
            let source = crate::source::Source::file(folder.path().join("openapi.yaml"));
            match crate::front::understand(&source) {
                Ok(understood) => {
                    let api = format!("{:?}", understood.api.api());
                    assert!(api.contains("max: Some(7)"), "{own}: {api}");
                }
                Err(findings) => panic!("{own}\n{findings}"),
            }
        }
    }

    /// Which of them is meant would be decided by the order in which they are read.
    #[test]
    fn two_documents_of_one_uri_are_neither() {
        let folder = tempfile::tempdir().unwrap();
        for (file, longest) in [("a.yaml", 3), ("b.yaml", 9)] {
            let text = format!(
                "openapi: 3.2.0\n$self: https://example.com/s\ninfo: {{ title: T, version: '1' }}\ncomponents: {{ schemas: {{ X: {{ type: string, maxLength: {longest} }} }} }}\n"
            );
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let understand = |read: &str| {
            let text = format!(
                "openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents: {{ schemas: {{ Y: {{ $ref: 'https://example.com/s#/components/schemas/X' }} }} }}\nx-read: [{read}]\n"
            );
            std::fs::write(folder.path().join("openapi.yaml"), text).unwrap();
            crate::front::understand(&crate::source::Source::file(folder.path().join("openapi.yaml")))
        };
        assert!(understand("{ $ref: a.yaml }").is_ok());
        let findings = understand("{ $ref: a.yaml }, { $ref: b.yaml }").map(|_| ()).unwrap_err();
        assert!(findings.to_string().contains("two documents say"), "{findings}");
    }

    #[test]
    fn references_lead_somewhere_or_say_why_not() {
        assert!(follow(0).is_ok() && follow(1).is_ok() && follow(8).is_ok());
        assert_eq!(follow(2), Err((Code::UnresolvedReference, Some("Account".into()))));
        assert_eq!(follow(3), Err((Code::UnresolvedReference, None)));
        assert_eq!(follow(4), Err((Code::ForeignReference, None)));
        assert_eq!(follow(5), Err((Code::UnresolvedReference, None)));
        assert_eq!(follow(6), Err((Code::UnresolvedReference, None)));
        assert_eq!(follow(7), Err((Code::WrongType, None)));
    }
}
