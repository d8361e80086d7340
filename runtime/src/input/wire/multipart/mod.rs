//! Bodies of `multipart/form-data` (RFC 7578), whole and under the limit of the body.
//!
//! 1. The boundary is 1 to 70 characters of RFC 2046 section 5.1.1. Nothing stands before the first delimiter, nothing
//!    but a line end behind the last, and no padding on a delimiter's line: what two readers could cut differently is
//!    refused.
//! 2. At most 256 parts, each with at most 4 KiB of header fields.
//! 3. A part has one `Content-Disposition: form-data` with a `name`. An encoding of its content is refused (RFC 7578
//!    section 4.7 deprecates them).
//! 4. The media type of a part is one that the document says, or fits its kind.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::form::NO_JSON;
use super::{Kind, Wire};
use crate::input::json::finish;
use crate::input::{Check, Decode, Entry, Expected, Refused, Rule, Tree, media_type, parse_tree};

const MOST_PARTS: usize = 256;
const LONGEST_HEAD: usize = 4096;

/// A file, as it came: a part of a form, or the text of a string with `format: binary`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FilePart {
    bytes: Bytes,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl FilePart {
    /// A file of these bytes, without a name.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), file_name: None, content_type: None }
    }

    /// Its content.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What the client calls it. Never use it as a path.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The media type that the client says it has.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    pub(in crate::input) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

impl AsRef<[u8]> for FilePart {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Without its content.
impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart").field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// In JSON `format: binary` is a string: bytes that are no text cannot be written.
impl Serialize for FilePart {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => to.serialize_str(text),
            None => Err(serde::ser::Error::custom("bytes that are no text have no JSON form")),
        }
    }
}

impl Check for FilePart {
    fn check(&self, _: &crate::input::At<'_>, _: &mut crate::input::Violations) {}
}

struct Part {
    name: String,
    file: FilePart,
}

/// Reads a multipart form.
///
/// # Errors
/// Why not, with every violation together.
pub(in crate::input) fn multipart<T: Decode + Check>(
    bytes: &Bytes,
    content_type: &str,
    fields: &[Wire],
    depth: usize,
    rule: Rule<T>,
) -> Result<T, Refused> {
    let boundary = boundary(content_type).ok_or(Refused::Syntax)?;
    let parts = parts(bytes, &boundary).ok_or(Refused::Syntax)?;
    finish(&tree(&parts, fields, depth), rule)
}

/// RFC 2046 section 5.1.1.
fn boundary(content_type: &str) -> Option<String> {
    let boundary = media_type::boundary(content_type)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let fits =
        (1..=70).contains(&boundary.len()) && boundary.bytes().all(allowed) && !boundary.ends_with(' ');
    fits.then(|| boundary.to_owned())
}

/// Rules 1 to 3. `None`: not the grammar, or too many.
fn parts(bytes: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest =
        bytes.slice(bytes.strip_prefix(delimiter.as_bytes().get(2..)?).map(|_| delimiter.len() - 2)?..);
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return matches!(end, b"" | b"\r\n").then_some(parts);
        }
        if parts.len() == MOST_PARTS || !rest.starts_with(b"\r\n") {
            return None;
        }
        // From the line end of the delimiter, so that a part without header fields is found as well.
        let head_end = find(rest.get(..rest.len().min(LONGEST_HEAD))?, b"\r\n\r\n")?;
        let head = std::str::from_utf8(rest.get(..head_end)?).ok()?.trim_start_matches("\r\n").to_owned();
        let content = rest.slice(head_end + 4..);
        // The line end before a delimiter belongs to it: an empty part shares the one of its head.
        let (file, after) = match find(&rest.slice(head_end + 2..), delimiter.as_bytes())? {
            0 => (Bytes::new(), rest.slice(head_end + 2 + delimiter.len()..)),
            at => (content.slice(..at.checked_sub(2)?), rest.slice(head_end + 2 + at + delimiter.len()..)),
        };
        parts.push(part(&head, file)?);
        rest = after;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn part(head: &str, bytes: Bytes) -> Option<Part> {
    let (mut disposition, mut content_type) = (None, None);
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        let slot = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => &mut disposition,
            "content-type" => &mut content_type,
            "content-transfer-encoding" => match value.to_ascii_lowercase().as_str() {
                "7bit" | "8bit" | "binary" => continue,
                _ => return None,
            },
            _ if name.is_empty() || name.contains([' ', '\t', '\r', '\n']) => return None,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    let (name, file_name) = form_data(disposition?)?;
    Some(Part { name, file: FilePart { bytes, file_name, content_type: content_type.map(str::to_owned) } })
}

/// `form-data; name="a"; filename="b"` (RFC 7578 section 4.2).
fn form_data(value: &str) -> Option<(String, Option<String>)> {
    let (kind, mut rest) = value.split_once(';')?;
    if !kind.trim_matches([' ', '\t']).eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut file_name) = (None, None);
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let (key, after) = rest.split_once('=')?;
        let (text, after) = parameter_value(after)?;
        let slot = match key.to_ascii_lowercase().as_str() {
            "name" => Some(&mut name),
            "filename" => Some(&mut file_name),
            _ => None,
        };
        if text.chars().any(char::is_control) || slot.is_some_and(|slot| slot.replace(text).is_some()) {
            return None;
        }
        match after.trim_start_matches([' ', '\t']) {
            "" => return Some((name?, file_name)),
            more => rest = more.strip_prefix(';')?,
        }
    }
}

