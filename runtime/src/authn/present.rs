//! Finds the credentials that a request shows: each in its one place, each at most once.
//!
//! A key in the query is read by the gate alone: what follows gets the query without it.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use http::{HeaderMap, header, request::Parts};
use percent_encoding::{percent_decode, percent_decode_str};

use super::{
    Denied, Judged, OfEach, Reason, api_key,
    attempts::Claim,
    basic::UserPass,
    certificate::ClientCertificate,
    cross_site::{self, CrossSite},
    dpop::Asked,
    prepared::{Need, Place, Prepared, Scheme, Verifier},
};
use crate::{clock::Now, operation::Binding};

/// A credential as it stands in the request, not yet believed.
pub(in crate::authn) enum Credential<'r> {
    /// What stands in a header, a cookie or the query.
    Text(Cow<'r, [u8]>),
    /// A user and a password that stand in a header.
    Password(Arc<UserPass>),
    /// What the client has shown for its connection.
    #[cfg_attr(
        not(feature = "tls"),
        allow(dead_code, reason = "read by the verifier that the feature brings")
    )]
    Certificate(&'r ClientCertificate),
}

/// When, from where and for what a credential is shown.
pub(crate) struct Occasion<'a> {
    /// The request comes from this machine.
    pub(crate) local: bool,
    pub(crate) from: IpAddr,
    /// The id of the operation.
    pub(crate) operation: &'static str,
    pub(crate) now: Now,
    /// The id under which we speak of the request.
    #[cfg_attr(not(feature = "login"), allow(dead_code, reason = "the log of sessions has it"))]
    pub(crate) request_id: &'a str,
}

/// What a request shows beside a token: what the token may be bound to.
pub(crate) struct Shown<'r> {
    pub(in crate::authn) certificate: Option<&'r ClientCertificate>,
    /// Where a proof stands, and of what it must speak.
    pub(in crate::authn) asked: Asked<'r>,
}

impl<'r> Shown<'r> {
    pub(crate) fn of(parts: &'r Parts) -> Self {
        let asked = Asked { method: parts.method.as_str(), path: parts.uri.path(), headers: &parts.headers };
        Self { certificate: parts.extensions.get(), asked }
    }
}

#[cfg(any(test, feature = "measure"))]
impl Shown<'static> {
    /// A request that shows nothing else.
    pub(crate) fn nothing() -> Self {
        static NONE: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(HeaderMap::new);
        Self { certificate: None, asked: Asked { method: "GET", path: "/", headers: &NONE } }
    }
}

/// What `Authorization` says: a scheme's name and what follows it.
struct Authorization<'r> {
    scheme: &'r [u8],
    rest: &'r [u8],
}

/// The credential that a request shows to each scheme of the operation, in the order of the schemes.
pub(in crate::authn) fn shown<'r>(
    prepared: &Prepared,
    parts: &'r Parts,
) -> Result<OfEach<Option<Credential<'r>>>, Denied> {
    let begins_with_a_word = check_authorization(prepared, parts)?;
    let find = |scheme: &Arc<Scheme>| match begins_with_a_word && scheme.is_keyed_by_authorization() {
        true => Ok(None), // it is the credential of the scheme with that word, and of no other
        false => scheme.find(parts),
    };
    let shown: OfEach<_> = prepared.schemes.iter().map(find).collect::<Result<_, _>>()?;
    check_places(prepared, &shown)?;
    Ok(shown)
}

