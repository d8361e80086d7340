//! What a token is bound to (`cnf`, RFC 7800 section 3.1), and whether the request shows it.
//!
//! Rules ([`check`]):
//! 1. a token that names a certificate (`x5t#S256`, RFC 8705 section 3.1) is good only where the client has shown that
//!    certificate, whatever the scheme asks for: its issuer meant it for nobody else;
//! 2. a token that names a key (`jkt`, RFC 9449 section 6.1) is good only beside a proof by that key, which only schemes
//!    with that rule ask for; under `Bearer` it is refused everywhere (section 7.2);
//! 3. a token that names something which is not understood here is refused, and so is an empty `cnf`: nobody has shown
//!    possession of it;
//! 4. where the scheme asks for a binding, a token without that one is refused.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use http::HeaderValue;

use super::{
    Fault, Reason,
    certificate::ClientCertificate,
    dpop::{Proofs, Use},
    present::Shown,
};
use crate::{clock::Now, operation::Binding, secret::ct_eq};

/// The members of a token's `cnf`.
#[derive(Debug, Default)]
pub(in crate::authn) struct Confirmation<'a> {
    /// `x5t#S256`: SHA-256 of the DER of a certificate, in base64url.
    pub(in crate::authn) certificate: Option<Cow<'a, str>>,
    /// `jkt`: the thumbprint of a key (RFC 7638) by SHA-256, in base64url.
    pub(in crate::authn) key: Option<Cow<'a, str>>,
    /// It has members that are not understood.
    pub(in crate::authn) others: bool,
}

/// What a scheme asks of its tokens beside themselves, and who judges it.
pub(crate) struct Possession {
    rule: Binding,
    /// There where tokens are bound to keys.
    proofs: Option<Arc<Proofs>>,
}

impl Possession {
    pub(in crate::authn) fn new(rule: Binding, proofs: Option<&Arc<Proofs>>) -> Result<Self, Fault> {
        let proofs = match rule {
            Binding::Proof { .. } => Some(Arc::clone(proofs.ok_or(Fault::NoPublicOrigin)?)),
            Binding::None | Binding::Certificate => None,
        };
        Ok(Self { rule, proofs })
    }

    pub(in crate::authn) const fn rule(&self) -> Binding {
        self.rule
    }

    /// Whether what a token is bound to has been shown; what comes out is a proof that is still to be noted.
    pub(in crate::authn) fn check(
        &self,
        token: &[u8],
        confirmation: Option<&Confirmation<'_>>,
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Option<Use>, Reason> {
        let Some(key) = check(self.rule, confirmation, shown.certificate)? else { return Ok(None) };
        let (Some(proofs), Binding::Proof { nonce }) = (&self.proofs, self.rule) else {
            return Err(Reason::BindingNotShown);
        };
        proofs.check(shown.asked, token, &key, nonce, now).map(Some)
    }

    /// Notes that a proof was shown, or refuses it.
    pub(in crate::authn) async fn note(&self, used: Use, now: Now) -> Result<(), Reason> {
        match &self.proofs {
            Some(proofs) => proofs.note(used, now).await,
            None => Err(Reason::BindingNotShown),
        }
    }

    /// The nonce that clients are to use, where the scheme asks for one.
    pub(in crate::authn) async fn nonce(&self, now: Now) -> Option<HeaderValue> {
        let proofs = self.proofs.as_ref().filter(|_| self.rule == (Binding::Proof { nonce: true }))?;
        proofs.nonce(now).await
    }
}

/// Whether what a token is bound to has been shown. What comes out is the thumbprint of the key of which a proof is
/// still to be seen.
pub(in crate::authn) fn check(
    rule: Binding,
    confirmation: Option<&Confirmation<'_>>,
    shown: Option<&ClientCertificate>,
) -> Result<Option<[u8; 32]>, Reason> {
    let Some(Confirmation { certificate, key, others }) = confirmation else {
        return if rule == Binding::None { Ok(None) } else { Err(Reason::NotBound) };
    };
    if *others || (certificate.is_none() && key.is_none()) {
        return Err(Reason::BindingNotShown);
    }
    if let Some(named) = certificate {
        let thumbprint = match shown {
            Some(ClientCertificate::Whole(certificate)) => certificate.thumbprint(),
            Some(ClientCertificate::Unreadable) => return Err(Reason::Malformed),
            None => return Err(Reason::BindingNotShown),
        };
        if !is_digest(named, thumbprint)? {
            return Err(Reason::BindingMismatch);
        }
    }
    match (rule, key) {
        (Binding::Proof { .. }, Some(key)) => {
            decoded(key)?.try_into().map(Some).map_err(|_| Reason::Malformed)
        }
        (_, Some(_)) => Err(Reason::BindingNotShown),
        (Binding::Proof { .. }, None) => Err(Reason::NotBound),
        (Binding::None | Binding::Certificate, None) => Ok(None),
    }
}

/// Whether `named` is this digest in base64url.
pub(in crate::authn) fn is_digest(named: &str, digest: &[u8]) -> Result<bool, Reason> {
    Ok(ct_eq(&decoded(named)?, digest))
}

/// Decoded, so that only the bits count: base64url has no second form of them without padding.
fn decoded(named: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(named).map_err(|_| Reason::Malformed)
}

#[cfg(test)]
mod tests {
    use super::{super::certificate::PeerCertificate, *};

