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
use quote::{ToTokens, quote};

use super::checks::rule;
use super::contents;
use super::doc::{doc, said};
use super::operations::status;
use super::scopes::code;
use super::values::{Paths, integer, plain};
use crate::lower::{ContentPlan, HeaderPlan, HeadersPlan, OperationPlan, VariantPlan};
use crate::model::{ContentForm, Framing, StatusKey, WireKind};

/// The declared answers of an operation.
pub(super) fn emit(plan: &OperationPlan<'_>) -> TokenStream {
    let ident = &plan.output_ident;
    let about = doc(&format!("The declared answers of [`{}`].", plan.ident));
    let choices = plan.output.variants.iter().filter_map(|variant| {
        let about = format!("What [`{ident}::{}`] carries, by its media type.", variant.ident);
        Some(contents::choice(variant.choice.as_ref()?, &about, &variant.contents))
    });
    let headers = plan.output.variants.iter().filter_map(|variant| {
        variant.headers.as_ref().map(|headers| header_struct(headers, &format!("{ident}::{}", variant.ident)))
    });
    let variants = plan.output.variants.iter().map(variant);
    let arms = plan.output.variants.iter().map(|variant| arm(&plan.ident, variant));
    let produces = produces(plan);
    // what an answer is recorded by is sent as well
    let clone = plan.operation.idempotency.is_some().then(|| quote!(Clone,));
    quote! {
        #(#choices)*
        #(#headers)*
        #about
        #[allow(dead_code, clippy::large_enum_variant, reason = "declared by the document")]
        #[derive(#clone Debug)]
        pub enum #ident {
            #(#variants,)*
        }
        impl p::Output for #ident {
            #produces
            fn answer(self) -> Result<p::Answer, p::Unfit> {
                match self {
                    #(#arms,)*
                }
            }
        }
    }
}

