//! ```yaml
//! webhooks: { paid: { post: { requestBody: .., responses: .. } } }
//! ```
//! ```text
//! pub enum Webhooks {}
//! impl Webhooks {
//!     pub fn paid(body: &Payment) -> Result<p::Notice, p::Unfit> {
//!         p::Notice::json("POST", "application/json", body, p::no_rule)
//!     }
//! }
//! ```

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::checks::rule;
use super::contents;
use super::doc::{doc, said};
use super::scopes::code;
use super::values::plain;
use crate::lower::{ContentPlan, NoticePlan, OutgoingPlan};
use crate::model::{Cause, ContentForm};

/// What the server sends of its own accord.
pub(super) fn emit(plan: &OutgoingPlan<'_>) -> TokenStream {
    let ident = &plan.ident;
    let about = doc(plan.docs);
    let notices = plan.notices.iter().map(notice);
    quote! {
        #about
        #[derive(Debug)]
        pub enum #ident {}
        #[allow(dead_code, clippy::ptr_arg, reason = "declared by the document")]
        impl #ident {
            #(#notices)*
        }
    }
}

fn notice(plan: &NoticePlan<'_>) -> TokenStream {
    let NoticePlan { ident, outgoing, content } = plan;
    let method = outgoing.method.as_str();
    let cause = match &outgoing.cause {
        Cause::Webhook(name) => format!("{} of the webhook {}", code(method), code(name)),
        Cause::Callback { operation, to } => {
            format!("{} after {}, to {}", code(method), code(operation), code(to))
        }
    };
    let said = said(&outgoing.docs, "");
    let about = doc(&if said.is_empty() { cause } else { format!("{cause}: {said}") });
    let (given, made) = match content {
        None => (None, quote!(Ok(p::Notice::empty(#method)))),
        Some(content) => {
            let (ty, rule) = (plain(&content.ty), rule(&content.checks));
            let media_type = content.content.media_types.first();
            let made = match (&content.content.form, contents::declared_fields(content)) {
                (ContentForm::Form(_), fields) => {
                    quote!(#fields p::Notice::form(#method, #media_type, body, FIELDS, #rule))
                }
                (ContentForm::Multipart(_), fields) => {
                    let method_name = parts(content, "multipart");
                    quote!(#fields p::Notice::#method_name(#method, #media_type, body, FIELDS, #rule))
                }
                (ContentForm::Parts(_), item) => {
                    let method_name = parts(content, "items");
                    quote!(#item p::Notice::#method_name(#method, #media_type, body, &ITEM, #rule))
                }
                (ContentForm::Places { .. }, places) => {
                    let method_name = parts(content, "places");
                    quote!(#places p::Notice::#method_name(#method, #media_type, body, PLACES, #rule))
                }
                (ContentForm::FreeForm(_), fields) => {
                    quote!(#fields p::Notice::free_form(#method, #media_type, body, FIELDS, #rule))
                }
                _ => quote!(p::Notice::json(#method, #media_type, body, #rule)),
            };
            (Some(quote!(body: &#ty)), made)
        }
    };
    quote! {
        #about
        ///
        /// # Errors
        /// When the value does not satisfy its schema: what the document does not describe never leaves.
        pub fn #ident(#given) -> Result<p::Notice, p::Unfit> {
            #made
        }
    }
}

/// The function that writes parts, with what they say in their heads where they say something.
fn parts(content: &ContentPlan<'_>, name: &str) -> Ident {
    match content.content.part_headers {
        Some(_) => format_ident!("{name}_with_headers"),
        None => format_ident!("{name}"),
    }
}
