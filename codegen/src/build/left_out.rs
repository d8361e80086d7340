//! Media types that are left out, because what the document says of them could not be kept.

use super::Builder;
use super::direction::Direction;
use super::family::{Family, family};
use super::stream::{is_list, is_list_by_place};
use crate::document::{Document, Media, SchemaId};
use crate::finding::{Code, Finding};

/// Why one is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// A form whose schema is no object.
    FormOfNoObject,
    /// A form whose schema is an array.
    FormOfAList,
    /// Parts with a schema each, and more that is said of all of them.
    PartsByPlace,
    /// Parts in an order, one of which is a list.
    ListInAPart,
    /// A text whose schema is no scalar.
    TextOfNoScalar,
    /// Events of which more is said than a list in Rust says.
    EventsByTheWhole,
    /// Of a kind that no schema looks into.
    Unread,
    /// A range in an answer, which is of one type.
    Range,
    /// A range of which every media type that it stands for has a key of its own.
    SaidBetter,
}

impl LeftOut {
    fn message(self, name: &str, direction: Direction) -> String {
        let why = match self {
            Self::FormOfNoObject => "a form is an object",
            Self::FormOfAList => "its values have names, and the items of an array have none",
            Self::PartsByPlace => {
                "of parts that are told by their places, more than `prefixItems`, `items` and their number is not supported yet"
            }
            Self::ListInAPart => "a part is one value",
            Self::TextOfNoScalar => "a text is one value",
            Self::EventsByTheWhole => "events are a list, of which `items` and their number are checked",
            Self::Unread if direction == Direction::Answer => {
                "only JSON, forms and text are written by a schema"
            }
            Self::Unread => "only JSON, forms and text are read by a schema",
            Self::SaidBetter => {
                return match direction {
                    Direction::Answer => format!(
                        "of the media types that `{name}` stands for, the one that the server would answer in has a key of its own"
                    ),
                    _ => format!(
                        "of the media types that `{name}` stands for, those that its schema can be enforced in have keys of their own"
                    ),
                };
            }
            Self::Range => return format!("`{name}` does not say in which media type the server answers"),
        };
        format!("the schema of `{name}` cannot be enforced: {why}")
    }

    fn help(self, name: &str) -> &'static str {
        match self {
            Self::TextOfNoScalar if name.starts_with("text/event-stream") => {
                "describe one event by `itemSchema` (OpenAPI 3.2), or all of them by `type: array` and `items`"
            }
            Self::Range | Self::SaidBetter => "name each media type that is sent",
            Self::EventsByTheWhole => "describe one event by `itemSchema`, or take `application/json-seq`",
            Self::FormOfNoObject => "describe it as `type: object`, or the same as `application/json`",
            Self::FormOfAList => {
                "describe it as `type: object`, a member for each name; parts without names are of `multipart/mixed`"
            }
            Self::PartsByPlace => {
                "leave the other keywords of the array out, or give the parts names: `multipart/form-data` of an object"
            }
            _ => "describe the same as `application/json`, or as a plain `type: string`",
        }
    }
}

impl Builder<'_> {
    /// Why a schema that is no object is none of this form.
    pub(super) fn form_of_no_object(&self, one: &Media) -> LeftOut {
        let is = |kind: fn(&Document, SchemaId) -> bool| one.schema.is_some_and(|id| kind(self.document, id));
        let has_names =
            matches!(family(&one.name.value, Direction::Request), Family::Form | Family::Multipart);
        match has_names {
            true if is(is_list) => LeftOut::FormOfAList,
            false if is(is_list_by_place) => LeftOut::PartsByPlace,
            _ => LeftOut::FormOfNoObject,
        }
    }

    /// An error where nothing else is left, and a warning otherwise.
    pub(super) fn left_out(&mut self, one: &Media, why: LeftOut, direction: Direction, alone: bool) {
        let message = why.message(&one.name.value, direction);
        let consequence = match direction {
            Direction::Answer if why == LeftOut::SaidBetter => {
                "left out: name each other media type that is sent"
            }
            Direction::Request | Direction::Patch | Direction::Either => {
                "left out: the server answers 415 to it"
            }
            Direction::Answer => "left out: the server answers in the other media types",
        };
        self.findings.push(match alone {
            true => Finding::error(Code::MediaType, message, one.name.place).help(why.help(&one.name.value)),
            false => Finding::warning(Code::MediaType, message, one.name.place).help(consequence),
        });
    }
}
