//! Tokens that we issue, for teams without an identity provider: short-lived access tokens that any verifier takes, and refresh
//! tokens that are good once.
//!
//! The application proves who somebody is, and calls [`Issuer::sign_in`]; the rest is the issuer's.
//!
//! | file | what it decides |
//! |---|---|
//! | `sign_in` | what a sign-in says, and what a client is given |
//! | `family` | what becomes of a refresh token that is shown: the rules of rotation |
//! | `text`, `secrets` | the text of a refresh token, what its secret is made of; what is sealed |
//! | `schedule`, `ring` | which key signs, which are published; where they are kept |
//! | `ending` | what ends a token, a family, or all of a subject |
//! | `published` | what verifiers and clients read of it |
//! | `replacement` | what becomes of all that when a key was stolen |
//! | `access` | what an access token says (RFC 9068), and reading one of ours |
//! | `proof` | which key a client proves to hold, and what is bound to it (RFC 9449) |
//! | `store` | the records of families and subjects in the [`State`], changed by comparing |
//! | `clients`, `endpoints` | who asks, what is asked, and the answers (RFC 6749, 7009, 7517, 8414) |
//! | `event` | security events |
//!
//! Rules of all of it:
//! 1. nothing is issued before the record that allows it is changed in the state, and nothing while the state cannot be asked;
//! 2. a family is revoked in its record first, so that no token comes of it any more; then its access tokens on the denylist.
//!    When that fails, the caller learns it, and the same call again does what is missing;
//! 3. the time is read before the record of a subject, and is `iat` unless that says a later one: whoever ends all of a subject
//!    also reaches what is being made by who has not seen it.

mod access;
mod builder;
mod clients;
mod ending;
mod endpoints;
mod error;
mod event;
mod family;
mod proof;
mod published;
mod replacement;
mod ring;
mod schedule;
mod secrets;
mod sign_in;
mod store;
mod text;

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;

pub use self::builder::IssuerBuilder;
pub use self::clients::{Client, ClientError, Clients};
pub use self::error::{GrantError, IssuerError, RevokeError};
pub use self::proof::ProvenKey;
pub use self::replacement::Families;
pub use self::secrets::IssuerKeys;
pub use self::sign_in::{SignIn, Tokens};
use self::{
    event::{About, Event, Why},
    family::{Family, Grant, Lifetimes, Refusal, Rounds, Shown},
    ring::{Ring, View},
    store::Subject,
    text::RefreshText,
};
use crate::authn::attempts::{Attempts, Counters};
use crate::{
    Clock, Denylist, ProofFault, Secret, State, authn::dpop::Proofs, clock::Now, form::is_scope,
    going_on::Going, secret::ct_eq,
};

/// How often the keys are looked at, whether somebody signs or not.
const TEND: Duration = Duration::from_secs(15);
/// Others who change a family at the same time, one after the other.
const ATTEMPTS: usize = 5;

/// Issues tokens, renews and revokes them. Clones share it.
///
/// ```
/// # async fn sign_in() -> Result<(), Box<dyn std::error::Error>> {
/// use palisade::issuer::{IssuerKeys, SignIn};
/// use palisade::{Issuer, Jwt, State};
///
/// let keys = IssuerKeys::generate()?; // of one process; `from_list` for those that last
/// let issuer = Issuer::builder("https://id.example.com", "bank-api", State::memory(), keys).open().await?;
/// let verifier = Jwt::new(issuer.keys()).issuer("https://id.example.com"); // in the same process
/// let tokens = issuer.sign_in(&SignIn::new("alice", "app").scopes(["accounts:read"])).await?;
/// # drop((verifier, tokens));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

pub(super) struct Inner {
    issuer: String,
    audience: String,
    ring: Ring,
    denylist: Option<Denylist>,
    proofs: Arc<Proofs>,
    clock: Clock,
    lifetimes: Lifetimes,
    counters: Counters,
}

