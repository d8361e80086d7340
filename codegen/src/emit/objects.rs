//! ```yaml
//! Freeze:
//!   required: [frozen]
//!   properties: { frozen: { type: boolean }, reason: { type: string, maxLength: 200 } }
//! ```
//! ```text
//! pub struct Freeze { pub frozen: bool, pub reason: Option<String> }
//! impl Freeze {
//!     const FROZEN: p::Member<bool> = p::Member::required("frozen");
//!     const REASON: p::Member<String> =
//!         p::Member::optional("reason").check(|value, at, out| p::length(value, 0..=200, at, out));
//! }
//! impl p::Object for Freeze { .. }    // how it is decoded
//! impl p::Check for Freeze { .. }     // runs the members' checks
//! impl p::validator::Validate for Freeze { .. }
//! ```

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::checks::closure;
use super::doc::{doc, said};
use super::scopes::code;
use super::values::{Paths, plain};
use crate::lower::{MemberPlan, RustType, StructPlan, TypePlan};

/// A struct and what it must be.
pub(super) fn emit(ty: &TypePlan<'_>, plan: &StructPlan<'_>) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("{} of the document.", code(&ty.called))));
    let fields = plan.members.iter().map(field);
    let members = (!plan.members.is_empty()).then(|| {
        let members = plan.members.iter().map(member);
        quote!(impl #ident { #(#members)* })
    });
    let object = object(ty, plan);
    let check = check(ty, plan);
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        #[derive(Clone, Debug, PartialEq, p::serde::Serialize)]
        #[serde(crate = "palisade::__private::serde")]
        pub struct #ident {
            #(#fields,)*
        }
        #members
        #object
        #check
        impl p::validator::Validate for #ident {
            fn validate(&self) -> Result<(), p::validator::ValidationErrors> {
                p::validate(self)
            }
        }
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
    let (ty, skip) = if member.required {
        (ty, None)
    } else {
        (Paths::inside().optional(&ty), Some(quote!(skip_serializing_if = "Option::is_none")))
    };
    let name = member.name;
    let rename = (field.to_string().trim_start_matches("r#") != name).then(|| quote!(rename = #name));
    let attributes: Vec<TokenStream> = rename.into_iter().chain(skip).collect();
    let serde = (!attributes.is_empty()).then(|| quote!(#[serde(#(#attributes),*)]));
    quote! {
        #about
        #serde
        pub #field: #ty
    }
}

fn member(member: &MemberPlan<'_>) -> TokenStream {
    let MemberPlan { constant, name, .. } = member;
    let ty = plain(&member.ty);
    let presence = if member.required { quote!(required) } else { quote!(optional) };
    let check = closure(&member.checks);
    quote!(const #constant: p::Member<#ty> = p::Member::#presence(#name)#check;)
}

/// How an object is read. A sealed cursor is not: nothing but `caller.seal(..)` makes one.
fn object(ty: &TypePlan<'_>, plan: &StructPlan<'_>) -> TokenStream {
    let ident = &ty.ident;
    let open = plan.open;
    let read: Vec<&MemberPlan<'_>> = plan.members.iter().filter(|member| !member.ty.is_cursor()).collect();
    let declared = read.iter().map(|member| &member.constant);
    let filling = filling(&read);
    let building = building(plan);
    quote! {
        impl p::Object for #ident {
            const MEMBERS: &'static [p::Declared] = &[#(Self::#declared.declared()),*];
            const OPEN: bool = #open;
            #filling
            #building
        }
    }
}

fn filling(read: &[&MemberPlan<'_>]) -> TokenStream {
    if read.is_empty() {
        return quote! {
            type Slots = ();
            fn slots() -> Self::Slots {}
            fn fill<F: p::Fill>(_slots: &mut Self::Slots, _member: usize, from: F) -> Result<(), F::Error> {
                from.skip()
            }
        };
    }
    let types = read.iter().map(|member| Paths::inside().optional(&plain(&member.ty)));
    let empty = read.iter().map(|_| quote!(None));
    let arms = read.iter().enumerate().map(|(position, member)| {
        let position = Literal::usize_unsuffixed(position);
        let constant = &member.constant;
        quote!(#position => from.fill(&Self::#constant, &mut slots.#position))
    });
    quote! {
        type Slots = (#(#types,)*);
        fn slots() -> Self::Slots {
            (#(#empty,)*)
        }
        fn fill<F: p::Fill>(slots: &mut Self::Slots, member: usize, from: F) -> Result<(), F::Error> {
            match member {
                #(#arms,)*
                _ => from.skip(),
            }
        }
    }
}

fn building(plan: &StructPlan<'_>) -> TokenStream {
    let mut positions = 0..;
    let fields: Vec<TokenStream> = plan
        .members
        .iter()
        .map(|member| {
            let field = &member.field;
            if member.ty.is_cursor() {
                return quote!(#field: None);
            }
            let position = Literal::usize_unsuffixed(positions.next().unwrap_or_default());
            let question = member.required.then(|| quote!(?));
            quote!(#field: slots.#position #question)
        })
        .collect();
    let slots =
        if plan.members.iter().all(|member| member.ty.is_cursor()) { quote!(()) } else { quote!(slots) };
    quote! {
        fn build(#slots: Self::Slots) -> Option<Self> {
            Some(Self { #(#fields),* })
        }
    }
}

fn check(ty: &TypePlan<'_>, plan: &StructPlan<'_>) -> TokenStream {
    let ident = &ty.ident;
    if plan.members.is_empty() {
        return quote! {
            impl p::Check for #ident {
                fn check(&self, _at: &p::At<'_>, _out: &mut p::Violations) {}
            }
        };
    }
    let checks = plan.members.iter().map(|member| {
        let MemberPlan { constant, field, .. } = member;
        if member.required {
            quote!(Self::#constant.check_value(&self.#field, at, out);)
        } else {
            quote!(Self::#constant.check_option(self.#field.as_ref(), at, out);)
        }
    });
    quote! {
        impl p::Check for #ident {
            fn check(&self, at: &p::At<'_>, out: &mut p::Violations) {
                #(#checks)*
            }
        }
    }
}
