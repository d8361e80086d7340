//! `content`: which media types are read and written how, and what is left out because it could not be enforced.

use super::Builder;
use super::direction::Direction;
use super::event::framing;
use super::files::file;
use super::left_out::LeftOut;
use super::literal::literal;
use super::places::{REST, form_of_places};
use super::range::{is_of_any_type, own_of, spelled};
use super::stream::{is_list, is_list_of_one};
use super::types::with;
use super::wire::Flat;
use crate::document::Media;
use crate::finding::{Code, Finding};
use crate::model::{Array, Content, ContentForm, Counts, Framing, Schema, Text, Type};

/// What a media type is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Json,
    Form,
    Multipart,
    /// Parts of a list; with names where the schema is an object, and bytes where it does not look into them.
    Parts,
    /// Parts that are told by their places.
    Places,
    Stream(Framing),
    /// The same of a request, which is read whole.
    Records(Framing),
    Text,
    Bytes,
}

impl Builder<'_> {
    /// `None` after a finding; empty where there is no content.
    pub(super) fn contents(
        &mut self,
        media: &[Media],
        path: &[String],
        direction: Direction,
    ) -> Option<Vec<Content>> {
        let mut contents: Vec<Content> = Vec::new();
        let mut left_out = Vec::new();
        let mut given_way = Vec::new();
        for one in media {
            let family = self.family_of(one, direction);
            if matches!(family, Family::Stream(Framing::Data) | Family::Records(Framing::Data)) {
                self.formats_of_data(one);
            }
            let own = if contents.is_empty() { path.to_vec() } else { with(path, word(family)) };
            one.schema.into_iter().chain(one.item_schema).try_for_each(|id| self.goes_this_way(id))?;
            let named = (family == Family::Places).then(|| self.with_names(one));
            let written = named.as_ref().unwrap_or(one);
            let formed = self.formed(one, written, family, direction, &own)?;
            let spelled = formed.and_then(|(form, schema)| {
                let media_types = spelled(&one.name.value, &form, direction, media).ok_or(LeftOut::Range)?;
                Ok((own_of(&one.name.value, media_types, media), form, schema))
            });
            match spelled {
                Ok((media_types, mut form, schema)) => {
                    self.files_are_no_text(one, &form)?;
                    let part_headers = match &mut form {
                        ContentForm::Multipart(fields) => self.part_headers(written, fields, None, &own)?,
                        ContentForm::Places { fields, rest } => {
                            self.part_headers(written, fields, rest.then_some(REST), &own)?
                        }
                        ContentForm::Parts(item) => self.headers_in_order(one, item, &own)?,
                        _ => None,
                    };
                    let examples = written.examples.iter().map(literal).collect();
                    let content = Content { media_types, form, schema, part_headers, examples };
                    if content.media_types.is_empty() {
                        given_way.push((one, content));
                        continue;
                    }
                    self.undescribed(one, &content);
                    self.narrows(one, &content, direction);
                    add(&mut contents, content, direction);
                }
                Err(why) => left_out.push((one, why)),
            }
        }
        // JSON of an answer that another key says as well is not lost
        let is_said = |content: &Content| {
            let is_json = content.form == ContentForm::Json && direction == Direction::Answer;
            is_json && contents.iter().any(|known| carries_the_same(known, content))
        };
        given_way.retain(|(_, content)| !is_said(content));
        left_out.extend(given_way.into_iter().map(|(one, _)| (one, LeftOut::SaidBetter)));
        let alone = contents.is_empty();
        for (one, why) in left_out {
            self.left_out(one, why, direction, alone);
        }
        (media.is_empty() || !contents.is_empty()).then_some(contents)
    }

    /// What a media type carries, and how. `written` names its parts where they have places. `None` after a finding; `Err` for
    /// what cannot be enforced.
    pub(super) fn formed(
        &mut self,
        one: &Media,
        written: &Media,
        family: Family,
        direction: Direction,
        own: &[String],
    ) -> Option<Result<(ContentForm, Schema), LeftOut>> {
        let placed = match family {
            Family::Places => self.places(one, own)?,
            _ => Ok(self.directed(one, direction, |builder| builder.media_schema(one, family, own))?),
        };
        self.finish_inline();
        let schema = match placed {
            Ok(schema) => schema,
            Err(why) => return Some(Err(why)),
        };
        let family = self.settled(family, &schema, direction);
        self.order_is_told(one, family)?;
        let schema = match family {
            Family::Multipart => {
                let inner = self.members_in_parts(one, &schema, own)?;
                self.with_files(one, schema, own, &inner)
            }
            _ => schema,
        };
        self.form(written, family, schema, own)
    }

    /// Events of a request are those whose items are described; otherwise they are a text.
    pub(super) fn family_of(&self, one: &Media, direction: Direction) -> Family {
        let family = family(&one.name.value, direction);
        let (kind, subtype) = parts(&one.name.value);
        let events = family == Family::Text && (kind.as_str(), subtype.as_str()) == ("text", "event-stream");
        let is_list = |id| is_list_of_one(self.document, id);
        let are_described = one.item_schema.is_some() || one.schema.is_some_and(is_list);
        match family {
            _ if events && are_described => Family::Records(Framing::Data),
            Family::Parts if self.is_by_place(one) => Family::Places,
            _ => family,
        }
    }

    /// Remarks on JSON of which nothing is said.
    fn undescribed(&mut self, one: &Media, content: &Content) {
        if content.form != ContentForm::Json || one.schema.is_some() || one.item_schema.is_some() {
            return;
        }
        let message = match one.name.value.contains('*') {
            true => format!(
                "nothing is declared of `{}`: any JSON is let through, and nothing else",
                one.name.value
            ),
            false => "nothing is declared of this content, so everything is let through".to_owned(),
        };
        let finding = Finding::warning(Code::Untyped, message, one.name.place);
        self.findings.push(finding.help("describe it with a `schema`"));
    }

    /// Of a merge patch, what is absent stays as it is (RFC 7396 section 1), whatever the method.
    fn directed<T>(&mut self, one: &Media, direction: Direction, build: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.direction;
        if direction == Direction::Request && parts(&one.name.value).1 == "merge-patch+json" {
            self.direction = Direction::Patch;
        }
        let built = build(self);
        self.direction = before;
        built
    }

    fn media_schema(&mut self, one: &Media, family: Family, path: &[String]) -> Option<Schema> {
        if let Some(item) = one.item_schema {
            match family {
                Family::Stream(_) => return self.item_schema(one, item, path),
                Family::Records(_) | Family::Parts => {
                    return self.item_schema(one, item, path).map(list_of);
                }
                _ => {}
            }
            // OpenAPI 3.2 section 4.14.3
            let message = format!("`itemSchema` of `{}`, which is read whole", one.name.value);
            let finding = Finding::error(Code::MediaType, message, self.document.schema(item).place);
            let help = "streams are of `application/jsonl`, `application/json-seq`, `text/event-stream` and `multipart/mixed`";
            self.findings.push(finding.help(help));
            return None;
        }
        let Some(id) = one.schema else {
            return Some(Schema::of(match family {
                Family::Text | Family::Stream(Framing::Data) => Type::Text(Text::default()),
                _ => Type::Any,
            }));
        };
        match family {
            Family::Stream(_) => self.item_of(id, path),
            _ => self.schema(id, path, 0),
        }
    }

    /// What a media type is that the schema makes bytes of as well. Those of a request as a form never are.
    fn settled(&mut self, family: Family, schema: &Schema, direction: Direction) -> Family {
        self.finish_shapes();
        let answer = direction == Direction::Answer;
        match (family, self.bytes(schema)) {
            (Family::Parts, Some(_)) => Family::Bytes,
            (Family::Parts, None) if !matches!(self.flat(schema, 0), Flat::List(_)) => Family::Multipart,
            (Family::Form | Family::Multipart, Some(_)) if answer => Family::Bytes,
            (family, _) => family,
        }
    }

    /// How it is read or written. `None` after a finding; `Err` for what cannot be enforced.
    pub(super) fn form(
        &mut self,
        one: &Media,
        family: Family,
        schema: Schema,
        path: &[String],
    ) -> Option<Result<(ContentForm, Schema), LeftOut>> {
        self.finish_shapes();
        if family == Family::Json && !one.name.value.contains('*') {
            return Some(Ok((ContentForm::Json, schema)));
        }
        let flat = self.flat(&schema, 0);
        Some(Ok(match family {
            // a range of any type whose bytes are all that is said
            Family::Json if matches!(flat, Flat::File(_)) => {
                (ContentForm::Bytes, Schema::of(file(self.bytes(&schema).unwrap_or_default())))
            }
            Family::Json if self.direction != Direction::Answer && is_of_any_type(&one.name.value) => {
                match self.untyped(&schema).and_then(|_| self.raw(one, &schema)) {
                    Some(counts) => (ContentForm::Bytes, Schema::of(file(counts))),
                    None => (ContentForm::Json, schema),
                }
            }
            Family::Json => (ContentForm::Json, schema),
            Family::Parts => return self.in_order(one, schema, path),
            Family::Places => {
                let fields = self.fields(one, &flat, Family::Multipart)?;
                return Some(form_of_places(fields, &flat).map(|form| (form, schema)));
            }
            Family::Form | Family::Multipart => {
                // of a form that is not one object, every part is read as the schema then says of its text
                let free = match &flat {
                    Flat::Object(..) | Flat::Map(_) | Flat::Any => false,
                    Flat::Free(free) if free.may_be_object() => true,
                    _ => return Some(Err(self.form_of_no_object(one))),
                };
                let fields = self.fields(one, &flat, family)?;
                let form = match family {
                    Family::Form if free => ContentForm::FreeForm(fields),
                    Family::Form => ContentForm::Form(fields),
                    _ => ContentForm::Multipart(fields),
                };
                (form, schema)
            }
            // a text of any kind is one text, and not a list of them
            Family::Records(framing) if self.bytes(&schema).is_none() => {
                let is_whole = |id| is_list(self.document, id);
                let is_list = one.item_schema.is_some() || one.schema.is_some_and(is_whole);
                let schema = if is_list { schema } else { list_of(schema) };
                let events = framing == Framing::Data;
                let read = if events { self.events(one, &schema) } else { Some((framing, Some(true))) };
                let Some((framing, json)) = read else { return Some(Err(LeftOut::EventsByTheWhole)) };
                (ContentForm::Records { framing, json }, schema)
            }
            Family::Stream(Framing::Data) => (ContentForm::Stream(framing(self.document, one)), schema),
            Family::Stream(framing) => (ContentForm::Stream(framing), schema),
            Family::Text if matches!(flat, Flat::Scalar | Flat::Encoded) => (ContentForm::Text, schema),
            Family::Text if matches!(&flat, Flat::Free(free) if free.may_be_scalar()) => {
                (ContentForm::Text, schema)
            }
            Family::Text if flat == Flat::Any => (ContentForm::Text, Schema::of(Type::Text(Text::default()))),
            // a length in characters is one that bytes do not have
            Family::Bytes if is_xml(&one.name.value) && self.counts_characters(&schema) => {
                (ContentForm::Text, schema)
            }
            Family::Text | Family::Records(_) | Family::Bytes => match self.raw(one, &schema) {
                Some(counts) => (ContentForm::Bytes, Schema::of(file(counts))),
                None if family == Family::Text => return Some(Err(LeftOut::TextOfNoScalar)),
                None => return Some(Err(LeftOut::Unread)),
            },
        }))
    }
}

