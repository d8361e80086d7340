//! `#[derive(Problem)]`: an enum of domain errors becomes what a client may know, and a cause for the log.
//!
//! `#[problem(status = 409, code = "insufficient_funds", message = "..")] Insufficient` becomes the arm
//! `Bank::Insufficient { .. } => Problem::new(409, "insufficient_funds", "..")` of `From<Bank> for Problem`.

mod public;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Field, Ident, Member, Path, Token, Variant, parenthesized};

use crate::attribute::{Mistakes, Setting, only, unknown};
use public::Public;

pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new(
            item.ident.span(),
            "`#[derive(Problem)]` is for an enum: a variant an error",
        ));
    };
    let mut mistakes = Mistakes::default();
    let container = Container::read(item, &mut mistakes);
    let cases: Vec<Case<'_>> =
        data.variants.iter().filter_map(|variant| Case::read(variant, &mut mistakes)).collect();
    public::refuse_ambiguous_codes(cases.iter().map(|case| &case.public), &mut mistakes);
    mistakes.finish()?;

    let assertions = cases.iter().flat_map(|case| case.declared_by(&container.operations));
    let conversion = conversion(item, &cases);
    let from = cases.iter().filter(|_| !container.without_from).filter_map(|case| case.from(item));
    Ok(quote! {
        #conversion
        #(#from)*
        #(#assertions)*
    })
}

fn conversion(item: &DeriveInput, cases: &[Case<'_>]) -> TokenStream {
    let name = &item.ident;
    let (generics, arguments, conditions) = item.generics.split_for_impl();
    let arms = cases.iter().map(|case| case.arm(name));
    quote! {
        #[automatically_derived]
        impl #generics ::core::convert::From<#name #arguments> for ::palisade::Problem #conditions {
            fn from(__error: #name #arguments) -> Self {
                match __error {
                    #(#arms)*
                }
            }
        }
    }
}

/// What stands on the enum itself.
struct Container {
    operations: Vec<Path>,
    without_from: bool,
}

impl Container {
    fn read(item: &DeriveInput, mistakes: &mut Mistakes) -> Self {
        let mut operations = Setting::new("operations");
        let mut without_from = Setting::new("without_from");
        if let Some(attribute) = only(&item.attrs, "problem", mistakes) {
            let read = attribute.parse_nested_meta(|meta| {
                if operations.is(&meta) {
                    let list;
                    parenthesized!(list in meta.input);
                    operations.set(&meta, Punctuated::<Path, Token![,]>::parse_terminated(&list)?)
                } else if without_from.is(&meta) {
                    without_from.set(&meta, ())
                } else {
                    Err(unknown(&meta, &["operations", "without_from"]))
                }
            });
            mistakes.keep(read);
        }
        Self {
            operations: operations.get().into_iter().flatten().collect(),
            without_from: without_from.get().is_some(),
        }
    }
}

/// One variant.
struct Case<'a> {
    variant: &'a Variant,
    public: Public,
    cause: Option<Cause<'a>>,
}

/// The field that the log shows.
struct Cause<'a> {
    member: Member,
    field: &'a Field,
    /// Whether it is marked `#[from]`.
    converts: bool,
}

impl<'a> Case<'a> {
    fn read(variant: &'a Variant, mistakes: &mut Mistakes) -> Option<Self> {
        let Some(attribute) = only(&variant.attrs, "problem", mistakes) else {
            mistakes.at(
                &variant.ident,
                "say what a client may know: `#[problem(status = 409, code = \"..\", message = \"..\")]`",
            );
            return None;
        };
        let public = Public::read(attribute, mistakes);
        let cause = Cause::find(variant, mistakes);
        Some(Self { variant, public: public?, cause })
    }

