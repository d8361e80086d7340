//! Small pieces: types, literals, durations.

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::lower::{RustType, Value};
use crate::model::NumberFormat;

/// How types are reached: short names inside the generated file, whole paths where a derive writes them elsewhere.
#[derive(Debug)]
pub(crate) struct Paths {
    runtime: TokenStream,
    module: TokenStream,
    option: TokenStream,
    vec: TokenStream,
    string: TokenStream,
}

impl Paths {
    /// Inside the generated file, which shadows none of these names.
    pub(crate) fn inside() -> Self {
        Self {
            runtime: quote!(p),
            module: TokenStream::new(),
            option: quote!(Option),
            vec: quote!(Vec),
            string: quote!(String),
        }
    }

    /// In code of a derive, which has `p` as well but stands among names of the user's; `module` is the path of the
    /// generated module.
    pub(crate) fn elsewhere(module: Option<&TokenStream>) -> Self {
        Self {
            runtime: quote!(p),
            module: module.map_or_else(TokenStream::new, |module| quote!(#module::)),
            option: quote!(::core::option::Option),
            vec: quote!(::std::vec::Vec),
            string: quote!(::std::string::String),
        }
    }

    /// An `Option` of `ty`.
    pub(crate) fn optional(&self, ty: &TokenStream) -> TokenStream {
        let option = &self.option;
        quote!(#option<#ty>)
    }
}

/// The type, as seen from `paths`.
pub(crate) fn rust_type(ty: &RustType, paths: &Paths) -> TokenStream {
    let Paths { runtime: p, module, vec, string, .. } = paths;
    match ty {
        RustType::Json => quote!(#p::Json),
        RustType::Bool => quote!(bool),
        RustType::Integer(format) => Ident::new(format.rust(), Span::call_site()).to_token_stream(),
        RustType::Number(NumberFormat::F32) => quote!(f32),
        RustType::Number(NumberFormat::F64) => quote!(f64),
        RustType::Number(NumberFormat::Decimal) => quote!(#p::Decimal),
        RustType::String => string.clone(),
        RustType::Uuid => quote!(#p::Uuid),
        RustType::Timestamp => quote!(#p::Timestamp),
        RustType::Date => quote!(#p::Date),
        RustType::Ipv4 => quote!(#p::Ipv4Addr),
        RustType::Ipv6 => quote!(#p::Ipv6Addr),
        RustType::File => quote!(#p::Upload),
        RustType::Bytes => quote!(#p::Bytes),
        RustType::TypedBytes => quote!(#p::TypedBytes),
        RustType::Parts(form, headers) => {
            let (form, headers) = (rust_type(form, paths), rust_type(headers, paths));
            quote!(#p::Parts<#form, #headers>)
        }
        RustType::Items(item) => {
            let item = rust_type(item, paths);
            quote!(#p::Items<#item>)
        }
        RustType::Password => quote!(#p::Password),
        RustType::SealedCursor => quote!(#p::SealedCursor),
        RustType::Named(name) => quote!(#module #name),
        RustType::List(item) => {
            let item = rust_type(item, paths);
            quote!(#vec<#item>)
        }
        RustType::Map(value) => {
            let value = rust_type(value, paths);
            quote!(#p::BTreeMap<#string, #value>)
        }
        RustType::Nullable(inner) => paths.optional(&rust_type(inner, paths)),
        RustType::Boxed(inner) => {
            let inner = rust_type(inner, paths);
            quote!(#p::Boxed<#inner>)
        }
    }
}

/// The type inside the generated file.
pub(super) fn plain(ty: &RustType) -> TokenStream {
    rust_type(ty, &Paths::inside())
}

/// A default, as an expression inside a function that answers with an `Option`.
pub(crate) fn constant_of(value: &Value, paths: &Paths) -> TokenStream {
    let Paths { runtime: p, module, string, .. } = paths;
    match value {
        Value::Bool(value) => quote!(#value),
        Value::Integer(value) => integer(*value),
        Value::Number(format, value) => number(*format, *value),
        Value::Text(text) => quote!(#string::from(#text)),
        Value::Parsed(text) => quote!(#p::FromText::from_text(#text).ok()?),
        Value::Word(name, variant) => quote!(#module #name::#variant),
        Value::List(items) => {
            let items = items.iter().map(|item| constant_of(item, paths));
            quote!(::std::vec![#(#items),*])
        }
        Value::EmptyMap => quote!(#p::BTreeMap::new()),
        Value::Some(value) => {
            let value = constant_of(value, paths);
            quote!(Some(#value))
        }
        Value::Null => quote!(None),
    }
}

/// An integer, its digits in groups of three when there are many.
pub(super) fn integer(value: i128) -> TokenStream {
    let digits = value.unsigned_abs().to_string();
    let literal = grouped(&digits);
    if value < 0 { quote!(-#literal) } else { quote!(#literal) }
}

fn grouped(digits: &str) -> TokenStream {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && digits.len() > 4 && (digits.len() - position).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text.parse().unwrap_or_default()
}

/// A floating-point number. Bounds and defaults are finite.
pub(super) fn number(format: NumberFormat, value: f64) -> TokenStream {
    let magnitude = value.abs();
    let literal = match format {
        NumberFormat::Decimal => {
            // the shortest text that reads back as the float, which is what the document wrote
            let text = format!("{value:?}");
            return quote!(p::decimal(#text));
        }
        NumberFormat::F64 => Literal::f64_unsuffixed(magnitude),
        #[expect(clippy::cast_possible_truncation, reason = "what an f32 can be compared with is an f32")]
        NumberFormat::F32 => Literal::f32_unsuffixed((magnitude as f32).min(f32::MAX)),
    };
    if value.is_sign_negative() && value != 0.0 { quote!(-#literal) } else { quote!(#literal) }
}

/// A `usize`.
pub(super) fn count(value: usize) -> TokenStream {
    grouped(&value.to_string())
}

/// A duration, in the largest unit that is exact.
pub(super) fn duration(duration: Duration) -> TokenStream {
    if duration.subsec_nanos() == 0 {
        let seconds = grouped(&duration.as_secs().to_string());
        quote!(p::Duration::from_secs(#seconds))
    } else {
        let millis = grouped(&duration.as_millis().to_string());
        quote!(p::Duration::from_millis(#millis))
    }
}

/// `Some("..")` or `None`.
pub(super) fn optional_text(text: Option<&String>) -> TokenStream {
    text.map_or_else(|| quote!(None), |text| quote!(Some(#text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_to_be_read() {
        assert_eq!(integer(100_000_000).to_string(), "100_000_000");
        assert_eq!(integer(-1).to_string(), "- 1");
        assert_eq!(integer(2048).to_string(), "2048");
        assert_eq!(number(NumberFormat::F64, -0.5).to_string(), "- 0.5");
        assert_eq!(number(NumberFormat::F32, 1e300).to_string().parse::<f32>().unwrap(), f32::MAX);
        assert_eq!(duration(Duration::from_millis(250)).to_string(), "p :: Duration :: from_millis (250)");
        assert_eq!(duration(Duration::from_secs(3600)).to_string(), "p :: Duration :: from_secs (3600)");
    }
}
