//! Names and values of a query or a form, and the values of the names that are declared.

use std::borrow::Cow;
use std::cell::Cell;

use super::{Cut, Kind, Style, Wire, brackets, leaf};
use crate::input::encoded::{BadEncoding, Decoding};
use crate::input::{Entry, Expected, Tree};

/// A name and its value. The name is decoded, so that `%6Cimit` is `limit`; the value waits, because a list is cut first.
pub(in crate::input) struct Pair<'a> {
    pub(in crate::input) name: Cow<'a, str>,
    /// `None`: there was no `=`.
    pub(in crate::input) value: Option<&'a str>,
    /// Whether a declared name took it.
    taken: Cell<bool>,
}

/// Why a text cannot be cut into pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::input) enum BadPairs {
    /// A name is not percent-encoded UTF-8.
    Encoding,
    /// There are too many pairs.
    TooMany,
}

impl From<BadEncoding> for BadPairs {
    fn from(_: BadEncoding) -> Self {
        Self::Encoding
    }
}

/// The pairs of a query or a form.
pub(in crate::input) struct Pairs<'a> {
    list: Vec<Pair<'a>>,
    decoding: Decoding,
}

const NO_VALUE: Expected = Expected { rule: "value", message: Cow::Borrowed("must have a value after `=`") };
const TWICE: Expected = Expected { rule: "duplicate", message: Cow::Borrowed("must not come twice") };

