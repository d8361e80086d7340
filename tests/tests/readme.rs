//! The README shows what is: its excerpt of generated code stands in the golden, its links lead somewhere.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

#[test]
fn the_excerpt_is_generated_code() {
    let readme = read("README.md");
    let (_, after) =
        readme.split_once("<!-- golden: tests/golden/bank.rs -->\n```rust\n").expect("the excerpt");
    let (excerpt, _) = after.split_once("\n```").expect("its end");
    assert!(excerpt.lines().count() > 10, "a real excerpt");
    assert!(read("tests/golden/bank.rs").contains(excerpt), "the excerpt is not in the golden:\n{excerpt}");
}

#[test]
fn every_relative_link_leads_to_a_file() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "benches/README.md"] {
        let text = read(page);
        for target in
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
        {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let file = root().join(page).parent().unwrap().join(target);
            assert!(file.exists(), "{page} links to {target}");
        }
    }
}
