//! What a script of another origin must be told that it may read of an answer.

/// The header fields that the runtime writes and that scripts of other origins read only where `Access-Control-Expose-Headers`
/// names them (Fetch standard, section 3.3.4): for the CORS layer of an application, beside those of its own answers.
///
/// Without the fields that are for browsers themselves, such as `Content-Security-Policy`.
///
/// ```
/// let exposed = palisade::EXPOSED_HEADERS.map(http::HeaderName::from_static);
/// assert!(exposed.contains(&http::header::RETRY_AFTER));
/// ```
pub const EXPOSED_HEADERS: [&str; 12] = [
    "allow",
    "dpop-nonce",
    "idempotent-replayed",
    "link",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];
