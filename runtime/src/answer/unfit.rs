//! Why an answer may not leave.

use crate::input::Violations;
use crate::problem::Problem;

/// Why an answer may not leave. The log shows it; the client gets 500.
#[derive(Debug)]
pub enum Unfit {
    /// The value violates its schema.
    Violates(Violations),
    /// The value cannot be written as JSON.
    Unserializable(serde_json::Error),
    /// The status is none that HTTP has, or none that the variant may carry.
    Status(u16),
    /// The media type is none, or none of the range that the document declares.
    MediaType,
    /// The value of a header cannot be written.
    Header(&'static str),
    /// The value of a field of a server-sent event cannot be written.
    EventField(&'static str),
    /// What is to be a form is no object.
    NoObject,
    /// The value of a member of a form cannot be written.
    Member(&'static str),
    /// The header fields of a part are missing, or are given for a part that is not there.
    PartHeaders(&'static str),
    /// A file of a notice is on disk, and its body is in memory.
    OnDisk,
    /// The system gives no random bytes.
    NoRandom,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Violates(violations) => {
                f.write_str("answer_violates_schema")?;
                violations
                    .iter()
                    .try_for_each(|violation| write!(f, " {}:{}", violation.pointer, violation.rule))
            }
            Self::Unserializable(error) => write!(f, "answer_unserializable: {error}"),
            Self::Status(status) => write!(f, "answer_status_undeclared: {status}"),
            Self::MediaType => f.write_str("answer_media_type_undeclared"),
            Self::Header(name) => write!(f, "answer_header_unwritable: {name}"),
            Self::EventField(name) => write!(f, "answer_event_field_unwritable: {name}"),
            Self::NoObject => f.write_str("answer_form_of_no_object"),
            Self::Member(name) => write!(f, "answer_member_unwritable: {name}"),
            Self::PartHeaders(name) => write!(f, "answer_part_headers_unfit: {name}"),
            Self::OnDisk => f.write_str("answer_file_on_disk"),
            Self::NoRandom => f.write_str("answer_without_random_bytes"),
        }
    }
}

impl std::error::Error for Unfit {}

/// What the document does not describe is the server's own fault.
impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        Self::internal(unfit)
    }
}