/// The media types that a call which works is answered in; nothing where one of its answers has none.
fn produces(plan: &OperationPlan<'_>) -> Option<TokenStream> {
    let good = |variant: &&VariantPlan<'_>| {
        matches!(variant.status, StatusKey::Exactly(200..=299) | StatusKey::Range(2))
    };
    let good: Vec<_> = plan.output.variants.iter().filter(good).collect();
    let known = |variant: &&VariantPlan<'_>| {
        !variant.contents.is_empty() && !variant.contents.iter().any(|plan| plan.content.is_range_of_bytes())
    };
    let always = !good.is_empty() && good.iter().all(known);
    let mut types: Vec<&str> = Vec::new();
    for one in good.iter().flat_map(|variant| &variant.contents).flat_map(|one| &one.content.media_types) {
        if !types.contains(&one.as_str()) {
            types.push(one);
        }
    }
    always.then(|| quote!(const PRODUCES: &'static [&'static str] = &[#(#types),*];))
}

fn header_struct(plan: &HeadersPlan<'_>, of: &str) -> TokenStream {
    let about = doc(&format!("The headers of [`{of}`]."));
    let ident = &plan.ident;
    let fields = plan.fields.iter().map(|field| {
        let about = doc(&said(&field.header.docs, &code(&field.header.name)));
        let ty = plain(&field.ty);
        let ty = if field.header.required { ty } else { Paths::inside().optional(&ty) };
        let field = &field.field;
        quote!(#about pub #field: #ty)
    });
    let default = plan.fields.iter().all(|field| !field.header.required).then(|| quote!(, Default));
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        #[derive(Clone, Debug, PartialEq #default)]
        pub struct #ident {
            #(#fields,)*
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
    let headers = variant.headers.as_ref().map(|headers| headers.ident.to_token_stream());
    let carried: Vec<TokenStream> = status.into_iter().chain(body).chain(headers).collect();
    let carried = (!carried.is_empty()).then(|| quote!((#(#carried),*)));
    quote!(#about #ident #carried)
}

fn arm(operation: &Ident, variant: &VariantPlan<'_>) -> TokenStream {
    let ident = &variant.ident;
    let status = match variant.status {
        StatusKey::Exactly(code) => integer(code.into()),
        key => {
            let key = status(key);
            quote!(p::under(status, #key, <#operation as p::Operation>::POLICY)?)
        }
    };
    let answer = match (&variant.choice, variant.contents.as_slice()) {
        (None, [one]) => written(&status, one),
        (None, _) => quote!(p::Answer::empty(#status)),
        (Some(choice), contents) => {
            let arms = contents.iter().map(|content| {
                let kind = &content.variant;
                let written = written(&quote!(status), content);
                quote!(#choice::#kind(body) => #written)
            });
            quote!({ let status = #status; match body { #(#arms,)* } })
        }
    };
    let set = variant.headers.iter().flat_map(|headers| &headers.fields).map(set_header);
    let names = [
        variant.chooses().then(|| quote!(status)),
        variant.body.is_some().then(|| quote!(body)),
        variant.headers.is_some().then(|| quote!(headers)),
    ];
    let names: Vec<TokenStream> = names.into_iter().flatten().collect();
    let names = (!names.is_empty()).then(|| quote!((#(#names),*)));
    quote!(Self::#ident #names => #answer #(#set)*)
}

/// How a content is written.
fn written(status: &TokenStream, content: &ContentPlan<'_>) -> TokenStream {
    let types = &content.content.media_types;
    let first = types.first();
    let checked = !content.checks.is_empty();
    let headed = content.content.part_headers.is_some();
    let rule = rule(&content.checks);
    let in_fields = |written: &TokenStream| {
        let fields = contents::declared_fields(content);
        quote!({ #fields #written })
    };
    match content.content.form {
        ContentForm::Json | ContentForm::Records { .. } => {
            let typed = match types.as_slice() {
                [one] if one == "application/json" => None,
                [one] => Some(quote!(.map(|answer| answer.typed(#one)))),
                all => Some(quote!(.map(|answer| answer.one_of(&[#(#all),*])))),
            };
            match checked {
                true => quote!(p::Answer::json_under(#status, &body, #rule) #typed),
                false => quote!(p::Answer::json(#status, &body) #typed),
            }
        }
        ContentForm::Form(_) => in_fields(&quote!(p::Answer::form(#status, #first, &body, FIELDS, #rule))),
        ContentForm::FreeForm(_) => {
            in_fields(&quote!(p::Answer::free_form(#status, #first, &body, FIELDS, #rule)))
        }
        ContentForm::Multipart(_) => {
            let method = if headed { quote!(multipart_with_headers) } else { quote!(multipart) };
            in_fields(&quote!(p::Answer::#method(#status, #first, &body, FIELDS, #rule)))
        }
        ContentForm::Parts(_) => {
            let method = if headed { quote!(items_with_headers) } else { quote!(items) };
            in_fields(&quote!(p::Answer::#method(#status, #first, &body, &ITEM, #rule)))
        }
        ContentForm::Places { .. } => {
            let method = if headed { quote!(places_with_headers) } else { quote!(places) };
            in_fields(&quote!(p::Answer::#method(#status, #first, &body, PLACES, #rule)))
        }
        ContentForm::Text => quote!(p::Answer::text(#status, #first, &body, #rule)),
        ContentForm::Bytes if content.content.is_range_of_bytes() => {
            quote!(p::Answer::bytes_within(#status, #first, body, #rule))
        }
        ContentForm::Bytes => quote!(p::Answer::bytes(#status, #first, body, #rule)),
        ContentForm::Stream(framing) => match framing {
            Framing::Line => quote!(p::Answer::lines(#status, #first, body, #rule)),
            Framing::Record => quote!(p::Answer::records(#status, #first, body, #rule)),
            Framing::Data => quote!(p::Answer::event_data(#status, body, #rule)),
            Framing::Event => quote!(p::Answer::events(#status, body, #rule)),
        },
    }
}

fn set_header(plan: &HeaderPlan<'_>) -> TokenStream {
    let field = &plan.field;
    let header = plan.header;
    let name = &header.name;
    let rule = rule(&plan.checks);
    let shape = match (&header.wire.kind, header.wire.explode) {
        (WireKind::Json, _) => quote!(Json),
        _ if header.lines => quote!(Lines),
        (_, true) => quote!(Exploded),
        (_, false) => quote!(Simple),
    };
    let method = if header.required { quote!(header) } else { quote!(optional_header) };
    let value = if header.required { quote!(&headers.#field) } else { quote!(headers.#field.as_ref()) };
    quote!(.and_then(|answer| answer.#method(#name, #value, p::HeaderForm::#shape, #rule)))
}
