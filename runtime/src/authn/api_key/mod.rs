//! API keys: random, prefixed, kept as a hash, compared in constant time.
//!
//! Rules:
//! 1. the key has its form, its checksum is right, and it begins with the prefix of the scheme, if it states one;
//! 2. it is looked up by its public id; the digest of its secret is compared in constant time, with the record of nobody
//!    when the id is unknown, so that both answers take the same steps; with peppers, the plain and a keyed digest are made
//!    whatever the record says;
//! 3. a store that cannot be asked, or a pepper that is not there, refuses the request with 503: nothing is known;
//! 4. a revoked key is refused, and from `not_after` on so is any; where the scheme says `rotate-within`, a key that
//!    is older, or whose age nobody knows, is refused too.

mod admin;
mod change;
mod engine;
mod file;
mod index;
mod kept;
mod line;
mod noted;
mod outage;
mod pepper;
mod record;
mod store;
mod text;
mod uses;
mod watch;

use std::{borrow::Cow, path::Path, sync::Arc};

pub use self::{
    admin::{IssuedKey, KeyAdmin, KeyAdminError, KeyInfo, KeyPage, KeyRequest},
    change::Change,
    file::KeyFile,
    pepper::{KeyPeppers, PepperError},
    record::{KeyRecord, KeyState, NewKey, RecordError},
    store::{KeyQuery, KeyStore, KeyStoreError, KeyUse},
};
use self::{
    engine::{Asked, Engine, Memory},
    index::Accepted,
    kept::Kept,
    noted::Noted,
    uses::Uses,
    watch::WatchedFile,
};
pub(in crate::authn) use self::{
    line::{lines, read_text},
    record::{check_scopes, check_subject},
};
use super::{
    Occasion, Reason,
    principal::{Facts, Kind, Principal, Said},
};
use crate::{
    clock::Now,
    event::{self, SECURITY_EVENTS, SecurityEvent, Severity, known},
    operation::KeyRules,
    secret::ct_eq,
    state::State,
};

/// The API keys that a server accepts. Clones share them.
///
/// Which engine: [`ApiKeys::from_file`] for a server and the `cargo palisade key` commands, [`ApiKeys::kept_in`] for several
/// instances, [`ApiKeys::new`] for tests and for records that the application keeps itself, [`ApiKeys::from_store`] for a
/// store of one's own.
#[derive(Clone)]
pub struct ApiKeys {
    engine: Arc<Engine>,
    /// What stands for a key that is not known.
    nobody: Arc<Accepted>,
    peppers: Arc<KeyPeppers>,
    /// Whether an owner may hold a scope now.
    granting: Option<Arc<Granting>>,
    noted: Arc<Noted>,
    uses: Arc<Uses>,
}

type Granting = dyn Fn(&str, Option<&str>, &str) -> bool + Send + Sync;

impl ApiKeys {
    /// These keys, in memory.
    ///
    /// # Errors
    /// When a record is not well-formed, or two have the same id.
    pub fn new(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, RecordError> {
        Ok(Self::with(Engine::Memory(Memory::new(records)?)))
    }

    /// The keys of a file: one JSON object a line, as [`KeyRecord::to_line`] writes them.
    ///
    /// It is looked at every second while requests come, and read again when it has changed, so that what the
    /// commands or another server do to it holds here too. While it cannot be read, requests with keys are refused
    /// with 503.
    ///
    /// # Errors
    /// When it cannot be read now, or a line is no record.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Ok(Self::with(Engine::File(WatchedFile::open(KeyFile::new(path.as_ref()))?)))
    }

    /// The keys of a store, which is asked with every request: two seconds at most, and refused with 503 without an
    /// answer. Events of its outages name it by its type.
    pub fn from_store(store: impl KeyStore) -> Self {
        let name = std::any::type_name_of_val(&store);
        Self::with(Engine::Store(Asked::new(store, name, KeyRecord::of_nobody)))
    }

    /// The keys of this name in a state: shared by all instances that share it, and what one of them revokes the next
    /// request of every other is refused. [`KeyAdmin`] makes and ends them. The state is asked once with every request.
    ///
    /// There may be some five million keys, and some 80,000 of one owner or of one tenant, as far as the state has room.
    #[must_use]
    pub fn kept_in(state: State, name: &str) -> Self {
        Self::with(Engine::Store(Asked::new(Kept::new(state, name), name, Kept::of_nobody)))
    }

    fn with(engine: Engine) -> Self {
        let nobody = Arc::new(Accepted::from(KeyRecord::of_nobody()));
        let (peppers, noted, uses) = (Arc::default(), Arc::default(), Arc::default());
        Self { engine: Arc::new(engine), nobody, peppers, granting: None, noted, uses }
    }

    /// Verifies hashes that are keyed with these peppers besides plain ones, and keys new ones with the first.
    #[must_use]
    pub fn peppers(self, peppers: KeyPeppers) -> Self {
        Self { peppers: Arc::new(peppers), ..self }
    }

    /// Asks with each use of a key, for each of its scopes, whether its owner may hold that now: `(owner, tenant, scope)`, for the
    /// same owner in another tenant is somebody else. One that is denied is not the caller's. Without it a key has the scopes that it
    /// was made with.
    ///
    /// It is asked in the way of the request, so it must have the answer at hand.
    #[must_use]
    pub fn granting(self, ask: impl Fn(&str, Option<&str>, &str) -> bool + Send + Sync + 'static) -> Self {
        Self { granting: Some(Arc::new(ask)), ..self }
    }

