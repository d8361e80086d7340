//! Tokens that were revoked before they expired: one by its `jti`, or all that somebody had until a moment.
//!
//! Rules ([`Denylist::check`]):
//! 1. a token must have `jti`, `iat` and `exp`: what cannot be named cannot be revoked;
//! 2. it must not live longer from `iat` to `exp` than entries about its subject are kept, else it would outlive one;
//! 3. it is refused when its `jti` is revoked, and when it was issued at or before the moment until which its subject's
//!    tokens are: in the second of a logout nobody knows which came first;
//! 4. a store that fails, or does not answer within two seconds, refuses the request: nobody knows (503). A revocation waits as
//!    long, and is an error then: nobody knows whether it holds.
//!
//! An entry about one token is kept until that has expired, one about a subject as long as rule 2 lets a token live, both
//! two minutes longer, the most that a scheme tolerates of clocks. The store forgets no entry before: a full one refuses
//! the revocation, which is an error to the application.

mod kept;
mod memory;

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::digest;

use self::{kept::Kept, memory::Memory};
use super::{Identity, Principal, Reason, StoreFuture, jwt::MAX_LEEWAY, store::in_time};
use crate::breaker::LeftAlone;
use crate::clock::{Clock, Now};
use crate::state::{State, StateError};

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(2);
const LATE: &str = "no answer in time";
/// A day: tokens that are revoked by a list should be far shorter.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// About 16 MiB when it is full.
const CAPACITY: usize = 100_000;

/// Says which tokens were revoked before they expired, for schemes with `revocation: required`.
///
/// Clones share it: give one to the server and keep one to revoke by.
///
/// ```
/// # async fn logout(denylist: palisade::Denylist, caller: palisade::Principal) -> Result<(), palisade::DenylistError> {
/// denylist.revoke(&caller).await?; // this token
/// denylist.revoke_all(caller.identity()).await?; // every token that the caller was given until now
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Denylist {
    store: Arc<dyn DenylistStore>,
    longest: Duration,
    clock: Clock,
}

/// Where revocations are kept. What it answers is believed: it must not forget an entry before its time.
pub trait DenylistStore: Send + Sync + 'static {
    /// Keeps `entry` under `mark`; with what is there already, the later of both times each counts.
    ///
    /// `now` and all times are seconds since 1970.
    fn put(&self, mark: Mark, entry: Entry, now: u64) -> StoreFuture<'_, (), DenylistError>;

    /// The entries under each of `marks`.
    fn get(&self, marks: [Mark; 2], now: u64) -> StoreFuture<'_, [Option<Entry>; 2], DenylistError>;
}

/// What an entry is about: a digest of an issuer and a `jti`, or of an issuer and a subject. A store learns neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark([u8; 32]);

/// Tokens that are not good any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Those that were issued at this second or before.
    pub issued_until: u64,
    /// After this second none of them is good anyway, and the entry may go.
    pub keep_until: u64,
}

/// Why a token was not revoked, or nobody knows whether one is.
#[derive(Debug)]
#[non_exhaustive]
pub enum DenylistError {
    /// The store has no room, and every entry in it is needed.
    Full,
    /// The credential is no token with `jti` and `exp`.
    Unnamed,
    /// The clock of the machine cannot be relied on.
    Clock,
    /// The store failed, or did not answer in time.
    Store(Box<dyn std::error::Error + Send + Sync>),
}

