//! Bodies of `multipart/form-data` (RFC 7578) and of other multipart types (RFC 2046), cut as they arrive.
//!
//! 1. The boundary is 1 to 70 characters of RFC 2046 section 5.1.1. Nothing stands before the first delimiter, nothing
//!    but a line end behind the last, and no padding on a delimiter's line: what two readers could cut differently is
//!    refused.
//! 2. At most 256 parts, those inside of parts included, each with at most 4 KiB of header fields.
//! 3. A part has one `Content-Disposition: form-data` with a `name`, or parts are told by their order or their places, and
//!    then it may have any disposition or none; no header field has control characters, and a
//!    `Content-Type` is a media type. An encoding of its content is refused (RFC 7578 section 4.7 deprecates them).
//! 4. The media type of a part is one that the document says, or fits its kind. A part of another is read and not kept.
//! 5. The header fields that the document declares of a part are read as those of a request are; others are ignored.
//! 6. A file is an [`Upload`]; of one that is longer than its `maxLength` nothing is kept. What is no file stays in memory,
//!    of one body at most 1 MiB.
//! 7. A part that is declared as parts itself is read whole, and cut by the same rules. How deep that goes, the document says.

mod cut;
mod declared;
mod head;
mod headers;
mod kept;
mod places;
mod tree;

use bytes::Bytes;

use self::cut::{Cutter, Source, boundary};
pub use self::declared::Declared;
pub use self::headers::Parts;
pub(crate) use self::headers::read_part_header;
pub(in crate::input) use self::headers::{multipart_with_headers, with_headers_in_order};
use self::kept::Memory;
pub(in crate::input) use self::kept::PARTS_IN_MEMORY;
pub use self::places::Places;
pub(in crate::input) use self::places::{by_place, by_place_with_headers};
pub(crate) use self::tree::delimiter;
pub(in crate::input) use self::tree::{in_order, multipart};
use super::{Kind, Wire};
use crate::input::arriving::Arrival;
use crate::input::upload::Spool;
use crate::input::{Expected, InputError, Upload};

