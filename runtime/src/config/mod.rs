//! The configuration of a scaffolded project: `palisade.toml`, each value also by environment variable.
//!
//! ```toml
//! listen = "127.0.0.1:8080"
//! readiness_listen = "127.0.0.1:9000"   # where balancers ask for /livez and /readyz; nowhere without it
//! state = "memory"                      # what is kept ends with the process; or state_file, or state_url
//! state_file = "server.state"           # in a file of this server alone (redb)
//! state_url = "redis://10.0.0.5"        # in a Redis that several instances share
//! state_records = 1000000               # how many there is room for, of state_file and in memory: 100,000 without it
//! answer_keys_file = "keys/answers"     # or answer_keys: seal the answers of idempotent operations, as cursor_keys
//! limits_url = "redis://10.0.0.5"       # where instances count limits together
//! limits_instances = 3                  # needed beside it: how many there are
//! trusted_proxies = ["10.0.0.0/8"]      # whose forwarded header is believed
//! proxy_protocol_from = ["10.0.0.0/8"]  # the balancers that say for whom they connect (PROXY protocol v2): nobody else may
//! forwarded_header = "x-forwarded-for"  # or "forwarded"
//! client_certificates_from_proxies = false # whether they are believed about the certificates of clients (RFC 9440)
//! public_origin = "https://api.example.com" # where clients find this server: needed where a scheme asks for proofs (DPoP)
//! tls_certificate_file = "tls/chain.pem" # TLS of our own: with both of these, or without either
//! tls_key_file = "tls/key.pem"
//! cursor_keys = ["2026-12:<32 bytes in base64>"]   # or cursor_keys_file; the first seals, all of them open
//! api_key_pepper_file = "keys/pepper.keys" # keys the hashes of API keys: as cursor_keys_file; the first for new keys
//! mock_owner = "alice"                  # who owns the objects of stand-in resolvers
//!
//! [schemes.oauth]                       # bearer, oauth2, openIdConnect
//! jwks_file = "keys/jwks.json"          # or PEM; or jwks_url; or discover = "openid" or "oauth": the issuer says where
//! issuer = "https://id.example.com"     # needed where the document does not name it
//! audience = "bank-api"                 # likewise
//! loopback_only = true                  # development keys: tokens from this machine only
//!
//! [schemes.opaque]                      # the same with `token: introspection`
//! introspection_url = "https://id.example.com/introspect"
//! client_id = "bank-api"                # as whom the issuer is asked
//! client_secret_file = "keys/client"    # or client_secret
//! issuer = "https://id.example.com"     # what its answers must say; not needed
//! audience = "bank-api"                 # likewise
//!
//! [schemes.partner]                     # apiKey, and http basic
//! credential_file = "keys/partner.keys"
//!
//! [schemes.client_cert]                 # mutualTLS
//! roots_file = "keys/partners-ca.pem"
//! revocation_lists_file = "keys/partners.crl"   # without it nothing is known of revocation
//! credential_file = "keys/partners.grants"      # the scopes of names, one JSON object a line
//! only_granted = true                   # lets in nobody else
//! ```
//!
//! Rules:
//! 1. a variable wins over the file: `PALISADE_LISTEN`, `PALISADE_SCHEMES_OAUTH_JWKS_FILE` (upper case, `_` for every
//!    character of a scheme's name that is no letter or digit); lists are separated by commas. A scheme may come from
//!    variables alone;
//! 2. of `jwks_file`, `jwks_url` and `discover`, of `client_secret` and `client_secret_file`, of `cursor_keys` and
//!    `cursor_keys_file`, of `answer_keys` and `answer_keys_file`, and of `state`, `state_file` and `state_url`, one is given; a
//!    variable for one replaces the file's other;
//! 3. relative paths are relative to the folder of the file;
//! 4. unknown keys, and variables that are nearly known, are refused; faults come all at once.

mod error;
mod kept;
mod key;
mod schemes;
mod values;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

pub use self::error::LoadError;
use self::{error::Faults, key::Key, values::Values};
use crate::{ForwardedHeader, Settings, cursor::CursorKeys};

