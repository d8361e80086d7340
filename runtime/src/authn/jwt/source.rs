//! Where the keys of an issuer come from, and how they are exchanged while the server runs.

use std::{
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
};

use arc_swap::{ArcSwapOption, Guard};
use futures_util::future::BoxFuture;

use super::{
    jwk,
    key_error::KeyError,
    key_set::{self, LeftOut, Loaded, Origin},
    keys::{Key, KeyRing},
    pem,
};
use crate::{
    going_on::{Going, GoingOn},
    operation::Algorithm,
    secret::Secret,
};

/// A set of keys that verify tokens.
pub struct JwkSet {
    pub(crate) ring: KeyRing,
    left_out: Vec<LeftOut>,
}

impl JwkSet {
    /// Reads a JWK set (RFC 7517), or one JWK, from text that is configured on this machine.
    ///
    /// # Errors
    /// When it is no key set, has no usable key, or holds what no verifier should hold.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        key_set::read(text, Origin::Local).map(Self::from)
    }

    /// Reads PEM public keys. They have no `kid`, so each must be the only one of its algorithm.
    ///
    /// # Errors
    /// When it is no PEM public key of RSA, P-256, P-384 or Ed25519.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        pem::read(text).map(Self::from)
    }

    /// Reads a file: PEM when it has a `-----BEGIN` line, else a JWK set.
    ///
    /// # Errors
    /// When it cannot be read, or as [`JwkSet::from_json`] and [`JwkSet::from_pem`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = crate::authn::file::read(path, key_set::MAX_TEXT).map_err(|error| match error {
            crate::authn::file::ReadError::TooLarge => KeyError::TooLarge,
            crate::authn::file::ReadError::Io(cause) => KeyError::File(path.to_owned(), cause),
        })?;
        if text.contains("-----BEGIN") { Self::from_pem(&text) } else { Self::from_json(&text) }
    }

    /// A secret that the issuer and this server share, for HS256. At least 32 bytes (RFC 7518 section 3.2).
    ///
    /// # Errors
    /// When it is shorter.
    pub fn from_secret(secret: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        // looked at to make the key, which keeps its own wiped copy
        let check = jwk::mac(secret.expose()).ok_or(KeyError::ShortSecret)?;
        let key = Key::new(None, [(Algorithm::HS256, check)]);
        let ring = KeyRing::new(vec![key]).map_err(|_| KeyError::Ambiguous)?;
        Ok(Self { ring, left_out: Vec::new() })
    }

    /// The keys that were left out, each with the reason.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

impl From<Loaded> for JwkSet {
    fn from(Loaded { ring, left_out }: Loaded) -> Self {
        Self { ring, left_out }
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ring.kids()).finish()
    }
}

/// The keys of an issuer as they are now. Clones share them, so that keys can be rotated under a running server.
#[derive(Clone)]
pub struct Jwks(Arc<Source>);

pub(crate) struct Source {
    current: ArcSwapOption<JwkSet>,
    tended: OnceLock<Tended>,
    #[cfg(feature = "outbound")]
    pub(crate) remote: Option<super::remote::Remote>,
}

/// Who exchanges the keys in this process.
struct Tended {
    tending: GoingOn,
    tend: Box<dyn Fn(Going) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Jwks {
    /// Exchanges the keys, at once and for every verifier that shares them.
    pub fn replace(&self, set: JwkSet) {
        self.0.current.store(Some(Arc::new(set)));
    }

    /// Has them exchanged from now on by `tend`, as long as there is a runtime in which they are used.
    pub(crate) fn tended_by<T: Future<Output = ()> + Send + 'static>(
        &self,
        tend: impl Fn(Going) -> T + Send + Sync + 'static,
    ) {
        let tend = Box::new(move |going| Box::pin(tend(going)) as BoxFuture<'static, ()>);
        _ = self.0.tended.set(Tended { tending: GoingOn::default(), tend }); // by one
        self.tend();
    }

    fn tend(&self) {
        if let Some(Tended { tending, tend }) = self.0.tended.get() {
            tending.begin(tend);
        }
    }

    /// The keys, if there are any yet.
    pub(crate) fn current(&self) -> Guard<Option<Arc<JwkSet>>> {
        self.tend();
        self.0.current.load()
    }

    /// Whether somebody far away says what they are.
    pub(crate) fn is_fetched(&self) -> bool {
        #[cfg(feature = "outbound")]
        return self.0.remote.is_some();
        #[cfg(not(feature = "outbound"))]
        false
    }

    /// Whether there is a key for one of `algorithms`; unknown as long as there are no keys yet.
    pub(crate) fn does_any(&self, algorithms: &[Algorithm]) -> Option<bool> {
        self.current().as_ref().map(|set| algorithms.iter().any(|algorithm| set.ring.does(*algorithm)))
    }
}

#[cfg(feature = "outbound")]
impl Jwks {
    pub(crate) fn fetched(remote: super::remote::Remote) -> Self {
        let (current, tended) = (ArcSwapOption::empty(), OnceLock::new());
        Self(Arc::new(Source { current, tended, remote: Some(remote) }))
    }

    pub(crate) fn remote(&self) -> Option<&super::remote::Remote> {
        self.0.remote.as_ref()
    }

    pub(crate) fn clear(&self) {
        self.0.current.store(None);
    }

    pub(crate) fn downgrade(&self) -> std::sync::Weak<Source> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn from_weak(source: &std::sync::Weak<Source>) -> Option<Self> {
        source.upgrade().map(Self)
    }
}

impl From<JwkSet> for Jwks {
    fn from(set: JwkSet) -> Self {
        Self(Arc::new(Source {
            current: ArcSwapOption::from_pointee(set),
            tended: OnceLock::new(),
            #[cfg(feature = "outbound")]
            remote: None,
        }))
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.current().as_ref() {
            Some(set) => write!(f, "Jwks({} keys)", set.ring.len()),
            None => f.write_str("Jwks(not loaded)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::issuer::{Families, IssuerKeys};
    use crate::{Issuer, State};

    #[test]
    fn keys_of_an_issuer_are_those_of_now_in_whichever_runtime_they_are_used() {
        let paused = || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().start_paused(true).build().unwrap()
        };
        let state = State::memory();
        let open = async || {
            let keys = IssuerKeys::from_list("a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
            Issuer::builder("https://id.example.com", "api", state.clone(), keys).open().await.unwrap()
        };
        let (ours, other) = paused().block_on(async { (open().await, open().await) });
        let kids = || format!("{:?}", ours.keys().current());
        let before = kids();
        paused().block_on(async {
            other.replace_keys(Families::Keep).await.unwrap();
            assert_eq!(kids(), before);
            tokio::time::sleep(Duration::from_secs(16)).await;
            assert_ne!(kids(), before);
        });
    }
}