pub(super) fn list_of(items: Schema) -> Schema {
    Schema::of(Type::Array(Box::new(Array { items, counts: Counts::default(), unique: false })))
}

/// Media types of one form and one schema are one content, where what is carried means the same in each of them: a text in
/// HTML is another than one in CSV. Bytes of a request say themselves what they are.
fn add(contents: &mut Vec<Content>, one: Content, direction: Direction) {
    let means_the_same = match one.form {
        ContentForm::Text | ContentForm::Stream(_) => false,
        // what an answer is in parts says the boundary as well
        ContentForm::Bytes
        | ContentForm::Multipart(_)
        | ContentForm::Parts(_)
        | ContentForm::Places { .. } => direction != Direction::Answer,
        ContentForm::Json | ContentForm::Records { .. } | ContentForm::Form(_) | ContentForm::FreeForm(_) => {
            true
        }
    };
    match contents.iter_mut().find(|known| carries_the_same(known, &one)) {
        Some(known) if means_the_same => {
            for name in one.media_types {
                if !known.media_types.contains(&name) {
                    known.media_types.push(name);
                }
            }
            known.examples.extend(one.examples);
        }
        _ => contents.push(one),
    }
}

fn carries_the_same(one: &Content, other: &Content) -> bool {
    one.form == other.form && one.schema == other.schema && one.part_headers == other.part_headers
}

