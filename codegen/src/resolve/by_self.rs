//! Paths of files that start from `$self`.
//!
//! 1. A `$self` that is a relative path starts from where the document was found, and the references of the document from there
//!    (OpenAPI 3.2 section 4.1.2.2.1, RFC 3986 section 5.1.1), always below the folder that is read.
//! 2. A `$self` that is a path from the root, or a whole URI, is a place on a server. Of the first that is looked at below the
//!    folder; where no file is there, and of the second, paths start from where the document was found.

use std::path::{Path, PathBuf};

use super::files::{NOT_THERE, OUTSIDE, ROOT, inside, is_remote, path_of};

const NOT_THERE_BY_SELF: &str = "there is no such file where references start from by `$self`";

/// Where a reference leads that starts from `$self`.
pub(super) struct By {
    pub(super) file: Result<PathBuf, String>,
    /// Whether it leads nowhere else. Rule 2.
    pub(super) alone: bool,
}

/// The file that a reference names in a document with a `$self` that is no whole URI: it starts from where the document was
/// found, and the reference from there (OpenAPI 3.2 section 4.1.2.2.1, RFC 3986 section 5.1.1).
pub(super) fn by_self(stated: &str, own: &str, name: &str, folder: &Path) -> Option<By> {
    if is_remote(stated) {
        return None;
    }
    let alone = !stated.starts_with('/');
    let Some(way) = way([own.strip_prefix(ROOT)?, stated, name]) else {
        return Some(By { file: Err(OUTSIDE.into()), alone });
    };
    let file = path_of(&way).ok_or_else(|| NOT_THERE.to_owned());
    let file = file.and_then(|path| inside(&folder.join(path), folder));
    let by_self = |why| if why == NOT_THERE { NOT_THERE_BY_SELF.to_owned() } else { why };
    Some(By { file: file.map_err(by_self), alone })
}

/// References that start from each other, as one from the folder (RFC 3986 section 5.2.3 and 5.2.4). `None`: it leads out of
/// it.
fn way(references: [&str; 3]) -> Option<String> {
    let mut way: Vec<&str> = Vec::new();
    for reference in references {
        way.pop();
        if reference.starts_with('/') {
            way.clear();
        }
        for segment in reference.split('/') {
            match segment {
                "" | "." => {}
                ".." => _ = way.pop()?,
                segment => way.push(segment),
            }
        }
        if matches!(reference.rsplit('/').next(), Some("" | "." | "..")) {
            way.push(""); // a folder
        }
    }
    Some(way.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Findings;
    use crate::source::{self, Sources};

    /// What `part.yaml` is from a document of this `$self`, and what is there.
    fn part(stated: &str, name: &str) -> String {
        let outer = tempfile::tempdir().unwrap();
        let api = outer.path().join("api");
        for folder in ["api/own/deep", "api/other"] {
            std::fs::create_dir_all(outer.path().join(folder)).unwrap();
        }
        std::fs::write(outer.path().join("secret.yaml"), "at: secret").unwrap();
        std::fs::write(api.join("part.yaml"), "at: root").unwrap();
        std::fs::write(api.join("own/part.yaml"), "at: own").unwrap();
        std::fs::write(api.join("own/else.yaml"), "{ at: else, $self: ../virtual/part.yaml }").unwrap();
        std::fs::write(api.join("other/part.yaml"), "at: other").unwrap();
        let text = format!("$self: {stated}\nr: {{ $ref: '{name}#/at' }}\nx: {{ $ref: else.yaml }}\n");
        std::fs::write(api.join("own/openapi.yaml"), text).unwrap();
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        let root = source::Source::file(api.join("own/openapi.yaml"));
        let root = source::load(&root, &mut sources, &mut findings).unwrap();
        let library = super::super::gather(root, Some(&api), &mut sources, &mut findings);
        let reference = library.root().unwrap().get("r").unwrap().get("$ref").unwrap();
        match library.follow(reference, None) {
            Ok(target) => target.as_str().unwrap().to_owned(),
            Err(finding) => finding.message().rsplit(": ").next().unwrap().to_owned(),
        }
    }

    /// OpenAPI 3.2 section 4.1.2.2.1, RFC 3986 section 5.1.
    #[test]
    fn references_start_from_a_relative_self() {
        for (stated, name, at) in [
            ("openapi.yaml", "part.yaml", "own"),
            ("./renamed", "./part.yaml", "own"),
            ("../other/openapi.yaml", "part.yaml", "other"),
            ("../other/openapi.yaml", "../part.yaml", "root"),
            ("../other/deep/", "../part.yaml", "other"),
            ("../openapi.yaml", "part.yaml", "root"),
            ("../openapi.yaml", "own/part.yaml", "own"),
            ("../nowhere/openapi.yaml", "../other/%70art.yaml", "other"),
            ("../nowhere/openapi.yaml", "part.yaml", NOT_THERE_BY_SELF),
            // what says so itself is meant
            ("../virtual/openapi.yaml", "part.yaml", "else"),
            // a path of a server, and a whole URI, need not be ways to files
            ("/other/openapi.yaml", "part.yaml", "other"),
            ("/v1/openapi.yaml", "part.yaml", "own"),
            ("https://example.com/other/openapi.yaml", "part.yaml", "own"),
        ] {
            assert_eq!(part(stated, name), at, "{stated} {name}");
        }
        for (stated, name) in [
            ("openapi.yaml", "../../secret.yaml"),
            ("../openapi.yaml", "../secret.yaml"),
            ("../../openapi.yaml", "secret.yaml"),
            ("openapi.yaml", "%2e%2e/%2e%2e/secret.yaml"),
        ] {
            assert!(part(stated, name).contains("is outside the document's folder"), "{stated} {name}");
        }
    }
}
