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
    use super::*;

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
