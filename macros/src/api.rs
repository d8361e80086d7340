//! `api!("openapi.yaml")`: the generated file, as `pub mod api { .. }`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

use crate::document::{Document, watch};

pub(crate) fn expand(asked: &Asked) -> syn::Result<TokenStream> {
    let Asked { module, spec } = asked;
    let document = Document::locate(spec)?;
    let output = document.generate()?;
    let code = output.tokens();
    let docs = format!("The operations of `{}`.", document.name());
    let watched = watch(&output.files_read());
    Ok(quote! {
        #[doc = #docs]
        pub mod #module {
            #code
            #watched
        }
    })
}

/// `"openapi.yaml"` or `mod name, "openapi.yaml"`.
pub(crate) struct Asked {
    module: Ident,
    spec: LitStr,
}

impl Parse for Asked {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut module = format_ident!("api");
        if input.peek(Token![mod]) {
            input.parse::<Token![mod]>()?;
            module = input.parse()?;
            input.parse::<Token![,]>()?;
        }
        let spec = input.parse().map_err(|error: syn::Error| {
            syn::Error::new(
                error.span(),
                "name the document: `api!(\"openapi.yaml\")` or `api!(mod name, \"openapi.yaml\")`",
            )
        })?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { module, spec })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(code: &str) -> Option<(String, String)> {
        let asked: Asked = syn::parse_str(code).ok()?;
        Some((asked.module.to_string(), asked.spec.value()))
    }

    #[test]
    fn the_module_is_called_api_unless_it_is_named() {
        assert_eq!(asked(r#""a.yaml""#), Some(("api".into(), "a.yaml".into())));
        assert_eq!(asked(r#"mod bank, "a.yaml","#), Some(("bank".into(), "a.yaml".into())));
    }

    /// The command line and build scripts write `Output::code`, which is these tokens, formatted, below a comment.
    #[test]
    fn the_module_holds_what_the_other_entries_write() {
        let specs = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/specs/accept");
        let mut compared = 0;
        for entry in std::fs::read_dir(specs).unwrap() {
            let path = entry.unwrap().path();
            let asked = Asked {
                module: format_ident!("api"),
                spec: LitStr::new(path.to_str().unwrap(), proc_macro2::Span::call_site()),
            };
            let module: syn::ItemMod = syn::parse2(expand(&asked).unwrap()).unwrap();
            let (_, mut items) = module.content.unwrap();
            items.pop(); // what watches the document
            let source = palisade_codegen::Source::file(&path);
            let output = palisade_codegen::generate(&source, &palisade_codegen::Options::default()).unwrap();
            let theirs: syn::File = syn::parse2(output.tokens().clone()).unwrap();
            assert!(quote!(#(#items)*).to_string() == quote!(#theirs).to_string(), "{}", path.display());
            compared += 1;
        }
        assert!(compared > 10);
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["", "a", r#"bank, "a.yaml""#, r#""a.yaml", "b.yaml""#, "mod bank"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
