//! OpenAPI Overlay documents (version 1.0 and 1.1): annotations for a document that one does not own.
//!
//! 1. Actions apply in their order, each to what the ones before left.
//! 2. `target` is a JSONPath (RFC 9535). One that selects nothing is an error: what it should have protected would not be.
//! 3. `remove: true` removes what is selected.
//! 4. `update` is merged: objects member by member, arrays one after the other, everything else replaced.
//!
//! What comes of an overlay keeps its place there, so that findings point to it.

use serde_json_path::{JsonPath, PathElement};

use crate::build::literal;
use crate::finding::{Code, Finding, Findings};
use crate::model::Literal;
use crate::source::span::Place;
use crate::source::tree::{Member, Node, Object, Value};
use crate::source::{self, Source, Sources};

/// The document with every overlay applied, in order. `None` after a finding.
pub(crate) fn apply(
    mut root: Node,
    overlays: &[Source],
    sources: &mut Sources,
    findings: &mut Findings,
) -> Option<Node> {
    for overlay in overlays {
        let tree = source::load(overlay, sources, findings)?;
        let mut document = Changing { value: literal(&root), nodes: root.count(), root };
        for action in read(&tree, findings)? {
            if document.nodes > source::MAX_NODES {
                break; // which was said of the action before
            }
            if let Err(finding) = action.apply(&mut document) {
                findings.push(*finding);
            }
        }
        root = document.root;
    }
    Some(root)
}

/// The document between two actions.
struct Changing {
    root: Node,
    /// The same as the JSON that paths are asked of. It is changed along: copying a document for each of thousands of
    /// actions takes long.
    value: Literal,
    /// How many values there are.
    nodes: usize,
}

/// One of the `actions`.
struct Action<'o> {
    path: JsonPath,
    place: Place,
    change: Change<'o>,
}

enum Change<'o> {
    Remove,
    /// `lists` says that lists are appended to lists (1.1), instead of being entries of them (1.0).
    Update {
        value: &'o Node,
        lists: bool,
    },
}

type Refused = Box<Finding>;

fn read<'o>(tree: &'o Node, findings: &mut Findings) -> Option<Vec<Action<'o>>> {
    let wrong = |code, message: &str, place| Finding::error(code, message, place);
    let Some(version) = tree.get("overlay") else {
        let finding =
            wrong(Code::MissingMember, "this is no overlay: it has no member `overlay`", tree.place);
        findings.push(finding.help("write `overlay: 1.0.0` at the top of it"));
        return None;
    };
    let lists = match version.as_str().and_then(|text| text.get(..3)) {
        Some("1.0") => false,
        Some("1.1") => true,
        _ => {
            let finding = wrong(Code::Version, "not a version of overlays that is supported", version.place);
            findings.push(finding.help("write `overlay: 1.0.0` or `overlay: 1.1.0`"));
            return None;
        }
    };
    known_members(tree, "an overlay", &["overlay", "info", "extends", "actions"], findings);
    let Some(actions) = tree.get("actions").and_then(Node::as_array) else {
        findings.push(wrong(Code::MissingMember, "an overlay needs the list `actions`", tree.place));
        return None;
    };
    let mut sound = Vec::new();
    for action in actions {
        known_members(action, "an action", &["target", "description", "update", "remove"], findings);
        match self::action(action, lists) {
            Ok(Some(action)) => sound.push(action),
            Ok(None) => {}
            Err(finding) => findings.push(*finding),
        }
    }
    (!findings.has_errors()).then_some(sound)
}

fn known_members(node: &Node, what: &str, known: &[&'static str], findings: &mut Findings) {
    for member in node.as_object().into_iter().flat_map(Object::members) {
        if !known.contains(&&*member.key) && !member.key.starts_with("x-") {
            let message = format!("{what} has no member `{}`", member.key);
            let finding = Finding::error(Code::UnknownMember, message, member.key_place);
            findings.push(finding.nearest(&member.key, known.iter().copied()));
        }
    }
}

/// `None` for one that does nothing.
fn action(node: &Node, lists: bool) -> Result<Option<Action<'_>>, Refused> {
    let refuse = |code, message: String, place| Err(Box::new(Finding::error(code, message, place)));
    let Some(target) = node.get("target") else {
        return refuse(Code::MissingMember, "an action needs the member `target`".into(), node.place);
    };
    let path = match target.as_str().map(JsonPath::parse) {
        Some(Ok(path)) => path,
        Some(Err(error)) => {
            return refuse(
                Code::InvalidValue,
                format!("this is no JSONPath: {}", error.message()),
                target.place,
            );
        }
        None => {
            return refuse(
                Code::WrongType,
                format!("`target` is a string, not {}", target.kind()),
                target.place,
            );
        }
    };
    let change = match (node.get("remove"), node.get("update")) {
        (Some(remove), _) if remove.as_bool().is_none() => {
            return refuse(
                Code::WrongType,
                format!("`remove` is a boolean, not {}", remove.kind()),
                remove.place,
            );
        }
        // what is removed is not updated (section 4.4.3)
        (Some(remove), _) if remove.as_bool() == Some(true) => Change::Remove,
        (_, Some(value)) => Change::Update { value, lists },
        (_, None) => return Ok(None),
    };
    Ok(Some(Action { path, place: target.place, change }))
}

