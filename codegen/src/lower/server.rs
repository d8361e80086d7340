//! The builder of the server: a step for each part that the document needs.

use std::collections::HashSet;

use proc_macro2::Ident;

use super::ident::Case;
use super::names::Names;
use super::plan::ResourcePlan;
use crate::model::{Access, Api, Scheme, SchemeKind};

/// The builder of the server.
#[derive(Debug)]
pub(crate) struct ServerPlan<'a> {
    /// The parts that must be given, in the order of the document, cursor keys last.
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
    /// The scheme that it verifies; `None` for the cursor keys.
    pub(crate) scheme: Option<&'a Scheme>,
}

/// Methods that every generated builder has.
const STEPS: [&str; 3] = ["build", "cursor_keys", "settings"];

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
                scheme: Some(scheme),
            })
            .collect();
        if api.operations.iter().any(|operation| operation.pagination.is_some()) {
            let ident = parameters.take("cursor keys", Case::Upper);
            parts.push(PartPlan { ident, step: super::ident::ident("cursor_keys"), scheme: None });
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

impl PartPlan<'_> {
    /// The step of the runtime's builder that takes it.
    pub(crate) const fn kind(&self) -> PartKind {
        match self.scheme {
            None => PartKind::CursorKeys,
            Some(Scheme { kind: SchemeKind::Bearer(_), .. }) => PartKind::Bearer,
            Some(Scheme { kind: SchemeKind::ApiKey(_), .. }) => PartKind::ApiKey,
            Some(Scheme { kind: SchemeKind::Basic, .. }) => PartKind::Basic,
            Some(Scheme { kind: SchemeKind::MutualTls(_), .. }) => PartKind::MutualTls,
        }
    }
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Bearer,
    ApiKey,
    Basic,
    MutualTls,
    CursorKeys,
}
