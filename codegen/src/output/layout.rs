//! Layout: on one line what fits there, and otherwise the widest brackets opened, one part a line.
//!
//! 1. Items, statements, fields, variants and arms have lines of their own; a literal has one while it fits.
//! 2. A line that is too long is turned before its method calls, or else before and after each part of `where`.
//! 3. What is still too long opens its widest brackets, until each line fits or none is left.
//! 4. Only white space and trailing commas change.

use super::nodes::{Group, Kind, Node, width};

/// The width up to which a line goes.
const WIDTH: usize = 100;
const STEP: usize = 4;

/// The text of whole items.
pub(super) fn layout(nodes: &[Node]) -> String {
    let mut page = Page(String::new());
    page.parts(nodes, 0, true);
    page.0
}

struct Page(String);

/// Where nodes stand.
#[derive(Clone, Copy)]
struct Place {
    /// Where the first begins.
    column: usize,
    /// How far in the lines begin.
    indent: usize,
    /// How many characters follow the last.
    more: usize,
}

/// How a part that takes several lines is laid out.
struct Plan {
    /// Before which nodes a line begins, and how far in.
    turns: Vec<Option<usize>>,
    /// Which groups are opened.
    opened: Vec<bool>,
}

impl Page {
    fn column(&self) -> usize {
        let line = self.0.rfind('\n').map_or(0, |end| end + 1);
        self.0.get(line..).map_or(0, |line| line.chars().count())
    }

    fn line(&mut self, indent: usize) {
        self.0.extend(std::iter::repeat_n(' ', indent));
    }

    /// Statements, or what stands between commas: a line for each.
    fn parts(&mut self, nodes: &[Node], indent: usize, is_block: bool) {
        for part in split(nodes, is_block) {
            self.part(part, indent, !is_block && !part.last().is_some_and(|node| node.is(",")));
        }
    }

    /// One of them: its comments and attributes first. It may be the last of a list and lack its comma.
    fn part(&mut self, mut part: &[Node], indent: usize, lacks_comma: bool) {
        loop {
            self.line(indent);
            part = match part {
                [Node::Doc(line), rest @ ..] => {
                    self.0.push_str("///");
                    self.0.push_str(line);
                    rest
                }
                [hash, attribute @ Node::Group(_), rest @ ..] if hash.is("#") => {
                    self.0.push('#');
                    self.flat(attribute);
                    rest
                }
                _ => break,
            };
            self.0.push('\n');
        }
        let nodes: Vec<&Node> = part.iter().collect();
        self.run(&nodes, indent, usize::from(lacks_comma));
        self.0.push_str(if lacks_comma { ",\n" } else { "\n" });
    }

    /// Nodes from the current column on, with `more` characters behind them.
    fn run(&mut self, nodes: &[&Node], indent: usize, more: usize) {
        let plan = Plan::of(nodes, Place { column: self.column(), indent, more });
        let mut inner = indent;
        for (position, node) in nodes.iter().enumerate() {
            match plan.turns.get(position) {
                Some(Some(turned)) => {
                    inner = *turned;
                    self.0.push('\n');
                    self.line(inner);
                }
                _ if position > 0 && nodes.get(position - 1).is_some_and(|last| last.is_apart(node)) => {
                    self.0.push(' ');
                }
                _ => {}
            }
            match node {
                Node::Group(group) if plan.opened.get(position) == Some(&true) => self.opened(group, inner),
                node => self.flat(node),
            }
        }
    }

    fn opened(&mut self, group: &Group, indent: usize) {
        self.0.push_str(group.open);
        if let Some(nodes) = hugged(group) {
            self.run(&nodes, indent, 1);
        } else {
            self.0.push('\n');
            // a comma would make a tuple of what is alone in parentheses, and is no part of `<A as B>`
            let is_alone = matches!(group.open, "(" | "<") && split(&group.nodes, false).count() == 1;
            match is_alone {
                true => self.part(&group.nodes, indent + STEP, false),
                false => self.parts(&group.nodes, indent + STEP, group.kind == Kind::Block),
            }
            self.line(indent);
        }
        self.0.push_str(group.close);
    }

    fn flat(&mut self, node: &Node) {
        match node {
            Node::Doc(_) => {}
            Node::Leaf(leaf) => self.0.push_str(&leaf.text),
            Node::Group(group) => {
                let space = if group.open == "{" && !group.nodes.is_empty() { " " } else { "" };
                self.0.push_str(group.open);
                self.0.push_str(space);
                self.flat_all(without_last_comma(group));
                self.0.push_str(space);
                self.0.push_str(group.close);
            }
        }
    }

