//! Development certificates: an authority, the server's own for this machine, and one of a client.
//!
//! The key of the authority is forgotten as soon as both are signed: nobody can make more of them.

use std::path::Path;

use palisade_codegen::model::SubjectName;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::exit::Failure;
use crate::project::{DEV, DEVELOPER};
use crate::store;

/// The authority of the two others, the server's certificate and its key, and a client's certificate with its key.
pub(crate) const AUTHORITY: &str = "dev/ca.pem";
pub(crate) const SERVER: &str = "dev/server.pem";
pub(crate) const SERVER_KEY: &str = "dev/server.key";
pub(crate) const CLIENT: &str = "dev/client.pem";

/// Makes them. `subject`: the name that the document asks of clients.
pub(crate) fn make(place: &Path, subject: SubjectName) -> Result<(), Failure> {
    let written =
        texts(subject).map_err(|cause| Failure::system(format!("no certificate was made: {cause}")))?;
    debug_assert!(AUTHORITY.starts_with(DEV));
    written.iter().try_for_each(|(path, text)| store::replace(&place.join(path), text))
}

fn texts(subject: SubjectName) -> Result<[(&'static str, String); 4], rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut authority = named("palisade development authority")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root = authority.self_signed(&key)?;
    let issuer = Issuer::new(authority, key);

    let mut server = named("localhost")?;
    server.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
        SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()),
    ];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_key = KeyPair::generate()?;
    let server = server.signed_by(&server_key, &issuer)?;

    let mut client = named(DEVELOPER)?;
    client.subject_alt_names = match subject {
        SubjectName::Distinguished => Vec::new(),
        SubjectName::Dns => vec![SanType::DnsName(format!("{DEVELOPER}.example").try_into()?)],
        SubjectName::Uri => vec![SanType::URI(format!("spiffe://example/{DEVELOPER}").try_into()?)],
        SubjectName::Email => vec![SanType::Rfc822Name(format!("{DEVELOPER}@example.com").try_into()?)],
        SubjectName::Ip => vec![SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into())],
    };
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client_key = KeyPair::generate()?;
    let client = client.signed_by(&client_key, &issuer)?;

    Ok([
        (AUTHORITY, root.pem()),
        (SERVER, server.pem()),
        (SERVER_KEY, server_key.serialize_pem()),
        (CLIENT, format!("{}{}", client.pem(), client_key.serialize_pem())),
    ])
}

fn named(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_takes_what_is_made_for_every_kind_of_name() {
        use SubjectName::{Distinguished, Dns, Email, Ip, Uri};
        for subject in [Distinguished, Dns, Uri, Email, Ip] {
            let [(_, root), (_, server), (_, key), (_, client)] = texts(subject).unwrap();
            assert!(palisade::ClientCertificates::from_pem(&root).is_ok());
            assert!(palisade::Tls::from_pem(&server, &palisade::Secret::new(key)).is_ok());
            assert!(client.contains("BEGIN CERTIFICATE") && client.contains("BEGIN PRIVATE KEY"));
        }
    }
}
