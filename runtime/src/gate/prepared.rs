//! [`Gate`]: the parts that decide, and each operation's policy made ready, so that a request looks nothing up by name.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::OptionFuture;
use http::HeaderMap;
use tokio::time::{Instant, timeout};

use super::CursorScope;
use super::allowance::Allowance;
use super::audited::Begun;
use super::builder::GateBuilder;
use super::limits::{Due, Limits};
use super::load::Load;
use super::unread::Unread;
use super::visit::micros;
use super::walkers::Walkers;
use crate::authn::attempts::Failures;
use crate::authn::step_up::Insufficient;
use crate::authn::{self, Authenticated, Denied, Principal, Schemes};
use crate::authz::{Authorized, Forbidden};
use crate::clock::Now;
use crate::config_error::ConfigError;
use crate::cursor::{self, CursorKeys, Filters};
use crate::event::{Events, storing};
use crate::going_on::{Going, GoingOn};
use crate::idempotency::{Call, ClientKey, KeptAnswers, Refusal};
use crate::input::{Arriving, CursorInput, Sent, Spool};
use crate::limit::{Limiter, kept};
use crate::operation::{Document, Operation, Ownership, Policy};
use crate::problem::{Problem, Rejection};
use crate::readiness::Degraded;
use crate::resource::Attributes;
use crate::settings::Settings;
use crate::works::Works;

/// For what is to be written last.
const WRITING: Duration = Duration::from_secs(2);

/// How an object of a resource is found. The future owns what it needs, so it may outlive the call.
pub(crate) type Resolver = dyn Fn(String) -> Resolving + Send + Sync;
type Resolving = Pin<Box<dyn Future<Output = Result<Option<Attributes>, Problem>> + Send>>;

/// Everything that decides over requests: verifiers, limits, cursor keys, settings. Cheap to clone.
///
/// A generated server holds one. An axum application that adopts operations by `#[derive(palisade::Operation)]` builds
/// its own with [`Gate::builder`] and keeps it in its state.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) limiter: Limiter,
    pub(super) walkers: Walkers,
    pub(super) load: Load,
    pub(super) unread: Unread,
    pub(super) schemes: Schemes,
    pub(super) failures: Failures,
    pub(super) strangers: Due,
    pub(super) operations: BTreeMap<&'static str, Prepared>,
    pub(super) effects: Works,
    pub(super) begun: Begun,
    pub(super) spool: Spool,
    pub(super) arriving: Arriving,
    pub(super) writes_limits: GoingOn,
}

/// An operation's policy with the parts that it names.
#[derive(Clone)]
pub(crate) struct Prepared {
    ready: Arc<Ready>,
}

pub(super) struct Ready {
    pub(super) policy: &'static Policy,
    pub(super) document: &'static Document,
    pub(super) security: authn::Prepared,
    pub(super) limits: Limits,
    pub(super) ownership: Option<OwnershipRule>,
    pub(super) cursor: Option<Arc<CursorKeys>>,
    pub(super) answers: Option<Answers>,
}

/// Where the answers of an operation are kept, and how much of them a principal may have.
pub(super) struct Answers {
    pub(super) kept: KeptAnswers,
    pub(super) per_principal: Arc<Allowance>,
}

/// The ownership rule with its resolver.
pub(crate) struct OwnershipRule {
    pub(crate) facts: &'static Ownership,
    /// Which capture of the path is the object's id.
    pub(crate) capture: usize,
    pub(crate) resolver: ResolverHandle,
}

/// A resolver that can be called.
pub(crate) struct ResolverHandle(Arc<Resolver>);

impl ResolverHandle {
    pub(super) fn new(resolver: Arc<Resolver>) -> Self {
        Self(resolver)
    }

    pub(crate) async fn resolve(&self, id: String) -> Result<Option<Attributes>, Problem> {
        (self.0)(id).await
    }
}

impl Gate {
    /// Begins a gate for operations that an existing axum application adopts.
    #[must_use]
    pub fn builder() -> GateBuilder {
        GateBuilder::default()
    }

    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The operation's prepared policy, if it was given to the builder.
    pub(crate) fn prepared(&self, id: &str) -> Option<Prepared> {
        self.inner.operations.get(id).cloned()
    }

