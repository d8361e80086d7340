//! The plan of a generated file.

use foldhash::{HashMap, HashSet};
use proc_macro2::{Ident, Span};

use super::ident::Case;
use super::names::Names;
use super::operation::{OperationPlan, TraitPlan, operations, traits};
use super::outgoing::OutgoingPlan;
use super::server::ServerPlan;
use super::table::Table;
use super::types::{TypePlan, types};
use crate::model::{Api, Attribute, Pattern, Resource, Scope};

/// Everything that a generated file says, in its words and in its order.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) api: &'a Api,
    pub(crate) scopes: Vec<ScopePlan<'a>>,
    pub(crate) resources: Vec<ResourcePlan<'a>>,
    pub(crate) types: Vec<TypePlan<'a>>,
    pub(crate) patterns: Vec<PatternPlan>,
    pub(crate) operations: Vec<OperationPlan<'a>>,
    pub(crate) traits: Vec<TraitPlan<'a>>,
    pub(crate) outgoing: Vec<OutgoingPlan<'a>>,
    pub(crate) server: ServerPlan<'a>,
}

/// A scope, as a type in `mod scope`.
#[derive(Debug)]
pub(crate) struct ScopePlan<'a> {
    pub(crate) ident: Ident,
    pub(crate) scope: &'a Scope,
}

/// A resource, as a trait in `mod resource`, and the trait that finds one.
#[derive(Debug)]
pub(crate) struct ResourcePlan<'a> {
    pub(crate) resource: &'a Resource,
    /// The trait in `mod resource`, and the associated type of the resolver.
    pub(crate) ident: Ident,
    /// `ResolveAccount`
    pub(crate) resolve_trait: Ident,
    /// `resolve_account`
    pub(crate) resolve_method: Ident,
    /// `delegate_resolve_account`
    pub(crate) delegate: Ident,
    /// A method for each attribute.
    pub(crate) attributes: Vec<(Ident, &'a Attribute)>,
}

/// A pattern, as a static.
#[derive(Debug)]
pub(crate) struct PatternPlan {
    pub(crate) ident: Ident,
    pub(crate) pattern: Pattern,
}

impl<'a> Plan<'a> {
    pub(super) fn of(api: &'a Api) -> Self {
        let mut module = Names::module();
        let mut patterns = Patterns::default();
        let mut table = Table::components(api, &mut module);
        let scopes = scopes(api);
        let named = super::operation::named(api, &mut module);
        let resources = resources(api, &mut module);
        let trait_names = super::operation::trait_names(api, &mut module);
        table.inline(api, &mut module);
        let server = ServerPlan::of(api, &module, &trait_names, &resources);
        let types = types(api, &table, &mut patterns);
        super::shapes::patterns(&api.shapes, &mut patterns);
        let operations = operations(api, &table, &named, &scopes, &mut module, &mut patterns);
        let traits = traits(api, &trait_names, &operations);
        let outgoing = super::outgoing::outgoing(api, &table, &mut module, &mut patterns);
        Self {
            api,
            scopes,
            resources,
            types,
            patterns: patterns.in_order,
            operations,
            traits,
            outgoing,
            server,
        }
    }
}

/// Patterns in the order of their first use, each once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    in_order: Vec<PatternPlan>,
    known: HashMap<Pattern, Ident>,
}

impl Patterns {
    /// The static that holds `pattern`.
    pub(super) fn name(&mut self, pattern: &Pattern) -> Ident {
        if let Some(ident) = self.known.get(pattern) {
            return ident.clone();
        }
        let ident = Ident::new(&format!("PATTERN_{}", self.in_order.len() + 1), Span::call_site());
        self.in_order.push(PatternPlan { ident: ident.clone(), pattern: pattern.clone() });
        self.known.insert(pattern.clone(), ident.clone());
        ident
    }
}

fn scopes(api: &Api) -> Vec<ScopePlan<'_>> {
    let mut names = Names::reserving(&["p", "Self"]);
    api.scopes.iter().map(|scope| ScopePlan { ident: names.take(&scope.name, Case::Upper), scope }).collect()
}

/// The resources that an operation is about: a resource that none names needs no resolver.
fn resources<'a>(api: &'a Api, module: &mut Names) -> Vec<ResourcePlan<'a>> {
    let mut names = Names::reserving(&["Send", "Sync", "Self"]);
    let owned = api.operations.iter().filter_map(|operation| operation.ownership.as_ref());
    let used: HashSet<usize> = owned.map(|ownership| ownership.resource.position()).collect();
    let about = api.resources.iter().enumerate().filter(|(position, _)| used.contains(position));
    about.map(|(_, resource)| resource_plan(resource, &mut names, module)).collect()
}

fn resource_plan<'a>(resource: &'a Resource, names: &mut Names, module: &mut Names) -> ResourcePlan<'a> {
    let mut methods = Names::default();
    let attributes =
        resource.attributes.iter().map(|one| (methods.take(&one.name, Case::Snake), one)).collect();
    let resolve_trait = module.take_trait(&format!("resolve {}", resource.name), "");
    let resolve_method = super::ident::ident(&super::ident::spell(&resolve_trait.to_string(), Case::Snake));
    let delegate = delegate(&resolve_trait);
    let ident = names.take(&resource.name, Case::Upper);
    ResourcePlan { resource, ident, resolve_trait, resolve_method, delegate, attributes }
}

/// The macro beside a trait.
pub(super) fn delegate(name: &Ident) -> Ident {
    super::ident::ident(&super::names::delegate(&name.to_string()))
}
