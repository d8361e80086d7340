//! Why a request was not authenticated: precise for the logs, coarse for the client.

use super::ProofFault;
use crate::breaker::LeftAlone;

/// A request that was not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    reason: Reason,
    scheme: Option<&'static str>,
}

/// What happened exactly. It goes into the security event and to no client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No credential was shown.
    Missing,
    /// Good credentials were shown, but no alternative of the operation is whole.
    Incomplete,
    /// A credential was shown twice; which one counts would be a guess.
    DuplicateCredential,
    /// `Authorization` carries a scheme that the operation does not take.
    UnsupportedScheme,
    /// The credential is not in its own form: base64, JSON, length, checksum.
    Malformed,
    /// An object of the token names a member twice (RFC 7515 section 4).
    DuplicateMember,
    /// `alg` is missing, `none`, unknown or not on the scheme's list.
    AlgorithmNotAllowed,
    /// The key of this `kid` is of another algorithm.
    AlgorithmMismatch,
    /// The token demands an extension that is not understood: `crit`, `b64`, `zip`, `enc`.
    UnsupportedHeader,
    /// The token brings its own key or says where to fetch it: `jwk`, `jku`, `x5u`, `x5c`.
    EmbeddedKey,
    /// `typ` is not the type that the scheme takes.
    WrongType,
    /// No key of the set has this `kid`, or the token has none and several keys fit.
    UnknownKid,
    /// The signature does not verify.
    BadSignature,
    /// A claim that must be there is not.
    MissingClaim,
    /// The claim that names the tenant is not there, or is no text, empty or over 256 bytes.
    NoTenant,
    /// Credentials that are asked for together name different tenants.
    TwoTenants,
    /// `exp` has passed.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
    /// The token was issued longer ago than the scheme accepts.
    TooOld,
    /// `iss` is not the issuer of the scheme.
    WrongIssuer,
    /// `aud` does not contain the audience of the scheme.
    WrongAudience,
    /// The token is an ID token (`nonce` or `at_hash`): it is for a client, not for an API.
    IdToken,
    /// The token is bound to a key (`cnf`) whose possession was not shown.
    BindingNotShown,
    /// The token is bound to another certificate or key than the one that was shown.
    BindingMismatch,
    /// The token is bound to nothing, or not to what the scheme asks for.
    NotBound,
    /// The proof beside the token (DPoP, RFC 9449 section 4.3) is missing or not good.
    Proof(ProofFault),
    /// Nobody whom the scheme trusts vouches for the certificate, or for this use of it.
    UntrustedCertificate,
    /// The certificate does not have the name that the scheme asks for, or has several.
    CertificateSubject,
    /// A development credential came from elsewhere than this machine.
    NotLoopback,
    /// No API key or user is registered under this name.
    UnknownIdentity,
    /// The name is known, the secret is not its secret.
    WrongSecret,
    /// The API key, user or token has been revoked.
    Revoked,
    /// The issuer says that the token is not active (RFC 7662 section 2.2).
    Inactive,
    /// The token lives longer than a revocation of it would be kept.
    LivesTooLong,
    /// The API key is older than the `rotate-within` of its scheme.
    RotationOverdue,
    /// The API key is bounded to other networks.
    KeyFromElsewhere,
    /// The API key is bounded to other operations.
    KeyOfOtherOperations,
    /// No session has this id: it is over, was logged out, or never was.
    NoSession,
    /// The session came with a request that another site may have made.
    CrossSite,
    /// The sessions cannot be asked at the moment.
    SessionsUnavailable,
    /// The state of the sessions failed, and is not asked for so many seconds.
    SessionsLeftAlone(u32),
    /// The keys that could verify it cannot be had at the moment.
    KeysUnavailable,
    /// The key that a token names may have been published since its issuer was last asked, who is asked again after so many seconds.
    KeyNotSought(u32),
    /// The issuer of the token cannot be asked about it at the moment.
    IntrospectionUnavailable,
    /// It gave no answer for a while, and is not asked for so many seconds.
    IntrospectionLeftAlone(u32),
    /// The denylist cannot be asked at the moment.
    RevocationUnknown,
    /// Where it is kept failed, and is not asked for so many seconds.
    RevocationLeftAlone(u32),
    /// Too many passwords are being verified, or too many tokens asked about.
    Busy,
    /// The clock or the random source of the machine cannot be relied on.
    MachineFault,
    /// As many attempts of this account, or from this network, have failed as may: the next may be made after so many seconds.
    TooManyAttempts(u32),
}

