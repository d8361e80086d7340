//! Media types that are left out, because what the document says of them could not be kept.

use super::Builder;
use super::direction::Direction;
use crate::document::Media;
use crate::finding::{Code, Finding};

/// Why one is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// A form whose schema is no object.
    FormOfNoObject,
    /// Parts in an order, one of which is a list.
    ListInAPart,
    /// A text whose schema is no scalar.
    TextOfNoScalar,
    /// Events whose data may be JSON or a text.
    EventOfSeveralKinds,
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
            Self::ListInAPart => "a part is one value",
            Self::TextOfNoScalar => "a text is one value",
            Self::EventOfSeveralKinds => {
                "whether the data of an event is JSON or a text depends on the event"
            }
            Self::Unread if direction == Direction::Answer => {
                "only JSON, forms and text are written by a schema"
            }
            Self::Unread => "only JSON, forms and text are read by a schema",
            Self::SaidBetter => return format!("more specific keys describe all that `{name}` stands for"),
            Self::Range => return format!("`{name}` does not say in which media type the server answers"),
        };
        format!("the schema of `{name}` cannot be enforced: {why}")
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Range | Self::SaidBetter => "name each media type that is sent",
            Self::EventOfSeveralKinds => {
                "describe an event as one object whose `data` is a text, or an object, or take `application/json-seq`"
            }
            _ => "describe the same as `application/json`, or as a plain `type: string`",
        }
    }
}

impl Builder<'_> {
    /// An error where nothing else is left, and a warning otherwise.
    pub(super) fn left_out(&mut self, one: &Media, why: LeftOut, direction: Direction, alone: bool) {
        let message = why.message(&one.name.value, direction);
        let consequence = match direction {
            _ if why == LeftOut::SaidBetter => {
                "left out: of the keys that match, the most specific one applies"
            }
            Direction::Request | Direction::Patch | Direction::Either => {
                "left out: the server answers 415 to it"
            }
            Direction::Answer => "left out: the server answers in the other media types",
        };
        self.findings.push(match alone {
            true => Finding::error(Code::MediaType, message, one.name.place).help(why.help()),
            false => Finding::warning(Code::MediaType, message, one.name.place).help(consequence),
        });
    }
}
