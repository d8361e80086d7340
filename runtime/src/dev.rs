//! Credentials for development: a signing key in a file, and tokens that it signs, for as long as there is no identity
//! provider.
//!
//! Whoever reads the file can be anybody, so give its public half to
//! [`Jwt::accept_from_loopback_only`](crate::Jwt::accept_from_loopback_only) and leave it out of deployments.
//!
//! 1. Files are made readable by their owner only, and one that others may read is refused.
//! 2. A file that is there is never written over.
//! 3. Tokens have the profile of RFC 9068: ES256, `typ` `at+jwt`, all required claims.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use uuid::Builder;
use zeroize::Zeroizing;

use crate::Problem;
use crate::input::{Check, Decode, decode_answer};
use crate::operation::Algorithm;
use crate::signing::{self, Signer};

/// Signs tokens for development.
pub struct SigningKey(Signer);

/// What a token says.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// `iss`, as the document or the configuration names it.
    pub issuer: &'a str,
    /// `aud`, likewise.
    pub audience: &'a str,
    /// `sub`: who calls.
    pub subject: &'a str,
    /// `scope`.
    pub scopes: &'a [&'a str],
    /// Time until `exp`.
    pub lifetime: Duration,
}

/// Why there is no development credential.
#[derive(Debug)]
#[non_exhaustive]
pub enum DevError {
    /// The file cannot be read or made.
    File(io::Error),
    /// Others than its owner may read the file.
    Exposed,
    /// The file is no P-256 key in PKCS #8.
    Malformed,
    /// The machine gave no random bytes, or the cryptographic library refused.
    Crypto,
}

impl fmt::Display for DevError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "the development key file cannot be used: {error}"),
            Self::Exposed => {
                f.write_str("others than its owner may read the file: remove it, or take their rights away")
            }
            Self::Malformed => {
                f.write_str("the file holds no P-256 key in PKCS #8: remove it to have a new one made")
            }
            Self::Crypto => f.write_str("the machine's random source failed"),
        }
    }
}

impl std::error::Error for DevError {}

impl From<io::Error> for DevError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<aws_lc_rs::error::Unspecified> for DevError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}

impl SigningKey {
    /// A new key that no file holds.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate() -> Result<Self, DevError> {
        Self::read(&signing::new_pkcs8(Algorithm::ES256)?)
    }

    /// The key of this file; makes the file when it is not there.
    ///
    /// # Errors
    /// When the file cannot be made or read, others may read it, or it holds something else.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, DevError> {
        let text = open_or_create(path, || Ok(pem(&signing::new_pkcs8(Algorithm::ES256)?)))?;
        let body: Zeroizing<String> =
            Zeroizing::new(text.lines().filter(|line| !line.starts_with("-----")).collect());
        let der = STANDARD.decode(body.as_bytes()).map_err(|_| DevError::Malformed)?;
        Self::read(&Zeroizing::new(der))
    }

    fn read(pkcs8: &[u8]) -> Result<Self, DevError> {
        Signer::read(Algorithm::ES256, pkcs8).map(Self).map_err(|_| DevError::Malformed)
    }

    /// The public half, as a JWK set (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> String {
        signing::key_set([&self.0])
    }

    /// A token that says `grant`, made at `now` (seconds since 1970).
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn token(&self, grant: &Grant<'_>, now: u64) -> Result<String, DevError> {
        let mut id = [0; 16];
        crate::random::fill(&mut id)?;
        let claims = json!({
            "iss": grant.issuer,
            "aud": grant.audience,
            "sub": grant.subject,
            "client_id": "development",
            "scope": grant.scopes.join(" "),
            "jti": Builder::from_random_bytes(id).into_uuid().to_string(),
            "iat": now,
            "exp": now.saturating_add(grant.lifetime.as_secs()),
        });
        Ok(self.0.token(&claims)?)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.0.kid()).finish_non_exhaustive()
    }
}

/// The cursor keys of this file, for [`CursorKeys::from_list`](crate::CursorKeys::from_list); makes the file, with one
/// key in it, when it is not there.
///
/// # Errors
/// When the file cannot be made or read, or others may read it.
pub fn cursor_keys(path: impl AsRef<Path>) -> Result<Zeroizing<String>, DevError> {
    open_or_create(path, || {
        let mut master = Zeroizing::new([0; 32]);
        crate::random::fill(&mut *master)?;
        Ok(Zeroizing::new(format!("development:{}\n", *Zeroizing::new(STANDARD.encode(*master)))))
    })
}

/// Reads an answer of a handler that is not written yet through the type that the document gives it: what does not
/// conform is not sent, but answered by 500.
///
/// # Errors
/// When `json` does not conform.
pub fn example<T: Decode + Check>(json: &str) -> Result<T, Problem> {
    decode_answer(json).map_err(|_| Problem::internal("the example does not conform to the document"))
}

/// RFC 7468 section 10.
fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    Zeroizing::new(text)
}

/// The text of a file that only its owner may read; made when it is not there.
fn open_or_create(
    path: impl AsRef<Path>,
    make: impl FnOnce() -> Result<Zeroizing<String>, DevError>,
) -> Result<Zeroizing<String>, DevError> {
    let path = path.as_ref();
    if !path.exists() {
        let text = make()?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        return Ok(text);
    }
    if is_exposed(&fs::metadata(path)?) {
        return Err(DevError::Exposed);
    }
    Ok(Zeroizing::new(fs::read_to_string(path)?))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(unix)]
fn is_exposed(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::*;

    const GRANT: Grant<'_> = Grant {
        issuer: "https://id.example.com",
        audience: "bank-api",
        subject: "alice",
        scopes: &["accounts:read", "transfers:write"],
        lifetime: Duration::from_secs(600),
    };

    fn part(token: &str, index: usize) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap())
            .unwrap()
    }

    /// Verified by what the JWK set says and nothing else.
    fn verifies(jwks: &str, token: &str) -> bool {
        let jwk = &serde_json::from_str::<Value>(jwks).unwrap()["keys"][0];
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(input.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn a_token_says_the_grant_and_only_its_key_verifies_it() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let token = key.token(&GRANT, 1_800_000_000).unwrap();
        assert!(verifies(&key.jwks(), &token));
        assert!(!verifies(&other.jwks(), &token));
        let (header, claims) = (part(&token, 0), part(&token, 1));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
        assert_eq!(header["kid"], serde_json::from_str::<Value>(&key.jwks()).unwrap()["keys"][0]["kid"]);
        assert_eq!(claims["scope"], "accounts:read transfers:write");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_800_000_000), &json!(1_800_000_600)));
        assert_ne!(claims["jti"], part(&key.token(&GRANT, 1_800_000_000).unwrap(), 1)["jti"]);
    }

    #[test]
    fn a_file_gives_the_same_key_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.pem");
        let (first, again) =
            (SigningKey::open_or_create(&path).unwrap(), SigningKey::open_or_create(&path).unwrap());
        assert_eq!(first.jwks(), again.jwks());
        let keys = folder.path().join("cursor.keys");
        assert_eq!(*cursor_keys(&keys).unwrap(), *cursor_keys(&keys).unwrap());
        fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(matches!(SigningKey::open_or_create(&path), Err(DevError::Malformed)));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.pem");
        SigningKey::open_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::open_or_create(&path), Err(DevError::Exposed)));
    }
}
