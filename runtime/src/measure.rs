//! Parts of a request alone, for `benches/` to measure without a server. Not part of the public API.
//!
//! They are the parts that the gate runs, with nothing before and nothing behind them: no [`Caller`](crate::Caller) comes
//! of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::request::Parts;

use crate::ConfigError;
#[cfg(feature = "redis")]
use crate::SharedLimits;
use crate::authn::certificate::{ClientCertificate, PeerCertificate};
use crate::authn::jwt::TokenVerifier;
use crate::authn::{self, ApiKeys, Identity, Jwt, Occasion, Passwords, Shown};
use crate::clock::Now;
use crate::cursor::{self, Binding, CursorKeys, Filters, Leads, Position, SealedCursor, Side};
use crate::input::{Check, Decode, from_json};
use crate::limit::seen::{Network, Seen};
use crate::limit::{Few, Limiter, Rule};
use crate::operation::{Access, Document, KeyRules, Limit, TokenRules};
use crate::serve::proxy_protocol::{self, Said};
use crate::{Gate, GateBuilder};

/// Steps 6 and 7 of the gate: the credentials of a request, found and verified.
pub struct Authentication {
    gate: Gate,
    prepared: authn::Prepared,
}

impl Authentication {
    /// For an operation of `document` with this access, by the verifiers of `gate`.
    ///
    /// # Errors
    /// As [`GateBuilder::build`].
    pub fn new(
        gate: GateBuilder,
        document: &'static Document,
        access: &'static Access,
    ) -> Result<Self, ConfigError> {
        let gate = gate.document(document).build()?;
        let prepared = gate.security_of(access)?;
        Ok(Self { gate, prepared })
    }

    /// Whether the request names a principal.
    pub async fn accept(&self, request: &Parts, now: Now) -> bool {
        let attempts = self.gate.failures().of(Ipv4Addr::LOCALHOST.into(), now, "measured");
        authn::authenticate(&self.prepared, request, true, now, &attempts).await.is_ok()
    }

    /// The same where nothing is waited for; `false` where something is.
    #[must_use]
    pub fn accept_at_once(&self, request: &Parts, now: Now) -> bool {
        self.accept(request, now).now_or_never() == Some(true)
    }
}

/// Step 11 for a body of JSON that has been received: whether it decodes strictly, and conforms.
#[must_use]
pub fn body<T: Decode + Check>(bytes: &[u8]) -> bool {
    /// As deep as bodies are where the document does not say.
    const DEPTH: usize = 32;
    from_json::<T>(bytes, DEPTH).is_ok()
}

/// What a whole header of the PROXY protocol says: its client, and whether that came by TLS; none for a connection of the
/// proxy's own.
///
/// # Errors
/// With the word of the log, where it is refused.
pub fn proxied(header: &[u8]) -> Result<Option<(SocketAddr, bool)>, String> {
    match proxy_protocol::read(header) {
        Ok(Said::Own) => Ok(None),
        Ok(Said::Client { address, tls }) => Ok(Some((address, tls))),
        Err(malformed) => Err(malformed.to_string()),
    }
}

/// The request comes through a connection whose client has shown this certificate, in DER.
pub fn show_certificate(request: &mut Parts, der: Vec<u8>) {
    if let Some(certificate) = PeerCertificate::new(vec![der]) {
        request.extensions.insert(ClientCertificate::Whole(certificate));
    }
}

/// The check of a bearer token.
pub struct Tokens(TokenVerifier);

impl Tokens {
    /// `None` where rules and configuration contradict each other.
    #[must_use]
    pub fn new(rules: &'static TokenRules, jwt: Jwt) -> Option<Self> {
        TokenVerifier::new("token", rules, jwt, None).ok().map(Self)
    }

    /// Whether this token names a principal.
    #[must_use]
    pub fn accept(&self, token: &[u8], now: Now) -> bool {
        self.0.judge(token, &Shown::nothing(), now).is_ok()
    }
}

/// The check of an API key.
pub struct Keys {
    keys: ApiKeys,
    rules: &'static KeyRules,
    issuer: Arc<str>,
}

impl Keys {
    /// Under these rules.
    #[must_use]
    pub fn new(rules: &'static KeyRules, keys: ApiKeys) -> Self {
        Self { keys, rules, issuer: "urn:palisade:scheme:key".into() }
    }

    /// Whether this key names a principal.
    pub async fn accept(&self, key: &str, now: Now) -> bool {
        let on =
            Occasion { local: true, from: Ipv4Addr::LOCALHOST.into(), operation: "x", now, request_id: "-" };
        self.keys.judge("key", &self.issuer, self.rules, key, &on).await.is_ok()
    }

