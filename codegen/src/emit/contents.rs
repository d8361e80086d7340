//! ```yaml
//! requestBody: { content: { application/json: { schema: A }, text/plain: {} } }
//! ```
//! ```text
//! pub enum PayBody { Json(A), Text(String) }
//! fn body(sent: Option<p::Sent<'_>>) -> Result<Self::Body, p::Refused> {
//!     let sent = p::Sent::required(sent)?;
//!     match sent.which() {
//!         0 => sent.json(p::no_rule).map(PayBody::Json),
//!         1 => sent.text(p::no_rule).map(PayBody::Text),
//!         _ => sent.unknown(),
//!     }
//! }
//! ```

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::checks::rule;
use super::doc::doc;
use super::scopes::code;
use super::values::{Paths, plain, rust_type};
use super::wires;
use crate::lower::{BodyPlan, ContentPlan, RustType};
use crate::model::{ContentForm, Framing};

/// The enumeration of the contents of a body or an answer.
pub(super) fn choice(ident: &Ident, of: &str, contents: &[ContentPlan<'_>]) -> TokenStream {
    let about = doc(of);
    let variants = contents.iter().map(|content| {
        let types: Vec<String> = content.content.media_types.iter().map(|one| code(one)).collect();
        let about = doc(&types.join(", "));
        let variant = &content.variant;
        let ty = plain(&content.ty);
        quote!(#about #variant(#ty))
    });
    let streams = contents.iter().any(|content| matches!(content.ty, RustType::Items(_)));
    let derives = if streams { quote!(Debug) } else { quote!(Clone, Debug, PartialEq) };
    quote! {
        #about
        #[allow(dead_code, clippy::large_enum_variant, reason = "declared by the document")]
        #[derive(#derives)]
        pub enum #ident {
            #(#variants,)*
        }
    }
}

/// How a body is decoded.
pub(super) fn reading(body: Option<&BodyPlan<'_>>, paths: &Paths) -> TokenStream {
    let Some(body) = body else { return quote!(p::Sent::nothing(sent)) };
    let reading = match (&body.choice, body.contents.as_slice()) {
        (None, [one]) => return alone(body, one, paths),
        (None, _) => quote!(sent.unknown()),
        (Some(choice), contents) => {
            let choice = rust_type(&RustType::Named(choice.clone()), paths);
            let mut next = 0..;
            let arms = contents.iter().map(|content| {
                let which = next.by_ref().take(content.content.media_types.len());
                let which = which.map(Literal::usize_unsuffixed);
                let read = read(content, paths);
                let variant = &content.variant;
                quote!(#(#which)|* => #read.map(#choice::#variant))
            });
            quote!(match sent.which() { #(#arms,)* _ => sent.unknown() })
        }
    };
    match body.required {
        true => quote!(let sent = p::Sent::required(sent)?; #reading),
        false => quote!(sent.map(|sent| #reading).transpose()),
    }
}

/// How each media type is read, where one is not read whole into memory.
pub(super) fn receiving(body: Option<&BodyPlan<'_>>) -> Option<TokenStream> {
    let body = body?;
    let mut next = 0..;
    let mut arms: Vec<TokenStream> = body
        .contents
        .iter()
        .filter_map(|content| {
            let which: Vec<_> = next.by_ref().take(content.content.media_types.len()).collect();
            let which = which.into_iter().map(Literal::usize_unsuffixed);
            let how = match &content.content.form {
                ContentForm::Bytes => quote!(p::Receiving::Spooled),
                ContentForm::Multipart(_) => {
                    let fields = declared_fields(content);
                    quote!({ #fields p::Receiving::Parts(FIELDS) })
                }
                ContentForm::Parts(_) => {
                    let item = declared_fields(content);
                    quote!({ #item p::Receiving::Items(&ITEM) })
                }
                ContentForm::Places { .. } => {
                    let places = declared_fields(content);
                    quote!({ #places p::Receiving::Places(PLACES) })
                }
                _ => return None,
            };
            Some(quote!(#(#which)|* => #how))
        })
        .collect();
    if !body.refused.is_empty() {
        let which = next.take(body.refused.len()).map(Literal::usize_unsuffixed);
        arms.push(quote!(#(#which)|* => p::Receiving::Refused));
    }
    (!arms.is_empty()).then(|| {
        quote! {
            fn receiving(which: usize) -> p::Receiving {
                match which { #(#arms,)* _ => p::Receiving::Whole }
            }
        }
    })
}

fn alone(body: &BodyPlan<'_>, content: &ContentPlan<'_>, paths: &Paths) -> TokenStream {
    let fields = fields_to_read(content);
    let read = read_with(content, paths);
    match body.required {
        true => quote!(#fields let sent = p::Sent::required(sent)?; sent.#read),
        false => quote!(#fields sent.map(|sent| sent.#read).transpose()),
    }
}

fn read(content: &ContentPlan<'_>, paths: &Paths) -> TokenStream {
    let read = read_with(content, paths);
    match fields_to_read(content) {
        Some(fields) => quote!({ #fields sent.#read }),
        None => quote!(sent.#read),
    }
}

/// Those that are stated where a body is read: of parts they were, before it came.
fn fields_to_read(content: &ContentPlan<'_>) -> Option<TokenStream> {
    match content.content.form {
        ContentForm::Multipart(_) | ContentForm::Parts(_) | ContentForm::Places { .. } => None,
        _ => declared_fields(content),
    }
}

/// How each member of a form is written, as a constant.
pub(super) fn declared_fields(content: &ContentPlan<'_>) -> Option<TokenStream> {
    match &content.content.form {
        ContentForm::Form(fields) | ContentForm::FreeForm(fields) | ContentForm::Multipart(fields) => {
            let fields = wires::fields(fields);
            Some(quote!(const FIELDS: &[p::Wire] = #fields;))
        }
        ContentForm::Parts(item) => {
            let item = wires::field("", item);
            Some(quote!(const ITEM: p::Wire = #item;))
        }
        ContentForm::Places { fields, rest } => {
            let places = wires::places(fields, *rest);
            Some(quote!(const PLACES: p::Places = #places;))
        }
        _ => None,
    }
}

fn read_with(content: &ContentPlan<'_>, paths: &Paths) -> TokenStream {
    let rule = rule(&content.checks);
    // A closure alone would let the compiler take its argument for a slice.
    let typed = (!content.checks.is_empty()).then(|| match &content.ty {
        RustType::Parts(form, _) => {
            let form = rust_type(form, paths);
            quote!(::<#form, _>)
        }
        ty => {
            let ty = rust_type(ty, paths);
            quote!(::<#ty>)
        }
    });
    match content.content.form {
        ContentForm::Json | ContentForm::Stream(_) => quote!(json #typed(#rule)),
        ContentForm::Records { framing, json } => match framing {
            Framing::Line => quote!(lines #typed(#rule)),
            Framing::Record => quote!(sequence #typed(#rule)),
            Framing::Data => match json {
                Some(json) => quote!(event_data #typed(#json, #rule)),
                None => quote!(event_data_of_either #typed(#rule)),
            },
            Framing::Event => match json {
                Some(json) => quote!(events #typed(#json, #rule)),
                None => quote!(events_of_either #typed(#rule)),
            },
        },
        ContentForm::Form(_) => quote!(form #typed(FIELDS, #rule)),
        ContentForm::FreeForm(_) => quote!(free_form #typed(FIELDS, #rule)),
        ContentForm::Multipart(_) if content.content.part_headers.is_some() => {
            quote!(multipart_with_headers #typed(#rule))
        }
        ContentForm::Multipart(_) => quote!(multipart #typed(#rule)),
        ContentForm::Parts(_) if content.content.part_headers.is_some() => {
            quote!(items_with_headers #typed(#rule))
        }
        ContentForm::Parts(_) => quote!(items #typed(#rule)),
        ContentForm::Places { .. } if content.content.part_headers.is_some() => {
            quote!(places_with_headers #typed(#rule))
        }
        ContentForm::Places { .. } => quote!(places #typed(#rule)),
        ContentForm::Text => quote!(text #typed(#rule)),
        ContentForm::Bytes => quote!(upload(#rule)),
    }
}
