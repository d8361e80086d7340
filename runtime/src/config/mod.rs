//! The configuration of a scaffolded project: `palisade.toml`, each value also by environment variable.
//!
//! ```toml
//! listen = "127.0.0.1:8080"
//! state = "memory"                      # the engine that keeps counters
//! trusted_proxies = ["10.0.0.0/8"]      # whose forwarded header is believed
//! forwarded_header = "x-forwarded-for"  # or "forwarded"
//! cursor_keys = ["2026-12:<32 bytes in base64>"]   # or cursor_keys_file; the first seals, all of them open
//! mock_owner = "alice"                  # who owns the objects of stand-in resolvers
//!
//! [schemes.oauth]                       # bearer, oauth2, openIdConnect
//! jwks_file = "keys/jwks.json"          # or PEM; or jwks_url
//! issuer = "https://id.example.com"     # needed where the document does not name it
//! audience = "bank-api"                 # likewise
//! loopback_only = true                  # development keys: tokens from this machine only
//!
//! [schemes.partner]                     # apiKey, and http basic
//! credential_file = "keys/partner.keys"
//! ```
//!
//! Rules:
//! 1. a variable wins over the file: `PALISADE_LISTEN`, `PALISADE_SCHEMES_OAUTH_JWKS_FILE` (upper case, `_` for every
//!    character of a scheme's name that is no letter or digit); lists are separated by commas. A scheme may come from
//!    variables alone;
//! 2. of `jwks_file` and `jwks_url`, and of `cursor_keys` and `cursor_keys_file`, one is given; a variable for one
//!    replaces the file's other;
//! 3. relative paths are relative to the folder of the file;
//! 4. unknown keys, and variables that are nearly known, are refused; faults come all at once.

mod error;
mod key;
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
use crate::{ApiKeys, ForwardedHeader, JwkSet, Jwks, Jwt, Passwords, Settings, cursor::CursorKeys};

static LISTEN: Key = Key::top("listen");
static STATE: Key = Key::top("state");
static PROXIES: Key = Key::top("trusted_proxies");
static FORWARDED: Key = Key::top("forwarded_header");
static CURSOR_KEYS: Key = Key::top("cursor_keys");
static CURSOR_KEYS_FILE: Key = Key::top("cursor_keys_file");
static MOCK_OWNER: Key = Key::top("mock_owner");