impl<'a> Pairs<'a> {
    /// Cuts at each `&`, and each piece at its first `=`. An empty text has no pairs.
    pub(in crate::input) fn cut(text: &'a str, decoding: Decoding, most: usize) -> Result<Self, BadPairs> {
        let mut list = Vec::new();
        if !text.is_empty() {
            list.reserve(4);
            for piece in text.split('&') {
                if list.len() == most {
                    return Err(BadPairs::TooMany);
                }
                let (name, value) = match piece.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (piece, None),
                };
                list.push(Pair { name: decoding.text(name)?, value, taken: Cell::new(false) });
            }
        }
        Ok(Self { list, decoding })
    }

    /// Every pair, as it came.
    pub(in crate::input) fn iter(&self) -> std::slice::Iter<'_, Pair<'a>> {
        self.list.iter()
    }

    /// Whether a pair was left that no declared name took.
    pub(in crate::input) fn any_left(&self) -> bool {
        self.list.iter().any(|pair| !pair.taken.get())
    }

    /// Takes the values of a name, in the order they came.
    pub(in crate::input) fn take(&self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        self.list.iter().filter(move |pair| pair.name == name).map(|pair| {
            pair.taken.set(true);
            pair.value
        })
    }

    /// What is written under the name, or names, of a value. `None`: absent. An object that lets others through takes
    /// every name that is not `declared`.
    pub(in crate::input) fn tree(
        &self,
        wire: &Wire,
        declared: impl Fn(&str) -> bool,
    ) -> Result<Option<Tree<'a>>, Expected> {
        let delimited = matches!(wire.style, Style::Form | Style::SpaceDelimited | Style::PipeDelimited);
        match wire.kind {
            Kind::Either => self.either(wire.name, wire),
            _ if wire.style == Style::DeepObject => self.bracketed(wire.name),
            Kind::Object(members, rest) if wire.explode && delimited => {
                self.members(members, |name| rest && !declared(name))
            }
            Kind::List if wire.explode && delimited => self.repeated(wire),
            _ => match self.single(wire)? {
                Some(raw) => Cut { wire, decoding: self.decoding }.tree(raw).map(Some),
                None => Ok(None),
            },
        }
    }

    /// The text of a value that comes once.
    pub(in crate::input) fn single(&self, wire: &Wire) -> Result<Option<&'a str>, Expected> {
        let mut values = self.take(wire.name);
        let (first, more) = (values.next(), values.count() > 0);
        match first {
            _ if more => Err(TWICE),
            None => Ok(None),
            Some(None) if wire.empty => Ok(Some("")),
            Some(value) => value.ok_or(NO_VALUE).map(Some),
        }
    }

    /// `name[a]=x` and the like.
    fn bracketed(&self, name: &str) -> Result<Option<Tree<'a>>, Expected> {
        let branches = self.list.iter().filter_map(|pair| {
            let path = pair.name.strip_prefix(name).filter(|path| path.starts_with('['))?;
            pair.taken.set(true);
            Some((path.to_owned(), pair.value))
        });
        brackets::tree(branches.collect(), self.decoding)
    }

    fn either(&self, name: &str, wire: &Wire) -> Result<Option<Tree<'a>>, Expected> {
        let values: Vec<Option<&'a str>> = self.take(name).collect();
        let inside = match wire.style {
            Style::DeepObject => self.bracketed(name)?,
            _ => None,
        };
        match (inside, values.as_slice()) {
            (inside, []) => Ok(inside),
            // which of the two it is would depend on who reads
            (Some(_), _) => Err(TWICE),
            (None, [None]) if wire.empty => Ok(Some(Tree::Plain(Cow::Borrowed("")))),
            (None, [one]) => self.leaf(*one).map(Some),
            (None, all) if wire.explode => {
                let items = all.iter().map(|value| self.leaf(*value));
                Ok(Some(Tree::List(items.collect::<Result<_, _>>()?)))
            }
            (None, _) => Err(TWICE),
        }
    }

    /// The pairs that no declared name took, by what stands before their brackets. A name that is not written as
    /// `name[member]` is one as it stands.
    pub(in crate::input) fn free(&self) -> Vec<Entry<'a>> {
        const EITHER: Wire = Wire::text("").style(Style::DeepObject).explode(true).kind(Kind::Either);
        let mut entries: Vec<Entry<'a>> = Vec::new();
        while let Some(pair) = self.list.iter().find(|pair| !pair.taken.get()) {
            let name = match pair.name.find('[') {
                Some(at @ 1..) if pair.name.ends_with(']') => pair.name.get(..at).unwrap_or_default(),
                _ => &pair.name,
            };
            let value = self.either(name, &EITHER).unwrap_or_else(|expected| Some(Tree::Wrong(expected)));
            pair.taken.set(true); // whatever took it: the next one is another
            let name = Cow::Owned(name.to_owned());
            entries.extend(value.map(|value| Entry { name, value, repeated: false }));
        }
        entries
    }

    fn repeated(&self, wire: &Wire) -> Result<Option<Tree<'a>>, Expected> {
        let items = self.take(wire.name).map(|value| self.leaf(value));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        Ok((!items.is_empty()).then_some(Tree::List(items)))
    }

    /// An object whose members stand beside the other names. It takes its members, and of the others that nobody took
    /// those that are `free`.
    pub(in crate::input) fn members(
        &self,
        members: &[&str],
        free: impl Fn(&str) -> bool,
    ) -> Result<Option<Tree<'a>>, Expected> {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let own =
            |pair: &&Pair<'a>| !pair.taken.get() && (members.contains(&&*pair.name) || free(&pair.name));
        for pair in self.list.iter().filter(own) {
            pair.taken.set(true);
            let value = self.leaf(pair.value)?;
            match entries.iter_mut().find(|entry| entry.name == pair.name) {
                None => entries.push(Entry { name: pair.name.clone(), value, repeated: false }),
                // A member that is a list repeats its name; for any other type a list is a violation.
                Some(entry) => match &mut entry.value {
                    Tree::List(items) => items.push(value),
                    first => {
                        let one = std::mem::replace(first, Tree::Null);
                        *first = Tree::List(vec![one, value]);
                    }
                },
            }
        }
        Ok((!entries.is_empty()).then_some(Tree::Object(entries)))
    }

    pub(in crate::input) fn leaf(&self, value: Option<&'a str>) -> Result<Tree<'a>, Expected> {
        leaf(value.ok_or(NO_VALUE)?, self.decoding)
    }

    /// The text that a value says.
    pub(in crate::input) fn text(&self, raw: &'a str) -> Result<Cow<'a, str>, BadEncoding> {
        self.decoding.text(raw)
    }

    /// The pairs that no declared name took, as members of what holds them.
    pub(in crate::input) fn left(&self) -> Result<Vec<Entry<'a>>, Expected> {
        match self.members(&[], |_| true)? {
            Some(Tree::Object(entries)) => Ok(entries),
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(query: &str) -> Result<Vec<(String, Option<String>)>, BadPairs> {
        let own = |pair: &Pair<'_>| (pair.name.to_string(), pair.value.map(str::to_owned));
        Pairs::cut(query, Decoding::Percent, 100).map(|pairs| pairs.iter().map(own).collect())
    }

    #[test]
    fn cuts_before_it_decodes() {
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(cut(""), Ok(vec![]));
        assert_eq!(cut("a=1&b=2=3&c="), Ok(vec![some("a", "1"), some("b", "2=3"), some("c", "")]));
        assert_eq!(cut("%61%26=%26"), Ok(vec![some("a&", "%26")]));
        assert_eq!(cut("a"), Ok(vec![("a".to_owned(), None)]));
        assert_eq!(cut("a=1;b=2"), Ok(vec![some("a", "1;b=2")]), "`;` separates nothing");
        assert_eq!(cut("&").map(|pairs| pairs.len()), Ok(2), "an empty piece is a pair without a name");
    }

    #[test]
    fn is_bounded_and_strict() {
        assert!(cut(&["a=1"; 100].join("&")).is_ok());
        assert_eq!(cut(&["a=1"; 101].join("&")), Err(BadPairs::TooMany));
        assert_eq!(cut("%ff=1"), Err(BadPairs::Encoding));
    }

    #[test]
    fn members_of_an_exploded_object_are_taken_from_beside_the_others() {
        let pairs = Pairs::cut("R=1&limit=5&G=2&G=3", Decoding::Percent, 100).unwrap();
        let wire = Wire::text("color").kind(Kind::Object(&["R", "G", "B"], false));
        let Ok(Some(Tree::Object(entries))) = pairs.tree(&wire, |_| true) else { panic!() };
        assert_eq!(entries.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["R", "G"]);
        assert!(matches!(&entries[1].value, Tree::List(items) if items.len() == 2));
        assert!(pairs.any_left(), "`limit` is another's");
        assert_eq!(pairs.take("limit").count(), 1);
        assert!(!pairs.any_left());
    }

    #[test]
    fn an_open_object_leaves_what_is_declared_of_others() {
        for style in [Style::Form, Style::PipeDelimited] {
            let pairs = Pairs::cut("limit=5&more=1", Decoding::Percent, 100).unwrap();
            let wire = Wire::text("any").style(style).explode(true).kind(Kind::Object(&[], true));
            let Ok(Some(Tree::Object(entries))) = pairs.tree(&wire, |name| name == "limit") else { panic!() };
            assert_eq!(entries.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["more"]);
        }
    }
}
