//! Random bytes of the system.
//!
//! Rules:
//! 1. all that nobody may guess is drawn here, but for what two libraries draw for themselves: keys that are made and signatures that
//!    are written by the cryptographic one, and by the standard one (`RandomState`) the keys of hashes that are of this process
//!    alone, also of those by which counters are told of (`limit::key`), networks known, values compared and files stood for;
//! 2. without random bytes nothing is made: the cryptographic library aborts the process, and the standard one panics. What the
//!    first promises in its interface is an error: should there ever be one, whoever needs the bytes is refused, or does not start,
//!    ids of requests are counted (`gate::request_id`), and a process is named in its security events by when it began
//!    (`event::record`).

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// Fills all of it, or fails.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Unspecified> {
    #[cfg(test)]
    if failing::now() {
        return Err(Unspecified);
    }
    rand::fill(bytes)
}

/// A system without random bytes, for the thread of a test.
#[cfg(test)]
pub(crate) mod failing {
    use std::cell::Cell;
    use std::marker::PhantomData;

    thread_local! {
        static FAILS: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn now() -> bool {
        FAILS.get()
    }

    /// As long as this is there, which stays in its thread.
    pub(crate) struct Failing {
        before: bool,
        _of_this_thread: PhantomData<*const ()>,
    }

    pub(crate) fn begin() -> Failing {
        Failing { before: FAILS.replace(true), _of_this_thread: PhantomData }
    }

    impl Drop for Failing {
        fn drop(&mut self) {
            FAILS.set(self.before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::failing;
    use crate::authn::{KeyPeppers, KeyRecord, NewKey, Passwords, RecordError};
    use crate::clock::Clock;
    use crate::idempotency::{AnswerKeys, KeptAnswers};
    use crate::issuer::{Client, Issuer, IssuerKeys, SignIn};
    use crate::{CursorKeys, KeptLimits, Problem, State, dev};

    /// Whether it fails without random bytes, and is made with them.
    fn needs<T, E>(make: impl Fn() -> Result<T, E>) -> bool {
        let without = {
            let _failing = failing::begin();
            make().is_err()
        };
        without && make().is_ok()
    }

    #[test]
    fn it_fails_until_the_first_who_asked_for_that_has_ended() {
        let fails = || super::fill(&mut [0]).is_err();
        let outer = failing::begin();
        drop(failing::begin());
        assert!(fails());
        drop(outer);
        assert!(!fails());
    }

    fn new_key() -> Result<KeyRecord, RecordError> {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        NewKey::generate("bank_live", "acme", &[], now, None).map(|new| new.record)
    }

    #[test]
    fn no_key_and_no_secret_is_made_without_random_bytes() {
        assert!(needs(CursorKeys::generate));
        assert!(needs(AnswerKeys::generate));
        assert!(needs(KeptAnswers::in_memory));
        assert!(needs(IssuerKeys::generate));
        assert!(needs(|| KeyPeppers::generate("p1")));
        assert!(needs(Client::new_secret));
        assert!(needs(new_key));
        assert!(needs(|| Passwords::new([])), "what nobody's password is compared with");
        #[cfg(feature = "login")]
        assert!(needs(crate::login::LoginKeys::generate));
    }

    #[test]
    fn who_asks_for_a_key_is_told_that_it_is_the_servers_fault() {
        let _failing = failing::begin();
        let error = new_key().unwrap_err();
        assert_eq!(Problem::from(crate::KeyAdminError::from(error)).status(), 500);
    }

    #[test]
    fn a_development_token_and_a_file_of_keys_need_them_too() {
        let folder = tempfile::tempdir().unwrap();
        let key = dev::SigningKey::open_or_create(folder.path().join("key")).unwrap();
        let grant = dev::Grant {
            issuer: "https://id.example.com",
            audience: "bank",
            subject: "alice",
            scopes: &[],
            lifetime: std::time::Duration::from_secs(60),
        };
        assert!(needs(|| key.token(&grant, 1_800_000_000)));
        let file = folder.path().join("cursors");
        assert!(needs(|| dev::cursor_keys(&file)));
    }

    #[tokio::test]
    async fn counters_that_are_kept_have_a_secret_or_are_not_loaded() {
        let state = State::memory();
        let without = {
            let _failing = failing::begin();
            KeptLimits::load(state.clone()).await
        };
        assert!(without.is_err());
        assert!(KeptLimits::load(state).await.is_ok(), "no half of one was left there");
    }

    #[tokio::test]
    async fn an_issuer_signs_nobody_in_without_them() {
        let builder = Issuer::builder(
            "https://id.example.com",
            "bank",
            State::memory(),
            IssuerKeys::generate().unwrap(),
        );
        let issuer = builder.open().await.unwrap();
        let who = SignIn::new("alice", "app");
        let without = {
            let _failing = failing::begin();
            issuer.sign_in(&who).await
        };
        assert!(matches!(without, Err(crate::issuer::IssuerError::Crypto)));
        assert!(issuer.sign_in(&who).await.is_ok());
    }
}
