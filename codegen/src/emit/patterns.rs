//! ```yaml
//! pattern: '^[A-Z]{2}$'
//! ```
//! ```text
//! static PATTERN_1: p::Pattern = p::Pattern::new("^[A-Z]{2}$", "^[A-Z]{2}$");
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use crate::lower::PatternPlan;

/// The patterns: as the document writes them, and as the linear-time engine of the runtime takes them.
pub(crate) fn emit<'p>(patterns: impl IntoIterator<Item = &'p PatternPlan>) -> TokenStream {
    let statics = patterns.into_iter().map(|plan| {
        let ident = &plan.ident;
        let source = &plan.pattern.source;
        let translated = &plan.pattern.translated;
        quote!(static #ident: p::Pattern = p::Pattern::new(#source, #translated);)
    });
    quote!(#(#statics)*)
}
