//! `api!("openapi.yaml")`: the generated file, as `pub mod api { .. }`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

use crate::document::{Document, watch};

pub(crate) fn expand(asked: &Asked) -> syn::Result<TokenStream> {
    let Asked { module, spec, assume_public } = asked;
    let document = Document::locate(spec)?;
    let output = document.generate(assume_public.as_ref())?;
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

/// `"openapi.yaml"` or `mod name, "openapi.yaml"`, and `assume_public = "reason"` behind it.
pub(crate) struct Asked {
    module: Ident,
    spec: LitStr,
    assume_public: Option<LitStr>,
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
        let assume_public = if input.is_empty() { None } else { Some(assumption(input)?) };
        Ok(Self { module, spec, assume_public })
    }
}

/// `assume_public = "reason"`.
fn assumption(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let name: Ident = input.parse()?;
    if name != "assume_public" {
        let message = format!("unknown setting `{name}`; known: `assume_public = \"reason\"`");
        return Err(syn::Error::new(name.span(), message));
    }
    input.parse::<Token![=]>()?;
    let reason = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(reason)
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
                assume_public: None,
                spec: LitStr::new(path.to_str().unwrap(), proc_macro2::Span::call_site()),
            };
            let module: syn::ItemMod = syn::parse2(expand(&asked).unwrap()).unwrap();
            let (_, mut items) = module.content.unwrap();
            items.pop(); // what watches the document
            let source = palisade_codegen::Source::file(&path);
            let output = palisade_codegen::generate(&source, &palisade_codegen::Options::default()).unwrap();
            let theirs: syn::File = syn::parse2(output.tokens()).unwrap();
            assert!(quote!(#(#items)*).to_string() == quote!(#theirs).to_string(), "{}", path.display());
            compared += 1;
        }
        assert!(compared > 10);
    }

    #[test]
    fn what_is_assumed_to_be_public_has_a_reason() {
        let asked: Asked = syn::parse_str(r#""a.yaml", assume_public = "a trial","#).unwrap();
        assert_eq!(asked.assume_public.unwrap().value(), "a trial");
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            r#""a.yaml", assume_public"#,
            r#""a.yaml", assume = "b""#,
            r#""a.yaml", assume_public = true"#,
            "",
            "a",
            r#"bank, "a.yaml""#,
            r#""a.yaml", "b.yaml""#,
            "mod bank",
        ] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
