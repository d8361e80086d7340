//! A family of refresh tokens: one sign-in and all that came of it. What becomes of a token that is shown.
//!
//! Rules, in order ([`Family::decide`]; RFC 9700 section 4.14, RFC 6749 sections 6 and 10.4). Each but the last refuses:
//! 1. a text that no token of the family ever was is nothing: who knows a family's id cannot end it;
//! 2. a token of another client is not touched: it is bound to the one that it was given to;
//! 3. a family that was revoked gives nothing more, nor one that began in a round before the current one ([`Rounds`]): it was
//!    ended with others;
//! 4. a family ends at its absolute time, whatever is used of it, and when nothing of it was used for the idle time; in the
//!    second of its end it has ended;
//! 5. any generation but the current one was used before, or is of a store that was set back: somebody else has a copy. The
//!    family is revoked, whoever shows it and whatever is proven beside it: a thief who renews with a key of his own must not be
//!    spared by that. Within the grace, which is zero unless configured, the one before the current is taken for a client that
//!    lost the answer, and is given the current one again;
//! 6. a family that is bound to a key (RFC 9449 section 5) gives nothing without a proof, and to a public client nothing beside
//!    a proof by another key: the refresh token of a confidential client is bound by its secret. Who cannot prove it is not
//!    the client, so that the family stays. One that is not bound is from the first proof on;
//! 7. a scope that was not granted at the sign-in is refused, and the token stays good: narrowing holds for one access token,
//!    the family keeps its scope (RFC 6749 section 6);
//! 8. a family has at most [`MOST_LIVE`] access tokens at once, counted for as long as a verifier whose clock is late may take
//!    them: more is a client that fails, or a flood;
//! 9. the generation grows by one, the idle time begins anew.
//!
//! Of two that show the same token at once the store lets one change the record. The other finds it changed, decides again,
//! and by rule 5 revokes the family or is within the grace. Nothing is issued before the record is changed: after a crash in
//! between, and without grace, the client signs in again.

use serde::{Deserialize, Serialize};

use crate::authn::jwt::MAX_LEEWAY;

/// Access tokens of one family that are good at the same time.
pub(super) const MOST_LIVE: usize = 32;

/// What was decided at the sign-in. The secrets of the tokens are made over it, so a changed one opens nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The issuer, so that two with one store and one key do not share tokens.
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) client: String,
    /// Separated by single spaces.
    pub(super) scope: String,
    #[serde(default)]
    pub(super) rounds: Rounds,
    pub(super) ends: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auth_time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acr: Option<String>,
    pub(super) salt: String,
    /// The id of the key that makes the secrets.
    pub(super) key: String,
}

/// In which round a family began of those that are ended together: with all of its subject, with all there are. See
/// [`ending`](super::ending).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rounds {
    pub(super) subject: u64,
    pub(super) all: u64,
}

impl Rounds {
    /// Whether what began in it is over when these are the current ones.
    fn are_over(self, current: Self) -> bool {
        self.subject < current.subject || self.all < current.all
    }
}

/// The record of a family.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Family {
    pub(super) grant: Grant,
    /// Of the refresh token that is good.
    pub(super) generation: u64,
    /// When it was made.
    pub(super) renewed: u64,
    /// When it is good no more if nobody uses it.
    pub(super) idle_until: u64,
    /// How many access tokens there were.
    pub(super) issued: u64,
    /// Number and `exp` of those that are good.
    pub(super) live: Vec<(u64, u64)>,
    pub(super) revoked: bool,
    /// The thumbprint of the key that its tokens are bound to. Once there is one, there always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bound: Option<String>,
}

/// What is shown, and by whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) generation: u64,
    /// Whether its secret is that of its family and generation.
    pub(super) genuine: bool,
    pub(super) client: &'a str,
    /// The scope that is asked for, if not all of it.
    pub(super) scope: Option<&'a str>,
    /// The current rounds.
    pub(super) rounds: Rounds,
    /// The thumbprint of the key of which there is a proof beside it.
    pub(super) key: Option<&'a str>,
    /// The client has no secret.
    pub(super) public: bool,
}

/// Lifetimes, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetimes {
    pub(super) access: u64,
    pub(super) absolute: u64,
    pub(super) idle: u64,
    pub(super) grace: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotGenuine,
    Foreign,
    Revoked,
    Ended,
    Reused,
    /// Without a proof by its key.
    Unproven,
    Scope,
    /// Until one of the live tokens has ended.
    TooMany {
        wait: u64,
    },
}

impl Family {
    /// The family of a sign-in, with its first tokens.
    pub(super) fn begin(grant: Grant, key: Option<String>, lifetimes: &Lifetimes, now: u64) -> Self {
        let first = Self {
            grant,
            generation: 0,
            renewed: now,
            idle_until: 0,
            issued: 0,
            live: Vec::new(),
            revoked: false,
            bound: key,
        };
        first.renewed(0, lifetimes, now)
    }