/// Who asks for new tokens.
pub(super) struct Asking<'a> {
    client: &'a str,
    /// It has no secret.
    public: bool,
    scope: Option<&'a str>,
    key: Option<ProvenKey>,
}

impl Issuer {
    /// An issuer of this name (its `https` address, which is `iss`) of tokens for `audience` (`aud`), which remembers in `state`.
    pub fn builder(issuer: &str, audience: &str, state: State, keys: IssuerKeys) -> IssuerBuilder {
        IssuerBuilder::new(issuer, audience, state, keys)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.issuer
    }

    /// Begins a family: the first tokens of somebody whose identity was just proved.
    ///
    /// # Errors
    /// When the sign-in says what cannot be, or the issuer cannot do its part.
    pub async fn sign_in(&self, sign_in: &SignIn) -> Result<Tokens, IssuerError> {
        sign_in.check()?;
        let now = self.now()?;
        let at = now.unix();
        let keys = self.0.ring.view(now).await?;
        let subject = self.subject(&sign_in.subject).await?;
        let mut salt = [0; 16];
        crate::random::fill(&mut salt).map_err(|_| IssuerError::Crypto)?;
        let grant = Grant {
            issuer: self.0.issuer.clone(),
            subject: sign_in.subject.clone(),
            client: sign_in.client.clone(),
            scope: sign_in.scope.clone(),
            rounds: Rounds { subject: subject.round, all: keys.round },
            ends: at.saturating_add(self.0.lifetimes.absolute),
            auth_time: Some(sign_in.auth_time.unwrap_or(at)),
            acr: sign_in.acr.clone(),
            salt: URL_SAFE_NO_PAD.encode(salt),
            key: self.0.ring.secrets().newest().ok_or(IssuerError::Crypto)?.to_owned(),
        };
        let id = text::fresh_id().ok_or(IssuerError::Crypto)?;
        let key = sign_in.key.as_ref();
        let family = Family::begin(grant, key.map(ProvenKey::thumbprint), &self.0.lifetimes, at);
        self.note(key).await.map_err(|error| match error {
            GrantError::Unavailable(error) => error,
            _ => IssuerError::Invalid("the proof of the key was used before"),
        })?;
        let tokens = self.tokens(&id, &family, None, &keys, now, subject)?;
        match self.put(&id, &family, None, now).await? {
            true => {
                Event::Created.emit(&self.about(&id, &family));
                Ok(tokens)
            }
            false => Err(IssuerError::Busy),
        }
    }

    /// Exchanges a refresh token for new tokens. `client` is who was authenticated as asking; `scope`, what it asks for if not
    /// all that was granted.
    ///
    /// # Errors
    /// When the token is not good for this client any more, the scope was not granted, or the issuer cannot do its part. See the
    /// rules of `family`: a token that was used before revokes its family.
    pub async fn refresh(
        &self,
        token: &str,
        client: &str,
        scope: Option<&str>,
    ) -> Result<Tokens, GrantError> {
        self.renew(token, &Asking { client, public: true, scope, key: None }).await
    }

    /// The same beside a proof of possession: the new tokens are bound to its key, and the refresh token with them, as that of a
    /// client without a secret.
    ///
    /// # Errors
    /// As [`Issuer::refresh`], and when the proof was used before.
    pub async fn refresh_by(
        &self,
        token: &str,
        client: &str,
        scope: Option<&str>,
        key: ProvenKey,
    ) -> Result<Tokens, GrantError> {
        self.renew(token, &Asking { client, public: true, scope, key: Some(key) }).await
    }

