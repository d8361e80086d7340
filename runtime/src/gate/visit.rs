//! One request's way through the gate: its id and address at the door, its answer's headers on the way out.

mod closing;

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

pub(super) use self::closing::refusal;
use super::fault::{Fault, Made};
use super::limits::{Due, Values};
use super::load::Place;
use super::told::{Reader, Told};
use super::walk::Walk;
use super::{Gate, Prepared, REQUEST_ID, RequestId, Witness};
use crate::address::{self, Connection, Origin};
use crate::authn::Principal;
use crate::authn::attempts::{Attempt, Attempts};
use crate::authn::certificate::ClientCertificate;
use crate::clock::{Clock, ClockError, Now};
use crate::input::{Receiver, Receiving, Sender};
use crate::limit::running::{Entered, Held};
use crate::limit::seen::{Network, Seen};
use crate::limit::{Charge, Few, Reserved, Rule};
use crate::operation::{Body, Priority};
use crate::problem::Rejection;
use crate::serve::Session;
use crate::settings::Settings;
use crate::works::Works;

/// A request between the door and its answer.
pub(crate) struct Visit {
    gate: Gate,
    witness: Witness,
    now: Result<Now, ClockError>,
    origin: Origin,
    /// It came through TLS of our own, or of the balancer that passed it on.
    tls: bool,
    /// What is wrong with the head of the request, whatever it asks for; said after step 2 has counted it.
    fault: Option<Fault>,
    standings: Few<Told>,
    /// Its place among all whose handlers are at work.
    place: Option<Place>,
    /// What its limits were charged, of which some may be taken back.
    charged: Vec<Reserved>,
    /// One of its limits refuses it.
    is_over: bool,
    is_replay: bool,
    /// Where it is a login that a handler verifies.
    attempt: Option<Attempt>,
    /// Its places among those that are under way.
    held: Few<Held>,
    /// What its limits count by, of its path and its body.
    values: Values,
    /// For the proofs of this client from now on (RFC 9449 section 8.2).
    nonce: Option<HeaderValue>,
    /// What it asks of a list that is walked by cursor.
    walk: Option<Walk>,
}

impl Visit {
    /// Step 1: who is at the door, and under which id do we speak of it.
    pub(crate) fn open(gate: &Gate, parts: &mut Parts) -> Self {
        gate.keep_limits(); // the runtime in which they were written may have ended
        let settings = gate.settings();
        let session: Option<Session> = parts.extensions.remove();
        let connection = Connection::of(&parts.extensions, session.is_some());
        let (proxies, header) = (&settings.trusted_proxies, settings.forwarded);
        let origin = address::origin(connection, &parts.headers, proxies, header);
        let trusted = connection.is_trusted(proxies);
        let name = session.as_ref().and_then(|session| session.name.as_deref());
        let fault = Fault::of(parts, (!trusted).then_some(Made { tls: connection.spoke_tls(), name }));
        if let Some(certificate) = certificate(session, trusted, settings, &parts.headers) {
            parts.extensions.insert(certificate);
        }
        let sent = parts.headers.get(REQUEST_ID).filter(|_| trusted).and_then(RequestId::forwarded);
        address::forget_forwarded(&mut parts.headers);
        let now = settings.clock.now();
        let witness = Witness {
            request_id: sent.unwrap_or_else(|| RequestId::fresh(now.ok())),
            address: origin.address,
            method: parts.method.clone(),
            user_agent: parts.headers.get(USER_AGENT).cloned(),
            policy: None,
            principal: None,
            of_tenant: None,
            errors: settings.errors,
            events: settings.events.clone(),
        };
        Self {
            gate: gate.clone(),
            witness,
            now,
            origin,
            tls: connection.tls,
            fault,
            standings: Few::new(),
            place: None,
            charged: Vec::new(),
            is_over: false,
            is_replay: false,
            attempt: None,
            held: Few::new(),
            values: Values::new(),
            nonce: None,
            walk: None,
        }
    }

