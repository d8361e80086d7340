//! ```yaml
//! Pet: { oneOf: [{ $ref: "#/components/schemas/Cat" }, { type: string }] }
//! ```
//! ```text
//! pub enum Pet { Cat(Cat), String(String) }
//! impl p::Union for Pet {
//!     const SHAPE: &'static p::Shape = &SHAPE_1;
//!     const GUARDS: &'static [&'static p::Shape] =
//!         &[&p::Shape(&[p::K::Types(&[p::JsonType::Object])]), &p::Shape::ANY];
//!     fn read<F: p::Take>(alternative: usize, from: F) -> Option<Self> { .. }
//! }
//! p::union!(Pet { Cat, String });
//! ```

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::doc::{doc, said};
use super::scopes::code;
use super::shapes::{self, Emitter};
use super::values::plain;
use crate::lower::{TypePlan, UnionPlan};

/// A choice between types.
pub(super) fn emit(ty: &TypePlan<'_>, plan: &UnionPlan<'_>, emitter: &Emitter<'_>) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("One of the alternatives of {}.", code(&ty.called))));
    let variants = plan.variants.iter().map(|alternative| {
        let about = doc(&said(alternative.docs, &code(alternative.name)));
        let variant = &alternative.variant;
        let ty = plain(&alternative.ty);
        quote!(#about #variant(#ty))
    });
    let names = plan.variants.iter().map(|alternative| &alternative.variant);
    let guards = plan.variants.iter().map(|alternative| emitter.shape(alternative.guard));
    let arms = plan.variants.iter().enumerate().map(|(position, alternative)| {
        let position = Literal::usize_unsuffixed(position);
        let variant = &alternative.variant;
        quote!(#position => from.take().map(Self::#variant))
    });
    let shape = shapes::name(plan.shape);
    quote! {
        #about
        #[allow(clippy::enum_variant_names, clippy::large_enum_variant, reason = "of the document")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum #ident {
            #(#variants,)*
        }
        impl p::Union for #ident {
            const SHAPE: &'static p::Shape = &#shape;
            const GUARDS: &'static [&'static p::Shape] = &[#(#guards),*];
            fn read<F: p::Take>(alternative: usize, from: F) -> Option<Self> {
                match alternative {
                    #(#arms,)*
                    _ => None,
                }
            }
        }
        p::union!(#ident { #(#names),* });
    }
}
