//! What becomes of a credential that was verified and found bad (rules 6 to 8 of [`attempts`](super)).

use std::hash::{BuildHasher, RandomState};

use super::{
    Attempts, Claim, Whom, closed,
    known::{Known, Place},
    whom,
};
use crate::{
    authn::{Denied, Reason, certificate::ClientCertificate, prepared::Prepared, present::Credential},
    limit::{Decision, Reserved, seen::Network},
};

/// Credentials that may have been good before and were counted: 384 KiB.
const COUNTED: usize = 16_384;

/// What was counted once, and is not counted again where it is shown again.
pub(super) struct Counted {
    known: Known,
    hasher: RandomState,
}

/// What an attempt took, and the limit that lets no further one through.
type Taken = (Vec<Reserved>, Option<&'static str>);

fn taken(decision: &Decision<'_>) -> Taken {
    (decision.charged(), closed(decision))
}

impl Counted {
    pub(super) fn new() -> Self {
        Self { known: Known::new(COUNTED), hasher: RandomState::new() }
    }

    fn place(&self, from: Network, credential: &Credential<'_>) -> Option<Place> {
        let bytes = match credential {
            Credential::Text(text) => &**text,
            Credential::Certificate(ClientCertificate::Whole(certificate)) => certificate.thumbprint(),
            // of a password it is known whose it is
            Credential::Password(_) | Credential::Certificate(ClientCertificate::Unreadable) => return None,
        };
        let key = self.hasher.hash_one((from, bytes));
        Some(Place { owner: key, key, written: key })
    }
}

impl Attempts<'_> {
    /// Rules 6 to 8: counts what was refused, and was not charged before; what comes out is what the client is told.
    pub(in crate::authn) async fn after(
        &self,
        prepared: &Prepared,
        denied: Denied,
        shown: &[Option<Credential<'_>>],
    ) -> Denied {
        let mut shown = prepared.schemes.iter().zip(shown);
        let refused = denied.scheme().and_then(|name| shown.find(|(scheme, _)| scheme.name == name));
        let Some((scheme, shown)) = refused.filter(|_| denied.reason().is_bad_credential()) else {
            return denied;
        };
        let claim = shown.as_ref().and_then(|credential| scheme.claim(credential));
        if let Some(claim) = claim.as_ref().filter(|_| scheme.is_guessable()) {
            // it was charged before
            return self.as_of_strangers(claim).await.map_or(denied, |wait| Denied::of(scheme.name, wait));
        }
        let claimed = claim.as_ref().map(|claim| (claim.issuer, claim.account));
        match self.count(denied.reason(), claimed, shown.as_ref()).await {
            Ok(closes) => {
                self.report(closes, claimed);
                denied
            }
            Err(wait) => Denied::of(scheme.name, wait),
        }
    }

    /// Rule 8 for a wrong password of somebody whom the network knows (rule 3), who is let try while it is closed for all
    /// others: why one of a stranger would be refused.
    async fn as_of_strangers(&self, claim: &Claim<'_>) -> Option<Reason> {
        // whom it was known for when this was charged is known here since
        let there = self.there(claim.issuer, claim.account, claim.account)?;
        if !self.failures.of_known.as_ref()?.networks.knows_here(there, self.now) {
            return None;
        }
        match self.charge(Whom::Network, None, |decision| decision.charged()).await {
            Ok(reserved) => {
                self.give_back(Whom::Network, &reserved).await;
                None
            }
            Err(wait) => Some(wait),
        }
    }

    /// Which limit it closes, or why it is refused as one too many: whatever is wrong with it, by the same buckets.
    pub(super) async fn count(
        &self,
        reason: Reason,
        claimed: Option<(&str, &str)>,
        shown: Option<&Credential<'_>>,
    ) -> Result<Option<&'static str>, Reason> {
        let at = whom(claimed.is_some(), false);
        let (of_guesses, closes) = self.charge(at, claimed, |decision| taken(&decision)).await?;
        let widely = self.charge(Whom::NetworkWidely, None, |decision| taken(&decision)).await;
        let guess = reason.is_guess() && widely.is_ok();
        if !guess {
            self.give_back(at, &of_guesses).await;
        }
        let (of_unknown, closes_widely) = widely?;
        let unknown = reason.may_be_made_up() && self.is_first(shown);
        if !unknown {
            self.give_back(Whom::NetworkWidely, &of_unknown).await;
        }
        Ok(closes.filter(|_| guess).or(closes_widely.filter(|_| unknown)))
    }

    /// Rule 7: whether this was not counted before. It is noted.
    fn is_first(&self, shown: Option<&Credential<'_>>) -> bool {
        let counted = &self.failures.counted;
        let place = shown.and_then(|shown| counted.place(Network::of(self.from), shown));
        let first = !place.is_some_and(|place| counted.known.holds(place, self.now));
        if let Some(place) = place.filter(|_| first) {
            counted.known.insert(place, self.now);
        }
        first
    }
}
