//! The parts of the schemes of a document: `[schemes.<name>]`.

use std::{fs, path::PathBuf};

use zeroize::Zeroizing;

use super::{API_KEY_PEPPERS, Config, LoadError, error::Faults, key::Key, rivals};
use crate::{ApiKeys, JwkSet, Jwks, Jwt, KeyPeppers, Passwords};

/// The keys of `[schemes.<name>]` that each kind of scheme knows. Tokens of both kinds have issuer and audience.
const SIGNED: [&str; 4] = ["jwks_file", "jwks_url", "discover", "loopback_only"];
pub(super) const INTROSPECTED: [&str; 6] = [
    "introspection_url",
    "client_id",
    "client_secret",
    "client_secret_file",
    "introspection_token",
    "introspection_token_file",
];
const TOKENS: [&str; 2] = ["issuer", "audience"];
pub(super) const MUTUAL_TLS: [&str; 3] = ["roots_file", "revocation_lists_file", "only_granted"];

impl Config {
    /// The verifier of the signed tokens of a bearer, oauth2 or openIdConnect scheme.
    ///
    /// # Errors
    /// When its key set is not given or cannot be used.
    pub fn bearer(&self, scheme: &str) -> Result<Jwt, LoadError> {
        let mut faults = Faults::default();
        let keys = self.keys(scheme, &mut faults);
        let (issuer, audience) = self.issuer_and_audience(scheme, &mut faults);
        let loopback_only = self.values.flag(&Key::of(scheme, "loopback_only"), &mut faults);
        let others = ["credential_file"];
        self.refuse_others(scheme, others.iter().chain(&INTROSPECTED).chain(&MUTUAL_TLS), &mut faults);
        faults.finish(&self.file, || {
            let mut jwt = Jwt::new(keys?);
            jwt.issuer = issuer;
            jwt.audience = audience;
            jwt.loopback_only = loopback_only;
            Some(jwt)
        })
    }

    /// The keys of signed tokens: from a file, from an address, or from where their issuer says.
    fn keys(&self, scheme: &str, faults: &mut Faults) -> Option<Jwks> {
        let [file, url, discover] = ["jwks_file", "jwks_url", "discover"].map(|name| Key::of(scheme, name));
        let Some(key) = rivals(&self.values, &[&file, &url, &discover], faults) else {
            let why = format!(
                "is missing, and so are `{url}` and `{discover}`: one of them says whose tokens are good"
            );
            faults.add(&file, why);
            return None;
        };
        let text = self.values.text(key, faults)?.to_owned();
        let made = if *key == file {
            let path = self.path(&text);
            let set = JwkSet::from_file(&path).inspect(|set| tell_left_out(&path, set));
            set.map(Jwks::from).map_err(|error| format!("`{}`: {error}", path.display()))
        } else if *key == url {
            fetched(&text)
        } else {
            match self.issuer(scheme) {
                Some(issuer) => discovered(&text, issuer),
                None => Err(format!("needs `{}`, whom it asks", Key::of(scheme, "issuer"))),
            }
        };
        made.map_err(|why| faults.add(key, why)).ok()
    }

    fn issuer_and_audience(&self, scheme: &str, faults: &mut Faults) -> (Option<String>, Option<String>) {
        let mut text = |name| self.values.text(&Key::of(scheme, name), faults).map(str::to_owned);
        (text("issuer"), text("audience"))
    }

    /// Whoever is asked about the tokens of a bearer, oauth2 or openIdConnect scheme with `token: introspection`.
    ///
    /// # Errors
    /// When endpoint, client or secret are not given or cannot be used.
    #[cfg(feature = "outbound")]
    pub fn introspection(&self, scheme: &str) -> Result<crate::Introspection, LoadError> {
        let mut faults = Faults::default();
        let url = Key::of(scheme, "introspection_url");
        let endpoint =
            self.needed(&url, "it says where the issuer of the tokens is asked about them", &mut faults);
        let asking = self.asking(scheme, &mut faults);
        let (issuer, audience) = self.issuer_and_audience(scheme, &mut faults);
        let others = ["credential_file"];
        self.refuse_others(scheme, others.iter().chain(&SIGNED).chain(&MUTUAL_TLS), &mut faults);
        let made = endpoint.zip(asking).and_then(|(endpoint, asking)| {
            let made = match asking {
                Asking::Client(name, secret) => crate::Introspection::new(&endpoint, &name, &secret),
                Asking::Bearer(token) => crate::Introspection::with_token(&endpoint, &token),
            };
            made.map_err(|error| faults.add(&url, error.to_string())).ok()
        });
        faults.finish(&self.file, || {
            let mut made = made?;
            if let Some(issuer) = issuer {
                made = made.issuer(issuer);
            }
            if let Some(audience) = audience {
                made = made.audience(audience);
            }
            Some(made)
        })
    }

