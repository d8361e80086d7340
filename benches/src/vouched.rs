//! A client certificate and the authority that vouches for it, made anew.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;

use crate::timing;

/// The name in the certificate.
pub(crate) const NAME: &str = "spiffe://bench.example/client";

pub(crate) struct Vouched {
    /// The authority, in PEM.
    pub(crate) authority: String,
    root: CertificateDer<'static>,
    client: CertificateDer<'static>,
}

impl Vouched {
    pub(crate) fn new() -> io::Result<Self> {
        Self::made().map_err(io::Error::other)
    }

    fn made() -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let root = authority.self_signed(&key)?;
        let issuer = Issuer::new(authority, key);
        let mut client = CertificateParams::new(Vec::new())?;
        client.subject_alt_names = vec![SanType::URI(NAME.try_into()?)];
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client = client.signed_by(&KeyPair::generate()?, &issuer)?;
        Ok(Self { authority: root.pem(), root: root.der().clone(), client: client.der().clone() })
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.client.to_vec()
    }

    /// Whether the authority vouches for it, asked of the verifier that ours is built on.
    pub(crate) fn bare(&self) -> io::Result<impl FnMut() + use<>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let (verifier, client) = (verifier.map_err(io::Error::other)?, self.client.clone());
        timing::holds(move || verifier.verify_client_cert(&client, &[], UnixTime::now()).is_ok())
    }
}
