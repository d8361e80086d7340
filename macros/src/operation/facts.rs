//! What the document says about the operation, and how a message speaks of it.

use std::fmt;
use std::path::PathBuf;

use palisade_codegen::operation_facts::{InputFacts, OperationFacts};
use quote::ToTokens;
use syn::Ident;

use super::Asked;
use crate::attribute::{listed, nearest};
use crate::document::Document;

/// An operation of a document.
pub(super) struct Facts {
    pub(super) operation: OperationFacts,
    /// The document, as the user named it.
    pub(super) document: String,
    /// Every file that was read.
    pub(super) read: Vec<PathBuf>,
}

impl Facts {
    /// Generates from the document, and takes the one operation out of it.
    pub(super) fn of(asked: &Asked) -> syn::Result<Self> {
        let document = Document::locate(&asked.spec)?;
        let output = document.generate(asked.assume_public.as_ref())?;
        let id = asked.id.value();
        let types = asked.types.as_ref().map(ToTokens::to_token_stream);
        let Some(operation) = output.operation_facts(&id, types.as_ref()) else {
            let known: Vec<&str> = output.api().operations.iter().map(|one| one.id.as_str()).collect();
            let hint = match nearest(&id, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", listed(known.iter().copied())),
            };
            let message = format!("`{}` has no operation `{id}`; {hint}", document.name());
            return Err(syn::Error::new(asked.id.span(), message));
        };
        Ok(Self { operation, document: document.name().to_owned(), read: output.files_read() })
    }

    /// The input that a field of this name is.
    pub(super) fn input(&self, field: &Ident) -> Option<&InputFacts> {
        self.operation.inputs.iter().find(|input| input.field == *field)
    }

    /// An input in the document's words, with its place.
    pub(super) fn place<'a>(&'a self, input: &'a InputFacts) -> impl fmt::Display + 'a {
        let OperationFacts { method, path, .. } = &self.operation;
        fmt::from_fn(move |f| {
            match input.location {
                Some(location) => write!(f, "the {location} parameter `{}`", input.name)?,
                None => f.write_str("the body")?,
            }
            write!(f, " of {method} {path} in `{}`", self.document)
        })
    }
}