/// A token or a quoted string (RFC 9110 section 5.6.4), and what is behind it. Browsers write `%22` for `"` and no
/// backslashes; a backslash escapes only `"` and itself, so that the names of Windows files come through.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let (token, rest) = text.split_at_checked(end)?;
        return (!token.is_empty() && !token.contains('"')).then(|| (token.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, next)) => value.push(next),
                None => value.push('\\'),
            },
            _ => value.push(char),
        }
    }
    None
}

/// The object that the parts are.
fn tree<'t>(parts: &'t [Part], fields: &[Wire], depth: usize) -> Tree<'t> {
    let mut entries = Vec::with_capacity(fields.len());
    for field in fields {
        let own: Vec<&Part> = parts.iter().filter(|part| part.name == field.name).collect();
        let many = matches!(field.kind, Kind::List | Kind::JsonList | Kind::Files);
        let value = match own.as_slice() {
            [] => continue,
            [one] if !many => value(one, field, depth),
            all if many || field.kind == Kind::Either => {
                Tree::List(all.iter().map(|part| value(part, field, depth)).collect())
            }
            _ => Tree::Wrong(TWICE),
        };
        entries.push(Entry { name: Cow::Borrowed(field.name), value, repeated: false });
    }
    // What is not declared: the type that it is read into says what becomes of it.
    for part in parts.iter().filter(|part| fields.iter().all(|field| field.name != part.name)) {
        let value = as_it_says(part, depth);
        match entries.iter_mut().find(|entry: &&mut Entry<'_>| entry.name == part.name) {
            None => entries.push(Entry { name: Cow::Borrowed(&part.name), value, repeated: false }),
            Some(Entry { value: Tree::List(items), .. }) => items.push(value),
            Some(entry) => {
                let one = std::mem::replace(&mut entry.value, Tree::Null);
                entry.value = Tree::List(vec![one, value]);
            }
        }
    }
    Tree::Object(entries)
}

/// By what the part says of itself.
fn as_it_says(part: &Part, depth: usize) -> Tree<'_> {
    let json = ["application/json", "application/*+json"];
    let is_json = part.file.content_type().is_some_and(|sent| media_type::accepts(&json, sent).is_some());
    match part.file.text() {
        Some(text) if is_json => parse_tree(text, depth).unwrap_or(Tree::Wrong(NO_JSON)),
        Some(text) if part.file.file_name.is_none() => Tree::Plain(Cow::Borrowed(text)),
        _ => Tree::File(&part.file),
    }
}

const TWICE: Expected = Expected { rule: "duplicate", message: Cow::Borrowed("must not come twice") };
const TYPE: Expected =
    Expected { rule: "contentType", message: Cow::Borrowed("must be of a media type that is declared") };
const NO_TEXT: Expected = Expected { rule: "encoding", message: Cow::Borrowed("must be text in UTF-8") };

fn value<'t>(part: &'t Part, field: &Wire, depth: usize) -> Tree<'t> {
    if !fits(part, field) {
        return Tree::Wrong(TYPE);
    }
    match field.kind {
        Kind::File | Kind::Files => return Tree::File(&part.file),
        Kind::Either => return as_it_says(part, depth),
        _ => {}
    }
    let Some(text) = part.file.text() else { return Tree::Wrong(NO_TEXT) };
    match field.kind {
        Kind::Json | Kind::JsonList => parse_tree(text, depth).unwrap_or(Tree::Wrong(NO_JSON)),
        _ => Tree::Plain(Cow::Borrowed(text)),
    }
}

