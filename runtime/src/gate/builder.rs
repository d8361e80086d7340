//! Collects the parts of a [`Gate`] and says everything that is missing at once.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use super::allowance::Allowance;
use super::audited::Begun;
use super::limits::{Due, Limits};
use super::load::Load;
use super::prepared::{Answers, Gate, Inner, OwnershipRule, Prepared, Ready, Resolver, ResolverHandle};
use super::unread::Unread;
use super::walkers::Walkers;
use crate::authn::attempts::{Failures, Shelf};
use crate::authn::{
    BasicVerifier, BearerVerifier, CertificateVerifier, Denylist, IntrospectionVerifier, KeyVerifier,
    Schemes, SetupError, Verifiers,
};
use crate::clock::Now;
use crate::config_error::ConfigError;
use crate::cursor::CursorKeys;
use crate::going_on::GoingOn;
use crate::idempotency::KeptAnswers;
use crate::input::{Arriving, Spool};
use crate::limit::Limiter;
use crate::limit::kept::{self, KeptLimits, Of};
use crate::operation::{Document, Location, Operation, Ownership, Per, Policy, Revocation, SchemeKind};
use crate::problem::Problem;
use crate::resource::Attributes;
use crate::settings::Settings;
use crate::works::Works;

/// Collects the parts of a [`Gate`].
#[derive(Default)]
pub struct GateBuilder {
    verifiers: Vec<(String, Verifier)>,
    resolvers: BTreeMap<&'static str, Arc<Resolver>>,
    denylist: Option<Denylist>,
    cursor_keys: Option<Arc<CursorKeys>>,
    answers: Option<KeptAnswers>,
    settings: Settings,
    document: Option<&'static Document>,
    operations: Vec<(&'static Policy, &'static Document)>,
}

enum Verifier {
    Bearer(BearerVerifier),
    Introspected(IntrospectionVerifier),
    ApiKey(KeyVerifier),
    Basic(BasicVerifier),
    MutualTls(CertificateVerifier),
}

impl GateBuilder {
    /// The verifier of a bearer, oauth2 or openIdConnect scheme.
    #[must_use]
    pub fn bearer(mut self, scheme: &str, verifier: impl Into<BearerVerifier>) -> Self {
        self.verifiers.push((scheme.to_owned(), Verifier::Bearer(verifier.into())));
        self
    }

    /// The verifier of such a scheme with `token: introspection`.
    #[must_use]
    pub fn introspection(mut self, scheme: &str, verifier: impl Into<IntrospectionVerifier>) -> Self {
        self.verifiers.push((scheme.to_owned(), Verifier::Introspected(verifier.into())));
        self
    }

    /// Which tokens were revoked: for the schemes with `revocation: required`.
    #[must_use]
    pub fn denylist(mut self, denylist: Denylist) -> Self {
        self.denylist = Some(denylist);
        self
    }

    /// The verifier of an apiKey scheme.
    #[must_use]
    pub fn api_key(mut self, scheme: &str, verifier: impl Into<KeyVerifier>) -> Self {
        self.verifiers.push((scheme.to_owned(), Verifier::ApiKey(verifier.into())));
        self
    }

    /// The verifier of an http basic scheme.
    #[must_use]
    pub fn basic(mut self, scheme: &str, verifier: impl Into<BasicVerifier>) -> Self {
        self.verifiers.push((scheme.to_owned(), Verifier::Basic(verifier.into())));
        self
    }

