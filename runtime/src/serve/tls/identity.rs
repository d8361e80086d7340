//! The server's own certificate and key, read again when their files change.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    Error, InconsistentKeys,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::{Hangup, TlsError};
use crate::{
    authn::file::{self, ReadError},
    secret::Secret,
};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(60);
/// Largest file of either kind.
const MAX_FILE: usize = 1024 * 1024;

/// What the server shows in handshakes.
#[derive(Debug)]
pub(super) struct Identity {
    current: ArcSwap<CertifiedKey>,
    files: Option<Files>,
    kept_fresh: AtomicBool,
}

#[derive(Clone, Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

impl Identity {
    pub(super) fn from_files(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files { chain: chain.to_owned(), key: key.to_owned() };
        Ok(Self { files: Some(files.clone()), ..Self::of(files.read()?) })
    }

    pub(super) fn from_pem(chain: &str, key: &Secret<String>) -> Result<Self, TlsError> {
        // looked at to make the key, which keeps its own wiped copy
        pair(chain, key.expose()).map(Self::of)
    }

    fn of(pair: CertifiedKey) -> Self {
        Self { current: ArcSwap::from_pointee(pair), files: None, kept_fresh: AtomicBool::new(false) }
    }

    /// Begins to look at the files, once. It ends when nobody uses them any more.
    pub(super) fn keep_fresh(self: &Arc<Self>) {
        let Some(files) = self.files.clone() else { return };
        if self.kept_fresh.swap(true, Ordering::SeqCst) {
            return;
        }
        let identity = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut seen = files.changed();
            let mut hangup = Hangup::new();
            loop {
                let told = tokio::select! {
                    () = tokio::time::sleep(EVERY) => false,
                    () = hangup.wait() => true,
                };
                let Some(identity) = identity.upgrade() else { return };
                let now = files.changed();
                if !told && now == seen {
                    continue;
                }
                seen = now;
                let again = files.clone();
                let read = tokio::task::spawn_blocking(move || again.read()).await;
                match read {
                    Ok(Ok(pair)) => {
                        identity.current.store(Arc::new(pair));
                        tracing::info!(chain = %files.chain.display(), "certificate read again");
                    }
                    Ok(Err(error)) => tracing::error!(
                        chain = %files.chain.display(), %error, "certificate not read again: the old one stays",
                    ),
                    Err(_) => tracing::error!("certificate not read again: the old one stays"),
                }
            }
        });
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        pair(&Zeroizing::new(text(&self.chain)?), &Zeroizing::new(text(&self.key)?))
    }

    /// When they were written last; nothing for what cannot be looked at.
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.chain, &self.key].map(|path| fs::metadata(path).and_then(|meta| meta.modified()).ok())
    }
}

fn text(path: &Path) -> Result<String, TlsError> {
    file::read(path, MAX_FILE).map_err(|error| match error {
        ReadError::Io(cause) => TlsError::File(path.to_owned(), cause),
        ReadError::TooLarge => TlsError::Certificate,
    })
}

fn pair(chain: &str, key: &str) -> Result<CertifiedKey, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let chain = chain.map_err(|_| TlsError::Certificate)?;
    let leaf = chain.first().ok_or(TlsError::Certificate)?;
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| TlsError::Certificate)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if i128::from(parsed.validity().not_after.timestamp()) <= i128::from(now) {
        return Err(TlsError::Expired);
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsError::Key)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch,
        _ => TlsError::Key,
    })
}
