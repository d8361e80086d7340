//! Files that a document refers to: only in its own folder or below, never the network.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use foldhash::HashMap;

use super::Library;
use super::by_self::{By, by_self};
use crate::finding::Findings;
use crate::source::pointer::percent_decode;
use crate::source::span::FileId;
use crate::source::tree::{Node, Value};
use crate::source::{self, MAX_FILES, SourceFile, Sources};

/// The reason that stands for "not in the folder".
pub(super) const OUTSIDE: &str = "outside";

/// The URI of the folder that is read.
pub(super) const ROOT: &str = "document:///";

pub(super) const NOT_THERE: &str = "no such file";

/// Whether a reference has a URL scheme or an authority (RFC 3986 section 4.2).
pub(super) fn is_remote(reference: &str) -> bool {
    let scheme = reference.split_once(':').map(|(scheme, _)| scheme);
    reference.starts_with("//")
        || scheme.is_some_and(|scheme| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        })
}

/// Reads the files that references name, and those that they refer to. A file that cannot be read is reported where a
/// reference to it is followed: `$ref` may also be the name of a property, or stand in an example.
pub(super) fn gather(
    library: &mut Library,
    folder: Option<&Path>,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let root = sources
        .get(FileId(0))
        .and_then(|file| file.path.as_deref())
        .and_then(|path| path.canonicalize().ok());
    let own = root.as_deref().and_then(Path::parent);
    // a folder beside the document would let nothing of its own be read
    let folder = folder
        .and_then(|folder| folder.canonicalize().ok())
        .filter(|folder| own.is_some_and(|own| own.starts_with(folder)))
        .or_else(|| own.map(Path::to_owned));
    let mut known: HashMap<PathBuf, FileId> = root.into_iter().map(|path| (path, FileId(0))).collect();
    let mut at = 0;
    while let Some((id, tree)) = library.trees.get(at) {
        let (id, mut names) = (*id, Vec::new());
        file_references(tree, &mut names);
        schemes_by_uri(tree, library.root(), &mut names);
        let stated = tree.get("$self").and_then(Node::as_str).map(str::to_owned);
        if let Some(uri) = retrieved(id, folder.as_deref(), sources) {
            library.retrieved.insert(id, uri);
        }
        at += 1;
        for name in names {
            let key = (id, name.clone());
            if library.files.contains_key(&key) {
                continue;
            }
            let start = stated.as_deref().zip(library.retrieved.get(&id)).zip(folder.as_deref());
            let by_self = start.and_then(|((stated, own), folder)| by_self(stated, own, &name, folder));
            let (found, instead) = match by_self {
                Some(By { file: Ok(path), .. }) => (Ok(path), None),
                // what is beside the document may be what is meant, if it says so by its own `$self`
                Some(By { file: Err(why), alone: true }) => {
                    (locate(&name, id, folder.as_deref(), sources), Some(why))
                }
                _ => (locate(&name, id, folder.as_deref(), sources), None),
            };
            let outcome = found.and_then(|path| read(path, &mut known, library, sources, findings));
            library.files.insert(key, instead.map_or(outcome, Err));
        }
    }
}

/// The URI of a file, as it is found below the folder.
fn retrieved(id: FileId, folder: Option<&Path>, sources: &Sources) -> Option<String> {
    let path = sources.get(id)?.path.as_deref()?.canonicalize().ok()?;
    let way = path.strip_prefix(folder?).ok()?.iter();
    let steps: Vec<String> = way.map(|step| encoded(&step.to_string_lossy())).collect();
    Some(format!("{ROOT}{}", steps.join("/")))
}

/// A segment of a path, with what is not unreserved encoded (RFC 3986 section 2.3).
fn encoded(segment: &str) -> String {
    let mut text = String::new();
    for byte in segment.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => _ = write!(text, "%{byte:02X}"),
        }
    }
    text
}

fn folder_of(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()?.parent().map(Path::to_owned)
}

/// The path that a relative reference names: each of its segments decoded (RFC 3986 section 2.1). One in which a separator
/// was encoded is the name of no file; where it is not encoded as it should be, it is taken as it is written.
pub(super) fn path_of(name: &str) -> Option<PathBuf> {
    let segments = name.split('/').map(|segment| {
        let decoded = percent_decode(segment).unwrap_or_else(|| segment.to_owned());
        let added = |char: &char| std::path::is_separator(*char) || *char == '\0';
        let kept = decoded.chars().filter(added).eq(segment.chars().filter(added));
        kept.then_some(decoded)
    });
    Some(segments.collect::<Option<Vec<_>>>()?.join("/").into())
}

