//! ```yaml
//! x-palisade: { limits: { money: { rate: 10/1m, per: principal } } }
//! ```
//! ```text
//! p::Limit { name: "money", quota: 10, window: p::Duration::from_secs(60), burst: 10, per: p::Per::Principal, .. }
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::values::{duration, integer};
use crate::model::{Counting, Limit, Per};

/// The facts of a limit, as an expression.
pub(super) fn limit(limit: &Limit) -> TokenStream {
    let name = &limit.name;
    let quota = integer(limit.quota.into());
    let window = duration(limit.window);
    let burst = integer(limit.burst.into());
    let per = match limit.per {
        Per::Address => quote!(Address),
        Per::Principal => quote!(Principal),
        Per::Global => quote!(Global),
    };
    let scope = match limit.scope {
        Counting::Document => quote!(Document),
        Counting::Operation => quote!(Operation),
    };
    quote! {
        p::Limit {
            name: #name,
            quota: #quota,
            window: #window,
            burst: #burst,
            per: p::Per::#per,
            scope: p::Counting::#scope,
        }
    }
}