impl Action<'_> {
    fn apply(&self, document: &mut Changing) -> Result<(), Refused> {
        let found = self.path.query_located(&document.value);
        let mut places: Vec<Vec<Step>> =
            found.iter().map(|node| node.location().iter().map(Step::of).collect()).collect();
        if places.is_empty() {
            let finding =
                Finding::error(Code::UnresolvedReference, "this target selects nothing", self.place);
            return Err(Box::new(finding.help("what the action says would not hold: correct the JSONPath")));
        }
        // the later entries of a list go first, so that the earlier ones keep their numbers
        places.sort();
        // a path may select a node twice, and is meant once
        places.dedup();
        if let Change::Update { value, .. } = &self.change {
            self.has_room(document, value.count().saturating_mul(places.len()))?;
        }
        for steps in places.iter().rev() {
            match &self.change {
                Change::Remove => {
                    self.remove(&mut document.root, steps)?;
                    remove_value(&mut document.value, steps);
                }
                Change::Update { value, lists } => {
                    if let Some(node) = at(&mut document.root, steps) {
                        self.update(node, value, *lists)?;
                    }
                    if let Some(known) = value_at(&mut document.value, steps) {
                        update_value(known, value, *lists);
                    }
                }
            }
        }
        Ok(())
    }

    /// An action that updates everything makes a document several times as large, and the next one again.
    fn has_room(&self, document: &mut Changing, more: usize) -> Result<(), Refused> {
        document.nodes = document.nodes.saturating_add(more);
        if document.nodes <= source::MAX_NODES {
            return Ok(());
        }
        let message = "with this action the document has more than two million values";
        let finding = Finding::error(Code::NotSupported, message, self.place);
        Err(Box::new(finding.help("select less, or update it with less")))
    }

    fn remove(&self, root: &mut Node, steps: &[Step]) -> Result<(), Refused> {
        let Some((last, before)) = steps.split_last() else {
            let message = "the whole document cannot be removed";
            let finding = Finding::error(Code::InvalidValue, message, self.place);
            return Err(Box::new(finding.help("name a member of it: `$.paths['/things']`")));
        };
        match (at(root, before).map(|node| &mut node.value), last) {
            (Some(Value::Object(object)), Step::Name(name)) => {
                object.edit(|members| members.retain(|member| *member.key != **name));
            }
            (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => {
                drop(items.remove(*index))
            }
            // it went with something that held it
            _ => {}
        }
        Ok(())
    }

    fn update(&self, node: &mut Node, value: &Node, lists: bool) -> Result<(), Refused> {
        match (&mut node.value, &value.value) {
            (Value::Object(_), Value::Object(_)) => merge(node, value),
            (Value::Array(items), Value::Array(more)) if lists => items.extend(more.iter().cloned()),
            (Value::Array(items), _) => items.push(value.clone()),
            (Value::Object(_), _) => {
                let message = format!("an object is updated by an object, not by {}", value.kind());
                return Err(Box::new(Finding::error(Code::WrongType, message, value.place)));
            }
            _ if lists => *node = value.clone(),
            _ => {
                let message =
                    format!("this target selects {}, which overlays of 1.0 cannot update", node.kind());
                let finding = Finding::error(Code::InvalidValue, message, self.place);
                return Err(Box::new(finding.help("select the object that holds it")));
            }
        }
        Ok(())
    }
}

/// One step of a location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Name(Box<str>),
}

impl Step {
    fn of(element: &PathElement<'_>) -> Self {
        match element {
            PathElement::Name(name) => Self::Name((*name).into()),
            PathElement::Index(index) => Self::Index(*index),
        }
    }
}