/// A part that came whole.
#[derive(Debug)]
pub(in crate::input) struct Part {
    name: String,
    /// Whether it was kept as a file.
    is_file: bool,
    content: Result<Upload, Expected>,
    /// The parts that it is, where it is declared as such.
    inner: Vec<Self>,
    /// The lines of each header field that is declared of it and came.
    headers: Vec<(&'static Wire, Vec<String>)>,
}

/// Reads the parts of a body. `None`: it has not a byte.
///
/// # Errors
/// Why it is no multipart body, or not kept.
pub(in crate::input) async fn parts(
    arrival: Arrival<'_>,
    content_type: &str,
    declared: Declared,
    max: usize,
    spool: &Spool,
) -> Result<Option<Vec<Part>>, InputError> {
    let boundary = boundary(content_type).ok_or(InputError::Syntax)?;
    let mut cutter = Cutter::new(Source::Arrival(arrival), boundary, max, declared.is_named());
    if !cutter.begin().await? {
        return Ok(None);
    }
    all(&mut cutter, declared, &mut Memory::default(), spool).await.map(Some)
}

/// Rule 7: the parts that a part is.
async fn inside(
    content: Bytes,
    content_type: Option<&str>,
    declared: Declared,
    memory: &mut Memory,
    spool: &Spool,
) -> Result<Vec<Part>, InputError> {
    let boundary = content_type.and_then(boundary).ok_or(InputError::Syntax)?;
    let mut cutter = Cutter::new(Source::Held(content), boundary, usize::MAX, declared.is_named());
    match cutter.begin().await? {
        true => Box::pin(all(&mut cutter, declared, memory, spool)).await,
        false => Err(InputError::Syntax),
    }
}

async fn all(
    cutter: &mut Cutter<'_>,
    declared: Declared,
    memory: &mut Memory,
    spool: &Spool,
) -> Result<Vec<Part>, InputError> {
    let mut parts = Vec::new();
    while let Some(head) = cutter.head().await? {
        memory.one_more()?;
        let field = declared.of(&head.name, parts.len());
        let content = kept::content(cutter, &head, field, memory, spool).await?;
        let content =
            content.map(|upload| upload.said(head.file_name.as_deref(), head.content_type.as_deref()));
        let inner = match (field.map(|field| field.kind), content.as_ref().ok().and_then(Upload::in_memory)) {
            (Some(Kind::Parts(declared)), Some(bytes)) => {
                inside(bytes.clone(), head.content_type.as_deref(), declared, memory, spool).await?
            }
            _ => Vec::new(),
        };
        let headers = field.map(|field| field.headers).unwrap_or_default();
        let headers = headers.iter().map(|header| (header, head.lines(header.name)));
        let headers = headers.filter(|(_, lines)| !lines.is_empty()).collect();
        let is_file = declared::is_file(&head, field);
        let name = match (declared, field) {
            (Declared::ByPlace(_), Some(field)) => field.name.to_owned(),
            _ => head.name,
        };
        parts.push(Part { name, is_file, content, inner, headers });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body as Stream;
    use bytes::Bytes;
    use futures_util::stream;

    use super::super::super::no_rule;
    use super::super::super::sample::Part as Share;
    use super::kept::MOST_MEMORY;
    use super::*;
    use crate::input::arriving;
    use crate::settings::Settings;

    const TYPE_LINE: &str = "multipart/form-data; boundary=XX";
    const FIELDS: &[Wire] = &[
        Wire::text("share").kind(Kind::Scalar),
        Wire::text("inner").kind(Kind::Json),
        Wire::text("extra").kind(Kind::File).types(&["image/*", "text/plain"]),
    ];

    fn arrival(stream: Stream) -> Arrival<'static> {
        Arrival::new(stream, arriving::tests::sender(), PARTS_IN_MEMORY)
    }

    /// In frames of so many bytes.
    async fn cut(body: &[u8], frame: usize, fields: &'static [Wire]) -> Result<Vec<Part>, InputError> {
        let frames: Vec<_> =
            body.chunks(frame).map(|frame| Ok::<_, Infallible>(Bytes::copy_from_slice(frame))).collect();
        let spool = Spool::new(&Settings::new());
        let stream = Stream::from_stream(stream::iter(frames));
        parts(arrival(stream), TYPE_LINE, Declared::Named(fields), usize::MAX, &spool)
            .await
            .map(Option::unwrap_or_default)
    }

    /// However it comes, it is the same.
    fn read(body: &str) -> Result<Share, InputError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = |frame| {
            let parts = runtime.block_on(cut(body.as_bytes(), frame, FIELDS))?;
            Ok(multipart(&parts, FIELDS, 8, no_rule)?)
        };
        let whole = read(100_000);
        for frame in [1, 3, 64] {
            assert_eq!(read(frame), whole, "{frame} {body:?}");
        }
        whole
    }

    fn one(head: &str, content: &str) -> String {
        format!("--XX\r\n{head}\r\n\r\n{content}\r\n")
    }

    fn named(name: &str, content: &str) -> String {
        one(&format!("Content-Disposition: form-data; name=\"{name}\""), content)
    }

