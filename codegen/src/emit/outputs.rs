//! ```yaml
//! responses: { "204": { description: done }, 4XX: { description: refused, content: .. } }
//! ```
//! ```text
//! pub enum PayOutput { NoContent, ClientError(p::StatusCode, Error) }
//! impl p::Output for PayOutput {
//!     fn answer(self) -> Result<p::Answer, p::Unfit> {
//!         match self {
//!             Self::NoContent => p::Answer::empty(204),
//!             Self::ClientError(status, body) => p::Answer::json(p::under(status, ..)?, &body),
//!         }
//!     }
//! }
//! ```

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::doc::{doc, said};
use super::operations::status;
use super::values::{integer, plain};
use crate::lower::{OperationPlan, VariantPlan};
use crate::model::StatusKey;

/// The declared answers of an operation.
pub(super) fn emit(plan: &OperationPlan<'_>) -> TokenStream {
    let ident = &plan.output_ident;
    let about = doc(&format!("The declared answers of [`{}`].", plan.ident));
    let variants = plan.output.variants.iter().map(variant);
    let arms = plan.output.variants.iter().map(|variant| arm(&plan.ident, variant));
    quote! {
        #about
        #[allow(dead_code, clippy::large_enum_variant, reason = "declared by the document")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum #ident {
            #(#variants,)*
        }
        impl p::Output for #ident {
            fn answer(self) -> Result<p::Answer, p::Unfit> {
                match self {
                    #(#arms,)*
                }
            }
        }
    }
}

fn variant(variant: &VariantPlan<'_>) -> TokenStream {
    let ident = &variant.ident;
    let key = match variant.status {
        StatusKey::Exactly(code) => code.to_string(),
        StatusKey::Range(hundred) => format!("{hundred}XX, the handler says which"),
        StatusKey::Default => "Any other status, the handler says which".to_owned(),
    };
    let said = said(variant.docs, "");
    let about = doc(&if said.is_empty() { key } else { format!("{key}: {said}") });
    let status = variant.chooses().then(|| quote!(p::StatusCode));
    let body = variant.body.as_ref().map(plain);
    let carried: Vec<TokenStream> = status.into_iter().chain(body).collect();
    let carried = (!carried.is_empty()).then(|| quote!((#(#carried),*)));
    quote!(#about #ident #carried)
}

fn arm(operation: &Ident, variant: &VariantPlan<'_>) -> TokenStream {
    let ident = &variant.ident;
    let code = match variant.status {
        StatusKey::Exactly(code) => integer(code.into()),
        key => {
            let key = status(key);
            quote!(p::under(status, #key, <#operation as p::Operation>::POLICY)?)
        }
    };
    let typed = variant.media_type.filter(|media_type| *media_type != "application/json");
    let typed = typed.map(|media_type| quote!(.map(|answer| answer.typed(#media_type))));
    match (variant.chooses(), variant.body.is_some()) {
        (false, false) => quote!(Self::#ident => p::Answer::empty(#code)),
        (false, true) => quote!(Self::#ident(body) => p::Answer::json(#code, &body) #typed),
        (true, false) => quote!(Self::#ident(status) => p::Answer::empty(#code)),
        (true, true) => quote!(Self::#ident(status, body) => p::Answer::json(#code, &body) #typed),
    }
}
