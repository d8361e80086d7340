//! Attempts to authenticate that failed, counted so that nobody guesses for long.
//!
//! Rules:
//! 1. an attempt is a guess where nobody vouches for the credential ([`Reason::is_guess`]): it is malformed, of nobody, with
//!    another secret, or signed by nobody whom the scheme trusts. What was good elsewhere or before (expired, revoked, for
//!    another audience) is none: the clients of a network show as much of it as they renew. A word before the credential that
//!    no scheme takes is none: nothing is verified, so nothing is learned;
//! 2. the user of a password and the public id of an API key are claimed before they are verified: such an attempt counts
//!    for that account, whether it exists or not, and for the network that it comes from. A token claims nothing that may
//!    be believed, so it counts for the network ([`whom`]);
//! 3. where that user has lately succeeded from that network ([`Networks`]), it counts for the two together and for neither
//!    alone: what strangers do, there or elsewhere, does not lock out whose account it is;
//! 4. each of these has three buckets, for a minute, an hour and a day, so that the wait grows from seconds to half an hour.
//!    Where one is empty the attempt is refused, and is counted by none;
//! 5. a password can be guessed: its attempt is charged before it is verified, and not verified where a bucket is empty. What
//!    turns out good is given back; who tries many at once finds as many places as who tries them in turn. The same password shown
//!    meanwhile is no other attempt ([`Flights`]);
//! 6. a key of 256 bits and a signature cannot be guessed: they are verified whatever was counted, and the good ones get in.
//!    So nobody is locked out by a stranger in the same network;
//! 7. of a session that is not there, a token that its issuer calls inactive and a certificate that is not trusted nobody can
//!    tell whether they are made up or were good before ([`Reason::may_be_made_up`]). They count for the network, by buckets
//!    ten times as large, and each once: an honest client shows the same again and again. What nobody knows counts
//!    nowhere. So a token whose key was not sought ([`Reason::KeyNotSought`]) is 503 whatever was counted: it may be good a moment
//!    later, and the clients of an issuer that changes its keys would close their network. One that is made up costs its
//!    scheme less than a bad signature: nothing is verified and nothing fetched, and so it tells nothing either. Another scheme that
//!    reads the same place does with it as with any token: one of introspection asks its issuer;
//! 8. while a bucket of rules 6 or 7 is empty, every bad credential is answered as too many, whatever is wrong with it: the
//!    answer does not tell one that was good before from one that is made up, nor whom rule 3 spares there ([`refused`]).
//!
//! The buckets are those of rate limits `on: failure`, in tables of their own: who floods them takes no place from a limit
//! of the document. Where instances share their limits they share these, and in an outage each counts its share. What a handler verifies is counted by the same ([`login`]).

mod buckets;
mod endpoint;
mod flight;
mod known;
mod login;
mod networks;
mod refused;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub(crate) use self::endpoint::{Counters, TooMany};
pub(crate) use self::login::Attempt;
pub(crate) use self::networks::Shelf;
use self::{
    buckets::{ACCOUNT, NETWORK, NETWORK_WIDELY, limits},
    flight::{Flight, Flights},
    known::Place,
    networks::Networks,
    refused::Counted,
};
use super::{Reason, Verdict, prepared::Prepared, present::Credential};
use crate::{
    clock::Now,
    event::{Kind, Pseudonym, SECURITY_EVENTS, SecurityEvent, Severity, known, store},
    limit::{
        Charge, Decision, Few, Limiter, Reserved, Rule,
        kept::{Kept, Of},
        seen::{Network, Seen},
        shared::SharedLimits,
    },
    operation::Per,
};

/// Places for counters of accounts and networks: 1.5 MiB.
const PLACES: usize = 65_536;
/// Places for those of accounts in networks that are known for them: 768 KiB, of which half is used. Only who has logged in
/// takes one.
const PLACES_OF_KNOWN: usize = 32_768;

/// How many credentials of rule 7 are let pass for each guess.
const WIDELY: u32 = 10;

/// How many attempts may fail in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most {
    pub(crate) of_account: u32,
    pub(crate) of_network: u32,
}

impl Most {
    /// An account has 50 guesses at once at the longest, and 50 more a day: no more than the hundred of NIST SP 800-63B
    /// section 5.2.2 in a first day. A network may be an office.
    pub(crate) const DEFAULT: Self = Self { of_account: 5, of_network: 30 };
}

/// What a credential claims before it is verified.
pub(in crate::authn) struct Claim<'c> {
    pub(in crate::authn) issuer: &'c str,
    pub(in crate::authn) account: &'c str,
}

/// By whom an attempt is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Network,
    /// The same by larger buckets.
    NetworkWidely,
    /// Both, each for itself.
    AccountAndNetwork,
    /// The one in the other.
    AccountInNetwork,
}

