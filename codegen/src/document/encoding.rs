//! `encoding`, `prefixEncoding` and `itemEncoding`: how parts and members of a form are written.

use super::body::no_media_type;
use super::{Fields, Header, MediaType, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::Style;
use crate::source::span::Place;
use crate::source::tree::{Member, Node};

/// An entry of `encoding`.
#[derive(Clone, Debug)]
pub(crate) struct Encoding {
    /// `contentType`, cut at its commas.
    pub(crate) types: Vec<String>,
    pub(crate) style: Option<Style>,
    pub(crate) explode: Option<bool>,
    /// Whether `allowReserved` is said, whatever it says.
    pub(crate) reserved: bool,
    /// `headers`: the header fields of its part.
    pub(crate) headers: Vec<Header>,
    /// How the parts are written that the part is (OpenAPI 3.2).
    pub(crate) inside: Option<Box<Inside>>,
}

/// The encodings of the parts that a part is.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    pub(crate) place: Place,
    /// The media type of the part.
    pub(crate) name: Spanned<String>,
    pub(crate) encoding: Vec<(Spanned<String>, Encoding)>,
    pub(crate) prefix_encoding: Vec<Spanned<Encoding>>,
    pub(crate) item_encoding: Option<Spanned<Encoding>>,
}

fn is_multipart(media_type: &str) -> bool {
    media_type.to_ascii_lowercase().starts_with("multipart/")
}