/// Refuses credentials in several places unless one alternative reads all of them: which of them counts would be a guess.
/// A certificate is of the connection, which others than the caller may have made, and is no choice of the request.
fn check_places(prepared: &Prepared, shown: &[Option<Credential<'_>>]) -> Result<(), Denied> {
    let schemes = || prepared.schemes.iter().zip(shown);
    let chosen = || schemes().filter(|(scheme, shown)| shown.is_some() && scheme.is_chosen());
    let Some((last, _)) = chosen().next_back() else { return Ok(()) };
    let reads_all = |needs: &Vec<Need>| {
        let readers = needs.iter().filter_map(|need| prepared.schemes.get(need.scheme));
        chosen().all(|(scheme, _)| readers.clone().any(|reader| reader.reads_like(scheme)))
    };
    match prepared.alternatives.iter().any(reads_all) {
        true => Ok(()),
        false => Err(Denied::twice(last.name)),
    }
}

/// Refuses an `Authorization` that is there twice, or that no scheme of the operation reads. Answers whether it begins with
/// the word of one of them; what does not is a key, where the operation takes keys there.
fn check_authorization(prepared: &Prepared, parts: &Parts) -> Result<bool, Denied> {
    let mut readers = prepared.schemes.iter().filter(|scheme| scheme.word().is_some()).peekable();
    if readers.peek().is_none() {
        return Ok(false);
    }
    let Some(authorization) = Authorization::read(&parts.headers).map_err(Denied::new)? else {
        return Ok(false);
    };
    let Some(reader) = readers.find(|scheme| scheme.word().is_some_and(|word| authorization.is(word))) else {
        let is_key = prepared.schemes.iter().any(|scheme| scheme.is_keyed_by_authorization());
        return if is_key { Ok(false) } else { Err(Denied::new(Reason::UnsupportedScheme)) };
    };
    // RFC 6750 section 2: a client uses one method a request
    if pairs(parts.uri.query()).any(|pair| is_named(pair, "access_token")) {
        return Err(Denied::twice(reader.name));
    }
    Ok(true)
}

impl<'r> Authorization<'r> {
    fn read(headers: &'r HeaderMap) -> Result<Option<Self>, Reason> {
        let Some(value) = only(headers.get_all(header::AUTHORIZATION).iter())? else { return Ok(None) };
        let bytes = value.as_bytes();
        let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
        let (scheme, rest) = bytes.split_at_checked(space).ok_or(Reason::Malformed)?;
        // RFC 9110 section 11.4: one or more spaces; the field itself has lost what surrounded it
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        Ok(Some(Self { scheme, rest: rest.get(blanks..).unwrap_or_default() }))
    }

    /// RFC 9110 section 11.1: a scheme's name is compared without case.
    fn is(&self, word: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(word.as_bytes())
    }
}

/// The only item; two are one too many.
fn only<T>(mut items: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    let first = items.next();
    if items.next().is_some() { Err(Reason::DuplicateCredential) } else { Ok(first) }
}

impl Scheme {
    /// The word before its credentials in `Authorization`, if that is where they stand.
    pub(in crate::authn) fn word(&self) -> Option<&'static str> {
        match &self.verifier {
            // RFC 9449 section 7.1: what is bound to a key is no bearer's
            Verifier::Bearer(tokens) if matches!(tokens.possession().rule(), Binding::Proof { .. }) => {
                Some("DPoP")
            }
            Verifier::Bearer(_) => Some("Bearer"),
            Verifier::Basic { .. } => Some("Basic"),
            _ => None,
        }
    }

    /// Whether its credential is one that the request itself brings.
    fn is_chosen(&self) -> bool {
        self.word().is_some() || self.place().is_some()
    }

    /// Where the keys of an `apiKey` scheme stand.
    fn place(&self) -> Option<&Place> {
        match &self.verifier {
            Verifier::ApiKey { place, .. } => Some(place),
            #[cfg(feature = "login")]
            Verifier::Session { cookie, .. } => Some(cookie),
            Verifier::Bearer(_) | Verifier::Basic { .. } | Verifier::MutualTls { .. } => None,
        }
    }

    /// Whether its keys stand where those of the other kinds do.
    fn is_keyed_by_authorization(&self) -> bool {
        matches!(self.place(), Some(Place::Header(name)) if *name == header::AUTHORIZATION)
    }

    /// The query parameter that it reads.
    fn query_key(&self) -> Option<&'static str> {
        match self.place()? {
            Place::Query(name) => Some(name),
            Place::Header(_) | Place::Cookie(..) => None,
        }
    }

    /// Whether both schemes read the same place of a request, so that one credential is shown to both.
    pub(in crate::authn) fn reads_like(&self, other: &Self) -> bool {
        match (&self.verifier, &other.verifier) {
            (Verifier::Bearer(_), Verifier::Bearer(_)) | (Verifier::Basic { .. }, Verifier::Basic { .. }) => {
                self.word() == other.word()
            }
            (Verifier::MutualTls { .. }, Verifier::MutualTls { .. }) => true,
            _ => match (self.place(), other.place()) {
                (Some(Place::Header(one)), Some(Place::Header(other))) => one == other,
                (Some(Place::Cookie(one, _)), Some(Place::Cookie(other, _)))
                | (Some(Place::Query(one)), Some(Place::Query(other))) => one == other,
                _ => false,
            },
        }
    }

    /// The credential that a request shows to this scheme.
    pub(in crate::authn) fn find<'r>(&self, parts: &'r Parts) -> Result<Option<Credential<'r>>, Denied> {
        let headers = &parts.headers;
        let found = match (&self.verifier, self.place()) {
            (Verifier::MutualTls { .. }, _) => {
                return Ok(parts.extensions.get().map(Credential::Certificate));
            }
            (_, Some(Place::Header(name))) => only(headers.get_all(name).iter())
                .map(|value| value.map(|value| Cow::Borrowed(value.as_bytes()))),
            (_, Some(Place::Cookie(name, _))) => {
                only(cookies(headers, name)).map(|value| value.map(Cow::Borrowed))
            }
            (_, Some(Place::Query(name))) => {
                let values = pairs(parts.uri.query()).filter(|pair| is_named(pair, name)).map(value_of);
                only(values)
            }
            (_, None) => Authorization::read(headers).map(|authorization| {
                let ours = authorization.filter(|it| self.word().is_some_and(|word| it.is(word)));
                ours.map(|authorization| Cow::Borrowed(authorization.rest))
            }),
        };
        let found = found.map(|text| text.map(|text| self.read(text)));
        found.map_err(|reason| Denied::of(self.name, reason))
    }

    /// A password that is malformed stays a text, which opens nothing.
    fn read<'r>(&self, text: Cow<'r, [u8]>) -> Credential<'r> {
        let password = matches!(self.verifier, Verifier::Basic { .. }).then(|| UserPass::read(&text));
        password
            .flatten()
            .map_or_else(|| Credential::Text(text), |shown| Credential::Password(Arc::new(shown)))
    }

    /// Whom a credential claims to be, before it is verified.
    pub(in crate::authn) fn claim<'c>(&'c self, credential: &'c Credential<'_>) -> Option<Claim<'c>> {
        let account = match (&self.verifier, credential) {
            (Verifier::Basic { .. }, Credential::Password(shown)) => shown.user(),
            (Verifier::ApiKey { .. }, Credential::Text(text)) => api_key::claimed(text)?,
            _ => return None,
        };
        Some(Claim { issuer: self.claims_under()?, account })
    }

    /// Whose names its credentials claim.
    pub(in crate::authn) fn claims_under(&self) -> Option<&Arc<str>> {
        match &self.verifier {
            Verifier::Basic { issuer, .. } | Verifier::ApiKey { issuer, .. } => Some(issuer),
            _ => None,
        }
    }

    /// Whether people choose its secrets.
    pub(in crate::authn) const fn is_guessable(&self) -> bool {
        matches!(self.verifier, Verifier::Basic { .. })
    }

    /// Judges the credential that a request shows to this scheme. `None`: it is a token, and its issuer must be asked.
    pub(in crate::authn) async fn judge_at_hand(
        &self,
        credential: &Credential<'_>,
        parts: &Parts,
        on: &Occasion<'_>,
    ) -> Option<Result<Judged, Reason>> {
        match (&self.verifier, credential) {
            (Verifier::Bearer(tokens), Credential::Text(text)) => {
                tokens.judge_at_hand(text, &Shown::of(parts), on.local, on.now).await
            }
            _ => Some(self.judge_other(credential, parts, on).await),
        }
    }

    /// The same of a token whose issuer must be asked.
    pub(in crate::authn) async fn judge(
        &self,
        credential: &Credential<'_>,
        parts: &Parts,
        on: &Occasion<'_>,
    ) -> Result<Judged, Reason> {
        match (&self.verifier, credential) {
            (Verifier::Bearer(tokens), Credential::Text(text)) => {
                tokens.judge(text, &Shown::of(parts), on.local, on.now).await
            }
            _ => Err(Reason::Malformed),
        }
    }

    /// What is no token.
    async fn judge_other(
        &self,
        credential: &Credential<'_>,
        parts: &Parts,
        on: &Occasion<'_>,
    ) -> Result<Judged, Reason> {
        if let Some(Place::Cookie(_, ours)) = self.place() {
            cross_site::judge(&parts.method, &parts.headers, ours.as_ref())
                .map_err(|CrossSite| Reason::CrossSite)?;
        }
        let principal = match (&self.verifier, credential) {
            (Verifier::ApiKey { keys, issuer, rules, .. }, Credential::Text(text)) => {
                let text = std::str::from_utf8(text).map_err(|_| Reason::Malformed)?;
                keys.judge(self.name, issuer, rules, text, on).await
            }
            #[cfg(feature = "login")]
            (Verifier::Session { login, .. }, Credential::Text(id)) => {
                super::session::judge(login, self.name, id, on).await
            }
            (Verifier::Basic { passwords, issuer }, Credential::Password(shown)) => {
                passwords.judge(self.name, issuer, shown).await
            }
            #[cfg(feature = "tls")]
            (Verifier::MutualTls { certificates, issuer, rules }, Credential::Certificate(shown)) => {
                certificates.judge(self.name, issuer, rules, shown, on.now)
            }
            // `find` gives each verifier its own kind, or a password that is malformed
            _ => Err(Reason::Malformed),
        };
        principal.map(|principal| Judged { principal, used: None })
    }
}

