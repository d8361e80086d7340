//! `#[derive(Operation)]`: a handler struct that is checked against the document, and becomes an extractor.
//!
//! `#[operation(spec = "openapi.yaml", id = "getTask")] struct GetTask { task_id: Uuid, caller: Caller<Self> }` becomes the
//! operation's facts, as a generated file states them, and `FromRequest` through the gate.

mod check;
mod emit;
mod facts;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, LitStr, Path};

use crate::attribute::{Mistakes, Setting, named_fields, only, unknown};
use crate::document::watch;
use facts::Facts;

pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(item, "Operation")?;
    if let Some(parameter) = item.generics.params.first() {
        return Err(syn::Error::new_spanned(parameter, "an operation is one type: it has no parameters"));
    }
    let asked = Asked::read(item)?;
    let facts = Facts::of(&asked)?;

    let mut mistakes = Mistakes::default();
    check::can_be_adopted(&asked.id, &facts, &mut mistakes);
    let agreed = check::agree(item, &fields, &facts, asked.types.as_ref(), &mut mistakes);
    let mistakes = mistakes.finish().err().map(|mistakes| mistakes.to_compile_error());
    let agreed = agreed.filter(|_| mistakes.is_none());

    let name = &item.ident;
    let watched = watch(&facts.read);
    let stated = emit::facts(name, &facts.operation);
    let granted = asked.types.as_ref().map(|types| emit::grants(name, &facts.operation, types));
    let extractor = emit::extractor(name, agreed.as_ref());
    Ok(quote! { #mistakes #watched #stated #granted #extractor })
}

/// `#[operation(spec = "openapi.yaml", id = "getTask", types = crate::api)]`
struct Asked {
    spec: LitStr,
    id: LitStr,
    types: Option<Path>,
    assume_public: Option<LitStr>,
}

impl Asked {
    fn read(item: &DeriveInput) -> syn::Result<Self> {
        let mut mistakes = Mistakes::default();
        let attribute = only(&item.attrs, "operation", &mut mistakes);
        mistakes.finish()?;
        let Some(attribute) = attribute else {
            return Err(syn::Error::new(
                item.ident.span(),
                "say which operation it is: `#[operation(spec = \"openapi.yaml\", id = \"getTask\")]`",
            ));
        };
        let (mut spec, mut id, mut types) = (Setting::new("spec"), Setting::new("id"), Setting::new("types"));
        let mut assume_public = Setting::new("assume_public");
        attribute.parse_nested_meta(|meta| {
            if spec.is(&meta) {
                spec.set(&meta, meta.value()?.parse()?)
            } else if id.is(&meta) {
                id.set(&meta, meta.value()?.parse()?)
            } else if types.is(&meta) {
                types.set(&meta, meta.value()?.parse()?)
            } else if assume_public.is(&meta) {
                assume_public.set(&meta, meta.value()?.parse()?)
            } else {
                Err(unknown(&meta, &["spec", "id", "types", "assume_public"]))
            }
        })?;
        let place = syn::spanned::Spanned::span(attribute);
        Ok(Self {
            spec: spec.require(place)?,
            id: id.require(place)?,
            types: types.get(),
            assume_public: assume_public.get(),
        })
    }
}
