//! ```yaml
//! Freeze:
//!   required: [frozen]
//!   properties: { frozen: { type: boolean }, reason: { type: string, maxLength: 200 } }
//! ```
//! ```text
//! pub struct Freeze { pub frozen: bool, pub reason: Option<String> }
//! p::object!(Freeze: Closed {
//!     0 frozen: bool = required "frozen",
//!     1 reason: String = optional "reason" under |value, at, out| p::length(value, 0..=200, at, out),
//! });
//! ```

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::checks::rule;
use super::doc::{doc, said};
use super::rules::Rules;
use super::scopes::code;
use super::shapes;
use super::values::{Paths, constant_of, plain};
use crate::lower::{Given, MemberPlan, OthersPlan, RustType, StructPlan, TypePlan, Value};

/// A struct and what it must be.
pub(super) fn emit(ty: &TypePlan<'_>, plan: &StructPlan<'_>, rules: &Rules) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("{} of the document.", code(&ty.called))));
    let fields = plan.members.iter().map(field).chain(plan.others.iter().map(others_field));
    let table = table(ty, plan, rules);
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        #[derive(Clone, Debug, PartialEq)]
        pub struct #ident {
            #(#fields,)*
        }
        #table
    }
}

/// Another name for a type. Its constraints are checked wherever it is used.
pub(super) fn alias(ty: &TypePlan<'_>, to: &RustType) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("{} of the document.", code(&ty.called))));
    let to = plain(to);
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        pub type #ident = #to;
    }
}

fn field(member: &MemberPlan<'_>) -> TokenStream {
    let about = doc(&said(member.docs, &format!("Member {}.", code(member.name))));
    let field = &member.field;
    let ty = plain(&member.ty);
    let ty = if may_be_absent(member) { Paths::inside().optional(&ty) } else { ty };
    quote!(#about pub #field: #ty)
}

/// Whether the field holds nothing where the member is absent.
const fn may_be_absent(member: &MemberPlan<'_>) -> bool {
    matches!(member.given, Given::Optional)
}

/// Whether the member must come, and what stands in for it.
fn given(member: &MemberPlan<'_>) -> TokenStream {
    match (&member.given, member.ty.is_cursor()) {
        (Given::Optional, true) => quote!(sealed),
        (_, true) => quote!(sealed_or_null),
        (Given::Required, _) => quote!(required),
        (Given::Optional, _) => quote!(optional),
        (Given::OrJson(text), _) => quote!(or(p::from_default(#text)?)),
        (Given::Or(Value::List(items)), _) if items.is_empty() => quote!(or(Vec::new())),
        (Given::Or(default), _) => {
            let value = constant_of(default, &Paths::inside());
            quote!(or(#value))
        }
    }
}

/// The members that are not declared: they stand beside the others.
fn others_field(others: &OthersPlan) -> TokenStream {
    let about = doc("The members that are not declared by name.");
    let (field, ty) = (&others.field, plain(&others.ty));
    quote! {
        #about
        pub #field: p::BTreeMap<String, #ty>
    }
}

/// How an object is read, checked and written. A sealed cursor is not read: nothing but `caller.seal(..)` makes one.
fn table(ty: &TypePlan<'_>, plan: &StructPlan<'_>, rules: &Rules) -> TokenStream {
    let ident = &ty.ident;
    let shape = plan.shape.map(|shape| {
        let shape = shapes::name(shape);
        quote!(beside #shape)
    });
    let extra = if plan.others.is_some() { quote!(Open) } else { quote!(Closed) };
    let members = plan.members.iter().enumerate().map(|(place, member)| line(place, member, rules));
    let others = plan.others.as_ref().map(|others| {
        let place = Literal::usize_unsuffixed(plan.members.len());
        let (field, ty, rule) = (&others.field, plain(&others.ty), rule(&others.checks));
        quote!(others(#place #field: #ty, #rule))
    });
    quote!(p::object!(#ident: #extra #shape { #(#members),* } #others);)
}

fn line(place: usize, member: &MemberPlan<'_>, rules: &Rules) -> TokenStream {
    let MemberPlan { field, name, .. } = member;
    let place = Literal::usize_unsuffixed(place);
    let (ty, given) = (plain(&member.ty), given(member));
    let under = rules.of_member(&member.ty, &member.checks).map(|rule| quote!(under #rule));
    quote!(#place #field: #ty = #given #name #under)
}
