//! The document that a macro names: where it lies, and what makes cargo build again when it changes.

use std::path::{Path, PathBuf};

use palisade_codegen::{Options, Output, Source, generate};
use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// A document on disk, and its name as the user wrote it.
pub(crate) struct Document<'a> {
    literal: &'a LitStr,
    path: PathBuf,
    name: String,
}

impl<'a> Document<'a> {
    /// 1. `./..` and `../..` are relative to the source file, as with `include!`.
    /// 2. Everything else is relative to the manifest of the package that is compiled.
    pub(crate) fn locate(literal: &'a LitStr) -> syn::Result<Self> {
        let name = literal.value();
        let written = Path::new(&name);
        let base = match written.starts_with(".") || written.starts_with("..") {
            true => source_folder(literal),
            false => std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        };
        match base {
            Some(base) => Ok(Self { literal, path: base.join(written), name }),
            None => Err(syn::Error::new(
                literal.span(),
                "the folder that this path is relative to is not known here",
            )),
        }
    }

    /// As the user wrote it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What the command line and build scripts generate as well. What is wrong with the document is an error at the
    /// literal, with each place in the document.
    pub(crate) fn generate(&self, assume_public: Option<&LitStr>) -> syn::Result<Output> {
        let source = Source::file(&self.path).named(&self.name);
        let options = match assume_public {
            Some(reason) => Options::default().assume_public(reason.value()),
            None => Options::default(),
        };
        generate(&source, &options).map_err(|findings| {
            let message =
                format!("nothing is generated from `{}`\n\n{}", self.name, findings.render().trim_end());
            syn::Error::new(self.literal.span(), message)
        })
    }
}

/// The folder of the file that the literal stands in.
fn source_folder(literal: &LitStr) -> Option<PathBuf> {
    let file = literal.span().unwrap().local_file()?;
    // The compiler names files relative to where it runs.
    std::path::absolute(file).ok()?.parent().map(Path::to_owned)
}

/// An item for each file that was read: a macro has no other way to say that its output depends on a file.
pub(crate) fn watch(files: &[PathBuf]) -> TokenStream {
    let included =
        files.iter().filter_map(|file| std::path::absolute(file).ok()?.to_str().map(str::to_owned));
    quote! { #(const _: &[u8] = ::core::include_bytes!(#included);)* }
}