pub(super) fn family(name: &str, direction: Direction) -> Family {
    let (kind, subtype) = parts(name);
    let listed = |framing| match direction {
        Direction::Answer => Family::Stream(framing),
        _ => Family::Records(framing),
    };
    match (kind.as_str(), subtype.as_str()) {
        _ if is_json(name) => Family::Json,
        ("*" | "application", "*" | "*+json") => Family::Json,
        ("application", "x-www-form-urlencoded") => Family::Form,
        ("multipart", "form-data") => Family::Multipart,
        ("multipart", _) => Family::Parts,
        ("application", "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "jsonlines") => {
            listed(Framing::Line)
        }
        // RFC 7464 section 4.1, RFC 8091 section 3
        ("application", subtype) if is_sequence(subtype) => listed(Framing::Record),
        ("text", "event-stream") if direction == Direction::Answer => Family::Stream(Framing::Data),
        ("text", "xml") => Family::Bytes,
        ("text", subtype) if !subtype.ends_with("+xml") => Family::Text,
        _ => Family::Bytes,
    }
}

const fn word(family: Family) -> &'static str {
    match family {
        Family::Json => "json",
        Family::Form => "form",
        Family::Multipart | Family::Parts | Family::Places => "multipart",
        Family::Stream(framing) | Family::Records(framing) => match framing {
            Framing::Line | Framing::Record => "lines",
            Framing::Data | Framing::Event => "events",
        },
        Family::Text => "text",
        Family::Bytes => "bytes",
    }
}

