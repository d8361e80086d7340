//! Operations with `audit: true`: what is done is told of before it is done, and how it ended.
//!
//! The logging vocabulary of OWASP has no words for that: its `sensitive_*` say what became of which data, which the handler knows
//! and we do not.
//!
//! Rules:
//! 1. before the handler begins, when nothing else refuses any more, `audit_begun` is stored. Where it is not in time, the handler
//!    does not run, and the client may come again (503);
//! 2. what became of the call is `audit_ended` with its status, or the reason why there is none. It waits for the sink as what
//!    is high does, and is told also where nobody waits for the answer any more;
//! 3. a call that gets the answer of another is `audit_replayed`, stored before that leaves. Nothing is done for it;
//! 4. a call whose end nobody sees, because its client left and that stopped it, or because the process did not wait for it, is
//!    told of as that: it may have been done in part;
//! 5. a client who leaves while its call waits to be told of stops it there, and so does the deadline of the operation (504), which
//!    says nothing of the sink: `audit_begun` may be stored, and the handler does not run. That is told of as well;
//! 6. a server that ends tells of those that still run as of 4, while the sink is still written. Where its process goes on, their
//!    ends are told when they come.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use http::StatusCode;
use tokio::time::{Instant, timeout_at};

use super::{Gate, Witness, guarded};
use crate::event::{Kind, NotStored, Severity};
use crate::problem::{Rejection, outward};

/// The audited calls of a gate that have not ended: no more than handlers are at work.
#[derive(Clone, Default)]
pub(crate) struct Begun(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    next: u64,
    open: BTreeMap<u64, Call>,
}

struct Call {
    witness: Witness,
    is_told: bool,
}

impl Begun {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, witness: Witness) -> u64 {
        let mut calls = self.calls();
        let number = calls.next;
        calls.next = number.wrapping_add(1);
        calls.open.insert(number, Call { witness, is_told: false });
        number
    }

    fn take(&self, number: u64) -> Option<Call> {
        self.calls().open.remove(&number)
    }

    /// Rule 6.
    pub(super) fn tell_unseen(&self) {
        for call in self.calls().open.values_mut().filter(|call| !call.is_told) {
            call.is_told = true;
            call.witness.report_audited(kind("audit_ended"), &UNSEEN, None);
        }
    }
}

/// A call that has begun, and is to be told the end of.
pub(crate) struct Audited {
    begun: Begun,
    number: u64,
    /// What is said of its end when nobody has seen one.
    unseen: &'static str,
}

/// Rule 4.
const UNSEEN: &str = "not_seen";

impl Audited {
    /// Rule 1. None: it is no audited operation.
    pub(crate) async fn begin(
        gate: &Gate,
        witness: &Witness,
        deadline: Instant,
    ) -> Result<Option<Self>, Rejection> {
        if !witness.is_audited() {
            return Ok(None);
        }
        let begun = gate.begun().clone();
        let number = begun.add(witness.clone());
        let mut begins = Self { begun, number, unseen: "not_run" }; // 5
        match stored(witness, deadline, "audit_begun", None).await {
            Ok(()) => begins.unseen = UNSEEN,
            // its refusal says that it did not run
            Err(unaudited @ Rejection::Unaudited(_)) => {
                begins.begun.take(number);
                return Err(unaudited);
            }
            Err(late) => return Err(late), // 5
        }
        Ok(Some(begins))
    }

    /// Rule 2.
    pub(crate) fn ended(self, outcome: Result<StatusCode, &Rejection>) {
        if let Some(Call { witness, .. }) = self.begun.take(self.number) {
            match outcome {
                Ok(status) => witness.report_audited(kind("audit_ended"), &"-", Some(status.as_u16())),
                Err(rejection) => {
                    let status = outward(rejection).status.as_u16();
                    witness.report_audited(kind("audit_ended"), rejection, Some(status));
                }
            }
        }
    }
}

/// Rules 4 and 5.
impl Drop for Audited {
    fn drop(&mut self) {
        let unseen = self.begun.take(self.number).filter(|call| !call.is_told);
        if let Some(Call { witness, .. }) = unseen {
            witness.report_audited(kind("audit_ended"), &self.unseen, None);
        }
    }
}

/// Tells the end of what is done. It is told as well when this is dropped before that.
///
/// No `async fn`, which would hold its argument twice.
pub(super) fn telling<T>(
    audited: Option<Audited>,
    work: impl Future<Output = Result<T, Rejection>>,
    status: impl FnOnce(&T) -> StatusCode,
) -> impl Future<Output = Result<T, Rejection>> {
    guarded(work).map(move |outcome| {
        if let Some(audited) = audited {
            audited.ended(outcome.as_ref().map(status));
        }
        outcome
    })
}

/// Rule 3.
pub(super) async fn replayed(
    witness: &Witness,
    deadline: Instant,
    status: StatusCode,
) -> Result<(), Rejection> {
    match witness.is_audited() {
        true => stored(witness, deadline, "audit_replayed", Some(status)).await,
        false => Ok(()),
    }
}

async fn stored(
    witness: &Witness,
    deadline: Instant,
    event_type: &'static str,
    status: Option<StatusCode>,
) -> Result<(), Rejection> {
    let storing = witness.store(kind(event_type), status.map(|status| status.as_u16()));
    match timeout_at(deadline, storing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(NotStored(left_alone))) => Err(Rejection::Unaudited(left_alone)),
        Err(_) => Err(Rejection::Deadline),
    }
}

/// It happens all day.
const fn kind(event_type: &'static str) -> Kind {
    Kind { event_type, severity: Severity::Low }
}
