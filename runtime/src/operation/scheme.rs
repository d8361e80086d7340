//! What a document says of its security schemes.

use std::time::Duration;

/// A security scheme of the document.
#[derive(Debug)]
pub struct Scheme {
    /// Its name under `components.securitySchemes`.
    pub name: &'static str,
    /// How a credential of it is presented and what it must satisfy.
    pub kind: SchemeKind,
}

/// The kinds of scheme that the runtime verifies.
#[derive(Debug)]
pub enum SchemeKind {
    /// `http` bearer, `oauth2` or `openIdConnect`: a token in `Authorization`, under `Bearer`, or under `DPoP` where tokens
    /// are bound to keys.
    Bearer(TokenRules),
    /// `apiKey`.
    ApiKey(KeyRules),
    /// `http` basic.
    Basic,
    /// `mutualTLS`: a client certificate.
    MutualTls(CertificateRules),
}

/// What a bearer token must satisfy (`x-palisade` on the scheme).
#[derive(Debug)]
pub struct TokenRules {
    /// What a token is, and how it is verified.
    pub token: Token,
    /// `iss` must be exactly this. `None`: the server's configuration names it.
    pub issuer: Option<&'static str>,
    /// `aud` must contain this. `None`: the server's configuration names it.
    pub audience: Option<&'static str>,
    /// Clock difference that is tolerated.
    pub leeway: Duration,
    /// Longest accepted time between `iat` and now.
    pub max_lifetime: Option<Duration>,
    /// Path of the claim that carries the scopes, e.g. `["scope"]`.
    pub scopes_claim: &'static [&'static str],
    /// Path of the claim that names the tenant, which every token has then, e.g. `["org_id"]`. Empty: there are no tenants.
    pub tenant_claim: &'static [&'static str],
    /// What a token must be bound to.
    pub binding: Binding,
    /// Whether the denylist is asked about each token.
    pub revocation: Revocation,
}

/// What a token is, and how it is verified (`x-palisade.token`).
#[derive(Clone, Copy, Debug)]
pub enum Token {
    /// A signed token (RFC 7519), verified by the keys of its issuer.
    Jwt {
        /// The signature algorithms that are accepted, and no others.
        algorithms: &'static [Algorithm],
        /// The `typ` header that is accepted, `at+jwt` by default (RFC 9068 section 4). `None`: the document opted out.
        typ: Option<&'static str>,
    },
    /// A token that only its issuer can read, who is asked about it (RFC 7662).
    Introspected {
        /// How long an answer may be used again. `None`: each request asks anew.
        cache: Option<Duration>,
    },
}

/// Whether the denylist is asked about each token (`x-palisade.revocation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// A token is good until it expires.
    None,
    /// A token is good until it expires or is revoked.
    Required,
}

/// What a token must be bound to, so that who finds it cannot use it (`x-palisade.binding`).
///
/// A token that says of itself what it is bound to is checked for it under every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Binding {
    /// Tokens of the bearer are accepted.
    None,
    /// Every token is bound to the client's certificate (RFC 8705 section 3).
    Certificate,
    /// Every token is bound to a key of the client, which signs a proof for each request (DPoP, RFC 9449).
    Proof {
        /// Whether a proof must name a nonce of this server (RFC 9449 section 9).
        nonce: bool,
    },
}

/// What a client certificate must say.
#[derive(Debug)]
pub struct CertificateRules {
    /// Which of its names is the principal.
    pub subject: SubjectName,
}

/// The name in a certificate that says whose it is (RFC 8705 section 2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectName {
    /// The distinguished name of the subject, in the form of RFC 4514.
    Distinguished,
    /// The only DNS name among the alternative names.
    Dns,
    /// The only URI, such as a SPIFFE id.
    Uri,
    /// The only mail address.
    Email,
    /// The only IP address.
    Ip,
}

/// Signature algorithms (RFC 7518 section 3.1, RFC 8037, RFC 9864).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the registered names speak for themselves")]
#[non_exhaustive]
pub enum Algorithm {
    HS256,
    RS256,
    PS256,
    ES256,
    ES384,
    EdDSA,
}

/// How an API key is presented.
#[derive(Debug)]
pub struct KeyRules {
    /// Where the key stands.
    pub location: KeyLocation,
    /// The prefix that every key of this scheme starts with, for secret scanners.
    pub prefix: Option<&'static str>,
    /// How old a key may become; an older one is refused.
    pub rotate_within: Option<Duration>,
}

/// Where an API key stands in a request.
#[derive(Debug, Clone, Copy)]
pub enum KeyLocation {
    /// A header of this name.
    Header(&'static str),
    /// A cookie of this name.
    Cookie(&'static str),
    /// A query parameter of this name: the document says why it may stand there.
    Query(&'static str),
}
