//! Formatting: the layout of each piece, and an empty line between items that take several.
//!
//! Not `syn` and `prettyplease`: to parse what was just written is half of the time of a large document.

use proc_macro2::TokenStream;

use super::layout::layout;
use super::nodes::items;

/// Formatted code.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    /// Adds a piece: whole items. Each is laid out alone, because all of a large module as one tree would be several
    /// hundred megabytes.
    pub(crate) fn add(&mut self, piece: TokenStream) {
        let laid_out = layout(&items(piece));
        let mut lines = laid_out.lines();
        let Some(mut last) = lines.next() else { return };
        self.begin(last);
        for line in lines {
            if stands_apart(last, line) {
                self.0.push('\n');
            }
            self.line(line);
            last = line;
        }
    }

    /// Adds what is formatted already.
    pub(crate) fn append(&mut self, text: &Self) {
        if let Some((first, rest)) = text.0.split_once('\n') {
            self.begin(first);
            self.0.push_str(rest);
        }
    }

    /// The first line behind what is there.
    fn begin(&mut self, line: &str) {
        let last = self.0.lines().next_back().unwrap_or_default();
        if stands_apart(last, line) {
            self.0.push('\n');
        }
        self.line(line);
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// Whether an empty line stands between two: after each item of the module that ends in a line of its own, and before
/// each that has a comment.
fn stands_apart(last: &str, line: &str) -> bool {
    let inside_item = last.starts_with("///") || last.starts_with("#[");
    let ends_item = matches!(last, "}" | "};" | ")") || last.starts_with("use ");
    let begins_item = line.starts_with("///") || line.starts_with("#[");
    !last.is_empty() && !inside_item && (ends_item || begins_item) && !line.starts_with([' ', '}', ')'])
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenTree;
    use quote::{ToTokens, quote};

    use super::*;
    use crate::{Options, Source, generate};

    #[test]
    fn items_stand_apart() {
        let mut code = Text::default();
        code.add(quote! {
            use a as b;
            #[doc = " One."]
            pub struct One { a: u8 }
            impl X for One {}
            impl Y for One {}
            #[doc = " Two."]
            fn two() {}
        });
        let expected = "use a as b;\n\n/// One.\npub struct One {\n    a: u8,\n}\n\nimpl X for One {}\nimpl Y for One {}\n\n/// Two.\nfn two() {}\n";
        assert_eq!(code.0, expected);
    }

    /// Every token but commas, which may stand before a closing bracket or not.
    fn told(tokens: TokenStream, out: &mut String) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    out.push_str(&format!(" {:?}", group.delimiter()));
                    told(group.stream(), out);
                    out.push_str(" end");
                }
                TokenTree::Punct(punct) if punct.as_char() == ',' => {}
                // a comment is a raw string to whoever reads it
                TokenTree::Literal(text) => match syn::Lit::new(text) {
                    syn::Lit::Str(text) => out.push_str(&format!(" {:?}", text.value())),
                    other => out.push_str(&format!(" {}", other.to_token_stream())),
                },
                other => out.push_str(&format!(" {other}")),
            }
        }
    }

    #[test]
    fn nothing_but_white_space_and_commas_changes() {
        let mut compared = 0;
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/specs/accept")).unwrap()
        {
            let path = entry.unwrap().path();
            let output = generate(&Source::file(&path), &Options::default()).unwrap();
            let (mut text, mut tokens) = (String::new(), String::new());
            told(output.code().parse().unwrap(), &mut text);
            told(output.tokens(), &mut tokens);
            assert!(text == tokens, "{}", path.display());
            compared += 1;
        }
        assert!(compared > 10);
    }
}