    /// As whom the issuer is asked.
    #[cfg(feature = "outbound")]
    fn asking(&self, scheme: &str, faults: &mut Faults) -> Option<Asking> {
        let [client, secret, secret_file, token, token_file] = [
            "client_id",
            "client_secret",
            "client_secret_file",
            "introspection_token",
            "introspection_token_file",
        ]
        .map(|name| Key::of(scheme, name));
        if [&token, &token_file].into_iter().any(|key| self.values.has(key)) {
            for key in [&client, &secret, &secret_file].into_iter().filter(|key| self.values.has(key)) {
                faults.add(key, format!("means nothing beside `{token}`: the issuer is asked in one way"));
            }
            return self.secret(&token, &token_file, faults).map(Asking::Bearer);
        }
        let name = self.needed(&client, "the issuer answers to clients that it knows", faults);
        let secret = self.secret(&secret, &secret_file, faults);
        name.zip(secret).map(|(name, secret)| Asking::Client(name, secret))
    }

    #[cfg(feature = "outbound")]
    fn needed(&self, key: &Key, why: &str, faults: &mut Faults) -> Option<String> {
        if !self.values.has(key) {
            faults.add(key, format!("is missing: {why}"));
        }
        self.values.text(key, faults).map(str::to_owned)
    }

    /// A secret that is given itself, or by the file that holds it.
    #[cfg(feature = "outbound")]
    fn secret(&self, itself: &Key, file: &Key, faults: &mut Faults) -> Option<crate::Secret<String>> {
        const LARGEST: usize = 64 * 1024;
        let Some(key) = rivals(&self.values, &[itself, file], faults) else {
            faults.add(
                file,
                format!("is missing, and so is `{itself}`: the issuer answers to clients that it knows"),
            );
            return None;
        };
        let text = self.values.text(key, faults)?.to_owned();
        if key == itself {
            return Some(crate::Secret::new(text));
        }
        let path = self.path(&text);
        let read = crate::authn::file::read(&path, LARGEST).map(zeroize::Zeroizing::new);
        let read = read.map(|text| crate::Secret::new(text.trim().to_owned()));
        read.map_err(|_| faults.add(key, format!("`{}` cannot be read", path.display()))).ok()
    }

    /// The keys of an apiKey scheme: its file, which is followed while the server runs, and the peppers.
    ///
    /// # Errors
    /// When its file is not given, or a file cannot be used.
    pub fn api_keys(&self, scheme: &str) -> Result<ApiKeys, LoadError> {
        let peppers = self.api_key_peppers()?;
        let keys =
            self.credentials(scheme, |path| ApiKeys::from_file(path).map_err(|error| error.to_string()))?;
        Ok(keys.peppers(peppers))
    }