fn is_form(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

impl<'d> Reader<'d> {
    pub(super) fn encodings(&mut self, fields: &mut Fields<'d>) -> Vec<(Spanned<String>, Encoding)> {
        let mut encodings = Vec::new();
        for member in self.map(fields, "encoding") {
            let Some(encoding) = self.encoding(&member.node) else { continue };
            encodings.push((Spanned::new(member.key.to_string(), member.key_place), encoding));
        }
        encodings
    }

    /// `prefixEncoding` and `itemEncoding`, which multipart bodies have (OpenAPI 3.2 section 4.14.4.2).
    pub(super) fn encodings_in_order(
        &mut self,
        fields: &mut Fields<'d>,
        media_type: &str,
    ) -> (Vec<Spanned<Encoding>>, Option<Spanned<Encoding>>) {
        let nothing = (Vec::new(), None);
        if !self.since_3_2 {
            return nothing;
        }
        let (prefix, item) = (fields.get("prefixEncoding"), fields.get("itemEncoding"));
        if !is_multipart(media_type) {
            // OpenAPI 3.2 section 4.14.5: for all other media types they are ignored
            let both = prefix.into_iter().chain(item);
            both.for_each(|member| self.encodes_nothing(member, &format!("`{media_type}`")));
            return nothing;
        }
        if let (Some(member), Some(_)) = (prefix.or(item), fields.peek("encoding")) {
            let message =
                format!("`{}` beside `encoding`: parts have names or an order, not both", member.key);
            let finding = Finding::error(Code::InvalidValue, message, member.key_place);
            let help = format!("keep `encoding` for an object, and `{}` for an array", member.key);
            self.push(finding.help(help));
            return nothing;
        }
        let first = self.array(fields, "prefixEncoding").map(|(items, _)| items).unwrap_or_default();
        let first = first.iter().filter_map(|item| Some(Spanned::new(self.encoding(item)?, item.place)));
        let first = first.collect();
        let others =
            item.and_then(|member| Some(Spanned::new(self.encoding(&member.node)?, member.key_place)));
        (first, others)
    }

    /// What is inside of a part, which may be of parts itself (OpenAPI 3.2 section 4.15.3).
    fn nested_encodings(&mut self, fields: &mut Fields<'d>, types: &[String]) -> Option<Box<Inside>> {
        let keys = ["encoding", "prefixEncoding", "itemEncoding"];
        let first = keys.iter().find_map(|key| fields.peek_member(key)).filter(|_| self.since_3_2)?;
        if let Some(form) = types.iter().find(|one| is_form(one)).filter(|_| &*first.key == "encoding") {
            let message = format!("`{}` of what is `{form}` itself is not supported yet", first.key);
            let finding = Finding::error(Code::NotSupported, message, first.key_place);
            self.push(finding.help("leave it out, and say `contentType: application/json`, or describe the value as `{}`: a file that the handler reads"));
        }
        let [name] = types else {
            self.nothing_inside(fields, types);
            return None;
        };
        if !is_multipart(name) || name.contains('*') {
            self.nothing_inside(fields, types);
            return None;
        }
        let (place, name) = (first.key_place, Spanned::new(name.clone(), first.key_place));
        let (prefix_encoding, item_encoding) = self.encodings_in_order(fields, &name.value);
        let encoding = self.encodings(fields);
        Some(Box::new(Inside { place, name, encoding, prefix_encoding, item_encoding }))
    }

    /// Says so of encodings of what has no parts, or may be of several types.
    fn nothing_inside(&mut self, fields: &mut Fields<'d>, types: &[String]) {
        for key in ["encoding", "prefixEncoding", "itemEncoding"] {
            let Some(member) = fields.get(key) else { continue };
            if let Some(nesting) = types.iter().find(|one| is_multipart(one)) {
                let message =
                    format!("`{key}` of what may be `{nesting}` and other types is not supported yet");
                let finding = Finding::error(Code::NotSupported, message, member.key_place);
                self.push(finding.help("say one `contentType`, such as `multipart/mixed`"));
            } else if !(key == "encoding" && types.iter().any(|one| is_form(one))) {
                let said = types.first().map(|first| format!("`{first}`"));
                self.encodes_nothing(member, &said.unwrap_or_else(|| "what is one text".to_owned()));
            }
        }
    }

    fn encodes_nothing(&mut self, member: &Member, whole: &str) {
        let message = format!("`{}` has no effect in {whole}: that has no parts", member.key);
        let finding = Finding::warning(Code::KeywordWithoutEffect, message, member.key_place);
        self.push(finding.help("remove it"));
    }

    /// Takes the styles of parts out that are those of no form (OpenAPI 3.2 section 4.15.2), with a remark.
    pub(super) fn styles_are_of_forms<'e>(
        &mut self,
        media_type: &str,
        encodings: impl Iterator<Item = (Place, &'e mut Encoding)>,
    ) {
        let is_form_data = media_type.to_ascii_lowercase().starts_with("multipart/form-data");
        for (place, encoding) in encodings.filter(|_| is_multipart(media_type) && !is_form_data) {
            if encoding.style.take().is_some() | encoding.explode.take().is_some() {
                let message = format!("`style` and `explode` have no effect in `{media_type}`");
                let finding = Finding::warning(Code::KeywordWithoutEffect, message, place);
                self.push(finding.help("remove them: they are those of forms"));
            }
            encoding.reserved = false;
        }
    }

    fn encoding(&mut self, node: &'d Node) -> Option<Encoding> {
        let mut fields = self.fields(node, "an encoding")?;
        let stated = self.string(&mut fields, "contentType");
        let listed = stated.iter().flat_map(|types| types.value.split(',')).map(|one| one.trim().to_owned());
        let types: Vec<String> = listed.filter(|one| !one.is_empty()).collect();
        for (one, place) in types.iter().zip(std::iter::repeat(stated.as_ref().map(|types| types.place))) {
            if let Some(place) = place.filter(|_| !MediaType::is_one(one)) {
                self.push(
                    Finding::error(Code::InvalidValue, no_media_type(one), place).help(MediaType::help(one)),
                );
            }
        }
        let inside = self.nested_encodings(&mut fields, &types);
        let style = self.string(&mut fields, "style").and_then(|word| self.style_word(&word, None));
        let explode = self.boolean(&mut fields, "explode").map(|flag| flag.value);
        let reserved = self.boolean(&mut fields, "allowReserved").is_some();
        let headers = self.map(&mut fields, "headers");
        let headers =
            headers.iter().filter_map(|header| self.header(&header.key, header.key_place, &header.node));
        let headers = headers.collect();
        self.finish(fields);
        Some(Encoding { types, style, explode, reserved, headers, inside })
    }
}
