//! ```yaml
//! tags: [Transfers]
//! operationId: createTransfer
//! ```
//! ```text
//! pub trait Transfers: Send + Sync + 'static {
//!     fn create_transfer(&self, caller: p::Caller<CreateTransfer>, input: CreateTransferInput)
//!         -> impl Future<Output = Result<CreateTransferOutput, p::Problem>> + Send;
//! }
//! p::served!(CreateTransfer by Transfers::create_transfer(CreateTransferInput) -> CreateTransferOutput);
//! macro_rules! delegate_transfers { .. }    // the same methods, for `#[derive(palisade::Service)]`
//! ```

use proc_macro2::TokenStream;
use quote::quote;

use super::doc::{clean, doc, said};
use super::scopes::code;
use crate::lower::{OperationPlan, TraitPlan};

/// The trait of a tag, and how the runtime calls it.
pub(super) fn emit(plan: &TraitPlan<'_>, operations: &[OperationPlan<'_>]) -> TokenStream {
    let ident = &plan.ident;
    let about = doc(&about(plan));
    let own: Vec<&OperationPlan<'_>> =
        plan.operations.iter().filter_map(|&position| operations.get(position)).collect();
    let methods = own.iter().map(|operation| method(operation));
    let served = own.iter().map(|operation| served(plan, operation));
    let delegate = delegate(plan, &own);
    quote! {
        #about
        pub trait #ident: Send + Sync + 'static {
            #(#methods)*
        }
        #(#served)*
        #delegate
    }
}

fn about(plan: &TraitPlan<'_>) -> String {
    let title = match plan.tag {
        Some(tag) => format!("Operations tagged {}.", code(tag)),
        None => "The operations without a tag.".to_owned(),
    };
    match plan.docs.and_then(|docs| docs.description.as_deref()).map(clean) {
        Some(text) if !text.is_empty() => format!("{title}\n\n{text}"),
        _ => title,
    }
}

fn method(plan: &OperationPlan<'_>) -> TokenStream {
    let OperationPlan { ident, input_ident, output_ident, method, operation, .. } = plan;
    let place = code(&format!("{} {}", operation.method.as_str(), operation.path.text));
    let about = doc(&said(&operation.docs, &format!("Answers {place}.")));
    quote! {
        #about
        fn #method(
            &self,
            caller: p::Caller<#ident>,
            input: #input_ident,
        ) -> impl ::core::future::Future<Output = Result<#output_ident, p::Problem>> + Send;
    }
}

fn served(plan: &TraitPlan<'_>, operation: &OperationPlan<'_>) -> TokenStream {
    let of_tag = &plan.ident;
    let OperationPlan { ident, input_ident, output_ident, method, .. } = operation;
    quote!(p::served!(#ident by #of_tag::#method(#input_ident) -> #output_ident);)
}

/// Paths of a macro are looked up where it is called, so everything is named in full.
fn delegate(plan: &TraitPlan<'_>, operations: &[&OperationPlan<'_>]) -> TokenStream {
    let TraitPlan { ident: of_tag, delegate, .. } = plan;
    let methods = operations.iter().map(|operation| {
        let OperationPlan { ident, input_ident, output_ident, method, .. } = operation;
        quote! {
            fn #method(
                &self,
                caller: ::palisade::__private::Caller<$($module)*::#ident>,
                input: $($module)*::#input_ident,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<$($module)*::#output_ident, ::palisade::__private::Problem>,
            > + Send {
                <$type as $($module)*::#of_tag>::#method(&self.$field, caller, input)
            }
        }
    });
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros, reason = "for `#[derive(palisade::Service)]`")]
        macro_rules! #delegate {
            ([$($module:tt)*] $field:ident: $type:ty) => {
                #(#methods)*
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports, reason = "for `#[derive(palisade::Service)]`")]
        pub(crate) use #delegate;
    }
}