static LISTEN: Key = Key::top("listen");
static READINESS: Key = Key::top("readiness_listen");
static PROXIES: Key = Key::top("trusted_proxies");
static PROXY_PROTOCOL: Key = Key::top("proxy_protocol_from");
static FORWARDED: Key = Key::top("forwarded_header");
static PUBLIC_ORIGIN: Key = Key::top("public_origin");
static FORWARDED_CERTIFICATES: Key = Key::top("client_certificates_from_proxies");
#[cfg(feature = "tls")]
static TLS_CERTIFICATE: Key = Key::top("tls_certificate_file");
#[cfg(feature = "tls")]
static TLS_KEY: Key = Key::top("tls_key_file");
static CURSOR_KEYS: Key = Key::top("cursor_keys");
static CURSOR_KEYS_FILE: Key = Key::top("cursor_keys_file");
static API_KEY_PEPPERS: Key = Key::top("api_key_pepper_file");
static MOCK_OWNER: Key = Key::top("mock_owner");

/// A configuration that was read. The parts that it describes are made when they are asked for.
pub struct Config {
    file: PathBuf,
    values: Values,
    listen: SocketAddr,
    readiness: Option<SocketAddr>,
    settings: Settings,
}

impl Config {
    /// Reads the file and the environment.
    ///
    /// # Errors
    /// When the file cannot be read, or with everything that is wrong with it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let mut faults = Faults::default();
        let text = fs::read_to_string(path).map(Zeroizing::new).unwrap_or_else(|cause| {
            faults.add_plain(format!("cannot be read: {cause}"));
            Zeroizing::default()
        });
        let ours = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let ours = std::env::vars_os().filter_map(ours).filter(|(name, _)| name.starts_with("PALISADE_"));
        Self::read(path, &text, ours.collect(), faults)
    }

    fn read(
        path: &Path,
        text: &str,
        variables: BTreeMap<String, String>,
        mut faults: Faults,
    ) -> Result<Self, LoadError> {
        let values = Values::read(text, variables, &mut faults);
        let listen = address(&values, &LISTEN, &mut faults);
        let readiness = address(&values, &READINESS, &mut faults);
        let settings = settings(&values, &mut faults);
        kept::check(&values, &mut faults);
        rivals(&values, &[&CURSOR_KEYS, &CURSOR_KEYS_FILE], &mut faults);
        faults.finish(path, || {
            let listen = listen?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
            Some(Self { file: path.to_owned(), values, listen, readiness: readiness?, settings: settings? })
        })
    }

    /// The address to listen on; `127.0.0.1:8080` when none is given.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where to say whether the server lives and is ready, if that is configured: for [`Readiness::listen`](crate::Readiness::listen).
    #[must_use]
    pub const fn readiness_listen(&self) -> Option<SocketAddr> {
        self.readiness
    }

    /// The server's own certificate and key, where they are configured.
    ///
    /// # Errors
    /// When only one of the two is given, or they cannot be used.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Result<Option<crate::Tls>, LoadError> {
        let mut faults = Faults::default();
        let (chain, key) =
            (self.values.text(&TLS_CERTIFICATE, &mut faults), self.values.text(&TLS_KEY, &mut faults));
        let made = match (chain, key) {
            (None, None) => return faults.finish(&self.file, || Some(None)),
            (Some(chain), Some(key)) => {
                let made = crate::Tls::from_files(self.path(chain), self.path(key));
                made.map_err(|error| faults.add(&TLS_CERTIFICATE, error.to_string())).ok()
            }
            (given, _) => {
                let (missing, other) =
                    if given.is_some() { (&TLS_KEY, &TLS_CERTIFICATE) } else { (&TLS_CERTIFICATE, &TLS_KEY) };
                faults.add(missing, format!("is missing beside `{other}`"));
                None
            }
        };
        faults.finish(&self.file, || made.map(Some))
    }

    /// Who owns the objects of stand-in resolvers.
    #[must_use]
    pub fn mock_owner(&self) -> Option<&str> {
        self.values.text(&MOCK_OWNER, &mut Faults::default())
    }

    /// The file of the keys that seal cursors, where it is configured.
    #[must_use]
    pub fn cursor_keys_file(&self) -> Option<PathBuf> {
        self.values.text(&CURSOR_KEYS_FILE, &mut Faults::default()).map(|path| self.path(path))
    }

    /// The keys that seal cursors.
    ///
    /// # Errors
    /// When they are not given or cannot be used.
    pub fn cursor_keys(&self) -> Result<CursorKeys, LoadError> {
        let mut faults = Faults::default();
        let given = rivals(&self.values, &[&CURSOR_KEYS, &CURSOR_KEYS_FILE], &mut faults);
        let key = given.unwrap_or(&CURSOR_KEYS_FILE);
        let list = list_or_file(self, &CURSOR_KEYS, &CURSOR_KEYS_FILE, key, &mut faults);
        if given.is_none() {
            faults.add(
                key,
                format!("is missing, and so is `{CURSOR_KEYS}`: without keys no cursor can be sealed"),
            );
        }
        let keys = list.and_then(|list| {
            CursorKeys::from_list(&list).map_err(|error| faults.add(key, error.to_string())).ok()
        });
        faults.finish(&self.file, || keys)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// An address to listen on, where one is given; what is no address is a fault, and nothing.
fn address(values: &Values, key: &Key, faults: &mut Faults) -> Option<Option<SocketAddr>> {
    let Some(text) = values.text(key, faults) else { return Some(None) };
    let address = text.parse().ok();
    if address.is_none() {
        faults.add(key, format!("`{text}` is no address with a port, such as `127.0.0.1:8080`"));
    }
    address.map(Some)
}

fn settings(values: &Values, faults: &mut Faults) -> Option<Settings> {
    let header = match values.text(&FORWARDED, faults) {
        None | Some("x-forwarded-for") => ForwardedHeader::XForwardedFor,
        Some("forwarded") => ForwardedHeader::Forwarded,
        Some(other) => {
            faults.add(&FORWARDED, format!("`{other}` is neither `x-forwarded-for` nor `forwarded`"));
            return None;
        }
    };
    let proxies = values.list(&PROXIES).unwrap_or_default();
    let mut settings = Settings::new().forwarded_header(header);
    if values.flag(&FORWARDED_CERTIFICATES, faults) {
        settings = settings.client_certificates_from_proxies();
    }
    if let Some(origin) = values.text(&PUBLIC_ORIGIN, faults) {
        match settings.clone().public_origin(origin) {
            Ok(named) => settings = named,
            Err(error) => faults.add(&PUBLIC_ORIGIN, error.to_string()),
        }
    }
    match settings.clone().proxy_protocol_from(values.list(&PROXY_PROTOCOL).unwrap_or_default()) {
        Ok(named) => settings = named,
        Err(error) => faults.add(&PROXY_PROTOCOL, error.to_string()),
    }
    let settings = settings.trusted_proxies(proxies);
    settings.map_err(|error| faults.add(&PROXIES, error.to_string())).ok()
}

/// A list of keys that was given as such, or the text of the file that holds them: whichever `given` says.
fn list_or_file(
    config: &Config,
    list: &Key,
    file: &Key,
    given: &Key,
    faults: &mut Faults,
) -> Option<Zeroizing<String>> {
    if let Some(list) = config.values.list(list).filter(|_| given == list) {
        return Some(Zeroizing::new(list.join(",")));
    }
    let path = config.values.text(file, faults).map(|path| config.path(path))?;
    let read = fs::read_to_string(&path).map(Zeroizing::new);
    read.map_err(|cause| faults.add(given, format!("cannot read `{}`: {cause}", path.display()))).ok()
}

/// Of several keys for the same thing, the one that is given: a variable before the file.
fn rivals<'k>(values: &Values, keys: &[&'k Key], faults: &mut Faults) -> Option<&'k Key> {
    let given = |is_given: fn(&Values, &Key) -> bool| -> Vec<&'k Key> {
        keys.iter().copied().filter(|key| is_given(values, key)).collect()
    };
    let mut found = given(Values::is_in_variable);
    if found.is_empty() {
        found = given(Values::has);
    }
    if let [one, other, ..] = found.as_slice() {
        faults.add(one, format!("and `{other}` are both given: which one counts would be a guess"));
    }
    found.first().copied()
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("file", &self.file)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
