//! The fetch of a set that is under way, from its claim to its end (rules 3, 4 and 6 of [`remote`](super)).

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::Jwks;
use super::fetch::Answer;
use super::turns::{Sought, Turn};
use super::{Progress, Remote};

/// The one fetch of a set. Dropped, it has failed.
pub(super) struct UnderWay {
    jwks: Jwks,
    has_ended: bool,
}

pub(super) enum Claim {
    Begin(UnderWay, watch::Receiver<()>),
    Running(watch::Receiver<()>),
    InVain,
    NotYet(Duration),
}

impl Jwks {
    pub(super) fn claim(&self, remote: &Remote, sought: Option<Sought<'_>>) -> Claim {
        let mut progress = remote.progress();
        if progress.running {
            return Claim::Running(progress.ended.subscribe());
        }
        match progress.turns.take(sought, Instant::now()) {
            Turn::Taken => Claim::Begin(self.under_way(&mut progress), progress.ended.subscribe()),
            Turn::InVain => Claim::InVain,
            Turn::NotYet(wait) => Claim::NotYet(wait),
        }
    }

    /// The background keeps its own rhythm: turns are about what tokens cause.
    pub(super) fn claim_background(&self, remote: &Remote) -> Option<UnderWay> {
        let mut progress = remote.progress();
        if progress.running {
            return None;
        }
        progress.turns.begin(Instant::now());
        Some(self.under_way(&mut progress))
    }

    fn under_way(&self, progress: &mut Progress) -> UnderWay {
        progress.running = true;
        UnderWay { jwks: self.clone(), has_ended: false }
    }
}

impl UnderWay {
    /// Fetches once, and exchanges the keys if there are new ones.
    pub(super) async fn finish(mut self) {
        let jwks = self.jwks.clone();
        let Some(remote) = jwks.remote() else { return };
        match remote.fetch().await {
            Ok(answer) => self.succeed(&jwks, remote, answer),
            Err(why) => {
                drop(self);
                tracing::warn!(
                    target: "palisade::keys", address = %remote.asked(), why = &*why, "key set not refreshed",
                );
            }
        }
    }

    fn succeed(&mut self, jwks: &Jwks, remote: &Remote, answer: Answer) {
        let mut progress = remote.progress();
        progress.last_good = Some(Instant::now());
        progress.max_age = answer.max_age;
        if let Some((set, etag)) = answer.changed {
            progress.etag = etag;
            jwks.replace(set); // before the log is told, which may panic
            for left_out in jwks.current().iter().flat_map(|set| set.left_out()) {
                tracing::info!(
                    target: "palisade::keys", address = %remote.asked(), kid = left_out.kid.as_deref(),
                    why = left_out.why, "key left out",
                );
            }
        }
        self.has_ended = true;
        progress.end(true);
    }
}

/// Rules 4 and 6.
impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some(remote) = self.jwks.remote().filter(|_| !self.has_ended) else { return };
        let mut progress = remote.progress();
        if progress.last_good.is_none_or(|good| good.elapsed() > remote.timing.stale) {
            progress.etag = None;
            self.jwks.clear();
        }
        progress.end(false);
    }
}
