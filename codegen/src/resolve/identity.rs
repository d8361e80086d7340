//! What schemas are known by beside their place: `$id`, `$anchor` and `$dynamicAnchor` (JSON Schema 2020-12, core, section
//! 8.2).
//!
//! 1. A schema with `$id` is a resource of its own: references inside start from its URI, and lead to it by that URI.
//! 2. Every outermost schema of a document is a resource known by the document's URI; the standard leaves open how schemas in
//!    documents of another kind are (section 4.3.5). An anchor is looked up there first, and then in the whole document.
//! 3. Only what stands where a schema stands counts: not values of `enum`, not examples, not members that nobody defines.
//! 4. Up to draft-07 an anchor is an `$id` that is a fragment (`id` in draft-04), and nothing counts beside `$ref`.
//! 5. Two schemas that are known by one name are a mistake (section 8.2.2 leaves the effect undefined), unless they are anchors
//!    of different resources.

use foldhash::HashMap;
use iri_string::types::{IriAbsoluteStr, IriReferenceStr};

use super::{Library, files, position};
use crate::finding::{Code, Finding, Findings};
use crate::normalise::{Draft, Version};
use crate::source::pointer::{Pointer, percent_decode};
use crate::source::tree::{Member, Node, Value};

/// The schemas of the documents by what they are known by.
#[derive(Debug)]
pub(crate) struct Identities<'d> {
    library: &'d Library,
    resources: Vec<Resource<'d>>,
    /// Every schema.
    of: HashMap<*const Node, Known<'d>>,
    /// Those that have an `$id`, by their URI.
    known: HashMap<String, ResourceId>,
    /// Every schema that has a `$dynamicRef`.
    pub(super) dynamic: Vec<&'d Node>,
}

#[derive(Clone, Copy, Debug)]
struct Known<'d> {
    schema: &'d Node,
    resource: ResourceId,
    /// What `$schema` states, here or around it.
    draft: Option<Draft>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ResourceId(usize);

#[derive(Debug)]
struct Resource<'d> {
    root: &'d Node,
    /// The document that it stands in.
    document: usize,
    /// Where its references start from.
    base: String,
    /// Whether that is its own.
    has_id: bool,
    /// `$anchor` and `$dynamicAnchor`
    anchors: HashMap<&'d str, &'d Node>,
    /// `$dynamicAnchor`
    dynamic: HashMap<&'d str, &'d Node>,
}

impl<'d> Identities<'d> {
    /// Looks through every document.
    pub(crate) fn of(library: &'d Library, version: Version, findings: &mut Findings) -> Self {
        let (resources, dynamic) = (Vec::new(), Vec::new());
        let (of, known) = (HashMap::default(), HashMap::default());
        let mut identities = Self { library, resources, of, known, dynamic };
        for (position, (id, tree)) in library.trees.iter().enumerate() {
            // 3.0 has none of the keywords
            if version == Version::V30 || !names_schemas(tree) {
                continue;
            }
            let base = library.base_of(*id).unwrap_or_else(|| format!("{}{position}/", files::ROOT));
            let draft = stated_draft(tree, "jsonSchemaDialect").unwrap_or_default();
            let mut walk = Walk { identities: &mut identities, findings, document: position, base, draft };
            if tree.get("openapi").is_none() {
                walk.schema(tree, None, draft); // a file may be one schema
            }
            walk.elsewhere(tree);
        }
        identities
    }

    /// Whether `schema` stands where schemas stand.
    pub(crate) fn knows(&self, schema: &Node) -> bool {
        self.of.contains_key(&std::ptr::from_ref(schema))
    }

