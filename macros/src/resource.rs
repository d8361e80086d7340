//! `#[derive(Resource)]`: fields marked `#[attribute]` become the methods of the document's resource trait.
//!
//! `#[attribute] owner: String` becomes `fn owner(&self) -> <String as AsAttribute>::Out<'_>`, which is `&str`: the
//! trait of the document decides whether that is the right type, so a disagreement is an error at the field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Ident, LitStr, Meta, Path};

use crate::attribute::{Mistakes, NamedField, Setting, named_fields, only, unknown};

pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(item, "Resource")?;
    let mut mistakes = Mistakes::default();
    let resource = resource(item, &mut mistakes);
    let attributes: Vec<Given<'_>> =
        fields.iter().filter_map(|field| Given::read(field, &mut mistakes)).collect();
    for (position, given) in attributes.iter().enumerate() {
        if attributes.iter().take(position).any(|earlier| earlier.method == given.method) {
            mistakes.at(&given.method, format_args!("attribute `{}` is given twice", given.method));
        }
    }
    mistakes.finish()?;

    let name = &item.ident;
    let (generics, arguments, conditions) = item.generics.split_for_impl();
    let methods = attributes.iter().map(Given::method);
    // Spanned at the path: what the trait has and the fields lack is an error there.
    let implementation = quote_spanned! {resource.span()=>
        impl #generics #resource for #name #arguments #conditions
    };
    Ok(quote! {
        #[automatically_derived]
        #implementation {
            #(#methods)*
        }
    })
}

fn resource(item: &DeriveInput, mistakes: &mut Mistakes) -> Option<Path> {
    let Some(attribute) = only(&item.attrs, "resource", mistakes) else {
        mistakes.at(&item.ident, "say which resource it is: `#[resource(api::resource::Account)]`");
        return None;
    };
    mistakes.keep(attribute.parse_args::<Path>())
}

/// A field that gives an attribute.
struct Given<'a> {
    field: &'a NamedField<'a>,
    method: Ident,
}

impl<'a> Given<'a> {
    fn read(field: &'a NamedField<'a>, mistakes: &mut Mistakes) -> Option<Self> {
        let attribute = only(&field.field.attrs, "attribute", mistakes)?;
        let renamed = mistakes.keep(rename(attribute))?;
        let method = match renamed {
            Some(name) => mistakes.keep(method_name(&name))?,
            None => field.name.clone(),
        };
        Some(Self { field, method })
    }

    fn method(&self) -> TokenStream {
        let Self { field: NamedField { name, field }, method } = self;
        let ty = &field.ty;
        let output = quote_spanned! {ty.span()=> <#ty as ::palisade::__private::AsAttribute>::Out<'_> };
        quote_spanned! {method.span()=>
            fn #method(&self) -> #output {
                ::palisade::__private::attribute(&self.#name)
            }
        }
    }
}

fn rename(attribute: &Attribute) -> syn::Result<Option<LitStr>> {
    let mut rename = Setting::new("rename");
    if let Meta::Path(_) = attribute.meta {
        return Ok(None);
    }
    attribute.parse_nested_meta(|meta| {
        if rename.is(&meta) {
            rename.set(&meta, meta.value()?.parse()?)
        } else {
            Err(unknown(&meta, &["rename"]))
        }
    })?;
    Ok(rename.get())
}

/// The method that stands for an attribute of the document.
fn method_name(attribute: &LitStr) -> syn::Result<Ident> {
    attribute.parse().map_err(|_| {
        syn::Error::new(attribute.span(), "name the attribute as the trait's method is called, e.g. `frozen`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_fields_become_methods_under_their_document_name() {
        let code = expand(&syn::parse_quote!(
            #[resource(api::resource::Account)]
            struct Row {
                id: i64,
                #[attribute]
                owner: String,
                #[attribute(rename = "frozen")]
                is_frozen: bool,
            }
        ))
        .unwrap()
        .to_string();
        assert!(code.contains("fn owner"));
        assert!(code.contains("fn frozen"));
        assert!(code.contains("& self . is_frozen"));
        assert!(!code.contains("fn id"), "a field that is not marked gives nothing");
    }

    #[test]
    fn mistakes_are_refused() {
        let refused = |item: &DeriveInput| expand(item).unwrap_err().to_string();
        assert!(
            refused(&syn::parse_quote!(
                struct Row {
                    #[attribute]
                    owner: String,
                }
            ))
            .contains("which resource")
        );
        assert!(
            refused(&syn::parse_quote!(
                #[resource(a::B)]
                struct Row {
                    #[attribute(renam = "x")]
                    owner: String,
                }
            ))
            .contains("did you mean `rename`")
        );
        assert!(
            refused(&syn::parse_quote!(
                #[resource(a::B)]
                struct Row {
                    #[attribute]
                    owner: String,
                    #[attribute(rename = "owner")]
                    other: String,
                }
            ))
            .contains("given twice")
        );
    }
}