fn at<'n>(root: &'n mut Node, steps: &[Step]) -> Option<&'n mut Node> {
    steps.iter().try_fold(root, |node, step| match (&mut node.value, step) {
        (Value::Object(object), Step::Name(name)) => object.get_mut(name),
        (Value::Array(items), Step::Index(index)) => items.get_mut(*index),
        _ => None,
    })
}

/// Members of both are merged in turn; what is new comes last.
fn merge(node: &mut Node, update: &Node) {
    match (&mut node.value, &update.value) {
        (Value::Object(object), Value::Object(more)) => {
            let mut new: Vec<Member> = Vec::new();
            for member in more.members() {
                match object.get_mut(&member.key) {
                    Some(known) => merge(known, &member.node),
                    None => new.push(member.clone()),
                }
            }
            if !new.is_empty() {
                object.edit(|members| members.extend(new));
            }
        }
        (Value::Array(items), Value::Array(more)) => items.extend(more.iter().cloned()),
        _ => *node = update.clone(),
    }
}

fn value_at<'v>(root: &'v mut Literal, steps: &[Step]) -> Option<&'v mut Literal> {
    steps.iter().try_fold(root, |value, step| match (value, step) {
        (Literal::Object(object), Step::Name(name)) => object.get_mut(&**name),
        (Literal::Array(items), Step::Index(index)) => items.get_mut(*index),
        _ => None,
    })
}

fn remove_value(root: &mut Literal, steps: &[Step]) {
    let Some((last, before)) = steps.split_last() else { return };
    match (value_at(root, before), last) {
        (Some(Literal::Object(object)), Step::Name(name)) => drop(object.remove(&**name)),
        (Some(Literal::Array(items)), Step::Index(index)) if *index < items.len() => {
            drop(items.remove(*index))
        }
        _ => {}
    }
}

/// What [`Action::update`] does, once it was done.
fn update_value(value: &mut Literal, update: &Node, lists: bool) {
    match (&mut *value, &update.value) {
        (Literal::Array(items), Value::Array(more)) if lists => items.extend(more.iter().map(literal)),
        (Literal::Array(items), _) => items.push(literal(update)),
        _ => merge_value(value, update),
    }
}

