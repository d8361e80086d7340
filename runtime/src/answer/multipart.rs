//! `multipart/form-data` (RFC 7578) and the other types of RFC 2046 whose parts have names: a part for each member, written
//! so that whoever reads it by the same document reads the same value.
//!
//! 1. A part is named by `Content-Disposition: form-data; name=".."`, which any part may have (RFC 2183 section 2). `"` in a
//!    name is `%22` (the HTML standard, section 4.10.22.7); a name with a backslash, `%22` or a control character, of which
//!    readers make different names, is not written.
//! 2. A file is a part of the media type that it says, which must be a declared one, and has a file name: without one it
//!    would be text to browsers.
//! 3. An item of a list is a part of its own; of a body that is a list, or whose members have places, the parts have no names. `null` and a list without
//!    items are not written, but where parts are JSON.
//! 4. What the document says nothing of is text where it is a string, and JSON otherwise. A list or an object that has a style
//!    is one text.
//! 5. The header fields that the document declares of a part stand behind these: see `part_headers`.
//! 6. The boundary is 128 random bits. Nobody who does not know them makes a content in which they stand, so contents are
//!    not searched for them (RFC 2046 section 5.1.1).

use std::io;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::io::AsyncReadExt;

use super::members::{Member, Value, members, scalar};
use super::part_headers::{Heads, PartHeaders};
use super::{Unfit, conforms};
use crate::input::{
    Check, Kind, MediaType, Parts, Places, Rule, Tree, Upload, Wire, accepts, delimiter, is_json, parse_tree,
};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// Read from a file at a time.
const CHUNK: usize = 64 * 1024;

/// A multipart body: what stands in it, one after the other.
pub(super) struct Multipart {
    boundary: String,
    pieces: Vec<Piece>,
    /// The header fields of the parts that come next.
    heads: Heads,
    /// How many there are.
    parts: usize,
}

enum Piece {
    Text(BytesMut),
    /// A file on disk.
    File(Upload),
}

/// The body that an object is, whose parts have names.
pub(super) fn written<T: Serialize + Check>(
    value: &T,
    fields: &[Wire],
    rule: Rule<T>,
) -> Result<Multipart, Unfit> {
    named(value, PartHeaders::default(), fields, rule)
}

/// The same with the header fields of its parts.
pub(super) fn with_headers<T: Serialize + Check, H: Serialize + Check>(
    parts: &Parts<T, H>,
    fields: &[Wire],
    rule: Rule<T>,
) -> Result<Multipart, Unfit> {
    named(&parts.form, PartHeaders::named(&parts.headers, fields)?, fields, rule)
}

fn named<T: Serialize + Check>(
    value: &T,
    mut headers: PartHeaders<'_>,
    fields: &[Wire],
    rule: Rule<T>,
) -> Result<Multipart, Unfit> {
    conforms(value, rule)?;
    let mut body = Multipart::new()?;
    for member in members(value, true)? {
        let field = fields.iter().find(|field| field.name == member.name);
        body.heads = field.map(|field| headers.take(field)).unwrap_or_default();
        body.member(&member, field).ok_or_else(|| member.unwritable())?;
        std::mem::take(&mut body.heads).end(field.map_or("", |field| field.name))?;
    }
    headers.end()?;
    Ok(body.end())
}

/// The body that a list is, a part for each item.
pub(super) fn in_order<T: Serialize + Check>(
    list: &Vec<T>,
    item: &Wire,
    rule: Rule<Vec<T>>,
) -> Result<Multipart, Unfit> {
    items(list, Heads::default(), item, rule)
}

/// The same with the header fields of each.
pub(super) fn in_order_with_headers<T: Serialize + Check, H: Serialize + Check>(
    parts: &Parts<Vec<T>, Vec<H>>,
    item: &Wire,
    rule: Rule<Vec<T>>,
) -> Result<Multipart, Unfit> {
    items(&parts.form, Heads::in_order(&parts.headers, item)?, item, rule)
}

fn items<T: Serialize + Check>(
    list: &Vec<T>,
    heads: Heads,
    item: &Wire,
    rule: Rule<Vec<T>>,
) -> Result<Multipart, Unfit> {
    conforms(list, rule)?;
    let mut body = Multipart { heads, ..Multipart::new()? };
    for value in list {
        let written = match value.files().first() {
            Some(file) => body.file(None, file, item.types),
            None => {
                let json = serde_json::to_string(value).map_err(Unfit::Unserializable)?;
                // a part that is left out would move all others
                Some(json)
                    .filter(|json| json != "null" || item.kind == Kind::Json)
                    .and_then(|json| body.json(None, &json, Some(item), item.types))
            }
        };
        written.ok_or(Unfit::Member("of a list"))?;
    }
    std::mem::take(&mut body.heads).end("of a list")?;
    Ok(body.end())
}

/// The body that an object is whose members have places.
pub(super) fn by_place<T: Serialize + Check>(
    value: &T,
    places: Places,
    rule: Rule<T>,
) -> Result<Multipart, Unfit> {
    placed(value, PartHeaders::default(), places, rule)
}

