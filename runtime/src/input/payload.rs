//! [`Input`], what an operation takes, and [`Sent`], a body that came and is still to be decoded.

use bytes::Bytes;

use super::events::{List, Shown, from_events, from_events_of_either};
use super::json::{finish, from_json_under, from_lines, from_sequence};
use super::member::Rule;
use super::texts::texts;
use super::wire::{
    Declared, Others, Part, Parts, Places, Wire, by_place, by_place_with_headers, form, form_texts,
    has_field, in_order, multipart, multipart_with_headers, with_headers_in_order,
};
use super::{At, Check, Decode, Parameters, Refused, Tree, Upload, Violations};
use crate::operation::Body;

/// The typed input of an operation. Implemented by generated code.
pub trait Input: Sized + Send {
    /// The decoded parameters, in the order of the document.
    type Parameters: Send;
    /// The decoded body; `()` when none is declared, `Option` when it may be absent.
    type Body: Send;
    /// Asks for every parameter, so that all violations are noted. `None`: one was.
    fn parameters(from: &mut Parameters<'_>) -> Option<Self::Parameters>;
    /// How a body of the media type with this index in the policy is read.
    #[must_use]
    fn receiving(_: usize) -> Receiving {
        Receiving::Whole
    }
    /// Decodes the body, or its absence. A required one that is absent was refused before.
    ///
    /// # Errors
    /// Why it is not what the document declares.
    fn body(sent: Option<Sent<'_>>) -> Result<Self::Body, Refused>;
    /// The input.
    fn assemble(parameters: Self::Parameters, body: Self::Body) -> Self;
}

/// How a body of a media type is read. Stated by generated code.
#[derive(Clone, Copy, Debug)]
pub enum Receiving {
    /// Into memory.
    Whole,
    /// As it is: to disk, when it is more than a little.
    Spooled,
    /// As a multipart form with these fields, its files as they are.
    Parts(&'static [Wire]),
    /// As parts in an order, each of them so.
    Items(&'static Wire),
    /// As parts that are told by their places.
    Places(Places),
    /// Not at all: a range takes it, but its own key says what it is, which cannot be enforced.
    Refused,
}

/// A body that came whole, under the limit, in a media type that is declared.
#[derive(Debug)]
pub struct Sent<'a> {
    pub(super) content: Came,
    /// Which of the declared media types it is.
    pub(super) which: usize,
    pub(super) declared: &'a Body,
    /// The request shows a token in `Authorization`: one in a form would be a second.
    pub(super) beside_token: bool,
}

/// What came, by how it was received.
#[derive(Debug)]
pub(super) enum Came {
    Whole(Bytes),
    Spooled(Upload),
    Parts(Vec<Part>, Declared),
}

/// The name of a token in a form (RFC 6750 section 2.2).
const TOKEN: &str = "access_token";

impl Sent<'_> {
    /// The same body, of a request that shows a token in `Authorization`, or none there.
    pub(crate) fn beside_token(self, is_shown: bool) -> Self {
        Self { beside_token: is_shown, ..self }
    }

    /// Of an operation without a body.
    ///
    /// # Errors
    /// Never for such an operation: what came was refused before.
    pub fn nothing(sent: Option<Self>) -> Result<(), Refused> {
        if sent.is_some() { Err(Refused::Syntax) } else { Ok(()) }
    }

    /// Of an operation that requires one.
    ///
    /// # Errors
    /// Never for such an operation: its absence was refused before.
    pub fn required(sent: Option<Self>) -> Result<Self, Refused> {
        sent.ok_or(Refused::Syntax)
    }

    /// The strings that stand at these members of a JSON object or a form, each at most once; what does not read as one has
    /// none.
    pub(crate) fn texts(&self, members: &[&'static str]) -> Vec<(&'static str, String)> {
        match &self.content {
            Came::Whole(bytes) if self.is_form() => form_texts(bytes, members),
            Came::Whole(bytes) => texts(bytes, members),
            Came::Spooled(_) | Came::Parts(..) => Vec::new(),
        }
    }

    /// Whether it is one of names and values.
    pub(crate) fn is_form(&self) -> bool {
        let declared = self.declared.media_types.get(self.which);
        declared
            .and_then(|declared| declared.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }

    /// Which of the declared media types it is, in the order of the policy.
    #[must_use]
    pub const fn which(&self) -> usize {
        self.which
    }

    /// As JSON.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn json<T: Decode + Check>(self, rule: Rule<T>) -> Result<T, Refused> {
        from_json_under(self.whole()?, self.declared.depth, rule)
    }

    /// As JSON texts, one a line: the list of them.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn lines<T: Decode + Check>(self, rule: Rule<T>) -> Result<T, Refused> {
        from_lines(self.whole()?, self.declared.depth, rule)
    }

    /// As a JSON text sequence (RFC 7464): the list of its texts.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn sequence<T: Decode + Check>(self, rule: Rule<T>) -> Result<T, Refused> {
        from_sequence(self.whole()?, self.declared.depth, rule)
    }

    /// As server-sent events: the list of what they say, as JSON or as texts.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn event_data<T: Decode + Check>(self, json: bool, rule: Rule<T>) -> Result<T, Refused> {
        from_events(self.whole()?, Shown::Data, json, self.declared.depth, rule)
    }

