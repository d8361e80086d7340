//! A file of users as a running server sees it: read again when it has changed.
//!
//! Rules:
//! 1. the users that a password is verified by were compared with the file at most a second ago. The verification, which is off
//!    the async threads already, looks, and others wait for what it finds;
//! 2. a file that cannot be read, or in which a line is no record, changes nothing: the users of before stay, and an event of
//!    high severity says so, once until the file is good again;
//! 3. a file that changed a moment before it was read is read again ([`Stamp::is_settled`]).

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

use super::Users;
use crate::{
    authn::{
        api_key::{RecordError, read_text},
        file::Stamp,
    },
    event::{self, Kind, SECURITY_EVENTS, SecurityEvent, Severity, known},
};

/// How old the last look may be.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Watched {
    path: PathBuf,
    last: Mutex<Look>,
}

struct Look {
    began: Instant,
    /// `None`: the file may have changed without a trace.
    stamp: Option<Stamp>,
    failed: bool,
}

impl Watched {
    /// Reads it at once.
    pub(super) fn open(path: &Path) -> Result<(Self, Users), RecordError> {
        let began = Instant::now();
        let (users, stamp) = read(path)?;
        let last = Mutex::new(Look { began, stamp, failed: false });
        Ok((Self { path: path.to_owned(), last }, users))
    }

    /// Rule 1. Blocks.
    pub(super) fn refresh(&self, users: &ArcSwap<Users>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.began.elapsed() < LOOK_EVERY {
            return;
        }
        last.began = Instant::now();
        if last.stamp.is_some() && Stamp::of(&self.path).ok() == last.stamp {
            return;
        }
        match read(&self.path) {
            Ok((newer, stamp)) => {
                users.store(Arc::new(newer));
                last.stamp = stamp;
                last.failed = false;
            }
            Err(error) => {
                last.stamp = None;
                if !std::mem::replace(&mut last.failed, true) {
                    self.report(&error);
                }
            }
        }
    }

    /// Rule 2.
    fn report(&self, error: &RecordError) {
        tracing::error!(
            target: SECURITY_EVENTS, event_type = "sys_password_file_unusable", severity = "High",
            timestamp = %jiff::Timestamp::now(), file = %self.path.display(), failure_reason = %error,
            "the users of before stay until the file can be read",
        );
        let kind = Kind { event_type: "sys_password_file_unusable", severity: Severity::High };
        event::store(kind.severity, || SecurityEvent {
            failure_reason: known(error),
            ..SecurityEvent::of(kind)
        });
    }
}

/// What is there, and its stamp if any change from now on has another (rule 3).
fn read(path: &Path) -> Result<(Users, Option<Stamp>), RecordError> {
    // before it is read: what changes meanwhile is read again
    let stamp = Stamp::of(path).map_err(|cause| RecordError::File(path.to_owned(), cause))?;
    let settled = stamp.is_settled();
    let users = Users::of_lines(&read_text(path)?)?;
    Ok((users, settled.then_some(stamp)))
}