/// The same with the header fields of its parts.
pub(super) fn by_place_with_headers<T: Serialize + Check, H: Serialize + Check>(
    parts: &Parts<T, H>,
    places: Places,
    rule: Rule<T>,
) -> Result<Multipart, Unfit> {
    placed(&parts.form, PartHeaders::named(&parts.headers, places.fields)?, places, rule)
}

fn placed<T: Serialize + Check>(
    value: &T,
    mut headers: PartHeaders<'_>,
    places: Places,
    rule: Rule<T>,
) -> Result<Multipart, Unfit> {
    conforms(value, rule)?;
    let mut body = Multipart::new()?;
    for member in members(value, true)? {
        let named = |(_, field): &(usize, &Wire)| field.name == member.name;
        let found = places.fields.iter().enumerate().find(named);
        let (at, field) = found.ok_or_else(|| member.unwritable())?;
        let before = body.parts;
        body.heads = headers.take(field);
        body.at_place(&member.value, field, at >= places.first()).ok_or_else(|| member.unwritable())?;
        std::mem::take(&mut body.heads).end(field.name)?;
        // one that is left out moves all behind it
        if body.parts > before && before != at {
            return Err(member.unwritable());
        }
    }
    headers.end()?;
    Ok(body.end())
}

impl Multipart {
    fn new() -> Result<Self, Unfit> {
        let mut random = [0; 16];
        crate::random::fill(&mut random).map_err(|_| Unfit::NoRandom)?;
        Ok(Self {
            boundary: format!("{:032x}", u128::from_be_bytes(random)),
            pieces: Vec::new(),
            heads: Heads::default(),
            parts: 0,
        })
    }

    fn end(mut self) -> Self {
        let end = format!("--{}--\r\n", self.boundary);
        self.push(&[end.as_bytes()]);
        self
    }

    /// The media type, which says the boundary.
    pub(super) fn content_type(&self, media_type: &str) -> String {
        format!("{media_type}; boundary={}", self.boundary)
    }

    /// As it leaves: a file on disk is read while it does.
    pub(super) fn into_body(self) -> Body {
        match <[Piece; 1]>::try_from(self.pieces) {
            Ok([Piece::Text(all)]) => all.freeze().into(),
            Ok(one) => Body::from_stream(stream::iter(one).flat_map(Piece::chunks)),
            Err(pieces) => Body::from_stream(stream::iter(pieces).flat_map(Piece::chunks)),
        }
    }

