//! TLS of our own: TLS 1.2 and 1.3, without early data, which could be replayed (RFC 8446 section 8).
//!
//! Rules:
//! 1. a handshake takes no longer than [`Tls::handshake_timeout`]; how many run at once is bounded by the caps of
//!    connections;
//! 2. certificate and key are read again when their files change and on SIGHUP; a pair that does not fit, or is over its
//!    time, changes nothing and is reported;
//! 3. a server that has use for client certificates asks every client for one and lets those in who have none, since
//!    other operations may not need one. Then no session is resumed: it would bring back a certificate that was shown
//!    when other rules held.

mod hangup;
mod identity;
mod possession;

use std::{fmt, io, path::Path, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    version::{TLS12, TLS13},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(crate) use self::hangup::Hangup;
use self::{identity::Identity, possession::Possession};
use super::session::Session;
use crate::{
    authn::certificate::{ClientCertificate, MAX_CHAIN, PeerCertificate},
    secret::Secret,
};

/// How a server speaks TLS.
///
/// ```no_run
/// # async fn run(server: palisade::Server) -> Result<(), Box<dyn std::error::Error>> {
/// let tls = palisade::Tls::from_files("tls/chain.pem", "tls/key.pem")?;
/// palisade::serve(server).tls(tls).listen("0.0.0.0:8443").await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Tls {
    identity: Arc<Identity>,
    ask: bool,
    handshake_timeout: Duration,
}

/// Why a server cannot speak TLS.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    File(std::path::PathBuf, io::Error),
    /// There is no certificate in PEM, or one that cannot be read.
    Certificate,
    /// There is no private key in PEM, or one that cannot be used.
    Key,
    /// The key is not the certificate's.
    Mismatch,
    /// The certificate is over its time.
    Expired,
}

impl Tls {
    /// A certificate with what stands between it and its root, and its private key, both in PEM.
    ///
    /// The files are looked at every minute, and on SIGHUP: a renewed pair takes over without a restart.
    ///
    /// # Errors
    /// When a file cannot be read, or as [`Tls::from_pem`].
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        Identity::from_files(chain.as_ref(), key.as_ref()).map(Self::new)
    }

    /// A certificate with what stands between it and its root, and its private key, both in PEM.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together, or the certificate is over its time.
    pub fn from_pem(chain: &str, key: &Secret<String>) -> Result<Self, TlsError> {
        Identity::from_pem(chain, key).map(Self::new)
    }

    fn new(identity: Identity) -> Self {
        Self { identity: Arc::new(identity), ask: false, handshake_timeout: Duration::from_secs(10) }
    }

    /// Asks clients for a certificate. A [`Server`](crate::Server) whose document has use for them asks by itself; an
    /// axum router that has adopted such operations is to be told.
    #[must_use]
    pub fn ask_for_certificates(self) -> Self {
        Self { ask: true, ..self }
    }

    /// How long a handshake may take. Default: 10 s.
    #[must_use]
    pub fn handshake_timeout(self, handshake_timeout: Duration) -> Self {
        Self { handshake_timeout, ..self }
    }

    /// Ready for connections. `ask`: the service has use for client certificates.
    pub(super) fn acceptor(self, ask: bool) -> Acceptor {
        let ask = ask || self.ask;
        let config = config(&self.identity, ask);
        self.identity.keep_fresh();
        let (tls, handshake_timeout) = (TlsAcceptor::from(Arc::new(config)), self.handshake_timeout);
        Acceptor { tls, handshake_timeout, identity: self.identity }
    }
}

fn config(identity: &Arc<Identity>, ask: bool) -> ServerConfig {
    // the provider is named: with two compiled in, the process default is a panic
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = if ask { Possession::verifier(&provider) } else { WebPkiClientVerifier::no_client_auth() };
    let builder = ServerConfig::builder_with_provider(provider);
    #[expect(clippy::expect_used, reason = "the provider has suites for both versions, which are constants")]
    let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).expect("suites for TLS 1.2 and 1.3");
    let mut config =
        builder.with_client_cert_verifier(client).with_cert_resolver(Arc::clone(identity) as Arc<_>);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if ask {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config
}

/// Turns connections into TLS connections.
pub(super) struct Acceptor {
    tls: TlsAcceptor,
    handshake_timeout: Duration,
    identity: Arc<Identity>,
}

impl Acceptor {
    /// The connection after its handshake, and what is known of it since.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Session)> {
        self.identity.keep_fresh(); // where a log that panicked has ended it
        let handshake = tokio::time::timeout(self.handshake_timeout, self.tls.accept(stream));
        let stream = handshake.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates().unwrap_or_default();
        let certificate = match chain.len() {
            0 => None,
            1..=MAX_CHAIN => PeerCertificate::new(chain.iter().map(|der| der.to_vec()).collect()),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        let session = Session {
            name: connection.server_name().map(Into::into),
            certificate: certificate.map(ClientCertificate::Whole),
        };
        Ok((stream, session))
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("handshake_timeout", &self.handshake_timeout).finish_non_exhaustive()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, _) => write!(f, "cannot read `{}`", path.display()),
            Self::Certificate => f.write_str("no certificate in PEM, or one that cannot be read"),
            Self::Key => f.write_str("no private key in PEM, or one that cannot be used"),
            Self::Mismatch => f.write_str("the private key is not the certificate's"),
            Self::Expired => f.write_str("the certificate is over its time"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_handshake_takes_ten_seconds_unless_said() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let tls = Tls::from_pem(&pem, &Secret::new(key.serialize_pem())).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let begun = tokio::time::Instant::now();
        let refused = tls.acceptor(false).accept(stream).await.err().unwrap();
        assert_eq!((refused.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));
    }
}