    /// What the record becomes when the token is good. See the rules of the module.
    pub(super) fn decide(&self, shown: &Shown<'_>, lifetimes: &Lifetimes, now: u64) -> Result<Self, Refusal> {
        if !shown.genuine {
            return Err(Refusal::NotGenuine);
        }
        if shown.client != self.grant.client {
            return Err(Refusal::Foreign);
        }
        if self.revoked || self.grant.rounds.are_over(shown.rounds) {
            return Err(Refusal::Revoked);
        }
        if now >= self.grant.ends || now >= self.idle_until {
            return Err(Refusal::Ended);
        }
        let before_current = shown.generation.checked_add(1) == Some(self.generation);
        let forgiven = before_current && now < self.renewed.saturating_add(lifetimes.grace);
        if shown.generation != self.generation && !forgiven {
            return Err(Refusal::Reused);
        }
        let unbound = match (&self.bound, shown.key) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(bound), Some(key)) => shown.public && bound != key,
        };
        if unbound {
            return Err(Refusal::Unproven);
        }
        if shown.scope.is_some_and(|asked| !is_within(asked, &self.grant.scope)) {
            return Err(Refusal::Scope);
        }
        let live = self.live(now);
        if live.len() >= MOST_LIVE {
            let first = live.iter().map(|(_, exp)| is_over_at(*exp)).min().unwrap_or(now);
            return Err(Refusal::TooMany { wait: first.saturating_sub(now) });
        }
        let step = if forgiven { 0 } else { 1 };
        let next = self.renewed(step, lifetimes, now);
        Ok(Self { bound: shown.key.map(str::to_owned).or(next.bound), ..next })
    }

    fn renewed(&self, step: u64, lifetimes: &Lifetimes, now: u64) -> Self {
        let ends = self.grant.ends;
        let issued = self.issued.saturating_add(1);
        let mut live = self.live(now);
        live.push((issued, now.saturating_add(lifetimes.access).min(ends)));
        Self {
            grant: self.grant.clone(),
            generation: self.generation.saturating_add(step),
            // a grace that begins anew with each repetition would never end
            renewed: if step == 0 { self.renewed } else { now },
            idle_until: now.saturating_add(lifetimes.idle).min(ends),
            issued,
            live,
            revoked: false,
            bound: self.bound.clone(),
        }
    }

    /// The access tokens that a verifier may still take.
    fn live(&self, now: u64) -> Vec<(u64, u64)> {
        self.live.iter().copied().filter(|(_, exp)| is_over_at(*exp) > now).collect()
    }

    /// Number and `exp` of the newest access token.
    pub(super) fn newest(&self) -> (u64, u64) {
        self.live.last().copied().unwrap_or_default()
    }

    /// Until when the record is needed: after it, nothing of it is good.
    pub(super) fn needed_until(&self) -> u64 {
        let live = self.live.iter().map(|(_, exp)| *exp).max().unwrap_or_default();
        if self.revoked { live } else { live.max(self.idle_until) }
    }
}

/// From when no verifier takes a token.
fn is_over_at(exp: u64) -> u64 {
    exp.saturating_add(MAX_LEEWAY)
}

