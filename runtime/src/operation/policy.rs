//! What a document says of one operation.

use std::time::Duration;

use super::Limit;

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