    /// As bytes. A file on disk is not read into memory by the way.
    pub(super) fn into_bytes(self) -> Result<Bytes, Unfit> {
        let pieces = self.pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text),
            Piece::File(_) => Err(Unfit::OnDisk),
        });
        let pieces: Vec<BytesMut> = pieces.collect::<Result<_, _>>()?;
        Ok(pieces
            .into_iter()
            .reduce(|mut all, piece| {
                all.extend_from_slice(&piece);
                all
            })
            .unwrap_or_default()
            .freeze())
    }

    fn push(&mut self, texts: &[&[u8]]) {
        if !matches!(self.pieces.last(), Some(Piece::Text(_))) {
            self.pieces.push(Piece::Text(BytesMut::new()));
        }
        if let Some(Piece::Text(end)) = self.pieces.last_mut() {
            texts.iter().for_each(|text| end.extend_from_slice(text));
        }
    }

    /// `None`: it has no form.
    fn member(&mut self, member: &Member, field: Option<&Wire>) -> Option<()> {
        let name = name(&member.name)?;
        let types = field.map(|field| field.types).unwrap_or_default();
        match &member.value {
            Value::Files(files) => files.iter().try_for_each(|file| self.file(Some(&name), file, types)),
            Value::Json(json) => self.json(Some(&name), json, field, types),
        }
    }

    /// The part of a place, or those behind all places. `None`: it has no form.
    fn at_place(&mut self, value: &Value, field: &Wire, is_rest: bool) -> Option<()> {
        match value {
            Value::Files(files) => files.iter().try_for_each(|file| self.file(None, file, field.types)),
            Value::Json(json) if is_rest => {
                let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
                let item = field.kind(match field.kind {
                    Kind::List => Kind::Scalar,
                    Kind::JsonList => Kind::Json,
                    kind => kind,
                });
                items.iter().try_for_each(|one| {
                    let before = self.parts;
                    self.json(None, one.get(), Some(&item), item.types)?;
                    (self.parts > before).then_some(())
                })
            }
            Value::Json(json) => self.json(None, json, Some(field), field.types),
        }
    }

    fn json(&mut self, name: Option<&str>, json: &str, field: Option<&Wire>, types: &[&str]) -> Option<()> {
        match field.map(|field| field.kind) {
            Some(Kind::Json) => self.part(name, media_type(types, JSON)?, json),
            Some(Kind::JsonList) => {
                let items: Option<Vec<&RawValue>> = serde_json::from_str(json).ok()?;
                items
                    .iter()
                    .flatten()
                    .try_for_each(|item| self.part(name, media_type(types, JSON)?, item.get()))
            }
            None | Some(Kind::Either) => match parse_tree(json, usize::MAX)? {
                Tree::Text(text) => self.part(name, media_type(types, TEXT)?, &text),
                _ => self.part(name, media_type(types, JSON).filter(|said| is_json(said))?, json),
            },
            Some(kind) => match parse_tree(json, usize::MAX)? {
                Tree::Null => Some(()),
                // those that are there are no JSON
                Tree::List(files) if kind == Kind::Files && files.is_empty() => Some(()),
                Tree::List(items) if kind == Kind::List && !field.is_some_and(Wire::has_many) => {
                    let pieces: Option<Vec<String>> = items.iter().map(scalar).collect();
                    self.part(name, TEXT, &joined(&pieces?, field?)?)
                }
                Tree::Object(members) if matches!(kind, Kind::Object(..)) => {
                    let pieces = members.iter().map(|one| Some([one.name.to_string(), scalar(&one.value)?]));
                    let pieces: Vec<String> = pieces.collect::<Option<Vec<_>>>()?.concat();
                    self.part(name, TEXT, &joined(&pieces, field?)?)
                }
                Tree::List(items) if kind == Kind::List => items
                    .iter()
                    .try_for_each(|item| self.part(name, media_type(types, TEXT)?, &scalar(item)?)),
                value => self.part(name, media_type(types, TEXT)?, &scalar(&value)?),
            },
        }
    }

    fn part(&mut self, name: Option<&str>, media_type: &str, content: &str) -> Option<()> {
        self.head(name, None, media_type);
        self.push(&[content.as_bytes(), b"\r\n"]);
        Some(())
    }

    fn file(&mut self, name: Option<&str>, file: &Upload, types: &[&str]) -> Option<()> {
        let said = match file.content_type() {
            Some(said) => Some(said).filter(|said| fits(types, said))?,
            None => media_type(types, "application/octet-stream")?,
        };
        self.head(name, Some(&escaped(file.file_name().unwrap_or("file"))), said);
        match file.in_memory() {
            Some(bytes) => self.push(&[bytes]),
            None => self.pieces.push(Piece::File(file.clone())),
        }
        self.push(&[b"\r\n"]);
        Some(())
    }

    fn head(&mut self, name: Option<&str>, file_name: Option<&str>, media_type: &str) {
        let file_name = file_name.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let disposition = match name {
            Some(name) => format!("Content-Disposition: form-data; name=\"{name}\"{file_name}\r\n"),
            None if file_name.is_empty() => String::new(),
            None => format!("Content-Disposition: attachment{file_name}\r\n"),
        };
        self.parts += 1;
        let more = self.heads.next().unwrap_or_default();
        let head = format!("--{}\r\n{disposition}Content-Type: {media_type}\r\n{more}\r\n", self.boundary);
        self.push(&[head.as_bytes()]);
    }
}

impl Piece {
    fn chunks(self) -> stream::BoxStream<'static, io::Result<Bytes>> {
        match self {
            Self::Text(text) => stream::once(async { Ok(text.freeze()) }).boxed(),
            Self::File(file) => stream::try_unfold(file.reader(), async |mut reader| {
                let mut chunk = BytesMut::with_capacity(CHUNK);
                let read = reader.read_buf(&mut chunk).await?;
                Ok((read > 0).then(|| (chunk.freeze(), reader)))
            })
            .inspect_err(cut_off)
            .boxed(),
        }
    }
}

/// The status has left already: the log is told, and the connection ends.
fn cut_off(error: &io::Error) {
    tracing::error!(target: "palisade", event = "sys_answer_unread", %error, "a file of an answer cannot be read");
}

/// Rule 4. Nothing in a part is escaped, so a piece has no delimiter in it; one empty text would be read as no piece.
fn joined(pieces: &[String], field: &Wire) -> Option<String> {
    let between = delimiter(field.style);
    let sound = pieces != [""] && !pieces.iter().any(|piece| piece.contains(between));
    sound.then(|| pieces.join(between.encode_utf8(&mut [0; 4])))
}

/// Rule 1.
fn name(name: &str) -> Option<String> {
    let unclear = name.contains('\\') || name.contains("%22") || name.chars().any(char::is_control);
    (!unclear).then(|| name.replace('"', "%22"))
}

/// The name of a file, in quotes.
fn escaped(name: &str) -> String {
    let letters = name.chars().filter(|letter| !letter.is_control());
    letters.collect::<String>().replace('"', "%22")
}

/// The first type that is declared and no range, or the usual one if it is declared.
fn media_type<'t>(types: &[&'t str], usual: &'t str) -> Option<&'t str> {
    let first = types.iter().find(|declared| !declared.contains('*')).copied();
    first.or_else(|| Some(usual).filter(|usual| fits(types, usual)))
}

fn fits(types: &[&str], said: &str) -> bool {
    MediaType::read(said).is_some() && (types.is_empty() || accepts(types, said).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who guesses the boundary writes parts.
    #[test]
    fn no_form_has_a_boundary_without_random_bytes() {
        let _failing = crate::random::failing::begin();
        assert!(matches!(Multipart::new(), Err(Unfit::NoRandom)));
    }
}