    /// Every schema that stands where schemas stand.
    pub(super) fn schemas(&self) -> impl Iterator<Item = &'d Node> {
        self.of.values().map(|known| known.schema)
    }

    /// The draft of JSON Schema that a schema is written in.
    pub(crate) fn draft(&self, schema: &Node) -> Draft {
        self.stated_draft(schema).unwrap_or_default()
    }

    /// The same, if it is stated.
    pub(crate) fn stated_draft(&self, schema: &Node) -> Option<Draft> {
        self.of.get(&std::ptr::from_ref(schema))?.draft
    }

    /// The schema that `reference`, which stands in the schema `from`, leads to.
    pub(crate) fn follow(&self, from: &Node, reference: &Node) -> Result<&'d Node, Box<Finding>> {
        match reference.as_str().map_or(Ok(None), |text| self.find(from, text)) {
            Ok(Some(schema)) => Ok(schema),
            Ok(None) => self.library.follow(reference, Some("schemas")),
            Err(message) => {
                let finding = Finding::error(Code::UnresolvedReference, message, reference.place);
                let within = self.resource_of(from).is_some_and(|own| own.has_id);
                Err(Box::new(finding.help(match within {
                    true => "references start from the `$id` around them: leave it out if the document is meant",
                    false => "name a schema by its place, such as `#/components/schemas/Thing`, or by its `$anchor`",
                })))
            }
        }
    }

    /// `None`: a place of a document, by its path.
    fn find(&self, from: &Node, reference: &str) -> Result<Option<&'d Node>, String> {
        let Some(own) = self.resource_of(from) else { return Ok(None) };
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = if address.is_empty() {
            own
        } else {
            let uri = resolve(&own.base, address);
            match uri.as_ref().and_then(|uri| self.known.get(uri)).and_then(|id| self.resources.get(id.0)) {
                Some(known) => known,
                None if own.has_id => return Err(unknown(reference, uri)),
                None => return Ok(None),
            }
        };
        if !resource.has_id && (fragment.is_empty() || fragment.starts_with('/')) {
            return Ok(None);
        }
        self.inside(resource, fragment, reference).map(Some)
    }

    fn inside(&self, resource: &Resource<'d>, fragment: &str, reference: &str) -> Result<&'d Node, String> {
        if fragment.is_empty() || fragment.starts_with('/') {
            let pointer =
                Pointer::parse_fragment(fragment).ok_or(format!("`{reference}` is no reference"))?;
            let lacking = |(_, step): (_, &str)| format!("`{reference}` leads nowhere: there is no `{step}`");
            let target = pointer.find(resource.root).map_err(lacking)?;
            return match position::is_within_a_schema(&pointer, target) {
                true => Ok(target),
                false => Err(format!("`{reference}` leads to what is no schema")),
            };
        }
        let name = percent_decode(fragment).unwrap_or_default();
        if let Some(schema) = resource.anchors.get(&*name) {
            return Ok(schema);
        }
        let beside =
            |other: &&Resource<'d>| !resource.has_id && !other.has_id && other.document == resource.document;
        let mut all = self.resources.iter().filter(beside).filter_map(|other| other.anchors.get(&*name));
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(format!("`{reference}` could be one of several schemas")),
            _ => Err(format!("`{reference}` leads nowhere: no schema here has the anchor `{name}`")),
        }
    }

    /// The dynamic anchor of this name in the resource of `schema`.
    pub(crate) fn dynamic_anchor(&self, schema: &Node, name: &str) -> Option<&'d Node> {
        self.resource_of(schema)?.dynamic.get(name).copied()
    }

    /// The dynamic anchors of the resource of `schema`, by name.
    pub(super) fn dynamic_anchors(
        &self,
        schema: &Node,
    ) -> impl Iterator<Item = (&'d str, &'d Node)> + use<'_, 'd> {
        let all = self.resource_of(schema).into_iter().flat_map(|resource| &resource.dynamic);
        all.map(|(name, node)| (*name, *node))
    }

    fn resource_of(&self, schema: &Node) -> Option<&Resource<'d>> {
        self.resources.get(self.of.get(&std::ptr::from_ref(schema))?.resource.0)
    }
}

/// RFC 3986 section 5.2.
pub(super) fn resolve(base: &str, reference: &str) -> Option<String> {
    let base = IriAbsoluteStr::new(base).ok()?;
    Some(IriReferenceStr::new(reference).ok()?.resolve_against(base).to_string())
}

/// A whole URI.
pub(super) fn absolute(text: &str) -> Option<String> {
    IriAbsoluteStr::new(text).ok().map(|uri| uri.as_str().to_owned())
}

