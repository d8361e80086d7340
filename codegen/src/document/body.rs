//! Request bodies and media types.

use super::follow::overlay;
use super::{Encoding, Fields, MediaType, Reader, SchemaId, Spanned};
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::normalise::Version;
use crate::source::span::Place;
use crate::source::tree::{Member, Node};

/// `requestBody`
#[derive(Debug)]
pub(crate) struct RequestBody {
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) content: Vec<Media>,
    pub(crate) docs: Docs,
}

/// An entry of `content`.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) name: Spanned<String>,
    /// Whether it stands elsewhere, where others may refer to it as well.
    pub(crate) shared: bool,
    pub(crate) schema: Option<SchemaId>,
    /// What each item of a stream is (OpenAPI 3.2).
    pub(crate) item_schema: Option<SchemaId>,
    /// How members of a form are written.
    pub(crate) encoding: Vec<(Spanned<String>, Encoding)>,
    /// How each of the first parts is written that have no names (OpenAPI 3.2).
    pub(crate) prefix_encoding: Vec<Spanned<Encoding>>,
    /// How every other part is written that has no name (OpenAPI 3.2).
    pub(crate) item_encoding: Option<Spanned<Encoding>>,
    pub(crate) examples: Vec<Node>,
}

impl Media {
    /// How its parts are written, whether they have names or not.
    pub(crate) fn encodings(&self) -> impl Iterator<Item = &Encoding> {
        let by_name = self.encoding.iter().map(|(_, encoding)| encoding);
        by_name.chain(self.prefix_encoding.iter().chain(&self.item_encoding).map(|encoding| &encoding.value))
    }
}

pub(super) fn no_media_type(text: &str) -> String {
    format!("`{}` is no media type", text.escape_debug())
}

impl<'d> Reader<'d> {
    pub(super) fn request_body(&mut self, node: &'d Node) -> Option<RequestBody> {
        let place = node.place;
        let (node, said) = self.follow(node, "requestBodies")?;
        let mut fields = self.fields(node, "a request body")?;
        let docs = overlay(said, self.docs(&mut fields, &["description"]));
        let required = self.boolean(&mut fields, "required").is_some_and(|flag| flag.value);
        if fields.peek("content").is_none() {
            self.missing(&fields, "content");
        }
        let content = self.content(&mut fields);
        self.finish(fields);
        Some(RequestBody { place, required, content, docs })
    }

    pub(super) fn content(&mut self, fields: &mut Fields<'d>) -> Vec<Media> {
        let mut media = Vec::new();
        let members = self.map(fields, "content");
        self.said_once(&members);
        for member in members {
            let shared = member.node.get("$ref").is_some();
            let node = match shared {
                true => self.media_type_elsewhere(&member.node),
                false => Some(&member.node),
            };
            let name = Spanned::new(member.key.to_string(), member.key_place);
            media.extend(node.and_then(|node| self.media_type(name, shared, node)));
        }
        self.of_media_types(media)
    }

    pub(super) fn media_type(
        &mut self,
        name: Spanned<String>,
        shared: bool,
        node: &'d Node,
    ) -> Option<Media> {
        let mut fields = self.fields(node, "a media type")?;
        let schema = fields.get("schema").map(|schema| self.schema(&schema.node));
        let examples = self.examples(&mut fields);
        let item_schema = fields.get("itemSchema").and_then(|schema| {
            if !self.since_3_2 {
                let message = "`itemSchema` is a member since OpenAPI 3.2";
                let finding = Finding::error(Code::UnknownMember, message, schema.key_place);
                self.push(finding.help("write `openapi: 3.2.0`, or one `schema`"));
                return None;
            }
            Some(self.schema(&schema.node))
        });
        let mut encoding = self.encodings(&mut fields);
        let (mut prefix_encoding, mut item_encoding) = self.encodings_in_order(&mut fields, &name.value);
        if self.version == Version::V30 && name.value.starts_with("multipart/") {
            // OpenAPI 3.0 section 4.7.15.1: the styles are those of the other forms
            for (_, encoding) in &mut encoding {
                (encoding.style, encoding.explode, encoding.reserved) = (None, None, false);
            }
        }
        let in_order = prefix_encoding.iter_mut().chain(&mut item_encoding);
        let in_order = in_order.map(|encoding| (encoding.place, &mut encoding.value));
        let named = encoding.iter_mut().map(|(name, encoding)| (name.place, encoding));
        self.styles_are_of_forms(&name.value, named.chain(in_order));
        self.finish(fields);
        Some(Media { name, shared, schema, item_schema, encoding, prefix_encoding, item_encoding, examples })
    }

    /// A media type may stand elsewhere (OpenAPI 3.2 section 4.14), and before that nowhere else. `None` after a finding.
    fn media_type_elsewhere(&mut self, node: &'d Node) -> Option<&'d Node> {
        if self.since_3_2 {
            return self.follow(node, "mediaTypes").map(|(node, _)| node);
        }
        let reference = node.as_object().and_then(|object| object.get("$ref"));
        let place = reference.map_or(node.place, |reference| reference.key_place);
        let message = "a media type that is a reference is one since OpenAPI 3.2";
        let finding = Finding::error(Code::UnknownMember, message, place);
        self.push(finding.help("write `openapi: 3.2.0`, or the media type itself: refer to its `schema`"));
        None
    }

    /// That of the content of a parameter or a header, which need not have one.
    pub(super) fn schema_of_content(&mut self, one: &Media) -> SchemaId {
        one.schema.unwrap_or_else(|| {
            let message = "nothing is declared of this content, so everything is let through";
            let finding = Finding::warning(Code::Untyped, message, one.name.place);
            self.push(finding.help("describe it with a `schema`"));
            self.unwritten(one.name.place)
        })
    }

    /// Without keys that are no media types (examples that stand a level too high), with a remark; an error where there is no
    /// other key.
    fn of_media_types(&mut self, media: Vec<Media>) -> Vec<Media> {
        let (media, others): (Vec<_>, Vec<_>) =
            media.into_iter().partition(|one| MediaType::is_one(&one.name.value));
        for other in others {
            let (message, place) = (no_media_type(&other.name.value), other.name.place);
            let help = MediaType::help(&other.name.value);
            self.push(match media.is_empty() {
                true => Finding::error(Code::InvalidValue, message, place).help(help),
                false => Finding::warning(Code::InvalidValue, message, place)
                    .help("left out: nothing can be sent as that"),
            });
        }
        media
    }

    /// Rejects `application/json` beside `application/JSON` of another schema: only the first would ever be held against
    /// anything.
    fn said_once(&mut self, content: &[&Member]) {
        let mut known: Vec<(MediaType, &Member)> = Vec::new();
        for member in content {
            let media_type = MediaType::read(&member.key);
            let Some((_, first)) = known.iter().find(|(one, _)| *one == media_type) else {
                known.push((media_type, member));
                continue;
            };
            let differs = |keyword: &&str| match (first.node.get(keyword), member.node.get(keyword)) {
                (Some(one), Some(other)) => !one.same_value(other),
                (one, other) => one.is_some() || other.is_some(),
            };
            if ["$ref", "schema", "itemSchema", "encoding", "prefixEncoding", "itemEncoding"]
                .iter()
                .any(differs)
            {
                let message = format!("`{}` and `{}` are one media type", first.key, member.key);
                let finding = Finding::error(Code::MediaType, message, member.key_place);
                self.push(finding.related(first.key_place, "the other").help("describe it once"));
            }
        }
    }
}