/// What [`merge`] does.
fn merge_value(value: &mut Literal, update: &Node) {
    match (&mut *value, &update.value) {
        (Literal::Object(object), Value::Object(more)) => {
            for member in more.members() {
                match object.get_mut(&*member.key) {
                    Some(known) => merge_value(known, &member.node),
                    None => drop(object.insert(member.key.to_string(), literal(&member.node))),
                }
            }
        }
        (Literal::Array(items), Value::Array(more)) => items.extend(more.iter().map(literal)),
        _ => *value = literal(update),
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::{Code, Findings};
    use crate::model::Access;
    use crate::{Options, Source, understand_with};

    const DOCUMENT: &str = r#"
openapi: 3.1.0
info: { title: Others, version: "1" }
paths:
  /a:
    get: { operationId: getA, responses: { "204": { description: done } } }
    post: { operationId: postA, security: [{}], responses: { "204": { description: done } } }
  /internal:
    get: { operationId: getInternal, responses: { "204": { description: done } } }
"#;

    fn applied(actions: &str) -> Result<crate::Understood, Findings> {
        let overlay = format!("overlay: 1.0.0\ninfo: {{ title: Ours, version: '1' }}\nactions:\n{actions}");
        let options = Options::default().overlay(Source::text("ours.yaml", overlay));
        understand_with(&Source::text("openapi.yaml", DOCUMENT), &options)
    }

    const PROTECT: &str = r#"
  - target: $
    update:
      security: [{ token: [] }]
      components: { securitySchemes: { token: { type: http, scheme: bearer } } }
  - target: $.paths['/internal']
    remove: true
  - target: $.paths.*[?@.operationId == 'postA'].security
    remove: true
"#;

    #[test]
    fn a_document_of_others_is_annotated_from_outside() {
        let understood = applied(PROTECT).unwrap();
        let api = understood.api.api();
        let ids: Vec<&str> = api.operations.iter().map(|operation| operation.id.as_str()).collect();
        assert_eq!(ids, ["getA", "postA"]);
        assert!(
            api.operations
                .iter()
                .all(|operation| matches!(&operation.access, Access::Any(all) if all.len() == 1))
        );
        assert_eq!(understood.sources.files().len(), 2, "the hash stands for the overlay as well");
    }

    #[test]
    fn without_it_the_document_is_refused() {
        let findings =
            understand_with(&Source::text("openapi.yaml", DOCUMENT), &Options::default()).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code() == Code::Undecided));
    }

    #[test]
    fn findings_of_what_it_says_point_into_it() {
        let findings = applied(&PROTECT.replace("[{ token: [] }]", "[{ tokn: [] }]")).unwrap_err();
        let finding = findings.iter().find(|finding| finding.code() == Code::UnknownScheme).unwrap();
        assert_eq!(findings.position(finding), Some(("ours.yaml", 7, 20)));
    }

    #[test]
    fn references_of_what_it_says_lead_into_the_document() {
        let actions = format!(
            "{PROTECT}  - target: $.paths['/a'].get\n    update: {{ parameters: [{{ $ref: '#/components/parameters/Q' }}] }}\n\
             \x20 - target: $.components\n    update: {{ parameters: {{ Q: {{ name: q, in: query, schema: {{ type: string }} }} }} }}\n"
        );
        let understood = applied(&actions).unwrap_or_else(|findings| panic!("{findings}"));
        assert_eq!(understood.api.api().operations[0].parameters.len(), 1);
    }

    #[test]
    fn what_a_path_selects_twice_is_changed_once() {
        let actions = format!(
            "{PROTECT}  - target: $.paths['/a'].get\n    update: {{ security: [{{ token: [] }}, {{ token: [a] }}] }}\n\
             \x20 - target: $.paths['/a'].get.security[0,0]\n    remove: true\n"
        );
        let understood = applied(&actions).unwrap_or_else(|findings| panic!("{findings}"));
        let access = &understood.api.api().operations[0].access;
        let Access::Any(left) = access else { panic!("{access:?}") };
        assert_eq!(left.iter().flatten().map(|need| need.scopes.len()).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn an_action_that_would_do_nothing_is_refused() {
        for (actions, code) in [
            ("  - { target: $.paths.b, remove: true }\n", Code::UnresolvedReference),
            ("  - { target: paths, remove: true }\n", Code::InvalidValue),
            ("  - { target: $, remove: true }\n", Code::InvalidValue),
            ("  - { target: $, updte: {} }\n", Code::UnknownMember),
            ("  - { remove: true }\n", Code::MissingMember),
            ("  - { target: $.info.title, update: { x-a: 1 } }\n", Code::InvalidValue),
            ("  - { target: $.info, update: word }\n", Code::WrongType),
        ] {
            let findings = applied(actions).unwrap_err();
            assert!(findings.iter().any(|finding| finding.code() == code), "{actions}{findings}");
        }
    }

    #[test]
    fn each_action_sees_what_those_before_it_left() {
        let actions = format!(
            "{PROTECT}  - target: $.paths['/a'].get\n    update: {{ x-a: [1], x-b: {{ c: 1 }} }}\n\
             \x20 - target: $.paths['/a'].get[?@.c == 1]\n    update: {{ d: [2] }}\n\
             \x20 - target: $.paths['/a'].get['x-b'].d\n    update: 3\n\
             \x20 - target: $.paths['/a'].get['x-b'].d[?@ == 2]\n    remove: true\n\
             \x20 - target: $.paths['/a'].get['x-b'].d[?@ == 3]\n    remove: true\n\
             \x20 - target: $.paths['/a'].get['x-a','x-b']\n    remove: true\n"
        );
        applied(&actions).unwrap_or_else(|findings| panic!("{findings}"));
        let findings = applied(&format!("{actions}  - target: $..d\n    remove: true\n")).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code() == Code::UnresolvedReference), "{findings}");
    }

    #[test]
    fn a_document_does_not_grow_without_end() {
        let many = vec!["{ title: a }"; 1_500].join(", ");
        let more = format!("  - target: $..[?@.title]\n    update: {{ x-a: [{many}] }}\n");
        let findings = applied(&format!("{PROTECT}{more}{more}{more}{more}")).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code() == Code::NotSupported), "{findings}");
    }

    #[test]
    fn lists_are_appended_to() {
        let update = "  - { target: $.paths.*.post.security, update: { token: [] } }\n";
        let actions = PROTECT
            .replace("  - target: $.paths.*[?@.operationId == 'postA'].security\n    remove: true\n", update);
        let understood = applied(&actions).unwrap_or_else(|findings| panic!("{findings}"));
        assert!(matches!(&understood.api.api().operations[1].access, Access::Any(all) if all.len() == 2));
    }
}
