//! Security events of an issuer, in the words of the OWASP logging vocabulary.
//!
//! Those at the endpoints tell of the request; where an application calls the issuer itself there is none, and its facts are `-`.
//! `family` is the public half of a refresh token, enough to follow one through the log.

use super::family::Refusal;
use crate::ProofFault;
use crate::authn::Identity;
use crate::event::{AccountEvent, Kind, Severity};

/// Of whom an event speaks.
pub(super) struct About<'a> {
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) client: &'a str,
    pub(super) family: &'a str,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Created,
    Revoked(Why),
    /// All signing keys, because one may have been stolen.
    KeysReplaced,
    Refused(Refusal),
    /// Nobody that the issuer knows asks.
    UnknownClient,
    BadProof(ProofFault),
}

/// Why a family or a token was revoked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    SignedOut,
    Reused,
    Everywhere,
    ByClient,
}

impl Event {
    const fn kind(self) -> (&'static str, &'static str, Severity) {
        match self {
            Self::Created => ("authn_token_created", "-", Severity::Low),
            Self::BadProof(ProofFault::Replayed) => ("authn_token_reuse", "proof_replayed", Severity::High),
            Self::BadProof(fault) => ("authn_login_fail", fault.code(), Severity::Medium),
            Self::UnknownClient => ("authn_login_fail", "client_unknown", Severity::Medium),
            Self::KeysReplaced => ("authn_token_revoked", "signing_keys_replaced", Severity::High),
            Self::Revoked(why) => ("authn_token_revoked", why.text(), Severity::Low),
            Self::Refused(refusal) => match refusal {
                Refusal::Reused => ("authn_token_reuse", "refresh_token_reused", Severity::High),
                Refusal::Revoked => ("authn_token_reuse", "family_revoked", Severity::Medium),
                Refusal::Foreign => ("authz_fail", "refresh_token_of_another_client", Severity::High),
                Refusal::NotGenuine => ("authn_login_fail", "refresh_token_unknown", Severity::Medium),
                Refusal::Unproven => ("authn_login_fail", "refresh_token_without_its_key", Severity::High),
                Refusal::Ended => ("authn_login_fail", "family_ended", Severity::Low),
                Refusal::Scope => ("authz_fail", "scope_not_granted", Severity::Medium),
                Refusal::TooMany { .. } => ("excess_rate_limit_exceeded", "live_tokens", Severity::Medium),
            },
        }
    }

    pub(super) fn emit(self, about: &About<'_>) {
        let (event_type, reason, severity) = self.kind();
        AccountEvent {
            kind: Kind { event_type, severity },
            reason,
            identity: Identity { issuer: about.issuer, subject: about.subject, tenant: None },
            client: about.client,
            family: about.family,
        }
        .emit();
    }
}

impl Why {
    const fn text(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Reused => "refresh_token_reused",
            Self::Everywhere => "signed_out_everywhere",
            Self::ByClient => "by_its_client",
        }
    }
}