    /// Exchanges the keys in memory, at once and for every clone.
    ///
    /// # Errors
    /// As [`ApiKeys::new`], and when the keys are not in memory; they stay as they were.
    pub fn replace(&self, records: impl IntoIterator<Item = KeyRecord>) -> Result<(), RecordError> {
        match &*self.engine {
            Engine::Memory(memory) => memory.replace(records),
            Engine::File(_) | Engine::Store(_) => Err(RecordError::NotInMemory),
        }
    }

    /// Judges a presented key.
    pub(crate) async fn judge(
        &self,
        scheme: &'static str,
        issuer: &Arc<str>,
        rules: &KeyRules,
        presented: &str,
        on: &Occasion<'_>,
    ) -> Result<Principal, Reason> {
        let now = on.now;
        let key = text::parse(presented).ok_or(Reason::Malformed)?;
        if rules.prefix.is_some_and(|prefix| prefix != key.prefix) {
            return Err(Reason::Malformed);
        }
        // what follows is done for an id of nobody as well, and to the end
        let found = self.engine.nearest(key.id).await.map_err(|_| Reason::KeysUnavailable)?;
        let is_found = found.is_some();
        let record = found.unwrap_or_else(|| Arc::clone(&self.nobody));
        let is_known = ct_eq(key.id.as_bytes(), record.record.id.as_bytes()) && is_found;
        let digest = self.digest(key.secret, &record);
        let is_secret = ct_eq(&digest.unwrap_or_default(), &record.record.hash);
        let key = match (is_known, digest, is_secret) {
            (true, Some(_), true) => record,
            (true, Some(_), false) => return Err(Reason::WrongSecret),
            (true, None, _) => return Err(Reason::KeysUnavailable),
            (false, ..) => return Err(Reason::UnknownIdentity),
        };
        match key.record.state(now, rules.rotate_within) {
            KeyState::Active | KeyState::Retiring => {}
            KeyState::Overdue => return Err(Reason::RotationOverdue),
            KeyState::Expired => return Err(Reason::Expired),
            KeyState::Revoked => return Err(Reason::Revoked),
        }
        if let Some(reason) = key.out_of_bounds(on) {
            return Err(reason);
        }
        self.note_use(&key, now);
        let facts = Facts {
            scheme,
            kind: Kind::ApiKey,
            issuer: Arc::clone(issuer),
            issued: None,
            expires: key.record.not_after,
            login_time: None,
        };
        let said = Said {
            subject: &key.record.owner,
            scopes: &self.scopes(&key),
            credential: Some(&key.record.id),
            tenant: key.record.tenant.as_deref(),
            ..Said::default()
        };
        Ok(Principal::new(facts, said))
    }

    /// Those that its owner may hold.
    fn scopes<'k>(&self, key: &'k Accepted) -> Cow<'k, str> {
        let Some(granting) = &self.granting else { return Cow::Borrowed(&key.scopes) };
        let KeyRecord { owner, tenant, scopes, .. } = &key.record;
        let held = scopes.iter().filter(|scope| granting(owner, tenant.as_deref(), scope));
        Cow::Owned(held.map(String::as_str).collect::<Vec<_>>().join(" "))
    }

    /// What the hash of the record must be; `None` when it names a pepper that is not there.
    fn digest(&self, secret: &str, key: &Accepted) -> Option<[u8; 32]> {
        let named = key.record.pepper.as_deref();
        let pepper = named.map_or_else(|| self.peppers.first(), |id| self.peppers.named(id));
        let (plain, keyed) = (record::hash_of(secret), pepper.map(|pepper| pepper.digest(secret)));
        match named {
            None => Some(plain),
            Some(_) => keyed,
        }
    }

    /// Beside the request: once a minute for each key. What is known of its last use is looked at first, for nothing waits
    /// for that.
    fn note_use(&self, key: &Accepted, now: Now) {
        if !key.is_to_be_noted(now) || !self.noted.is_first(&key.record.id, now.unix()) {
            return;
        }
        key.used(now);
        if !self.engine.forgets_uses() {
            self.uses.note(&self.engine, &key.record.id, now.unix());
        }
        if key.record.is_ending(now) {
            tracing::warn!(
                target: SECURITY_EVENTS, event_type = "authn_key_retiring", severity = "Medium",
                key = &*key.record.id, successor = key.record.successor.as_deref().unwrap_or("-"),
                not_after = key.record.not_after,
                "a key that was rotated is still in use, and its overlap is nearly over",
            );
            let kind = event::Kind { event_type: "authn_key_retiring", severity: Severity::Medium };
            event::store(kind.severity, || SecurityEvent {
                failure_reason: known(&format_args!("rotated_key {}", key.record.id)),
                ..SecurityEvent::of(kind)
            });
        }
    }
}

/// Which key a text claims to be; `None` when it is malformed.
pub(in crate::authn) fn claimed(presented: &[u8]) -> Option<&str> {
    text::parse(std::str::from_utf8(presented).ok()?).map(|key| key.id)
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.engine {
            Engine::Memory(memory) => write!(f, "ApiKeys({})", memory.len()),
            Engine::File(watched) => write!(f, "ApiKeys({})", watched.file().path().display()),
            Engine::Store(_) => f.write_str("ApiKeys(a store)"),
        }
    }
}

#[cfg(test)]
mod tests;
