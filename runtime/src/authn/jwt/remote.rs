//! Key sets that an issuer publishes, fetched and kept fresh.
//!
//! Rules (RFC 7517; OpenID Connect Discovery section 10.1.1 for rotation):
//! 1. as [`outbound`](crate::outbound) calls, 5 s for all of it, 512 KiB, 100 keys; where an issuer is asked for the place
//!    of its keys, as [`discovery`](super::discovery) says;
//! 2. fetched before the server is ready ([`Jwks::load`]), again after a minute, then each time when nine tenths of the last
//!    answer's `max-age` are over: before it ends, so that no token meets a set that is older. Between a minute and an hour; an
//!    answer that says nothing of its age is ten minutes old then, and one that failed a minute;
//! 3. a token with an unknown `kid` causes one fetch that all who wait share. Tokens may cause three at once, and one more
//!    every 30 s ([`turns`]): random `kid`s cannot drive us, and one of them does not keep out the tokens of a key that was
//!    published since. A fetch that was under way when the token came may have been answered before its key was published:
//!    after it, there is one more; the end of one is not taken for that of the next. What we fetch of our own accord is not counted. A flood of random `kid`s takes every turn,
//!    and so a key that signs at once, without having been published before, is known half a minute later at most: the flood
//!    itself fetches it. Until then its tokens are not called bad: nobody knows yet, and the client is told when. No scheme
//!    brings it sooner within this bound. Nothing tells an honest `kid` from a made-up one before its key is known: turns for
//!    those not tried before go to the made-up ones, which are all new, and turns for each network to who has many (a /48 has
//!    65,536). Nor do turns for tokens that look right: issuer, audience and times can be copied, and the claims of what
//!    nobody signed are not read. A shorter wait asks more of the issuer: 6 calls a minute at 10 s, where it is 2. Who
//!    publishes a key for its `max-age`, an hour at most, before it signs is not concerned: rule 2 brings it;
//! 4. an answer that fails or has no usable key changes nothing: the last good set serves for 24 h, then none does;
//!    a key that is missing from a good answer is gone at once;
//! 5. a thousand wait for a fetch, more are refused at once as busy: each is a request that holds its place in the server;
//! 6. a runtime that ends, or a log that panics, ends what goes on in it and no more: a fetch has failed then, which is told to those who
//!    wait for it, and whoever uses the set next begins rule 2 anew.

mod fetch;
mod turns;
mod under_way;

use std::{
    sync::{
        Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use self::NoNewer::{Busy, NotYet, Unreachable};
use self::turns::{Sought, Turns};
use self::under_way::Claim;
use super::{
    Jwks,
    discovery::{Discovery, Form},
    key_error::KeyError,
    source::Source,
};
use crate::authn::Reason;
use crate::going_on::{Going, GoingOn};
use crate::outbound::{Address, Outbound};

/// Longest and shortest time between two fetches of a set that is in use, and the rest of the clockwork.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// For one whole answer.
    answer: Duration,
    /// After which tokens may cause one fetch more.
    cooldown: Duration,
    /// Bounds of the background interval.
    shortest: Duration,
    longest: Duration,
    /// How long the last good set serves.
    stale: Duration,
}

const TIMING: Timing = Timing {
    answer: Duration::from_secs(5),
    cooldown: Duration::from_secs(30),
    shortest: Duration::from_secs(60),
    longest: Duration::from_secs(3600),
    stale: Duration::from_secs(24 * 3600),
};

/// Rule 5.
const WAITING: usize = 1024;

/// The far end of a key set.
pub(crate) struct Remote {
    whence: Whence,
    outbound: Outbound,
    timing: Timing,
    progress: Mutex<Progress>,
    /// Of those who wait.
    places: Semaphore,
    kept_fresh: GoingOn,
    /// What the issuer names may be at addresses that are not public.
    inside_too: AtomicBool,
}

/// Where the set is.
enum Whence {
    At(Address),
    /// Where its issuer says.
    Discovered(Discovery),
}

struct Progress {
    running: bool,
    /// Told when a fetch ends, in the moment in which it runs no more: who begins one or comes along watches it from then on, and is
    /// not woken by the end of the one before.
    ended: watch::Sender<()>,
    turns: Turns,
    last_good: Option<Instant>,
    last_failed: bool,
    /// Of the set at hand, and where it was.
    etag: Option<(Address, HeaderValue)>,
    max_age: Option<Duration>,
}

impl Progress {
    fn new(timing: Timing) -> Self {
        Self {
            running: false,
            ended: watch::Sender::new(()),
            turns: Turns::new(timing.cooldown),
            last_good: None,
            last_failed: false,
            etag: None,
            max_age: None,
        }
    }

    /// The fetch that is under way ends.
    fn end(&mut self, answered: bool) {
        self.running = false;
        self.last_failed = !answered;
        self.turns.ended(answered);
        self.ended.send_replace(());
    }
}

/// The set at hand may be out of date, and a newer one cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoNewer {
    Unreachable,
    /// Too many wait for it already.
    Busy,
    /// Tokens have caused as many looks as they may, and there is none for this one before so much time is over.
    NotYet(Duration),
}

