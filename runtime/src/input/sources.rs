//! Where parameters stand in a request: the raw text of each, cut and not yet decoded.

use std::borrow::Cow;

use http::HeaderMap;

use super::cookies::cookies;
use super::encoded::{Decoding, decoded};
use super::wire::{Cut, Kind, Pairs, Style, Wire, elements, leaf};
use super::{Entry, Expected, Tree};
use crate::operation::{Location, Policy};

/// The parts of a request that carry parameters.
pub(super) struct Sources<'a> {
    pub(super) policy: &'static Policy,
    pub(super) captures: &'a [&'a str],
    /// `None`: it cannot be cut, which has been told.
    pub(super) query: Option<Pairs<'a>>,
    /// The query, where one parameter is all of it: it has no pairs then.
    pub(super) whole: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
}

/// The raw text of a value, or why there is none.
pub(super) type Raw<'a> = Result<&'a str, Expected>;

const NOT_ASCII: Expected =
    Expected { rule: "encoding", message: Cow::Borrowed("must consist of visible ASCII characters") };
const NO_VALUE: Expected = Expected { rule: "value", message: Cow::Borrowed("must have a value after `=`") };
/// Headers that are of one sending of a request and not of what it asks for: the next page and the next try have others.
const OF_ONE_SENDING: [&str; 9] = [
    "baggage",
    "idempotency-key",
    "if-modified-since",
    "if-none-match",
    "range",
    "traceparent",
    "tracestate",
    "x-correlation-id",
    "x-request-id",
];
const TWICE: Expected = Expected { rule: "duplicate", message: Cow::Borrowed("must not come twice") };

impl<'a> Sources<'a> {
    /// Whether the query has a parameter that is not declared. Asked once every declared one has been read.
    pub(super) fn has_undeclared(&self) -> bool {
        self.query.as_ref().is_some_and(Pairs::any_left)
    }

