//! A module in pieces of some items each, so that only one of them is a syntax tree at a time: the tree of a large
//! document's module would take several hundred megabytes.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Items a piece.
const ITEMS: usize = 32;

/// The items of `tokens`, some at a time, in order.
pub(super) fn pieces(tokens: &TokenStream) -> impl Iterator<Item = TokenStream> {
    let mut rest = tokens.clone().into_iter();
    std::iter::from_fn(move || {
        let mut piece = Vec::new();
        for _ in 0..ITEMS {
            if !item(&mut rest, &mut piece) {
                break;
            }
        }
        (!piece.is_empty()).then(|| piece.into_iter().collect())
    })
}

/// Moves one item. `false`: there is none.
///
/// What has a value or a path ends at its `;`, everything else there or behind its first block.
fn item(rest: &mut impl Iterator<Item = TokenTree>, piece: &mut Vec<TokenTree>) -> bool {
    let mut ends_at_semicolon = false;
    let mut moved = false;
    for tree in rest {
        moved = true;
        let ends = match &tree {
            TokenTree::Ident(word) if *word == "const" || *word == "static" => true,
            TokenTree::Ident(word) if *word == "type" || *word == "use" => true,
            _ => false,
        };
        ends_at_semicolon |= ends;
        let done = match &tree {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !ends_at_semicolon,
            _ => false,
        };
        piece.push(tree);
        if done {
            return true;
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn items_end_where_they_do() {
        let items = [
            quote!(
                use a::{b, c};
            ),
            quote!(
                #[doc = "x"]
                pub struct A {
                    b: u8,
                }
            ),
            quote!(
                pub struct B(u8);
            ),
            quote!(impl A for B where C: D { const E: F = F { g: 1 }; }),
            quote!(
                static S: &[T] = &[T { u: 1 }];
            ),
            quote!(
                const _: () = { () };
            ),
            quote!(
                macro_rules! m {
                    () => {
                        1;
                    };
                }
            ),
            quote!(
                pub fn f() -> u8 {
                    1
                }
            ),
        ];
        let mut rest = items.iter().flat_map(Clone::clone);
        for expected in &items {
            let mut piece = Vec::new();
            assert!(item(&mut rest, &mut piece));
            assert_eq!(piece.into_iter().collect::<TokenStream>().to_string(), expected.to_string());
        }
        assert!(!item(&mut rest, &mut Vec::new()));
    }
}
