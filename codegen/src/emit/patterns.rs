//! ```yaml
//! pattern: '^[A-Z]{2}$'
//! ```
//! ```text
//! static PATTERN_1: p::Pattern = p::Pattern::new("^[A-Z]{2}$", "^[A-Z]{2}$");
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use crate::lower::PatternPlan;
use crate::model::Around;

/// The patterns: as the document writes them, and as the linear-time engine of the runtime takes them.
pub(crate) fn emit<'p>(patterns: impl IntoIterator<Item = &'p PatternPlan>) -> TokenStream {
    let statics = patterns.into_iter().map(|plan| {
        let ident = &plan.ident;
        let source = &plan.pattern.source;
        let translated = &plan.pattern.translated;
        let around = &plan.pattern.around;
        let around = around.iter().map(|Around { translated, holds }| quote!((#translated, #holds)));
        let made = match plan.pattern.around.is_empty() {
            true => quote!(new(#source, #translated)),
            false => quote!(with_around(#source, #translated, &[#(#around),*])),
        };
        quote!(static #ident: p::Pattern = p::Pattern::#made;)
    });
    quote!(#(#statics)*)
}
