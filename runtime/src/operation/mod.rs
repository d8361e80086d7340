//! The facts that generated code states: one constant [`Policy`] an operation, one [`Document`] a module.
//!
//! Nothing here decides anything. A reviewer reads these values in the generated file; the gate acts on them.

mod limit;

use std::time::Duration;

pub use limit::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};

use crate::cursor::Direction;

/// An operation of a document: a type that stands for it, and its policy.
///
/// Implemented by generated code and by `#[derive(Operation)]`.
pub trait Operation: Sized + Send + Sync + 'static {
    /// What the document says about this operation.
    const POLICY: &'static Policy;
    /// The document it stands in.
    const DOCUMENT: &'static Document;
}

/// An operation that no caller reaches without a credential: every alternative of its security names a scheme.
///
/// It gives [`Caller::principal`](crate::Caller::principal) without an `Option`.
pub trait Secured: Operation {}

/// An operation whose list is walked by cursor.
pub trait Paginated: Operation {
    /// [`Forward`](crate::Forward), or [`BothWays`](crate::BothWays) where the document names `previous`.
    type Direction: Direction;
}

/// An operation whose answers are kept, so that a call may be sent again without being done again.
pub trait Idempotent: Operation {
    /// Its declared answers.
    type Output: crate::answer::Output + Clone;
}

/// What a document says for all its operations.
#[derive(Debug)]
pub struct Document {
    /// `info.title`.
    pub title: &'static str,
    /// `info.version`.
    pub version: &'static str,
    /// SHA-256 of everything that was read to generate from it, in hexadecimal.
    pub hash: &'static str,
    /// The security schemes, in the order of the document.
    pub schemes: &'static [Scheme],
    /// The document's own limits by address and globally: they count what matches no operation, too.
    pub limits: &'static [Limit],
    /// What refusals look like.
    pub errors: ErrorForm,
}

/// What the body of a refusal looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorForm {
    /// `{"error":{"code","message","timestamp","request_id"}}`, as `application/json`.
    #[default]
    Envelope,
    /// Problem details (RFC 9457), as `application/problem+json`.
    ProblemJson,
}

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

/// What the document says about one operation, with every default made explicit.
#[derive(Debug)]
pub struct Policy {
    /// `operationId`.
    pub id: &'static str,
    /// The method, as it is sent: names of methods are case-sensitive (RFC 9110 section 9.1).
    pub method: &'static str,
    /// The path template, e.g. `/accounts/{accountId}`.
    pub path: &'static str,
    /// Who may call.
    pub access: Access,
    /// How and when its user must have logged in, if that matters.
    pub step_up: Option<StepUp>,
    /// The limits that apply, in the order of the document.
    pub limits: &'static [Limit],
    /// Every declared parameter, so that an undeclared one is refused.
    pub parameters: &'static [Parameter],
    /// The request body, if one is declared.
    pub body: Option<Body>,
    /// Deadline for the whole operation.
    pub timeout: Duration,
    /// What it gives way to when there is too much to do.
    pub priority: Priority,
    /// Whether a call is told of before it is done, and how it ended.
    pub audit: bool,
    /// The object it is about, if it is about one.
    pub ownership: Option<Ownership>,
    /// How its list is walked, if it is a list.
    pub pagination: Option<Pagination>,
    /// Whether a call that is sent again is not done again.
    pub idempotency: Option<Idempotency>,
    /// Whether a call is an attempt to log in.
    pub login: Option<Login>,
    /// The declared statuses.
    pub answers: &'static [Status],
}

/// How much an operation matters when more handlers are at work than the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// It gives way to none.
    Critical,
    /// It gives way to what is critical.
    Normal,
    /// It gives way to all others.
    Batch,
}

/// Who may call: a public reason, or an OR of ANDs of schemes with scopes.
#[derive(Debug)]
pub enum Access {
    /// Everybody, for the reason that the document gives.
    Public(&'static str),
    /// Whoever satisfies one of the alternatives, in the order of the document.
    Any(&'static [Alternative]),
}

/// A combination that holds only whole. Empty stands for the anonymous alternative `{}`.
pub type Alternative = &'static [Need];

/// One scheme of a combination, and the scopes it must grant.
#[derive(Debug)]
pub struct Need {
    /// Name of the scheme.
    pub scheme: &'static str,
    /// Every one of these must be granted by this scheme's credential.
    pub scopes: &'static [&'static str],
}

/// How and when the user of a token must have logged in (RFC 9470).
#[derive(Debug)]
pub struct StepUp {
    /// `acr` of the token must be one of these, the preferred one first. Empty: any will do.
    pub acr: &'static [&'static str],
    /// Longest accepted time since `auth_time` of the token.
    pub max_age: Option<Duration>,
}

