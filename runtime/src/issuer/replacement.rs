//! Replacing signing keys in an emergency: whoever has stolen one signs tokens that nobody can tell from ours.
//!
//! Rules:
//! 1. one new key takes the place of all, the next that was published already among them, in one change of the record: no instance
//!    ever publishes or signs by both. It signs from [`MAX_LEEWAY`] ago, so that an instance whose clock is behind signs, too;
//! 2. this process refuses tokens of the old keys when the call returns; every other instance when it looks at the record next,
//!    which all do every [`TEND`](super::TEND), whether they sign or only verify. One that cannot ask the state does not learn it;
//! 3. refresh tokens are no signatures: families stay, unless [`Families::End`] is asked for. Their end stands in the same record,
//!    so that it is one change with the keys, and is learned with them. It is a round as that of a subject is
//!    ([`ending`](super::ending)): no clock decides, and a sign-in by the new key is good at once.

use super::Issuer;
use super::error::IssuerError;
use super::event::{About, Event};

/// What becomes of the families when signing keys are replaced ([`Issuer::replace_keys`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// They stay good: clients renew, and get tokens of the new key.
    Keep,
    /// All that began until now end: everybody signs in again. For when it is not known what was stolen beside the key. What
    /// begins in another instance before that has looked at the keys ends with them.
    End,
}

