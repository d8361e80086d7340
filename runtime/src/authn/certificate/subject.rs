//! The name in a certificate that says whose it is (RFC 8705 section 2.1.2).
//!
//! There is exactly one of the kind that is asked for; two would leave open which of them counts. DNS names come in
//! small letters and without wildcards, distinguished names in the form of RFC 4514.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::prelude::{AttributeTypeAndValue, FromDer, GeneralName, X509Certificate, X509Name};

use crate::{
    authn::{Reason, api_key::check_subject},
    operation::SubjectName,
};

/// A certificate's name, and when it ends in seconds since 1970.
pub(super) fn of(der: &[u8], wanted: SubjectName) -> Result<(String, u64), Reason> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Reason::Malformed)?;
    let name = match wanted {
        SubjectName::Distinguished => distinguished(certificate.subject()),
        alternative => only(&certificate, |name| match (alternative, name) {
            (SubjectName::Dns, GeneralName::DNSName(name)) => Some(name.to_ascii_lowercase()),
            (SubjectName::Uri, GeneralName::URI(name))
            | (SubjectName::Email, GeneralName::RFC822Name(name)) => Some((*name).to_owned()),
            (SubjectName::Ip, GeneralName::IPAddress(octets)) => Some(address(octets)?.to_string()),
            _ => None,
        }),
    };
    let name = name.filter(|name| check_subject(name).is_ok()).ok_or(Reason::CertificateSubject)?;
    if wanted == SubjectName::Dns && name.contains('*') {
        return Err(Reason::CertificateSubject);
    }
    let ends = certificate.validity().not_after.timestamp();
    Ok((name, u64::try_from(ends).unwrap_or(0)))
}

/// The only alternative name that `kind` takes.
fn only(
    certificate: &X509Certificate<'_>,
    kind: impl Fn(&GeneralName<'_>) -> Option<String>,
) -> Option<String> {
    let names = certificate.subject_alternative_name().ok()??;
    let mut names = names.value.general_names.iter().filter_map(kind);
    let first = names.next()?;
    names.next().is_none().then_some(first)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(*octets.first_chunk()?))),
        16 => Some(IpAddr::V6(Ipv6Addr::from(*octets.first_chunk()?)).to_canonical()),
        _ => None,
    }
}

/// RFC 4514 section 2: the last part first, with commas between parts and `+` within one. An attribute that has no short
/// name there, or whose value is no text, refuses: two certificates must never read as one name.
fn distinguished(name: &X509Name<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for part in name.iter() {
        let attributes: Option<Vec<String>> = part.iter().map(attribute).collect();
        parts.push(attributes?.join("+"));
    }
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// RFC 4514 section 3, and `serialNumber` and `emailAddress` beside it, which many authorities write.
const SHORT: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "serialNumber"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let oid = attribute.attr_type().to_id_string();
    let (_, short) = SHORT.iter().find(|(known, _)| *known == oid)?;
    let value = attribute.as_str().ok()?;
    Some(format!("{short}={}", escaped(value)))
}

