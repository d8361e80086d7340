//! Files as they were read, and the tree of each. The only folder of the front that touches the disk.

pub(crate) mod json;
mod mend;
mod places;
pub(crate) mod pointer;
mod scalar;
pub(crate) mod span;
pub(crate) mod tree;
pub(crate) mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::finding::{Code, Finding, Findings};
use span::{FileId, Place, Span};
use tree::{Member, Node};

/// Nesting that is read; every recursion of the front is bounded by it.
pub(crate) const MAX_DEPTH: usize = 128;
/// Bytes of one file.
pub(crate) const MAX_FILE: u64 = 64 << 20;
/// Nodes of one file, those that aliases repeat included.
pub(crate) const MAX_NODES: usize = 2_000_000;
/// Nodes of one file that are kept for aliases or repeated by them.
const MAX_COPIES: usize = 200_000;
/// Files of one document.
pub(crate) const MAX_FILES: usize = 1_000;

/// The document to generate from: a file, or text that is at hand.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    File(PathBuf),
    Text(Arc<str>),
}

impl Source {
    /// A file on disk; findings name it as it is given here.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string(), origin: Origin::File(path) }
    }

    /// The same, called `name` in findings and in the generated file.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Text in memory, named `name` in findings. It cannot refer to other files.
    pub fn text(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), origin: Origin::Text(text.into()) }
    }

    /// How findings name it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As findings name it.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
    /// Where it is on disk, if it is.
    pub path: Option<PathBuf>,
}

/// Every file that was read, in order: what the hash is made of, and what a build script watches.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// The files, the root document first.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    pub(crate) fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(usize::from(id.0))
    }

    pub(crate) fn add(&mut self, file: SourceFile) -> FileId {
        let id = FileId(u16::try_from(self.files.len()).unwrap_or(u16::MAX));
        self.files.push(SourceFile { text: with_line_ends(file.text), ..file });
        id
    }
}

/// Reads the root document and makes its tree.
pub(crate) fn load(source: &Source, sources: &mut Sources, findings: &mut Findings) -> Option<Node> {
    let id = match &source.origin {
        Origin::Text(text) => {
            sources.add(SourceFile { name: source.name.clone(), text: text.clone(), path: None })
        }
        Origin::File(path) => match read_file(path) {
            Ok(text) => sources.add(SourceFile { name: source.name.clone(), text, path: Some(path.clone()) }),
            Err(Unread { reason, text, at }) => {
                // Recorded all the same: a build script must run again when the file appears.
                let id =
                    sources.add(SourceFile { name: source.name.clone(), text, path: Some(path.clone()) });
                let message = format!("cannot read `{}`: {reason}", source.name);
                let place = Place { file: id, span: Span::new(at, at) };
                let finding = Finding::error(Code::Unreadable, message, place);
                findings.push(finding.help("name a file with an OpenAPI document in YAML or JSON, in UTF-8"));
                return None;
            }
        },
    };
    parse(id, sources, findings)
}

/// Makes the tree of a file that was read.
pub(crate) fn parse(id: FileId, sources: &Sources, findings: &mut Findings) -> Option<Node> {
    let file = sources.get(id)?;
    let read = read_tree(id, file);
    match read {
        Ok(node) => Some(node),
        Err(faults) => {
            for fault in faults {
                findings.push(fault.into_finding());
            }
            None
        }
    }
}

/// The tree of a file, or what is wrong with its text.
pub(crate) fn read_tree(id: FileId, file: &SourceFile) -> Result<Node, Vec<Unreadable>> {
    if is_json(&file.name, &file.text) { json::read(id, &file.text) } else { yaml::read(id, &file.text) }
}

/// Why a file is no text, what of it is one, and where that ends.
pub(crate) struct Unread {
    pub(crate) reason: String,
    text: Arc<str>,
    at: usize,
}

impl From<&str> for Unread {
    fn from(reason: &str) -> Self {
        Self { reason: reason.to_owned(), text: "".into(), at: 0 }
    }
}

impl From<std::io::Error> for Unread {
    /// In our words: those of the system differ between systems.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".into(),
            std::io::ErrorKind::PermissionDenied => "no permission".into(),
            _ => error.to_string().as_str().into(),
        }
    }
}

/// The text of a file.
pub(crate) fn read_file(path: &Path) -> Result<Arc<str>, Unread> {
    let facts = std::fs::metadata(path)?;
    if !facts.is_file() {
        return Err("not a file".into());
    }
    if facts.len() > MAX_FILE {
        return Err("larger than 64 MiB".into());
    }
    String::from_utf8(std::fs::read(path)?).map(Arc::from).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text: Arc<str> = String::from_utf8_lossy(error.as_bytes()).into();
        let before = text.get(..at).unwrap_or_default();
        let line = with_line_ends(before.into()).matches('\n').count() + 1;
        Unread { reason: format!("not UTF-8, first in line {line}, at byte {at}"), text, at }
    })
}

