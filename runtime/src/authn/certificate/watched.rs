//! The files of a `mutualTLS` scheme as a running server sees them: read again when they have changed.
//!
//! Rules:
//! 1. each is looked at every minute and on SIGHUP, as the server's own certificate is, from when the server is ready on; where nobody
//!    asked for that, from the first request on. Before, the signal ends the process;
//! 2. a file that cannot be used changes nothing, and an event of high severity says so, once until it is good again. Revocation
//!    lists of before are out of date one day, and refuse everybody then.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use super::authority::CertificateError;
use crate::authn::file::Stamp;
use crate::event::{self, Kind, SECURITY_EVENTS, SecurityEvent, Severity, known};
use crate::going_on::{Going, GoingOn};
use crate::serve::Hangup;

const EVERY: Duration = Duration::from_secs(60);

/// What is made of a file, and can be exchanged.
pub(super) trait Renewed: Send + Sync + 'static {
    /// The event of a file that cannot be used.
    const UNUSABLE: &'static str;

    /// Takes what stands in the file, or stays as it is.
    fn renew(&self, path: &Path) -> Result<(), CertificateError>;
}

/// A file, and what is made of it.
pub(super) struct Watched<T> {
    path: PathBuf,
    made: Arc<T>,
    /// Of what was read when it was opened; `None`: it may have changed without a trace.
    opened: Option<Stamp>,
    looks: GoingOn,
}

/// The looks at one file.
struct Looks {
    path: PathBuf,
    seen: Option<Stamp>,
    failed: bool,
}

impl<T: Renewed> Watched<T> {
    /// Reads it at once.
    pub(super) fn open(
        path: &Path,
        read: impl FnOnce(&Path) -> Result<T, CertificateError>,
    ) -> Result<Self, CertificateError> {
        // before it is read, as in a look
        let opened = settled(path);
        let made = read(path)?;
        Ok(Self { path: path.to_owned(), made: Arc::new(made), opened, looks: GoingOn::default() })
    }

    pub(super) fn made(&self) -> &T {
        &self.made
    }

    /// Begins to look at the file, unless somebody does: a SIGHUP that comes after it is heard. It ends when nobody uses what is made
    /// of the file any more.
    pub(super) fn keep_fresh(&self) {
        self.looks.begin(|going| {
            let looks = Looks { path: self.path.clone(), seen: self.opened.clone(), failed: false };
            let looking = looks.go_on(Hangup::new(), Arc::downgrade(&self.made), going);
            event::storing(event::sink(), looking)
        });
    }
}

