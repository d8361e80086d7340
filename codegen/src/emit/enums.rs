//! ```yaml
//! Currency: { type: string, enum: [EUR, USD] }
//! ```
//! ```text
//! pub enum Currency { Eur, Usd }
//! impl p::Words for Currency {
//!     const WORDS: &'static [(&'static str, Self)] = &[("EUR", Self::Eur), ("USD", Self::Usd)];
//! }
//! p::words!(Currency);
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::doc::{doc, said};
use super::scopes::code;
use crate::lower::{TypePlan, WordPlan};

/// An enumeration of strings.
pub(super) fn emit(ty: &TypePlan<'_>, words: &[WordPlan<'_>]) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("One of the words of {}.", code(&ty.called))));
    let variants = words.iter().map(|word| {
        let about = doc(&code(word.word));
        let variant = &word.variant;
        quote!(#about #variant)
    });
    let pairs = words.iter().map(|WordPlan { variant, word }| quote!((#word, Self::#variant)));
    quote! {
        #about
        #[allow(clippy::enum_variant_names, reason = "the words of the document")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum #ident {
            #(#variants,)*
        }
        impl p::Words for #ident {
            const WORDS: &'static [(&'static str, Self)] = &[#(#pairs),*];
        }
        p::words!(#ident);
    }
}