    #[test]
    fn parts_become_members() {
        let body = format!("{}{}--XX--\r\n", named("share", "5"), named("inner", r#"{"share":1}"#));
        let share = read(&body).unwrap();
        assert_eq!((share.share, share.inner.map(|inner| inner.share)), (5, Some(1)));
        assert!(read(&format!("{}--XX--", named("share", "5"))).is_ok(), "without the last line end");
    }

    #[tokio::test]
    async fn files_keep_their_bytes_and_their_name() {
        let head = "content-disposition: form-data; name=file; filename=\"../a\\\"b.png\"\r\nContent-Type: image/png";
        let body = format!("{}--XX--", one(head, "\r\n-\u{0}-X"));
        for frame in [1, 2, 5, 1000] {
            let parts = cut(body.as_bytes(), frame, &[]).await.unwrap();
            let file = parts[0].content.as_ref().unwrap();
            assert_eq!(&file.bytes(100).await.unwrap()[..], b"\r\n-\0-X");
            assert_eq!((file.file_name(), file.content_type()), (Some("a\"b.png"), Some("image/png")));
        }
    }

    #[tokio::test]
    async fn empty_parts_and_no_parts() {
        let body = format!("{}--XX--", named("a", ""));
        for frame in [1, 1000] {
            assert!(cut(body.as_bytes(), frame, &[]).await.unwrap()[0].content.as_ref().unwrap().is_empty());
            assert_eq!(cut(b"--XX--", frame, &[]).await.map(|parts| parts.len()), Ok(0));
        }
        let none = parts(
            arrival(Stream::empty()),
            TYPE_LINE,
            Declared::Named(&[]),
            9,
            &Spool::new(&Settings::new()),
        )
        .await;
        assert!(none.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_no_file_is_bounded_together() {
        let texts = |length: usize| {
            let half = "x".repeat(length / 2);
            format!("{}{}--XX--", named("a", &half), named("b", &half))
        };
        assert!(cut(texts(MOST_MEMORY).as_bytes(), 10_000, &[]).await.is_ok());
        let over = cut(texts(MOST_MEMORY + 2).as_bytes(), 10_000, &[]).await;
        assert_eq!(over.map(drop), Err(InputError::TooLarge));
    }

    #[tokio::test]
    async fn files_are_in_memory_up_to_a_bound_together() {
        let file = |name: usize| {
            one(&format!("Content-Disposition: form-data; name=a; filename=\"{name}\""), &"x".repeat(60_000))
        };
        let body: String = (0..30).map(file).collect();
        let parts = cut(format!("{body}--XX--").as_bytes(), 10_000, &[]).await.unwrap();
        let held = |part: &Part| part.content.as_ref().unwrap().in_memory().map_or(0, |bytes| bytes.len());
        assert_eq!(parts.iter().map(held).sum::<usize>(), 17 * 60_000, "of 30");
    }

    #[tokio::test]
    async fn a_file_that_is_too_long_or_of_another_type_is_not_kept() {
        const FILES: &[Wire] = &[
            Wire::text("short").kind(Kind::File).most(4),
            Wire::text("typed").kind(Kind::File).types(&["image/*"]),
        ];
        let rules = async |body: String| {
            let parts = cut(format!("{body}--XX--").as_bytes(), 3, FILES).await.unwrap();
            parts.into_iter().map(|part| part.content.err().map(|expected| expected.rule)).collect::<Vec<_>>()
        };
        assert_eq!(rules(named("short", "1234") + &named("short", "12345")).await, [None, Some("maxLength")]);
        let typed = |kind: &str| {
            one(&format!("Content-Disposition: form-data; name=typed\r\nContent-Type: {kind}"), "x")
        };
        assert_eq!(rules(typed("image/png") + &typed("text/html")).await, [None, Some("contentType")]);
    }

    #[test]
    fn what_two_readers_could_cut_differently_is_refused() {
        let good = named("share", "5");
        for body in [
            " ".to_owned(),
            good.clone(),
            format!("x{good}--XX--"),
            format!("\r\n{good}--XX--"),
            format!("{good}--XX-- "),
            format!("{good}--XX--\r\nx"),
            format!("{good}--XX"),
            good.replace("--XX\r\n", "--XX \r\n") + "--XX--",
            good.replace("\r\n", "\n") + "--XX--",
            format!("{}--XX--", one("Content-Type: text/plain", "5")),
            format!("{}--XX--", one("Content-Disposition: attachment; name=\"a\"", "5")),
            format!("{}--XX--", one("Content-Disposition: form-data; filename=\"a\"", "5")),
            format!("{}--XX--", one("Content-Disposition: form-data; name=\"a\"; name=\"b\"", "5")),
            format!("{}--XX--", one("Content-Disposition: form-data; name=\"a", "5")),
            format!(
                "{}--XX--",
                one("Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64", "5")
            ),
            format!(
                "{}--XX--",
                one(&format!("Content-Disposition: form-data; name=\"{}\"", "a".repeat(5000)), "5")
            ),
            format!("{}--XX--", named("a", "5").repeat(257)),
        ] {
            assert_eq!(read(&body), Err(InputError::Syntax), "{body:?}");
        }
    }

    #[test]
    fn violations_name_the_member() {
        let faults = |body: String| match read(&format!("{body}--XX--")) {
            Err(InputError::Invalid(found)) => {
                found.iter().map(|v| format!("{} {}", v.pointer, v.rule)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(faults(String::new()), ["/share required"]);
        assert_eq!(faults(named("share", "5").repeat(2)), ["/share duplicate"]);
        let typed = "Content-Disposition: form-data; name=\"share\"\r\nContent-Type: image/png";
        assert_eq!(faults(one(typed, "5")), ["/share contentType"]);
        assert_eq!(faults(named("share", "x") + &named("inner", "{")), ["/share type", "/inner type"]);
    }
}