/// Rule 4. Without one it is `text/plain` (RFC 7578 section 4.4), which JSON is as well.
fn fits(part: &Part, field: &Wire) -> bool {
    let usual: &[&str] = match field.kind {
        Kind::File | Kind::Files | Kind::Either => &["*/*"],
        Kind::Json | Kind::JsonList => &["application/json", "application/*+json", "text/plain"],
        _ => &["text/plain"],
    };
    let declared = if field.types.is_empty() { usual } else { field.types };
    match part.file.content_type() {
        Some(sent) => media_type::accepts(declared, sent).is_some(),
        None => !matches!(field.kind, Kind::File | Kind::Files) || field.types.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::Part as Share;
    use super::*;

    const TYPE_LINE: &str = "multipart/form-data; boundary=XX";
    const FIELDS: &[Wire] = &[
        Wire::text("share").kind(Kind::Scalar),
        Wire::text("inner").kind(Kind::Json),
        Wire::text("extra").kind(Kind::File).types(&["image/*", "text/plain"]),
    ];

    fn read(body: &str) -> Result<Share, Refused> {
        multipart(&Bytes::copy_from_slice(body.as_bytes()), TYPE_LINE, FIELDS, 8, |_, _, _| {})
    }

    fn one(head: &str, content: &str) -> String {
        format!("--XX\r\n{head}\r\n\r\n{content}\r\n")
    }

    fn named(name: &str, content: &str) -> String {
        one(&format!("Content-Disposition: form-data; name=\"{name}\""), content)
    }

    #[test]
    fn parts_become_members() {
        let body = format!("{}{}--XX--\r\n", named("share", "5"), named("inner", r#"{"share":1}"#));
        let share = read(&body).unwrap();
        assert_eq!((share.share, share.inner.map(|inner| inner.share)), (5, Some(1)));
        assert!(read(&format!("{}--XX--", named("share", "5"))).is_ok(), "without the last line end");
    }

    #[test]
    fn files_keep_their_bytes_and_their_name() {
        let head =
            "content-disposition: form-data; name=file; filename=\"a\\\"b.png\"\r\nContent-Type: image/png";
        let bytes = Bytes::copy_from_slice(format!("{}--XX--", one(head, "\r\n-\u{0}-X")).as_bytes());
        let parts = parts(&bytes, "XX").unwrap();
        let file = &parts[0].file;
        assert_eq!(&file.bytes()[..], b"\r\n-\0-X");
        assert_eq!((file.file_name(), file.content_type()), (Some("a\"b.png"), Some("image/png")));
    }

    #[test]
    fn empty_parts_and_no_parts() {
        let bytes = Bytes::copy_from_slice(format!("{}--XX--", named("a", "")).as_bytes());
        assert!(parts(&bytes, "XX").unwrap()[0].file.bytes().is_empty());
        assert_eq!(parts(&Bytes::from_static(b"--XX--"), "XX").map(|parts| parts.len()), Some(0));
    }

    #[test]
    fn what_two_readers_could_cut_differently_is_refused() {
        let good = named("share", "5");
        for body in [
            String::new(),
            good.clone(),
            format!("x{good}--XX--"),
            format!("\r\n{good}--XX--"),
            format!("{good}--XX-- "),
            format!("{good}--XX--\r\nx"),
            format!("{good}--XX"),
            good.replace("--XX\r\n", "--XX \r\n") + "--XX--",
            good.replace("\r\n", "\n") + "--XX--",
            format!("{}--XX--", one("Content-Type: text/plain", "5")),
            format!("{}--XX--", one("Content-Disposition: attachment; name=\"a\"", "5")),
            format!("{}--XX--", one("Content-Disposition: form-data; filename=\"a\"", "5")),
            format!("{}--XX--", one("Content-Disposition: form-data; name=\"a\"; name=\"b\"", "5")),
            format!("{}--XX--", one("Content-Disposition: form-data; name=\"a", "5")),
            format!(
                "{}--XX--",
                one("Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64", "5")
            ),
            format!(
                "{}--XX--",
                one(&format!("Content-Disposition: form-data; name=\"{}\"", "a".repeat(5000)), "5")
            ),
            format!("{}--XX--", named("a", "5").repeat(257)),
        ] {
            assert_eq!(read(&body), Err(Refused::Syntax), "{body:?}");
        }
    }

    #[test]
    fn violations_name_the_member() {
        let faults = |body: String| match read(&format!("{body}--XX--")) {
            Err(Refused::Invalid(found)) => {
                found.iter().map(|v| format!("{} {}", v.pointer, v.rule)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(faults(String::new()), ["/share required"]);
        assert_eq!(faults(named("share", "5").repeat(2)), ["/share duplicate"]);
        let typed = "Content-Disposition: form-data; name=\"share\"\r\nContent-Type: image/png";
        assert_eq!(faults(one(typed, "5")), ["/share contentType"]);
        assert_eq!(faults(named("share", "x") + &named("inner", "{")), ["/share type", "/inner type"]);
    }

    #[test]
    fn boundaries() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("multipart/form-data; charset=utf-8; Boundary=\"a b:c\"", Some("a b:c")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a \"", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
        ] {
            assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
        }
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "a".repeat(71))), None);
    }
}