/// What the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 401.
    Unauthorized,
    /// 400 `invalid_request` (RFC 6750 section 3.1).
    InvalidRequest,
    /// 403: a browser would send this credential whoever made it send the request, and our own site did not.
    CrossSite,
    /// 429: its key has signed as many proofs as one client may, or as many attempts have failed as may.
    TooMany,
    /// 503: whether the credential is good cannot be known now.
    Unavailable,
}

impl Denied {
    /// What is shown to this scheme stands in another place, too.
    pub(crate) const fn twice(scheme: &'static str) -> Self {
        Self::of(scheme, Reason::DuplicateCredential)
    }

    pub(in crate::authn) const fn new(reason: Reason) -> Self {
        Self { reason, scheme: None }
    }

    pub(crate) const fn of(scheme: &'static str, reason: Reason) -> Self {
        Self { reason, scheme: Some(scheme) }
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The scheme whose credential was refused, if it was one scheme's.
    #[must_use]
    pub const fn scheme(&self) -> Option<&'static str> {
        self.scheme
    }

    /// What the client is told.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.reason.class()
    }
}

impl Reason {
    /// The word for the event's `failure_reason`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing_credential",
            Self::Incomplete => "incomplete_credentials",
            Self::DuplicateCredential => "duplicate_credential",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::Malformed => "malformed_credential",
            Self::DuplicateMember => "duplicate_member",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::UnsupportedHeader => "unsupported_header",
            Self::EmbeddedKey => "embedded_key",
            Self::WrongType => "wrong_type",
            Self::UnknownKid => "unknown_kid",
            Self::BadSignature => "bad_signature",
            Self::MissingClaim => "missing_claim",
            Self::NoTenant => "no_tenant",
            Self::TwoTenants => "two_tenants",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::TooOld => "too_old",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::IdToken => "id_token",
            Self::BindingNotShown => "binding_not_shown",
            Self::BindingMismatch => "binding_mismatch",
            Self::NotBound => "token_not_bound",
            Self::Proof(fault) => fault.code(),
            Self::UntrustedCertificate => "untrusted_certificate",
            Self::CertificateSubject => "certificate_subject",
            Self::NotLoopback => "not_loopback",
            Self::UnknownIdentity => "unknown_identity",
            Self::WrongSecret => "wrong_secret",
            Self::Revoked => "revoked",
            Self::Inactive => "inactive_token",
            Self::LivesTooLong => "lives_too_long",
            Self::IntrospectionUnavailable | Self::IntrospectionLeftAlone(_) => "introspection_unavailable",
            Self::RevocationUnknown | Self::RevocationLeftAlone(_) => "revocation_unknown",
            Self::RotationOverdue => "rotation_overdue",
            Self::KeyFromElsewhere => "key_from_elsewhere",
            Self::KeyOfOtherOperations => "key_of_other_operations",
            Self::NoSession => "no_session",
            Self::CrossSite => "cross_site",
            Self::SessionsUnavailable | Self::SessionsLeftAlone(_) => "sessions_unavailable",
            Self::KeysUnavailable => "keys_unavailable",
            Self::KeyNotSought(_) => "key_not_sought",
            Self::Busy => "verifier_busy",
            Self::MachineFault => "machine_fault",
            Self::TooManyAttempts(_) => "too_many_attempts",
        }
    }

    /// One that says for how many seconds nobody is asked.
    pub(in crate::authn) fn for_so_long(of: fn(u32) -> Self, left: LeftAlone) -> Self {
        of(u32::try_from(left.seconds()).unwrap_or(u32::MAX))
    }

    /// What the client is told.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::DuplicateCredential => Class::InvalidRequest,
            Self::CrossSite => Class::CrossSite,
            Self::Proof(ProofFault::TooMany) | Self::TooManyAttempts(_) => Class::TooMany,
            Self::KeysUnavailable
            | Self::KeyNotSought(_)
            | Self::SessionsUnavailable
            | Self::SessionsLeftAlone(_)
            | Self::IntrospectionUnavailable
            | Self::IntrospectionLeftAlone(_)
            | Self::RevocationUnknown
            | Self::RevocationLeftAlone(_)
            | Self::Busy
            | Self::MachineFault
            | Self::Proof(ProofFault::NoRoom | ProofFault::Unknown) => Class::Unavailable,
            _ => Class::Unauthorized,
        }
    }

    /// Whether a credential was shown and found bad, as opposed to none.
    #[must_use]
    pub const fn is_bad_credential(self) -> bool {
        // who does not know the nonce of this minute is told, and asks again
        let harmless = matches!(self, Self::Missing | Self::Incomplete | Self::Proof(ProofFault::Nonce));
        matches!(self.class(), Class::Unauthorized) && !harmless
    }

    /// Whether it is what guessing comes to: a credential for which nobody vouches, as opposed to one that was good elsewhere
    /// or before. See [`attempts`](crate::authn::attempts).
    pub(in crate::authn) const fn is_guess(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::DuplicateMember
                | Self::AlgorithmNotAllowed
                | Self::AlgorithmMismatch
                | Self::UnsupportedHeader
                | Self::EmbeddedKey
                | Self::WrongType
                | Self::UnknownKid
                | Self::BadSignature
                | Self::UnknownIdentity
                | Self::WrongSecret
        )
    }

    /// Whether nobody can tell one that was good before from one that is made up.
    pub(in crate::authn) const fn may_be_made_up(self) -> bool {
        matches!(self, Self::NoSession | Self::Inactive | Self::UntrustedCertificate)
    }

    /// Seconds until the client may try again.
    pub(crate) const fn wait(self) -> u64 {
        match self {
            Self::TooManyAttempts(seconds)
            | Self::KeyNotSought(seconds)
            | Self::SessionsLeftAlone(seconds)
            | Self::IntrospectionLeftAlone(seconds)
            | Self::RevocationLeftAlone(seconds) => seconds as u64,
            _ => 1,
        }
    }

    /// How far the verification came: of several schemes that read the same credential, the one that came
    /// farthest knows best what is wrong with it.
    pub(in crate::authn) const fn progress(self) -> u8 {
        match self {
            Self::Missing | Self::Incomplete | Self::DuplicateCredential => 0,
            Self::UnsupportedScheme | Self::Malformed => 1,
            Self::DuplicateMember
            | Self::AlgorithmNotAllowed
            | Self::UnsupportedHeader
            | Self::EmbeddedKey => 2,
            Self::WrongType | Self::UnknownKid | Self::UnknownIdentity | Self::NoSession => 3,
            Self::AlgorithmMismatch | Self::NotLoopback => 4,
            Self::BadSignature | Self::WrongSecret | Self::Inactive | Self::UntrustedCertificate => 5,
            // two issuers may give their keys one name; less than what is known of a token whose signature has verified
            Self::KeyNotSought(_) => 6,
            Self::MissingClaim
            | Self::WrongIssuer
            | Self::WrongAudience
            | Self::IdToken
            | Self::CertificateSubject => 7,
            Self::Expired
            | Self::NoTenant
            | Self::TwoTenants
            | Self::RotationOverdue
            | Self::NotYetValid
            | Self::IssuedInFuture
            | Self::TooOld
            | Self::BindingNotShown
            | Self::BindingMismatch
            | Self::NotBound
            | Self::Proof(_)
            | Self::LivesTooLong
            | Self::KeyFromElsewhere
            | Self::KeyOfOtherOperations
            | Self::CrossSite
            | Self::Revoked => 8,
            // "we do not know" outranks every "no": a scheme that could not look might have said yes
            Self::KeysUnavailable
            | Self::SessionsUnavailable
            | Self::SessionsLeftAlone(_)
            | Self::IntrospectionUnavailable
            | Self::IntrospectionLeftAlone(_)
            | Self::RevocationUnknown
            | Self::RevocationLeftAlone(_)
            | Self::Busy
            | Self::TooManyAttempts(_)
            | Self::MachineFault => 9,
        }
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason.code())?;
        self.scheme.map_or(Ok(()), |scheme| write!(f, " (scheme `{scheme}`)"))
    }
}

impl std::error::Error for Denied {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_knowing_is_503_and_knowing_better_is_401() {
        assert_eq!(Denied::of("oauth", Reason::KeysUnavailable).class(), Class::Unavailable);
        assert_eq!(Denied::of("oauth", Reason::UnknownKid).class(), Class::Unauthorized);
        assert_eq!(Denied::new(Reason::DuplicateCredential).class(), Class::InvalidRequest);
        assert!(Reason::Expired.is_bad_credential() && !Reason::Missing.is_bad_credential());
    }
}
