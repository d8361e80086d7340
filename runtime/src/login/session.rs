//! A session: what is kept of it, and whether it is still good.
//!
//! Rules ([`Session::is_over`], [`Session::is_due`]):
//! 1. it is over when its absolute lifetime is, counted from the login and never extended: that of the login, or a shorter one that
//!    was configured since;
//! 2. it is over when it was not used for its idle lifetime. A use is noted once a minute at most, so that reading does not write;
//! 3. its id is 256 random bits that only the browser has: the store knows it by a digest, and what is kept is sealed. The digest is
//!    also of the provider and of the client: a login by another provider, or as another client, does not know the session although
//!    it has the same keys and state. Its subject is somebody else there, or was not let in by that client;
//! 4. a login makes a new id, and ends the session that the browser had.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ended::Rounds;
use super::pending::random;
use super::provider::Tokens;
use crate::authn::jwt::id_token::Identified;
use crate::state::{Key, Kind};

/// Seconds between two notes that a session is used.
const NOTED_EVERY: u64 = 60;
const ID: usize = 32;

/// Seconds.
#[derive(Clone, Copy)]
pub(super) struct Lifetimes {
    pub(super) absolute: u64,
    pub(super) idle: u64,
}

/// What is kept of a session. Times are seconds since 1970. What it does not have is not written: each request reads all of it.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Session {
    pub(crate) subject: String,
    /// As the ID token of the login names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// As granted, separated by single spaces.
    pub(crate) scopes: String,
    /// `acr` of the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<String>,
    /// `auth_time` of the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<f64>,
    pub(crate) began: u64,
    pub(crate) ends: u64,
    pub(super) used: u64,
    pub(super) access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_ends: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<String>,
    /// Until then somebody renews its tokens.
    pub(super) renewing: u64,
    /// The session at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
    #[serde(default)]
    #[zeroize(skip)]
    pub(super) rounds: Rounds,
}

impl Session {
    /// `asked`: the scopes of the request, which are granted where the provider says nothing else (RFC 6749 section 5.1).
    pub(super) fn begin(
        who: Identified,
        tokens: &Tokens,
        asked: &str,
        lifetimes: Lifetimes,
        now: u64,
    ) -> Self {
        let mut session = Self {
            subject: who.subject,
            tenant: who.tenant,
            scopes: asked.to_owned(),
            class: who.class,
            time: who.time,
            began: now,
            ends: now.saturating_add(lifetimes.absolute),
            used: now,
            access: String::new(),
            access_ends: None,
            refresh: None,
            renewing: 0,
            sid: who.session,
            rounds: Rounds::default(),
        };
        session.take(tokens, now);
        session
    }

    /// Takes the tokens of a login or a renewal in. What the provider does not say again stays (RFC 6749 section 6).
    pub(super) fn take(&mut self, tokens: &Tokens, now: u64) {
        self.access.zeroize();
        self.access = (*tokens.access).clone();
        self.access_ends = tokens.expires_in.map(|seconds| now.saturating_add(seconds));
        if let Some(refresh) = &tokens.refresh {
            self.take_refresh(refresh);
        }
        if let Some(scopes) = &tokens.scopes {
            self.scopes.clone_from(scopes);
        }
    }

    pub(super) fn take_refresh(&mut self, refresh: &str) {
        self.refresh.zeroize();
        self.refresh = Some(refresh.to_owned());
    }

    pub(super) fn is_over(&self, lifetimes: Lifetimes, now: u64) -> bool {
        let ends = self.ends.min(self.began.saturating_add(lifetimes.absolute));
        now >= ends || now.saturating_sub(self.used) >= lifetimes.idle
    }

    /// Whether its use is to be noted.
    pub(super) fn is_due(&self, lifetimes: Lifetimes, now: u64) -> bool {
        // half of a short idle lifetime, so that a note always comes in time
        now.saturating_sub(self.used) >= NOTED_EVERY.min(lifetimes.idle / 2)
    }

    /// Seconds for which its record is needed.
    pub(super) fn keep(&self, lifetimes: Lifetimes, now: u64) -> u64 {
        self.ends.saturating_sub(now).min(self.used.saturating_add(lifetimes.idle).saturating_sub(now))
    }
}

