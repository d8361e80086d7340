//! ```yaml
//! name: { type: string, maxLength: 80 }    # of one type
//! city: { type: string, maxLength: 80 }    # of another
//! ```
//! ```text
//! const RULE_1: p::Rule<String> = |value, at, out| p::length(value, 0..=80, at, out);
//! ```

use foldhash::HashMap;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::checks;
use super::values::plain;
use crate::lower::{Check, RustType, StructPlan, TypeKind, TypePlan};

/// The rules that several members have: documents have few, and each is compiled once.
pub(super) struct Rules {
    /// By what they say; those that one member has alone are named by nothing.
    shared: HashMap<String, Ident>,
    consts: Vec<TokenStream>,
}

impl Rules {
    /// Those of all members of `types`, in the order of their first use.
    pub(super) fn of(types: &[TypePlan<'_>]) -> Self {
        let mut places: HashMap<String, usize> = HashMap::default();
        let mut found: Vec<(String, &RustType, &[Check], usize)> = Vec::new();
        for member in types.iter().filter_map(structure).flat_map(|plan| &plan.members) {
            if member.checks.is_empty() {
                continue;
            }
            let said = said(&member.ty, &member.checks);
            match places.get(&said).and_then(|place| found.get_mut(*place)) {
                Some((.., uses)) => *uses += 1,
                None => {
                    places.insert(said.clone(), found.len());
                    found.push((said, &member.ty, &member.checks, 1));
                }
            }
        }
        let several = found.into_iter().filter(|(.., uses)| *uses > 1);
        let mut rules = Self { shared: HashMap::default(), consts: Vec::new() };
        for (position, (said, ty, checks, _)) in several.enumerate() {
            let ident = Ident::new(&format!("RULE_{}", position + 1), Span::call_site());
            let (ty, rule) = (plain(ty), checks::rule(checks));
            rules.consts.push(quote!(const #ident: p::Rule<#ty> = #rule;));
            rules.shared.insert(said, ident);
        }
        rules
    }

    /// The rule of a member, where it has one: the name of a shared one, or the rule itself.
    pub(super) fn of_member(&self, ty: &RustType, checks: &[Check]) -> Option<TokenStream> {
        if checks.is_empty() {
            return None;
        }
        Some(match self.shared.get(&said(ty, checks)) {
            Some(ident) => quote!(#ident),
            None => checks::rule(checks),
        })
    }

    /// The shared ones.
    pub(super) fn emit(&self) -> TokenStream {
        let consts = &self.consts;
        quote!(#(#consts)*)
    }
}

const fn structure<'p, 'a>(ty: &'p TypePlan<'a>) -> Option<&'p StructPlan<'a>> {
    match &ty.kind {
        TypeKind::Struct(plan) => Some(plan),
        _ => None,
    }
}

/// A rule is one with another when it says the same of the same type.
fn said(ty: &RustType, checks: &[Check]) -> String {
    format!("{ty:?} {checks:?}")
}