    /// The same for an operation's type. An operation of that name in another document is another one.
    pub(crate) fn prepared_for<Op: Operation>(&self) -> Option<Prepared> {
        self.prepared(Op::POLICY.id).filter(|prepared| prepared.ready.document.hash == Op::DOCUMENT.hash)
    }

    /// Fetches the key sets that its schemes name by URL, and keeps them fresh from then on. The files of client
    /// certificates are looked at from then on, and on SIGHUP, which ends a process that does not listen to it. Limits that outlast the
    /// process are written from then on, too.
    ///
    /// # Errors
    /// Every key set that cannot be had.
    pub async fn ready(&self) -> Result<(), ConfigError> {
        let loaded = storing(self.inner.settings.events.clone(), self.inner.schemes.load()).await;
        loaded.map_err(|errors| ConfigError::new(errors.iter().map(ToString::to_string).collect()))?;
        self.keep_limits();
        self.inner.begun.open();
        if let Some(events) = &self.inner.settings.events {
            events.start();
        }
        Ok(())
    }

    /// Says which of its schemes have an issuer that does not answer, as long as there is a gate.
    pub(crate) fn degraded(&self) -> Degraded {
        let inner = Arc::downgrade(&self.inner);
        Degraded::new(move || inner.upgrade().map_or_else(Vec::new, |inner| inner.schemes.unanswered()))
    }

    /// Writes the counters that outlast this process from now on, as long as there is a gate.
    pub(super) fn keep_limits(&self) {
        if self.inner.failures.are_kept() {
            self.inner.writes_limits.begin(|going| write_limits(Arc::downgrade(&self.inner), going));
        }
    }

    /// Ends when nothing runs any more that outlives its client.
    pub(crate) async fn settled(&self) {
        self.inner.effects.settled().await;
    }

    /// Ends when what was counted is written, others know which places are free, and events are stored, or after two seconds. None
    /// waits for another. What still runs is told of before.
    ///
    /// [`serve`](crate::serve) does it when it stops. Where the gate is served otherwise, such as by `axum::serve`, call it when that has
    /// ended, before the runtime does: else what waits for the sink of security events is lost.
    pub async fn written(&self) {
        self.inner.begun.tell_unseen();
        let events = OptionFuture::from(self.inner.settings.events.as_ref().map(Events::settle));
        let all = async { tokio::join!(self.inner.limiter.settle(), self.inner.write_limits(), events) };
        if timeout(WRITING, all).await.is_err() {
            tracing::warn!("not all that a gate had to write was written in time");
        }
    }

    /// What authenticates for an operation with this access.
    #[cfg(feature = "measure")]
    pub(crate) fn security_of(
        &self,
        access: &'static crate::operation::Access,
    ) -> Result<authn::Prepared, ConfigError> {
        let prepared = self.inner.schemes.prepare("measured", access);
        prepared.map_err(|errors| ConfigError::new(errors.iter().map(ToString::to_string).collect()))
    }

    /// Whether one of its schemes takes client certificates, or tokens that are bound to them.
    pub(crate) fn asks_for_certificates(&self) -> bool {
        self.inner.schemes.ask_for_certificates()
    }

    /// Whether both are handles of one gate.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The tasks of its operations that may outlive their clients.
    pub(crate) fn effects(&self) -> &Works {
        &self.inner.effects
    }

    /// Its audited calls that have not ended.
    pub(super) fn begun(&self) -> &Begun {
        &self.inner.begun
    }

    pub(super) fn spool(&self) -> &Spool {
        &self.inner.spool
    }

    pub(super) fn arriving(&self) -> &Arriving {
        &self.inner.arriving
    }

    /// What its clients have not taken of their answers.
    pub(super) fn unread(&self) -> &Unread {
        &self.inner.unread
    }

    pub(super) fn load(&self) -> &Load {
        &self.inner.load
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.inner.limiter
    }

    pub(super) fn walkers(&self) -> &Walkers {
        &self.inner.walkers
    }

    /// The attempts to authenticate that failed.
    pub(crate) fn failures(&self) -> &Failures {
        &self.inner.failures
    }

    /// The limits that count a request which matches no operation.
    pub(crate) fn limits_of_strangers(&self) -> &Due {
        &self.inner.strangers
    }
}

impl Inner {
    async fn write_limits(&self) {
        if let Ok(now) = self.settings.clock.now() {
            self.limiter.keep(micros(now)).await;
            self.failures.keep(micros(now)).await;
        }
    }
}

