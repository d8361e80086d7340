//! ```yaml
//! Currency: { type: string, enum: [EUR, USD] }
//! Level: { type: integer, enum: [1, -1] }
//! ```
//! ```text
//! pub enum Currency { Eur, Usd }
//! impl p::Words for Currency {
//!     const WORDS: &'static [(&'static str, Self)] = &[("EUR", Self::Eur), ("USD", Self::Usd)];
//! }
//! p::words!(Currency);
//! pub enum Level { Value1, ValueMinus1 }
//! impl p::Values for Level {
//!     type Value = i64;
//!     const VALUES: &'static [(i64, Self)] = &[(1, Self::Value1), (-1, Self::ValueMinus1)];
//! }
//! p::values!(Level);
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::doc::{doc, said};
use super::scopes::code;
use super::values::integer;
use crate::lower::{TypePlan, WordPlan};
use crate::model::WordValue;

/// An enumeration of values.
pub(super) fn emit(ty: &TypePlan<'_>, words: &[WordPlan<'_>]) -> TokenStream {
    let ident = &ty.ident;
    let what = if value_type(words).is_some() { "values" } else { "words" };
    let about = doc(&said(ty.docs, &format!("One of the {what} of {}.", code(&ty.called))));
    let variants = words.iter().map(|word| {
        let about = doc(&said(&word.word.docs, &code(&shown(&word.word.value))));
        let variant = &word.variant;
        quote!(#about #variant)
    });
    let listed = listed(ty, words);
    quote! {
        #about
        #[allow(clippy::enum_variant_names, reason = "the words of the document")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum #ident {
            #(#variants,)*
        }
        #listed
    }
}

fn listed(ty: &TypePlan<'_>, words: &[WordPlan<'_>]) -> TokenStream {
    let ident = &ty.ident;
    let pairs = words.iter().map(|WordPlan { variant, word }| {
        let value = match &word.value {
            WordValue::Text(text) => quote!(#text),
            WordValue::Integer(value) => integer(*value),
            WordValue::Boolean(value) => quote!(#value),
        };
        quote!((#value, Self::#variant))
    });
    match value_type(words) {
        None => quote! {
            impl p::Words for #ident {
                const WORDS: &'static [(&'static str, Self)] = &[#(#pairs),*];
            }
            p::words!(#ident);
        },
        Some(value) => quote! {
            impl p::Values for #ident {
                type Value = #value;
                const VALUES: &'static [(#value, Self)] = &[#(#pairs),*];
            }
            p::values!(#ident);
        },
    }
}

/// The type of values that are no strings.
fn value_type(words: &[WordPlan<'_>]) -> Option<TokenStream> {
    let large =
        |word: &WordPlan<'_>| matches!(word.word.value, WordValue::Integer(value) if value > i64::MAX.into());
    match words.first().map(|word| &word.word.value)? {
        WordValue::Text(_) => None,
        WordValue::Boolean(_) => Some(quote!(bool)),
        WordValue::Integer(_) if words.iter().any(large) => Some(quote!(u64)),
        WordValue::Integer(_) => Some(quote!(i64)),
    }
}

fn shown(value: &WordValue) -> String {
    match value {
        WordValue::Text(text) => text.clone(),
        WordValue::Integer(value) => value.to_string(),
        WordValue::Boolean(value) => value.to_string(),
    }
}
