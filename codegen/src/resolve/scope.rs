//! `$dynamicRef` (JSON Schema 2020-12, core, section 8.2.3.2): which schema it leads to depends on the resources that were
//! entered on the way to it. Every way is known before anything is generated, so a schema is read once for each set of anchors
//! that it can be reached with.
//!
//! 1. The scope of a schema is, for every name, the dynamic anchor of the outermost resource that declares it.
//! 2. A schema from which no `$dynamicRef` can be reached has the empty scope: it is one, however it is reached.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::identity::{Identities, inside};
use crate::source::tree::Node;

/// A set of anchors, by its position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Scope(usize);

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
}

impl<'d> Scopes<'d> {
    pub(crate) fn of(identities: &Identities<'d>) -> Self {
        let none = Anchors::new();
        let known = HashMap::from([(none.clone(), Scope::default())]);
        Self { all: vec![none], known, anchors: HashMap::new(), depend: dependent(identities) }
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
    let mut depend: HashSet<*const Node> = HashSet::new();
    if identities.dynamic.is_empty() {
        return depend;
    }
    let mut holders: HashMap<*const Node, Vec<&Node>> = HashMap::new();
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