/// Whether every word of `asked` is in `granted`.
pub(super) fn is_within(asked: &str, granted: &str) -> bool {
    asked.split(' ').all(|word| granted.split(' ').any(|scope| scope == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const LIFETIMES: Lifetimes = Lifetimes { access: 600, absolute: 10_000, idle: 2_000, grace: 0 };

    const ROUNDS: Rounds = Rounds { subject: 5, all: 3 };

    fn family() -> Family {
        let grant = Grant {
            issuer: "https://i".into(),
            subject: "alice".into(),
            client: "app".into(),
            scope: "a b".into(),
            rounds: ROUNDS,
            ends: NOW + LIFETIMES.absolute,
            auth_time: None,
            acr: None,
            salt: String::new(),
            key: "k".into(),
        };
        Family::begin(grant, None, &LIFETIMES, NOW)
    }

    fn shown(generation: u64) -> Shown<'static> {
        Shown {
            generation,
            genuine: true,
            client: "app",
            scope: None,
            rounds: ROUNDS,
            key: None,
            public: true,
        }
    }

    fn refusal(family: &Family, shown: &Shown<'_>, now: u64) -> Option<Refusal> {
        family.decide(shown, &LIFETIMES, now).err()
    }

    #[test]
    fn each_rule_refuses_and_beside_it_the_token_is_good() {
        let family = family();
        let good = shown(0);
        assert_eq!(refusal(&family, &good, NOW), None);
        assert_eq!(refusal(&family, &Shown { genuine: false, ..good }, NOW), Some(Refusal::NotGenuine));
        let foreign = Shown { client: "other", ..good };
        assert_eq!(refusal(&family, &foreign, NOW), Some(Refusal::Foreign));
        for (subject, all, wanted) in
            [(5, 3, None), (0, 2, None), (6, 3, Some(Refusal::Revoked)), (5, 4, Some(Refusal::Revoked))]
        {
            let later = Shown { rounds: Rounds { subject, all }, ..good };
            assert_eq!(refusal(&family, &later, NOW), wanted, "{subject} {all}");
        }
        let revoked = Family { revoked: true, ..family.clone() };
        assert_eq!(refusal(&revoked, &good, NOW), Some(Refusal::Revoked));
        assert_eq!(refusal(&family, &shown(1), NOW), Some(Refusal::Reused), "of a store that was set back");
        for (scope, wanted) in
            [("a", None), ("b a", None), ("a c", Some(Refusal::Scope)), ("", Some(Refusal::Scope))]
        {
            assert_eq!(refusal(&family, &Shown { scope: Some(scope), ..good }, NOW), wanted, "{scope}");
        }
    }

    #[test]
    fn a_bound_family_is_for_its_key_and_one_that_is_not_becomes_it() {
        let with = |key, public| Shown { key, public, ..shown(0) };
        let bound = Family { bound: Some("k".into()), ..family() };
        for public in [true, false] {
            assert_eq!(refusal(&bound, &with(None, public), NOW), Some(Refusal::Unproven));
            assert_eq!(refusal(&bound, &with(Some("k"), public), NOW), None);
        }
        assert_eq!(refusal(&bound, &with(Some("other"), true), NOW), Some(Refusal::Unproven));
        let moved = bound.decide(&with(Some("other"), false), &LIFETIMES, NOW).unwrap();
        assert_eq!(moved.bound.as_deref(), Some("other"), "a secret binds the refresh token");
        let first = family().decide(&with(Some("k"), true), &LIFETIMES, NOW).unwrap();
        assert_eq!(first.bound.as_deref(), Some("k"));
        // the key may be the thief's: a token that two have ends the family, whoever proves what
        for key in [None, Some("k"), Some("other")] {
            let spent = Shown { generation: 0, ..with(key, true) };
            assert_eq!(refusal(&first, &spent, NOW), Some(Refusal::Reused), "{key:?}");
        }
    }

    #[test]
    fn a_family_ends_idle_and_it_ends_absolutely() {
        let mut family = family();
        let idle = NOW + LIFETIMES.idle;
        assert_eq!(refusal(&family, &shown(0), idle - 1), None);
        assert_eq!(refusal(&family, &shown(0), idle), Some(Refusal::Ended));
        for generation in 0.. {
            let now = NOW + (generation + 1) * 1_999;
            match family.decide(&shown(generation), &LIFETIMES, now) {
                Ok(next) => family = next,
                Err(why) => {
                    assert_eq!((why, generation), (Refusal::Ended, 5), "used in time, and over all the same");
                    break;
                }
            }
            assert!(family.newest().1 <= family.grant.ends && family.idle_until <= family.grant.ends);
        }
    }

    #[test]
    fn what_was_used_is_a_reuse_and_within_the_grace_the_one_before_is_not() {
        let lenient = Lifetimes { grace: 10, ..LIFETIMES };
        let second = family().decide(&shown(0), &LIFETIMES, NOW + 5).unwrap();
        assert_eq!((second.generation, second.issued), (1, 2));
        assert_eq!(refusal(&second, &shown(0), NOW + 5), Some(Refusal::Reused), "the default");
        let again = second.decide(&shown(0), &lenient, NOW + 14).unwrap();
        assert_eq!((again.generation, again.issued, again.renewed), (1, 3, NOW + 5));
        assert_eq!(again.decide(&shown(0), &lenient, NOW + 15).unwrap_err(), Refusal::Reused);
        let third = again.decide(&shown(1), &lenient, NOW + 14).unwrap();
        assert_eq!(third.decide(&shown(0), &lenient, NOW + 14).unwrap_err(), Refusal::Reused);
    }

    #[test]
    fn the_access_tokens_of_a_family_are_few_and_make_room_when_they_end() {
        let mut family = family();
        for generation in 0..MOST_LIVE as u64 - 1 {
            family = family.decide(&shown(generation), &LIFETIMES, NOW + 1).unwrap();
        }
        let next = shown(MOST_LIVE as u64 - 1);
        assert_eq!(refusal(&family, &next, NOW + 100), Some(Refusal::TooMany { wait: 620 }));
        assert!(refusal(&family, &next, NOW + 719).is_some(), "a late verifier takes the first one still");
        assert_eq!(refusal(&family, &next, NOW + 720), None);
        assert!(family.decide(&next, &LIFETIMES, NOW + 721).unwrap().live.len() == 1);
    }
}