impl Prepared {
    /// The scheme whose token stands in `Authorization`, if one does. Nothing that is there twice is left to ask this of.
    pub(crate) fn token_of(&self, headers: &HeaderMap) -> Option<&'static str> {
        let authorization = Authorization::read(headers).ok()??;
        let mut takers = self.schemes.iter().filter(|scheme| matches!(scheme.verifier, Verifier::Bearer(_)));
        let taker = takers.find(|scheme| scheme.word().is_some_and(|word| authorization.is(word)));
        taker.map(|scheme| scheme.name)
    }

    /// The query without the keys that stand in it.
    pub(crate) fn without_keys<'q>(&self, query: Option<&'q str>) -> Option<Cow<'q, str>> {
        let names: Vec<&str> = self.schemes.iter().filter_map(|scheme| scheme.query_key()).collect();
        if names.is_empty() {
            return query.map(Cow::Borrowed);
        }
        let others = pairs(query).filter(|pair| !names.iter().any(|name| is_named(pair, name)));
        let others: Vec<&str> = others.collect();
        (!others.is_empty()).then(|| Cow::Owned(others.join("&")))
    }
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = &str> {
    query.into_iter().flat_map(|query| query.split('&'))
}

fn is_named(pair: &str, name: &str) -> bool {
    let sent = pair.split_once('=').map_or(pair, |(sent, _)| sent);
    percent_decode_str(sent).eq(name.bytes())
}

