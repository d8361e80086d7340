//! The server's own certificate and key, read again when their files change.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
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
    going_on::{Going, GoingOn},
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
    /// When the files were written that were read last.
    seen: Mutex<Written>,
    looks: GoingOn,
}

/// Nothing for what cannot be looked at.
type Written = [Option<SystemTime>; 2];

#[derive(Clone, Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

impl Identity {
    pub(super) fn from_files(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files { chain: chain.to_owned(), key: key.to_owned() };
        let seen = Mutex::new(files.written()); // before they are read: what changes meanwhile is read again
        Ok(Self { seen, files: Some(files.clone()), ..Self::of(files.read()?) })
    }

    pub(super) fn from_pem(chain: &str, key: &Secret<String>) -> Result<Self, TlsError> {
        // looked at to make the key, which keeps its own wiped copy
        pair(chain, key.expose()).map(Self::of)
    }

    fn of(pair: CertifiedKey) -> Self {
        let current = ArcSwap::from_pointee(pair);
        Self { current, files: None, seen: Mutex::default(), looks: GoingOn::default() }
    }

    /// Begins to look at the files where nobody does. It ends when nobody uses them any more.
    pub(super) fn keep_fresh(self: &Arc<Self>) {
        if let Some(files) = &self.files {
            self.looks.begin(|going| look_on(files.clone(), Arc::downgrade(self), going));
        }
    }

    /// Reads the files, if they have changed or somebody said so.
    async fn look(&self, files: &Files, told: bool) {
        let written = files.written();
        let seen = std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), written);
        if !told && written == seen {
            return;
        }
        let again = files.clone();
        match tokio::task::spawn_blocking(move || again.read()).await {
            Ok(Ok(pair)) => {
                self.current.store(Arc::new(pair));
                tracing::info!(chain = %files.chain.display(), "certificate read again");
            }
            Ok(Err(error)) => tracing::error!(
                chain = %files.chain.display(), %error, "certificate not read again: the old one stays",
            ),
            Err(_) => tracing::error!("certificate not read again: the old one stays"),
        }
    }
}

async fn look_on(files: Files, of: Weak<Identity>, _going: Going) {
    let mut hangup = Hangup::new();
    loop {
        let told = tokio::select! {
            () = tokio::time::sleep(EVERY) => false,
            () = hangup.wait() => true,
        };
        let Some(identity) = of.upgrade() else { return };
        identity.look(&files, told).await;
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

    fn written(&self) -> Written {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a pair of its own, and says what its certificate is.
    fn write([chain, key]: &[PathBuf; 2]) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(chain, made.cert.pem()).unwrap();
        fs::write(key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    #[test]
    fn files_are_looked_at_in_whichever_runtime_they_are_used() {
        let paused = || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().start_paused(true).build().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let files = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
        let first = write(&files);
        let identity = Arc::new(Identity::from_files(&files[0], &files[1]).unwrap());
        let shown = || identity.current.load().cert[0].clone();
        paused().block_on(async { identity.keep_fresh() });
        // between them nobody looks
        let second = write(&files);
        let later = SystemTime::now() + Duration::from_secs(10);
        fs::File::options().append(true).open(&files[0]).unwrap().set_modified(later).unwrap();
        paused().block_on(async {
            identity.keep_fresh();
            assert_eq!(shown(), first);
            tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
            assert_eq!(shown(), second);
        });
    }
}