/// The path of a file reference. Symbolic links are followed before the folder is compared.
fn locate(name: &str, from: FileId, folder: Option<&Path>, sources: &Sources) -> Result<PathBuf, String> {
    let Some(folder) = folder else { return Err("the document was given as text, it has no folder".into()) };
    let Some(path) = path_of(name) else { return Err(NOT_THERE.into()) };
    if path.is_absolute() {
        return Err(OUTSIDE.into());
    }
    let base = sources.get(from).and_then(|file| file.path.as_deref()).and_then(folder_of);
    inside(&base.as_deref().unwrap_or(folder).join(path), folder)
}

/// A path below the folder, whatever leads there.
pub(super) fn inside(path: &Path, folder: &Path) -> Result<PathBuf, String> {
    match path.canonicalize() {
        Ok(path) if path.starts_with(folder) => Ok(path),
        Ok(_) => Err(OUTSIDE.into()),
        Err(_) => Err(NOT_THERE.into()),
    }
}

/// What findings call a file: the way to it from where the document is, as the document is called. So it opens from where
/// the document does, and no two have one name.
fn shown(path: &Path, sources: &Sources) -> String {
    let root = sources.get(FileId(0));
    let own = root.and_then(|file| file.path.as_deref()).and_then(folder_of).unwrap_or_default();
    let shared = own.ancestors().find(|folder| path.starts_with(folder)).unwrap_or(&own);
    let up = own.strip_prefix(shared).into_iter().flatten().map(|_| "..".to_owned());
    let down = path.strip_prefix(shared).unwrap_or(path).iter();
    let way: Vec<String> = up.chain(down.map(|step| step.to_string_lossy().into_owned())).collect();
    let folder = root.and_then(|file| file.name.get(..=file.name.rfind(std::path::is_separator)?));
    format!("{}{}", folder.unwrap_or_default(), way.join("/"))
}

fn read(
    path: PathBuf,
    known: &mut HashMap<PathBuf, FileId>,
    library: &mut Library,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Result<FileId, String> {
    if let Some(id) = known.get(&path) {
        return Ok(*id);
    }
    if sources.files().len() >= MAX_FILES {
        return Err("too many files".into());
    }
    let text = source::read_file(&path).map_err(|unread| unread.reason)?;
    let name = shown(&path, sources);
    let id = sources.add(SourceFile { name, text, path: Some(path.clone()) });
    known.insert(path, id);
    match source::parse(id, sources, findings) {
        Some(tree) => {
            library.trees.push((id, tree));
            Ok(id)
        }
        None => Err("it is neither JSON nor YAML".into()),
    }
}

/// The file part of every `$ref` that has one and is no URL.
fn file_references(node: &Node, names: &mut Vec<String>) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| file_references(item, names)),
        Value::Object(object) => {
            for member in object.members() {
                match member.node.as_str() {
                    Some(text) if &*member.key == "$ref" => file_of(text, names),
                    _ => file_references(&member.node, names),
                }
            }
        }
        _ => {}
    }
}

/// The same of every security scheme that is named by a URI (OpenAPI 3.2 section 4.27): what is no name of a component is one,
/// `key.yaml` as much as `./key.yaml`.
fn schemes_by_uri(node: &Node, root: Option<&Node>, names: &mut Vec<String>) {
    let is_newer = |root: &Node| root.get("openapi")?.as_str()?.strip_prefix("3.2").map(|_| ());
    if root.and_then(is_newer).is_none() {
        return;
    }
    let components = root.and_then(|root| root.get("components")?.get("securitySchemes"));
    let is_component = |name: &str| components.is_some_and(|components| components.get(name).is_some());
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match &node.value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(object) => {
                let required = object.members().iter().filter(|member| &*member.key == "security");
                let required = required.filter_map(|member| member.node.as_array()).flatten();
                let schemes = required.filter_map(Node::as_object).flat_map(|one| one.members());
                let by_uri = schemes.filter(|scheme| !is_component(&scheme.key));
                by_uri.for_each(|scheme| file_of(&scheme.key, names));
                waiting.extend(object.members().iter().map(|member| &member.node));
            }
            _ => {}
        }
    }
}

