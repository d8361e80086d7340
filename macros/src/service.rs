//! `#[derive(Service)]`: `#[serves(api::Transfers)] transfers: Handlers` becomes
//!
//! ```ignore
//! impl api::Transfers for Bank { api::delegate_transfers! { [api] transfers: Handlers } }
//! ```
//!
//! The methods come from a macro that is generated beside the trait: this derive cannot see the trait, and a method
//! list that is written twice would drift.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{DeriveInput, Path, PathArguments, Token};

use crate::attribute::{Mistakes, NamedField, named_fields, only};

pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(item, "Service")?;
    let mut mistakes = Mistakes::default();
    let served: Vec<Served<'_>> = fields.iter().flat_map(|field| serves(field, &mut mistakes)).collect();
    for (position, one) in served.iter().enumerate() {
        if served.iter().take(position).any(|earlier| earlier.shown() == one.shown()) {
            mistakes.at(&one.path, "this trait is already served by a field");
        }
    }
    if served.is_empty() {
        mistakes.at(&item.ident, "no field serves anything: mark one with `#[serves(api::Transfers)]`");
    }
    mistakes.finish()?;
    Ok(served.iter().map(|one| one.delegate(item)).collect())
}

fn serves<'a>(field: &'a NamedField<'a>, mistakes: &mut Mistakes) -> Vec<Served<'a>> {
    let Some(attribute) = only(&field.field.attrs, "serves", mistakes) else { return Vec::new() };
    let paths = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
    let Some(paths) = mistakes.keep(paths) else { return Vec::new() };
    if paths.is_empty() {
        mistakes.at(attribute, "say what it serves: `#[serves(api::Transfers)]`");
    }
    paths.into_iter().filter_map(|path| mistakes.keep(Served::new(field, path))).collect()
}

/// A trait that a field serves.
struct Served<'a> {
    field: &'a NamedField<'a>,
    path: Path,
    module: Path,
}

impl<'a> Served<'a> {
    fn new(field: &'a NamedField<'a>, path: Path) -> syn::Result<Self> {
        let mut module = path.clone();
        let last = module.segments.pop();
        module.segments.pop_punct();
        let plain = last.is_some_and(|last| matches!(last.arguments, PathArguments::None));
        if !plain || module.segments.is_empty() {
            return Err(syn::Error::new_spanned(
                &path,
                "name the trait with the module that was generated, as in `api::Transfers`",
            ));
        }
        Ok(Self { field, path, module })
    }

    fn delegate(&self, item: &DeriveInput) -> TokenStream {
        let Self { field: NamedField { name: field, field: syn::Field { ty, .. } }, path, module } = self;
        let service = &item.ident;
        let (generics, arguments, conditions) = item.generics.split_for_impl();
        let delegate = self.delegate_macro();
        // Spanned at the field, where the claim is made that it serves the trait.
        let methods = quote_spanned! {ty.span()=> #module::#delegate! { [#module] #field: #ty } };
        quote! {
            #[automatically_derived]
            impl #generics #path for #service #arguments #conditions {
                #methods
            }
        }
    }

    fn shown(&self) -> String {
        self.path.to_token_stream().to_string()
    }

    fn delegate_macro(&self) -> syn::Ident {
        let name = self.path.segments.last().map(|last| last.ident.to_string().to_snake_case());
        format_ident!("delegate_{}", name.unwrap_or_default(), span = self.path.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_served_trait_is_delegated_by_its_module() {
        let code = expand(&syn::parse_quote!(
            struct Bank<R: Repo> {
                #[serves(crate::api::Transfers, crate::api::ResolveAccount)]
                transfers: Handlers<R>,
                name: String,
            }
        ))
        .unwrap()
        .to_string();
        assert!(code.contains("impl < R : Repo > crate :: api :: Transfers for Bank < R >"));
        assert!(
            code.contains(
                "crate :: api :: delegate_transfers ! { [crate :: api] transfers : Handlers < R > }"
            )
        );
        assert!(code.contains("crate :: api :: delegate_resolve_account !"));
    }

    #[test]
    fn mistakes_are_refused() {
        let refused = |item: &DeriveInput| expand(item).unwrap_err().to_string();
        assert!(
            refused(&syn::parse_quote!(
                struct Bank {
                    a: A,
                }
            ))
            .contains("no field serves")
        );
        assert!(
            refused(&syn::parse_quote!(
                struct Bank {
                    #[serves(Transfers)]
                    a: A,
                }
            ))
            .contains("with the module")
        );
        assert!(
            refused(&syn::parse_quote!(
                struct Bank {
                    #[serves()]
                    a: A,
                }
            ))
            .contains("say what it serves")
        );
        assert!(
            refused(&syn::parse_quote!(
                struct Bank {
                    #[serves(api::A)]
                    a: A,
                    #[serves(api::A)]
                    b: A,
                }
            ))
            .contains("already served")
        );
    }
}