    /// The verifier of a mutualTLS scheme.
    #[must_use]
    #[cfg_attr(
        not(feature = "tls"),
        allow(unreachable_code, unused_variables, reason = "nobody can make such a verifier")
    )]
    pub fn mutual_tls(mut self, scheme: &str, verifier: impl Into<CertificateVerifier>) -> Self {
        self.verifiers.push((scheme.to_owned(), Verifier::MutualTls(verifier.into())));
        self
    }

    /// The keys that seal cursors.
    #[must_use]
    pub fn cursor_keys(mut self, keys: CursorKeys) -> Self {
        self.cursor_keys = Some(Arc::new(keys));
        self
    }

    /// Where the answers of idempotent operations are kept. Only a generated server has such operations.
    pub(crate) fn idempotency(mut self, answers: KeptAnswers) -> Self {
        self.answers = Some(answers);
        self
    }

    /// Settings that the document does not speak of.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The document, for a gate that may have no operation of it.
    pub(crate) fn document(mut self, document: &'static Document) -> Self {
        self.document = Some(document);
        self
    }

    /// How an object of a resource is found.
    #[must_use]
    pub fn resolver<F, Fut>(mut self, resource: &'static str, find: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Attributes>, Problem>> + Send + 'static,
    {
        self.resolvers.insert(resource, Arc::new(move |id| Box::pin(find(id))));
        self
    }

    /// Adds an operation.
    #[must_use]
    pub fn operation<Op: Operation>(mut self) -> Self {
        self.operations.push((Op::POLICY, Op::DOCUMENT));
        self
    }

    /// The gate.
    ///
    /// # Errors
    /// Every part that is missing or contradicts the document, at once.
    pub fn build(mut self) -> Result<Gate, ConfigError> {
        let Some(document) = self.document.or_else(|| Some(self.operations.first()?.1)) else {
            return Err(ConfigError::new(vec!["the gate has no operation".to_owned()]));
        };
        let asks = |kind: &SchemeKind| matches!(kind, SchemeKind::Bearer(rules) if rules.revocation == Revocation::Required);
        if self.denylist.is_some() && !document.schemes.iter().any(|scheme| asks(&scheme.kind)) {
            let fault = "there is a denylist, and no scheme of the document asks for one";
            return Err(ConfigError::new(vec![fault.to_owned()]));
        }
        let schemes = self.schemes(document).map_err(|errors| ConfigError::new(texts(errors)))?;
        let kept = kept(&mut self.settings).map_err(|fault| ConfigError::new(vec![fault]))?;
        let shelf = Shelf::of(self.settings.limits_in.as_ref(), kept.as_ref().map(|(kept, _)| kept));
        let kept = |of| kept.as_ref().map(|(kept, now)| kept.of(of, *now));
        let limiter = Limiter::new(self.settings.limiter_capacity)
            .shared(self.settings.limits_in.clone())
            // those that are shared outlast this process where they are
            .kept(kept(Of::Document).filter(|_| self.settings.limits_in.is_none()));
        let operations = self.prepared(document, &schemes, &limiter)?;
        let mut strangers = Due::default();
        document.limits.iter().for_each(|limit| strangers.add(limiter.rule(limit, "")));
        self.tell_of_keys();
        let passwords = document.schemes.iter().any(|scheme| matches!(scheme.kind, SchemeKind::Basic));
        let logins = self.operations.iter().any(|(policy, _)| policy.login.is_some());
        Ok(Gate::new(Inner {
            failures: Failures::new(
                self.settings.failed_attempts,
                passwords || logins,
                self.settings.limits_in.as_ref(),
                kept,
                shelf,
            ),
            spool: Spool::new(&self.settings),
            arriving: Arriving::new(self.settings.max_body_memory),
            load: Load::new(self.settings.max_requests, self.settings.wait_for_place),
            unread: Unread::new(self.settings.max_answer_memory),
            settings: Settings { errors: document.errors, ..self.settings },
            limiter,
            walkers: Walkers::new(self.operations.iter().map(|(policy, _)| *policy)),
            schemes,
            strangers,
            operations,
            effects: Works::default(),
            begun: Begun::default(),
            writes_limits: GoingOn::default(),
        }))
    }

    /// Old keys of cursors that nobody took out of the list are no fault, and are for the operator.
    fn tell_of_keys(&self) {
        let (Some(keys), Ok(now)) = (&self.cursor_keys, self.settings.clock.now()) else { return };
        let count = keys.outliving(now.unix());
        if count > 0 {
            tracing::warn!(
                target: "palisade::keys", count,
                "old keys of cursors open for ever, or for long: write behind each when it was retired"
            );
        }
    }

    fn schemes(&mut self, document: &'static Document) -> Result<Schemes, Vec<SetupError>> {
        let mut verifiers = Verifiers::new(document);
        if let Some(denylist) = self.denylist.take() {
            verifiers.denylist(denylist);
        }
        for (scheme, verifier) in self.verifiers.drain(..) {
            match verifier {
                Verifier::Bearer(verifier) => verifiers.bearer(&scheme, verifier),
                Verifier::Introspected(verifier) => verifiers.introspection(&scheme, verifier),
                Verifier::ApiKey(verifier) => verifiers.api_key(&scheme, verifier),
                Verifier::Basic(verifier) => verifiers.basic(&scheme, verifier),
                Verifier::MutualTls(verifier) => verifiers.mutual_tls(&scheme, verifier),
            }
        }
        verifiers.finish(&self.settings)
    }

    /// Every operation, or what is wrong with each.
    fn prepared(
        &self,
        document: &'static Document,
        schemes: &Schemes,
        limiter: &Limiter,
    ) -> Result<BTreeMap<&'static str, Prepared>, ConfigError> {
        let mut faults = Vec::new();
        let mut prepared = BTreeMap::new();
        for (policy, of) in &self.operations {
            if of.hash != document.hash {
                faults.push(format!(
                    "operation `{}` is of another document, or of another version of it",
                    policy.id
                ));
            }
            match self.prepare(policy, document, schemes, limiter) {
                Ok(ready) => _ = prepared.insert(policy.id, ready),
                Err(missing) => faults.extend(missing),
            }
        }
        faults.extend(uncountable(limiter, document, &self.operations));
        if faults.is_empty() { Ok(prepared) } else { Err(ConfigError::new(faults)) }
    }

    fn prepare(
        &self,
        policy: &'static Policy,
        document: &'static Document,
        schemes: &Schemes,
        limiter: &Limiter,
    ) -> Result<Prepared, Vec<String>> {
        let mut faults = Vec::new();
        let mut needs = |fault: String| faults.push(format!("operation `{}`: {fault}", policy.id));
        let security = schemes
            .prepare(policy.id, &policy.access)
            .map_err(|errors| texts(errors).into_iter().for_each(&mut needs))
            .ok();
        if policy.step_up.is_some() && security.as_ref().is_some_and(|security| !security.tells_of_logins()) {
            // the document cannot say whether a cookie has keys or sessions
            needs(
                "it asks how its user logged in: what it takes must be tokens or sessions (`Login`)"
                    .to_owned(),
            );
        }
        if security.as_ref().is_some_and(|security| !security.may_name_tenants()) {
            // nor whether a login names tenants: it would count each of its users alone
            for limit in policy.limits.iter().filter(|limit| limit.per.contains(&Per::Tenant)) {
                needs(format!(
                    "the limit `{}` counts by tenant, and none of its credentials names one: give the `Login` a `tenant_claim`, or count by `principal`",
                    limit.name
                ));
            }
        }
        let ownership = policy.ownership.as_ref().map(|facts| self.ownership_rule(policy, facts));
        let ownership = ownership.transpose().map_err(&mut needs).ok().flatten();
        if policy.pagination.is_some() && self.cursor_keys.is_none() {
            needs("it is paginated, and there are no keys for its cursors (`cursor_keys`)".to_owned());
        }
        if policy.idempotency.is_some() && self.answers.is_none() {
            // an adopted operation is answered by axum, past the gate: its answers cannot be kept
            needs("it is idempotent, and nothing keeps its answers (`idempotency`)".to_owned());
        }
        if policy.audit && self.settings.events.is_none() {
            needs("it is audited, and nothing stores its events (`Settings::events_to`)".to_owned());
        }
        let Some(security) = security.filter(|_| faults.is_empty()) else { return Err(faults) };
        let limits = Limits::new(policy, limiter).map_err(|fault| vec![fault])?;
        let cursor = policy.pagination.as_ref().and(self.cursor_keys.clone());
        let answers = policy.idempotency.as_ref().zip(self.answers.clone());
        let answers = answers.map(|(rule, kept)| {
            let allowance = Allowance::new(&kept, rule, limiter, policy.id).map(Arc::new);
            allowance.map(|per_principal| Answers { kept, per_principal })
        });
        let answers = answers.transpose().map_err(|fault| vec![fault])?;
        Ok(Prepared::new(Ready { policy, document, security, limits, ownership, cursor, answers }))
    }

    fn ownership_rule(&self, policy: &Policy, facts: &'static Ownership) -> Result<OwnershipRule, String> {
        let resolver = self.resolvers.get(facts.resource).cloned();
        let resolver = resolver.ok_or_else(|| format!("resource `{}` has no resolver", facts.resource))?;
        let capture = captured(policy, facts.id)
            .ok_or_else(|| format!("`{}` is no parameter of its path", facts.id))?;
        Ok(OwnershipRule { facts, capture, resolver: ResolverHandle::new(resolver) })
    }
}