/// A new id, as the browser gets it. `None` when the system gives no random bytes.
pub(super) fn new_id() -> Option<Zeroizing<String>> {
    random::<ID>().map(Zeroizing::new)
}

/// Under what the session of an id is kept that came of a login by this provider, as this client. `None`: it is no id.
pub(super) fn key_of(issuer: &str, client: &str, id: &[u8]) -> Option<Key> {
    let mut bytes = Zeroizing::new([0; ID + 1]);
    let length = URL_SAFE_NO_PAD.decode_slice(id, &mut *bytes).ok()?;
    let bytes = bytes.get(..length).filter(|bytes| bytes.len() == ID)?;
    Some(Key::new(Kind::Session, &[b"session", issuer.as_bytes(), client.as_bytes(), bytes]))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const LIVES: Lifetimes = Lifetimes { absolute: 3600, idle: 600 };

    fn tokens(expires_in: Option<u64>, refresh: Option<&str>, scopes: Option<&str>) -> Tokens {
        Tokens {
            access: Zeroizing::new("a".to_owned()),
            refresh: refresh.map(|text| Zeroizing::new(text.to_owned())),
            expires_in,
            scopes: scopes.map(str::to_owned),
        }
    }

    pub(in super::super) fn session(now: u64) -> Session {
        let who =
            Identified { subject: "alice".to_owned(), tenant: None, class: None, time: None, session: None };
        Session::begin(who, &tokens(Some(60), Some("r"), None), "openid notes", LIVES, now)
    }

    #[test]
    fn a_session_ends_when_it_is_old_and_when_nobody_uses_it() {
        let mut session = session(1000);
        assert!(!session.is_over(LIVES, 1000) && !session.is_over(LIVES, 1599));
        assert!(session.is_over(LIVES, 1600));
        assert!(!session.is_due(LIVES, 1059) && session.is_due(LIVES, 1060));
        session.used = 4599;
        assert!(!session.is_over(LIVES, 4599) && session.is_over(LIVES, 4600), "no use extends the whole");
        assert_eq!(session.keep(LIVES, 4599), 1);
        session.used = 2000;
        assert_eq!(session.keep(LIVES, 2000), 600);
        let shorter = Lifetimes { absolute: 900, ..LIVES };
        assert!(!session.is_over(shorter, 1899) && session.is_over(shorter, 1900));
        let short = Lifetimes { idle: 60, ..LIVES };
        assert!(session.is_due(short, 2030) && !session.is_over(short, 2059));
    }

    #[test]
    fn what_a_renewal_does_not_say_stays() {
        let mut session = session(1000);
        assert_eq!((&*session.scopes, session.access_ends), ("openid notes", Some(1060)));
        session.take(&tokens(None, None, None), 2000);
        assert_eq!(
            (&*session.scopes, session.refresh.as_deref(), session.access_ends),
            ("openid notes", Some("r"), None)
        );
        session.take(&tokens(Some(5), Some("s"), Some("openid")), 2000);
        assert_eq!(
            (&*session.scopes, session.refresh.as_deref(), session.access_ends),
            ("openid", Some("s"), Some(2005))
        );
    }

    #[test]
    fn an_id_is_256_bits_in_one_spelling() {
        let (one, other) = (new_id().unwrap(), new_id().unwrap());
        assert_eq!(one.len(), 43);
        assert!(*one != *other);
        let key_of = |id: &[u8]| super::key_of("https://id.example.com", "web", id);
        let key = key_of(one.as_bytes()).unwrap();
        assert_eq!(key_of(one.as_bytes()), Some(key));
        assert_ne!(key_of(other.as_bytes()), Some(key));
        for (issuer, client) in [("https://id.example.org", "web"), ("https://id.example.com", "app")] {
            assert_ne!(super::key_of(issuer, client, one.as_bytes()), Some(key), "{issuer} {client}");
        }
        let padded = format!("{}=", *one);
        let short = URL_SAFE_NO_PAD.encode([7; 31]);
        let long = URL_SAFE_NO_PAD.encode([7; 33]);
        for bad in ["", "x", &padded, &short, &long, &one[..42], &"\u{e9}".repeat(21), &"A".repeat(10_000)] {
            assert_eq!(key_of(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn no_session_has_an_id_without_random_bytes() {
        let _failing = crate::random::failing::begin();
        assert!(new_id().is_none());
    }
}