    /// Step 2, with the operation the router found, if it found one: floods of unknown paths count, too.
    pub(crate) async fn arrive(&mut self, at: Option<&Prepared>) -> Result<(), Rejection> {
        self.witness.policy = at.map(Prepared::policy);
        self.now.map_err(|_| Rejection::ClockFailed)?;
        if let Some(class) = at.map(|at| at.policy().priority)
            && !self.gate.load().has_room(class)
        {
            return Err(Rejection::Overloaded(class));
        }
        if !self.gate.unread().lets_in(self.network()) {
            return Err(Rejection::Unread);
        }
        match at {
            Some(at) => self.spend(&at.limits().by_source).await?,
            None => self.spend(self.gate.clone().limits_of_strangers()).await?,
        }
        if let Some(fault) = self.fault {
            return Err(fault.into());
        }
        if !self.origin.protected {
            return Err(Rejection::Plaintext);
        }
        Ok(())
    }

    /// From here on, its limits may count by these.
    pub(super) fn count_by(&mut self, values: Values) {
        self.values.extend(values);
    }

    /// Counts this request under each of the limits, or under none when one is used up (steps 2, 9 and 11). What earlier steps
    /// counted is taken back then, when it is [closed](Visit::close).
    pub(crate) async fn spend(&mut self, due: &Due) -> Result<(), Rejection> {
        let spent = self.pass(due).await;
        self.is_over = spent.is_err();
        spent
    }

    async fn pass(&mut self, due: &Due) -> Result<(), Rejection> {
        if !due.running.is_empty() {
            self.enter(&due.running).await?;
        }
        match due.counted.is_empty() {
            true => Ok(()),
            false => self.charge(&due.counted).await,
        }
    }

    /// What came in a time.
    async fn charge(&mut self, rules: &[Arc<Rule>]) -> Result<(), Rejection> {
        // not when its head came: a client may let its body come long after that, of many requests at once
        let now = self.clock().now().map_err(|_| Rejection::ClockFailed)?;
        let seen = self.seen();
        let charges: Few<Charge<'_>> = rules.iter().map(|rule| rule.charge(&seen)).collect();
        let asking = self.gate.limiter().ask(micros(now), &charges, &seen);
        let decision = asking.await?;
        self.charged.append(&mut decision.charged());
        let refused = decision.refused_by().map(|limit| (limit, decision.retry_after()));
        let told = rules.iter().zip(decision.standings()).filter(|(_, standing)| standing.counted);
        self.standings.extend(told.map(|(rule, standing)| Told::new(rule, &standing)));
        match refused {
            Some((limit, retry_after)) => Err(Rejection::Limited { limit, retry_after }),
            None => Ok(()),
        }
    }

    /// Takes a place under each of the limits on what is under way, or under none when one is full.
    async fn enter(&mut self, rules: &[Arc<Rule>]) -> Result<(), Rejection> {
        let seen = self.seen();
        let charges: Few<Charge<'_>> = rules.iter().map(|rule| rule.charge(&seen)).collect();
        let entering = self.gate.limiter().enter(&charges, &seen);
        let Entered { standings, held } = entering.await?;
        let told = rules.iter().zip(&standings).filter(|(_, standing)| standing.counted);
        self.standings.extend(told.map(|(rule, standing)| Told::new(rule, standing)));
        let full =
            |limit| Rejection::Limited { limit, retry_after: self.gate.limiter().some_time(self.micros()) };
        self.held.push(held.map_err(full)?);
        Ok(())
    }