    /// The peppers that hashes of API keys are keyed with; none where no file of them is configured.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn api_key_peppers(&self) -> Result<KeyPeppers, LoadError> {
        let mut faults = Faults::default();
        let Some(path) = self.api_key_pepper_file() else {
            return faults.finish(&self.file, || Some(KeyPeppers::default()));
        };
        let read = fs::read_to_string(&path).map(Zeroizing::new).map_err(|cause| cause.to_string());
        let peppers = read.and_then(|list| KeyPeppers::from_list(&list).map_err(|error| error.to_string()));
        let made =
            peppers.map_err(|why| faults.add(&API_KEY_PEPPERS, format!("`{}`: {why}", path.display()))).ok();
        faults.finish(&self.file, || made)
    }

    /// The file of the peppers, where it is configured: for commands that add to it.
    #[must_use]
    pub fn api_key_pepper_file(&self) -> Option<PathBuf> {
        self.values.text(&API_KEY_PEPPERS, &mut Faults::default()).map(|path| self.path(path))
    }

    /// The users of an http basic scheme.
    ///
    /// # Errors
    /// When its file is not given or cannot be used.
    pub fn passwords(&self, scheme: &str) -> Result<Passwords, LoadError> {
        self.credentials(scheme, |path| Passwords::from_file(path).map_err(|error| error.to_string()))
    }

    /// The authorities, revocation lists and grants of a mutualTLS scheme.
    ///
    /// # Errors
    /// When the file of its authorities is not given, or a file cannot be used.
    #[cfg(feature = "tls")]
    pub fn client_certificates(&self, scheme: &str) -> Result<crate::ClientCertificates, LoadError> {
        use crate::ClientCertificates;
        let mut faults = Faults::default();
        let [roots, lists, grants] = ["roots_file", "revocation_lists_file", "credential_file"];
        let roots =
            self.file_of(&Key::of(scheme, roots), &mut faults, |path| ClientCertificates::from_file(path));
        if roots.is_none() && !self.values.has(&Key::of(scheme, "roots_file")) {
            let why = "is missing: it names the authorities whose certificates are good";
            faults.add(&Key::of(scheme, "roots_file"), why);
        }
        let with_lists = roots.and_then(|made| {
            let key = Key::of(scheme, lists);
            if !self.values.has(&key) {
                return Some(made);
            }
            self.file_of(&key, &mut faults, |path| made.clone().revocation_lists_file(path))
        });
        let mut made = with_lists.and_then(|made| {
            let key = Key::of(scheme, grants);
            if !self.values.has(&key) {
                return Some(made);
            }
            self.file_of(&key, &mut faults, |path| made.clone().grants_file(path))
        });
        if self.values.flag(&Key::of(scheme, "only_granted"), &mut faults) {
            made = made.map(ClientCertificates::only_granted);
        }
        self.refuse_others(scheme, SIGNED.iter().chain(&INTROSPECTED).chain(&TOKENS), &mut faults);
        faults.finish(&self.file, || made)
    }

    /// What is made of the file that a key names.
    #[cfg(feature = "tls")]
    fn file_of<T, E: std::fmt::Display>(
        &self,
        key: &Key,
        faults: &mut Faults,
        make: impl FnOnce(&std::path::Path) -> Result<T, E>,
    ) -> Option<T> {
        let path = self.values.text(key, faults).map(|path| self.path(path))?;
        make(&path).map_err(|error| faults.add(key, format!("`{}`: {error}", path.display()))).ok()
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
        let others = SIGNED.iter().chain(&INTROSPECTED).chain(&TOKENS).chain(&MUTUAL_TLS);
        self.refuse_others(scheme, others, &mut faults);
        let made = path.and_then(|path| {
            let shown = path.display().to_string();
            read(path).map_err(|why| faults.add(&key, format!("`{shown}`: {why}"))).ok()
        });
        faults.finish(&self.file, || made)
    }

    /// A key that does nothing for this kind of scheme was meant for something.
    fn refuse_others<'n>(
        &self,
        scheme: &str,
        names: impl Iterator<Item = &'n &'static str>,
        faults: &mut Faults,
    ) {
        for name in names {
            let key = Key::of(scheme, name);
            if self.values.has(&key) {
                faults.add(&key, "means nothing for a scheme of this kind");
            }
        }
    }
}

/// A set of keys that the operator wrote: what is not used of it is no fault, and should not be a riddle.
fn tell_left_out(path: &std::path::Path, set: &JwkSet) {
    for left_out in set.left_out() {
        tracing::warn!(
            target: "palisade::keys", file = %path.display(), kid = left_out.kid.as_deref(), why = left_out.why,
            "key left out",
        );
    }
}

/// As whom an issuer is asked (RFC 7662 section 2.1): a client with its secret, or the bearer of a token.
#[cfg(feature = "outbound")]
enum Asking {
    Client(String, crate::Secret<String>),
    Bearer(crate::Secret<String>),
}

#[cfg(feature = "outbound")]
fn fetched(address: &str) -> Result<Jwks, String> {
    Jwks::url(address).map_err(|error| error.to_string())
}

#[cfg(feature = "outbound")]
fn discovered(form: &str, issuer: &str) -> Result<Jwks, String> {
    let made = match form {
        "openid" => Jwks::discover(issuer),
        "oauth" => Jwks::discover_oauth(issuer),
        other => return Err(format!("`{other}` is neither `openid` nor `oauth`")),
    };
    made.map_err(|error| error.to_string())
}

#[cfg(not(feature = "outbound"))]
fn fetched(_: &str) -> Result<Jwks, String> {
    Err("needs the feature `outbound` of the crate `palisade`".to_owned())
}

#[cfg(not(feature = "outbound"))]
fn discovered(_: &str, _: &str) -> Result<Jwks, String> {
    fetched("")
}
