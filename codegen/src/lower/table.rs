//! The Rust name of each named type. Components are named first, so that an inline type never takes the name of one.

use foldhash::HashSet;
use proc_macro2::Ident;

use super::ident::Case;
use super::names::Names;

use super::{cursors, types::RustType};
use crate::model::{Api, Origin, Schema, Shape, TypeId, Word, WordValue};

/// What lowering looks up about types.
#[derive(Debug)]
pub(super) struct Table<'a> {
    api: &'a Api,
    names: Vec<Option<Ident>>,
    /// The members that hold a sealed cursor.
    pub(super) cursors: HashSet<(TypeId, String)>,
    /// The values of each enumeration, with their variants.
    variants: Vec<Vec<(Ident, &'a Word)>>,
}

impl<'a> Table<'a> {
    /// Names the components.
    pub(super) fn components(api: &'a Api, module: &mut Names) -> Self {
        let name = |origin: &Origin| match origin {
            Origin::Component(name) => Some(module.take_or(name, Case::Upper, "Schema")),
            Origin::Inline(_) => None,
        };
        let names = api.types.iter().map(|(_, definition)| &definition.origin).map(name).collect();
        let variants = api.types.iter().map(|(_, definition)| variants(&definition.shape)).collect();
        Self { api, names, cursors: cursors::cursors(api), variants }
    }

    /// Names the rest.
    pub(super) fn inline(&mut self, api: &Api, module: &mut Names) {
        for (slot, (_, definition)) in self.names.iter_mut().zip(api.types.iter()) {
            if let Origin::Inline(words) = &definition.origin {
                *slot = Some(module.take_or(&words.join(" "), Case::Upper, "Schema"));
            }
        }
    }

    /// Whose types these are.
    pub(super) const fn api(&self) -> &'a Api {
        self.api
    }

    /// The name of `id`.
    pub(super) fn name(&self, id: TypeId) -> Ident {
        let name = self.names.get(id.position()).and_then(Clone::clone);
        name.unwrap_or_else(|| super::ident::ident("Unnamed")) // both passes together name every entry
    }

    /// The variants of the enumeration `id`, in the order of the document.
    pub(super) fn words(&self, id: TypeId) -> &[(Ident, &'a Word)] {
        self.variants.get(id.position()).map_or(&[], Vec::as_slice)
    }

    /// The type of a value of `schema`.
    pub(super) fn rust(&self, schema: &Schema) -> RustType {
        let ty = RustType::of(&schema.ty, self);
        if schema.nullable && !matches!(ty, RustType::Json) { RustType::Nullable(Box::new(ty)) } else { ty }
    }
}

fn variants(shape: &Shape) -> Vec<(Ident, &Word)> {
    let Shape::Words(words) = shape else { return Vec::new() };
    let mut names = Names::default();
    words.words.iter().map(|word| (names.take(&called(word), Case::Upper), word)).collect()
}

/// By what the document calls it; a number by its digits.
fn called(word: &Word) -> String {
    match (&word.name, &word.value) {
        (Some(name), _) => name.clone(),
        (None, WordValue::Text(text)) => text.clone(),
        (None, WordValue::Integer(value)) if *value < 0 => format!("value minus {}", value.unsigned_abs()),
        (None, WordValue::Integer(value)) => format!("value {value}"),
        (None, WordValue::Boolean(value)) => value.to_string(),
    }
}
