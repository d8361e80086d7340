//! Operations and the traits they belong to.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};
use proc_macro2::Ident;
use quote::format_ident;

use super::ident::Case;
use super::input::{InputPlan, input};
use super::names::Names;
use super::output::{OutputPlan, output};
use super::plan::{Patterns, ScopePlan, delegate};
use super::table::Table;
use crate::model::{Api, Docs, Operation};

/// An operation.
#[derive(Debug)]
pub(crate) struct OperationPlan<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) ident: Ident,
    pub(crate) input_ident: Ident,
    pub(crate) output_ident: Ident,
    /// Its method of the trait.
    pub(crate) method: Ident,
    /// The scopes that every way in grants.
    pub(crate) grants: Vec<Ident>,
    pub(crate) input: InputPlan<'a>,
    pub(crate) output: OutputPlan<'a>,
}

/// A tag, as a trait.
#[derive(Debug)]
pub(crate) struct TraitPlan<'a> {
    pub(crate) ident: Ident,
    /// The tag; `None` for operations without one.
    pub(crate) tag: Option<&'a str>,
    pub(crate) docs: Option<&'a Docs>,
    /// The macro that `#[derive(palisade::Service)]` asks for the methods.
    pub(crate) delegate: Ident,
    /// Positions of its operations in the plan.
    pub(crate) operations: Vec<usize>,
}

/// The names of the operations' types, in the order of the document. `Pay`, `PayInput` and `PayOutput` go together.
pub(super) fn named(api: &Api, module: &mut Names) -> Vec<Ident> {
    let family = ["", "Input", "Output"];
    let name = |operation: &Operation| module.take_all(&operation.id, Case::Upper, "Operation", &family);
    api.operations.iter().map(name).collect()
}

/// The tags that operations belong to, in the order of their first operation, and the name of each one's trait.
pub(super) fn trait_names<'a>(api: &'a Api, module: &mut Names) -> Vec<(Option<&'a str>, Ident)> {
    let mut names: Vec<(Option<&str>, Ident)> = Vec::new();
    let mut known = HashSet::default();
    for operation in &api.operations {
        let tag = tag(operation);
        if known.insert(tag) {
            names.push((tag, module.take_trait(tag.unwrap_or(UNTAGGED), "Api")));
        }
    }
    names
}

/// The trait of operations without a tag.
const UNTAGGED: &str = "Api";

/// The tag that says which trait an operation belongs to.
fn tag(operation: &Operation) -> Option<&str> {
    operation.tags.first().map(String::as_str)
}

pub(super) fn operations<'a>(
    api: &'a Api,
    table: &Table<'a>,
    named: &[Ident],
    scopes: &[ScopePlan<'_>],
    module: &mut Names,
    patterns: &mut Patterns,
) -> Vec<OperationPlan<'a>> {
    let mut methods: HashMap<Option<&str>, Names> = HashMap::default();
    let by_name: HashMap<&str, usize> =
        scopes.iter().enumerate().map(|(at, plan)| (plan.scope.name.as_str(), at)).collect();
    let mut plans = Vec::with_capacity(api.operations.len());
    for (operation, ident) in api.operations.iter().zip(named) {
        let granted = operation.access.always_granted();
        let granted: BTreeSet<usize> = granted.iter().filter_map(|name| by_name.get(name).copied()).collect();
        plans.push(OperationPlan {
            operation,
            ident: ident.clone(),
            input_ident: format_ident!("{ident}Input"),
            output_ident: format_ident!("{ident}Output"),
            method: methods.entry(tag(operation)).or_default().take(&operation.id, Case::Snake),
            grants: granted.iter().filter_map(|at| scopes.get(*at)).map(|plan| plan.ident.clone()).collect(),
            input: input(api, table, operation, module, patterns),
            output: output(api, table, operation, module, patterns),
        });
    }
    plans
}

pub(super) fn traits<'a>(
    api: &'a Api,
    names: &[(Option<&'a str>, Ident)],
    operations: &[OperationPlan<'a>],
) -> Vec<TraitPlan<'a>> {
    let described: HashMap<&str, &Docs> =
        api.tags.iter().rev().map(|(name, docs)| (name.as_str(), docs)).collect();
    let mut of_tag: HashMap<Option<&str>, Vec<usize>> = HashMap::default();
    for (position, plan) in operations.iter().enumerate() {
        of_tag.entry(tag(plan.operation)).or_default().push(position);
    }
    names
        .iter()
        .map(|(tag, ident)| TraitPlan {
            ident: ident.clone(),
            tag: *tag,
            docs: tag.and_then(|tag| described.get(tag).copied()),
            delegate: delegate(ident),
            operations: of_tag.remove(tag).unwrap_or_default(),
        })
        .collect()
}
