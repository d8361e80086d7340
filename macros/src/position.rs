//! `#[derive(Position)]`: `struct After { at: i64, id: Uuid }` becomes `Position` that writes `at`, then `id`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::DeriveInput;

use crate::attribute::{NamedField, named_fields};

pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(item, "Position")?;
    if fields.is_empty() {
        return Err(syn::Error::new(item.ident.span(), "a position needs a field: where the page ended"));
    }
    if let Some(lifetime) = item.generics.lifetimes().next() {
        return Err(syn::Error::new_spanned(
            lifetime,
            "a position owns what it carries: it is read out of the cursor",
        ));
    }
    let name = &item.ident;
    let (generics, arguments, conditions) = item.generics.split_for_impl();
    let writes = fields.iter().map(write_field);
    let reads = fields.iter().map(read_field);
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::palisade::cursor::Position for #name #arguments #conditions {
            fn write(&self, __out: &mut ::std::vec::Vec<u8>) {
                #(#writes)*
            }
            fn read(__from: &mut &[u8]) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self { #(#reads),* })
            }
        }
    })
}

/// Spanned at the type, so that a type that no cursor carries is an error at the field.
fn write_field(NamedField { name, field }: &NamedField<'_>) -> TokenStream {
    let ty = &field.ty;
    quote_spanned! {name.span()=> <#ty as ::palisade::cursor::Position>::write(&self.#name, __out); }
}

fn read_field(NamedField { name, field }: &NamedField<'_>) -> TokenStream {
    let ty = &field.ty;
    quote_spanned! {name.span()=> #name: <#ty as ::palisade::cursor::Position>::read(__from)? }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_and_read_in_their_order() {
        let code = expand(&syn::parse_quote!(
            struct After {
                at: i64,
                id: Uuid,
            }
        ))
        .unwrap()
        .to_string();
        let at = code.find("self . at").unwrap();
        let id = code.find("self . id").unwrap();
        assert!(at < id);
        assert!(code.contains(":: palisade :: cursor :: Position for After"));
    }

    #[test]
    fn nothing_to_carry_and_borrowed_content_are_refused() {
        assert!(
            expand(&syn::parse_quote!(
                struct After {}
            ))
            .is_err()
        );
        assert!(
            expand(&syn::parse_quote!(
                struct After<'a> {
                    at: &'a str,
                }
            ))
            .is_err()
        );
    }
}