/// The counters that outlast the process, and the time from which they are counted on.
fn kept(settings: &mut Settings) -> Result<Option<(KeptLimits, Now)>, String> {
    let Some(kept) = settings.limits_kept.take() else { return Ok(None) };
    if settings.limiter_capacity > kept::MOST {
        return Err(format!("limits are kept, and no more than {} counters can be", kept::MOST));
    }
    let now = settings.clock.now().map_err(|error| format!("limits are kept by the time of day: {error}"))?;
    Ok(Some((kept, now)))
}

/// The limits that cannot be counted where the settings say, each once.
fn uncountable(
    limiter: &Limiter,
    document: &Document,
    operations: &[(&'static Policy, &'static Document)],
) -> Vec<String> {
    let of_operations = operations.iter().flat_map(|(policy, _)| policy.limits);
    let names = document.limits.iter().chain(of_operations).filter(|limit| !limiter.counts(limit));
    let names: BTreeSet<_> = names.map(|limit| limit.name).collect();
    let fault = |name| {
        format!(
            "the limit `{name}` cannot be shared: it looks further ahead than 70 years, or has over 100,000 places"
        )
    };
    names.into_iter().map(fault).collect()
}

/// Which capture of the path is this parameter.
pub(super) fn captured(policy: &Policy, name: &str) -> Option<usize> {
    let place = |name: &str| policy.path.find(&format!("{{{name}}}"));
    let here = place(name)?;
    let in_path = policy.parameters.iter().filter(|parameter| parameter.location == Location::Path);
    Some(in_path.filter(|parameter| place(parameter.name).is_some_and(|there| there < here)).count())
}

fn texts(errors: Vec<SetupError>) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
