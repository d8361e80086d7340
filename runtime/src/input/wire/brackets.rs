//! `deepObject`: `filter[name]=x`.
//!
//! OpenAPI 3.1 section 4.8.12.5 shows one level and leaves the rest undefined. What is read beyond it is what servers
//! share: `a[b][c]=x` for an object in an object, `a[]=x` or `a[0]=x`, in order, for a list; and nothing else, so that
//! no two readers differ.

use std::borrow::Cow;

use super::leaf;
use crate::input::encoded::Decoding;
use crate::input::{Entry, Expected, Tree};

/// Deeper ones are refused.
const DEEPEST: usize = 16;

const MALFORMED: Expected = Expected::kind("must be written as `name[member]=value`");
const TWICE: Expected = Expected { rule: "duplicate", message: Cow::Borrowed("must not come twice") };
const NO_VALUE: Expected = Expected { rule: "value", message: Cow::Borrowed("must have a value after `=`") };

/// The object that these are: what stands behind the name, `[a][b]`, with each value.
pub(super) fn tree<'a>(
    branches: Vec<(String, Option<&'a str>)>,
    decoding: Decoding,
) -> Result<Option<Tree<'a>>, Expected> {
    if branches.is_empty() {
        return Ok(None);
    }
    let mut root = Vec::new();
    for (path, value) in branches {
        let steps = steps(&path)?;
        insert(&mut root, &steps, leaf(value.ok_or(NO_VALUE)?, decoding)?)?;
    }
    Ok(Some(Tree::Brackets(root)))
}

/// `[a][b]` as `a`, `b`.
fn steps(path: &str) -> Result<Vec<&str>, Expected> {
    let inner = path.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(MALFORMED)?;
    let steps: Vec<&str> = inner.split("][").collect();
    let sound = steps.len() <= DEEPEST && !steps.iter().any(|step| step.contains(['[', ']']));
    // `a[][b]` does not say which item a second member belongs to.
    let ends = steps.iter().rev().skip(1).all(|step| !step.is_empty());
    if sound && ends { Ok(steps) } else { Err(MALFORMED) }
}

fn insert<'a>(into: &mut Vec<Entry<'a>>, steps: &[&str], value: Tree<'a>) -> Result<(), Expected> {
    let [step, rest @ ..] = steps else { return Err(MALFORMED) };
    let known = into.iter_mut().find(|entry| entry.name == *step && !step.is_empty());
    match (known, rest) {
        (None, []) => {
            // `a[]=x` again is the next item of a list, and of an object the same member twice
            let repeated = step.is_empty() && into.iter().any(|entry| entry.name.is_empty());
            into.push(Entry { name: Cow::Owned((*step).to_owned()), value, repeated });
            Ok(())
        }
        (None, rest) => {
            let mut inner = Vec::new();
            insert(&mut inner, rest, value)?;
            let name = Cow::Owned((*step).to_owned());
            into.push(Entry { name, value: Tree::Brackets(inner), repeated: false });
            Ok(())
        }
        (Some(Entry { value: Tree::Brackets(inner), .. }), rest) if !rest.is_empty() => {
            insert(inner, rest, value)
        }
        (Some(_), _) => Err(TWICE),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{At, Decode as _, Json, Violations};
    use super::*;

    fn read(branches: &[(&str, &'static str)]) -> Result<String, &'static str> {
        let branches = branches.iter().map(|(path, value)| ((*path).to_owned(), Some(*value))).collect();
        let tree = tree(branches, Decoding::Percent).map_err(|expected| expected.rule)?.unwrap();
        let json = Json::collect(&tree, &At::root(), &mut Violations::new()).unwrap();
        Ok(json.to_string())
    }

    #[test]
    fn one_level_as_the_standard_shows_it() {
        let color = [("[R]", "100"), ("[G]", "200"), ("[B]", "150")];
        assert_eq!(read(&color).as_deref(), Ok(r#"{"B":"150","G":"200","R":"100"}"#));
    }

    #[test]
    fn objects_and_lists_below_it() {
        assert_eq!(read(&[("[a][b]", "1"), ("[a][c]", "2")]).as_deref(), Ok(r#"{"a":{"b":"1","c":"2"}}"#));
        assert_eq!(read(&[("[a][]", "1"), ("[a][]", "2")]).as_deref(), Ok(r#"{"a":["1","2"]}"#));
        assert_eq!(
            read(&[("[0][b]", "1"), ("[0][c]", "2"), ("[1][b]", "3")]).as_deref(),
            Ok(r#"[{"b":"1","c":"2"},{"b":"3"}]"#)
        );
    }

    #[test]
    fn whatever_readers_could_differ_about_is_refused() {
        for path in ["[a", "a]", "[a]b", "[a]b]", "[[a]]", "[][b]", "[a][][b]", &"[a]".repeat(17)] {
            assert_eq!(read(&[(path, "1")]), Err("type"), "{path}");
        }
        assert_eq!(read(&[("[a]", "1"), ("[a]", "2")]), Err("duplicate"));
        assert_eq!(read(&[("[a]", "1"), ("[a][b]", "2")]), Err("duplicate"));
        assert_eq!(read(&[("[a][b]", "1"), ("[a]", "2")]), Err("duplicate"));
    }
}
