//! Up to whom chains of certificates are verified, and against which revocation lists. Both can be exchanged.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    PeerCertificate,
    authority::{CertificateError, read},
    watched::Renewed,
};
use crate::{authn::Reason, clock::Now};

/// Largest file of roots, and of revocation lists.
const MAX_ROOTS: usize = 1024 * 1024;
const MAX_LISTS: usize = 32 * 1024 * 1024;

pub(super) struct Chains {
    verifier: ArcSwap<Arc<dyn ClientCertVerifier>>,
    /// What it is made of. Whoever exchanges a part holds this until the verifier is exchanged.
    parts: Mutex<Parts>,
}

#[derive(Clone)]
struct Parts {
    roots: Arc<RootCertStore>,
    /// Nothing is known of revocation without any.
    lists: Arc<[CertificateRevocationListDer<'static>]>,
}

impl Chains {
    /// Up to these authorities.
    pub(super) fn up_to(roots: &str) -> Result<Self, CertificateError> {
        let parts = Parts { roots: roots_of(roots)?, lists: Arc::new([]) };
        Ok(Self { verifier: ArcSwap::from_pointee(parts.verifier()?), parts: Mutex::new(parts) })
    }

    /// How many authorities there are.
    pub(super) fn roots(&self) -> usize {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).roots.len()
    }

    fn replace_roots(&self, roots: &str) -> Result<(), CertificateError> {
        let roots = roots_of(roots)?;
        self.replace(|before| Parts { roots, lists: Arc::clone(&before.lists) })
    }

    pub(super) fn replace_lists(&self, lists: &str) -> Result<(), CertificateError> {
        let lists = lists_of(lists)?;
        self.replace(|before| Parts { roots: Arc::clone(&before.roots), lists })
    }

    fn replace(&self, change: impl FnOnce(&Parts) -> Parts) -> Result<(), CertificateError> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = change(&parts);
        self.verifier.store(Arc::new(newer.verifier()?));
        *parts = newer;
        Ok(())
    }

    /// Whether somebody vouches for the client's own certificate.
    pub(super) fn verify(&self, certificate: &PeerCertificate, now: Now) -> Result<(), Reason> {
        let [leaf, between @ ..] = certificate.chain() else { return Err(Reason::Malformed) };
        let between: Vec<_> = between.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let time = UnixTime::since_unix_epoch(now.wall());
        let leaf = CertificateDer::from(leaf.as_slice());
        let verified = self.verifier.load().verify_client_cert(&leaf, &between, time);
        verified.map(drop).map_err(|error| reason(&error))
    }
}

impl Parts {
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
        // the provider is named: with two compiled in, the process default is a panic
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), provider);
        if !self.lists.is_empty() {
            builder = builder.with_crls(self.lists.iter().cloned()).enforce_revocation_expiration();
        }
        builder
            .build()
            .map_err(|_| CertificateError::Unusable("no authority, or a revocation list that cannot be read"))
    }
}

fn roots_of(pem: &str) -> Result<Arc<RootCertStore>, CertificateError> {
    let unusable = CertificateError::Unusable("no PEM text of certificates of authorities");
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let Ok(certificate) = certificate else { return Err(unusable) };
        if store.add(certificate).is_err() {
            return Err(unusable);
        }
    }
    Ok(Arc::new(store))
}

fn lists_of(pem: &str) -> Result<Arc<[CertificateRevocationListDer<'static>]>, CertificateError> {
    let lists: Result<Arc<[_]>, _> = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes()).collect();
    let lists = lists.ok().filter(|lists| !lists.is_empty());
    lists.ok_or(CertificateError::Unusable("no PEM text of revocation lists"))
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

/// The authorities of a file.
pub(super) struct RootsFile(pub(super) Arc<Chains>);

impl RootsFile {
    pub(super) fn read(path: &Path) -> Result<String, CertificateError> {
        read(path, MAX_ROOTS)
    }
}

impl Renewed for RootsFile {
    const UNUSABLE: &'static str = "sys_authorities_unusable";

    fn renew(&self, path: &Path) -> Result<(), CertificateError> {
        self.0.replace_roots(&Self::read(path)?)
    }
}

/// The revocation lists of a file.
pub(super) struct ListsFile(pub(super) Arc<Chains>);

impl Renewed for ListsFile {
    const UNUSABLE: &'static str = "sys_revocation_lists_unusable";

    fn renew(&self, path: &Path) -> Result<(), CertificateError> {
        self.0.replace_lists(&read(path, MAX_LISTS)?)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;
    use crate::clock::Clock;

    /// 2027-01-15.
    const NOW: u64 = 1_800_000_000;

    struct Authority(Issuer<'static, KeyPair>);

    impl Authority {
        /// All have the same name, and each a key of its own.
        fn new() -> (Self, Chains) {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, "authority");
            let pem = params.self_signed(&key).unwrap().pem();
            (Self(Issuer::new(params, key)), Chains::up_to(&pem).unwrap())
        }

        /// A certificate from the beginning of one year to that of another.
        fn signs(&self, (from, until): (i32, i32)) -> Vec<u8> {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
            params.signed_by(&KeyPair::generate().unwrap(), &self.0).unwrap().der().to_vec()
        }
    }

    /// It decides how the attempt is counted: what was good before is no guess.
    #[test]
    fn what_is_wrong_with_a_certificate_is_told_apart() {
        let ((ours, chains), (namesake, _)) = (Authority::new(), Authority::new());
        let now = Clock::fixed(NOW).now().unwrap();
        let verify = |der: Vec<u8>| chains.verify(&PeerCertificate::new(vec![der]).unwrap(), now);
        let of_today = (2026, 2028);
        assert_eq!(verify(ours.signs(of_today)), Ok(()));
        assert_eq!(verify(ours.signs((2025, 2027))), Err(Reason::Expired));
        assert_eq!(verify(ours.signs((2028, 2029))), Err(Reason::NotYetValid));
        assert_eq!(verify(namesake.signs(of_today)), Err(Reason::BadSignature));
        assert_eq!(verify(vec![0x30, 0]), Err(Reason::Malformed));
    }
}
