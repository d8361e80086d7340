//! Which template a path matches: a tree of segments, the more concrete ones first.
//!
//! OpenAPI 3.1 section 4.8.8.2: concrete templates are matched before their templated counterparts. From the first
//! segment on, a literal is tried before a mixed segment, and that before a parameter; where the rest of the path then
//! matches nothing, the next one is tried. So `/a/{x}/b` and `/a/c/{y}` both have their requests, and `/a/c/b` belongs
//! to `/a/c/{y}`. Of templates that differ in the names of parameters alone there is one.
//!
//! Whatever the path, a lookup visits no node of the tree twice: there is one way to each.

use std::collections::BTreeMap;

use crate::segments::{Segment, segments};

/// Templates, each with what it leads to.
pub(crate) struct Routes<T> {
    nodes: Vec<Node>,
    values: Vec<T>,
}

#[derive(Default)]
struct Node {
    literals: BTreeMap<&'static str, usize>,
    /// The most concrete first.
    others: Vec<(Segment, usize)>,
    value: Option<usize>,
}

impl<T> Routes<T> {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::default()], values: Vec::new() }
    }

    /// What this template leads to; made where it is new.
    pub(crate) fn entry(&mut self, template: &'static str, value: impl FnOnce() -> T) -> Option<&mut T> {
        let mut at = 0;
        for segment in segments(template) {
            at = self.child(at, segment)?;
        }
        let node = self.nodes.get_mut(at)?;
        let index = *node.value.get_or_insert(self.values.len());
        if index == self.values.len() {
            self.values.push(value());
        }
        self.values.get_mut(index)
    }

    fn child(&mut self, at: usize, segment: Segment) -> Option<usize> {
        let next = self.nodes.len();
        let node = self.nodes.get_mut(at)?;
        let child = match segment {
            Segment::Literal(literal) => *node.literals.entry(literal).or_insert(next),
            other => match node.others.iter().find(|(known, _)| *known == other) {
                Some((_, child)) => *child,
                None => {
                    node.others.push((other, next));
                    // Of two mixed segments, the one that says more.
                    node.others
                        .sort_by_key(|(segment, _)| (segment.rank(), usize::MAX - segment.literal_bytes()));
                    next
                }
            },
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        Some(child)
    }

    /// What the path leads to, and what the parameters on the way stand for, still percent-encoded.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<(&T, Vec<&'p str>)> {
        let rest = path.strip_prefix('/')?;
        let mut captures = Vec::new();
        let found = self.descend(0, Some(rest), &mut captures)?;
        Some((self.values.get(found)?, captures))
    }

    /// `rest`: the segments that are left; `None` behind the last one. Recursion is as deep as the deepest template.
    fn descend<'p>(&self, at: usize, rest: Option<&'p str>, captures: &mut Vec<&'p str>) -> Option<usize> {
        let node = self.nodes.get(at)?;
        let Some(rest) = rest else { return node.value };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = node.literals.get(segment)
            && let Some(found) = self.descend(*child, rest, captures)
        {
            return Some(found);
        }
        let kept = captures.len();
        for (kind, child) in &node.others {
            if kind.matches(segment, captures)
                && let Some(found) = self.descend(*child, rest, captures)
            {
                return Some(found);
            }
            captures.truncate(kept);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(templates: &[&'static str]) -> Routes<&'static str> {
        let mut routes = Routes::new();
        for template in templates.iter().copied() {
            routes.entry(template, || template).unwrap();
        }
        routes
    }

    fn found<'p>(routes: &Routes<&'static str>, path: &'p str) -> Option<(&'static str, Vec<&'p str>)> {
        routes.find(path).map(|(template, captures)| (*template, captures))
    }

    #[test]
    fn concrete_templates_come_first() {
        let routes =
            routes(&["/pets/{petId}", "/pets/mine", "/pets/{name}.json", "/pets/x-{name}.json", "/"]);
        assert_eq!(found(&routes, "/pets/mine"), Some(("/pets/mine", vec![])));
        assert_eq!(found(&routes, "/pets/yours"), Some(("/pets/{petId}", vec!["yours"])));
        assert_eq!(found(&routes, "/pets/a.json"), Some(("/pets/{name}.json", vec!["a"])));
        assert_eq!(found(&routes, "/pets/x-a.json"), Some(("/pets/x-{name}.json", vec!["a"])));
        assert_eq!(found(&routes, "/pets/.json"), Some(("/pets/{petId}", vec![".json"])));
        assert_eq!(found(&routes, "/"), Some(("/", vec![])));
        for path in ["/pets", "/pets/", "/pets/a/b", "pets/mine", "//", "", "/Pets/mine"] {
            assert_eq!(found(&routes, path), None, "{path}");
        }
    }

    #[test]
    fn templates_of_which_neither_is_the_more_concrete_have_both_their_requests() {
        let routes = routes(&["/a/{x}/b", "/a/c/{y}", "/a/{x}/{z}/d"]);
        assert_eq!(found(&routes, "/a/1/b"), Some(("/a/{x}/b", vec!["1"])));
        assert_eq!(found(&routes, "/a/c/2"), Some(("/a/c/{y}", vec!["2"])));
        assert_eq!(found(&routes, "/a/c/b"), Some(("/a/c/{y}", vec!["b"])), "from the first segment on");
        assert_eq!(found(&routes, "/a/c/b/d"), Some(("/a/{x}/{z}/d", vec!["c", "b"])), "and back");
        assert_eq!(found(&routes, "/a/c/b/e"), None);
    }

    #[test]
    fn one_template_under_two_names() {
        let routes = routes(&["/a/{x}", "/a/{y}"]);
        assert_eq!(found(&routes, "/a/1"), Some(("/a/{x}", vec!["1"])));
        assert_eq!(routes.values.len(), 1);
    }

    #[test]
    fn a_last_slash_is_a_segment_of_its_own() {
        let routes = routes(&["/a", "/a/", "/b/{x}/"]);
        assert_eq!(found(&routes, "/a").map(|found| found.0), Some("/a"));
        assert_eq!(found(&routes, "/a/").map(|found| found.0), Some("/a/"));
        assert_eq!(found(&routes, "/b/1"), None);
        assert_eq!(found(&routes, "/b/1/"), Some(("/b/{x}/", vec!["1"])));
    }
}