    fn flat_all(&mut self, nodes: &[Node]) {
        for (position, node) in nodes.iter().enumerate() {
            if position > 0 && nodes.get(position - 1).is_some_and(|last| last.is_apart(node)) {
                self.0.push(' ');
            }
            self.flat(node);
        }
    }
}

impl Plan {
    fn of(nodes: &[&Node], place: Place) -> Self {
        let opened = nodes.iter().map(|node| matches!(node, Node::Group(group) if group.is_tall)).collect();
        let mut plan = Self { turns: vec![None; nodes.len()], opened };
        let mut turned = false;
        while let Some(long) = plan.too_long(nodes, place) {
            if !turned {
                turned = true;
                if plan.turn(nodes, place.indent) {
                    continue;
                }
            }
            let width = |position: &usize| nodes.get(*position).map_or(0, |node| node.width());
            let closed = long.filter(|position| {
                let is_open = plan.opened.get(*position) == Some(&true);
                matches!(nodes.get(*position), Some(Node::Group(group)) if !is_open && !group.nodes.is_empty())
            });
            let Some(widest) = closed.max_by_key(width) else { break };
            if let Some(open) = plan.opened.get_mut(widest) {
                *open = true;
            }
        }
        plan
    }

    /// The nodes of the first line that is too long.
    fn too_long(&self, nodes: &[&Node], place: Place) -> Option<std::ops::Range<usize>> {
        let (mut begin, mut column, mut inner) = (0, place.column, place.indent);
        for (position, node) in nodes.iter().enumerate() {
            if let Some(Some(turned)) = self.turns.get(position) {
                if column > WIDTH {
                    return Some(begin..position);
                }
                (begin, column, inner) = (position, *turned, *turned);
            } else if position > 0 && nodes.get(position - 1).is_some_and(|last| last.is_apart(node)) {
                column += 1;
            }
            match node {
                Node::Group(group) if self.opened.get(position) == Some(&true) => {
                    if column + head(group) > WIDTH {
                        return Some(begin..position + 1);
                    }
                    (begin, column) = (position + 1, inner + tail(group));
                }
                node => column += node.width(),
            }
        }
        (column + place.more > WIDTH).then_some(begin..nodes.len())
    }

    /// Turns lines before method calls, or about the parts of `where`. Says whether there are any.
    fn turn(&mut self, nodes: &[&Node], indent: usize) -> bool {
        let mut bounds = false;
        for (position, turn) in self.turns.iter_mut().enumerate().skip(1) {
            let (Some(last), Some(node)) = (nodes.get(position - 1), nodes.get(position)) else { break };
            let is_body = matches!(node, Node::Group(group) if group.open == "{");
            if node.is("where") || (bounds && is_body) {
                bounds = !is_body;
                *turn = Some(indent);
            } else if (bounds && (last.is("where") || last.is(",")))
                || (node.is(".") && matches!(last, Node::Group(_)))
            {
                *turn = Some(indent + STEP);
            }
        }
        self.turns.iter().any(Option::is_some)
    }
}

/// What is alone between parentheses and ends in brackets of its own opens these: `Some(A {`, `.check(|value| {`.
fn hugged(group: &Group) -> Option<Vec<&Node>> {
    let nodes = without_last_comma(group);
    let alone = group.open == "(" && split(nodes, false).count() == 1;
    let in_brackets =
        matches!(nodes.last(), Some(Node::Group(last)) if last.open != "<" && !last.nodes.is_empty());
    let commented = nodes.iter().any(|node| matches!(node, Node::Doc(_)));
    (alone && in_brackets && !commented).then(|| nodes.iter().collect())
}

/// The width of the first line of an opened group.
fn head(group: &Group) -> usize {
    match hugged(group).as_deref().and_then(<[_]>::split_last) {
        Some((Node::Group(inner), _)) => 1 + width(without_last_comma(group)) - inner.width + head(inner),
        _ => 1,
    }
}

/// The width of its last line.
fn tail(group: &Group) -> usize {
    match hugged(group).as_deref().and_then(<[_]>::last) {
        Some(Node::Group(inner)) => 1 + tail(inner),
        _ => 1,
    }
}

/// A list on one line ends without a comma, but for a tuple of one.
fn without_last_comma(group: &Group) -> &[Node] {
    match group.nodes.as_slice() {
        [rest @ .., comma] if comma.is(",") && (group.open != "(" || split(rest, false).count() > 1) => rest,
        nodes => nodes,
    }
}

