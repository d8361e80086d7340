//! Who asks: the clients of an issuer, and how each shows who it is.
//!
//! Rules ([`Clients::authenticate`]; RFC 6749 section 2.3, RFC 6750 section 2):
//! 1. one way at a time: `Authorization: Basic`, with both parts form-encoded (section 2.3.1), or `client_id` and
//!    `client_secret` in the form. `client_id` beside `Basic` names the same client;
//! 2. a confidential client shows its secret, always; a public one has none, and showing one is refused;
//! 3. a secret is 256 random bits, kept as SHA-256, compared in constant time; for an unknown client a dummy is compared;
//! 4. every failure is the same answer.

use std::{collections::HashMap, fmt, sync::Arc};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use zeroize::Zeroizing;

use super::family::is_within;
use crate::form::{Form, is_scope};
use crate::{Secret, input::form_decoded, secret::ct_eq};

/// How clients may authenticate (RFC 8414 section 2).
pub(super) const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];
/// Secrets of a client at the same time: the old one and the new one.
const MOST_SECRETS: usize = 2;
const MOST_CLIENTS: usize = 10_000;

/// A client of an issuer.
#[derive(Clone)]
pub struct Client {
    id: String,
    /// SHA-256 of each. A public client has none.
    secrets: Vec<[u8; 32]>,
    /// What it may ask for itself, separated by single spaces.
    itself: Option<String>,
    must_prove: bool,
}

/// The clients that an issuer answers.
#[derive(Clone)]
pub struct Clients(Arc<HashMap<String, Client>>);

/// Why clients cannot be used.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// An id that is empty, longer than 256 bytes, or has control characters.
    Id,
    /// Two clients of this id.
    Twice(String),
    /// More than two secrets of this client.
    Secrets(String),
    /// A client that asks for itself is public, or its scope has characters that cannot be.
    Itself(String),
    /// More than ten thousand.
    TooMany,
    /// The random source of the machine failed.
    Random,
}

/// Nobody, or who asks in two ways: the difference that RFC 6749 section 5.2 makes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// `invalid_client`
    Client,
    /// `invalid_request`
    Request,
}

impl Client {
    /// A client that cannot keep a secret, such as an application in a browser or on a phone. It may renew what it was given at
    /// a sign-in, and nothing else.
    pub fn public(id: impl Into<String>) -> Self {
        Self { id: id.into(), secrets: Vec::new(), itself: None, must_prove: false }
    }

    /// A client that shows a secret of which this is the hash ([`Client::new_secret`]).
    pub fn confidential(id: impl Into<String>, hash: [u8; 32]) -> Self {
        Self { id: id.into(), secrets: vec![hash], itself: None, must_prove: false }
    }

    /// Another secret that is good too, while one is exchanged for the other.
    #[must_use]
    pub fn or_secret(mut self, hash: [u8; 32]) -> Self {
        self.secrets.push(hash);
        self
    }

    /// The scopes that the client may ask for itself (`client_credentials`, RFC 6749 section 4.4). Its id is the subject of these
    /// tokens.
    #[must_use]
    pub fn for_itself<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<S> = scopes.into_iter().collect();
        self.itself = Some(scopes.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" "));
        self
    }

    /// It gets tokens beside a proof of possession only (`dpop_bound_access_tokens`, RFC 9449 section 5.2). Without this a client
    /// chooses, and what was bound once stays bound.
    #[must_use]
    pub const fn with_proofs_only(mut self) -> Self {
        self.must_prove = true;
        self
    }

    /// A new secret, to be shown once, and its hash, to be kept.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new_secret() -> Result<(Secret<String>, [u8; 32]), ClientError> {
        let mut bytes = Zeroizing::new([0; 32]);
        crate::random::fill(&mut *bytes).map_err(|_| ClientError::Random)?;
        let text = URL_SAFE_NO_PAD.encode(*bytes);
        let hash = hash(&text);
        Ok((Secret::new(text), hash))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn must_prove(&self) -> bool {
        self.must_prove
    }

    pub(super) const fn is_public(&self) -> bool {
        self.secrets.is_empty()
    }

    /// What it gets when it asks for itself; `None` when it may not, or not for this.
    pub(super) fn scope_for_itself<'a>(&'a self, asked: Option<&'a str>) -> Option<Result<&'a str, ()>> {
        let granted = self.itself.as_deref()?;
        Some(match asked {
            None => Ok(granted),
            Some(asked) if is_within(asked, granted) => Ok(asked),
            Some(_) => Err(()),
        })
    }

    fn check(&self) -> Result<(), ClientError> {
        if !super::sign_in::is_name(&self.id) {
            return Err(ClientError::Id);
        }
        if self.secrets.len() > MOST_SECRETS {
            return Err(ClientError::Secrets(self.id.clone()));
        }
        let itself = self.itself.as_deref().is_none_or(|scope| !self.secrets.is_empty() && is_scope(scope));
        if itself { Ok(()) } else { Err(ClientError::Itself(self.id.clone())) }
    }
}

