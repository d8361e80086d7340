//! Who vouches for client certificates, and what the holders of certain names may do.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use serde::Deserialize;

use super::{ClientCertificate, PeerCertificate, lists::WatchedLists};
use crate::{
    authn::{
        Reason,
        api_key::{check_scopes, check_subject, lines},
        file::{self, ReadError},
        principal::{Facts, Kind, Principal, Said},
    },
    clock::Now,
    operation::CertificateRules,
};

/// Largest file of roots, and of revocation lists.
const MAX_ROOTS: usize = 1024 * 1024;
const MAX_LISTS: usize = 32 * 1024 * 1024;

/// Verifies the client certificates of a `mutualTLS` scheme. Clones share what can be exchanged.
///
/// ```no_run
/// # fn main() -> Result<(), palisade::CertificateError> {
/// let partners = palisade::ClientCertificates::from_file("keys/partners-ca.pem")?
///     .revocation_lists_file("keys/partners.crl")?
///     .grant("spiffe://bank.example/billing", &["transfers:write"])?;
/// # drop(partners);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ClientCertificates {
    roots: Arc<RootCertStore>,
    verifier: Arc<Verifier>,
    /// Where the revocation lists stand.
    lists: Option<Arc<WatchedLists>>,
    grants: HashMap<Arc<str>, Arc<str>>,
    only_granted: bool,
}

/// What verifies chains now.
pub(super) struct Verifier(ArcSwap<Arc<dyn ClientCertVerifier>>);

/// A line of a file of grants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// Why roots, revocation lists or grants cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file cannot be read.
    File(PathBuf, std::io::Error),
    /// The file is over its bound: 1 MiB of roots, 32 MiB of revocation lists.
    TooLarge,
    /// It is no PEM, has none of what it should have, or has what cannot be read.
    Unusable(&'static str),
    /// A name or a scope is empty or has characters that cannot be.
    Fields(&'static str),
    /// This line (from 1) is no grant.
    Line(usize, &'static str),
}

impl ClientCertificates {
    /// Certificates that these authorities vouch for, directly or through others that the client shows.
    ///
    /// # Errors
    /// When the text has no certificate, or one that is no authority's.
    pub fn from_pem(roots: &str) -> Result<Self, CertificateError> {
        let unusable = CertificateError::Unusable("no PEM text of certificates of authorities");
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(roots.as_bytes()) {
            let Ok(certificate) = certificate else { return Err(unusable) };
            if store.add(certificate).is_err() {
                return Err(unusable);
            }
        }
        let roots = Arc::new(store);
        let verifier = verifier(&roots, Vec::new())?;
        Ok(Self {
            roots,
            verifier: Arc::new(Verifier(ArcSwap::from_pointee(verifier))),
            lists: None,
            grants: HashMap::new(),
            only_granted: false,
        })
    }

    /// Certificates that the authorities in a PEM file vouch for.
    ///
    /// # Errors
    /// When it cannot be read, or as [`ClientCertificates::from_pem`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        Self::from_pem(&read(path.as_ref(), MAX_ROOTS)?)
    }

    /// Revocation lists in PEM, for every authority of a chain. From then on a certificate is refused when its
    /// authority has no list here, or one whose `nextUpdate` has passed.
    ///
    /// Clones share them: a server takes new ones while it runs.
    ///
    /// # Errors
    /// When there is none, or one cannot be read; the lists stay as they were.
    pub fn revocation_lists(self, lists: &str) -> Result<Self, CertificateError> {
        self.replace_revocation_lists(lists)?;
        Ok(self)
    }

    /// The revocation lists of a PEM file. A server looks at it every minute, and on SIGHUP: newer ones take over, a file that
    /// cannot be used changes nothing and is a security event.
    ///
    /// # Errors
    /// When it cannot be read, or as [`ClientCertificates::revocation_lists`].
    pub fn revocation_lists_file(self, path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        let (file, lists) = WatchedLists::open(path.as_ref())?;
        Ok(Self { lists: Some(Arc::new(file)), ..self.revocation_lists(&lists)? })
    }

    /// Exchanges the revocation lists, at once and for every clone.
    ///
    /// # Errors
    /// As [`ClientCertificates::revocation_lists`].
    pub fn replace_revocation_lists(&self, lists: &str) -> Result<(), CertificateError> {
        self.verifier.replace(&self.roots, lists)
    }

    /// What the holder of a name may do. The name is the one that the document asks for, as the principal's subject
    /// shows it; without a grant a name holds no scope.
    ///
    /// # Errors
    /// When the name or a scope is not well-formed.
    pub fn grant(mut self, name: &str, scopes: &[&str]) -> Result<Self, CertificateError> {
        check_subject(name).map_err(CertificateError::Fields)?;
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        check_scopes(&scopes).map_err(CertificateError::Fields)?;
        self.grants.insert(name.into(), scopes.join(" ").into());
        Ok(self)
    }

    /// The grants of a file: one JSON object a line, `{"name", "scopes"}`; empty lines and lines that begin with `#` are
    /// passed over.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no grant.
    pub fn grants_file(self, path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        let text = read(path.as_ref(), MAX_ROOTS)?;
        lines(&text).try_fold(self, |made, (number, line)| {
            let grant: Grant = serde_json::from_str(line).map_err(|_| {
                CertificateError::Line(number, "it is no JSON object with `name` and `scopes`")
            })?;
            let scopes: Vec<&str> = grant.scopes.iter().map(String::as_str).collect();
            made.grant(&grant.name, &scopes).map_err(|error| match error {
                CertificateError::Fields(why) => CertificateError::Line(number, why),
                other => other,
            })
        })
    }

    /// Lets nobody in but the names that have a grant. Otherwise every certificate of the authorities is a caller, of no
    /// scope where it has no grant.
    #[must_use]
    pub fn only_granted(mut self) -> Self {
        self.only_granted = true;
        self
    }

    /// Judges a certificate that was shown.
    pub(in crate::authn) fn judge(
        &self,
        scheme: &'static str,
        issuer: &Arc<str>,
        rules: &CertificateRules,
        shown: &ClientCertificate,
        now: Now,
    ) -> Result<Principal, Reason> {
        let ClientCertificate::Whole(certificate) = shown else { return Err(Reason::Malformed) };
        if let Some(lists) = &self.lists {
            lists.keep_fresh(&self.roots, &self.verifier);
        }
        self.verify(certificate, now)?;
        let (subject, expires) = certificate.named(rules.subject)?;
        let granted = self.grants.get(&*subject);
        if self.only_granted && granted.is_none() {
            return Err(Reason::UnknownIdentity);
        }
        let (subject, scopes) = (&*subject, granted.map_or("", |scopes| &**scopes));
        let facts = Facts {
            scheme,
            kind: Kind::Certificate,
            issuer: Arc::clone(issuer),
            issued: None,
            expires: Some(expires),
            login_time: None,
        };
        let thumbprint = URL_SAFE_NO_PAD.encode(certificate.thumbprint());
        Ok(Principal::new(facts, Said { subject, scopes, credential: Some(&thumbprint), ..Said::default() }))
    }

    /// Whether somebody vouches for the client's own certificate.
    fn verify(&self, certificate: &PeerCertificate, now: Now) -> Result<(), Reason> {
        let [leaf, between @ ..] = certificate.chain() else { return Err(Reason::Malformed) };
        let between: Vec<_> = between.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let time = UnixTime::since_unix_epoch(now.wall());
        let verified =
            self.verifier.0.load().verify_client_cert(&CertificateDer::from(leaf.as_slice()), &between, time);
        verified.map(drop).map_err(|error| reason(&error))
    }
}

impl Verifier {
    /// Exchanges the revocation lists.
    pub(super) fn replace(&self, roots: &Arc<RootCertStore>, lists: &str) -> Result<(), CertificateError> {
        let lists: Result<Vec<_>, _> =
            CertificateRevocationListDer::pem_slice_iter(lists.as_bytes()).collect();
        let lists = lists.ok().filter(|lists| !lists.is_empty());
        let lists = lists.ok_or(CertificateError::Unusable("no PEM text of revocation lists"))?;
        self.0.store(Arc::new(verifier(roots, lists)?));
        Ok(())
    }
}

fn verifier(
    roots: &Arc<RootCertStore>,
    lists: Vec<CertificateRevocationListDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    // the provider is named: with two compiled in, the process default is a panic
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider);
    if !lists.is_empty() {
        builder = builder.with_crls(lists).enforce_revocation_expiration();
    }
    builder
        .build()
        .map_err(|_| CertificateError::Unusable("no authority, or a revocation list that cannot be read"))
}

