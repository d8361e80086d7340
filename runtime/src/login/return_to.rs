//! Where a browser goes after its login: somewhere on our own site, whatever it asks for.
//!
//! Rules ([`is_ours`]); what breaks one is refused, for there is no harmless reading of it:
//! 1. it begins with `/` and has no `//`, so that no part of it is read as the name of a host;
//! 2. it has no `\`, which browsers read as `/` (URL Standard, relative state);
//! 3. it is visible ASCII: browsers drop tabs and line ends, and what is left of `/<tab>/evil.example` breaks rule 1;
//! 4. it is at most [`LONGEST`] long.

/// It travels in a cookie.
const LONGEST: usize = 1024;

/// Whether a path, with a query where it has one, stays on our site.
pub(super) fn is_ours(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= LONGEST
        && !path.contains("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_our_site_and_nothing_else() {
        for good in
            ["/", "/accounts", "/accounts?after=x%2F%2Fy&b=1", "/a/../b", "/%2F%2Fevil.example", "/a:b@c"]
        {
            assert!(is_ours(good), "{good}");
        }
        for bad in [
            "",
            "accounts",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a//evil.example",
            "/..//evil.example",
            "/a?next=//evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nset-cookie: a=b",
            " //evil.example",
            "/a b",
            "/\u{e9}",
            "/\u{ff0f}evil.example",
            "@evil.example",
            ".evil.example",
        ] {
            assert!(!is_ours(bad), "{bad:?}");
        }
        assert!(is_ours(&format!("/{}", "a".repeat(LONGEST - 1))));
        assert!(!is_ours(&format!("/{}", "a".repeat(LONGEST))));
    }
}
