//! One fetch of a key set (rule 1 of [`remote`](super)).

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use tokio::time::Instant;

use super::super::{JwkSet, key_set, key_set::Origin};
use super::{Remote, Whence};
use crate::outbound::{Address, Bounds, Reach};

pub(super) struct Answer {
    /// `None`: as it was (304).
    pub(super) changed: Option<(JwkSet, Option<(Address, HeaderValue)>)>,
    pub(super) max_age: Option<Duration>,
}

impl Remote {
    pub(super) async fn fetch(&self) -> Result<Answer, Cow<'static, str>> {
        let bounds = Bounds { until: Instant::now() + self.timing.answer, bytes: key_set::MAX_TEXT };
        let (address, reach) = match &self.whence {
            Whence::At(address) => (address.clone(), Reach::Anywhere),
            Whence::Discovered(discovery) => discovery.keys(&self.outbound, bounds).await?,
        };
        let reach = if self.inside_too.load(Ordering::SeqCst) { Reach::Anywhere } else { reach };
        let mut request = Request::get(address.uri().clone())
            .header(header::ACCEPT, "application/jwk-set+json, application/json");
        let etag = self.progress().etag.clone().filter(|(of, _)| *of == address);
        let conditional = etag.is_some();
        if let Some((_, etag)) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let request = request.body(Full::<Bytes>::default()).map_err(|_| "the request could not be made")?;
        let reply = self.outbound.call(request, bounds, reach).await.map_err(<&str>::from)?;
        let max_age = reply.headers.get(header::CACHE_CONTROL).and_then(max_age);
        match reply.status {
            StatusCode::NOT_MODIFIED if conditional => return Ok(Answer { changed: None, max_age }),
            StatusCode::OK => {}
            // redirects among them, and 304 to who has nothing that it could be about (RFC 9110 section 15.4.5)
            _ => return Err("a status other than 200".into()),
        }
        let text = std::str::from_utf8(&reply.body).map_err(|_| "the answer is not UTF-8")?;
        let loaded = key_set::read(text, Origin::Fetched).map_err(|error| error.to_string())?;
        let etag = reply.headers.get(header::ETAG).cloned();
        Ok(Answer { changed: Some((loaded.into(), etag.map(|etag| (address, etag)))), max_age })
    }
}

pub(super) fn max_age(value: &HeaderValue) -> Option<Duration> {
    let directives = value.to_str().ok()?.split(',');
    let seconds = directives.filter_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse().ok()).flatten()
    });
    seconds.map(Duration::from_secs).next()
}