/// Statements with their `;`, or parts with their commas.
fn split(nodes: &[Node], is_block: bool) -> impl Iterator<Item = &[Node]> {
    let mut rest = nodes;
    std::iter::from_fn(move || {
        let (mut in_pipes, mut end) = (false, rest.len());
        for (position, node) in rest.iter().enumerate() {
            in_pipes ^= node.is("|");
            let next = rest.get(position + 1);
            let ends = match node {
                Node::Group(group) if group.open == "{" && is_block => {
                    group.kind != Kind::List && !next.is_some_and(goes_on)
                }
                node => !in_pipes && node.is(if is_block { ";" } else { "," }),
            };
            if ends {
                end = position + 1;
                break;
            }
        }
        let (part, others) = rest.split_at(end);
        rest = others;
        (!part.is_empty()).then_some(part)
    })
}

/// Whether a statement goes on behind a block.
fn goes_on(next: &Node) -> bool {
    [".", "?", ";", ",", "else"].iter().any(|text| next.is(text))
}

#[cfg(test)]
mod tests {
    use super::super::nodes::items;
    use super::*;

    fn laid_out(code: &str) -> String {
        layout(&items(code.parse().unwrap()))
    }

    #[test]
    fn a_literal_is_one_line_without_a_last_comma() {
        for code in [
            "const A: &B = &B { c: &[D { e: \"f\" }], g: -1, h: 0..=usize::MAX };\n",
            "type A = (B,);\n",
            "const C: p::Member<&'static str> = p::Member::required(\"c\").check(|value, at, out| d(value, at));\n",
            "const _: () = <A as p::Grants<scope::B>>::CHECKED;\n",
            "p::union!(A { B, C });\n",
        ] {
            assert_eq!(laid_out(code), code);
        }
        assert_eq!(laid_out("const A: &[B] = &[B { c, }, ];"), "const A: &[B] = &[B { c }];\n");
    }

    #[test]
    fn items_statements_fields_and_arms_have_lines_of_their_own() {
        for code in [
            "#[derive(Debug)]\npub struct A {\n    /// It is \"b\".\n    pub r#b: Option<Vec<u8>>,\n    c: &'static [p::Boxed<A>],\n}\n",
            "impl<'a, S: Send> A<'a> for B<S> {\n    type C = ();\n    fn d(&self) -> Self::C {}\n    fn e(mut self) -> impl ::core::future::Future<Output = u8> + Send {\n        self.f::<G>()?.h[0].i()\n    }\n}\n",
            "fn a() {\n    match b {\n        0 => c(|e| {\n            f;\n        }),\n        _ => Some(Self { g: h.0?, i }),\n    }\n}\n",
            "fn a() {\n    if let Some(b) = c {\n        d;\n    }\n    let e = f;\n    e\n}\n",
            "macro_rules! a {\n    ([$($b: tt)*] $c: ident) => {\n        fn d(&self.$c) -> $($b)*::E {\n            f\n        }\n    };\n}\n",
            "pub enum A {}\nimpl B for A {}\n",
        ] {
            assert_eq!(laid_out(code), code);
        }
    }

    #[test]
    fn what_is_too_long_is_turned_or_opened() {
        let (a, b) = ("a".repeat(60), "b".repeat(60));
        assert_eq!(laid_out(&format!("c({a}, {b});")), format!("c(\n    {a},\n    {b},\n);\n"));
        assert_eq!(laid_out(&format!("c({a}).d({b});")), format!("c({a})\n    .d({b});\n"));
        assert_eq!(
            laid_out(&format!("c({a} {{ {b} }});{a}")),
            format!("c({a} {{\n    {b},\n}});\n{a}\n"),
            "brackets in brackets open as one"
        );
        assert_eq!(
            laid_out(&format!("impl<A> B<A> where {a}: C, {b}: D, {{ }}")),
            format!("impl<A> B<A>\nwhere\n    {a}: C,\n    {b}: D,\n{{}}\n")
        );
        assert_eq!(
            laid_out(&format!("type C = ({a} + {b});")),
            format!("type C = (\n    {a} + {b}\n);\n"),
            "a comma would make a tuple of it"
        );
    }

    #[test]
    fn what_is_no_code_of_ours_is_laid_out_all_the_same() {
        for code in ["a < b", "> =", "|", "# [", "'a 'b", "macro_rules !", "{ } }"] {
            if let Ok(tokens) = code.parse() {
                layout(&items(tokens));
            }
        }
    }
}
