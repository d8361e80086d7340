//! `content`: which media types are read and written how, and what is left out because it could not be enforced.

use super::Builder;
use super::direction::Direction;
use super::family::{Family, family, parts, word};
use super::form::{Formed, list_of};
use super::left_out::LeftOut;
use super::literal::literal;
use super::places::REST;
use super::range::{own_of, spelled};
use super::stream::is_list_of_one;
use super::types::with;
use super::wire::Flat;
use crate::document::Media;
use crate::finding::{Code, Finding};
use crate::model::{Content, ContentForm, Framing, Schema, Text, Type};

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
            let own = if contents.is_empty() { path.to_vec() } else { with(path, word(family)) };
            match self.content_of(one, media, family, direction, &own)? {
                Ok(content) if content.media_types.is_empty() => given_way.push((one, content)),
                Ok(content) => {
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

    /// What one media type carries, under the names that no other key says better. `None` after a finding; `Err` for what cannot
    /// be enforced.
    fn content_of(
        &mut self,
        one: &Media,
        media: &[Media],
        family: Family,
        direction: Direction,
        own: &[String],
    ) -> Option<Result<Content, LeftOut>> {
        if matches!(family, Family::Stream(Framing::Data) | Family::Records(Framing::Data)) {
            self.formats_of_data(one);
        }
        one.schema.into_iter().chain(one.item_schema).try_for_each(|id| self.goes_this_way(id))?;
        let named = (family == Family::Places).then(|| self.with_names(one));
        let written = named.as_ref().unwrap_or(one);
        let (mut form, schema) = match self.formed(one, written, family, direction, own)? {
            Ok(formed) => formed,
            Err(why) => return Some(Err(why)),
        };
        let Some(media_types) = spelled(&one.name.value, &form, direction, media) else {
            return Some(Err(LeftOut::Range));
        };
        let media_types = own_of(&one.name.value, media_types, media);
        self.files_are_no_text(one, &form)?;
        let part_headers = match &mut form {
            ContentForm::Multipart(fields) => self.part_headers(written, fields, None, own)?,
            ContentForm::Places { fields, rest } => {
                self.part_headers(written, fields, rest.then_some(REST), own)?
            }
            ContentForm::Parts(item) => self.headers_in_order(one, item, own)?,
            _ => None,
        };
        let examples = written.examples.iter().map(literal).collect();
        Some(Ok(Content { media_types, form, schema, part_headers, examples }))
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
    ) -> Option<Formed> {
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
