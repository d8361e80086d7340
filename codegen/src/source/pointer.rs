//! JSON pointers (RFC 6901).

use std::fmt;

use super::span::Place;
use super::tree::{Node, Value};

/// Names a node of a tree, e.g. `/paths/~1accounts/get`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pointer {
    steps: Vec<Box<str>>,
}

impl Pointer {
    /// Reads the string form (section 3); `None` when it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let steps = text.strip_prefix('/')?.split('/').map(unescape).collect::<Option<_>>()?;
        Some(Self { steps })
    }

    /// Reads the fragment form (section 6): percent-encoded UTF-8, without the `#`.
    pub(crate) fn parse_fragment(fragment: &str) -> Option<Self> {
        Self::parse(&percent_decode(fragment)?)
    }

    pub(crate) fn steps(&self) -> &[Box<str>] {
        &self.steps
    }

    /// The node that this names, or how far it got: the last node that exists and the step it lacks.
    pub(crate) fn find<'n>(&self, root: &'n Node) -> Result<&'n Node, (&'n Node, &str)> {
        let mut node = root;
        for step in &self.steps {
            let next = match &node.value {
                Value::Object(object) => object.get(step).map(|member| &member.node),
                Value::Array(items) => index(step).and_then(|at| items.get(at)),
                _ => None,
            };
            node = next.ok_or((node, &**step))?;
        }
        Ok(node)
    }

    /// The innermost node that holds `place`, or whose key does.
    pub(crate) fn of_place(root: &Node, place: Place) -> Self {
        let mut steps = Vec::new();
        let mut node = root;
        'down: loop {
            match &node.value {
                Value::Object(object) => {
                    for member in object.members() {
                        if holds(member.node.place, place) || member.key_place == place {
                            steps.push(member.key.clone());
                            node = &member.node;
                            continue 'down;
                        }
                    }
                }
                Value::Array(items) => {
                    if let Some((at, item)) =
                        items.iter().enumerate().find(|(_, item)| holds(item.place, place))
                    {
                        steps.push(at.to_string().into());
                        node = item;
                        continue 'down;
                    }
                }
                _ => {}
            }
            return Self { steps };
        }
    }
}

fn holds(outer: Place, inner: Place) -> bool {
    outer.file == inner.file && outer.span.start <= inner.span.start && inner.span.end <= outer.span.end
}

/// Array indices have no leading zeros (section 4).
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { step.parse().ok() } else { None }
}

fn unescape(step: &str) -> Option<Box<str>> {
    if !step.contains('~') {
        return Some(step.into());
    }
    let mut plain = String::with_capacity(step.len());
    let mut rest = step.chars();
    while let Some(char) = rest.next() {
        plain.push(match char {
            '~' => match rest.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain.into())
}

pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(f, "/{}", step.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::json;

    #[test]
    fn the_examples_of_rfc_6901_section_5_and_6() {
        let document = json(
            r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#,
        );
        for (pointer, fragment, value) in [
            ("/foo/0", "/foo/0", "\"bar\""),
            ("/", "/", "0"),
            ("/a~1b", "/a~1b", "1"),
            ("/c%d", "/c%25d", "2"),
            ("/e^f", "/e%5Ef", "3"),
            ("/ ", "/%20", "7"),
            ("/m~0n", "/m~0n", "8"),
        ] {
            assert_eq!(Pointer::parse(pointer).unwrap().find(&document).unwrap().to_string(), value);
            assert_eq!(Pointer::parse_fragment(fragment).unwrap().to_string(), pointer);
        }
        assert!(Pointer::parse("").unwrap().find(&document).is_ok());
    }

    #[test]
    fn what_is_no_pointer_or_leads_nowhere() {
        let document = json(r#"{"foo":["bar"]}"#);
        for wrong in ["foo", "/a~2", "/~"] {
            assert!(Pointer::parse(wrong).is_none(), "{wrong}");
        }
        for nowhere in ["/foo/01", "/foo/1", "/foo/-", "/foo/0/x", "/bar"] {
            assert!(Pointer::parse(nowhere).unwrap().find(&document).is_err(), "{nowhere}");
        }
        assert!(Pointer::parse_fragment("/%ff").is_none());
        assert!(Pointer::parse_fragment("/%e").is_none());
    }

    #[test]
    fn a_place_is_named_by_its_innermost_node() {
        let document = json(r#"{"a":{"b":[1,22]}}"#);
        let inner = document.get("a").and_then(|a| a.get("b")).and_then(|b| b.as_array()).unwrap()[1].place;
        assert_eq!(Pointer::of_place(&document, inner).to_string(), "/a/b/1");
    }
}