    fn shown(der: &[u8]) -> ClientCertificate {
        ClientCertificate::Whole(PeerCertificate::new(vec![der.to_vec()]).unwrap())
    }

    fn bound(to: &str, others: bool) -> Confirmation<'_> {
        Confirmation { certificate: Some(to.into()), key: None, others }
    }

    /// SHA-256 of `abc` (FIPS 180-2 appendix B.1), in base64url.
    const ABC: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

    #[test]
    fn a_bound_token_is_good_with_its_certificate_under_every_rule() {
        for rule in [Binding::None, Binding::Certificate] {
            assert_eq!(check(rule, Some(&bound(ABC, false)), Some(&shown(b"abc"))), Ok(None));
            let other = check(rule, Some(&bound(ABC, false)), Some(&shown(b"abd")));
            assert_eq!(other, Err(Reason::BindingMismatch));
            assert_eq!(check(rule, Some(&bound(ABC, false)), None), Err(Reason::BindingNotShown));
            let unreadable = check(rule, Some(&bound(ABC, false)), Some(&ClientCertificate::Unreadable));
            assert_eq!(unreadable, Err(Reason::Malformed));
        }
    }

    #[test]
    fn a_token_without_a_binding_is_good_only_where_none_is_asked_for() {
        assert_eq!(check(Binding::None, None, None), Ok(None));
        assert_eq!(check(Binding::None, None, Some(&shown(b"abc"))), Ok(None));
        for rule in [Binding::Certificate, PROOF] {
            assert_eq!(check(rule, None, Some(&shown(b"abc"))), Err(Reason::NotBound));
        }
    }

    const PROOF: Binding = Binding::Proof { nonce: false };

    #[test]
    fn a_token_of_a_key_waits_for_its_proof_and_is_refused_where_none_is_asked_for() {
        let key = |certificate: Option<&'static str>, text: &'static str| Confirmation {
            certificate: certificate.map(Into::into),
            key: Some(text.into()),
            others: false,
        };
        let of_key = check(PROOF, Some(&key(None, ABC)), None).unwrap().unwrap();
        assert!(is_digest(ABC, &of_key).unwrap());
        for rule in [Binding::None, Binding::Certificate] {
            for shown in [None, Some(&shown(b"abc"))] {
                assert!(check(rule, Some(&key(Some(ABC), ABC)), shown).is_err());
                assert_eq!(check(rule, Some(&key(None, ABC)), shown), Err(Reason::BindingNotShown));
            }
        }
        // bound to both: both are needed
        let both = key(Some(ABC), ABC);
        assert!(check(PROOF, Some(&both), Some(&shown(b"abc"))).is_ok());
        assert_eq!(check(PROOF, Some(&both), None), Err(Reason::BindingNotShown));
        assert_eq!(check(PROOF, Some(&bound(ABC, false)), Some(&shown(b"abc"))), Err(Reason::NotBound));
        for bad in ["", "!", &ABC[..40], "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0A"] {
            let confirmation = Confirmation { certificate: None, key: Some(bad.into()), others: false };
            assert_eq!(check(PROOF, Some(&confirmation), None), Err(Reason::Malformed), "{bad}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_shown() {
        let certificate = shown(b"abc");
        let nothing = Confirmation::default();
        assert_eq!(check(Binding::None, Some(&nothing), Some(&certificate)), Err(Reason::BindingNotShown));
        let more = check(Binding::None, Some(&bound(ABC, true)), Some(&certificate));
        assert_eq!(more, Err(Reason::BindingNotShown));
    }

    #[test]
    fn a_thumbprint_is_whole_and_in_base64url() {
        let certificate = shown(b"abc");
        let cut = &ABC[..42];
        for (bad, why) in [
            ("", Reason::BindingMismatch),
            ("!", Reason::Malformed),
            (cut, Reason::Malformed),
            ("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0", Reason::Malformed),
            ("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=", Reason::Malformed),
            ("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0AAA", Reason::BindingMismatch),
            ("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0A", Reason::BindingMismatch),
        ] {
            assert_eq!(check(Binding::None, Some(&bound(bad, false)), Some(&certificate)), Err(why), "{bad}");
        }
    }
}
