//! What a client sees of a variant, and the rules for it.

use syn::{Attribute, LitInt, LitStr};

use crate::attribute::{Mistakes, Setting, unknown};

pub(super) struct Public {
    pub(super) status: LitInt,
    pub(super) code: LitStr,
    pub(super) message: LitStr,
}

impl Public {
    /// Reads `#[problem(status = .., code = .., message = ..)]`; each broken rule is a mistake at its literal.
    pub(super) fn read(attribute: &Attribute, mistakes: &mut Mistakes) -> Option<Self> {
        let mut status = Setting::new("status");
        let mut code = Setting::new("code");
        let mut message = Setting::new("message");
        let read = attribute.parse_nested_meta(|meta| {
            if status.is(&meta) {
                status.set(&meta, meta.value()?.parse()?)
            } else if code.is(&meta) {
                code.set(&meta, meta.value()?.parse()?)
            } else if message.is(&meta) {
                message.set(&meta, meta.value()?.parse()?)
            } else {
                Err(unknown(&meta, &["status", "code", "message"]))
            }
        });
        mistakes.keep(read)?;
        let place = syn::spanned::Spanned::span(attribute);
        let status = mistakes.keep(status.require(place).and_then(error_status));
        let code = mistakes.keep(code.require(place).and_then(snake_case));
        let message = mistakes.keep(message.require(place).and_then(spoken));
        Some(Self { status: status?, code: code?, message: message? })
    }

    fn status(&self) -> Option<u16> {
        self.status.base10_parse().ok()
    }
}

/// A client that branches on a code must not find it under two statuses.
pub(super) fn refuse_ambiguous_codes<'a>(cases: impl Iterator<Item = &'a Public>, mistakes: &mut Mistakes) {
    let mut known: Vec<&Public> = Vec::new();
    for case in cases {
        match known.iter().find(|earlier| earlier.code.value() == case.code.value()) {
            Some(earlier) if earlier.status() != case.status() => {
                mistakes.at(&case.code, "this code already stands for another status");
            }
            Some(_) => {}
            None => known.push(case),
        }
    }
}

fn error_status(status: LitInt) -> syn::Result<LitInt> {
    match status.base10_parse::<u16>() {
        Ok(400..=599) if status.suffix().is_empty() => Ok(status),
        _ => Err(syn::Error::new(status.span(), "a problem has a status from 400 to 599")),
    }
}

fn snake_case(code: LitStr) -> syn::Result<LitStr> {
    let value = code.value();
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let starts_well = value.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_well && value.split('_').all(word) {
        return Ok(code);
    }
    Err(syn::Error::new(code.span(), "a code is in snake_case, as in `insufficient_funds`"))
}

fn spoken(message: LitStr) -> syn::Result<LitStr> {
    let value = message.value();
    if value.trim().is_empty() {
        return Err(syn::Error::new(
            message.span(),
            "the message is empty: say what the client can do about it",
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(syn::Error::new(message.span(), "the message is one line without control characters"));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn text(value: &str) -> LitStr {
        LitStr::new(value, Span::call_site())
    }

    #[test]
    fn codes() {
        for good in ["storage", "insufficient_funds", "error_42"] {
            assert!(snake_case(text(good)).is_ok(), "{good}");
        }
        for bad in ["", "Storage", "a__b", "_a", "a_", "4a", "a-b", "\u{e9}tat"] {
            assert!(snake_case(text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn statuses() {
        let status = |value: &str| error_status(LitInt::new(value, Span::call_site()));
        for good in ["400", "409", "599"] {
            assert!(status(good).is_ok(), "{good}");
        }
        for bad in ["200", "399", "600", "70000", "404u8"] {
            assert!(status(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn messages() {
        assert!(spoken(text("not enough money on the account")).is_ok());
        assert!(spoken(text("  ")).is_err());
        assert!(spoken(text("two\nlines")).is_err());
    }
}