/// A configuration that was read. The parts that it describes are made when they are asked for.
pub struct Config {
    file: PathBuf,
    values: Values,
    listen: SocketAddr,
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
        let listen = listen(&values, &mut faults);
        let settings = settings(&values, &mut faults);
        match values.text(&STATE, &mut faults) {
            None | Some("memory") => {}
            // the durable and the shared engine take their places here
            Some(other) => {
                faults.add(&STATE, format!("`{other}` is no engine of this release, which has `memory`"))
            }
        }
        rivals(&values, &CURSOR_KEYS, &CURSOR_KEYS_FILE, &mut faults);
        faults.finish(path, || {
            Some(Self { file: path.to_owned(), values, listen: listen?, settings: settings? })
        })
    }

    /// The address to listen on; `127.0.0.1:8080` when none is given.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The settings of the server: its trusted proxies.
    ///
    /// # Errors
    /// None since the file was loaded; it has the form of its neighbours.
    pub fn settings(&self) -> Result<Settings, LoadError> {
        Ok(self.settings.clone())
    }

    /// Who owns the objects of stand-in resolvers.
    #[must_use]
    pub fn mock_owner(&self) -> Option<&str> {
        self.values.text(&MOCK_OWNER, &mut Faults::default())
    }

    /// The verifier of a bearer, oauth2 or openIdConnect scheme.
    ///
    /// # Errors
    /// When its key set is not given or cannot be used.
    pub fn bearer(&self, scheme: &str) -> Result<Jwt, LoadError> {
        let mut faults = Faults::default();
        let (file, url) = (Key::of(scheme, "jwks_file"), Key::of(scheme, "jwks_url"));
        let keys = match rivals(&self.values, &file, &url, &mut faults) {
            Some(key) if *key == file => {
                let path = self.values.text(key, &mut faults).map(|path| self.path(path));
                path.and_then(|path| {
                    let read = JwkSet::from_file(&path).map(Jwks::from);
                    read.map_err(|error| faults.add(key, format!("`{}`: {error}", path.display()))).ok()
                })
            }
            Some(key) => {
                let address = self.values.text(key, &mut faults).map(str::to_owned);
                address.and_then(|address| fetched(&address).map_err(|why| faults.add(key, why)).ok())
            }
            None => {
                faults.add(
                    &file,
                    format!("is missing, and so is `{url}`: one of them says whose tokens are good"),
                );
                None
            }
        };
        let text =
            |name, faults: &mut Faults| self.values.text(&Key::of(scheme, name), faults).map(str::to_owned);
        let (issuer, audience) = (text("issuer", &mut faults), text("audience", &mut faults));
        let loopback_only = self.values.flag(&Key::of(scheme, "loopback_only"), &mut faults);
        self.refuse_others(scheme, &["credential_file"], &mut faults);
        faults.finish(&self.file, || {
            let mut jwt = Jwt::new(keys?);
            jwt.issuer = issuer;
            jwt.audience = audience;
            jwt.loopback_only = loopback_only;
            Some(jwt)
        })
    }

    /// The keys of an apiKey scheme.
    ///
    /// # Errors
    /// When its file is not given or cannot be used.
    pub fn api_keys(&self, scheme: &str) -> Result<ApiKeys, LoadError> {
        self.credentials(scheme, |path| ApiKeys::from_file(path).map_err(|error| error.to_string()))
    }

    /// The users of an http basic scheme.
    ///
    /// # Errors
    /// When its file is not given or cannot be used.
    pub fn passwords(&self, scheme: &str) -> Result<Passwords, LoadError> {
        self.credentials(scheme, |path| Passwords::from_file(path).map_err(|error| error.to_string()))
    }

    /// Who issues the tokens of a scheme, where it is configured: for commands that make development tokens.
    #[must_use]
    pub fn issuer(&self, scheme: &str) -> Option<&str> {
        self.values.text(&Key::of(scheme, "issuer"), &mut Faults::default())
    }

    /// For whom the tokens of a scheme are, where it is configured.
    #[must_use]
    pub fn audience(&self, scheme: &str) -> Option<&str> {
        self.values.text(&Key::of(scheme, "audience"), &mut Faults::default())
    }

    /// The credential file of an apiKey or basic scheme, where it is configured: for commands that add to it.
    #[must_use]
    pub fn credential_file(&self, scheme: &str) -> Option<PathBuf> {
        let file = self.values.text(&Key::of(scheme, "credential_file"), &mut Faults::default());
        file.map(|path| self.path(path))
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
        let given = rivals(&self.values, &CURSOR_KEYS, &CURSOR_KEYS_FILE, &mut faults);
        let key = given.unwrap_or(&CURSOR_KEYS);
        let list = match self.values.list(&CURSOR_KEYS).filter(|_| *key == CURSOR_KEYS) {
            Some(list) => Some(Zeroizing::new(list.join(","))),
            None => self.values.text(&CURSOR_KEYS_FILE, &mut faults).map(|path| self.path(path)).and_then(
                |path| {
                    let read = fs::read_to_string(&path).map(Zeroizing::new);
                    read.map_err(|cause| {
                        faults.add(key, format!("cannot read `{}`: {cause}", path.display()))
                    })
                    .ok()
                },
            ),
        };
        if given.is_none() {
            faults.add(key, "is missing: without it no cursor can be sealed");
        }
        let keys = list.and_then(|list| {
            CursorKeys::from_list(&list).map_err(|error| faults.add(key, error.to_string())).ok()
        });
        faults.finish(&self.file, || keys)
    }

    fn credentials<T>(
        &self,
        scheme: &str,
        read: impl FnOnce(PathBuf) -> Result<T, String>,
    ) -> Result<T, LoadError> {
        let key = Key::of(scheme, "credential_file");
        let mut faults = Faults::default();
        let path = self.values.text(&key, &mut faults).map(|path| self.path(path));
        if !self.values.has(&key) {
            faults.add(&key, "is missing: it names the file of the credentials that are good");
        }
        self.refuse_others(
            scheme,
            &["jwks_file", "jwks_url", "issuer", "audience", "loopback_only"],
            &mut faults,
        );
        let made = path.and_then(|path| {
            let shown = path.display().to_string();
            read(path).map_err(|why| faults.add(&key, format!("`{shown}`: {why}"))).ok()
        });
        faults.finish(&self.file, || made)
    }

    /// A key that does nothing for this kind of scheme was meant for something.
    fn refuse_others(&self, scheme: &str, names: &[&'static str], faults: &mut Faults) {
        for name in names {
            let key = Key::of(scheme, name);
            if self.values.has(&key) {
                faults.add(&key, "means nothing for a scheme of this kind");
            }
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

fn listen(values: &Values, faults: &mut Faults) -> Option<SocketAddr> {
    let Some(text) = values.text(&LISTEN, faults) else {
        return Some(SocketAddr::from(([127, 0, 0, 1], 8080)));
    };
    let address = text.parse().ok();
    if address.is_none() {
        faults.add(&LISTEN, format!("`{text}` is no address with a port, such as `127.0.0.1:8080`"));
    }
    address
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
    let settings = Settings::new().forwarded_header(header).trusted_proxies(proxies);
    settings.map_err(|error| faults.add(&PROXIES, error.to_string())).ok()
}

/// Of two keys for the same thing, the one that is given: a variable before the file.
fn rivals<'k>(values: &Values, one: &'k Key, other: &'k Key, faults: &mut Faults) -> Option<&'k Key> {
    let variables = (values.is_in_variable(one), values.is_in_variable(other));
    let (first, second) = match variables {
        (false, false) => (values.has(one), values.has(other)),
        variables => variables,
    };
    match (first, second) {
        (true, true) => {
            faults.add(one, format!("and `{other}` are both given: which one counts would be a guess"));
            Some(one)
        }
        (true, false) => Some(one),
        (false, true) => Some(other),
        (false, false) => None,
    }
}

#[cfg(feature = "jwks-url")]
fn fetched(address: &str) -> Result<Jwks, String> {
    Jwks::url(address).map_err(|error| error.to_string())
}

#[cfg(not(feature = "jwks-url"))]
fn fetched(_: &str) -> Result<Jwks, &'static str> {
    Err("needs the feature `jwks-url` of the crate `palisade`")
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
mod tests {
    use super::key::{SCHEME, TOP};
    use super::*;
    use crate::{Clock, NewKey};

    /// A folder with a key set, a file of API keys and a configuration.
    struct Project {
        folder: tempfile::TempDir,
    }

    const CURSOR: &str = "2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

    impl Project {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
            write(
                "jwks.json",
                r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            );
            let now = Clock::fixed(1_800_000_000).now().unwrap();
            let made = NewKey::generate("bank_live", "acme", &[], now, None).unwrap();
            write("partner.keys", &made.record.to_line());
            write("cursor.keys", CURSOR);
            Self { folder }
        }

        fn read(&self, text: &str, variables: &[(&str, &str)]) -> Result<Config, LoadError> {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let path = self.folder.path().join("palisade.toml");
            Config::read(&path, text, variables.collect(), Faults::default())
        }

        /// The words of every fault.
        fn faults(&self, text: &str, variables: &[(&str, &str)]) -> String {
            self.read(text, variables).unwrap_err().to_string()
        }
    }

    const WHOLE: &str = r#"
        listen = "127.0.0.1:9000"
        state = "memory"
        trusted_proxies = ["10.0.0.0/8"]
        cursor_keys_file = "cursor.keys"
        mock_owner = "alice"
        [schemes.oauth]
        jwks_file = "jwks.json"
        issuer = "https://id.example.com"
        audience = "bank-api"
        loopback_only = true
        [schemes.partner]
        credential_file = "partner.keys"
    "#;

    #[test]
    fn a_whole_configuration_gives_its_parts() {
        let project = Project::new();
        let config = project.read(WHOLE, &[]).unwrap();
        assert_eq!((config.listen().port(), config.mock_owner()), (9000, Some("alice")));
        let jwt = config.bearer("oauth").unwrap();
        assert_eq!(
            (jwt.issuer.as_deref(), jwt.audience.as_deref()),
            (Some("https://id.example.com"), Some("bank-api"))
        );
        assert!(jwt.loopback_only);
        assert!(
            config.api_keys("partner").is_ok() && config.cursor_keys().is_ok() && config.settings().is_ok()
        );
        assert_eq!(project.read("", &[]).unwrap().listen(), "127.0.0.1:8080".parse().unwrap());
    }

    #[test]
    fn a_variable_wins_over_the_file() {
        let project = Project::new();
        let variables = [
            ("PALISADE_LISTEN", "[::1]:7000"),
            ("PALISADE_SCHEMES_OAUTH_ISSUER", "https://other.example.com"),
            ("PALISADE_SCHEMES_OAUTH_LOOPBACK_ONLY", "false"),
            ("PALISADE_CURSOR_KEYS", CURSOR),
            ("PALISADE_MOCK_OWNER", "bob"),
        ];
        let config = project.read(WHOLE, &variables).unwrap();
        assert_eq!((config.listen().port(), config.mock_owner()), (7000, Some("bob")));
        let jwt = config.bearer("oauth").unwrap();
        assert_eq!((jwt.issuer.as_deref(), jwt.loopback_only), (Some("https://other.example.com"), false));
        assert!(config.cursor_keys().is_ok(), "the variable replaces the file's other way to say it");
    }

    /// What the file can say, variables can say alone.
    #[test]
    fn every_key_has_a_variable_that_does_the_same() {
        let project = Project::new();
        let top = [
            ("listen", "127.0.0.1:9000"),
            ("state", "memory"),
            ("trusted_proxies", "10.0.0.0/8,192.0.2.1"),
            ("forwarded_header", "forwarded"),
            ("cursor_keys", CURSOR),
            ("cursor_keys_file", "cursor.keys"),
            ("mock_owner", "alice"),
        ];
        let scheme = [
            ("jwks_file", "jwks.json"),
            ("jwks_url", "https://id.example.com/keys"),
            ("issuer", "https://id.example.com"),
            ("audience", "bank-api"),
            ("loopback_only", "true"),
            ("credential_file", "partner.keys"),
        ];
        assert_eq!(top.map(|(name, _)| name), TOP.map(|(name, _)| name), "every key is tried");
        assert_eq!(scheme.map(|(name, _)| name), SCHEME.map(|(name, _)| name), "every key is tried");

        for (name, value) in top {
            let variable = (&*Key::top(name).variable(), value);
            let config = project.read("", &[variable]).unwrap_or_else(|error| panic!("{error}"));
            assert!(config.settings().is_ok());
        }
        let variables: Vec<(String, &str)> = top
            .into_iter()
            .filter(|(name, _)| *name != "cursor_keys_file")
            .map(|(name, value)| (Key::top(name).variable(), value))
            .chain(
                scheme
                    .into_iter()
                    .filter(|(name, _)| !matches!(*name, "jwks_url" | "credential_file"))
                    .map(|(name, value)| (Key::of("oauth", name).variable(), value)),
            )
            .chain([(Key::of("partner", "credential_file").variable(), "partner.keys")])
            .collect();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, *value)).collect();
        let config = project.read("", &variables).unwrap();
        assert_eq!((config.listen().port(), config.mock_owner()), (9000, Some("alice")));
        let settings = config.settings().unwrap();
        assert!(settings.trusted_proxies.contain("192.0.2.1".parse().unwrap()));
        assert_eq!(settings.forwarded, crate::ForwardedHeader::Forwarded);
        let jwt = config.bearer("oauth").unwrap();
        let (issuer, audience) = (jwt.issuer.as_deref(), jwt.audience.as_deref());
        assert_eq!((issuer, audience), (Some("https://id.example.com"), Some("bank-api")));
        assert!(jwt.loopback_only && config.cursor_keys().is_ok() && config.api_keys("partner").is_ok());
        let from_file = project.read("", &[("PALISADE_CURSOR_KEYS_FILE", "cursor.keys")]).unwrap();
        assert!(from_file.cursor_keys().is_ok());
        #[cfg(feature = "jwks-url")]
        {
            let fetched = [("PALISADE_SCHEMES_OAUTH_JWKS_URL", "https://id.example.com/keys")];
            assert!(project.read("", &fetched).unwrap().bearer("oauth").is_ok());
        }
    }

    #[test]
    fn a_scheme_may_come_from_variables_alone() {
        let project = Project::new();
        let config = project.read("", &[("PALISADE_SCHEMES_MY_AUTH_JWKS_FILE", "jwks.json")]).unwrap();
        assert!(config.bearer("my-auth").is_ok());
        assert!(config.bearer("other").is_err());
    }

    #[test]
    fn faults_come_all_at_once_and_say_what_was_meant() {
        let project = Project::new();
        let text = r#"
            listn = "x"
            listen = "nowhere"
            state = "redis"
            trusted_proxies = ["0.0.0.0/0"]
            [schemes.oauth]
            jwks_fil = "x"
            issuer = 7
        "#;
        let error = project.read(text, &[]).unwrap_err();
        assert_eq!(error.count(), 6);
        let words = error.to_string();
        for part in [
            "palisade.toml",
            "unknown key `listn`, did you mean `listen`?",
            "`listen` (or the variable PALISADE_LISTEN)",
            "`redis` is no engine",
            "unknown key `schemes.oauth.jwks_fil`, did you mean `schemes.oauth.jwks_file`?",
            "PALISADE_SCHEMES_OAUTH_ISSUER): is no string",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }

    #[test]
    fn a_variable_that_is_nearly_known_is_refused_and_a_strange_one_is_not_ours() {
        let project = Project::new();
        assert!(project.faults("", &[("PALISADE_LISTN", "x")]).contains("did you mean PALISADE_LISTEN?"));
        assert!(
            project
                .faults("", &[("PALISADE_SCHEMES_OAUTH_JWKS_FIL", "x")])
                .contains("does not end in one of")
        );
        assert!(project.read("", &[("PALISADE_LOG_COLOUR", "never")]).is_ok());
    }

    #[test]
    fn a_missing_part_names_its_key_and_variable() {
        let config = Project::new().read("", &[]).unwrap();
        for (error, key) in [
            (
                config.bearer("oauth").unwrap_err(),
                "`schemes.oauth.jwks_file` (or the variable PALISADE_SCHEMES_OAUTH_JWKS_FILE)",
            ),
            (config.api_keys("partner").unwrap_err(), "`schemes.partner.credential_file`"),
            (config.passwords("basic").unwrap_err(), "PALISADE_SCHEMES_BASIC_CREDENTIAL_FILE"),
            (config.cursor_keys().unwrap_err(), "`cursor_keys` (or the variable PALISADE_CURSOR_KEYS)"),
        ] {
            assert!(error.to_string().contains(key), "{error}");
        }
    }

    #[test]
    fn two_ways_to_say_one_thing_are_refused() {
        let project = Project::new();
        let keys = format!("cursor_keys = [\"{CURSOR}\"]\ncursor_keys_file = \"cursor.keys\"");
        assert!(project.faults(&keys, &[]).contains("are both given"));
        let both = "[schemes.oauth]\njwks_file = \"jwks.json\"\njwks_url = \"https://x\"";
        assert!(project.read(both, &[]).unwrap().bearer("oauth").is_err());
        let mixed = "[schemes.oauth]\njwks_file = \"jwks.json\"\ncredential_file = \"x\"";
        assert!(
            project
                .read(mixed, &[])
                .unwrap()
                .bearer("oauth")
                .unwrap_err()
                .to_string()
                .contains("means nothing")
        );
    }

    #[test]
    fn neither_a_broken_file_nor_a_bad_key_shows_a_secret() {
        let project = Project::new();
        let broken = format!("cursor_keys = [\"{CURSOR}\"");
        let words = project.faults(&broken, &[]);
        assert!(words.contains("line 1") && !words.contains("QmUN"), "{words}");
        let bad = project.read("cursor_keys = [\"k:QmUNWk7Z\"]", &[]).unwrap();
        assert!(!bad.cursor_keys().unwrap_err().to_string().contains("QmUN"));
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = Config::load(folder.path().join("palisade.toml")).unwrap_err();
        assert!(error.to_string().contains("cannot be read"));
    }
}
