//! What a client posts: a form, read strictly.
//!
//! Rules:
//! 1. `application/x-www-form-urlencoded`, UTF-8, at most [`MOST_BYTES`] and [`MOST_PAIRS`], all of it within [`PATIENCE`];
//! 2. no parameter comes twice, known or not, and one without a value is as if it were not there (RFC 6749 section 3.2);
//! 3. parameters that are not known are ignored (the same section).

use std::{collections::BTreeMap, time::Duration};

use axum::body::Body;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, Limited};
use zeroize::Zeroizing;

use crate::input::form_decoded;

const MOST_BYTES: usize = 16 * 1024;
const MOST_PAIRS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(10);
/// A scope is kept in each record and stands in each token.
const LONGEST_SCOPE: usize = 2048;

/// The parameters that came. Their values are wiped.
pub(crate) struct Form(BTreeMap<String, Zeroizing<String>>);

/// The body is no form, or too large, or did not come in time.
pub(crate) struct NoForm;

impl Form {
    pub(crate) async fn receive(headers: &HeaderMap, body: Body) -> Result<Self, NoForm> {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(NoForm);
        }
        let received = tokio::time::timeout(PATIENCE, Limited::new(body, MOST_BYTES).collect()).await;
        let bytes = received.map_err(|_| NoForm)?.map_err(|_| NoForm)?.to_bytes();
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self, NoForm> {
        let text = std::str::from_utf8(bytes).map_err(|_| NoForm)?;
        let mut pairs = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = form_decoded(name).map_err(|_| NoForm)?.into_owned();
            let value = Zeroizing::new(form_decoded(value).map_err(|_| NoForm)?.into_owned());
            if pairs.len() == MOST_PAIRS || pairs.insert(name, value).is_some() {
                return Err(NoForm);
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter, if it has one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// RFC 6749 section 3.3.
pub(super) fn is_scope(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    text.len() <= LONGEST_SCOPE && text.split(' ').all(word)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(text: &str) -> Option<Form> {
        Form::parse(text.as_bytes()).ok()
    }

    #[test]
    fn a_form_is_read_once_and_strictly() {
        let form = parse("grant_type=refresh_token&scope=a+b%20c&empty=&other").unwrap();
        assert_eq!(form.get("grant_type"), Some("refresh_token"));
        assert_eq!(form.get("scope"), Some("a b c"));
        assert_eq!((form.get("empty"), form.get("other"), form.get("none")), (None, None, None));
        assert!(parse("").is_some());
        for bad in ["a=1&a=1", "a=1&%61=2", "a=&a=", "a=%", "a=%ff", "a=%00", "%zz=1"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        let pairs = |count: usize| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert!(parse(&pairs(MOST_PAIRS)).is_some());
        assert!(parse(&pairs(MOST_PAIRS + 1)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_that_does_not_end_within_ten_seconds_is_none() {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
        let after = async |millis| {
            let late = async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok::<_, std::io::Error>("a=1")
            };
            let body = Body::from_stream(futures_util::stream::once(late));
            let begun = tokio::time::Instant::now();
            let form = tokio::time::timeout(Duration::from_secs(60), Form::receive(&headers, body)).await;
            (form.is_ok_and(|form| form.is_ok()), begun.elapsed().as_secs())
        };
        assert_eq!(after(9_900).await, (true, 9));
        assert_eq!(after(3_600_000).await, (false, 10));
    }

    #[test]
    fn scopes_are_words_with_single_spaces() {
        assert!(is_scope("accounts:read transfers:write"));
        for bad in ["", " a", "a ", "a  b", "a\tb", "a\"b", "a\\b", "ä"] {
            assert!(!is_scope(bad), "{bad}");
        }
        assert!(!is_scope(&"a".repeat(LONGEST_SCOPE + 1)));
    }
}