impl Denylist {
    /// A list in memory: of this process alone, and empty when it starts.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::in_memory_of(CAPACITY)
    }

    /// The same for so many entries; each takes about 160 bytes.
    #[must_use]
    pub fn in_memory_of(entries: usize) -> Self {
        Self::new(Memory::new(entries))
    }

    /// A list that is kept in `state`, as long as that lasts, and by all who share it.
    #[must_use]
    pub fn kept_in(state: State) -> Self {
        Self::new(Kept(state))
    }

    /// A list that is kept in `store`.
    pub fn new(store: impl DenylistStore) -> Self {
        Self { store: Arc::new(store), longest: LONGEST, clock: Clock::system() }
    }

    /// The longest that a token may live from `iat` to `exp`; a day when nothing is said. Tokens that live longer are
    /// refused, and entries about subjects are kept for so long. An [`Issuer`](crate::Issuer) whose tokens live longer does not
    /// open, and a server whose document takes older ones is not built.
    #[must_use]
    pub fn longest_token(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// How long a token may live.
    pub(crate) const fn longest(&self) -> Duration {
        self.longest
    }

    /// The clock that says when revocations happen.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Revokes the token that `principal` was made from.
    ///
    /// # Errors
    /// When the token cannot be named, or the store has no room or fails, or does not answer in time: the token may be good
    /// still.
    pub async fn revoke(&self, principal: &Principal) -> Result<(), DenylistError> {
        let (Some(id), Some(expires)) = (named(principal), principal.expires()) else {
            return Err(DenylistError::Unnamed);
        };
        self.revoke_token(principal.issuer(), id, expires).await
    }

    /// Revokes the token of `issuer` with this `jti` and this `exp`.
    ///
    /// # Errors
    /// When the store has no room or fails, or does not answer in time: the token may be good still.
    pub async fn revoke_token(&self, issuer: &str, jti: &str, exp: u64) -> Result<(), DenylistError> {
        let keep_until = exp.saturating_add(MAX_LEEWAY);
        let entry = Entry { issued_until: u64::MAX, keep_until };
        self.put(Mark::token(issuer, jti), entry).await
    }

    /// Revokes every token that somebody was given until now, by the issuer and the subject: for whatever tenant.
    ///
    /// # Errors
    /// When the store has no room or fails, or does not answer in time: the tokens may be good still.
    pub async fn revoke_all(&self, of: Identity<'_>) -> Result<(), DenylistError> {
        let now = self.now()?;
        self.revoke_all_until(of, now).await
    }

    /// Revokes every token of somebody that was issued at this second since 1970 or before. A second in the future also
    /// revokes those to come.
    ///
    /// # Errors
    /// As [`Denylist::revoke_all`].
    pub async fn revoke_all_until(&self, of: Identity<'_>, second: u64) -> Result<(), DenylistError> {
        let keep_until = second.saturating_add(self.longest.as_secs()).saturating_add(MAX_LEEWAY);
        let entry = Entry { issued_until: second, keep_until };
        self.put(Mark::subject(of.issuer, of.subject), entry).await
    }

    async fn put(&self, mark: Mark, entry: Entry) -> Result<(), DenylistError> {
        let now = self.now()?;
        if entry.keep_until < now {
            return Ok(());
        }
        let kept = in_time(self.store.put(mark, entry, now), PATIENCE).await;
        kept.unwrap_or_else(|| Err(DenylistError::Store(LATE.into())))
    }

    fn now(&self) -> Result<u64, DenylistError> {
        self.clock.now().map(Now::unix).map_err(|_| DenylistError::Clock)
    }

    /// Whether the token that `principal` was made from is still good.
    pub(in crate::authn) async fn check(&self, principal: &Principal, now: Now) -> Result<(), Reason> {
        let (Some(id), Some(issued), Some(expires)) =
            (named(principal), principal.issued(), principal.expires())
        else {
            return Err(Reason::MissingClaim);
        };
        if expires.saturating_sub(issued) > self.longest.as_secs() {
            return Err(Reason::LivesTooLong);
        }
        let marks =
            [Mark::token(principal.issuer(), id), Mark::subject(principal.issuer(), principal.subject())];
        let entries = match in_time(self.store.get(marks, now.unix()), PATIENCE).await {
            Some(Ok(entries)) => entries,
            Some(Err(error)) => return Err(unavailable(&error.to_string(), error.left_alone())),
            None => return Err(unavailable(LATE, None)),
        };
        let denied = entries.iter().flatten().any(|entry| issued <= entry.issued_until);
        if denied { Err(Reason::Revoked) } else { Ok(()) }
    }
}

