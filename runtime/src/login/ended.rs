//! Sessions that were ended together: all of a subject, or all of one session at the provider (`sid`).
//!
//! Nobody can search a state for the sessions of somebody. So they are counted in rounds, and the record of a subject, or of a `sid`,
//! says which is the current one.
//!
//! Rules:
//! 1. a group is one of the provider's, and not of one login by it: who ends it by another on the same state ends these sessions,
//!    too, although that does not know them;
//! 2. a session is of the round in which its login came back, and over as soon as there is a later one. No clock decides: those that
//!    begin afterwards are good, also within the same second, and those of instances whose clocks are ahead end with the others;
//! 3. a new round is later than every one before it, also when the record of those is gone: it is at least the time in seconds
//!    ([`later_round`]);
//! 4. the record is kept as long as a session of a round before it can last, and by a margin for clocks that differ;
//! 5. the round is read before a session is kept: of a login that comes back while sessions are ended, the session may be over at
//!    once, and never escapes;
//! 6. the record of a `sid`, or of those of a subject that have none, is looked at where the provider may end sessions
//!    ([`back_channel`](super::back_channel)), and nowhere else;
//! 7. a record that cannot be read is an error and no absent record.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Login;
use super::error::LoginError;
use super::event::Event;
use super::session::Session;
use super::store::ATTEMPTS;
use crate::authn::jwt::MAX_LEEWAY;
use crate::state::{Expected, Key, Kind, Next, StateError, Swapped, later_round};

/// Which sessions are ended together.
#[derive(Clone, Copy)]
pub(super) enum Group<'a> {
    Subject(&'a str),
    /// Of one session there.
    AtProvider(&'a str),
    /// Of a subject whose sessions there have no names: whose ID token had no `sid`.
    Unnamed(&'a str),
}

/// In which round a session is of its groups.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Rounds {
    subject: u64,
    at_provider: u64,
}

impl Login {
    /// Ends all sessions of a subject of the provider, in every instance and of every login by it on the same state: for users who
    /// change their password, and accounts that are closed. A login that comes back afterwards makes a session that is good.
    ///
    /// What the provider keeps of its own is not ended: whoever is still logged in there logs in here without being asked.
    ///
    /// # Errors
    /// When the state fails or has no room: the sessions may be good still. Do it again.
    pub async fn end_all(&self, subject: &str) -> Result<(), LoginError> {
        self.begin_round(Group::Subject(subject)).await?;
        Event::EndedAll.emit(self.issuer(), subject);
        Ok(())
    }

    /// The rounds of a session that begins now.
    pub(super) async fn rounds(&self, subject: &str, sid: Option<&str>) -> Result<Rounds, LoginError> {
        let of_subject = Group::Subject(subject);
        if self.0.pages.back_channel.is_none() {
            return Ok(Rounds { subject: self.round(of_subject).await?, at_provider: 0 });
        }
        let there = sid.map_or(Group::Unnamed(subject), Group::AtProvider);
        // boxed: who asks for one does not carry the room for both
        let both = Box::pin(async { tokio::try_join!(self.round(of_subject), self.round(there)) });
        let (subject, at_provider) = both.await?;
        Ok(Rounds { subject, at_provider })
    }

    /// Whether it was ended with others.
    pub(super) async fn was_ended(&self, session: &Session) -> Result<bool, LoginError> {
        let current = self.rounds(&session.subject, session.sid.as_deref()).await?;
        let Rounds { subject, at_provider } = session.rounds;
        Ok(subject < current.subject || at_provider < current.at_provider)
    }

    async fn round(&self, group: Group<'_>) -> Result<u64, LoginError> {
        Ok(self.read_round(self.round_key(group)).await?.map_or(0, |(round, _)| round))
    }

    /// Ends all sessions of a group that began until now.
    pub(super) async fn begin_round(&self, group: Group<'_>) -> Result<(), LoginError> {
        let key = self.round_key(group);
        for _ in 0..ATTEMPTS {
            let now = self.now()?.unix();
            let known = self.read_round(key).await?;
            let round = later_round(known.map_or(0, |(round, _)| round), now);
            let expected = known.map_or(Expected::Nothing, |(_, version)| Expected::Version(version));
            let keep = Duration::from_secs(self.0.lifetimes.absolute.saturating_add(2 * MAX_LEEWAY));
            let next = Next::Record { value: round.to_be_bytes().to_vec(), keep };
            if let Swapped::Made(_) = self.0.state.swap(key, expected, next).await? {
                return Ok(());
            }
        }
        Err(LoginError::Busy)
    }

    /// With the version of its record.
    async fn read_round(&self, key: Key) -> Result<Option<(u64, u64)>, LoginError> {
        let Some(record) = self.0.state.get(key).await? else { return Ok(None) };
        let round = <[u8; 8]>::try_from(record.value)
            .map_err(|_| StateError::Engine("the record of ended sessions cannot be read".into()))?;
        Ok(Some((u64::from_be_bytes(round), record.version)))
    }

    fn round_key(&self, group: Group<'_>) -> Key {
        let (what, name) = match group {
            Group::Subject(subject) => (b"subject".as_slice(), subject),
            Group::AtProvider(sid) => (b"sid".as_slice(), sid),
            Group::Unnamed(subject) => (b"unnamed".as_slice(), subject),
        };
        Key::new(Kind::Session, &[b"ended", self.issuer().as_bytes(), what, name.as_bytes()])
    }
}