impl From<NoNewer> for Reason {
    fn from(why: NoNewer) -> Self {
        match why {
            Unreachable => Self::KeysUnavailable,
            Busy => Self::Busy,
            NotYet(wait) => Self::KeyNotSought(whole_seconds(wait)),
        }
    }
}

impl Jwks {
    /// The key set at `address`, kept fresh while the server runs. Nothing is fetched yet: the server does so before
    /// it says that it is ready.
    ///
    /// # Errors
    /// When `address` is neither `https` nor `http` on loopback, or the machine has no root certificates.
    pub fn url(address: &str) -> Result<Self, KeyError> {
        Self::at(address, TIMING)
    }

    /// The key set of an issuer that speaks OpenID Connect, where its metadata say that it is
    /// (`<issuer>/.well-known/openid-configuration`). Otherwise as [`Jwks::url`].
    ///
    /// # Errors
    /// When `issuer` is no such address, or has a query or a fragment; or the machine has no root certificates.
    pub fn discover(issuer: &str) -> Result<Self, KeyError> {
        Self::of_issuer(issuer, Form::OpenId, TIMING)
    }

    /// The key set of an issuer that speaks OAuth 2.0 alone, where its metadata say that it is (RFC 8414:
    /// `/.well-known/oauth-authorization-server` before the issuer's path). Otherwise as [`Jwks::url`].
    ///
    /// # Errors
    /// As [`Jwks::discover`].
    pub fn discover_oauth(issuer: &str) -> Result<Self, KeyError> {
        Self::of_issuer(issuer, Form::OAuth, TIMING)
    }

    /// Fetches the keys also where an issuer at a public address says that they are at another: a private one, one of this
    /// machine. Else such an issuer could make us call what only we can reach.
    #[must_use]
    pub fn allow_private_addresses(self) -> Self {
        if let Some(remote) = self.remote() {
            remote.inside_too.store(true, Ordering::SeqCst);
        }
        self
    }

    fn at(address: &str, timing: Timing) -> Result<Self, KeyError> {
        Self::from_far(Whence::At(Address::parse(address).ok_or(KeyError::Address)?), timing)
    }

    fn of_issuer(issuer: &str, form: Form, timing: Timing) -> Result<Self, KeyError> {
        Self::from_far(Whence::Discovered(Discovery::new(issuer, form)?), timing)
    }

    fn from_far(whence: Whence, timing: Timing) -> Result<Self, KeyError> {
        Ok(Self::fetched(Remote {
            outbound: Outbound::new(0)
                .map_err(|_| KeyError::Fetch("the machine has no root certificates"))?,
            whence,
            timing,
            progress: Mutex::new(Progress::new(timing)),
            places: Semaphore::new(WAITING),
            kept_fresh: GoingOn::default(),
            inside_too: AtomicBool::new(false),
        }))
    }

    /// The issuer that was asked where its keys are, and whose they therefore are.
    pub(crate) fn discovered_issuer(&self) -> Option<&str> {
        match &self.remote()?.whence {
            Whence::At(_) => None,
            Whence::Discovered(discovery) => Some(discovery.issuer()),
        }
    }