async fn write_limits(inner: Weak<Inner>, _going: Going) {
    loop {
        tokio::time::sleep(kept::PERIOD).await;
        let Some(inner) = inner.upgrade() else { return };
        inner.write_limits().await;
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("operations", &self.inner.operations.len()).finish_non_exhaustive()
    }
}

impl Prepared {
    pub(super) fn new(ready: Ready) -> Self {
        Self { ready: Arc::new(ready) }
    }

    pub(crate) fn policy(&self) -> &'static Policy {
        self.ready.policy
    }

    pub(crate) fn security(&self) -> &authn::Prepared {
        &self.ready.security
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.ready.limits
    }

    pub(crate) fn ownership(&self) -> Option<&OwnershipRule> {
        self.ready.ownership.as_ref()
    }

    pub(crate) fn denied(&self, reason: Denied) -> Rejection {
        let challenges = self.ready.security.challenges(&reason);
        Rejection::Denied { reason, challenges }
    }

    pub(crate) fn forbidden(&self, reason: Forbidden) -> Rejection {
        let challenges = self.ready.security.insufficient_scope(&reason);
        Rejection::Forbidden { reason, challenges }
    }

    pub(crate) fn insufficient(&self, reason: Insufficient, shown: &Authenticated<'_>) -> Rejection {
        let rule = self.ready.policy.step_up.as_ref();
        let challenges = rule.map(|rule| self.ready.security.insufficient_login(rule, shown));
        Rejection::StepUp { reason, challenges: challenges.unwrap_or_default() }
    }

    /// Whoever was verified first: of whom an event speaks when the scopes do not suffice.
    pub(crate) fn first_held<'a>(&self, authenticated: &'a Authenticated<'_>) -> Option<&'a Principal> {
        (0..self.ready.security.schemes.len()).find_map(|index| authenticated.held(index))
    }

    /// The account that the body of a login names, as it is written.
    pub(crate) fn account(&self, sent: Option<&Sent<'_>>) -> Option<String> {
        let login = self.ready.policy.login.as_ref()?;
        sent?.texts(&[login.account]).pop().map(|(_, account)| account)
    }

    /// Whether what this operation answers is kept.
    pub(crate) fn keeps_answers(&self) -> bool {
        self.ready.answers.is_some()
    }

    /// How much of it one principal may have kept.
    pub(super) fn allowance(&self) -> Option<&Arc<Allowance>> {
        self.ready.answers.as_ref().map(|answers| &answers.per_principal)
    }

    /// Step 10: the key of a call, where the operation takes one.
    pub(crate) fn client_key(&self, headers: &HeaderMap) -> Result<Option<ClientKey>, Rejection> {
        let Some(rule) = &self.ready.policy.idempotency else { return Ok(None) };
        ClientKey::of(rule, headers).map_err(|fault| Rejection::Idempotency(Refusal::Key(fault, rule.docs)))
    }

    /// What step 14 claims a key for.
    pub(crate) fn call(
        &self,
        authorized: &Authorized,
        key: ClientKey,
        print: [u8; 32],
        deadline: Instant,
    ) -> Option<Call> {
        let answers = self.ready.answers.as_ref()?;
        Call::new(answers.kept.clone(), self.ready.policy, authorized, key, print, deadline)
    }

    /// Step 13: what a cursor of this request is bound to, and where the one it carries points.
    pub(crate) fn open_cursor(
        &self,
        authorized: &Authorized,
        input: Option<CursorInput>,
        now: Now,
    ) -> Result<Option<CursorScope>, Rejection> {
        let (Some(keys), Some(pagination)) = (&self.ready.cursor, &self.ready.policy.pagination) else {
            return Ok(None);
        };
        let CursorInput { token, filters } = input.unwrap_or_default();
        let mut scope = CursorScope {
            keys: Arc::clone(keys),
            policy: self.ready.policy,
            document: self.ready.document,
            filters: Filters::from_canonical(filters),
            opened: None,
            sealed: Arc::default(),
            expires: now.unix().saturating_add(pagination.ttl.as_secs()),
        };
        if let Some(token) = token {
            let callers = authorized.identities();
            let binding = scope.binding(&callers);
            let opened = cursor::open(keys, &binding, &token, (pagination.ttl, now.unix()));
            scope.opened = Some(opened.map_err(Rejection::Cursor)?);
        }
        Ok(Some(scope))
    }
}
