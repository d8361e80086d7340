//! Security schemes, as the runtime's `operation` states them.

use std::time::Duration;

use super::Docs;

/// A scheme under `components.securitySchemes`.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Its name there.
    pub name: String,
    /// The word the document has for it.
    pub word: SchemeWord,
    /// How a credential of it is presented, and what it must satisfy.
    pub kind: SchemeKind,
    /// What the document says about it.
    pub docs: Docs,
}

/// The `type` (and `scheme`) of a security scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeWord {
    /// `http` with scheme `bearer`.
    Bearer,
    /// `oauth2`.
    OAuth2,
    /// `openIdConnect`.
    OpenIdConnect,
    /// `apiKey`.
    ApiKey,
    /// `http` with scheme `basic`.
    Basic,
    /// `mutualTLS`.
    MutualTls,
}

impl SchemeWord {
    /// As written in a sentence about the scheme.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "http bearer",
            Self::OAuth2 => "oauth2",
            Self::OpenIdConnect => "openIdConnect",
            Self::ApiKey => "apiKey",
            Self::Basic => "http basic",
            Self::MutualTls => "mutualTLS",
        }
    }
}

/// The kinds of scheme that the runtime verifies.
#[derive(Clone, Debug)]
pub enum SchemeKind {
    /// `http` bearer, `oauth2` or `openIdConnect`.
    Bearer(TokenRules),
    /// `apiKey`.
    ApiKey(KeyRules),
    /// `http` basic.
    Basic,
    /// `mutualTLS`.
    MutualTls(CertificateRules),
}

/// What a bearer token must satisfy (`x-palisade` on the scheme), defaults made explicit.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// What a token is, and how it is verified.
    pub token: Token,
    /// `iss` must be exactly this. `None`: the server's configuration names it.
    pub issuer: Option<String>,
    /// `aud` must contain this. `None`: the server's configuration names it.
    pub audience: Option<String>,
    /// Clock difference that is tolerated.
    pub leeway: Duration,
    /// Longest accepted time between `iat` and now.
    pub max_lifetime: Option<Duration>,
    /// Path of the claim that carries the scopes.
    pub scopes_claim: Vec<String>,
    /// Path of the claim that names the tenant; empty where there are no tenants.
    pub tenant_claim: Vec<String>,
    /// What a token must be bound to.
    pub binding: Binding,
    /// Whether the denylist is asked about each token.
    pub revocation: Revocation,
}

/// What a token is, and how it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A signed token (RFC 7519), verified by the keys of its issuer.
    Jwt {
        /// The signature algorithms that are accepted, in the order of the document.
        algorithms: Vec<Algorithm>,
        /// The accepted `typ` header. `None`: the document opted out.
        typ: Option<String>,
    },
    /// A token that only its issuer can read, who is asked about it (RFC 7662).
    Introspected {
        /// How long an answer may be used again. `None`: each request asks anew.
        cache: Option<Duration>,
    },
}

/// Whether the denylist is asked about each token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// A token is good until it expires.
    None,
    /// A token is good until it expires or is revoked.
    Required,
}

impl Revocation {
    /// The runtime's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Required => "Required",
        }
    }
}

/// What a token must be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Tokens of the bearer are accepted.
    None,
    /// Every token is bound to the client's certificate (RFC 8705 section 3).
    Certificate,
    /// Every token is bound to a key of the client, which signs a proof for each request (RFC 9449).
    Proof {
        /// Whether a proof must name a nonce of the server.
        nonce: bool,
    },
}

/// What a client certificate must say.
#[derive(Clone, Debug)]
pub struct CertificateRules {
    /// Which of its names is the principal.
    pub subject: SubjectName,
}

/// The name in a certificate that says whose it is (RFC 8705 section 2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of the RFC")]
pub enum SubjectName {
    Distinguished,
    Dns,
    Uri,
    Email,
    Ip,
}

impl SubjectName {
    /// The runtime's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Distinguished => "Distinguished",
            Self::Dns => "Dns",
            Self::Uri => "Uri",
            Self::Email => "Email",
            Self::Ip => "Ip",
        }
    }
}

/// Signature algorithms (RFC 7518 section 3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registered names speak for themselves")]
pub enum Algorithm {
    HS256,
    RS256,
    PS256,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// The registered name, which is also the runtime's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }
}

/// How an API key is presented.
#[derive(Clone, Debug)]
pub struct KeyRules {
    /// Where the key stands.
    pub location: KeyLocation,
    /// The prefix that every key of this scheme starts with.
    pub prefix: Option<String>,
    /// How old a key may become.
    pub rotate_within: Option<Duration>,
}

/// Where an API key stands in a request.
#[derive(Clone, Debug)]
pub enum KeyLocation {
    /// A header of this name.
    Header(String),
    /// A cookie of this name.
    Cookie(String),
    /// A query parameter of this name: the document says why.
    Query(String),
}