    /// Whether the far end answered when it was asked last: the set at hand is its own then, until it is asked again.
    pub(crate) fn is_current(&self) -> bool {
        self.remote().is_none_or(|remote| remote.state().is_ok())
    }

    /// Fetches the set unless it is there, and sees to it that it stays fresh.
    pub(crate) async fn load(&self) -> Result<(), NoNewer> {
        self.keep_fresh();
        if self.current().is_some() { Ok(()) } else { self.look_again(None).await.map(drop) }
    }

    /// What `judge` says of `token` by the set at hand, or by a newer one where that has not the key (`None`). Rule 3.
    pub(crate) async fn judge_by<T>(
        &self,
        token: &[u8],
        judge: impl Fn() -> Option<T>,
    ) -> Result<Option<T>, NoNewer> {
        self.keep_fresh();
        if let Some(judged) = judge() {
            return Ok(Some(judged));
        }
        let sought = Some(Sought::of(token));
        if let Looked::Along = self.look_again(sought).await? {
            if let Some(judged) = judge() {
                return Ok(Some(judged));
            }
            self.look_again(sought).await?;
        }
        Ok(judge())
    }

    /// Looks at the far end again, as often as rule 3 lets, all callers together. When it is well, the set at
    /// hand is what the far end has.
    async fn look_again(&self, sought: Option<Sought<'_>>) -> Result<Looked, NoNewer> {
        let Some(remote) = self.remote() else { return Ok(Looked::Anew) };
        let (looked, mut ended) = match self.claim(remote, sought) {
            Claim::InVain => return remote.state().map(|()| Looked::Anew),
            Claim::NotYet(wait) => return remote.state().and(Err(NotYet(wait))),
            Claim::Running(ended) => (Looked::Along, ended),
            Claim::Begin(fetch, ended) => {
                // on a task of its own: a caller who leaves must not end what others wait for
                tokio::spawn(fetch.finish());
                (Looked::Anew, ended)
            }
        };
        let _place = remote.places.try_acquire().map_err(|_| Busy)?;
        let patience = remote.timing.answer + Duration::from_secs(1);
        match tokio::time::timeout(patience, ended.changed()).await {
            Ok(Ok(())) => remote.state().map(|()| looked),
            _ => Err(Unreachable),
        }
    }

    /// Begins the background refresh where it does not go on. It ends when nobody holds the set any more.
    fn keep_fresh(&self) {
        let Some(remote) = self.remote() else { return };
        remote.kept_fresh.begin(|going| stay_fresh(self.downgrade(), remote.timing.shortest, going));
    }
}

async fn stay_fresh(source: Weak<Source>, mut pause: Duration, _going: Going) {
    loop {
        tokio::time::sleep(pause).await;
        let Some(jwks) = Jwks::from_weak(&source) else { return };
        let Some(remote) = jwks.remote() else { return };
        if let Some(fetch) = jwks.claim_background(remote) {
            fetch.finish().await;
        }
        pause = remote.pause();
    }
}

/// Whose fetch it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// One that began now, or as many as there may be were made a moment ago.
    Anew,
    /// One that was under way.
    Along,
}

impl Remote {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        // a panic while it was held leaves plain values that are still true or false on their own
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Result<(), NoNewer> {
        let progress = self.progress();
        if progress.last_good.is_some() && !progress.last_failed { Ok(()) } else { Err(Unreachable) }
    }

    fn pause(&self) -> Duration {
        let progress = self.progress();
        match progress.max_age {
            _ if progress.last_failed => self.timing.shortest,
            Some(max_age) => ahead_of(max_age).clamp(self.timing.shortest, self.timing.longest),
            None => self.timing.longest.min(Duration::from_secs(600)),
        }
    }

    /// Whom it asks first: for the log.
    fn asked(&self) -> &http::Uri {
        match &self.whence {
            Whence::At(address) => address.uri(),
            Whence::Discovered(discovery) => discovery.metadata().uri(),
        }
    }
}

/// For `Retry-After`, so not before it is over.
fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

/// A little before `max_age` is over (rule 2).
fn ahead_of(max_age: Duration) -> Duration {
    max_age.saturating_sub(max_age / 10)
}

#[cfg(test)]
mod tests;
