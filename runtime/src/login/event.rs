//! Security events of logins and sessions, in the words of the OWASP logging vocabulary.
//!
//! Those at the endpoints tell of the request; where an application ends sessions itself there is none, and its facts are `-`. What
//! a session is refused for at an operation, the events of the gate say.

use crate::authn::Identity;
use crate::event::{AccountEvent, Kind, Severity};

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// Somebody logged in, and has a session.
    Created,
    /// Somebody logged out.
    Ended,
    /// All sessions of a subject were ended.
    EndedAll,
    /// The provider ended sessions.
    EndedByProvider,
    /// Somebody would have ended sessions in the name of the provider.
    LogoutRefused(&'static str, Severity),
    /// A logout token was shown before.
    LogoutReplayed,
    /// The provider takes the session's tokens no more.
    TokensEnded,
    /// A login came to nothing.
    Failed(&'static str, Severity),
    /// Another site tried to log somebody out.
    CrossSite,
}

impl Event {
    const fn kind(self) -> (&'static str, &'static str, Severity) {
        match self {
            Self::Created => ("authn_login_success", "-", Severity::Low),
            Self::Ended => ("session_ended", "signed_out", Severity::Low),
            Self::EndedAll => ("session_ended", "signed_out_everywhere", Severity::Low),
            Self::EndedByProvider => ("session_ended", "logged_out_at_provider", Severity::Low),
            Self::LogoutRefused(why, severity) => ("authz_fail", why, severity),
            Self::LogoutReplayed => ("authn_token_reuse", "logout_token_replayed", Severity::Medium),
            Self::TokensEnded => ("authn_token_revoked", "refused_by_provider", Severity::Medium),
            Self::Failed(why, severity) => ("authn_login_fail", why, severity),
            Self::CrossSite => ("malicious_cross_site", "cross_site", Severity::Medium),
        }
    }

    /// `subject`: whom it is about, `-` where that is not known.
    pub(super) fn emit(self, issuer: &str, subject: &str) {
        let (event_type, reason, severity) = self.kind();
        let identity = Identity { issuer, subject, tenant: None };
        AccountEvent { kind: Kind { event_type, severity }, reason, identity, client: "-", family: "-" }
            .emit();
    }
}
