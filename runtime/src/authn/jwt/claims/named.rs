//! The claims whose place the document names: scopes and tenant, each at the end of a path of its own.
//!
//! Both are found in one pass, for their paths may go through one object.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{
    super::json::{Names, Skip, Text, Why},
    Expected,
};
use crate::authn::Reason;

/// What is left of the paths below a value; `None` where one leads elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) scopes: Option<&'a [&'a str]>,
    pub(super) tenant: Option<&'a [&'a str]>,
}

/// What was found there.
#[derive(Default)]
pub(super) struct Found<'de> {
    pub(super) scopes: Option<Cow<'de, str>>,
    /// `None` also where there is something else than a text: then it names no tenant.
    pub(super) tenant: Option<Cow<'de, str>>,
}

impl<'a> Wanted<'a> {
    /// From the top; no path is none.
    pub(super) fn of(expected: &Expected<'a>) -> Self {
        let path = |path: &'a [&'a str]| (!path.is_empty()).then_some(path);
        Self { scopes: path(expected.scopes_claim), tenant: path(expected.tenant_claim) }
    }

    /// Below this member; `None` where neither leads through it.
    pub(super) fn below(self, name: &str) -> Option<Self> {
        let rest = |path: Option<&'a [&'a str]>| match path? {
            [first, rest @ ..] if *first == name => Some(rest),
            _ => None,
        };
        let below = Self { scopes: rest(self.scopes), tenant: rest(self.tenant) };
        (below.scopes.is_some() || below.tenant.is_some()).then_some(below)
    }
}

/// Reads a value below which something is wanted.
///
/// Scopes are one string of words, or an array of words (then kept joined by spaces). A wrong type in their place refuses the
/// token: it must not read as "no scopes", which somebody may take for "any". One in the place of the tenant is no tenant, for
/// which the token is refused once all of it was read.
pub(super) struct Named<'a> {
    pub(super) wanted: Wanted<'a>,
    pub(super) why: &'a Why,
}

impl Named<'_> {
    const fn is_scopes(&self) -> bool {
        matches!(self.wanted.scopes, Some([]))
    }

    /// For a value that is nothing that can be here.
    fn other<'de, E: Error>(self) -> Result<Found<'de>, E> {
        match self.wanted.scopes {
            Some(_) => Err(self.why.fail(Reason::Malformed)),
            None => Ok(Found::default()),
        }
    }

    fn text<'de, E: Error>(self, text: Cow<'de, str>) -> Result<Found<'de>, E> {
        match (self.wanted.scopes, self.wanted.tenant) {
            (Some([]), _) => Ok(Found { scopes: Some(text), tenant: None }),
            (None, Some([])) => Ok(Found { scopes: None, tenant: Some(text) }),
            _ => self.other(),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scopes or a tenant")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.text(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.text(Cow::Owned(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        if !self.is_scopes() {
            while items.next_element_seed(Skip(self.why))?.is_some() {}
            return self.other();
        }
        let mut joined = String::new();
        while let Some(Text(scope)) = items.next_element()? {
            // joined by spaces, "a b" would turn into two rights that nobody granted
            if scope.is_empty() || scope.contains(' ') {
                return Err(self.why.fail(Reason::Malformed));
            }
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(&scope);
        }
        Ok(Found { scopes: Some(Cow::Owned(joined)), tenant: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let Self { wanted, why } = self;
        if self.is_scopes() {
            return Err(why.fail(Reason::Malformed));
        }
        let mut found = Found::default();
        let mut names = Names::default();
        while let Some(Text(name)) = members.next_key()? {
            let below = wanted.below(&name);
            if !names.add(name) {
                return Err(why.fail(Reason::DuplicateMember));
            }
            let Some(below) = below else {
                members.next_value_seed(Skip(why))?;
                continue;
            };
            let Found { scopes, tenant } = members.next_value_seed(Named { wanted: below, why })?;
            found.scopes = scopes.or(found.scopes);
            found.tenant = tenant.or(found.tenant);
        }
        Ok(found)
    }
}
