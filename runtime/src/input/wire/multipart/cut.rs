//! [`Cutter`]: a multipart body into its parts, as it arrives. It holds what it has not cut yet: a head, or as much of a
//! content as came at once.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use super::head::Head;
use crate::input::arriving::Arrival;
use crate::input::{InputError, media_type};

const LONGEST_HEAD: usize = 4096;

/// Where the bytes come from.
pub(super) enum Source<'a> {
    /// As they arrive.
    Arrival(Arrival<'a>),
    /// They are the content of a part, and are here.
    Held(Bytes),
}

impl Source<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, InputError> {
        match self {
            Self::Arrival(arrival) => arrival.next().await.transpose(),
            Self::Held(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
        }
    }
}

/// Cuts one body.
pub(super) struct Cutter<'a> {
    source: Source<'a>,
    /// Bytes that may still come.
    left: usize,
    buffer: BytesMut,
    /// The line end before a delimiter belongs to it.
    delimiter: Finder<'static>,
    /// Whether the line end that ends the head still stands before the content: an empty part shares it with the
    /// delimiter.
    fresh: bool,
    /// Whether parts have names.
    named: bool,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(source: Source<'a>, boundary: &str, max: usize, named: bool) -> Self {
        let delimiter = Finder::new(&format!("\r\n--{boundary}")).into_owned();
        Self { source, left: max, buffer: BytesMut::new(), delimiter, fresh: false, named }
    }

    /// Takes the first delimiter. `false`: there is no body at all.
    pub(super) async fn begin(&mut self) -> Result<bool, InputError> {
        let first = self.delimiter.needle().get(2..).unwrap_or_default().to_vec();
        if !self.hold(first.len()).await? && self.buffer.is_empty() {
            return Ok(false);
        }
        match self.buffer.starts_with(&first) {
            true => drop(self.buffer.split_to(first.len())),
            false => return Err(InputError::Syntax),
        }
        Ok(true)
    }

    /// The head of the next part, behind a delimiter. `None`: that was the last.
    pub(super) async fn head(&mut self) -> Result<Option<Head>, InputError> {
        self.hold(2).await?;
        if self.buffer.starts_with(b"--") {
            // nothing but a line end behind the last
            self.hold(5).await?;
            return match self.buffer.get(2..) {
                Some(b"" | b"\r\n") => Ok(None),
                _ => Err(InputError::Syntax),
            };
        }
        // from the line end of the delimiter, so that a part without header fields is found as well
        let mut held = 4;
        let end = loop {
            let whole = !self.hold(held).await?;
            let seen = self.buffer.get(..self.buffer.len().min(LONGEST_HEAD)).unwrap_or_default();
            match memchr::memmem::find(seen, b"\r\n\r\n") {
                Some(end) if seen.starts_with(b"\r\n") => break end,
                None if !whole && seen.len() < LONGEST_HEAD => held = self.buffer.len() + 1,
                _ => return Err(InputError::Syntax),
            }
        };
        let head = self.buffer.split_to(end + 2);
        self.fresh = true;
        let text = std::str::from_utf8(&head).map_err(|_| InputError::Syntax)?;
        let fields = text.strip_prefix("\r\n").map(|fields| fields.strip_suffix("\r\n").unwrap_or(fields));
        fields.and_then(|fields| Head::read(fields, self.named)).map(Some).ok_or(InputError::Syntax)
    }

    /// What came next of the content. `None`: it has ended, and its delimiter is taken.
    pub(super) async fn content(&mut self) -> Result<Option<Bytes>, InputError> {
        let (line_end, delimiter) = (2, self.delimiter.needle().len());
        loop {
            let before = if self.fresh { line_end } else { 0 };
            if let Some(at) = self.delimiter.find(&self.buffer) {
                let data = self.buffer.split_to(at).freeze();
                let data = data.slice(before.min(data.len())..);
                if data.is_empty() {
                    drop(self.buffer.split_to(delimiter));
                    self.fresh = false;
                    return Ok(None);
                }
                self.fresh = false;
                return Ok(Some(data));
            }
            // the delimiter may have begun at the end of what is here
            let safe = (self.buffer.len() + 1).saturating_sub(delimiter);
            if safe > before {
                self.fresh = false;
                return Ok(Some(self.buffer.split_to(safe).freeze().slice(before..)));
            }
            if !self.hold(self.buffer.len() + 1).await? {
                return Err(InputError::Syntax);
            }
        }
    }

    /// Reads until so many bytes are here. `false`: the body ends before.
    async fn hold(&mut self, count: usize) -> Result<bool, InputError> {
        while self.buffer.len() < count {
            let Some(data) = self.source.next().await? else { return Ok(false) };
            self.left = self.left.checked_sub(data.len()).ok_or(InputError::TooLarge)?;
            self.buffer.extend_from_slice(&data);
        }
        Ok(true)
    }
}

/// Rule 1 of the [reader](super): RFC 2046 section 5.1.1.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let boundary = media_type::boundary(content_type)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let fits =
        (1..=70).contains(&boundary.len()) && boundary.bytes().all(allowed) && !boundary.ends_with(' ');
    fits.then_some(boundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("multipart/form-data; charset=utf-8; Boundary=\"a b:c\"", Some("a b:c")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a \"", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "a".repeat(71))), None);
    }
}