impl Looks {
    async fn go_on<T: Renewed>(mut self, mut hangup: Hangup, of: Weak<T>, _going: Going) {
        loop {
            let Some(made) = of.upgrade() else { return };
            let looked = event::blocking(move || {
                self.look(&*made);
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

    fn look<T: Renewed>(&mut self, made: &T) {
        if self.seen.is_some() && Stamp::of(&self.path).ok() == self.seen {
            return;
        }
        // before it is read: what changes meanwhile is read again
        self.seen = settled(&self.path);
        let read = made.renew(&self.path);
        let failed = std::mem::replace(&mut self.failed, read.is_err());
        if let Err(error) = read {
            self.seen = None;
            if !failed {
                self.report(T::UNUSABLE, &error);
            }
        }
    }

    /// Rule 2.
    fn report(&self, event_type: &'static str, error: &CertificateError) {
        tracing::error!(
            target: SECURITY_EVENTS, event_type, severity = "High",
            timestamp = %jiff::Timestamp::now(), file = %self.path.display(), failure_reason = %error,
            "what the file held before stays until it can be read",
        );
        let kind = Kind { event_type, severity: Severity::High };
        event::store(kind.severity, || SecurityEvent {
            failure_reason: known(error),
            ..SecurityEvent::of(kind)
        });
    }
}

/// Its stamp, if any change from now on has another.
fn settled(path: &Path) -> Option<Stamp> {
    Stamp::of(path).ok().filter(Stamp::is_settled)
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
        ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
        SerialNumber, date_time_ymd,
    };

    use super::*;
    use crate::authn::certificate::{ClientCertificate, ClientCertificates, PeerCertificate};
    use crate::authn::{Principal, Reason, Verifiers};
    use crate::clock::Clock;
    use crate::operation::{CertificateRules, Document, Scheme, SchemeKind, SubjectName};

    fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        (params.self_signed(&key).unwrap().pem(), Issuer::new(params, key))
    }

    /// The certificate of this number.
    fn client(issuer: &Issuer<'_, KeyPair>, serial: u64) -> ClientCertificate {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from(serial));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "machine");
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

    fn judge(machines: &ClientCertificates, shown: &ClientCertificate) -> Result<Principal, Reason> {
        let rules = CertificateRules { subject: SubjectName::Distinguished };
        machines.judge("machine", &Arc::from("here"), &rules, shown, Clock::system().now().unwrap())
    }

    /// A minute after the file was written.
    async fn written(file: &Path, text: &str) {
        std::fs::write(file, text).unwrap();
        tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_that_a_newer_list_names_is_refused_a_minute_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.crl");
        let (pem, issuer) = authority("authority");
        std::fs::write(&file, revokes(&issuer, &[1])).unwrap();
        let machines = ClientCertificates::from_pem(&pem).unwrap().revocation_lists_file(&file).unwrap();
        let shown = [1, 2].map(|serial| client(&issuer, serial));
        let judged = || shown.each_ref().map(|shown| judge(&machines, shown).err());
        assert_eq!(judged(), [Some(Reason::Revoked), None]);
        for (list, then) in [
            (revokes(&issuer, &[1, 2]), [Some(Reason::Revoked), Some(Reason::Revoked)]),
            ("x".to_owned(), [Some(Reason::Revoked), Some(Reason::Revoked)]),
            (revokes(&issuer, &[2]), [None, Some(Reason::Revoked)]),
        ] {
            written(&file, &list).await;
            assert_eq!(judged(), then, "{list}");
        }
    }

    /// Also for who comes first, and comes late.
    #[tokio::test(start_paused = true)]
    async fn files_are_looked_at_from_when_a_server_is_ready_on() {
        static DOCUMENT: Document = Document {
            schemes: &[Scheme {
                name: "machine",
                kind: SchemeKind::MutualTls(CertificateRules { subject: SubjectName::Distinguished }),
            }],
            ..crate::authn::testing::DOCUMENT
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.crl");
        let (pem, issuer) = authority("authority");
        std::fs::write(&file, revokes(&issuer, &[1])).unwrap();
        let machines = ClientCertificates::from_pem(&pem).unwrap().revocation_lists_file(&file).unwrap();
        let mut verifiers = Verifiers::new(&DOCUMENT);
        verifiers.mutual_tls("machine", machines.clone());
        verifiers.finish(&crate::Settings::new()).unwrap().load().await.unwrap();
        written(&file, &revokes(&issuer, &[1, 2])).await;
        assert_eq!(judge(&machines, &client(&issuer, 2)).err(), Some(Reason::Revoked));
    }

    #[test]
    fn looks_that_ended_with_their_runtime_begin_anew_in_another() {
        let paused = || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().start_paused(true).build().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.crl");
        let (pem, issuer) = authority("authority");
        std::fs::write(&file, revokes(&issuer, &[1])).unwrap();
        let machines = ClientCertificates::from_pem(&pem).unwrap().revocation_lists_file(&file).unwrap();
        let shown = client(&issuer, 2);
        let judged = || judge(&machines, &shown).err();
        assert_eq!(paused().block_on(async { judged() }), None);
        paused().block_on(async {
            assert_eq!(judged(), None);
            written(&file, &revokes(&issuer, &[1, 2])).await;
            assert_eq!(judged(), Some(Reason::Revoked));
        });
    }

    #[tokio::test(start_paused = true)]
    async fn an_authority_that_is_taken_out_vouches_for_nobody_a_minute_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines-ca.pem");
        let [(old, by_old), (new, by_new)] = ["old", "new"].map(authority);
        std::fs::write(&file, &old).unwrap();
        let machines = ClientCertificates::from_file(&file).unwrap();
        let shown = [client(&by_old, 1), client(&by_new, 1)];
        let judged = || shown.each_ref().map(|shown| judge(&machines, shown).err());
        let untrusted = Some(Reason::UntrustedCertificate);
        assert_eq!(judged(), [None, untrusted]);
        let both = format!("{old}{new}");
        for (roots, then) in [
            (&*both, [None, None]),
            (&*new, [untrusted, None]),
            ("", [untrusted, None]),
            (&*old, [None, untrusted]),
        ] {
            written(&file, roots).await;
            assert_eq!(judged(), then, "{roots}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn authorities_and_their_lists_are_exchanged_one_without_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let [roots, lists] = ["ca.pem", "crl.pem"].map(|name| folder.path().join(name));
        let [(old, by_old), (new, by_new)] = ["old", "new"].map(authority);
        std::fs::write(&roots, &old).unwrap();
        std::fs::write(&lists, revokes(&by_old, &[1])).unwrap();
        let machines = ClientCertificates::from_file(&roots).unwrap().revocation_lists_file(&lists).unwrap();
        let shown = [client(&by_old, 1), client(&by_old, 2), client(&by_new, 1), client(&by_new, 2)];
        let good = || shown.each_ref().map(|shown| judge(&machines, shown).is_ok());
        assert_eq!(good(), [false, true, false, false]);
        written(&roots, &format!("{old}{new}")).await;
        assert_eq!(good(), [false, true, false, false], "the lists of before hold, and the new one has none");
        written(&lists, &format!("{}{}", revokes(&by_old, &[]), revokes(&by_new, &[2]))).await;
        assert_eq!(good(), [true, true, true, false], "the authorities of before hold");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_whose_grant_is_taken_out_has_lost_it_a_minute_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.grants");
        let (pem, issuer) = authority("authority");
        let grant = |scopes: &str| format!("{{\"name\": \"CN=machine\", \"scopes\": [{scopes}]}}\n");
        std::fs::write(&file, grant("\"read\"")).unwrap();
        let machines = ClientCertificates::from_pem(&pem).unwrap().grants_file(&file).unwrap().only_granted();
        let shown = client(&issuer, 1);
        let judged = || match judge(&machines, &shown) {
            Ok(principal) => Ok(["read", "write"].map(|scope| principal.grants(scope))),
            Err(reason) => Err(reason),
        };
        assert_eq!(judged(), Ok([true, false]));
        for (grants, then) in [
            (grant("\"read\", \"write\""), Ok([true, true])),
            (format!("{}x", grant("")), Ok([true, true])),
            (grant(""), Ok([false, false])),
            (String::new(), Err(Reason::UnknownIdentity)),
        ] {
            written(&file, &grants).await;
            assert_eq!(judged(), then, "{grants}");
        }
    }
}
