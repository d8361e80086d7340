//! Reading attributes so that every mistake of an item is shown at once, each at its spot.

use proc_macro2::Span;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Field, Fields, FieldsNamed};

/// The mistakes that were found so far.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn push(&mut self, mistake: syn::Error) {
        match &mut self.0 {
            Some(mistakes) => mistakes.combine(mistake),
            None => self.0 = Some(mistake),
        }
    }

    /// The value, or `None` with the mistake kept.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|mistake| self.push(mistake)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A setting that may be given once.
pub(crate) struct Setting<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Setting<T> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, value: None }
    }

    /// Whether `meta` is this setting.
    pub(crate) fn is(&self, meta: &ParseNestedMeta<'_>) -> bool {
        meta.path.is_ident(self.name)
    }

    pub(crate) fn set(&mut self, meta: &ParseNestedMeta<'_>, value: T) -> syn::Result<()> {
        match self.value.replace(value) {
            Some(_) => Err(meta.error(format_args!("`{}` is given twice", self.name))),
            None => Ok(()),
        }
    }

    pub(crate) fn get(self) -> Option<T> {
        self.value
    }

    /// The value; that it is missing is a mistake at `place`.
    pub(crate) fn require(self, place: Span) -> syn::Result<T> {
        let name = self.name;
        self.value.ok_or_else(|| syn::Error::new(place, format_args!("`{name} = ..` is missing")))
    }
}

/// The error for a setting that does not exist.
pub(crate) fn unknown(meta: &ParseNestedMeta<'_>, known: &[&str]) -> syn::Error {
    let given = meta.path.to_token_stream().to_string();
    let near = match nearest(&given, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", listed(known.iter().copied())),
    };
    meta.error(format_args!("unknown setting `{given}`; {near}"))
}

/// The candidate that `given` is most likely a slip of.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and `c`, for a message.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The one attribute of this name; two of them are a mistake.
pub(crate) fn only<'a>(
    attributes: &'a [Attribute],
    name: &str,
    mistakes: &mut Mistakes,
) -> Option<&'a Attribute> {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    let first = found.next();
    for again in found {
        mistakes.at(again, format_args!("`#[{name}]` is given twice"));
    }
    first
}

/// The fields of a struct with named fields.
pub(crate) fn named_fields<'a>(item: &'a DeriveInput, derive: &str) -> syn::Result<Vec<NamedField<'a>>> {
    let Data::Struct(data) = &item.data else {
        return Err(syn::Error::new(
            item.ident.span(),
            format_args!("`#[derive({derive})]` is for a struct with named fields"),
        ));
    };
    match &data.fields {
        Fields::Named(FieldsNamed { named, .. }) => Ok(named.iter().filter_map(NamedField::new).collect()),
        Fields::Unnamed(_) | Fields::Unit => {
            Err(syn::Error::new(item.ident.span(), format_args!("`#[derive({derive})]` needs named fields")))
        }
    }
}

/// A field with its name.
pub(crate) struct NamedField<'a> {
    pub(crate) name: &'a syn::Ident,
    pub(crate) field: &'a Field,
}

impl<'a> NamedField<'a> {
    fn new(field: &'a Field) -> Option<Self> {
        field.ident.as_ref().map(|name| Self { name, field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_named_and_another_word_is_not() {
        let known = ["status", "code", "message"];
        assert_eq!(nearest("staus", known), Some("status"));
        assert_eq!(nearest("mesage", known), Some("message"));
        assert_eq!(nearest("operations", known), None);
    }

    #[test]
    fn all_mistakes_come_together() {
        let mut mistakes = Mistakes::default();
        mistakes.at(quote::quote!(a), "one");
        mistakes.at(quote::quote!(b), "two");
        let shown: Vec<String> =
            mistakes.finish().unwrap_err().into_iter().map(|mistake| mistake.to_string()).collect();
        assert_eq!(shown, ["one", "two"]);
        assert!(Mistakes::default().finish().is_ok());
    }

    #[test]
    fn named_fields_are_asked_for() {
        assert!(
            named_fields(
                &syn::parse_quote!(
                    struct A {
                        b: u8,
                    }
                ),
                "Position"
            )
            .is_ok()
        );
        for wrong in [
            syn::parse_quote!(
                struct A(u8);
            ),
            syn::parse_quote!(
                enum A {
                    B,
                }
            ),
            syn::parse_quote!(
                struct A;
            ),
        ] {
            assert!(named_fields(&wrong, "Position").is_err());
        }
    }
}
