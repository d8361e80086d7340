//! The name of a file, without what would make it a path.

/// Longer names are cut: this is what file systems take.
const LONGEST: usize = 255;

/// What stands behind the last separator of any system (RFC 6266 section 4.3); `None` where that is no name.
pub(super) fn without_directories(sent: &str) -> Option<String> {
    let name = sent.rsplit(['/', '\\', ':']).next().unwrap_or_default().trim_start();
    let name = name.get(..name.floor_char_boundary(LONGEST)).unwrap_or_default();
    // dots alone are directories, a name of spaces is none, in whatever order they end it; the rest of a reserved name is
    // for whoever stores it
    let name = name.trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace());
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for (sent, name) in [
            ("a.png", Some("a.png")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\me\\a b.png", Some("a b.png")),
            ("C:evil.exe", Some("evil.exe")),
            ("/etc/passwd", Some("passwd")),
            (".bashrc", Some(".bashrc")),
            ("a.", Some("a")),
            ("a. .", Some("a")),
            ("..", None),
            (".. .", None),
            (". ..", None),
            ("../..", None),
            ("dir/", None),
            (" ", None),
            ("", None),
        ] {
            assert_eq!(without_directories(sent).as_deref(), name, "{sent}");
        }
        assert_eq!(without_directories(&"ü".repeat(200)).map(|name| name.len()), Some(254));
        assert_eq!(
            without_directories(&format!("{}.png", "a".repeat(254))),
            Some("a".repeat(254)),
            "cut first"
        );
    }
}
