//! `$dynamicRef` (JSON Schema 2020-12, core, section 8.2.3.2): which schema it leads to depends on the resources that were
//! entered on the way to it. Every way is known before anything is generated, so a schema is read once for each set of anchors
//! that it can be reached with.
//!
//! 1. The scope of a schema is, for every name, the dynamic anchor of the outermost resource that declares it.
//! 2. What comes of it is bounded: ways multiply.
//! 3. A schema from which no `$dynamicRef` can be reached has the empty scope: it is one, however it is reached.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};

use super::identity::{Identities, inside};
use crate::source::tree::Node;

/// A set of anchors, by its position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Scope(usize);

/// How many schemas may be read for the anchors that they are reached with.
const MAX_SPECIALISED: usize = 20_000;

/// How many anchors all scopes together may have.
const MAX_ANCHORS: usize = 200_000;

type Anchors<'d> = BTreeMap<&'d str, *const Node>;

/// The scopes that came up.
#[derive(Debug)]
pub(crate) struct Scopes<'d> {
    /// The first is empty.
    all: Vec<Anchors<'d>>,
    known: HashMap<Anchors<'d>, Scope>,
    /// The anchors by their address, which is how they are compared.
    anchors: HashMap<*const Node, &'d Node>,
    /// The schemas from which a `$dynamicRef` can be reached.
    depend: HashSet<*const Node>,
    specialised: usize,
    held: usize,
}

impl<'d> Scopes<'d> {
    pub(crate) fn of(identities: &Identities<'d>) -> Self {
        let none = Anchors::new();
        let known = HashMap::from_iter([(none.clone(), Scope::default())]);
        let (anchors, depend) = (HashMap::default(), dependent(identities));
        Self { all: vec![none], known, anchors, depend, specialised: 0, held: 0 }
    }

    /// Whether one more schema may be read for the scope that it is reached with.
    pub(crate) fn has_room(&mut self) -> bool {
        self.specialised += 1;
        self.specialised <= MAX_SPECIALISED && self.held <= MAX_ANCHORS
    }

    /// The scope of `schema` when it is reached with the scope `outer`.
    pub(crate) fn enter(&mut self, identities: &Identities<'d>, outer: Scope, schema: &Node) -> Scope {
        if !self.depend.contains(&std::ptr::from_ref(schema)) {
            return Scope::default();
        }
        let mut anchors = self.all.get(outer.0).cloned().unwrap_or_default();
        for (name, anchor) in identities.dynamic_anchors(schema) {
            self.anchors.insert(anchor, anchor);
            anchors.entry(name).or_insert(anchor);
        }
        if let Some(known) = self.known.get(&anchors) {
            return *known;
        }
        let scope = Scope(self.all.len());
        self.held += anchors.len();
        self.all.push(anchors.clone());
        self.known.insert(anchors, scope);
        scope
    }

    /// The anchor of this name that was met first.
    pub(crate) fn outermost(&self, scope: Scope, name: &str) -> Option<&'d Node> {
        self.anchors.get(self.all.get(scope.0)?.get(name)?).copied()
    }
}

/// The schemas from which a `$dynamicRef` can be reached, by what they hold and what they refer to.
fn dependent(identities: &Identities<'_>) -> HashSet<*const Node> {
    let mut depend: HashSet<*const Node> = HashSet::default();
    if identities.dynamic.is_empty() {
        return depend;
    }
    let mut holders: HashMap<*const Node, Vec<&Node>> = HashMap::default();
    for schema in identities.schemas() {
        inside(schema).for_each(|part| holders.entry(part).or_default().push(schema));
        let references = ["$ref", "$dynamicRef"].into_iter().filter_map(|keyword| schema.get(keyword));
        for target in references.filter_map(|reference| identities.follow(schema, reference).ok()) {
            holders.entry(target).or_default().push(schema);
        }
    }
    let mut waiting: Vec<&Node> = identities.dynamic.clone();
    while let Some(schema) = waiting.pop() {
        if depend.insert(schema) {
            waiting.extend(holders.get(&std::ptr::from_ref(schema)).into_iter().flatten());
        }
    }
    depend
}

#[cfg(test)]
mod tests {
    use super::super::gather;
    use super::*;
    use crate::finding::Findings;
    use crate::normalise::Version;
    use crate::source::Sources;
    use crate::source::pointer::Pointer;
    use crate::source::testing::json;

    #[test]
    fn the_outermost_anchor_is_in_force_and_only_where_it_matters() {
        let text = r##"{"openapi":"3.1.0","components":{"schemas":{
            "Pages":{"$ref":"#/components/schemas/Page","$defs":{"i":{"$dynamicAnchor":"item","title":"own"}}},
            "Page":{"$id":"https://x.org/page","items":{"$dynamicRef":"#item"},
                "$defs":{"i":{"$dynamicAnchor":"item","title":"any"},"plain":{"type":"string"}}}}}}"##;
        let mut findings = Findings::default();
        let library = gather(json(text), None, &mut Sources::default(), &mut findings);
        let identities = Identities::of(&library, Version::V31, &mut findings);
        let mut scopes = Scopes::of(&identities);
        let schema = |path: &str| {
            Pointer::parse(&format!("/components/schemas/{path}"))
                .unwrap()
                .find(library.root().unwrap())
                .unwrap()
        };
        let title = |scopes: &Scopes<'_>, scope| {
            scopes
                .outermost(scope, "item")
                .and_then(|anchor| anchor.get("title")?.as_str().map(str::to_owned))
        };
        let alone = scopes.enter(&identities, Scope::default(), schema("Page"));
        assert_eq!(title(&scopes, alone).as_deref(), Some("any"));
        let pages = scopes.enter(&identities, Scope::default(), schema("Pages"));
        let within = scopes.enter(&identities, pages, schema("Page"));
        assert_eq!(title(&scopes, within).as_deref(), Some("own"));
        assert_ne!(alone, within);
        assert_eq!(scopes.enter(&identities, within, schema("Page/items")), within);
        assert_eq!(scopes.enter(&identities, within, schema("Page/$defs/plain")), Scope::default());
    }
}
