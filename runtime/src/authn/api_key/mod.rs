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
    engine::{Engine, Memory},
    index::Accepted,
    kept::Kept,
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
use crate::{clock::Now, event::SECURITY_EVENTS, operation::KeyRules, secret::ct_eq, state::State};

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
    uses: Arc<Uses>,
}

type Granting = dyn Fn(&str, &str) -> bool + Send + Sync;

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
    /// answer.
    pub fn from_store(store: impl KeyStore) -> Self {
        Self::with(Engine::Store(Arc::new(store)))
    }

    /// The keys of this name in a state: shared by all instances that share it, and what one of them revokes the next
    /// request of every other is refused. [`KeyAdmin`] makes and ends them. The state is asked once with every request.
    ///
    /// There may be some five million keys, and some 80,000 of one owner, as far as the state has room.
    #[must_use]
    pub fn kept_in(state: State, name: &str) -> Self {
        Self::from_store(Kept::new(state, name))
    }

    fn with(engine: Engine) -> Self {
        let nobody = Arc::new(Accepted::from(KeyRecord::of_nobody()));
        let (peppers, uses) = (Arc::default(), Arc::default());
        Self { engine: Arc::new(engine), nobody, peppers, granting: None, uses }
    }

    /// Verifies hashes that are keyed with these peppers besides plain ones, and keys new ones with the first.
    #[must_use]
    pub fn peppers(self, peppers: KeyPeppers) -> Self {
        Self { peppers: Arc::new(peppers), ..self }
    }

    /// Asks with each use of a key, for each of its scopes, whether its owner may hold that now: `(owner, scope)`. One that is
    /// denied is not the caller's. Without it a key has the scopes that it was made with.
    ///
    /// It is asked in the way of the request, so it must have the answer at hand.
    #[must_use]
    pub fn granting(self, ask: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
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
        on: &Occasion,
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
            ..Said::default()
        };
        Ok(Principal::new(facts, said))
    }

    /// Those that its owner may hold.
    fn scopes<'k>(&self, key: &'k Accepted) -> Cow<'k, str> {
        let Some(granting) = &self.granting else { return Cow::Borrowed(&key.scopes) };
        let held = key.record.scopes.iter().filter(|scope| granting(&key.record.owner, scope));
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

    /// Beside the request: once a minute for each key.
    fn note_use(&self, key: &Accepted, now: Now) {
        if !key.is_to_be_noted(now) {
            return;
        }
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
mod tests {
    use super::*;
    use crate::authn::StoreFuture;
    use std::time::Duration;

    use crate::{authn::principal::local_issuer, clock::Clock, operation::KeyLocation};

    const NOW: u64 = 1_800_000_000;

    fn make(not_after: Option<u64>) -> NewKey {
        let now = Clock::fixed(NOW).now().unwrap();
        NewKey::generate("bank_live", "acme", &["transfers:write", "a"], now, not_after).unwrap()
    }

    const RULES: KeyRules = KeyRules {
        location: KeyLocation::Header("X-API-Key"),
        prefix: Some("bank_live"),
        rotate_within: None,
    };

    async fn judge(keys: &ApiKeys, key: &str, at: u64) -> Result<Principal, Reason> {
        judge_by(&RULES, keys, key, at).await
    }

    async fn judge_by(rules: &KeyRules, keys: &ApiKeys, key: &str, at: u64) -> Result<Principal, Reason> {
        keys.judge("partner", &local_issuer("partner"), rules, key, &occasion(at, "192.0.2.1", "a")).await
    }

    fn occasion(at: u64, from: &str, operation: &'static str) -> Occasion {
        let now = Clock::fixed(at).now().unwrap();
        Occasion { local: false, from: from.parse().unwrap(), operation, now }
    }

    #[tokio::test]
    async fn a_bounded_key_is_good_from_where_and_for_what_it_says() {
        let made = make(None).bounded(["192.0.2.0/24", "2001:db8::7"], ["listNotes"]).unwrap();
        let read = line::read_line(&made.record.to_line()).unwrap();
        let keys = ApiKeys::new([read]).unwrap();
        let key = made.key.expose();
        for (from, operation, expected) in [
            ("192.0.2.9", "listNotes", Ok(())),
            ("::ffff:192.0.2.9", "listNotes", Ok(())),
            ("2001:db8::7", "listNotes", Ok(())),
            ("192.0.3.1", "listNotes", Err(Reason::KeyFromElsewhere)),
            ("2001:db8::8", "listNotes", Err(Reason::KeyFromElsewhere)),
            ("192.0.2.9", "putNote", Err(Reason::KeyOfOtherOperations)),
        ] {
            let on = occasion(NOW, from, operation);
            let judged = keys.judge("partner", &local_issuer("partner"), &RULES, key, &on).await;
            assert_eq!(judged.map(|_| ()), expected, "{from} {operation}");
        }
        let now = Clock::fixed(NOW).now().unwrap();
        let successor = NewKey::succeeding(&made.record, "bank_live", now, None).unwrap().record;
        assert_eq!(successor.addresses, made.record.addresses);
        assert_eq!(successor.operations, made.record.operations);
        for bad in ["", "nonsense", "10.0.0.0/33"] {
            assert!(make(None).bounded([bad], [""; 0]).is_err(), "{bad}");
        }
        assert!(make(None).bounded([""; 0], [""]).is_err());
    }

    #[tokio::test]
    async fn a_key_is_its_owner_with_its_scopes() {
        let made = make(None);
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        let caller = judge(&keys, made.key.expose(), NOW).await.unwrap();
        assert_eq!((caller.subject(), caller.issuer()), ("acme", "urn:palisade:scheme:partner"));
        assert!(caller.grants("transfers:write") && !caller.grants("accounts:admin"));
        assert_eq!(caller.credential_id(), Some(made.record.id.as_str()));
    }

    #[tokio::test]
    async fn a_scope_that_an_owner_may_hold_no_more_is_gone_at_the_next_use() {
        let made = make(None);
        let writes = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let ask = Arc::clone(&writes);
        let keys = ApiKeys::new([made.record.clone()]).unwrap().granting(move |owner, scope| {
            assert_eq!(owner, "acme");
            scope != "transfers:write" || ask.load(std::sync::atomic::Ordering::Relaxed)
        });
        for may_write in [true, false] {
            writes.store(may_write, std::sync::atomic::Ordering::Relaxed);
            let caller = judge(&keys, made.key.expose(), NOW).await.unwrap();
            assert_eq!((caller.grants("transfers:write"), caller.grants("a")), (may_write, true));
        }
    }

    #[tokio::test]
    async fn another_secret_an_unknown_id_and_a_typo_are_refused() {
        let (made, stranger) = (make(None), make(None));
        let mut impostor = stranger.record.clone();
        impostor.id.clone_from(&made.record.id);
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        assert_eq!(judge(&keys, stranger.key.expose(), NOW).await.unwrap_err(), Reason::UnknownIdentity);
        assert_eq!(
            judge(&keys, &made.key.expose().replace("bank_live", "bank_test"), NOW).await.unwrap_err(),
            Reason::Malformed
        );
        assert_eq!(judge(&keys, "", NOW).await.unwrap_err(), Reason::Malformed);
        // the id of one key with the digest of another: the first key's secret is wrong
        let swapped = ApiKeys::new([impostor]).unwrap();
        assert_eq!(judge(&swapped, made.key.expose(), NOW).await.unwrap_err(), Reason::WrongSecret);
        // the secret of the one record there is, under an id that nobody has
        assert_eq!(judge(&swapped, stranger.key.expose(), NOW).await.unwrap_err(), Reason::UnknownIdentity);
    }

    #[tokio::test]
    async fn a_key_of_another_prefix_is_refused_even_when_it_is_registered() {
        let now = Clock::fixed(NOW).now().unwrap();
        let made = NewKey::generate("bank_test", "acme", &[], now, None).unwrap();
        let keys = ApiKeys::new([made.record]).unwrap();
        assert_eq!(judge(&keys, made.key.expose(), NOW).await.unwrap_err(), Reason::Malformed);
    }

    #[tokio::test]
    async fn a_key_ends_at_not_after_and_at_its_revocation() {
        let made = make(Some(NOW + 10));
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        assert!(judge(&keys, made.key.expose(), NOW + 9).await.is_ok());
        assert_eq!(judge(&keys, made.key.expose(), NOW + 10).await.unwrap_err(), Reason::Expired);
        let revoked = KeyRecord { revoked_at: Some(NOW), ..made.record };
        keys.replace([revoked]).unwrap();
        assert_eq!(judge(&keys, made.key.expose(), NOW).await.unwrap_err(), Reason::Revoked);
    }

    #[test]
    fn one_id_stands_for_one_key() {
        let made = make(None);
        assert!(matches!(ApiKeys::new([made.record.clone(), made.record]), Err(RecordError::Twice(_))));
    }

    #[tokio::test]
    async fn a_file_of_keys_is_read() {
        let made = make(None);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("# keys\n{}\n", made.record.to_line())).unwrap();
        let keys = ApiKeys::from_file(file.path()).unwrap();
        assert!(judge(&keys, made.key.expose(), NOW).await.is_ok());
        assert!(matches!(ApiKeys::from_file(file.path().with_extension("none")), Err(RecordError::File(..))));
    }

    #[tokio::test]
    async fn a_key_that_is_older_than_its_scheme_allows_is_overdue() {
        let rules = KeyRules { rotate_within: Some(Duration::from_secs(100)), ..RULES };
        let made = make(None);
        let keys = ApiKeys::new([made.record.clone()]).unwrap();
        assert!(judge_by(&rules, &keys, made.key.expose(), NOW + 99).await.is_ok());
        let late = judge_by(&rules, &keys, made.key.expose(), NOW + 100).await;
        assert_eq!(late.unwrap_err(), Reason::RotationOverdue);
        assert!(
            judge(&keys, made.key.expose(), NOW + 100).await.is_ok(),
            "another scheme does not ask for it"
        );
        keys.replace([KeyRecord { created: None, ..made.record }]).unwrap();
        let ageless = judge_by(&rules, &keys, made.key.expose(), NOW).await;
        assert_eq!(ageless.unwrap_err(), Reason::RotationOverdue);
    }

    #[tokio::test]
    async fn keyed_and_plain_hashes_are_good_side_by_side_and_a_lost_pepper_is_not_an_answer() {
        let first = || KeyPeppers::from_list("one:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
        let both = "two:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=,one:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
        let (plain, keyed) = (make(None), make(None).peppered(&first()));
        let records = || [plain.record.clone(), keyed.record.clone()];
        let open = async |keys: &ApiKeys, key: &NewKey| judge(keys, key.key.expose(), NOW).await.map(|_| ());
        let peppered = ApiKeys::new(records()).unwrap().peppers(first());
        assert_eq!((open(&peppered, &plain).await, open(&peppered, &keyed).await), (Ok(()), Ok(())));
        let rotated = ApiKeys::new(records()).unwrap().peppers(KeyPeppers::from_list(both).unwrap());
        assert_eq!((open(&rotated, &plain).await, open(&rotated, &keyed).await), (Ok(()), Ok(())));
        let lost = ApiKeys::new(records()).unwrap();
        assert_eq!(
            (open(&lost, &plain).await, open(&lost, &keyed).await),
            (Ok(()), Err(Reason::KeysUnavailable))
        );
        let other = ApiKeys::new(records())
            .unwrap()
            .peppers(KeyPeppers::from_list("one:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=").unwrap());
        assert_eq!(open(&other, &keyed).await, Err(Reason::WrongSecret));
    }

    /// Answers with this, or never.
    struct Answers(Option<KeyRecord>);

    impl KeyStore for Answers {
        fn find<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
            Box::pin(async {
                match &self.0 {
                    Some(record) => Ok(Some(record.clone())),
                    None => std::future::pending().await,
                }
            })
        }

        fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
            Box::pin(async { Err(KeyStoreError::TimedOut) })
        }

        fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
            Box::pin(async { Err(KeyStoreError::TimedOut) })
        }

        fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_is_asked_and_one_that_does_not_answer_refuses() {
        let (made, other) = (make(None), make(None));
        let open = async |answer: Option<&NewKey>| {
            let keys = ApiKeys::from_store(Answers(answer.map(|key| key.record.clone())));
            judge(&keys, made.key.expose(), NOW).await.map(|_| ())
        };
        assert_eq!(open(Some(&made)).await, Ok(()));
        assert_eq!(open(Some(&other)).await, Err(Reason::KeysUnavailable), "a record of another id");
        assert_eq!(open(None).await, Err(Reason::KeysUnavailable));
    }

    #[tokio::test]
    async fn the_last_use_stands_beside_the_file_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("partner.keys"));
        let made = make(None);
        file.change(&Change::Create(made.record.clone())).unwrap();
        let keys = ApiKeys::from_file(file.path()).unwrap();
        judge(&keys, made.key.expose(), NOW + 7).await.unwrap();
        judge(&keys, made.key.expose(), NOW + 9).await.unwrap();
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if file.read().unwrap()[0].last_used.is_some() {
                break;
            }
        }
        assert_eq!(file.read().unwrap()[0].last_used, Some(NOW + 7), "once a minute");
        assert!(matches!(keys.replace([]), Err(RecordError::NotInMemory)));
    }
}