/// A declared parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, as in the document.
    pub name: &'static str,
    /// Where it stands.
    pub location: Location,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of OpenAPI")]
pub enum Location {
    Path,
    Query,
    /// All of the query, as one value.
    QueryString,
    Header,
    Cookie,
}

/// A declared request body.
#[derive(Debug)]
pub struct Body {
    /// The media types that are accepted.
    pub media_types: &'static [&'static str],
    /// Whether a request without one is refused.
    pub required: bool,
    /// Largest accepted size in bytes.
    pub max: usize,
    /// Deepest accepted nesting.
    pub depth: usize,
}

/// The object-level rule: whose object it is.
#[derive(Debug)]
pub struct Ownership {
    /// The resource, as under `x-palisade.resources`.
    pub resource: &'static str,
    /// The path parameter that identifies the object.
    pub id: &'static str,
    /// The attribute that must equal the principal's subject.
    pub owner: &'static str,
    /// Who holds this scope may touch every object.
    pub or_scope: Option<&'static str>,
}

/// How a list is walked by cursor.
#[derive(Debug)]
pub struct Pagination {
    /// The query parameter that carries the cursor.
    pub cursor: &'static str,
    /// The query parameter that bounds the page.
    pub limit: &'static str,
    /// How long a cursor is good.
    pub ttl: Duration,
}

/// A call that is sent again under its key gets the answer of the first and is not done again
/// (`x-palisade.idempotency`).
#[derive(Debug)]
pub struct Idempotency {
    /// Whether a call without an `Idempotency-Key` is refused.
    pub required: bool,
    /// How long an answer is kept, from when it was made.
    pub ttl: Duration,
    /// What becomes of a call when nobody knows what became of the one before it.
    pub rerun: Rerun,
    /// What an answer of before takes from the limits of its principal.
    pub replays: Replays,
    /// Where clients read about it.
    pub docs: Option<&'static str>,
    /// How long the body of an answer is at most, in bytes.
    pub longest: usize,
}

/// What an answer that a call gets again takes from the limits of its principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replays {
    /// Nothing: what it was charged is given back.
    Free,
    /// What a call takes that is done.
    Counted,
}

/// Whether a handler may run again when nobody knows what became of it: its process ended, or it panicked or took too
/// long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// The call is refused.
    Never,
    /// It is safe to: what was done is not done again, or not harmful.
    Safe,
}

/// An operation that is a login: its handler verifies who calls, and calls that fail are counted as attempts
/// (`x-palisade.login`).
#[derive(Debug)]
pub struct Login {
    /// The member of the body that names the account.
    pub account: &'static str,
}

/// A declared status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// One status.
    Exactly(u16),
    /// `1XX` to `5XX`: the hundred.
    Range(u16),
    /// `default`.
    Any,
}

impl Policy {
    /// Whether the document declares this status for the operation.
    #[must_use]
    pub const fn declares(&self, status: u16) -> bool {
        let mut rest = self.answers;
        while let [first, tail @ ..] = rest {
            match *first {
                Status::Exactly(exactly) if exactly == status => return true,
                Status::Range(hundred) if hundred == status / 100 => return true,
                Status::Any => return true,
                Status::Exactly(_) | Status::Range(_) => rest = tail,
            }
        }
        false
    }

    /// Whether *every* way into the operation grants `scope`.
    ///
    /// A right that one alternative lacks is not held: see [`Holds`](crate::Holds).
    #[must_use]
    pub const fn always_grants(&self, scope: &str) -> bool {
        let Access::Any(mut alternatives) = self.access else { return false };
        if alternatives.is_empty() {
            return false;
        }
        while let [alternative, rest @ ..] = alternatives {
            if !grants(alternative, scope) {
                return false;
            }
            alternatives = rest;
        }
        true
    }
}

const fn grants(mut needs: &[Need], scope: &str) -> bool {
    while let [need, rest @ ..] = needs {
        let mut scopes = need.scopes;
        while let [granted, tail @ ..] = scopes {
            if same(granted.as_bytes(), scope.as_bytes()) {
                return true;
            }
            scopes = tail;
        }
        needs = rest;
    }
    false
}

const fn same(mut one: &[u8], mut other: &[u8]) -> bool {
    loop {
        match (one, other) {
            ([], []) => return true,
            ([a, one_rest @ ..], [b, other_rest @ ..]) if *a == *b => (one, other) = (one_rest, other_rest),
            _ => return false,
        }
    }
}
