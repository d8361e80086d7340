//! Who may do what: requirements, scopes, resources, ownership, pagination.

use std::time::Duration;

use foldhash::HashSet;

use super::{Docs, ResourceId, SchemeId};

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, for the reason that the document gives.
    Public(String),
    /// Whoever satisfies one of the alternatives, in the order of the document. Never empty.
    Any(Vec<Alternative>),
}

/// Operations that nobody decided about, served as public by the choice of whoever generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedPublic {
    /// The reason that was given for all of them.
    pub reason: String,
    /// Method and path of each, in the order of the document.
    pub operations: Vec<String>,
}

/// A combination of schemes that holds only whole. Empty stands for the anonymous alternative `{}`.
pub type Alternative = Vec<Need>;

/// One scheme of a combination, and the scopes it must grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The scheme.
    pub scheme: SchemeId,
    /// Every one of these must be granted by this scheme's credential.
    pub scopes: Vec<String>,
}

impl Access {
    /// Whether no caller gets in without a credential.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        match self {
            Self::Public(_) => false,
            Self::Any(alternatives) => {
                !alternatives.is_empty() && alternatives.iter().all(|all| !all.is_empty())
            }
        }
    }

    /// The scopes that *every* alternative grants: what one of them lacks is not held.
    #[must_use]
    pub fn always_granted(&self) -> HashSet<&str> {
        let Self::Any(alternatives) = self else { return HashSet::default() };
        let each = alternatives.iter().map(|all| -> HashSet<&str> {
            all.iter().flat_map(|need| &need.scopes).map(String::as_str).collect()
        });
        each.reduce(|held, granted| held.intersection(&granted).copied().collect()).unwrap_or_default()
    }
}

/// `x-palisade.step-up`: how and when the user of a token must have logged in (RFC 9470).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// `acr` must be one of these, the preferred one first. Empty: any will do.
    pub acr: Vec<String>,
    /// Longest time since `auth_time`, in whole seconds.
    pub max_age: Option<Duration>,
}

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// What a flow says about it.
    pub description: Option<String>,
}

/// What object-level rules are about: an entry of `x-palisade.resources`.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name there.
    pub name: String,
    /// What rules read of it, in the order of the document.
    pub attributes: Vec<Attribute>,
}

/// An attribute of a resource.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: AttributeKind,
}

/// The types that attributes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// `string`
    String,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
}

/// `x-palisade.authorize`: whose object an operation is about.
#[derive(Clone, Debug)]
pub struct Ownership {
    /// The resource.
    pub resource: ResourceId,
    /// The path parameter that identifies the object, without `path.`.
    pub id: String,
    /// The attribute that must equal the principal's subject.
    pub owner: String,
    /// Who holds this scope may touch every object.
    pub or_scope: Option<String>,
}

/// `x-palisade.idempotency`: a call that is sent again is not done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whether a call without a key is refused.
    pub required: bool,
    /// How long an answer is kept, from when it was made.
    pub ttl: Duration,
    /// Whether the handler may run again where nobody knows what became of it.
    pub rerun: bool,
    /// Whether an answer of before stays charged to limits of its principal.
    pub counts_replays: bool,
    /// Where clients read about it: `externalDocs.url` of the operation, or of the document.
    pub docs: Option<String>,
}

/// `x-palisade.login`: a call is an attempt to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The member of the body that names the account, without `body.`.
    pub account: String,
}

/// `x-palisade.pagination`: how a list is walked by cursor.
#[derive(Clone, Debug)]
pub struct Pagination {
    /// The query parameter that carries the cursor. It stands among the operation's parameters as well.
    pub cursor: String,
    /// The query parameter that bounds the page.
    pub limit: String,
    /// The member of the answer that holds the page's items.
    pub items: String,
    /// The member of the answer that holds the next cursor.
    pub next: String,
    /// The member that holds the cursor of the page before, where the list is walked back as well.
    pub previous: Option<String>,
    /// How long a cursor is good.
    pub ttl: Duration,
}

impl Pagination {
    /// The members of the answer that hold cursors.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.next).chain(self.previous.as_deref())
    }
}

impl Scope {
    /// A scope that only an operation names.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), description: None }
    }

    /// Its description as prose.
    #[must_use]
    pub fn docs(&self) -> Docs {
        Docs { description: self.description.clone(), ..Docs::default() }
    }
}

/// What refusals look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorForm {
    /// The envelope of palisade.
    #[default]
    Envelope,
    /// Problem details (RFC 9457).
    ProblemJson,
}

impl ErrorForm {
    /// The runtime's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "Envelope",
            Self::ProblemJson => "ProblemJson",
        }
    }
}
