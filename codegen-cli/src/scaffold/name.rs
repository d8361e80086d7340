//! The name of the package, from the name of its folder.

/// Names that cargo refuses for a package with our dependencies, or at all.
const TAKEN: [&str; 12] = [
    "palisade",
    "palisade-codegen",
    "palisade_codegen",
    "tokio",
    "tracing-subscriber",
    "test",
    "core",
    "std",
    "alloc",
    "proc-macro",
    "build",
    "api",
];

/// A name that cargo accepts, as near to `folder` as can be.
pub(crate) fn package(folder: &str) -> String {
    let mut name = String::with_capacity(folder.len());
    for letter in folder.chars().map(|letter| letter.to_ascii_lowercase()) {
        match letter {
            'a'..='z' | '0'..='9' | '_' => name.push(letter),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_end_matches('-');
    match name.chars().next() {
        None => "server".to_owned(),
        Some('a'..='z') if !TAKEN.contains(&name) && !is_keyword(name) => name.to_owned(),
        Some('a'..='z') => format!("{name}-server"),
        Some(_) => format!("server-{}", name.trim_start_matches('_')),
    }
}

/// Whether Rust keeps the word for itself: cargo refuses it as the name of a package.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 50] = [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
        "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
        "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
        "virtual", "where", "while",
    ];
    KEYWORDS.contains(&word) || word == "yield"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_folder_name_stays() {
        for name in ["shop", "shop-api", "shop_api", "shop2"] {
            assert_eq!(package(name), name);
        }
    }

    #[test]
    fn what_cargo_refuses_is_bent() {
        let cases = [
            ("My Shop", "my-shop"),
            ("tokio", "tokio-server"),
            ("test", "test-server"),
            ("type", "type-server"),
            ("3d", "server-3d"),
            ("_x", "server-x"),
            ("--a--b--", "a-b"),
            ("\u{e9}\u{e9}", "server"),
            ("..", "server"),
        ];
        for (folder, name) in cases {
            assert_eq!(package(folder), name, "{folder}");
        }
    }
}
