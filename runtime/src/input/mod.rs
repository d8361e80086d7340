//! Input: from the bytes of a request to the typed, validated input of an operation, or every violation.
//!
//! | file | what |
//! |---|---|
//! | `payload`, `error` | what an operation takes, and why it is refused |
//! | `parameters`, `param`, `cursor` | path, query, header and cookie parameters against what is declared |
//! | `fingerprint` | what was asked for, as a digest |
//! | `sources`, `cookies`, `encoded` | where they stand in a request: cut first, then decoded once |
//! | `wire` | styles, forms, multipart: values that are written as text |
//! | `body`, `media_type` | media type, encoding, size, and the bytes |
//! | `upload` | bytes as they are: in memory when they are few, in a temporary file when not |
//! | `json`, `depth` | those bytes into a type: a fast pass, and a careful one that tells every violation |
//! | `events` | server-sent events, as the list that they are |
//! | `decode`, `container`, `object`, `member` | how each type reads itself in both passes |
//! | `parse`, `tree`, `decimal` | what the careful pass looks at: JSON with its digits and its duplicates |
//! | `exact` | those digits as a type of the document |
//! | `check`, `canonical` | the rules of the document over decoded values |
//! | `shape` | schemas that have no type in Rust: every keyword, over JSON |
//! | `text`, `format`, `words`, `values`, `password` | scalars as text, strings with a format, enumerations |
//! | `violation`, `at` | what is told to the client, and where |

mod arriving;
mod at;
mod body;
mod canonical;
mod check;
mod container;
mod cookies;
mod cursor;
mod decimal;
mod decode;
mod depth;
mod encoded;
mod error;
mod events;
mod exact;
mod fill;
mod fingerprint;
mod format;
mod json;
mod media_type;
mod member;
mod members;
mod object;
mod param;
mod parameters;
mod parse;
mod password;
mod payload;
#[cfg(test)]
mod sample;
mod shape;
mod shown;
mod sources;
mod text;
mod texts;
mod tree;
mod upload;
mod values;
mod violation;
mod visit;
mod wire;
mod words;

pub(crate) use self::arriving::{Arriving, Sender};
pub use self::at::At;
pub(crate) use self::body::Receiver;
pub use self::body::declared_length;
pub use self::check::{
    Check, Number, Octets, Pattern, each, each_value, exclusive_maximum, exclusive_minimum, items, length,
    maximum, members, minimum, multiple_of, pattern, size, unique_items, validate,
};
pub use self::container::{Boxed, Json};
pub use self::cursor::CursorInput;
pub use self::decimal::Decimal;
pub use self::decode::{Decode, collect_text, decode_text};
pub use self::depth::Depth;
pub(crate) use self::encoded::{Decoding, form_decoded};
pub use self::error::{InputClass, InputError};
pub use self::exact::decimal;
pub use self::fill::{Fill, FilledUnder};
pub(crate) use self::fingerprint::Fingerprint;
pub use self::format::{
    base64url, byte, decimal_text, duration, email, hostname, idn_email, idn_hostname, iri, iri_reference,
    json_pointer, regex, relative_json_pointer, time, uri, uri_reference, uri_template,
};
pub(crate) use self::json::parse_tree;
pub use self::json::{Refused, decode_answer, from_default, from_json};
pub(crate) use self::media_type::{MediaType, accepts, is_json, is_token, media_range};
pub use self::member::{Declared, Rule, no_rule};
pub use self::members::object;
pub use self::object::Object;
pub use self::param::Param;
pub use self::parameters::Parameters;
pub use self::password::Password;
pub use self::payload::{Input, Receiving, Sent};
pub use self::shape::Keyword as K;
pub use self::shape::{
    Fact, JsonType, Keyword, Shape, Tagged, Take, Union, check_shaped, collect_union, decode_union, of_text,
    read_shaped, shape, shaped, shaped_from_text, shaped_from_tree, union, union_from_text, union_is_null,
};
pub use self::shown::write;
pub use self::text::{Expected, FromText};
pub use self::tree::{Entry, Tree};
pub(crate) use self::upload::Spool;
pub use self::upload::{Upload, UploadReader};
pub use self::values::{Values, collect_value, decode_value, value_from_text};
pub use self::violation::{Section, Violation, Violations};
pub use self::visit::{ShownUnder, Visit};
pub use self::wire::{DeclaredParts, Kind, Parts, Places, Style, Wire};
pub(crate) use self::wire::{Others, delimiter, read_part_header};
pub use self::words::{Words, serialize_word};
pub use crate::{__values as values, __words as words};