/// What a document or a schema states about those inside; that may be OpenAPI's own dialect again.
fn stated_draft(node: &Node, keyword: &str) -> Option<Option<Draft>> {
    Some(Draft::stated(node.get(keyword)?.as_str()?))
}

fn unknown(reference: &str, uri: Option<String>) -> String {
    let Some(uri) = uri else { return format!("`{reference}` is no reference") };
    format!("no schema here has the `$id` `{uri}`, which `{reference}` is from where it stands")
}

/// Whether any of the keywords is there at all: most documents have none, and need no more than this.
fn names_schemas(node: &Node) -> bool {
    match &node.value {
        Value::Array(items) => items.iter().any(names_schemas),
        Value::Object(object) => object
            .members()
            .iter()
            .any(|member| KEYWORDS.contains(&&*member.key) || names_schemas(&member.node)),
        _ => false,
    }
}

/// What makes a difference here.
const KEYWORDS: [&str; 6] =
    ["$schema", "jsonSchemaDialect", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef"];

struct Walk<'w, 'd> {
    identities: &'w mut Identities<'d>,
    findings: &'w mut Findings,
    document: usize,
    base: String,
    draft: Option<Draft>,
}

impl<'d> Walk<'_, 'd> {
    /// What is no schema, and may hold some.
    fn elsewhere(&mut self, node: &'d Node) {
        match &node.value {
            Value::Array(items) => items.iter().for_each(|item| self.elsewhere(item)),
            Value::Object(object) => object.members().iter().for_each(|member| match &*member.key {
                "schema" | "itemSchema" => self.schema(&member.node, None, self.draft),
                "schemas" => {
                    members(&member.node).for_each(|member| self.schema(&member.node, None, self.draft))
                }
                "example" | "examples" | "default" | "enum" | "value" | "dataValue" => {}
                key if key.starts_with("x-") => {}
                _ => self.elsewhere(&member.node),
            }),
            _ => {}
        }
    }

    fn schema(&mut self, node: &'d Node, outer: Option<ResourceId>, draft: Option<Draft>) {
        if self.identities.knows(node) {
            return; // a file that is one schema has members with names of OpenAPI
        }
        let stated = stated_draft(node, "$schema").unwrap_or(draft);
        let draft = stated.unwrap_or_default();
        let resource = self.resource(node, outer, draft);
        self.identities.of.insert(node, Known { schema: node, resource, draft: stated });
        for keyword in ["$anchor", "$dynamicAnchor"].into_iter().filter(|keyword| !draft.lacks(keyword)) {
            let name = node.get(keyword).and_then(Node::as_str);
            name.into_iter().for_each(|name| self.anchor(node, keyword, name, resource));
        }
        let fragment = stated_id(node, draft).and_then(|id| id.strip_prefix('#'));
        if let Some(name) = fragment.filter(|name| !name.is_empty() && draft.has_lone_references()) {
            self.anchor(node, draft.id(), name, resource);
        }
        if !draft.lacks("$dynamicRef") && node.get("$dynamicRef").is_some() {
            self.identities.dynamic.push(node);
        }
        inside(node).for_each(|schema| self.schema(schema, Some(resource), stated));
    }

    /// The resource that a schema is a part of, or begins.
    fn resource(&mut self, node: &'d Node, outer: Option<ResourceId>, draft: Draft) -> ResourceId {
        let outer_resource = outer.and_then(|outer| self.identities.resources.get(outer.0));
        let base = outer_resource.map_or(&self.base, |outer| &outer.base);
        // an empty fragment says nothing
        let stated = stated_id(node, draft).map(|id| id.strip_suffix('#').unwrap_or(id));
        let uri = stated.filter(|id| !id.starts_with('#')).and_then(|id| resolve(base, id));
        if let (None, Some(outer)) = (&uri, outer) {
            return outer;
        }
        let id = ResourceId(self.identities.resources.len());
        let (has_id, base) = (uri.is_some(), uri.unwrap_or_else(|| base.clone()));
        if has_id && let Some(known) = self.identities.known.insert(base.clone(), id) {
            self.known_twice(
                node,
                draft.id(),
                self.identities.resources.get(known.0).map(|known| known.root),
            );
        }
        let (anchors, dynamic) = (HashMap::default(), HashMap::default());
        let document = self.document;
        self.identities.resources.push(Resource { root: node, document, base, has_id, anchors, dynamic });
        id
    }

    fn anchor(&mut self, node: &'d Node, keyword: &str, name: &'d str, resource: ResourceId) {
        let Some(resource) = self.identities.resources.get_mut(resource.0) else { return };
        if keyword == "$dynamicAnchor" {
            resource.dynamic.insert(name, node);
        }
        let known = resource.anchors.insert(name, node);
        // one schema may have both keywords
        if let Some(known) = known.filter(|known| !std::ptr::eq(*known, node)) {
            self.known_twice(node, keyword, Some(known));
        }
    }

    fn known_twice(&mut self, node: &Node, keyword: &str, other: Option<&Node>) {
        let place = node.get(keyword).map_or(node.place, |name| name.place);
        let message = format!("another schema has this `{keyword}`");
        let finding = Finding::error(Code::InvalidValue, message, place);
        let finding = match other.and_then(|other| other.get(keyword)) {
            Some(other) => finding.related(other.place, "the other"),
            None => finding,
        };
        self.findings.push(finding.help("a reference to it could not tell the two apart: rename one"));
    }
}

