//! Keys of `content` that are ranges: what each of them stands for beside the others.
//!
//! 1. Only the most specific key applies (OpenAPI 3.1 section 4.8.13): a range stands for what no other key describes.
//! 2. A schema that looks into JSON lets JSON alone be read, of whatever range.
//! 3. What is left out because its schema cannot be enforced is not taken by a range instead.

use super::Builder;
use super::direction::Direction;
use super::family::parts;
use crate::document::{Media, MediaType};
use crate::finding::{Code, Finding};
use crate::model::{Content, ContentForm};

impl Builder<'_> {
    /// Remarks on a range of a request of which the schema lets only a part be read. Rule 2.
    pub(super) fn narrows(&mut self, one: &Media, content: &Content, direction: Direction) {
        let name = &one.name.value;
        let is_json = content.form == ContentForm::Json && direction == Direction::Request;
        if !is_json || !is_of_any_type(name) {
            return;
        }
        let message = format!("of `{name}` only JSON is read: nothing else is read by this schema");
        let finding = Finding::warning(Code::MediaType, message, one.name.place);
        self.findings
            .push(finding.help("the server answers 415 to other media types: name those that are meant"));
    }
}

/// Those of the media types of a key that no more specific key declares. Rule 1.
pub(super) fn own_of(key: &str, mut media_types: Vec<String>, declared: &[Media]) -> Vec<String> {
    let range = MediaType::read(key);
    let others: Vec<_> = declared.iter().map(|other| MediaType::read(&other.name.value)).collect();
    let specific = others.iter().filter(|other| other.says_more_than(&range));
    media_types.retain(|name| {
        let name = MediaType::read(name);
        !specific.clone().any(|other| other.takes(&name))
    });
    media_types
}

/// The media types that are compared with a request, or sent. A range of JSON takes the JSON types in it; an answer has
/// one of them, and of bytes the handler says which. `None`: it has a type that the range does not say, or one that another
/// key describes.
pub(super) fn spelled(
    name: &str,
    form: &ContentForm,
    direction: Direction,
    declared: &[Media],
) -> Option<Vec<String>> {
    let (kind, subtype) = parts(name);
    let range = kind == "*" || subtype.starts_with('*');
    let words: &[&str] = match (form, direction) {
        _ if !range => return Some(vec![name.to_owned()]),
        (ContentForm::Json, Direction::Answer) => &["application/json"],
        (ContentForm::Json, Direction::Request) => match (kind.as_str(), subtype.as_str()) {
            ("*", _) => &["application/json", "application/*+json", "text/json"],
            (_, "*") => &["application/json", "application/*+json"],
            _ => &["application/*+json"],
        },
        (ContentForm::Text, Direction::Answer) if kind == "text" => &["text/plain"],
        (_, Direction::Answer) if kind == "*" || (kind == "application" && subtype == "*") => {
            &["application/octet-stream"]
        }
        (ContentForm::Bytes, Direction::Answer) => {
            let range = MediaType::read(name);
            let others = declared.iter().map(|other| MediaType::read(&other.name.value));
            let alone = !others.into_iter().any(|other| other.says_more_than(&range));
            return alone.then(|| vec![name.to_owned()]);
        }
        (_, Direction::Answer) => return None,
        (_, Direction::Request | Direction::Patch | Direction::Either) => return Some(vec![name.to_owned()]),
    };
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

/// The keys that were left out and that a range takes. Rule 3.
pub(super) fn refused(written: &[Media], contents: &[Content]) -> Vec<String> {
    let read = |name: &String| MediaType::read(name);
    let taken: Vec<_> = contents.iter().flat_map(|content| &content.media_types).map(read).collect();
    let is_left_out = |name: &MediaType| {
        !taken.contains(name) && taken.iter().any(|range| name.says_more_than(range) && range.takes(name))
    };
    let names = written.iter().map(|one| &one.name.value);
    names.filter(|name| is_left_out(&read(name))).cloned().collect()
}

/// Whether it is a range of JSON and what is none.
pub(super) fn is_of_any_type(media_type: &str) -> bool {
    let (kind, subtype) = parts(media_type);
    matches!(kind.as_str(), "*" | "application") && subtype == "*"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        use ContentForm::{Bytes, Json, Text};
        let both = ["application/json", "application/*+json"].as_slice();
        for (name, form, direction, expected) in [
            ("application/*", Json, Direction::Request, Some(both)),
            ("*/*", Json, Direction::Answer, Some(["application/json"].as_slice())),
            ("application/hal+json", Json, Direction::Answer, Some(&["application/hal+json"])),
            ("image/*", Bytes, Direction::Request, Some(&["image/*"])),
            ("*/*", Bytes, Direction::Answer, Some(&["application/octet-stream"])),
            ("text/*", Text, Direction::Answer, Some(&["text/plain"])),
            ("image/*", Bytes, Direction::Answer, Some(&["image/*"])),
            ("image/*", Json, Direction::Answer, Some(&["application/json"])),
            ("text/*", ContentForm::Form(Vec::new()), Direction::Answer, None),
        ] {
            let expected = expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
            assert_eq!(spelled(name, &form, direction, &[]), expected, "{name}");
        }
    }
}