/// Rules 2 and 3.
fn whom(claims: bool, known: bool) -> Whom {
    match (claims, known) {
        (false, _) => Whom::Network,
        (true, false) => Whom::AccountAndNetwork,
        (true, true) => Whom::AccountInNetwork,
    }
}

/// What a server counts.
pub(crate) struct Failures {
    strangers: Limiter,
    flights: Flights,
    of_network: [Rule; 3],
    of_network_widely: [Rule; 3],
    of_account: [Rule; 3],
    of_known: Option<OfKnown>,
    counted: Counted,
}

/// Where a document has passwords or logins.
struct OfKnown {
    limiter: Limiter,
    rules: [Rule; 3],
    networks: Networks,
}

/// What one request is counted by.
#[derive(Clone, Copy)]
pub(crate) struct Attempts<'a> {
    failures: &'a Failures,
    from: IpAddr,
    now: Now,
    request_id: &'a str,
}

/// A password that is being verified.
pub(in crate::authn) struct Charged<'a> {
    /// The place of its scheme.
    scheme: usize,
    claim: Claim<'a>,
    there: Option<Place>,
    at: Whom,
    /// Nothing where another request that shows the same was charged.
    reserved: Vec<Reserved>,
    closes: Option<&'static str>,
    _flight: Flight<'a>,
}

impl Failures {
    /// `guessable`: a scheme of the document takes passwords, or an operation is a login.
    pub(crate) fn new(
        most: Most,
        guessable: bool,
        shared: Option<&SharedLimits>,
        kept: impl Fn(Of) -> Option<Kept>,
        shelf: Option<Shelf>,
    ) -> Self {
        let strangers = Limiter::new(PLACES).shared(shared.cloned()).kept(kept(Of::Attempts));
        let rules = |limiter: &Limiter, names, per, most| {
            limits(names, per, most).map(|limit| limiter.rule(limit, ""))
        };
        let of_known = || {
            let limiter =
                Limiter::new(PLACES_OF_KNOWN).shared(shared.cloned()).kept(kept(Of::AttemptsOfKnown));
            let rules = rules(&limiter, ACCOUNT, &[Per::Principal, Per::Address], most.of_account);
            OfKnown { limiter, rules, networks: Networks::new(shelf) }
        };
        let widely = most.of_network.saturating_mul(WIDELY);
        Self {
            of_network: rules(&strangers, NETWORK, &[Per::Address], most.of_network),
            of_network_widely: rules(&strangers, NETWORK_WIDELY, &[Per::Address], widely),
            of_account: rules(&strangers, ACCOUNT, &[Per::Principal], most.of_account),
            strangers,
            flights: Flights::default(),
            of_known: guessable.then(of_known),
            counted: Counted::new(),
        }
    }

    /// Whether they outlast the process.
    pub(crate) const fn are_kept(&self) -> bool {
        self.strangers.is_kept()
    }

    /// Writes what is to outlast the process.
    pub(crate) async fn keep(&self, now: u64) {
        self.strangers.keep(now).await;
        if let Some(of_known) = &self.of_known {
            of_known.limiter.keep(now).await;
        }
    }

    /// For one request.
    pub(crate) const fn of<'a>(&'a self, from: IpAddr, now: Now, request_id: &'a str) -> Attempts<'a> {
        Attempts { failures: self, from, now, request_id }
    }
}

impl<'a> Attempts<'a> {
    /// Where the request comes from.
    pub(in crate::authn) const fn from(&self) -> IpAddr {
        self.from
    }