/// RFC 4514 section 2.4.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (character == '#' && at == 0)
            || (character == ' ' && (at == 0 || at == last));
        if special {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::{super::PeerCertificate, *};

    /// What a certificate is named by, that was made like this.
    fn named(wanted: SubjectName, change: impl FnOnce(&mut CertificateParams)) -> Result<String, Reason> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        change(&mut params);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        of(certificate.der(), wanted).map(|(name, _)| name)
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    fn email(name: &str) -> SanType {
        SanType::Rfc822Name(name.try_into().unwrap())
    }

    fn uri(name: &str) -> SanType {
        SanType::URI(name.try_into().unwrap())
    }

    fn ip(address: &str) -> SanType {
        SanType::IpAddress(address.parse().unwrap())
    }

    #[test]
    fn a_certificate_is_named_by_the_one_name_of_the_kind() {
        let all = || {
            vec![dns("Billing.Bank.EXAMPLE"), uri("urn:billing"), email("Ops@bank.example"), ip("192.0.2.7")]
        };
        for (kind, name, another) in [
            (SubjectName::Dns, "billing.bank.example", dns("other.example")),
            (SubjectName::Uri, "urn:billing", uri("urn:other")),
            (SubjectName::Email, "Ops@bank.example", email("other@bank.example")),
            (SubjectName::Ip, "192.0.2.7", ip("2001:db8::1")),
        ] {
            assert_eq!(named(kind, |params| params.subject_alt_names = all()).as_deref(), Ok(name));
            let two = named(kind, |params| {
                params.subject_alt_names = all();
                params.subject_alt_names.push(another);
            });
            assert_eq!(two, Err(Reason::CertificateSubject), "{kind:?}: which of them counts?");
            let none = named(kind, |params| {
                params.distinguished_name.push(DnType::CommonName, name);
            });
            assert_eq!(none, Err(Reason::CertificateSubject), "{kind:?}: the subject is no such name");
        }
        let address = |address| named(SubjectName::Ip, |params| params.subject_alt_names = vec![ip(address)]);
        assert_eq!(address("2001:DB8:0::1").as_deref(), Ok("2001:db8::1"));
        assert_eq!(address("::ffff:192.0.2.7").as_deref(), Ok("192.0.2.7"), "one address, one name");
    }

    /// Whichever kind was asked for first.
    #[test]
    fn one_certificate_has_a_name_of_each_kind() {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![dns("billing.bank.example"), uri("urn:billing")];
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let kinds = [
            (SubjectName::Uri, Ok("urn:billing")),
            (SubjectName::Dns, Ok("billing.bank.example")),
            (SubjectName::Email, Err(Reason::CertificateSubject)),
        ];
        for first in 0..kinds.len() {
            let certificate = PeerCertificate::new(vec![der.clone()]).unwrap();
            for (kind, name) in kinds.iter().cycle().skip(first).take(2 * kinds.len()) {
                let named = certificate.named(*kind);
                assert_eq!(
                    named.as_ref().map(|(name, _)| &**name),
                    name.as_ref().map(|name| *name),
                    "{kind:?}"
                );
            }
        }
    }

    #[test]
    fn a_wildcard_is_nobody() {
        for name in ["*.bank.example", "bill*.bank.example"] {
            let named = named(SubjectName::Dns, |params| params.subject_alt_names = vec![dns(name)]);
            assert_eq!(named, Err(Reason::CertificateSubject), "{name}");
        }
    }

    /// RFC 4514 section 2.1: the last part first.
    #[test]
    fn a_distinguished_name_is_written_in_one_way() {
        let of = |parts: &[(DnType, &str)]| {
            named(SubjectName::Distinguished, |params| {
                for (kind, value) in parts {
                    params.distinguished_name.push(kind.clone(), *value);
                }
                params.subject_alt_names = vec![dns("other.example")];
            })
        };
        let parts = [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Bank, Inc."),
            (DnType::CommonName, "Billing=1"),
        ];
        assert_eq!(of(&parts).as_deref(), Ok(r"CN=Billing=1,O=Bank\, Inc.,C=DE"));
        assert_eq!(of(&[]), Err(Reason::CertificateSubject));
        // RFC 4514 section 2.3 would write it as numbers and hex, which two readers write differently
        let other = (DnType::CustomDnType(vec![2, 5, 4, 12]), "Clerk");
        assert_eq!(of(&[other, (DnType::CommonName, "Billing")]), Err(Reason::CertificateSubject));
    }

    #[test]
    fn what_would_end_a_value_is_escaped() {
        assert_eq!(escaped("a,b+c"), r"a\,b\+c");
        assert_eq!(escaped(" #x "), r"\ #x\ ");
        assert_eq!(escaped("#x"), r"\#x");
        assert_eq!(escaped("Lučić"), "Lučić");
        assert_eq!(escaped(" "), r"\ ");
    }

    #[test]
    fn addresses_have_the_length_of_addresses() {
        assert_eq!(address(&[127, 0, 0, 1]).unwrap().to_string(), "127.0.0.1");
        assert_eq!(address(&[0; 16]).unwrap().to_string(), "::");
        // with a mask, as in the constraints of an authority
        assert_eq!(address(&[0; 8]), None);
    }
}