/// `$id`, where it counts.
fn stated_id(node: &Node, draft: Draft) -> Option<&str> {
    let counts = !(draft.has_lone_references() && node.get("$ref").is_some());
    node.get(draft.id()).filter(|_| counts)?.as_str()
}

/// The schemas that stand in a schema.
pub(super) fn inside(schema: &Node) -> impl Iterator<Item = &Node> {
    members(schema).flat_map(|member| {
        let of_a_map = MAPS.contains(&&*member.key).then(|| members(&member.node).map(|member| &member.node));
        let one_or_more = SCHEMAS.contains(&&*member.key).then(|| match member.node.as_array() {
            Some(items) => items,
            None => std::slice::from_ref(&member.node),
        });
        of_a_map.into_iter().flatten().chain(one_or_more.into_iter().flatten())
    })
}

/// The keywords of one schema, or of a list.
pub(super) const SCHEMAS: [&str; 16] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "prefixItems",
    "items",
    "additionalItems",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];

/// The keywords of schemas by name.
pub(super) const MAPS: [&str; 6] =
    ["properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"];

fn members(node: &Node) -> impl Iterator<Item = &Member> {
    node.as_object().into_iter().flat_map(|object| object.members())
}

#[cfg(test)]
mod tests {
    use super::super::gather;
    use super::*;
    use crate::source::Sources;
    use crate::source::testing::json;

    /// The `title` of the schema that a `$ref` of the schema `from` leads to, or why it leads nowhere.
    fn lead(schemas: &str, from: &str) -> Result<String, String> {
        let text = format!("{{\"openapi\":\"3.1.0\",\"components\":{{\"schemas\":{schemas}}}}}");
        let mut findings = Findings::default();
        let library = gather(json(&text), None, &mut Sources::default(), &mut findings);
        let identities = Identities::of(&library, Version::V31, &mut findings);
        assert!(findings.is_empty(), "{findings}");
        let schema = Pointer::parse(from).unwrap().find(library.root().unwrap()).unwrap();
        assert!(identities.knows(schema));
        match identities.follow(schema, schema.get("$ref").unwrap()) {
            Ok(target) => Ok(target.get("title").and_then(Node::as_str).unwrap_or_default().to_owned()),
            Err(finding) => Err(finding.message().to_owned()),
        }
    }

    fn from_the_first(reference: &str, others: &str) -> Result<String, String> {
        let schemas = format!("{{\"A\":{{\"$ref\":\"{reference}\"}},{others}}}");
        lead(&schemas, "/components/schemas/A")
    }