    /// The same with all fields of each event.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn events<T: Decode + Check>(self, json: bool, rule: Rule<T>) -> Result<T, Refused> {
        from_events(self.whole()?, Shown::Fields, json, self.declared.depth, rule)
    }

    /// As server-sent events that say texts and JSON: what each says is a text where one is meant and fits.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn event_data_of_either<T: List>(self, rule: Rule<T>) -> Result<T, Refused> {
        from_events_of_either(self.whole()?, Shown::Data, self.declared.depth, rule)
    }

    /// The same with all fields of each event.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn events_of_either<T: List>(self, rule: Rule<T>) -> Result<T, Refused> {
        from_events_of_either(self.whole()?, Shown::Fields, self.declared.depth, rule)
    }

    /// As `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn form<T: Decode + Check>(self, fields: &'static [Wire], rule: Rule<T>) -> Result<T, Refused> {
        // RFC 6750 section 2: a client uses one method a request. What the document declares is data
        let is_declared = fields.iter().any(|field| field.takes(TOKEN));
        if self.beside_token && !is_declared && has_field(self.whole()?, TOKEN) {
            return Err(Refused::SecondToken);
        }
        form(self.whole()?, fields, Others::Plain, self.declared.depth, rule)
    }

    /// As `application/x-www-form-urlencoded` whose schema alone says what is in it: then no name is one that the document does not
    /// declare. The fields are those members that are written in a way of their own.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn free_form<T: Decode + Check>(self, fields: &'static [Wire], rule: Rule<T>) -> Result<T, Refused> {
        form(self.whole()?, fields, Others::Free, self.declared.depth, rule)
    }

    /// As `multipart/form-data`.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn multipart<T: Decode + Check>(self, rule: Rule<T>) -> Result<T, Refused> {
        match &self.content {
            Came::Parts(parts, Declared::Named(fields)) => {
                multipart(parts, fields, self.declared.depth, rule)
            }
            _ => Err(Refused::Syntax),
        }
    }

    /// The same with the header fields that are declared of its parts.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn multipart_with_headers<T: Decode + Check, H: Decode>(
        self,
        rule: Rule<T>,
    ) -> Result<Parts<T, H>, Refused> {
        match &self.content {
            Came::Parts(parts, Declared::Named(fields)) => {
                multipart_with_headers(parts, fields, self.declared.depth, rule)
            }
            _ => Err(Refused::Syntax),
        }
    }

    /// As parts in an order: the list of them.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn items<T: Decode + Check>(self, rule: Rule<T>) -> Result<T, Refused> {
        match &self.content {
            Came::Parts(parts, Declared::InOrder(item)) => in_order(parts, item, self.declared.depth, rule),
            _ => Err(Refused::Syntax),
        }
    }

    /// The same with the header fields that are declared of each.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn items_with_headers<T: Decode + Check, H: Decode>(
        self,
        rule: Rule<T>,
    ) -> Result<Parts<T, H>, Refused> {
        match &self.content {
            Came::Parts(parts, Declared::InOrder(item)) => {
                with_headers_in_order(parts, item, self.declared.depth, rule)
            }
            _ => Err(Refused::Syntax),
        }
    }

    /// As parts that are told by their places: the object of them.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn places<T: Decode + Check>(self, rule: Rule<T>) -> Result<T, Refused> {
        match &self.content {
            Came::Parts(parts, Declared::ByPlace(places)) => {
                by_place(parts, *places, self.declared.depth, rule)
            }
            _ => Err(Refused::Syntax),
        }
    }

    /// The same with the header fields that are declared of them.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn places_with_headers<T: Decode + Check, H: Decode>(
        self,
        rule: Rule<T>,
    ) -> Result<Parts<T, H>, Refused> {
        match &self.content {
            Came::Parts(parts, Declared::ByPlace(places)) => {
                by_place_with_headers(parts, *places, self.declared.depth, rule)
            }
            _ => Err(Refused::Syntax),
        }
    }

    /// As text in UTF-8.
    ///
    /// # Errors
    /// Why not, with every violation together.
    pub fn text<T: Decode>(self, rule: Rule<T>) -> Result<T, Refused> {
        let text = std::str::from_utf8(self.whole()?).map_err(|_| Refused::Syntax)?;
        finish(&Tree::Plain(text.into()), rule)
    }

    /// As it came.
    ///
    /// # Errors
    /// When it breaks the rule, which can only be of its size.
    pub fn upload(self, rule: Rule<Upload>) -> Result<Upload, Refused> {
        let Came::Spooled(upload) = self.content else { return Err(Refused::Syntax) };
        let mut out = Violations::new();
        rule(&upload, &At::root(), &mut out);
        if out.is_empty() { Ok(upload) } else { Err(Refused::Invalid(out)) }
    }

    /// The bytes of one that was read into memory, as generated code says by [`Receiving`].
    fn whole(&self) -> Result<&Bytes, Refused> {
        match &self.content {
            Came::Whole(bytes) => Ok(bytes),
            Came::Spooled(_) | Came::Parts(..) => Err(Refused::Syntax),
        }
    }

    /// In a media type that generated code does not know: it knows those of the policy.
    ///
    /// # Errors
    /// Always.
    pub fn unknown<T>(self) -> Result<T, Refused> {
        Err(Refused::Syntax)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Kind, Style};
    use super::*;

    static BODY: Body =
        Body { media_types: &["application/x-www-form-urlencoded"], required: true, max: 1024, depth: 8 };
    static MEMBERS: Wire = Wire::text("who").kind(Kind::Object(&["name", TOKEN], false));

    fn sent() -> Sent<'static> {
        let content = Came::Whole(Bytes::from_static(b"name=a&access_token=b"));
        Sent { content, which: 0, declared: &BODY, beside_token: true }
    }

    #[test]
    fn a_token_beside_another_is_data_where_a_name_on_the_wire_is_declared() {
        let is_second = |fields: &'static [Wire]| {
            let read = sent()
                .form::<std::collections::BTreeMap<String, String>>(fields, super::super::member::no_rule);
            matches!(read, Err(Refused::SecondToken))
        };
        static OWN: [Wire; 1] = [Wire::text(TOKEN)];
        static EXPLODED: [Wire; 1] = [MEMBERS];
        static WHOLE: [Wire; 1] = [MEMBERS.explode(false)];
        static IN_BRACKETS: [Wire; 1] = [MEMBERS.style(Style::DeepObject).explode(true)];
        assert!(!is_second(&OWN) && !is_second(&EXPLODED));
        assert!(is_second(&[]) && is_second(&WHOLE) && is_second(&IN_BRACKETS));
    }

    #[test]
    fn a_form_of_which_the_schema_alone_says_what_is_in_it_has_no_second_token() {
        let read = sent()
            .free_form::<std::collections::BTreeMap<String, String>>(&[], super::super::member::no_rule);
        assert_eq!(read.unwrap()[TOKEN], "b");
    }
}