    pub(super) async fn renew(&self, token: &str, asking: &Asking<'_>) -> Result<Tokens, GrantError> {
        let Asking { client, public, scope, ref key } = *asking;
        let thumbprint = key.as_ref().map(ProvenKey::thumbprint);
        let mut noted = false;
        let now = self.now()?;
        let Some(text) = RefreshText::parse(token) else {
            self.refused(Refusal::NotGenuine, &self.nobody(client));
            return Err(GrantError::Invalid);
        };
        for _ in 0..ATTEMPTS {
            let Some((family, version)) = self.family(text.family).await? else {
                self.refused(Refusal::NotGenuine, &About { family: text.family, ..self.nobody(client) });
                return Err(GrantError::Invalid);
            };
            // what it does not say has ended yet is signed by its key: when both are replaced meanwhile, the token is worth nothing
            let keys = self.0.ring.view(now).await?;
            let subject = self.subject(&family.grant.subject).await?;
            let shown = Shown {
                generation: text.generation,
                genuine: self.is_genuine(&text, &family),
                client,
                scope,
                rounds: Rounds { subject: subject.round, all: keys.round },
                key: thumbprint.as_deref(),
                public,
            };
            let next = match family.decide(&shown, &self.0.lifetimes, now.unix()) {
                Ok(next) => next,
                Err(Refusal::Unproven) if key.is_none() => {
                    self.refused(Refusal::Unproven, &self.about(text.family, &family));
                    return Err(GrantError::Proof(ProofFault::Missing));
                }
                Err(refusal) => return Err(self.refuse(refusal, text.family, &family).await?),
            };
            if !noted {
                self.note(key.as_ref()).await?;
                noted = true;
            }
            let tokens = self.tokens(text.family, &next, scope, &keys, now, subject)?;
            if self.put(text.family, &next, Some(version), now).await? {
                return Ok(tokens);
            }
        }
        Err(GrantError::Unavailable(IssuerError::Busy))
    }

    /// An access token of a client for itself (RFC 6749 section 4.4), which was authenticated. There is no refresh token.
    ///
    /// # Errors
    /// When the client or the scope cannot be, or the issuer cannot do its part.
    pub async fn client_token(&self, client: &str, scope: &str) -> Result<Tokens, IssuerError> {
        self.token_for_client(client, scope, None).await.map_err(|error| match error {
            GrantError::Unavailable(error) => error,
            _ => IssuerError::Busy,
        })
    }

    pub(super) async fn token_for_client(
        &self,
        client: &str,
        scope: &str,
        key: Option<&ProvenKey>,
    ) -> Result<Tokens, GrantError> {
        if !sign_in::is_name(client) || !(scope.is_empty() || is_scope(scope)) {
            return Err(IssuerError::Invalid("a client or a scope has characters that cannot be").into());
        }
        let now = self.now()?;
        let id = text::fresh_id().ok_or(IssuerError::Crypto)?;
        let exp = now.unix().saturating_add(self.0.lifetimes.access);
        let iat = self.subject(client).await?.iat(now.unix());
        self.note(key).await?;
        let key = key.map(ProvenKey::thumbprint);
        let claims = access::Claims {
            subject: client,
            client,
            scope,
            id: &id,
            iat,
            exp,
            auth_time: None,
            acr: None,
            key: key.as_deref(),
        };
        let access = self.sign(&claims, &*self.0.ring.view(now).await?, now)?;
        Ok(Tokens {
            access,
            token_type: token_type(key.as_deref()),
            refresh: None,
            expires_in: Duration::from_secs(self.0.lifetimes.access),
            scope: scope.to_owned(),
            family: None,
        })
    }

    /// What the attempts of a request are counted by.
    fn attempts<'a>(&'a self, parts: &'a Parts) -> Result<Attempts<'a>, GrantError> {
        Ok(self.0.counters.of(parts, self.now()?))
    }

    fn now(&self) -> Result<Now, IssuerError> {
        self.0.clock.now().map_err(|_| IssuerError::Clock)
    }

    fn secret(&self, id: &str, family: &Family, generation: u64) -> Option<[u8; 32]> {
        let grant = serde_json::to_vec(&family.grant).ok()?;
        self.0.ring.secrets().refresh_secret(&family.grant.key, &grant, id, generation)
    }

    fn is_genuine(&self, text: &RefreshText<'_>, family: &Family) -> bool {
        match self.secret(text.family, family, text.generation) {
            Some(secret) => match ct_eq(&secret, &*text.secret) {
                true => true,
                false => false,
            },
            None => false,
        }
    }