fn reason(error: &rustls::Error) -> Reason {
    use rustls::{CertificateError as Why, Error};
    match error {
        Error::InvalidCertificate(Why::Expired | Why::ExpiredContext { .. }) => Reason::Expired,
        Error::InvalidCertificate(Why::NotValidYet | Why::NotValidYetContext { .. }) => Reason::NotYetValid,
        Error::InvalidCertificate(Why::Revoked) => Reason::Revoked,
        Error::InvalidCertificate(Why::BadEncoding) => Reason::Malformed,
        Error::InvalidCertificate(Why::BadSignature) => Reason::BadSignature,
        _ => Reason::UntrustedCertificate,
    }
}

/// The text of a file of revocation lists.
pub(super) fn read_lists(path: &Path) -> Result<String, CertificateError> {
    read(path, MAX_LISTS)
}

fn read(path: &Path, max: usize) -> Result<String, CertificateError> {
    file::read(path, max).map_err(|error| match error {
        ReadError::TooLarge => CertificateError::TooLarge,
        ReadError::Io(cause) => CertificateError::File(path.to_owned(), cause),
    })
}

impl fmt::Debug for ClientCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificates")
            .field("roots", &self.roots.len())
            .field("grants", &self.grants.len())
            .field("only_granted", &self.only_granted)
            .finish()
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, _) => write!(f, "cannot read `{}`", path.display()),
            Self::TooLarge => f.write_str("the file is too large"),
            Self::Unusable(why) | Self::Fields(why) => f.write_str(why),
            Self::Line(number, why) => write!(f, "line {number}: {why}"),
        }
    }
}

impl std::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, cause) => Some(cause),
            Self::TooLarge | Self::Unusable(_) | Self::Fields(_) | Self::Line(..) => None,
        }
    }
}
