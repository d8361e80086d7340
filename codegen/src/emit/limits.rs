//! ```yaml
//! x-palisade: { limits: { money: { rate: 10/1m, per: principal } } }
//! ```
//! ```text
//! p::Limit { name: "money", quota: 10, window: p::Duration::from_secs(60), burst: 10, cost: 1, per: &[p::Per::Principal], .. }
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::values::{duration, integer};
use crate::model::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};

/// The facts of a limit as an operation meets it whose requests count as `cost`, as an expression.
pub(super) fn limit(limit: &Limit, cost: u32) -> TokenStream {
    let name = &limit.name;
    let quota = integer(limit.quota.into());
    let window = duration(limit.window);
    let burst = integer(limit.burst.into());
    let counter = match limit.counter {
        Counter::TokenBucket => quote!(TokenBucket),
        Counter::SlidingWindow => quote!(SlidingWindow),
        Counter::FixedWindow => quote!(FixedWindow),
        Counter::ExactLog => quote!(ExactLog),
        Counter::Concurrency => quote!(Concurrency),
    };
    let cost = integer(cost.into());
    let per = limit.per.iter().map(|part| match part {
        Per::Address => quote!(p::Per::Address),
        Per::Network => quote!(p::Per::Network),
        Per::Principal => quote!(p::Per::Principal),
        Per::Tenant => quote!(p::Per::Tenant),
        Per::Global => quote!(p::Per::Global),
        Per::Path(name) => quote!(p::Per::Path(#name)),
        Per::Body(name) => quote!(p::Per::Body(#name)),
    });
    let scope = match limit.scope {
        Counting::Document => quote!(Document),
        Counting::Operation => quote!(Operation),
    };
    let on = match limit.on {
        CountedOn::Request => quote!(Request),
        CountedOn::Failure => quote!(Failure),
    };
    let on_outage = match limit.on_outage {
        OnOutage::Local => quote!(Local),
        OnOutage::Deny => quote!(Deny),
        OnOutage::Allow => quote!(Allow),
    };
    let advertise = match limit.advertise {
        Advertise::Admitted => quote!(Admitted),
        Advertise::Always => quote!(Always),
        Advertise::Authenticated => quote!(Authenticated),
    };
    quote! {
        p::Limit {
            name: #name,
            quota: #quota,
            window: #window,
            burst: #burst,
            counter: p::Counter::#counter,
            cost: #cost,
            per: &[#(#per),*],
            scope: p::Counting::#scope,
            on: p::CountedOn::#on,
            on_outage: p::OnOutage::#on_outage,
            advertise: p::Advertise::#advertise,
        }
    }
}