    /// The tokens of a family as it is after a change that is not made yet.
    fn tokens(
        &self,
        id: &str,
        family: &Family,
        scope: Option<&str>,
        keys: &View,
        now: Now,
        subject: Subject,
    ) -> Result<Tokens, IssuerError> {
        let grant = &family.grant;
        let (number, exp) = family.newest();
        let scope = scope.unwrap_or(&grant.scope);
        let claims = access::Claims {
            subject: &grant.subject,
            client: &grant.client,
            scope,
            id: &format!("{id}.{number}"),
            iat: subject.iat(now.unix()),
            exp,
            auth_time: grant.auth_time,
            acr: grant.acr.as_deref(),
            key: family.bound.as_deref(),
        };
        let access = self.sign(&claims, keys, now)?;
        let secret = self.secret(id, family, family.generation).ok_or(IssuerError::Crypto)?;
        Ok(Tokens {
            access,
            token_type: token_type(family.bound.as_deref()),
            refresh: Some(Secret::new(RefreshText::write(id, family.generation, &secret))),
            expires_in: Duration::from_secs(exp.saturating_sub(now.unix())),
            scope: scope.to_owned(),
            family: Some(id.to_owned()),
        })
    }

    fn sign(
        &self,
        claims: &access::Claims<'_>,
        keys: &View,
        now: Now,
    ) -> Result<Secret<String>, IssuerError> {
        let signer = keys.signer(now.unix()).ok_or(IssuerError::Clock)?;
        let claims = claims.json(&self.0.issuer, &self.0.audience);
        signer.token(&claims).map(Secret::new).map_err(|_| IssuerError::Crypto)
    }

    /// What is done and answered when a token is refused.
    async fn refuse(&self, refusal: Refusal, id: &str, family: &Family) -> Result<GrantError, IssuerError> {
        self.refused(refusal, &self.about(id, family));
        Ok(match refusal {
            Refusal::Reused => {
                self.end(id, Why::Reused).await?;
                GrantError::Invalid
            }
            // it has ended, and perhaps not all of its access tokens, when the denylist could not be asked
            Refusal::Revoked => {
                self.end(id, Why::Everywhere).await?;
                GrantError::Invalid
            }
            Refusal::NotGenuine | Refusal::Foreign | Refusal::Ended | Refusal::Unproven => {
                GrantError::Invalid
            }
            Refusal::Scope => GrantError::Scope,
            Refusal::TooMany { wait } => GrantError::TooMany { wait: Duration::from_secs(wait) },
        })
    }

    fn refused(&self, refusal: Refusal, about: &About<'_>) {
        Event::Refused(refusal).emit(about);
    }

    fn nobody<'a>(&'a self, client: &'a str) -> About<'a> {
        About { issuer: &self.0.issuer, subject: "", client, family: "-" }
    }

    fn about<'a>(&'a self, family: &'a str, of: &'a Family) -> About<'a> {
        About { issuer: &self.0.issuer, subject: &of.grant.subject, client: &of.grant.client, family }
    }

    /// Reads the keys again and again while somebody holds the issuer, so that they are rotated also where nobody signs, and
    /// replaced ones are refused also where tokens are only verified: in whichever runtime that is.
    fn look_after_keys(&self) {
        let held = Arc::downgrade(&self.0);
        self.0.ring.published().tended_by(move |going| look_on(held.clone(), going));
    }
}

async fn look_on(held: Weak<Inner>, _going: Going) {
    loop {
        tokio::time::sleep(TEND).await;
        let Some(inner) = held.upgrade() else { return };
        let issuer = Issuer(inner);
        let looked = match issuer.now() {
            Ok(now) => issuer.0.ring.look(now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = looked {
            tracing::warn!(target: "palisade::issuer", %error, "the signing keys cannot be looked at");
        }
    }
}

/// RFC 9449 section 5.
const fn token_type(key: Option<&str>) -> &'static str {
    if key.is_some() { "DPoP" } else { "Bearer" }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}