fn file_of(reference: &str, names: &mut Vec<String>) {
    let file = reference.split('#').next().unwrap_or_default();
    if !file.is_empty() && !is_remote(reference) && !names.iter().any(|known| known == file) {
        names.push(file.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remote() {
        for remote in ["http://a/b", "https://a", "file:///etc/passwd", "//host/x", "urn:x"] {
            assert!(is_remote(remote), "{remote}");
        }
        for local in ["a.yaml", "./a.yaml#/b", "../a.json", "dir/a.yaml"] {
            assert!(!is_remote(local), "{local}");
        }
    }

    #[test]
    fn only_files_in_the_folder_are_read() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("api");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(outer.path().join("secret.yaml"), "a: 1").unwrap();
        std::fs::write(inner.join("part.yaml"), "b: { $ref: 'deep/more.yaml' }").unwrap();
        std::fs::create_dir(inner.join("deep")).unwrap();
        std::fs::write(inner.join("deep/more.yaml"), "c: { $ref: '../part.yaml#/b' }").unwrap();
        let text = "a: { $ref: part.yaml#/b }\nb: { $ref: ../secret.yaml }\nc: { $ref: nowhere.yaml }\n";
        std::fs::write(inner.join("openapi.yaml"), text).unwrap();
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        let root =
            source::load(&source::Source::file(inner.join("openapi.yaml")), &mut sources, &mut findings)
                .unwrap();
        let library = super::super::gather(root, None, &mut sources, &mut findings);
        assert_eq!(sources.files().len(), 3, "the root, the part and what the part refers to");
        assert!(findings.is_empty());
        let reason = |name: &str| library.files.get(&(FileId(0), name.to_owned())).cloned().unwrap();
        assert_eq!(reason("part.yaml"), Ok(FileId(1)));
        for file in sources.files() {
            assert!(Path::new(&file.name).is_file(), "{} opens", file.name);
        }
        assert_eq!(reason("../secret.yaml"), Err(OUTSIDE.into()));
        assert_eq!(reason("nowhere.yaml"), Err("no such file".into()));
    }

    #[test]
    fn names_of_files_are_decoded_and_stay_in_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("api");
        std::fs::create_dir_all(inner.join("parts")).unwrap();
        std::fs::write(outer.path().join("secret.yaml"), "a: 1").unwrap();
        for name in ["é x.yaml", "100%.yaml", "plain.yaml"] {
            std::fs::write(inner.join("parts").join(name), "a: 1").unwrap();
        }
        let absolute = outer.path().join("secret.yaml").display().to_string();
        let found = [
            "parts/%C3%A9%20x.yaml",
            "parts/é x.yaml",
            "parts/%c3%a9 x.yaml",
            "parts/100%.yaml",
            "parts/100%25.yaml",
            "parts/%70lain.yaml",
            "parts/%2e%2E/parts/plain.yaml",
        ];
        let outside = ["../secret.yaml", "%2e%2e/secret.yaml", "parts/.%2E/../secret.yaml", &absolute];
        let no_file = [
            "parts%2Fplain.yaml",
            "..%2fsecret.yaml",
            "%2e%2e%2fsecret.yaml",
            "parts%2F..%2F..%2Fsecret.yaml",
            &absolute.replace('/', "%2F"),
            "parts/plain.yaml%00",
            "parts/%2570lain.yaml",
            "parts/%FFplain.yaml",
        ];
        let names = found.iter().chain(&outside).chain(&no_file);
        let text: String =
            names.clone().enumerate().map(|(at, name)| format!("r{at}: {{ $ref: '{name}' }}\n")).collect();
        std::fs::write(inner.join("openapi.yaml"), text).unwrap();
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        let root =
            source::load(&source::Source::file(inner.join("openapi.yaml")), &mut sources, &mut findings)
                .unwrap();
        let library = super::super::gather(root, None, &mut sources, &mut findings);
        assert_eq!(sources.files().len(), 4, "the root and the three parts");
        for (at, name) in names.enumerate() {
            let outcome = library.files.get(&(FileId(0), (*name).to_owned())).cloned().unwrap();
            match at {
                at if at < found.len() => assert!(outcome.is_ok(), "{name}: {outcome:?}"),
                at if at < found.len() + outside.len() => assert_eq!(outcome, Err(OUTSIDE.into()), "{name}"),
                _ => assert_eq!(outcome, Err(NOT_THERE.into()), "{name}"),
            }
        }
    }

    #[test]
    fn files_of_one_name_are_told_apart() {
        let outer = tempfile::tempdir().unwrap();
        let api = outer.path().join("api");
        for folder in ["api/one", "api/two", "shared"] {
            std::fs::create_dir_all(outer.path().join(folder)).unwrap();
            std::fs::write(outer.path().join(folder).join("common.yaml"), "a: 1").unwrap();
        }
        std::fs::write(api.join("one/more.yaml"), "a: { $ref: common.yaml }").unwrap();
        let text = "a: { $ref: one/more.yaml }\nb: { $ref: ./two/common.yaml }\nc: { $ref: ../shared/common.yaml }\n";
        std::fs::write(api.join("openapi.yaml"), text).unwrap();
        let names = |called: &str| -> Vec<String> {
            let (mut sources, mut findings) = (Sources::default(), Findings::default());
            let source = source::Source::file(api.join("openapi.yaml")).named(called);
            let root = source::load(&source, &mut sources, &mut findings).unwrap();
            super::super::gather(root, Some(outer.path()), &mut sources, &mut findings);
            sources.files().iter().skip(1).map(|file| file.name.clone()).collect()
        };
        let plain = ["one/more.yaml", "two/common.yaml", "../shared/common.yaml", "one/common.yaml"];
        assert_eq!(names("openapi.yaml"), plain);
        assert_eq!(names("docs/api/openapi.yaml"), plain.map(|name| format!("docs/api/{name}")));
    }
}