    /// The same of keys in memory, which are there at once; `false` where something is waited for.
    #[must_use]
    pub fn accept_at_once(&self, key: &str, now: Now) -> bool {
        self.accept(key, now).now_or_never() == Some(true)
    }
}

/// The check of a password, without the wait for it.
pub struct Users(Passwords);

impl Users {
    /// These.
    #[must_use]
    pub const fn new(users: Passwords) -> Self {
        Self(users)
    }

    /// One whose hash may be as weak as argon2 can be, for what is done beside it to be seen; `None` where it is no hash.
    #[must_use]
    pub fn of_any_cost(user: &str, hash: &str, scopes: &str) -> Option<Passwords> {
        Passwords::of_any_cost(user, hash, scopes)
    }

    /// Whether this is the password.
    #[must_use]
    pub fn accept(&self, user: &str, password: &str) -> bool {
        self.0.verify(user, password)
    }
}

/// The limits of one operation, counted in memory.
pub struct Limits {
    limiter: Limiter,
    rules: Vec<Rule>,
}

impl Limits {
    /// Room for so many counters.
    #[must_use]
    pub fn new(capacity: usize, limits: &'static [Limit]) -> Self {
        let limiter = Limiter::new(capacity);
        let rules = limits.iter().map(|limit| limiter.rule(limit, "operation")).collect();
        Self { limiter, rules }
    }

    /// Counted where instances share their counters.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn shared(self, shared: SharedLimits) -> Self {
        Self { limiter: self.limiter.shared(Some(shared)), ..self }
    }

    /// The same by the shared counters; `false` also when they cannot be asked.
    pub async fn ask(&self, micros: u64, from: IpAddr, principal: (&str, &str)) -> bool {
        let seen = Seen {
            from: Network::of(from),
            principal: Some(principal),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        let charges: Few<_> = self.rules.iter().map(|rule| rule.charge(&seen)).collect();
        let decided = self.limiter.ask(micros, &charges, &seen).await;
        decided.is_ok_and(|decision| decision.refused_by().is_none())
    }

    /// Takes a place under each of them, which are on what is under way, and leaves it.
    pub async fn pass(&self, from: IpAddr, principal: (&str, &str)) -> bool {
        let seen = Seen {
            from: Network::of(from),
            principal: Some(principal),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        let charges: Few<_> = self.rules.iter().map(|rule| rule.charge(&seen)).collect();
        self.limiter.enter(&charges, &seen).await.is_ok_and(|entered| entered.held.is_ok())
    }

    /// The same where nothing is waited for; `false` where something is.
    #[must_use]
    pub fn pass_at_once(&self, from: IpAddr, principal: (&str, &str)) -> bool {
        self.pass(from, principal).now_or_never() == Some(true)
    }

    /// Charges all of them, or none.
    #[must_use]
    pub fn allow(&self, micros: u64, from: IpAddr, principal: (&str, &str)) -> bool {
        let seen = Seen {
            from: Network::of(from),
            principal: Some(principal),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        let charges: Few<_> = self.rules.iter().map(|rule| rule.charge(&seen)).collect();
        self.limiter.decide(micros, &charges).refused_by().is_none()
    }
}

/// How long they live.
const LIFE: Duration = Duration::from_secs(900);

/// The cursors of one caller in one list.
pub struct Cursors {
    keys: CursorKeys,
    caller: [Identity<'static>; 1],
    filters: Filters,
}

impl Cursors {
    /// Sealed with these keys.
    #[must_use]
    pub fn new(keys: CursorKeys) -> Self {
        let caller = [Identity { issuer: "https://id.example.com", subject: "alice", tenant: None }];
        Self { keys, caller, filters: Filters::from_canonical(b"status=open".to_vec()) }
    }

    /// Of this caller.
    #[must_use]
    pub fn of(self, subject: &'static str) -> Self {
        Self { caller: [Identity { subject, ..self.caller[0] }], ..self }
    }

    /// `None` where it cannot be sealed.
    #[must_use]
    pub fn seal<P: Position>(&self, position: &P, expiry: u64) -> Option<SealedCursor> {
        let leads = Leads { side: Side::After, page: 2, expiry };
        cursor::seal(&self.keys, &self.binding(), position, leads).ok()
    }

    /// `None` where it does not open.
    #[must_use]
    pub fn open<P: Position>(&self, text: &str, now: u64) -> Option<P> {
        cursor::open(&self.keys, &self.binding(), text, (LIFE, now)).and_then(|opened| opened.position()).ok()
    }

    fn binding(&self) -> Binding<'_> {
        let (operation, document) = ("listItems", "0123456789abcdef");
        Binding { operation, document, principals: &self.caller, filters: &self.filters }
    }
}