    /// The id under which we speak of the request.
    pub(in crate::authn) const fn request_id(&self) -> &'a str {
        self.request_id
    }

    /// Rule 5: what is charged before the credential is verified, or why it is not verified.
    pub(in crate::authn) async fn before(
        self,
        scheme: usize,
        prepared: &'a Prepared,
        credential: &'a Credential<'_>,
    ) -> Result<Option<Charged<'a>>, Reason> {
        let Some(scheme_of) = prepared.schemes.get(scheme) else { return Ok(None) };
        // what claims nothing is malformed, and no verification is started for it
        let Some(claim) = scheme_of.claim(credential) else { return Ok(None) };
        let Credential::Password(shown) = credential else { return Ok(None) };
        let there = self.there(claim.issuer, claim.account, claim.account);
        let at = whom(true, self.knows(there).await);
        let claimed = Some((claim.issuer, claim.account));
        // pinned here: who hands it on does not carry the room for it as well
        let charge =
            std::pin::pin!(self.charge(at, claimed, |decision| (decision.charged(), closed(&decision))));
        let shown = (scheme_of.name, shown.user(), shown.password());
        let (flight, charged) = self.failures.flights.board(shown, charge).await?;
        let (reserved, closes) = charged.unwrap_or_default();
        Ok(Some(Charged { scheme, claim, there, at, reserved, closes, _flight: flight }))
    }

    /// Gives back what was charged for passwords that no scheme found wrong, and remembers whose were right.
    pub(in crate::authn) async fn settle(
        &self,
        prepared: &Prepared,
        verdicts: &[Verdict],
        charged: Vec<Charged<'_>>,
    ) {
        for charged in charged {
            let Some(scheme) = prepared.schemes.get(charged.scheme) else { continue };
            let of_the_same =
                prepared.schemes.iter().zip(verdicts).filter(|(other, _)| other.reads_like(scheme));
            let accepted = of_the_same.clone().any(|(_, verdict)| matches!(verdict, Some(Ok(_))));
            match verdicts.get(charged.scheme) {
                Some(Some(Err(reason))) if reason.is_guess() && !accepted => {
                    self.report(charged.closes, Some((charged.claim.issuer, charged.claim.account)));
                    continue;
                }
                Some(Some(Ok(_))) => self.remember(charged.there).await,
                _ => {}
            }
            self.give_back(charged.at, &charged.reserved).await;
        }
    }

    async fn charge<T>(
        &self,
        at: Whom,
        claimed: Option<(&str, &str)>,
        allowed: impl FnOnce(Decision<'_>) -> T,
    ) -> Result<T, Reason> {
        let seen = Seen {
            from: Network::of(self.from),
            principal: claimed,
            tenant: None,
            is_claimed: true,
            values: &[],
        };
        let (limiter, rules) = self.rules(at);
        let charges: Few<Charge<'_>> =
            rules.iter().flat_map(|of| of.iter()).map(|rule| rule.charge(&seen)).collect();
        // none of these limits denies in an outage
        let Ok(decision) = limiter.ask(self.micros(), &charges, &seen).await else {
            return Err(Reason::TooManyAttempts(1));
        };
        match decision.refused_by() {
            None => Ok(allowed(decision)),
            Some(_) => {
                Err(Reason::TooManyAttempts(u32::try_from(decision.retry_after()).unwrap_or(u32::MAX)))
            }
        }
    }

    fn rules(&self, at: Whom) -> (&Limiter, [&[Rule]; 2]) {
        let failures = self.failures;
        match (at, &failures.of_known) {
            (Whom::AccountInNetwork, Some(of_known)) => (&of_known.limiter, [&of_known.rules, &[]]),
            (Whom::Network, _) => (&failures.strangers, [&failures.of_network, &[]]),
            (Whom::NetworkWidely, _) => (&failures.strangers, [&failures.of_network_widely, &[]]),
            (Whom::AccountAndNetwork | Whom::AccountInNetwork, _) => {
                (&failures.strangers, [&failures.of_account, &failures.of_network])
            }
        }
    }

    async fn give_back(&self, at: Whom, reserved: &[Reserved]) {
        self.rules(at).0.give_back(self.micros(), reserved).await;
    }

    /// Rule 3: an account where it is. `written`: how this request spells its name.
    fn there(&self, issuer: &str, account: &str, written: &str) -> Option<Place> {
        let of_known = self.failures.of_known.as_ref()?;
        Some(of_known.networks.place(Network::of(self.from), issuer, account, written))
    }

    async fn knows(&self, there: Option<Place>) -> bool {
        match (&self.failures.of_known, there) {
            (Some(of_known), Some(there)) => of_known.networks.knows(there, self.now).await,
            _ => false,
        }
    }

    async fn remember(&self, there: Option<Place>) {
        if let (Some(of_known), Some(there)) = (&self.failures.of_known, there) {
            of_known.networks.learn(there, self.now).await;
        }
    }

    /// The event that a bucket is empty now: the next attempt is refused.
    fn report(&self, closes: Option<&str>, claimed: Option<(&str, &str)>) {
        let Some(limit) = closes else { return };
        let account = pseudonym(claimed);
        tracing::error!(
            target: SECURITY_EVENTS, event_type = "authn_login_fail_max", severity = "High",
            timestamp = %jiff::Timestamp::now(), source_ip = %self.from, limit, request_id = self.request_id,
            account, "as many attempts to authenticate have failed as may",
        );
        let kind = Kind { event_type: "authn_login_fail_max", severity: Severity::High };
        store(kind.severity, || SecurityEvent {
            source_ip: Some(self.from),
            failure_reason: known(&limit),
            request_id: known(&self.request_id),
            account: known(&account),
            ..SecurityEvent::of(kind)
        });
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.now.monotonic().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The account of an event.
fn pseudonym(claimed: Option<(&str, &str)>) -> String {
    claimed.map_or_else(|| "-".to_owned(), |(issuer, account)| Pseudonym::new(issuer, account).to_string())
}

/// The limit that lets no further attempt through.
fn closed(decision: &Decision<'_>) -> Option<&'static str> {
    let mut empty = decision.standings().filter(|standing| standing.remaining == 0);
    empty.next().map(|standing| standing.rule.limit().name)
}