/// `jti` of a token. One that is empty names nothing.
fn named(principal: &Principal) -> Option<&str> {
    principal.credential_id().filter(|id| principal.kind().is_bearer() && !id.is_empty())
}

fn unavailable(why: &str, left_alone: Option<LeftAlone>) -> Reason {
    tracing::warn!(target: "palisade::denylist", why, "the denylist cannot be asked");
    match left_alone {
        Some(left) => Reason::for_so_long(Reason::RevocationLeftAlone, left),
        None => Reason::RevocationUnknown,
    }
}

impl DenylistError {
    /// Where nobody asks the state in which it is kept, because that failed.
    fn left_alone(&self) -> Option<LeftAlone> {
        match self {
            Self::Store(error) => error.downcast_ref::<StateError>()?.left_alone(),
            _ => None,
        }
    }
}

impl Mark {
    fn token(issuer: &str, jti: &str) -> Self {
        Self::of(b"jti", issuer, jti)
    }

    fn subject(issuer: &str, subject: &str) -> Self {
        Self::of(b"sub", issuer, subject)
    }

    /// Each part with its length, so that no two triples are one text.
    fn of(what: &[u8; 3], issuer: &str, name: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(what);
        context.update(&(issuer.len() as u64).to_be_bytes());
        context.update(issuer.as_bytes());
        context.update(name.as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(context.finish().as_ref());
        Self(mark)
    }

    /// Its bytes, as a key of a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Denylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denylist").field("longest", &self.longest).finish_non_exhaustive()
    }
}

impl fmt::Display for DenylistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the denylist is full, and every entry in it is needed"),
            Self::Unnamed => f.write_str("the credential is no token with `jti` and `exp`"),
            Self::Clock => f.write_str("the clock cannot be relied on"),
            Self::Store(cause) => write!(f, "the store of the denylist failed: {cause}"),
        }
    }
}

