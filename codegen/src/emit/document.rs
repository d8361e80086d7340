//! ```yaml
//! info: { title: Bank, version: 1.0.0 }
//! components: { securitySchemes: { partner: { type: apiKey, in: header, name: X-API-Key } } }
//! ```
//! ```text
//! pub static DOCUMENT: p::Document = p::Document {
//!     title: "Bank",
//!     version: "1.0.0",
//!     hash: "3f5a..",
//!     schemes: &[p::Scheme { name: "partner", kind: p::SchemeKind::ApiKey(p::KeyRules { .. }) }],
//!     limits: &[],
//!     errors: p::ErrorForm::Envelope,
//! };
//! ```

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::doc::{clean, doc};
use super::limits::limit;
use super::values::{duration, optional_text};
use crate::model::{Api, Binding, KeyLocation, KeyRules, Scheme, SchemeKind, Token, TokenRules};

/// The facts of the document.
pub(super) fn emit(api: &Api, hash: &str) -> TokenStream {
    let about = doc(&clean(&format!("{} {}, as its document says.", api.title, api.version)));
    let facts = facts(api, hash);
    quote! {
        #about
        pub static DOCUMENT: p::Document = #facts;
    }
}

/// The facts, as an expression.
pub(crate) fn facts(api: &Api, hash: &str) -> TokenStream {
    let title = &api.title;
    let version = &api.version;
    let schemes = api.schemes.iter().map(scheme);
    let errors = format_ident!("{}", api.errors.as_str());
    let limits = api.unmatched.iter().map(|id| limit(api.limit(*id), 1));
    quote! {
        p::Document {
            title: #title,
            version: #version,
            hash: #hash,
            schemes: &[#(#schemes),*],
            limits: &[#(#limits),*],
            errors: p::ErrorForm::#errors,
        }
    }
}

fn scheme(scheme: &Scheme) -> TokenStream {
    let name = &scheme.name;
    let kind = match &scheme.kind {
        SchemeKind::Bearer(rules) => token_rules(rules),
        SchemeKind::ApiKey(rules) => key_rules(rules),
        SchemeKind::Basic => quote!(p::SchemeKind::Basic),
        SchemeKind::MutualTls(rules) => {
            let subject = format_ident!("{}", rules.subject.as_str());
            quote!(p::SchemeKind::MutualTls(p::CertificateRules { subject: p::SubjectName::#subject }))
        }
    };
    quote!(p::Scheme { name: #name, kind: #kind })
}

fn token_rules(rules: &TokenRules) -> TokenStream {
    let token = token(&rules.token);
    let issuer = optional_text(rules.issuer.as_ref());
    let audience = optional_text(rules.audience.as_ref());
    let leeway = duration(rules.leeway);
    let max_lifetime = optional_duration(rules.max_lifetime);
    let scopes_claim = &rules.scopes_claim;
    let tenant_claim = &rules.tenant_claim;
    let binding = match rules.binding {
        Binding::None => quote!(None),
        Binding::Certificate => quote!(Certificate),
        Binding::Proof { nonce } => quote!(Proof { nonce: #nonce }),
    };
    let revocation = format_ident!("{}", rules.revocation.as_str());
    quote! {
        p::SchemeKind::Bearer(p::TokenRules {
            token: #token,
            issuer: #issuer,
            audience: #audience,
            leeway: #leeway,
            max_lifetime: #max_lifetime,
            scopes_claim: &[#(#scopes_claim),*],
            tenant_claim: &[#(#tenant_claim),*],
            binding: p::Binding::#binding,
            revocation: p::Revocation::#revocation,
        })
    }
}

fn token(token: &Token) -> TokenStream {
    match token {
        Token::Jwt { algorithms, typ } => {
            let algorithms = algorithms.iter().map(|algorithm| format_ident!("{}", algorithm.as_str()));
            let typ = optional_text(typ.as_ref());
            quote!(p::Token::Jwt { algorithms: &[#(p::Algorithm::#algorithms),*], typ: #typ })
        }
        Token::Introspected { cache } => {
            let cache = optional_duration(*cache);
            quote!(p::Token::Introspected { cache: #cache })
        }
    }
}

fn optional_duration(value: Option<Duration>) -> TokenStream {
    value.map(duration).map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

fn key_rules(rules: &KeyRules) -> TokenStream {
    let location = match &rules.location {
        KeyLocation::Header(name) => quote!(p::KeyLocation::Header(#name)),
        KeyLocation::Cookie(name) => quote!(p::KeyLocation::Cookie(#name)),
        KeyLocation::Query(name) => quote!(p::KeyLocation::Query(#name)),
    };
    let prefix = optional_text(rules.prefix.as_ref());
    let rotate_within = optional_duration(rules.rotate_within);
    quote! {
        p::SchemeKind::ApiKey(p::KeyRules {
            location: #location,
            prefix: #prefix,
            rotate_within: #rotate_within,
        })
    }
}
