//! ```yaml
//! x-palisade: { resources: { Account: { attributes: { owner: string } } } }
//! ```
//! ```text
//! pub mod resource { pub trait Account: Send + Sync { fn owner(&self) -> &str; } }
//! pub trait ResolveAccount: Send + Sync + 'static {
//!     type Account: resource::Account;
//!     fn resolve_account(&self, id: &str) -> impl Future<Output = ..> + Send;
//! }
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::doc::doc;
use super::scopes::code;
use crate::lower::ResourcePlan;
use crate::model::AttributeKind;

/// What rules read of resources, and who finds them. Nothing where no operation is about an object.
pub(super) fn emit(resources: &[ResourcePlan<'_>]) -> Option<TokenStream> {
    let attributes = resources.iter().map(attributes);
    let resolvers = resources.iter().map(resolver);
    (!resources.is_empty()).then(|| {
        quote! {
            /// What object-level rules read of each resource.
            pub mod resource {
                #(#attributes)*
            }
            #(#resolvers)*
        }
    })
}

fn attributes(plan: &ResourcePlan<'_>) -> TokenStream {
    let ident = &plan.ident;
    let name = code(&plan.resource.name);
    let about = doc(&format!(
        "The attributes of {name}: `#[derive(palisade::Resource)]` on your row type implements it."
    ));
    let methods = plan.attributes.iter().map(|(method, attribute)| {
        let about = doc(&format!("Attribute {}.", code(&attribute.name)));
        let ty = match attribute.kind {
            AttributeKind::String => quote!(&str),
            AttributeKind::Boolean => quote!(bool),
            AttributeKind::Integer => quote!(i64),
        };
        quote! {
            #about
            fn #method(&self) -> #ty;
        }
    });
    quote! {
        #about
        pub trait #ident: Send + Sync {
            #(#methods)*
        }
    }
}

fn resolver(plan: &ResourcePlan<'_>) -> TokenStream {
    let ResourcePlan { ident, resolve_trait, resolve_method, delegate, .. } = plan;
    let name = code(&plan.resource.name);
    let about = doc(&format!("Finds the {name} that a request is about, before its handler runs."));
    let missing = doc(&format!(
        "`None` when there is no such {name}; the caller sees the same answer as when it is somebody else's."
    ));
    quote! {
        #about
        pub trait #resolve_trait: Send + Sync + 'static {
            /// Your row type.
            type #ident: resource::#ident;
            #missing
            fn #resolve_method(
                &self,
                id: &str,
            ) -> impl ::core::future::Future<Output = Result<Option<Self::#ident>, p::Problem>> + Send;
        }
        #[doc(hidden)]
        #[allow(unused_macros, reason = "for `#[derive(palisade::Service)]`")]
        macro_rules! #delegate {
            ([$($module:tt)*] $field:ident: $type:ty) => {
                type #ident = <$type as $($module)*::#resolve_trait>::#ident;
                fn #resolve_method(
                    &self,
                    id: &str,
                ) -> impl ::core::future::Future<
                    Output = ::core::result::Result<
                        ::core::option::Option<Self::#ident>,
                        ::palisade::__private::Problem,
                    >,
                > + Send {
                    <$type as $($module)*::#resolve_trait>::#resolve_method(&self.$field, id)
                }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports, reason = "for `#[derive(palisade::Service)]`")]
        pub(crate) use #delegate;
    }
}