fn value_of(pair: &str) -> Cow<'_, [u8]> {
    let value = pair.split_once('=').map_or("", |(_, value)| value);
    percent_decode(value.as_bytes()).into()
}

/// The values of every cookie of this name (RFC 6265 section 4.2.1; HTTP/2 may split the field).
pub(crate) fn cookies<'r>(headers: &'r HeaderMap, name: &str) -> impl Iterator<Item = &'r [u8]> {
    let pairs =
        headers.get_all(header::COOKIE).iter().flat_map(|field| field.as_bytes().split(|b| *b == b';'));
    pairs.filter_map(move |pair| {
        let pair = pair.trim_ascii();
        let (found, rest) = pair.split_at_checked(name.len())?;
        if found == name.as_bytes() { rest.strip_prefix(b"=") } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn authorization_is_read_once_and_without_case() {
        let once = headers(&[("authorization", "bEARER  abc")]);
        let read = Authorization::read(&once).unwrap().unwrap();
        assert!(read.is("Bearer") && !read.is("Basic"));
        assert_eq!(read.rest, b"abc");
        let twice = headers(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]);
        assert_eq!(Authorization::read(&twice).err(), Some(Reason::DuplicateCredential));
        assert!(Authorization::read(&headers(&[])).unwrap().is_none());
        let bare = headers(&[("authorization", "Bearer")]);
        assert_eq!(Authorization::read(&bare).unwrap().unwrap().rest, b"");
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let map = headers(&[("cookie", "a=1; sid=x=y;sidx=2"), ("cookie", "sid=other")]);
        assert_eq!(cookies(&map, "sid").collect::<Vec<_>>(), [b"x=y".as_slice(), b"other"]);
        assert_eq!(cookies(&map, "si").count(), 0);
    }
}
