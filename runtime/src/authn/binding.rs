//! What a token is bound to (`cnf`, RFC 7800 section 3.1), and whether the request shows it.
//!
//! Rules ([`check`]):
//! 1. a token that names a certificate (`x5t#S256`, RFC 8705 section 3.1) is good only where the client has shown that
//!    certificate, whatever the scheme asks for: its issuer meant it for nobody else;
//! 2. a token that names something which is not understood here is refused, and so is an empty `cnf`: nobody has shown
//!    possession of it;
//! 3. where the scheme asks for a binding, a token without one is refused.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Reason, certificate::ClientCertificate};
use crate::{operation::Binding, secret::ct_eq};

/// The members of a token's `cnf`.
#[derive(Debug, Default)]
pub(in crate::authn) struct Confirmation<'a> {
    /// `x5t#S256`: SHA-256 of the DER of a certificate, in base64url.
    pub(in crate::authn) certificate: Option<Cow<'a, str>>,
    /// It has members that are not understood.
    pub(in crate::authn) others: bool,
}

/// Whether what a token is bound to has been shown.
pub(in crate::authn) fn check(
    rule: Binding,
    confirmation: Option<&Confirmation<'_>>,
    shown: Option<&ClientCertificate>,
) -> Result<(), Reason> {
    let Some(confirmation) = confirmation else {
        return if rule == Binding::None { Ok(()) } else { Err(Reason::NotBound) };
    };
    let Some(named) = confirmation.certificate.as_deref().filter(|_| !confirmation.others) else {
        return Err(Reason::BindingNotShown);
    };
    let thumbprint = match shown {
        Some(ClientCertificate::Whole(certificate)) => certificate.thumbprint(),
        Some(ClientCertificate::Unreadable) => return Err(Reason::Malformed),
        None => return Err(Reason::BindingNotShown),
    };
    // decoded, so that only the bits count: base64url has no second form of them without padding
    let named = URL_SAFE_NO_PAD.decode(named).map_err(|_| Reason::Malformed)?;
    let same = named.first_chunk::<32>().is_some_and(|named| ct_eq(named, thumbprint));
    if same && named.len() == 32 { Ok(()) } else { Err(Reason::BindingMismatch) }
}

#[cfg(test)]
mod tests {
    use super::{super::certificate::PeerCertificate, *};

    fn shown(der: &[u8]) -> ClientCertificate {
        ClientCertificate::Whole(PeerCertificate::new(vec![der.to_vec()]).unwrap())
    }

    fn bound(to: &str, others: bool) -> Confirmation<'_> {
        Confirmation { certificate: Some(to.into()), others }
    }

    /// SHA-256 of `abc` (FIPS 180-2 appendix B.1), in base64url.
    const ABC: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

    #[test]
    fn a_bound_token_is_good_with_its_certificate_under_every_rule() {
        for rule in [Binding::None, Binding::Certificate] {
            assert_eq!(check(rule, Some(&bound(ABC, false)), Some(&shown(b"abc"))), Ok(()));
            let other = check(rule, Some(&bound(ABC, false)), Some(&shown(b"abd")));
            assert_eq!(other, Err(Reason::BindingMismatch));
            assert_eq!(check(rule, Some(&bound(ABC, false)), None), Err(Reason::BindingNotShown));
            let unreadable = check(rule, Some(&bound(ABC, false)), Some(&ClientCertificate::Unreadable));
            assert_eq!(unreadable, Err(Reason::Malformed));
        }
    }

    #[test]
    fn a_token_without_a_binding_is_good_only_where_none_is_asked_for() {
        assert_eq!(check(Binding::None, None, None), Ok(()));
        assert_eq!(check(Binding::None, None, Some(&shown(b"abc"))), Ok(()));
        assert_eq!(check(Binding::Certificate, None, Some(&shown(b"abc"))), Err(Reason::NotBound));
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
