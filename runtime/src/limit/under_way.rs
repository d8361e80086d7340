//! Letting a request in under limits on what is under way: here, and where instances count together.
//!
//! Rules:
//! 1. all limits of a step let it in, or none counts it;
//! 2. what is let in there is counted here as well, without a bound; what is let in here in an outage counts there after it;
//! 3. while the shared counters cannot be asked, each limit does as it says of an outage ([`Limiter::ask`]); the share of this
//!    process is of all that is under way here, also of what began before.

use super::running::Entered;
use super::seen::Seen;
use super::shared::{SharedLimits, Taken};
use super::{Charge, Few, Limiter, Outage, Rule, Standing, none_denies};
use crate::breaker::LeftAlone;
use crate::operation::OnOutage;

impl Limiter {
    /// Lets a request in under limits on what is under way, all of them or none; where instances count together, here and
    /// there. `seen` is what the charges are made of.
    ///
    /// # Errors
    /// When the shared counters cannot be asked, and one of the limits lets nothing pass then.
    pub(crate) async fn enter<'a>(
        &self,
        charges: &[Charge<'a>],
        seen: &Seen<'_>,
    ) -> Result<Entered<'a>, Outage> {
        match &self.shared {
            None => Ok(self.running.enter(charges, Rule::quota)),
            Some(shared) => Box::pin(self.enter_shared(shared, charges, seen)).await,
        }
    }

    /// What was left is told of before the process ends.
    pub(crate) async fn settle(&self) {
        if let Some(shared) = &self.shared {
            shared.settle().await;
        }
    }

    async fn enter_shared<'a>(
        &self,
        shared: &SharedLimits,
        charges: &[Charge<'a>],
        seen: &Seen<'_>,
    ) -> Result<Entered<'a>, Outage> {
        // a limit that is named twice has one counter, where a request takes its places once
        let wanted: Few<(Taken, u32)> = charges.iter().map(|charge| charge.wanted(seen)).collect();
        let came = match shared.take(&wanted).await {
            Ok(came) => came,
            Err(error) => return self.enter_in_outage(shared, charges, &wanted, error.left_alone()),
        };
        let standing = |(charge, taken): (&Charge<'a>, &u32)| charge.standing(*taken, charge.rule.quota());
        let mut standings: Few<Standing<'a>> = charges.iter().zip(&came.taken).map(standing).collect();
        let full = standings.iter().find(|standing| standing.wait > 0).map(|standing| standing.rule.limit);
        let held = match (came.lease, full) {
            (Some(lease), _) => {
                standings.iter_mut().for_each(|standing| standing.wait = 0);
                self.running.enter(charges, |_| u32::MAX).held.map(|held| held.with(lease))
            }
            (None, Some(full)) => Err(full),
            (None, None) => return self.enter_in_outage(shared, charges, &wanted, None), // which contradicts itself
        };
        Ok(Entered { standings, held })
    }

    /// As [`Limiter::outage`].
    fn enter_in_outage<'a>(
        &self,
        shared: &SharedLimits,
        charges: &[Charge<'a>],
        wanted: &[(Taken, u32)],
        left_alone: Option<LeftAlone>,
    ) -> Result<Entered<'a>, Outage> {
        none_denies(charges, left_alone)?;
        let is_open = |rule: &Rule| rule.limit.on_outage == OnOutage::Allow;
        let most = |rule: &Rule| match is_open(rule) {
            true => u32::MAX,
            false => shared.share_of_places(rule.limit),
        };
        let Entered { mut standings, held } = self.running.enter(charges, most);
        standings.iter_mut().for_each(|standing| standing.counted = !is_open(standing.rule));
        let lease = || shared.hold(wanted.iter().map(|(taken, _)| *taken).collect());
        Ok(Entered { standings, held: held.map(|held| held.with(lease())) })
    }
}

impl Charge<'_> {
    fn wanted(&self, seen: &Seen<'_>) -> (Taken, u32) {
        (Taken { name: self.rule.name_of(seen), cost: self.cost }, self.rule.quota())
    }
}