impl Clients {
    /// These clients.
    ///
    /// # Errors
    /// When one cannot be, or two have one id.
    pub fn new(clients: impl IntoIterator<Item = Client>) -> Result<Self, ClientError> {
        let mut known = HashMap::new();
        for client in clients {
            client.check()?;
            if known.len() == MOST_CLIENTS {
                return Err(ClientError::TooMany);
            }
            if let Some(again) = known.insert(client.id.clone(), client) {
                return Err(ClientError::Twice(again.id));
            }
        }
        Ok(Self(Arc::new(known)))
    }

    /// Who asks. See the rules of the module.
    pub(super) fn authenticate(&self, headers: &HeaderMap, form: &Form) -> Result<&Client, Unknown> {
        let mut shown = headers.get_all(header::AUTHORIZATION).iter();
        let (basic, more) = (shown.next(), shown.next());
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        match (basic, more, id, secret) {
            (Some(_), Some(_), ..) | (Some(_), _, _, Some(_)) => Err(Unknown::Request),
            (Some(basic), None, named, None) => {
                let (id, secret) = basic_parts(basic.as_bytes()).ok_or(Unknown::Client)?;
                if named.is_some_and(|named| named != id) {
                    return Err(Unknown::Request);
                }
                self.confidential(&id, &secret)
            }
            (None, _, Some(id), Some(secret)) => self.confidential(id, secret),
            (None, _, Some(id), None) => {
                self.0.get(id).filter(|client| client.secrets.is_empty()).ok_or(Unknown::Client)
            }
            (None, _, None, _) => Err(Unknown::Client),
        }
    }

    /// Who it is that asks, by its own word.
    pub(super) fn claimed(headers: &HeaderMap, form: &Form) -> Option<String> {
        let basic = headers.get(header::AUTHORIZATION).and_then(|basic| basic_parts(basic.as_bytes()));
        basic.map(|(id, _)| id).or_else(|| form.get("client_id").map(str::to_owned))
    }

    fn confidential(&self, id: &str, secret: &str) -> Result<&Client, Unknown> {
        let shown = hash(secret);
        let client = self.0.get(id);
        let kept = client.map_or(&[[0; 32]][..], |client| &client.secrets);
        // each is compared, so that the time does not tell which it is
        let same = kept.iter().fold(false, |same, kept| ct_eq(kept, &shown) | same);
        match (client, same) {
            (Some(client), true) => Ok(client),
            (Some(_) | None, _) => Err(Unknown::Client),
        }
    }
}

/// RFC 7617 section 2, and both parts form-encoded (RFC 6749 section 2.3.1).
fn basic_parts(value: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let value = std::str::from_utf8(value).ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 2048 {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_start_matches(' ')).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let secret = Zeroizing::new(form_decoded(secret).ok()?.into_owned());
    Some((form_decoded(id).ok()?.into_owned(), secret))
}

fn hash(secret: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clients({})", self.0.len())
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("a client's id is 1 to 256 bytes without control characters"),
            Self::Twice(id) => write!(f, "there are two clients `{id}`"),
            Self::Secrets(id) => write!(f, "the client `{id}` has more than two secrets"),
            Self::Itself(id) => {
                write!(f, "the client `{id}` asks for itself, but has no secret or a scope that cannot be")
            }
            Self::TooMany => write!(f, "there are more than {MOST_CLIENTS} clients"),
            Self::Random => f.write_str("the random source of the machine failed"),
        }
    }
}

impl std::error::Error for ClientError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_cannot_be_are_refused_at_the_start() {
        let (_, hash) = Client::new_secret().unwrap();
        let refused = |clients: Vec<Client>| Clients::new(clients).err();
        assert_eq!(refused(vec![Client::public("app"), Client::confidential("back", hash)]), None);
        assert_eq!(refused(vec![Client::public("")]), Some(ClientError::Id));
        let twice = vec![Client::public("app"), Client::confidential("app", hash)];
        assert_eq!(refused(twice), Some(ClientError::Twice("app".into())));
        let three = Client::confidential("back", hash).or_secret(hash).or_secret(hash);
        assert_eq!(refused(vec![three]), Some(ClientError::Secrets("back".into())));
        let public = Client::public("app").for_itself(["a"]);
        assert_eq!(refused(vec![public]), Some(ClientError::Itself("app".into())));
    }

    #[test]
    fn basic_is_decoded_twice() {
        let of = |text: &str| basic_parts(format!("Basic {}", STANDARD.encode(text)).as_bytes());
        let (id, secret) = of("a%3Ab:s%25+c").unwrap();
        assert_eq!((id.as_str(), secret.as_str()), ("a:b", "s% c"));
        assert!(of("no colon").is_none() && of("a:%").is_none());
        assert!(basic_parts(b"Bearer YTpi").is_none() && basic_parts(b"Basic").is_none());
    }
}
