//! Formatting: `prettyplease`, literals on one line where they fit, and an empty line between items that take several.

use proc_macro2::TokenStream;

use super::compact::compact;

/// The code of `pieces`, formatted. A piece is whole items, and parsed alone: a module of many thousand lines as one tree
/// would be several hundred megabytes.
pub(crate) fn format(pieces: &[TokenStream]) -> String {
    let code: String = pieces.iter().map(piece).collect();
    spaced(&code)
}

fn piece(tokens: &TokenStream) -> String {
    match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(file) => compact(&prettyplease::unparse(&file)),
        // Tokens that `syn` does not know are still Rust: the compiler has the last word on them.
        Err(_) => format!("{tokens}\n"),
    }
}

/// An empty line after each item of the module that ends in a line of its own, and before each that has a comment.
fn spaced(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + code.len() / 32);
    let mut last = "";
    for line in code.lines() {
        let inside_item = last.starts_with("///") || last.starts_with("#[");
        let ends_item = matches!(last, "}" | "};" | ")") || last.starts_with("use ");
        let begins_item = line.starts_with("///") || line.starts_with("#[");
        if !last.is_empty()
            && !inside_item
            && (ends_item || begins_item)
            && !line.starts_with([' ', '}', ')'])
        {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        last = line;
    }
    out
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn items_stand_apart() {
        let code = format(&[quote! {
            use a as b;
            #[doc = " One."]
            pub struct One { a: u8 }
            impl X for One {}
            impl Y for One {}
            #[doc = " Two."]
            fn two() {}
        }]);
        let expected = "use a as b;\n\n/// One.\npub struct One {\n    a: u8,\n}\n\nimpl X for One {}\nimpl Y for One {}\n\n/// Two.\nfn two() {}\n";
        assert_eq!(code, expected);
    }
}