    #[test]
    fn resources_are_known_by_their_uri() {
        let others = r##""B":{"$id":"https://x.org/b","title":"b","$defs":{
            "c":{"$id":"c","title":"c","$defs":{"d":{"title":"d"}}},"e":{"$anchor":"e","title":"e"}}}"##;
        for (reference, title) in [
            ("https://x.org/b", "b"),
            ("https://x.org/b#", "b"),
            ("https://x.org/c", "c"),
            ("https://x.org/b#/$defs/c/$defs/d", "d"),
            ("https://x.org/c#/$defs/d", "d"),
            ("https://x.org/b#e", "e"),
            ("#/components/schemas/B", "b"),
        ] {
            assert_eq!(from_the_first(reference, others), Ok(title.into()), "{reference}");
        }
        for reference in
            ["https://x.org/d", "https://x.org/b#c", "https://x.org/c#e", "https://x.org/b#/$defs/x", "#e"]
        {
            assert!(from_the_first(reference, others).is_err(), "{reference}");
        }
    }

    #[test]
    fn references_start_from_the_id_around_them() {
        let schemas = r##"{"A":{"$id":"https://x.org/dir/a","title":"a","properties":{
            "self":{"$ref":"#"},"up":{"$ref":"../b"},"place":{"$ref":"#/components/schemas/B"},"file":{"$ref":"c.yaml"}}},
            "B":{"$id":"https://x.org/b","title":"b"}}"##;
        let property = |name: &str| lead(schemas, &format!("/components/schemas/A/properties/{name}"));
        assert_eq!(property("self"), Ok("a".into()));
        assert_eq!(property("up"), Ok("b".into()));
        assert_eq!(
            property("place"),
            Err("`#/components/schemas/B` leads nowhere: there is no `components`".into())
        );
        assert!(property("file").is_err_and(|message| message.contains("https://x.org/dir/c.yaml")));
    }

    #[test]
    fn anchors_are_looked_up_near_first() {
        let beside = r##""B":{"title":"b","$anchor":"n"}"##;
        assert_eq!(from_the_first("#n", beside), Ok("b".into()));
        assert_eq!(
            from_the_first("#m", beside),
            Err("`#m` leads nowhere: no schema here has the anchor `m`".into())
        );
        let both = r##""B":{"title":"b","$anchor":"n"},"C":{"title":"c","$anchor":"n"}"##;
        assert_eq!(from_the_first("#n", both), Err("`#n` could be one of several schemas".into()));
        let near = r##"{"A":{"properties":{"x":{"$ref":"#n"},"y":{"title":"y","$anchor":"n"}}},"B":{"title":"b","$anchor":"n"}}"##;
        assert_eq!(lead(near, "/components/schemas/A/properties/x"), Ok("y".into()));
        let elsewhere = r##""B":{"enum":[{"$anchor":"n"}],"example":{"$anchor":"n"},"x-more":{"$anchor":"n"},"$comment":"n"}"##;
        assert!(from_the_first("#n", elsewhere).is_err());
    }

    #[test]
    fn older_drafts_have_other_words() {
        let draft = |number: &str, rest: &str| {
            let schemas =
                format!("{{\"A\":{{\"$schema\":\"http://json-schema.org/draft-{number}/schema#\",{rest}}}}}");
            lead(&schemas, "/components/schemas/A/properties/x")
        };
        let with =
            |id: &str| format!("\"properties\":{{\"x\":{{\"$ref\":\"#n\"}},\"y\":{{{id},\"title\":\"y\"}}}}");
        assert_eq!(draft("04", &with("\"id\":\"#n\"")), Ok("y".into()));
        assert_eq!(draft("07", &with("\"$id\":\"#n\"")), Ok("y".into()));
        assert!(draft("04", &with("\"$id\":\"#n\"")).is_err());
        assert!(draft("07", &with("\"$anchor\":\"n\"")).is_err());
        // an `$id` beside `$ref` does not count
        let beside = "\"properties\":{\"x\":{\"$id\":\"https://x.org/x\",\"$ref\":\"#n\"},\"y\":{\"$id\":\"#n\",\"title\":\"y\"}}";
        assert_eq!(draft("07", beside), Ok("y".into()));
    }
}
