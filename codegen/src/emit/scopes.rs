//! ```yaml
//! scopes: { "transfers:write": move money }
//! ```
//! ```text
//! pub mod scope {
//!     /// `transfers:write`: move money
//!     pub enum TransfersWrite {}
//!     impl p::Scope for TransfersWrite { const NAME: &'static str = "transfers:write"; }
//! }
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::doc::{clean, doc};
use crate::lower::ScopePlan;

/// The scopes, as types. Nothing where the document has none.
pub(super) fn emit(scopes: &[ScopePlan<'_>]) -> Option<TokenStream> {
    let types = scopes.iter().map(scope);
    (!scopes.is_empty()).then(|| {
        quote! {
            /// The scopes of the document, as types: ask for one with `&impl palisade::Holds<scope::..>`.
            pub mod scope {
                use palisade::__private as p;
                #(#types)*
            }
        }
    })
}

fn scope(plan: &ScopePlan<'_>) -> TokenStream {
    let name = &plan.scope.name;
    let ident = &plan.ident;
    let about = match plan.scope.description.as_deref().map(clean) {
        Some(description) if !description.is_empty() => format!("{}: {description}", code(name)),
        _ => code(name),
    };
    let about = doc(&about);
    quote! {
        #about
        #[derive(Debug)]
        pub enum #ident {}
        impl p::Scope for #ident {
            const NAME: &'static str = #name;
        }
    }
}

/// A name of the document as code in a comment.
pub(super) fn code(name: &str) -> String {
    clean(&format!("`{}`", name.replace(['`', '\n', '\r'], "'")))
}
