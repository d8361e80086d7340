//! The keys of `palisade.toml`: their names, what they hold, and their environment variables.

use std::fmt;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    /// A list of strings in the file; in a variable, separated by commas.
    List,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
}

/// The keys at the top, and those of `[schemes.<name>]`.
pub(super) const TOP: [(&str, Holds); 21] = [
    ("listen", Holds::Text),
    ("readiness_listen", Holds::Text),
    ("state", Holds::Text),
    ("state_file", Holds::Text),
    ("state_url", Holds::Text),
    ("state_records", Holds::Number),
    ("answer_keys", Holds::List),
    ("answer_keys_file", Holds::Text),
    ("limits_url", Holds::Text),
    ("limits_instances", Holds::Number),
    ("trusted_proxies", Holds::List),
    ("proxy_protocol_from", Holds::List),
    ("forwarded_header", Holds::Text),
    ("client_certificates_from_proxies", Holds::Flag),
    ("public_origin", Holds::Text),
    ("tls_certificate_file", Holds::Text),
    ("tls_key_file", Holds::Text),
    ("cursor_keys", Holds::List),
    ("cursor_keys_file", Holds::Text),
    ("api_key_pepper_file", Holds::Text),
    ("mock_owner", Holds::Text),
];
pub(super) const SCHEME: [(&str, Holds); 16] = [
    ("jwks_file", Holds::Text),
    ("jwks_url", Holds::Text),
    ("discover", Holds::Text),
    ("introspection_url", Holds::Text),
    ("client_id", Holds::Text),
    ("client_secret", Holds::Text),
    ("client_secret_file", Holds::Text),
    ("introspection_token", Holds::Text),
    ("introspection_token_file", Holds::Text),
    ("issuer", Holds::Text),
    ("audience", Holds::Text),
    ("loopback_only", Holds::Flag),
    ("credential_file", Holds::Text),
    ("roots_file", Holds::Text),
    ("revocation_lists_file", Holds::Text),
    ("only_granted", Holds::Flag),
];

/// A key, at the top or of a scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) scheme: Option<String>,
    pub(super) name: &'static str,
}

impl Key {
    pub(super) const fn top(name: &'static str) -> Self {
        Self { scheme: None, name }
    }

    pub(super) fn of(scheme: &str, name: &'static str) -> Self {
        Self { scheme: Some(scheme.to_owned()), name }
    }

    /// `PALISADE_LISTEN`, `PALISADE_SCHEMES_<NAME>_JWKS_FILE`: upper case, `_` for every character of the scheme's
    /// name that is no letter or digit.
    pub(super) fn variable(&self) -> String {
        let word = |text: &str| -> String {
            text.chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect()
        };
        match &self.scheme {
            None => format!("PALISADE_{}", word(self.name)),
            Some(scheme) => format!("PALISADE_SCHEMES_{}_{}", word(scheme), word(self.name)),
        }
    }
}

/// `listen`, `schemes.oauth.jwks_file`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scheme {
            None => f.write_str(self.name),
            Some(scheme) => write!(f, "schemes.{scheme}.{}", self.name),
        }
    }
}

/// The known name that is nearest to one that was written, if one is near.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near =
        known.map(|name| (strsim::levenshtein(written, name), name)).min_by_key(|(distance, _)| *distance)?;
    (near.0 <= 1 + written.len() / 4).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_variable() {
        assert_eq!(Key::top("listen").variable(), "PALISADE_LISTEN");
        assert_eq!(Key::of("oauth", "jwks_file").variable(), "PALISADE_SCHEMES_OAUTH_JWKS_FILE");
        assert_eq!(Key::of("my-auth.v2", "issuer").variable(), "PALISADE_SCHEMES_MY_AUTH_V2_ISSUER");
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = || TOP.iter().map(|(name, _)| *name);
        assert_eq!(nearest("listn", known()), Some("listen"));
        assert_eq!(nearest("trusted-proxies", known()), Some("trusted_proxies"));
        assert_eq!(nearest("colour", known()), None);
    }
}