    /// What its limits count by.
    fn seen(&self) -> Seen<'_> {
        Seen { values: &self.values, ..self.witness.seen() }
    }

    fn network(&self) -> Network {
        Network::of(self.origin.address)
    }

    /// Its handler comes next, at once or when there is a place for it: it counts from here on.
    pub(super) async fn begin(&mut self, class: Priority, deadline: Instant) -> Result<(), Rejection> {
        if !self.gate.unread().lets_run(self.network(), self.witness.principal.is_some()) {
            return Err(Rejection::Unread);
        }
        let load = self.gate.load();
        self.place = match load.enter(class) {
            Some(place) => Some(place),
            None => Box::pin(load.wait(class, deadline)).await,
        };
        if self.place.is_some() { Ok(()) } else { Err(Rejection::Overloaded(class)) }
    }

    /// For the handler that goes on though its client has left.
    pub(super) const fn give_place(&mut self) -> Option<Place> {
        self.place.take()
    }

    /// For what goes on though its client has left.
    pub(super) fn held(&self) -> Few<Held> {
        self.held.clone()
    }

    /// Who calls, and whose credential says for which tenant.
    pub(crate) fn identify(&mut self, principal: Option<&Principal>, of_tenant: Option<&Principal>) {
        self.witness.principal = principal.cloned();
        self.witness.of_tenant = of_tenant.cloned();
    }

    /// Every answer from here on gives this nonce.
    pub(super) fn give_nonce(&mut self, nonce: Option<HeaderValue>) {
        self.nonce = nonce;
    }

    /// It asks this of a list.
    pub(super) fn walk(&mut self, walk: Option<Walk>) {
        self.walk = walk;
    }

    /// Whether it comes from this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.origin.local
    }

    /// What this request's credentials are counted by when they are no good.
    pub(super) fn attempts(&self) -> Attempts<'_> {
        self.attempts_at(self.now())
    }

    fn attempts_at(&self, now: Now) -> Attempts<'_> {
        self.gate.failures().of(self.origin.address, now, self.witness.request_id.as_str())
    }

    /// It is a login, and its handler comes next: it is charged from here on.
    pub(super) async fn attempt(
        &mut self,
        operation: &str,
        account: Option<String>,
    ) -> Result<(), Rejection> {
        // not when its head came, as for limits
        let now = self.clock().now().map_err(|_| Rejection::ClockFailed)?;
        let charged = Box::pin(self.attempts_at(now).begin(operation, account)).await;
        // what it came with is good, so nothing else is asked for
        let refused = |reason| Rejection::Denied { reason, challenges: Vec::new() };
        self.attempt = Some(charged.map_err(refused)?);
        Ok(())
    }

    /// The tasks of this gate that outlive their clients.
    pub(super) fn effects(&self) -> &Works {
        self.gate.effects()
    }

    /// What receives its body.
    pub(super) fn receiver<'a>(
        &'a self,
        declared: Option<&'a Body>,
        receiving: fn(usize) -> Receiving,
    ) -> Receiver<'a> {
        let sender = Sender {
            arriving: self.gate.arriving(),
            network: Network::of(self.origin.address),
            is_known: self.witness.principal.is_some(),
        };
        Receiver { declared, receiving, spool: self.gate.spool(), sender }
    }

    /// Its answer is that of a call that was counted: nothing was done for it.
    pub(super) const fn note_replay(&mut self) {
        self.is_replay = true;
    }

    /// For the event of a refusal that comes when this visit is over.
    pub(crate) fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// When it came. Step 2 refused it if that cannot be known.
    pub(crate) fn now(&self) -> Now {
        self.now.unwrap_or(Now::EARLIEST)
    }

    /// Microseconds of a clock that never goes back.
    fn micros(&self) -> u64 {
        micros(self.now())
    }

    /// What tells the time to what goes on after this request came.
    pub(super) fn clock(&self) -> Clock {
        self.gate.settings().clock.clone()
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn request_id(&self) -> RequestId {
        self.witness.request_id
    }
}

/// Microseconds of a clock that never goes back.
pub(super) fn micros(now: Now) -> u64 {
    u64::try_from(now.monotonic().as_micros()).unwrap_or(u64::MAX)
}

/// The client's certificate. A trusted proxy has one of its own, which says nothing of those for whom it asks: what counts
/// is what it passes on, where it is trusted with that.
fn certificate(
    session: Option<Session>,
    trusted: bool,
    settings: &Settings,
    headers: &HeaderMap,
) -> Option<ClientCertificate> {
    match trusted {
        true if settings.client_certificates => ClientCertificate::forwarded(headers),
        true => None,
        false => session.and_then(|session| session.certificate),
    }
}

/// Runs the steps; a panic anywhere in them ends this request alone.
///
/// No `async fn`, which would hold its argument twice: once as it came, once while it waits for it.
pub(crate) fn guarded<T>(
    steps: impl Future<Output = Result<T, Rejection>>,
) -> impl Future<Output = Result<T, Rejection>> {
    // The steps own nothing that outlives a panic half-changed: the limiter's and the caches' locks recover by design.
    AssertUnwindSafe(steps).catch_unwind().map(|outcome| match outcome {
        Ok(result) => result,
        Err(payload) => Err(Rejection::Panicked(panic_message(payload.as_ref()))),
    })
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