fn is_sequence(subtype: &str) -> bool {
    subtype == "json-seq" || subtype.ends_with("+json-seq")
}

/// Parameters of the type, such as `charset`, are compared by the runtime.
pub(super) fn is_json(media_type: &str) -> bool {
    let (kind, subtype) = parts(media_type);
    let suffix = subtype.rsplit_once('+').map(|(before, suffix)| (before != "*", suffix));
    match suffix {
        Some((concrete, suffix)) => concrete && suffix == "json",
        None => matches!((kind.as_str(), subtype.as_str()), ("application" | "text", "json")),
    }
}

/// Whether it is text by its name.
pub(super) fn is_text(media_type: &str) -> bool {
    parts(media_type).0 == "text"
}

/// Text that is marked up: without a schema that looks into it, it is a text like any other.
pub(super) fn is_xml(media_type: &str) -> bool {
    let (_, subtype) = parts(media_type);
    subtype == "xml" || subtype.ends_with("+xml")
}

pub(super) fn parts(media_type: &str) -> (String, String) {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or((&essence, ""));
    (kind.to_owned(), subtype.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_that_are_json() {
        for json in
            ["application/json", "application/problem+json", "Application/JSON; charset=utf-8", "text/json"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in
            ["application/xml", "*/*", "application/json-seq", "application/jsonp", "application/*+json"]
        {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn families() {
        for (name, direction, expected) in [
            ("*/*", Direction::Request, Family::Json),
            ("application/*+json", Direction::Request, Family::Json),
            ("application/x-www-form-urlencoded", Direction::Request, Family::Form),
            ("multipart/form-data", Direction::Request, Family::Multipart),
            ("multipart/mixed", Direction::Request, Family::Parts),
            ("text/csv", Direction::Answer, Family::Text),
            ("text/xml", Direction::Answer, Family::Bytes),
            ("text/event-stream", Direction::Answer, Family::Stream(Framing::Data)),
            ("application/jsonl", Direction::Answer, Family::Stream(Framing::Line)),
            ("application/geo+json-seq", Direction::Answer, Family::Stream(Framing::Record)),
            ("application/json-seq", Direction::Request, Family::Records(Framing::Record)),
            ("application/x-ndjson", Direction::Request, Family::Records(Framing::Line)),
            ("image/*", Direction::Request, Family::Bytes),
        ] {
            assert_eq!(family(name, direction), expected, "{name}");
        }
    }
}