/// A text whose lines all end in `\n`: a `\r` alone is a line end of YAML (1.2.2 section 5.4), and of nothing that shows its
/// lines. It is as long as before.
fn with_line_ends(text: Arc<str>) -> Arc<str> {
    if !text.contains('\r') {
        return text;
    }
    let mut lines = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let alone = char == '\r' && chars.peek() != Some(&'\n');
        lines.push(if alone { '\n' } else { char });
    }
    lines.into()
}

/// By name; files without a telling one by their first character.
fn is_json(name: &str, text: &str) -> bool {
    let ending = Path::new(name).extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text.trim_start_matches('\u{feff}').trim_start().starts_with('{'),
    }
}

/// What a reader stopped at.
#[derive(Debug)]
pub(crate) struct Unreadable {
    place: Place,
    message: String,
    help: String,
    /// The member that had the name first.
    first: Option<Place>,
}

impl Unreadable {
    fn repeated(member: &Member, first: Place) -> Self {
        Self {
            place: member.key_place,
            message: format!("a member twice: `{}`", member.key),
            help: "keep one: readers disagree which of the two counts".into(),
            first: Some(first),
        }
    }

    fn into_finding(self) -> Finding {
        let code = if self.first.is_some() { Code::MemberTwice } else { Code::Syntax };
        let finding = Finding::error(code, self.message, self.place).help(self.help);
        match self.first {
            Some(first) => finding.related(first, "first here"),
            None => finding,
        }
    }
}

/// How many nodes may still be made.
#[derive(Debug)]
struct Budget {
    left: usize,
    copies: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_NODES, copies: MAX_COPIES }
    }
}

impl Budget {
    fn take(&mut self, nodes: usize) -> bool {
        match self.left.checked_sub(nodes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// The same for nodes that stand elsewhere already.
    fn copy(&mut self, nodes: usize) -> bool {
        match self.copies.checked_sub(nodes) {
            Some(copies) => {
                self.copies = copies;
                self.take(nodes)
            }
            None => false,
        }
    }

    fn left(&self) -> usize {
        self.left
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) fn json(text: &str) -> Node {
        json::read(FileId(0), text).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &Path) -> Vec<String> {
        let mut findings = Findings::default();
        assert!(load(&Source::file(path), &mut Sources::default(), &mut findings).is_none());
        findings.iter().map(|finding| finding.message().to_owned()).collect()
    }

    #[test]
    fn files_that_cannot_be_read_are_findings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.yaml");
        assert!(messages(&path)[0].ends_with("no such file"));
        assert!(messages(folder.path())[0].ends_with("not a file"));
        let huge = std::fs::File::create(&path).unwrap();
        huge.set_len(MAX_FILE + 1).unwrap();
        assert!(messages(&path)[0].ends_with("larger than 64 MiB"));
        std::fs::write(&path, b"openapi: \xff").unwrap();
        assert!(messages(&path)[0].ends_with("not UTF-8, first in line 1, at byte 9"));
        std::fs::write(&path, b"a: 1\r\nb: 2\rc: \xfc\n").unwrap();
        assert!(messages(&path)[0].ends_with("not UTF-8, first in line 3, at byte 14"));
    }

    #[test]
    fn what_is_no_text_is_shown_where_it_ends_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.yaml");
        std::fs::write(&path, b"openapi: 3.1.0\ninfo: { title: M\xfcnzen }\n").unwrap();
        let (mut findings, mut sources) = (Findings::default(), Sources::default());
        assert!(load(&Source::file(&path), &mut sources, &mut findings).is_none());
        let said = findings.finish(&sources).render();
        assert!(said.contains("spec.yaml:2:17") && said.contains("info: { title: M\u{fffd}nzen }"), "{said}");
    }

    #[test]
    fn a_line_ends_as_it_does_in_yaml() {
        let shown = |text: &str| {
            let mut findings = Findings::default();
            let mut sources = Sources::default();
            assert!(load(&Source::text("a.yaml", text), &mut sources, &mut findings).is_none());
            findings.finish(&sources).render()
        };
        for end in ["\n", "\r\n", "\r"] {
            let said = shown(&format!("a: 1{end}b: 2{end}a: 3{end}"));
            assert!(said.contains("a.yaml:3:1"), "{said}");
        }
    }

    #[test]
    fn the_name_decides_between_json_and_yaml_then_the_first_character() {
        assert!(is_json("a.JSON", "a: 1"));
        assert!(!is_json("a.yml", "{}"));
        assert!(is_json("spec", " {}"));
        assert!(!is_json("spec", "openapi: 3.1.0"));
    }
}
