//! A file of revocation lists as a running server sees it: read again when it has changed.
//!
//! Rules:
//! 1. it is looked at every minute from the first request on, and on SIGHUP, as the server's own certificate is;
//! 2. a file that cannot be used changes nothing, and an event of high severity says so, once until it is good again. The lists of
//!    before are out of date one day, and refuse everybody then.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::RootCertStore;

use super::authority::{CertificateError, Verifier, read_lists};
use crate::{authn::file::Stamp, event::SECURITY_EVENTS, serve::Hangup};

const EVERY: Duration = Duration::from_secs(60);

/// What stands in a file, and what is made of it.
pub(super) struct WatchedLists {
    path: PathBuf,
    /// Of what was read when it was opened; `None`: it may have changed without a trace.
    opened: Option<Stamp>,
    watched: AtomicBool,
}

/// The looks at one file.
struct Looks {
    path: PathBuf,
    roots: Arc<RootCertStore>,
    seen: Option<Stamp>,
    failed: bool,
}

impl WatchedLists {
    /// With the text that is there.
    pub(super) fn open(path: &Path) -> Result<(Self, String), CertificateError> {
        let opened = settled(path);
        let text = read_lists(path)?;
        Ok((Self { path: path.to_owned(), opened, watched: AtomicBool::new(false) }, text))
    }

    /// Begins to look at the file, once. It ends when nobody uses the lists any more.
    pub(super) fn keep_fresh(&self, roots: &Arc<RootCertStore>, verifier: &Arc<Verifier>) {
        if self.watched.swap(true, Ordering::SeqCst) {
            return;
        }
        let (path, seen) = (self.path.clone(), self.opened.clone());
        let looks = Looks { path, roots: Arc::clone(roots), seen, failed: false };
        tokio::spawn(looks.go_on(Arc::downgrade(verifier)));
    }
}

impl Looks {
    async fn go_on(mut self, of: Weak<Verifier>) {
        let mut hangup = Hangup::new();
        loop {
            let Some(verifier) = of.upgrade() else { return };
            let looked = tokio::task::spawn_blocking(move || {
                self.look(&verifier);
                self
            });
            let Ok(looks) = looked.await else { return };
            self = looks;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = hangup.wait() => {}
            }
        }
    }

    fn look(&mut self, verifier: &Verifier) {
        if self.seen.is_some() && Stamp::of(&self.path).ok() == self.seen {
            return;
        }
        // before it is read: what changes meanwhile is read again
        self.seen = settled(&self.path);
        let read = read_lists(&self.path).and_then(|lists| verifier.replace(&self.roots, &lists));
        let failed = std::mem::replace(&mut self.failed, read.is_err());
        if let Err(error) = read {
            self.seen = None;
            if !failed {
                self.report(&error);
            }
        }
    }

    /// Rule 2.
    fn report(&self, error: &CertificateError) {
        tracing::error!(
            target: SECURITY_EVENTS, event_type = "sys_revocation_lists_unusable", severity = "High",
            timestamp = %jiff::Timestamp::now(), file = %self.path.display(), failure_reason = %error,
            "the revocation lists of before stay until the file can be read",
        );
    }
}

/// Its stamp, if any change from now on has another.
fn settled(path: &Path) -> Option<Stamp> {
    Stamp::of(path).ok().filter(Stamp::is_settled)
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
        ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
        SerialNumber, date_time_ymd,
    };

    use super::*;
    use crate::authn::Reason;
    use crate::authn::certificate::{ClientCertificate, ClientCertificates, PeerCertificate};
    use crate::clock::Clock;
    use crate::operation::{CertificateRules, SubjectName};

    fn authority() -> (String, Issuer<'static, KeyPair>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "authority");
        (params.self_signed(&key).unwrap().pem(), Issuer::new(params, key))
    }

    /// The certificate of this number.
    fn client(issuer: &Issuer<'_, KeyPair>, serial: u64) -> ClientCertificate {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from(serial));
        let certificate = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap();
        ClientCertificate::Whole(PeerCertificate::new(vec![certificate.der().to_vec()]).unwrap())
    }

    fn revokes(issuer: &Issuer<'_, KeyPair>, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2095, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(issuer).unwrap().pem().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_that_a_newer_list_names_is_refused_a_minute_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.crl");
        let (pem, issuer) = authority();
        std::fs::write(&file, revokes(&issuer, &[1])).unwrap();
        let machines = ClientCertificates::from_pem(&pem).unwrap().revocation_lists_file(&file).unwrap();
        let shown = [1, 2].map(|serial| client(&issuer, serial));
        let rules = CertificateRules { subject: SubjectName::Distinguished };
        let judged = || {
            let now = Clock::system().now().unwrap();
            let judge = |shown| machines.judge("machine", &Arc::from("here"), &rules, shown, now);
            shown.each_ref().map(|shown| judge(shown).err())
        };
        assert_eq!(judged(), [Some(Reason::Revoked), None]);
        for (list, then) in [
            (revokes(&issuer, &[1, 2]), [Some(Reason::Revoked), Some(Reason::Revoked)]),
            ("x".to_owned(), [Some(Reason::Revoked), Some(Reason::Revoked)]),
            (revokes(&issuer, &[2]), [None, Some(Reason::Revoked)]),
        ] {
            std::fs::write(&file, &list).unwrap();
            tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
            assert_eq!(judged(), then, "{list}");
        }
    }
}
