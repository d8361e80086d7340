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
//! impl p::Object for Freeze { .. }    // how it is decoded, and what it holds
//! p::object!(Freeze);
//! ```

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::checks::{closure, rule};
use super::doc::{doc, said};
use super::scopes::code;
use super::shapes;
use super::values::{Paths, constant_of, plain};
use crate::lower::{Given, MemberPlan, OthersPlan, RustType, StructPlan, TypePlan, Value};

/// A struct and what it must be.
pub(super) fn emit(ty: &TypePlan<'_>, plan: &StructPlan<'_>) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("{} of the document.", code(&ty.called))));
    let fields = plan.members.iter().map(field).chain(plan.others.iter().map(others_field));
    let members = (!plan.members.is_empty()).then(|| {
        let members = plan.members.iter().map(member);
        quote!(impl #ident { #(#members)* })
    });
    let object = object(ty, plan);
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        #[derive(Clone, Debug, PartialEq)]
        pub struct #ident {
            #(#fields,)*
        }
        #members
        #object
        p::object!(#ident);
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

/// The value of a field, or what stands in for an absent member.
fn built(given: &Given, slot: &TokenStream) -> TokenStream {
    match given {
        Given::Required => quote!(#slot?),
        Given::Optional => slot.clone(),
        Given::OrJson(text) => quote!(match #slot { Some(value) => value, None => p::from_default(#text)?, }),
        // absent and `null` are one
        Given::Or(Value::Null) => quote!(#slot.flatten()),
        Given::Or(Value::EmptyMap) => quote!(#slot.unwrap_or_default()),
        Given::Or(Value::List(items)) if items.is_empty() => quote!(#slot.unwrap_or_default()),
        Given::Or(default) => {
            let value = constant_of(default, &Paths::inside());
            if default.is_parsed() {
                quote!(match #slot { Some(value) => value, None => #value, })
            } else if default.is_plain() {
                quote!(#slot.unwrap_or(#value))
            } else {
                quote!(#slot.unwrap_or_else(|| #value))
            }
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

fn member(member: &MemberPlan<'_>) -> TokenStream {
    let MemberPlan { constant, name, .. } = member;
    let ty = plain(&member.ty);
    let presence = if matches!(member.given, Given::Required) { quote!(required) } else { quote!(optional) };
    let check = closure(&member.checks);
    quote!(const #constant: p::Member<#ty> = p::Member::#presence(#name)#check;)
}

/// How an object is read. A sealed cursor is not: nothing but `caller.seal(..)` makes one.
fn object(ty: &TypePlan<'_>, plan: &StructPlan<'_>) -> TokenStream {
    let ident = &ty.ident;
    let open = plan.open;
    let read: Vec<&MemberPlan<'_>> = plan.members.iter().filter(|member| !member.ty.is_cursor()).collect();
    let declared = read.iter().map(|member| &member.constant);
    let filling = filling(&read, plan.others.as_ref());
    let others = plan.others.as_ref().map(|others| reading_others(read.len(), others));
    let building = building(plan);
    let visiting = visiting(plan);
    let shaped = plan.shape.map(|shape| {
        let shape = shapes::name(shape);
        quote! {
            const SHAPE: Option<&'static p::Shape> = Some(&#shape);
            fn read<'de, D: p::serde::Deserializer<'de>>(from: D, depth: p::Depth) -> Result<Self, D::Error> {
                p::read_shaped(from, depth)
            }
        }
    });
    quote! {
        impl p::Object for #ident {
            const MEMBERS: &'static [p::Declared] = &[#(Self::#declared.declared()),*];
            const OPEN: bool = #open;
            #shaped
            #filling
            #others
            #building
            #visiting
        }
    }
}

fn filling(read: &[&MemberPlan<'_>], others: Option<&OthersPlan>) -> TokenStream {
    if read.is_empty() && others.is_none() {
        return quote! {
            type Slots = ();
            fn slots() -> Self::Slots {}
            fn fill<F: p::Fill>(_slots: &mut Self::Slots, _member: usize, from: F) -> Result<(), F::Error> {
                from.skip()
            }
        };
    }
    let types = read.iter().map(|member| Paths::inside().optional(&plain(&member.ty)));
    let types = types.chain(others.map(|others| {
        let ty = plain(&others.ty);
        quote!(p::BTreeMap<String, #ty>)
    }));
    let empty = read.iter().map(|_| quote!(None)).chain(others.map(|_| quote!(p::BTreeMap::new())));
    let slots = if read.is_empty() { quote!(_slots) } else { quote!(slots) };
    let number = if read.is_empty() { quote!(_member) } else { quote!(member) };
    let arms = read.iter().enumerate().map(|(position, member)| {
        let position = Literal::usize_unsuffixed(position);
        let constant = &member.constant;
        quote!(#position => from.fill(&Self::#constant, &mut slots.#position))
    });
    let matching = match read.is_empty() {
        true => quote!(from.skip()),
        false => quote!(match member { #(#arms,)* _ => from.skip(), }),
    };
    quote! {
        type Slots = (#(#types,)*);
        fn slots() -> Self::Slots {
            (#(#empty,)*)
        }
        fn fill<F: p::Fill>(#slots: &mut Self::Slots, #number: usize, from: F) -> Result<(), F::Error> {
            #matching
        }
    }
}

fn reading_others(position: usize, others: &OthersPlan) -> TokenStream {
    let position = Literal::usize_unsuffixed(position);
    let rule = rule(&others.checks);
    quote! {
        fn other<F: p::Fill>(slots: &mut Self::Slots, name: &str, from: F) -> Result<(), F::Error> {
            from.entry(name, #rule, &mut slots.#position)
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
            let value = built(&member.given, &quote!(slots.#position));
            quote!(#field: #value)
        })
        .collect();
    let others = plan.others.iter().map(|others| {
        let field = &others.field;
        let position =
            Literal::usize_unsuffixed(plan.members.iter().filter(|member| !member.ty.is_cursor()).count());
        quote!(#field: slots.#position)
    });
    let fields: Vec<TokenStream> = fields.into_iter().chain(others).collect();
    let nothing = plan.others.is_none() && plan.members.iter().all(|member| member.ty.is_cursor());
    let slots = if nothing { quote!(()) } else { quote!(slots) };
    quote! {
        fn build(#slots: Self::Slots) -> Option<Self> {
            Some(Self { #(#fields),* })
        }
    }
}

/// Each member with its value, for whoever checks or writes the object.
fn visiting(plan: &StructPlan<'_>) -> TokenStream {
    let members = plan.members.iter().map(|member| {
        let MemberPlan { constant, field, .. } = member;
        let presence = if may_be_absent(member) { quote!(optional) } else { quote!(required) };
        quote!(to.#presence(&Self::#constant, &self.#field);)
    });
    let others = plan.others.iter().map(|others| {
        let (field, rule) = (&others.field, rule(&others.checks));
        quote!(to.others(&self.#field, #rule);)
    });
    let nothing = plan.members.is_empty() && plan.others.is_none();
    let to = if nothing { quote!(_to) } else { quote!(to) };
    quote! {
        fn visit<V: p::Visit>(&self, #to: &mut V) {
            #(#members)*
            #(#others)*
        }
    }
}
