//! What the document says of parts, and whether one is what it says.

use super::super::{Kind, Wire};
use super::Places;
use super::head::Head;
use crate::input::media_type;

/// What the document says of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// Of each by its name.
    Named(&'static [Wire]),
    /// Of all of them.
    InOrder(&'static Wire),
    /// Of each by its place.
    ByPlace(Places),
}

impl Declared {
    pub(super) const fn is_named(self) -> bool {
        matches!(self, Self::Named(_))
    }

    pub(super) fn of(self, name: &str, at: usize) -> Option<&'static Wire> {
        match self {
            Self::Named(fields) => fields.iter().find(|field| field.name == name),
            Self::InOrder(item) => Some(item),
            Self::ByPlace(places) => places.of(at),
        }
    }
}

/// Whether a part is kept as a file: it is declared as one, or nothing is declared and it says that it is.
pub(super) fn is_file(head: &Head, field: Option<&Wire>) -> bool {
    match field.map(|field| field.kind) {
        Some(Kind::File | Kind::Files) => true,
        None | Some(Kind::Either) => head.file_name.is_some() && !is_json(head.content_type.as_deref()),
        Some(_) => false,
    }
}

pub(super) fn is_json(content_type: Option<&str>) -> bool {
    let json = ["application/json", "application/*+json"];
    content_type.is_some_and(|sent| media_type::accepts(&json, sent).is_some())
}

/// Rule 4 of the [reader](super). Without a media type it is `text/plain` (RFC 7578 section 4.4), which JSON is as well.
pub(super) fn fits(head: &Head, field: Option<&Wire>) -> bool {
    let Some(field) = field else { return true };
    let usual: &[&str] = match field.kind {
        Kind::File | Kind::Files | Kind::Either => &["*/*"],
        Kind::Parts(_) => &["multipart/*"],
        Kind::Json | Kind::JsonList => &["application/json", "application/*+json", "text/plain"],
        _ => &["text/plain"],
    };
    let declared = if field.types.is_empty() { usual } else { field.types };
    match &head.content_type {
        Some(sent) => {
            let range = media_type::accepts(declared, sent).and_then(|which| declared.get(which));
            // a range lets any parameter come, and what is no file is read as UTF-8
            let is_file = matches!(field.kind, Kind::File | Kind::Files);
            range.is_some_and(|range| is_file || media_type::is_readable(range, sent))
        }
        None => !matches!(field.kind, Kind::File | Kind::Files) || field.types.is_empty(),
    }
}