impl Issuer {
    /// Replaces the signing keys at once, because one may have been stolen: a new one signs, the old ones are taken out of what is
    /// published, and every access token that they signed is refused.
    ///
    /// In this process it holds when the call returns, in other instances on the same state within half a minute: until then they
    /// take and sign tokens of the old keys, and refuse those of the new one. Verifiers that fetch `/jwks` keep what they have for
    /// up to five minutes. A security event of high severity says that it was done.
    ///
    /// The new key is sealed with the first of the [`IssuerKeys`](super::IssuerKeys): where those may have been stolen as well, put a
    /// new one in front in every instance before.
    ///
    /// # Errors
    /// When the issuer cannot do its part: do it again. It may be done already where the answer of the state was lost.
    pub async fn replace_keys(&self, families: Families) -> Result<(), IssuerError> {
        let now = self.now()?;
        self.0.ring.replace(families, now).await?;
        let about = About { issuer: &self.0.issuer, subject: "-", client: "-", family: "-" };
        Event::KeysReplaced.emit(&about);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::issuer::{GrantError, IssuerBuilder, IssuerKeys, SignIn, Tokens};
    use crate::{Clock, State};

    const KEYS: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

    fn builder(state: &State, clock: &Clock) -> IssuerBuilder {
        let keys = IssuerKeys::from_list(KEYS).unwrap();
        Issuer::builder("https://id.example.com", "api", state.clone(), keys).clock(clock.clone())
    }

    /// Two instances over one state.
    async fn two() -> (Issuer, Issuer, Clock) {
        let clock = Clock::fixed(1_800_000_000);
        let state = State::memory_of(100, clock.clone());
        let one = builder(&state, &clock).open().await.unwrap();
        let other = builder(&state, &clock).open().await.unwrap();
        (one, other, clock)
    }

    async fn sign_in(issuer: &Issuer) -> Tokens {
        issuer.sign_in(&SignIn::new("alice", "app")).await.unwrap()
    }

    /// Whether a verifier by the keys of this process takes a token.
    fn takes(issuer: &Issuer, tokens: &Tokens) -> bool {
        issuer.is_ours(tokens.access.expose(), issuer.now().unwrap())
    }

    fn renewing(tokens: &Tokens) -> &str {
        tokens.refresh.as_ref().unwrap().expose()
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_that_only_verifies_learns_of_it_within_half_a_minute() {
        let (one, other, _) = two().await;
        let old = sign_in(&one).await;
        // nobody signs here: what the loop of the other looks at is all that it learns
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(7)).await;
            assert!(takes(&one, &old) && takes(&other, &old));
        }
        one.replace_keys(Families::Keep).await.unwrap();
        let new = sign_in(&one).await;
        assert!(!takes(&one, &old) && takes(&one, &new));
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert!(!takes(&other, &old) && takes(&other, &new));
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_who_replace_at_once_both_sign_by_one_key_in_the_end() {
        let (one, other, clock) = two().await;
        let old = sign_in(&one).await;
        let (first, second) =
            tokio::join!(one.replace_keys(Families::Keep), other.replace_keys(Families::Keep));
        first.and(second).unwrap();
        tokio::time::sleep(Duration::from_secs(29)).await;
        let (mine, yours) = (sign_in(&one).await, sign_in(&other).await);
        for issuer in [&one, &other] {
            assert!(takes(issuer, &mine) && takes(issuer, &yours) && !takes(issuer, &old));
        }
        assert_eq!(one.jwks().await, other.jwks().await);
        assert_eq!(one.jwks().await.matches("\"kid\"").count(), 1);
        // the schedule goes on from the new key, and publishes the next before it signs
        clock.advance(Duration::from_secs(30 * 24 * 3600 - 7200));
        assert_eq!(one.jwks().await.matches("\"kid\"").count(), 2);
    }

    #[tokio::test]
    async fn the_next_key_that_was_published_goes_with_the_one_that_signs() {
        let (one, _, clock) = two().await;
        clock.advance(Duration::from_secs(30 * 24 * 3600 - 3600));
        assert_eq!(one.jwks().await.matches("\"kid\"").count(), 2);
        let before = one.jwks().await;
        one.replace_keys(Families::Keep).await.unwrap();
        let after = one.jwks().await;
        assert_eq!(after.matches("\"kid\"").count(), 1);
        let kid = after.split("\"kid\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(!before.contains(kid));
    }

    #[tokio::test]
    async fn families_end_where_that_is_asked_for_and_stay_where_not() {
        let (one, ..) = two().await;
        let kept = sign_in(&one).await;
        one.replace_keys(Families::Keep).await.unwrap();
        let kept = one.refresh(renewing(&kept), "app", None).await.unwrap();
        assert!(takes(&one, &kept));
        one.replace_keys(Families::End).await.unwrap();
        let ended = one.refresh(renewing(&kept), "app", None).await;
        assert!(matches!(ended, Err(GrantError::Invalid)));
        let later = sign_in(&one).await;
        // a later replacement takes back nothing of an earlier one
        one.replace_keys(Families::Keep).await.unwrap();
        assert!(one.refresh(renewing(&later), "app", None).await.is_ok());
        assert!(matches!(one.refresh(renewing(&kept), "app", None).await, Err(GrantError::Invalid)));
    }

    /// The record of the keys goes when nobody renews it, and with it what was ended.
    #[tokio::test]
    async fn families_that_ended_stay_so_when_nobody_looked_at_the_keys_for_long() {
        let clock = Clock::fixed(1_800_000_000);
        let state = State::memory_of(100, clock.clone());
        let often = || {
            let builder = builder(&state, &clock);
            builder.rotation(Duration::from_secs(3 * 3600), Duration::from_secs(3600))
        };
        let issuer = often().open().await.unwrap();
        let ended = sign_in(&issuer).await;
        issuer.replace_keys(Families::End).await.unwrap();
        let good = sign_in(&issuer).await;
        clock.advance(Duration::from_secs(24 * 3600));
        let issuer = often().open().await.unwrap();
        let answer = issuer.refresh(renewing(&ended), "app", None).await;
        assert!(matches!(answer, Err(GrantError::Invalid)));
        assert!(issuer.refresh(renewing(&good), "app", None).await.is_ok());
    }

    #[tokio::test]
    async fn families_end_whatever_the_clocks_of_instances_say() {
        for (here, there) in [(0, 2), (2, 0)] {
            let clock = |ahead: u64| Clock::fixed(1_800_000_000 + ahead);
            let state = State::memory_of(100, clock(0));
            // the first key signs from the earlier time on
            builder(&state, &clock(0)).open().await.unwrap();
            let one = builder(&state, &clock(here)).open().await.unwrap();
            let other = builder(&state, &clock(there)).open().await.unwrap();
            let before = sign_in(&other).await;
            one.replace_keys(Families::End).await.unwrap();
            other.0.ring.look(other.now().unwrap()).await.unwrap();
            let after = sign_in(&other).await;
            for issuer in [&one, &other] {
                let ended = issuer.refresh(renewing(&before), "app", None).await;
                assert!(matches!(ended, Err(GrantError::Invalid)), "{here} {there}");
            }
            assert!(one.refresh(renewing(&after), "app", None).await.is_ok(), "{here} {there}");
        }
    }
}