    /// A value that may come once.
    pub(super) fn single(&self, location: Location, wire: &Wire) -> Result<Option<&'a str>, Expected> {
        let (mut first, mut more) = (None, false);
        self.each(location, wire.name, |raw| match &first {
            None => first = Some(raw),
            Some(_) => more = true,
        });
        match first {
            _ if more => Err(TWICE),
            Some(Err(expected)) if wire.empty && expected == NO_VALUE => Ok(Some("")),
            first => first.transpose(),
        }
    }

    /// The values of an array. `None`: absent.
    pub(super) fn list(&self, location: Location, wire: &Wire) -> Result<Option<Vec<Raw<'a>>>, Expected> {
        match location {
            Location::Header => Ok(self.header_list(wire.name)),
            Location::Query | Location::Cookie if wire.explode => Ok(self.all(location, wire.name)),
            _ => match self.single(location, wire)? {
                Some(raw) => {
                    let items = Cut { wire, decoding: decoding(location, wire) }.list(raw)?;
                    Ok(Some(items.into_iter().map(Ok).collect()))
                }
                None => Ok(None),
            },
        }
    }

    /// A value of any kind, its leaves without a type. `None`: absent.
    pub(super) fn tree(&self, location: Location, wire: &Wire) -> Result<Option<Tree<'a>>, Expected> {
        let decoding = decoding(location, wire);
        let cut = Cut { wire, decoding };
        match (location, wire.kind) {
            (Location::Query, _) => {
                self.query.as_ref().map_or(Ok(None), |pairs| pairs.tree(wire, |name| self.declares(name)))
            }
            (Location::Cookie, Kind::Object(members, _)) if wire.explode => {
                self.cookie_members(members, decoding)
            }
            (Location::Cookie, Kind::List) if wire.explode => {
                let raws = self.all(location, wire.name).unwrap_or_default();
                let items =
                    raws.into_iter().map(|raw| leaf(raw?, decoding)).collect::<Result<Vec<_>, _>>()?;
                Ok((!items.is_empty()).then_some(Tree::List(items)))
            }
            (Location::Header, Kind::List | Kind::Object(..)) => match self.all(location, wire.name) {
                Some(lines) => cut.field(&lines.into_iter().collect::<Result<Vec<_>, _>>()?).map(Some),
                None => Ok(None),
            },
            _ => self.single(location, wire)?.map(|raw| cut.tree(raw)).transpose(),
        }
    }

    /// Whether a name of the query belongs to a declared parameter.
    fn declares(&self, name: &str) -> bool {
        let mut parameters = self.policy.parameters.iter().filter(|one| one.location == Location::Query);
        parameters.any(|one| {
            name.strip_prefix(one.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        })
    }

    /// An object whose members are cookies of their own.
    fn cookie_members(
        &self,
        members: &'static [&'static str],
        decoding: Decoding,
    ) -> Result<Option<Tree<'a>>, Expected> {
        let mut entries = Vec::new();
        for member in members {
            if let Some(raw) = self.single(Location::Cookie, &Wire::text(member))? {
                let value = leaf(raw, decoding)?;
                entries.push(Entry { name: Cow::Borrowed(*member), value, repeated: false });
            }
        }
        Ok((!entries.is_empty()).then_some(Tree::Object(entries)))
    }

    /// What a request asks for, as far as its parameters say it: everything of path and query but the names that are left
    /// out, and the headers and cookies that are declared. All with their lengths and, in the query, by name, so that no
    /// two requests write the same bytes. A query that is one value counts byte for byte, as a body does.
    pub(super) fn canonical(&self, without: &[&str], into: &mut Vec<u8>) {
        for raw in self.captures {
            // One that does not decode is refused elsewhere.
            prefixed(decoded(raw).unwrap_or_default().as_bytes(), into);
        }
        let pairs = self.query.iter().flat_map(Pairs::iter);
        let mut pairs: Vec<_> = pairs.filter(|pair| !without.contains(&&*pair.name)).collect();
        pairs.sort_by(|one, other| one.name.cmp(&other.name));
        for pair in pairs {
            prefixed(pair.name.as_bytes(), into);
            let value = decoded(pair.value.unwrap_or_default());
            prefixed(value.unwrap_or_default().as_bytes(), into);
        }
        let cut_before = |location| matches!(location, Location::Path | Location::Query);
        for parameter in self.policy.parameters.iter().filter(|one| !cut_before(one.location)) {
            if parameter.location == Location::Header
                && OF_ONE_SENDING.iter().any(|name| parameter.name.eq_ignore_ascii_case(name))
            {
                continue;
            }
            let lines = self.all(parameter.location, parameter.name).unwrap_or_default();
            into.extend_from_slice(&(lines.len() as u64).to_be_bytes());
            for line in lines {
                // what is no text is refused elsewhere
                prefixed(line.unwrap_or_default().as_bytes(), into);
            }
        }
    }

    fn all(&self, location: Location, name: &str) -> Option<Vec<Raw<'a>>> {
        let mut all = Vec::new();
        self.each(location, name, |raw| all.push(raw));
        (!all.is_empty()).then_some(all)
    }

    /// The lines of a header are one list (RFC 9110 section 5.3), and its empty elements do not count (section 5.6.1.2).
    fn header_list(&self, name: &str) -> Option<Vec<Raw<'a>>> {
        let mut items = Vec::new();
        for line in self.all(Location::Header, name)? {
            match line {
                Ok(line) => items.extend(elements(line).filter(|item| !item.is_empty()).map(Ok)),
                Err(expected) => items.push(Err(expected)),
            }
        }
        Some(items)
    }

    fn each(&self, location: Location, name: &str, mut see: impl FnMut(Raw<'a>)) {
        match location {
            Location::Path => self.capture(name).into_iter().for_each(|raw| see(Ok(raw))),
            Location::Query => {
                let pairs = self.query.iter().flat_map(|pairs| pairs.take(name));
                pairs.for_each(|value| see(value.ok_or(NO_VALUE)));
            }
            Location::QueryString => self.whole.into_iter().for_each(|text| see(Ok(text))),
            Location::Header => {
                let lines = self.headers.get_all(name).into_iter();
                // Bytes beyond ASCII are `obs-text` (RFC 9110 section 5.5).
                lines.for_each(|line| see(line.to_str().map_err(|_| NOT_ASCII)));
            }
            Location::Cookie => cookies(self.headers, name).for_each(|value| {
                let visible = value.iter().all(|byte| matches!(byte, 0x20..=0x7e));
                see(std::str::from_utf8(value).ok().filter(|_| visible).ok_or(NOT_ASCII));
            }),
        }
    }

    fn capture(&self, name: &str) -> Option<&'a str> {
        let names = self.policy.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        names.zip(self.captures).find(|(known, _)| *known == name).map(|(_, raw)| *raw)
    }
}

/// Headers are not percent-encoded, nor are cookies of the style `cookie` (OpenAPI 3.2 section 4.12.3).
pub(super) const fn decoding(location: Location, wire: &Wire) -> Decoding {
    match (location, wire.style) {
        (Location::Header, _) | (Location::Cookie, Style::Cookie) => Decoding::Plain,
        _ => Decoding::Percent,
    }
}

fn prefixed(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    into.extend_from_slice(bytes);
}