    fn arm(&self, name: &Ident) -> TokenStream {
        let variant = &self.variant.ident;
        let Public { status, code, message } = &self.public;
        let problem = quote! { ::palisade::Problem::new(#status, #code, #message) };
        match &self.cause {
            None => quote! { #name::#variant { .. } => #problem, },
            Some(Cause { member, field, .. }) => {
                let because = quote_spanned! {field.ty.span()=> .because(__source) };
                quote! { #name::#variant { #member: __source, .. } => #problem #because, }
            }
        }
    }

    /// `From` of the field that is marked so.
    fn from(&self, item: &DeriveInput) -> Option<TokenStream> {
        let Cause { member, field, .. } = self.cause.as_ref().filter(|cause| cause.converts)?;
        let (name, variant, source) = (&item.ident, &self.variant.ident, &field.ty);
        let (generics, arguments, conditions) = item.generics.split_for_impl();
        // The one field of its variant: `from` makes the others impossible.
        let made = match member {
            Member::Named(field) => quote!(Self::#variant { #field: __source }),
            Member::Unnamed(_) => quote!(Self::#variant(__source)),
        };
        Some(quote_spanned! {source.span()=>
            #[automatically_derived]
            impl #generics ::core::convert::From<#source> for #name #arguments #conditions {
                fn from(__source: #source) -> Self {
                    #made
                }
            }
        })
    }

    /// One assertion an operation: it declares this status.
    fn declared_by(&self, operations: &[Path]) -> Vec<TokenStream> {
        let status = &self.public.status;
        let assert = |operation: &Path| {
            let shown = quote!(#operation).to_string().replace(' ', "");
            let message =
                format!("`{shown}` does not declare the status {status}", status = status.base10_digits());
            quote_spanned! {status.span()=>
                const _: () = ::core::assert!(
                    <#operation as ::palisade::operation::Operation>::POLICY.declares(#status),
                    #message
                );
            }
        };
        operations.iter().map(assert).collect()
    }
}

impl<'a> Cause<'a> {
    fn find(variant: &'a Variant, mistakes: &mut Mistakes) -> Option<Self> {
        let mut found: Option<Self> = None;
        for (position, field) in variant.fields.iter().enumerate() {
            let converts = only(&field.attrs, "from", mistakes);
            let marked = converts.or_else(|| only(&field.attrs, "source", mistakes));
            let Some(marked) = marked else { continue };
            if found.is_some() {
                mistakes.at(marked, "a variant has one cause");
            }
            if converts.is_some() && variant.fields.len() != 1 {
                mistakes.at(marked, "`#[from]` needs a variant with this field alone; use `#[source]`");
            }
            let member = match &field.ident {
                Some(name) => Member::Named(name.clone()),
                None => Member::Unnamed(position.into()),
            };
            found = Some(Self { member, field, converts: converts.is_some() });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(item: &DeriveInput) -> Vec<String> {
        expand(item).unwrap_err().into_iter().map(|mistake| mistake.to_string()).collect()
    }

    #[test]
    fn a_variant_becomes_its_public_words_and_a_logged_cause() {
        let code = expand(&syn::parse_quote!(
            #[problem(operations(api::CreateTransfer))]
            enum Bank {
                #[problem(status = 409, code = "insufficient_funds", message = "not enough money")]
                Insufficient { missing: i64 },
                #[problem(status = 503, code = "storage", message = "try again later")]
                Storage(#[from] sqlx::Error),
            }
        ))
        .unwrap()
        .to_string();
        assert!(code.contains(r#"Problem :: new (409 , "insufficient_funds" , "not enough money")"#));
        assert!(!code.contains("missing"), "a field reaches nothing");
        assert!(code.contains("Bank :: Storage { 0 : __source , .. }"));
        assert!(code.contains("because (__source)"));
        assert!(code.contains("From < sqlx :: Error > for Bank"));
        assert_eq!(code.matches("POLICY . declares").count(), 2);
    }

    #[test]
    fn from_can_be_left_to_another_derive() {
        let code = expand(&syn::parse_quote!(
            #[problem(without_from)]
            enum Bank {
                #[problem(status = 503, code = "storage", message = "try again later")]
                Storage(#[from] sqlx::Error),
            }
        ))
        .unwrap()
        .to_string();
        assert!(!code.contains("From < sqlx"));
        assert!(code.contains("because"));
    }

    #[test]
    fn every_mistake_is_shown() {
        let shown = refused(&syn::parse_quote!(
            enum Bank {
                #[problem(status = 200, code = "Fine", message = "")]
                Fine,
                Silent,
                #[problem(status = 500, message = "m", cod = "x")]
                Slip,
            }
        ));
        let expected =
            ["400 to 599", "snake_case", "empty", "say what a client may know", "did you mean `code`"];
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(shown.contains(expected), "{shown} / {expected}");
        }
    }

    #[test]
    fn one_code_means_one_status() {
        let shown = refused(&syn::parse_quote!(
            enum Bank {
                #[problem(status = 409, code = "conflict", message = "a")]
                One,
                #[problem(status = 410, code = "conflict", message = "b")]
                Other,
            }
        ));
        assert!(shown[0].contains("another status"), "{shown:?}");
    }

    #[test]
    fn a_variant_has_one_cause_and_from_needs_it_alone() {
        let shown = refused(&syn::parse_quote!(
            enum Bank {
                #[problem(status = 500, code = "a", message = "a")]
                Two(#[source] A, #[source] B),
                #[problem(status = 500, code = "b", message = "b")]
                More(#[from] A, u8),
            }
        ));
        assert!(shown[0].contains("one cause") && shown[1].contains("alone"), "{shown:?}");
    }
}
