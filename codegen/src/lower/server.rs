//! The builder of the server: a step for each part that the document needs.

use foldhash::HashSet;
use proc_macro2::Ident;

use super::ident::Case;
use super::names::Names;
use super::plan::ResourcePlan;
use crate::model::{Access, Api, Revocation, Scheme, SchemeKind, Token};

/// The builder of the server.
#[derive(Debug)]
pub(crate) struct ServerPlan<'a> {
    /// The parts that must be given: the verifiers in the order of the document, then what they share.
    pub(crate) parts: Vec<PartPlan<'a>>,
    /// The traits that the service implements.
    pub(crate) bounds: Vec<Ident>,
}

/// A part that must be given.
#[derive(Debug)]
pub(crate) struct PartPlan<'a> {
    /// Its type in `mod missing`, and the type parameter that says whether it was given.
    pub(crate) ident: Ident,
    /// The step that gives it.
    pub(crate) step: Ident,
    pub(crate) of: PartOf<'a>,
}

/// What a part is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PartOf<'a> {
    /// Verifies a scheme.
    Scheme(&'a Scheme),
    /// Says which tokens were revoked.
    Denylist,
    /// Seals cursors.
    CursorKeys,
    /// Keeps answers.
    Idempotency,
}

/// Methods that every generated builder has.
const STEPS: [&str; 5] = ["build", "cursor_keys", "denylist", "idempotency", "settings"];

impl<'a> ServerPlan<'a> {
    pub(super) fn of(
        api: &'a Api,
        module: &Names,
        traits: &[(Option<&str>, Ident)],
        resources: &[ResourcePlan<'_>],
    ) -> Self {
        // Type parameters shadow the types of the module, so they must have names of their own.
        let mut parameters = module.clone();
        let mut steps = Names::reserving(&STEPS);
        let mut parts: Vec<PartPlan<'a>> = used_schemes(api)
            .map(|scheme| PartPlan {
                ident: parameters.take_or(&scheme.name, Case::Upper, "Scheme"),
                step: steps.take_or(&scheme.name, Case::Snake, "_scheme"),
                of: PartOf::Scheme(scheme),
            })
            .collect();
        let mut shared = |words: &str, of| {
            let ident = parameters.take(words, Case::Upper);
            let step = super::ident::ident(&super::ident::spell(words, Case::Snake));
            parts.push(PartPlan { ident, step, of });
        };
        if used_schemes(api).any(asks_denylist) {
            shared("denylist", PartOf::Denylist);
        }
        if api.operations.iter().any(|operation| operation.pagination.is_some()) {
            shared("cursor keys", PartOf::CursorKeys);
        }
        if api.operations.iter().any(|operation| operation.idempotency.is_some()) {
            shared("idempotency", PartOf::Idempotency);
        }
        let tags = traits.iter().map(|(_, ident)| ident.clone());
        let resolvers = resources.iter().map(|resource| resource.resolve_trait.clone());
        Self { parts, bounds: tags.chain(resolvers).collect() }
    }
}

/// The schemes that an operation names: one that nobody uses needs no verifier.
fn used_schemes(api: &Api) -> impl Iterator<Item = &Scheme> {
    let alternatives = api.operations.iter().filter_map(|operation| match &operation.access {
        Access::Public(_) => None,
        Access::Any(alternatives) => Some(alternatives),
    });
    let used: HashSet<usize> = alternatives.flatten().flatten().map(|need| need.scheme.position()).collect();
    let all = api.schemes.iter().enumerate();
    all.filter(move |(position, _)| used.contains(position)).map(|(_, scheme)| scheme)
}

fn asks_denylist(scheme: &Scheme) -> bool {
    matches!(&scheme.kind, SchemeKind::Bearer(rules) if rules.revocation == Revocation::Required)
}

/// The type of the runtime that verifies a scheme, and the step of its builder that takes it.
pub(crate) const fn verifier(scheme: &Scheme) -> (&'static str, &'static str) {
    match &scheme.kind {
        SchemeKind::Bearer(rules) => match rules.token {
            Token::Jwt { .. } => ("BearerVerifier", "bearer"),
            Token::Introspected { .. } => ("IntrospectionVerifier", "introspection"),
        },
        SchemeKind::ApiKey(_) => ("KeyVerifier", "api_key"),
        SchemeKind::Basic => ("BasicVerifier", "basic"),
        SchemeKind::MutualTls(_) => ("CertificateVerifier", "mutual_tls"),
    }
}