impl std::error::Error for DenylistError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::principal::tests::token;

    const NOW: u64 = 1_800_000_000;

    fn now() -> Now {
        Clock::fixed(NOW).now().unwrap()
    }

    fn list() -> Denylist {
        Denylist::in_memory().clock(Clock::fixed(NOW))
    }

    #[tokio::test]
    async fn a_revoked_token_is_refused_and_its_neighbours_are_not() {
        let list = list();
        let one = token("https://a", "alice", Some("1"), Some(NOW - 10), Some(NOW + 600));
        let next = token("https://a", "alice", Some("2"), Some(NOW - 10), Some(NOW + 600));
        let elsewhere = token("https://b", "alice", Some("1"), Some(NOW - 10), Some(NOW + 600));
        assert_eq!(list.check(&one, now()).await, Ok(()));
        list.revoke(&one).await.unwrap();
        assert_eq!(list.check(&one, now()).await, Err(Reason::Revoked));
        assert_eq!(list.check(&next, now()).await, Ok(()));
        assert_eq!(list.check(&elsewhere, now()).await, Ok(()));
    }

    #[tokio::test]
    async fn logging_out_everywhere_revokes_what_was_issued_until_then() {
        let list = list();
        let at = |issued| token("https://a", "alice", Some("1"), Some(issued), Some(NOW + 600));
        let bob = token("https://a", "bob", Some("1"), Some(NOW - 10), Some(NOW + 600));
        list.revoke_all(at(NOW).identity()).await.unwrap();
        assert_eq!(list.check(&at(NOW - 10), now()).await, Err(Reason::Revoked));
        assert_eq!(list.check(&at(NOW), now()).await, Err(Reason::Revoked), "nobody knows which came first");
        assert_eq!(list.check(&at(NOW + 1), now()).await, Ok(()));
        assert_eq!(list.check(&bob, now()).await, Ok(()));
        list.revoke_all_until(bob.identity(), NOW + 60).await.unwrap();
        list.revoke_all_until(bob.identity(), NOW - 60).await.unwrap();
        assert_eq!(list.check(&bob, now()).await, Err(Reason::Revoked), "the later moment counts");
    }

    #[tokio::test]
    async fn what_cannot_be_revoked_is_refused() {
        let list = list();
        for nameless in [
            token("https://a", "alice", None, Some(NOW), Some(NOW + 600)),
            token("https://a", "alice", Some(""), Some(NOW), Some(NOW + 600)),
            token("https://a", "alice", Some("1"), None, Some(NOW + 600)),
            token("https://a", "alice", Some("1"), Some(NOW), None),
        ] {
            assert_eq!(list.check(&nameless, now()).await, Err(Reason::MissingClaim));
        }
        let day = LONGEST.as_secs();
        let long = |lives| token("https://a", "alice", Some("1"), Some(NOW), Some(NOW + lives));
        assert_eq!(list.check(&long(day), now()).await, Ok(()));
        assert_eq!(list.check(&long(day + 1), now()).await, Err(Reason::LivesTooLong));
        let nameless = token("https://a", "alice", None, Some(NOW), Some(NOW + 600));
        assert!(matches!(list.revoke(&nameless).await, Err(DenylistError::Unnamed)));
    }

    #[tokio::test]
    async fn a_full_list_says_so_and_forgets_no_entry_that_is_needed() {
        let clock = Clock::fixed(NOW);
        let list = Denylist::in_memory_of(2).clock(clock.clone());
        list.revoke_token("https://a", "1", NOW + 10).await.unwrap();
        list.revoke_token("https://a", "2", NOW + 1000).await.unwrap();
        assert!(matches!(list.revoke_token("https://a", "3", NOW + 10).await, Err(DenylistError::Full)));
        list.revoke_token("https://a", "2", NOW + 1000).await.unwrap();
        let first = token("https://a", "alice", Some("1"), Some(NOW), Some(NOW + 10));
        assert_eq!(list.check(&first, now()).await, Err(Reason::Revoked));
        clock.advance(Duration::from_secs(11 + MAX_LEEWAY));
        list.revoke_token("https://a", "3", NOW + 1000).await.unwrap();
        let second = token("https://a", "alice", Some("2"), Some(NOW), Some(NOW + 1000));
        assert_eq!(list.check(&second, clock.now().unwrap()).await, Err(Reason::Revoked));
    }

    struct Broken(bool);

    impl DenylistStore for Broken {
        fn put(&self, _: Mark, _: Entry, _: u64) -> StoreFuture<'_, (), DenylistError> {
            self.away()
        }

        fn get(&self, _: [Mark; 2], _: u64) -> StoreFuture<'_, [Option<Entry>; 2], DenylistError> {
            self.away()
        }
    }

    impl Broken {
        fn away<T>(&self) -> StoreFuture<'_, T, DenylistError> {
            Box::pin(async {
                if self.0 {
                    std::future::pending::<()>().await;
                }
                Err(DenylistError::Store("away".into()))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_cannot_be_asked_refuses() {
        let alice = token("https://a", "alice", Some("1"), Some(NOW), Some(NOW + 600));
        for (hangs, why) in [(false, "away"), (true, "no answer in time")] {
            let list = Denylist::new(Broken(hangs));
            assert_eq!(list.check(&alice, now()).await, Err(Reason::RevocationUnknown));
            let day = Duration::from_secs(86_400);
            let begun = tokio::time::Instant::now();
            let revoked = tokio::time::timeout(day, list.revoke_token("https://a", "1", u64::MAX)).await;
            assert_eq!(begun.elapsed().as_secs(), if hangs { 2 } else { 0 });
            let error = revoked.expect("a logout does not hang with its store").unwrap_err();
            assert_eq!(error.to_string(), format!("the store of the denylist failed: {why}"));
        }
    }

    #[test]
    fn marks_are_apart() {
        let marks = [
            Mark::token("ab", "c"),
            Mark::token("a", "bc"),
            Mark::token("abc", ""),
            Mark::subject("ab", "c"),
            Mark::subject("", "abc"),
        ];
        for (position, mark) in marks.iter().enumerate() {
            assert!(marks.iter().skip(position + 1).all(|other| other != mark));
        }
    }
}
