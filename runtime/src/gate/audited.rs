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
//!    ends are told when they come;
//! 7. a call of which `audit_begun` is not stored by then is not told of: it does not run. Where it is stored after that, the
//!    handler begins when its end is stored as well, as of 4: what comes later may be told to nobody;
//! 8. a log that panics keeps none of this from the sink, and ends no process.

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
    /// A server of theirs has ended.
    is_over: bool,
}

struct Call {
    witness: Witness,
    /// What is said of its end when nobody has seen one. None: it is told.
    unseen: Option<&'static str>,
}

/// Of a call that waits to be told of. Rule 5.
const UNRUN: &str = "not_run";
/// Of one that runs. Rule 4.
const UNSEEN: &str = "not_seen";

impl Begun {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, witness: Witness) -> u64 {
        let mut calls = self.calls();
        let number = calls.next;
        calls.next = number.wrapping_add(1);
        calls.open.insert(number, Call { witness, unseen: Some(UNRUN) });
        number
    }

    /// It runs from now on. False: it is to be told of as rule 7 says before it does.
    fn run(&self, number: u64) -> bool {
        let mut calls = self.calls();
        if !calls.is_over
            && let Some(call) = calls.open.get_mut(&number)
        {
            call.unseen = Some(UNSEEN);
        }
        !calls.is_over
    }

    fn is_told(&self, number: u64) {
        if let Some(call) = self.calls().open.get_mut(&number) {
            call.unseen = None;
        }
    }

    /// What became of it is told before anybody says that it was not seen.
    fn end(&self, number: u64, tell: impl FnOnce(&Call)) {
        let mut calls = self.calls();
        if let Some(call) = calls.open.remove(&number) {
            tell(&call);
        }
    }

    /// Those that come from now on are of a server that serves.
    pub(super) fn open(&self) {
        self.calls().is_over = false;
    }

    /// Rules 6 and 7.
    pub(super) fn tell_unseen(&self) {
        let mut calls = self.calls();
        calls.is_over = true;
        for call in calls.open.values_mut().filter(|call| call.unseen == Some(UNSEEN)) {
            call.unseen = None;
            call.witness.report_audited(kind("audit_ended"), &UNSEEN, None);
        }
    }
}

/// A call that has begun, and is to be told the end of.
pub(crate) struct Audited {
    begun: Begun,
    number: u64,
}

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
        let begins = Self { begun, number };
        match begins.told(witness, deadline).await {
            Ok(()) => Ok(Some(begins)),
            // its refusal says that it did not run
            Err(unaudited @ Rejection::Unaudited(_)) => {
                begins.begun.is_told(number);
                Err(unaudited)
            }
            Err(late) => Err(late), // 5
        }
    }

    async fn told(&self, witness: &Witness, deadline: Instant) -> Result<(), Rejection> {
        stored(witness, deadline, "audit_begun", &"-", None).await?;
        if !self.begun.run(self.number) {
            stored(witness, deadline, "audit_ended", &UNSEEN, None).await?; // 7
            self.begun.is_told(self.number);
        }
        Ok(())
    }

    /// Rule 2.
    pub(crate) fn ended(self, outcome: Result<StatusCode, &Rejection>) {
        self.begun.end(self.number, |Call { witness, .. }| match outcome {
            Ok(status) => witness.report_audited(kind("audit_ended"), &"-", Some(status.as_u16())),
            Err(rejection) => {
                let status = outward(rejection).status.as_u16();
                witness.report_audited(kind("audit_ended"), rejection, Some(status));
            }
        });
    }
}

/// Rules 4 and 5.
impl Drop for Audited {
    fn drop(&mut self) {
        self.begun.end(self.number, |Call { witness, unseen }| {
            if let Some(unseen) = unseen {
                witness.report_audited(kind("audit_ended"), unseen, None);
            }
        });
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
        true => stored(witness, deadline, "audit_replayed", &"-", Some(status)).await,
        false => Ok(()),
    }
}

async fn stored(
    witness: &Witness,
    deadline: Instant,
    event_type: &'static str,
    reason: &'static &'static str,
    status: Option<StatusCode>,
) -> Result<(), Rejection> {
    let storing = witness.store(kind(event_type), reason, status.map(|status| status.as_u16()));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::*;
    use crate::event::{EventSink, EventSinkError, Events, SECURITY_EVENTS, SecurityEvent};
    use crate::logs::{PanickingLog, tell_to};
    use crate::{RequestId, StoreFuture};

    /// The reasons of what it was given.
    #[derive(Clone, Default)]
    struct Reasons(Arc<Mutex<Vec<String>>>);

    impl EventSink for Reasons {
        fn write<'a>(&'a self, events: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError> {
            let reasons = events.iter().filter_map(|event| event.failure_reason.as_deref());
            self.0.lock().unwrap().extend(reasons.map(str::to_owned));
            Box::pin(std::future::ready(Ok(())))
        }
    }

    fn call(begun: &Begun, events: &Events) -> Audited {
        let witness = Witness {
            request_id: RequestId::fresh(None),
            address: [192, 0, 2, 7].into(),
            method: Method::PUT,
            user_agent: None,
            policy: None,
            principal: None,
            of_tenant: None,
            errors: Default::default(),
            events: Some(events.clone()),
        };
        Audited { begun: begun.clone(), number: begun.add(witness) }
    }

    #[tokio::test]
    async fn a_log_that_panics_keeps_no_end_from_the_sink_and_ends_no_process() {
        let _log = tell_to(PanickingLog(SECURITY_EVENTS));
        let reasons = Reasons::default();
        let events = Events::to(reasons.clone());
        let begun = Begun::default();
        let crashes = call(&begun, &events);
        let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _dropped_by_it = crashes;
            panic!("a panic that drops it");
        }));
        assert!(crash.is_err());
        let ends = call(&begun, &events);
        assert!(begun.run(ends.number));
        ends.ended(Err(&Rejection::Deadline));
        let now = Instant::now() + Duration::from_secs(1);
        let waits = call(&begun, &events);
        let witness = begun.calls().open[&waits.number].witness.clone();
        assert!(stored(&witness, now, "audit_replayed", &"replayed", None).await.is_ok());
        events.settle().await;
        let late = Rejection::Deadline.to_string();
        assert_eq!(*reasons.0.lock().unwrap(), ["replayed", UNRUN, &late]);
    }

    #[tokio::test]
    async fn a_call_that_waits_to_be_told_of_is_no_call_whose_end_was_not_seen() {
        let reasons = Reasons::default();
        let events = Events::to(reasons.clone());
        let begun = Begun::default();
        let call = || call(&begun, &events);
        let (waits, runs) = (call(), call());
        assert!(begun.run(runs.number));
        let told = async || {
            events.settle().await;
            std::mem::take(&mut *reasons.0.lock().unwrap())
        };
        begun.tell_unseen();
        assert_eq!(told().await, [UNSEEN], "of the one that runs");
        assert!(!begun.run(waits.number), "it does not, until its end is told");
        drop(waits);
        assert_eq!(told().await, [UNRUN]);
        drop(runs);
        assert!(told().await.is_empty(), "it is told once");
        begun.open();
        assert!(begun.run(call().number));
    }
}
