//! ```yaml
//! type: array
//! maxItems: 4
//! items: { type: string, minLength: 1, maxLength: 20 }
//! ```
//! ```text
//! |value, at, out| {
//!     p::items(value, 0..=4, at, out);
//!     p::each(value, at, out, |value, at, out| p::length(value, 1..=20, at, out));
//! }
//! ```

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::values::{count, integer, number};
use crate::lower::{Bound, Check};
use crate::model::Counts;

/// `.check(|value, at, out| ..)`, or nothing where there is nothing to check.
pub(super) fn closure(checks: &[Check]) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    let body = body(checks);
    quote!(.check(|value, at, out| #body))
}

/// The rule alone: a closure, or the one that asks for nothing.
pub(super) fn rule(checks: &[Check]) -> TokenStream {
    if checks.is_empty() {
        return quote!(p::no_rule);
    }
    let body = body(checks);
    quote!(|value, at, out| #body)
}

/// The body of a closure: one call, or a block.
fn body(checks: &[Check]) -> TokenStream {
    match checks {
        [one] if is_call(one) => statement(one),
        all => {
            let statements = statements(all);
            quote!({ #statements })
        }
    }
}

const fn is_call(check: &Check) -> bool {
    !matches!(check, Check::Exposed(_) | Check::Written(_) | Check::Present(_))
}

fn statements(checks: &[Check]) -> TokenStream {
    let all = checks.iter().map(|check| {
        let statement = statement(check);
        if is_call(check) { quote!(#statement;) } else { statement }
    });
    quote!(#(#all)*)
}

fn statement(check: &Check) -> TokenStream {
    match check {
        Check::Bound(function, bound) => {
            let function = format_ident!("{function}");
            let bound = match *bound {
                Bound::Integer(value) => integer(value),
                Bound::Number(format, value) => number(format, value),
            };
            quote!(p::#function(value, #bound, at, out))
        }
        Check::Length(counts) => counted("length", *counts),
        Check::Size(counts) => counted("size", *counts),
        Check::Items(counts) => counted("items", *counts),
        Check::Members(counts) => counted("members", *counts),
        Check::Pattern(pattern) => quote!(p::pattern(value, &#pattern, at, out)),
        Check::Format(function) => {
            let function = format_ident!("{function}");
            quote!(p::#function(value, at, out))
        }
        Check::UniqueItems => quote!(p::unique_items(value, at, out)),
        Check::EachItem(checks) => {
            let body = body(checks);
            quote!(p::each(value, at, out, |value, at, out| #body))
        }
        Check::EachValue(checks) => {
            let body = body(checks);
            quote!(p::each_value(value, at, out, |value, at, out| #body))
        }
        Check::Exposed(checks) => {
            let statements = statements(checks);
            quote!(let value = value.expose(); #statements)
        }
        Check::Written(checks) => {
            let statements = statements(checks);
            quote!(let value = &value.to_string(); #statements)
        }
        Check::Present(checks) => {
            let statements = statements(checks);
            quote!(if let Some(value) = value { #statements })
        }
    }
}

fn counted(function: &str, counts: Counts) -> TokenStream {
    let function = format_ident!("{function}");
    let min = count(counts.min.unwrap_or(0));
    let max = counts.max.map_or_else(|| quote!(usize::MAX), count);
    quote!(p::#function(value, #min..=#max, at, out))
}
