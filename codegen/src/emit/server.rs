//! ```yaml
//! securitySchemes: { oauth: { type: oauth2 } }
//! ```
//! ```text
//! pub fn server<S: Transfers>(service: S) -> Server<S, missing::Oauth> { .. }
//! pub mod missing { pub enum Oauth {} }
//! impl<S: .., Oauth> Server<S, Oauth> {
//!     pub fn oauth(self, verifier: impl Into<p::BearerVerifier>) -> Server<S, p::Given> { .. }
//! }
//! impl<S: Transfers, Oauth: p::Part> Server<S, Oauth> {
//!     pub fn build(self) -> Result<p::Server, p::ConfigError> { .. }
//! }
//! ```

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::doc::doc;
use super::scopes::code;
use crate::lower::{PartOf, PartPlan, Plan, ResourcePlan, verifier};

/// The pieces that every part of the builder is written with.
struct Pieces {
    /// `, Oauth, Partner`: the type parameters after `S`.
    parameters: TokenStream,
    /// `Transfers + ResolveAccount`
    bounds: TokenStream,
    /// `, given: p::PhantomData`, where there is a part to give.
    given: Option<TokenStream>,
}

/// The builder of the server.
pub(super) fn emit(plan: &Plan<'_>) -> TokenStream {
    let pieces = Pieces::of(plan);
    let entry = entry(plan, &pieces);
    let builder = builder(plan, &pieces);
    let steps = steps(plan, &pieces);
    let build = build(plan, &pieces);
    quote!(#entry #builder #steps #build)
}

impl Pieces {
    fn of(plan: &Plan<'_>) -> Self {
        let parameters = plan.server.parts.iter().map(|part| &part.ident);
        let traits = &plan.server.bounds;
        let bounds = if traits.is_empty() { quote!(Send + Sync + 'static) } else { quote!(#(#traits)+*) };
        let given = (!plan.server.parts.is_empty()).then(|| quote!(, given: p::PhantomData));
        Self { parameters: quote!(#(, #parameters)*), bounds, given }
    }
}

fn entry(plan: &Plan<'_>, pieces: &Pieces) -> TokenStream {
    let Pieces { bounds, given, .. } = pieces;
    let parts: Vec<_> = plan.server.parts.iter().map(|part| &part.ident).collect();
    let missing = (!parts.is_empty()).then(|| {
        let types = plan.server.parts.iter().map(|part| {
            let about = doc(&format!("`.{}(..)` has not been called.", part.step));
            let ident = &part.ident;
            quote!(#about #[derive(Debug)] pub enum #ident {})
        });
        quote! {
            /// Parts that are still missing; the compiler names them when `build` is called too early.
            pub mod missing {
                #(#types)*
            }
        }
    });
    quote! {
        /// A server of this document: give each part that it needs, then `build`.
        pub fn server<S: #bounds>(service: S) -> Server<S #(, missing::#parts)*> {
            Server { parts: p::Builder::new(&DOCUMENT, service) #given }
        }
        #missing
    }
}

fn builder(plan: &Plan<'_>, pieces: &Pieces) -> TokenStream {
    let Pieces { parameters, .. } = pieces;
    let parts: Vec<_> = plan.server.parts.iter().map(|part| &part.ident).collect();
    let given = (!parts.is_empty()).then(|| quote!(given: p::PhantomData<(#(#parts,)*)>,));
    // Seven parts are what clippy's measure of a type allows.
    let complex = (parts.len() > 7).then(
        || quote!(#[allow(clippy::type_complexity, reason = "a part for each scheme of the document")]),
    );
    quote! {
        /// A server to be: each type parameter after the first is a part, given or missing.
        #[must_use = "a server that is not built serves nothing"]
        #complex
        pub struct Server<S #parameters> {
            parts: p::Builder<S>,
            #given
        }
    }
}

fn steps(plan: &Plan<'_>, pieces: &Pieces) -> TokenStream {
    let Pieces { parameters, given, .. } = pieces;
    let steps = plan.server.parts.iter().map(|part| step(plan, part));
    quote! {
        impl<S: Send + Sync + 'static #parameters> Server<S #parameters> {
            #(#steps)*
            /// What the document does not speak of: trusted proxies, connection limits, the clock.
            #[allow(dead_code, reason = "optional")]
            pub fn settings(self, settings: p::Settings) -> Self {
                Self { parts: self.parts.settings(settings) #given }
            }
        }
    }
}

fn step(plan: &Plan<'_>, part: &PartPlan<'_>) -> TokenStream {
    let step = &part.step;
    let (about, argument, call) = match part.of {
        PartOf::CursorKeys => (
            "The keys that seal the cursors of lists.".to_owned(),
            quote!(keys: p::CursorKeys),
            quote!(cursor_keys(keys)),
        ),
        PartOf::Idempotency => (
            "Keeps the answers of calls that may be sent again.".to_owned(),
            quote!(answers: p::KeptAnswers),
            quote!(idempotency(answers)),
        ),
        PartOf::Denylist => (
            "Says which tokens were revoked before they expired.".to_owned(),
            quote!(denylist: p::Denylist),
            quote!(denylist(denylist)),
        ),
        PartOf::Scheme(scheme) => {
            let name = &scheme.name;
            let about = format!("Verifies credentials of scheme {} ({}).", code(name), scheme.word.as_str());
            let (ty, method) = verifier(scheme);
            let (ty, method) = (format_ident!("{ty}"), format_ident!("{method}"));
            (about, quote!(verifier: impl Into<p::#ty>), quote!(#method(#name, verifier)))
        }
    };
    let about = doc(&about);
    let after = plan.server.parts.iter().map(|other| {
        let ident = &other.ident;
        if other.ident == part.ident { quote!(p::Given) } else { quote!(#ident) }
    });
    quote! {
        #about
        pub fn #step(self, #argument) -> Server<S #(, #after)*> {
            Server { parts: self.parts.#call, given: p::PhantomData }
        }
    }
}

fn build(plan: &Plan<'_>, pieces: &Pieces) -> TokenStream {
    let Pieces { parameters, bounds, .. } = pieces;
    let parts: Vec<_> = plan.server.parts.iter().map(|part| &part.ident).collect();
    let resolvers = plan.resources.iter().map(resolver);
    let operations = plan.operations.iter().map(|operation| &operation.ident);
    // Bounds of the method, not of the block: only then does the compiler say what `p::Part` has to say.
    let given = (!parts.is_empty()).then(|| quote!(where #(#parts: p::Part),*));
    quote! {
        impl<S #parameters> Server<S #parameters>
        where
            S: #bounds,
        {
            /// The server.
            ///
            /// # Errors
            /// Everything that is missing or contradicts the document, at once.
            pub fn build(self) -> Result<p::Server, p::ConfigError> #given {
                self.parts
                    #(#resolvers)*
                    #(.operation::<#operations>())*
                    .build()
            }
        }
    }
}

fn resolver(plan: &ResourcePlan<'_>) -> TokenStream {
    let ResourcePlan { ident, resolve_method, resource, .. } = plan;
    let name = &resource.name;
    let attributes = plan.attributes.iter().map(|(method, attribute)| {
        let name = &attribute.name;
        quote!(.with(#name, resource::#ident::#method(&found)))
    });
    quote! {
        .resolver(#name, |service, id| async move {
            service
                .#resolve_method(&id)
                .await
                .map(|found| found.map(|found| p::Attributes::new() #(#attributes)*))
        })
    }
}
