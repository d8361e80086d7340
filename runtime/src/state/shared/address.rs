//! Where a Redis is, and whom to believe that it is the one.
//!
//! Rules:
//! 1. `redis://` is for a network that is trusted: the password and all values go over it in the clear;
//! 2. `rediss://` is TLS: the server shows a certificate for its name, by the roots of the machine or the ones that are
//!    given here; nothing switches that off;
//! 3. no error shows the address, which may hold a password.

use std::fmt;

use redis::{Client, IntoConnectionInfo};

use super::failed;
use crate::state::StateError;

/// A Redis: its address, and what TLS to it needs.
///
/// ```no_run
/// # #[cfg(feature = "redis-tls")]
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use palisade::state::{RedisServer, State};
///
/// let server = RedisServer::at("rediss://:secret@redis.internal:6380").trusting(std::fs::read("ca.pem")?);
/// let state = State::redis(server).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisServer {
    url: String,
    #[cfg(feature = "redis-tls")]
    roots: Option<Vec<u8>>,
    #[cfg(feature = "redis-tls")]
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl RedisServer {
    /// At `redis://[user:password@]host[:port][/database]`, or `rediss://` with the feature `redis-tls`, by the roots of the
    /// machine.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            #[cfg(feature = "redis-tls")]
            roots: None,
            #[cfg(feature = "redis-tls")]
            identity: None,
        }
    }

    /// By these roots, in PEM, in the place of the machine's.
    #[cfg(feature = "redis-tls")]
    #[must_use]
    pub fn trusting(self, roots: impl Into<Vec<u8>>) -> Self {
        Self { roots: Some(roots.into()), ..self }
    }

    /// With this certificate and its key, in PEM, for a server that asks for one.
    #[cfg(feature = "redis-tls")]
    #[must_use]
    pub fn presenting(self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self { identity: Some((certificate.into(), key.into())), ..self }
    }

    pub(super) fn client(&self) -> Result<Client, StateError> {
        let url = self.url.as_str();
        let is_tls = url.starts_with("rediss://");
        if !is_tls && !url.starts_with("redis://") {
            return Err(failed("the address of the state is not one of `redis://` or `rediss://`"));
        }
        if url.contains('#') {
            return Err(failed("the address of the state has a fragment: a certificate is always looked at"));
        }
        let read = |_| failed("the address of the state cannot be read");
        let info = url.into_connection_info().map_err(read)?;
        if is_tls { self.over_tls(info) } else { self.in_the_clear(info) }
    }

    #[cfg(feature = "redis-tls")]
    fn in_the_clear(&self, info: redis::ConnectionInfo) -> Result<Client, StateError> {
        if self.roots.is_some() || self.identity.is_some() {
            return Err(failed("there are certificates for `redis://`, which has no TLS: write `rediss://`"));
        }
        Client::open(info).map_err(failed)
    }

    #[cfg(not(feature = "redis-tls"))]
    fn in_the_clear(&self, info: redis::ConnectionInfo) -> Result<Client, StateError> {
        Client::open(info).map_err(failed)
    }

    #[cfg(feature = "redis-tls")]
    fn over_tls(&self, info: redis::ConnectionInfo) -> Result<Client, StateError> {
        use rustls::crypto::{CryptoProvider, aws_lc_rs};

        if CryptoProvider::get_default().is_none() {
            // the client of Redis takes the one of the process; another may have been first, which is as good
            _ = aws_lc_rs::default_provider().install_default();
        }
        if self.roots.as_deref().is_some_and(|roots| !holds_certificates(roots)) {
            return Err(failed("the roots of the state are no certificates in PEM"));
        }
        let client_tls = self
            .identity
            .clone()
            .map(|(client_cert, client_key)| redis::ClientTlsConfig { client_cert, client_key });
        let certificates = redis::TlsCertificates { client_tls, root_cert: self.roots.clone() };
        Client::build_with_tls(info, certificates).map_err(failed)
    }

    #[cfg(not(feature = "redis-tls"))]
    fn over_tls(&self, _: redis::ConnectionInfo) -> Result<Client, StateError> {
        Err(failed("`rediss://` needs the feature `redis-tls` of palisade"))
    }
}

/// Whether there is one, and each can be read: by none nobody would be believed, and by some not everybody.
#[cfg(feature = "redis-tls")]
fn holds_certificates(pem: &[u8]) -> bool {
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.is_ok_and(|certificates| !certificates.is_empty())
}

impl<T: Into<String>> From<T> for RedisServer {
    fn from(url: T) -> Self {
        Self::at(url)
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(server: RedisServer) -> String {
        server.client().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn nothing_switches_the_certificate_off() {
        assert!(RedisServer::at("redis://a:1/2").client().is_ok());
        for url in [
            "rediss://:hush@a:1/#insecure",
            "redis://:hush@a:1/#insecure",
            "unix:///hush",
            "a:1",
            "http://hush",
        ] {
            let why = refusal(RedisServer::at(url));
            assert!(!why.is_empty() && !why.contains("hush"), "{url}: {why}");
        }
        assert_eq!(format!("{:?}", RedisServer::at("redis://:hush@a")), "RedisServer { .. }");
    }

    #[cfg(feature = "redis-tls")]
    #[test]
    fn certificates_are_for_tls() {
        let (plain, tls) = (RedisServer::at("redis://a:1"), RedisServer::at("rediss://a:1"));
        assert!(refusal(plain.clone().trusting("")).contains("rediss://"));
        assert!(refusal(plain.presenting("", "")).contains("rediss://"));
        assert!(!refusal(tls.trusting("no certificate")).is_empty());
    }
}
