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

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["", "a", r#"bank, "a.yaml""#, r#""a.yaml", "b.yaml""#, "mod bank"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
