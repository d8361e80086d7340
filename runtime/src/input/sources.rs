//! Where parameters stand in a request: the raw text of each, cut and not yet decoded.

use std::borrow::Cow;

use http::HeaderMap;

use super::Expected;
use super::encoded::{BadEncoding, decoded};
use super::query::{Pair, cookies};
use crate::operation::{Location, Parameter, Policy};

/// The parts of a request that carry parameters.
pub(super) struct Sources<'a> {
    pub(super) policy: &'static Policy,
    pub(super) captures: &'a [&'a str],
    /// `None`: it cannot be cut, which has been told.
    pub(super) query: Option<Vec<Pair<'a>>>,
    pub(super) headers: &'a HeaderMap,
}

/// The raw text of a value, or why there is none.
pub(super) type Raw<'a> = Result<&'a str, Expected>;

const NOT_ASCII: Expected =
    Expected { rule: "encoding", message: Cow::Borrowed("must consist of visible ASCII characters") };
const NO_VALUE: Expected = Expected { rule: "value", message: Cow::Borrowed("must have a value after `=`") };
const TWICE: Expected = Expected { rule: "duplicate", message: Cow::Borrowed("must not come twice") };

impl<'a> Sources<'a> {
    /// Whether the query has a parameter that is not declared.
    pub(super) fn has_undeclared(&self) -> bool {
        let declared = |pair: &Pair<'_>| {
            let mut parameters = self.policy.parameters.iter();
            parameters.any(|declared| declared.location == Location::Query && declared.name == pair.name)
        };
        !self.query.iter().flatten().all(declared)
    }

    /// A value that may come once.
    pub(super) fn single(&self, location: Location, name: &str) -> Result<Option<&'a str>, Expected> {
        let (mut first, mut more) = (None, false);
        self.each(location, name, |raw| match &first {
            None => first = Some(raw),
            Some(_) => more = true,
        });
        if more { Err(TWICE) } else { first.transpose() }
    }

    /// The values of an array. `None`: absent.
    pub(super) fn list(
        &self,
        location: Location,
        name: &str,
        explode: bool,
    ) -> Result<Option<Vec<Raw<'a>>>, Expected> {
        match location {
            Location::Header => Ok(self.header_list(name)),
            Location::Query | Location::Cookie if explode => Ok(self.all(location, name)),
            _ => Ok(self.single(location, name)?.map(|raw| match raw {
                "" => Vec::new(),
                // Cut before it is decoded, so that `%2C` is data.
                _ => raw.split(',').map(Ok).collect(),
            })),
        }
    }

    /// Name, how often it came, each value: all with their lengths, so that no two requests write the same bytes.
    pub(super) fn canonical(&self, parameter: &Parameter, into: &mut Vec<u8>) {
        let values = self.all(parameter.location, parameter.name).unwrap_or_default();
        prefixed(parameter.name.as_bytes(), into);
        into.extend_from_slice(&(values.len() as u64).to_be_bytes());
        for raw in values.into_iter().flatten() {
            // One that does not decode is refused elsewhere.
            prefixed(plain(parameter.location, raw).unwrap_or_default().as_bytes(), into);
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
                Ok(line) => {
                    let elements = line.split(',').map(|item| item.trim_matches([' ', '\t']));
                    items.extend(elements.filter(|item| !item.is_empty()).map(Ok));
                }
                Err(expected) => items.push(Err(expected)),
            }
        }
        Some(items)
    }

    fn each(&self, location: Location, name: &str, mut see: impl FnMut(Raw<'a>)) {
        match location {
            Location::Path => self.capture(name).into_iter().for_each(|raw| see(Ok(raw))),
            Location::Query => {
                let pairs = self.query.iter().flatten();
                pairs.filter(|pair| pair.name == name).for_each(|pair| see(pair.value.ok_or(NO_VALUE)));
            }
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

/// What the raw text says. Headers are not percent-encoded.
pub(super) fn plain(location: Location, raw: &str) -> Result<Cow<'_, str>, BadEncoding> {
    match location {
        Location::Path | Location::Query | Location::Cookie => decoded(raw),
        Location::Header => Ok(Cow::Borrowed(raw)),
    }
}

fn prefixed(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    into.extend_from_slice(bytes);
}
