//! The keys of a bank for development: made on the first start and kept beside its books.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use palisade::dev::{self, Grant, SigningKey};
use palisade::{AnswerKeys, ApiKeys, Clock, CursorKeys, JwkSet, Jwt, NewKey, Secret};

/// A minute less than the document's `max-lifetime`.
const LIFETIME: Duration = Duration::from_secs(59 * 60);

/// What the bank verifies credentials with, and what it signs tokens with while it has no identity provider.
#[derive(Debug)]
pub struct Keys {
    signer: SigningKey,
    partners: ApiKeys,
    cursors: CursorKeys,
    answers: AnswerKeys,
    /// The API key of the partner if it was made just now: of an earlier one only the hash is known.
    pub new_partner: Option<Secret<String>>,
}

impl Keys {
    /// The keys in the folder `data`; makes those that are not there.
    pub fn open(data: &Path) -> Result<Self, Box<dyn Error>> {
        let signer = SigningKey::open_or_create(data.join("signing.pem"))?;
        // one list for both: what is derived from it for the one opens nothing of the other
        let list = dev::cursor_keys(data.join("cursor.keys"))?;
        let (cursors, answers) = (CursorKeys::from_list(&list)?, AnswerKeys::from_list(&list)?);
        let file = data.join("partners.keys");
        let new_partner = match file.exists() {
            true => None,
            false => Some(admit_partner(&file, "acme", &["rates:read", "payouts:write"])?),
        };
        Ok(Self { signer, partners: ApiKeys::from_file(&file)?, cursors, answers, new_partner })
    }

    /// A token of `subject`, for an hour.
    pub fn token(&self, subject: &str, scopes: &[&str]) -> Result<String, Box<dyn Error>> {
        let now = u64::try_from(Timestamp::now().as_second())?;
        let (issuer, audience) = ("https://id.bank.example", "bank-api");
        Ok(self.signer.token(&Grant { issuer, audience, subject, scopes, lifetime: LIFETIME }, now)?)
    }

    /// The verifiers of the two schemes, and the keys of cursors and of kept answers, for [`server`](crate::server).
    pub fn into_parts(self) -> Result<(Jwt, ApiKeys, CursorKeys, AnswerKeys), Box<dyn Error>> {
        let tokens = Jwt::new(JwkSet::from_json(&self.signer.jwks())?).accept_from_loopback_only();
        Ok((tokens, self.partners, self.cursors, self.answers))
    }
}

/// Makes an API key for `partner` and adds its hash to the file. The key itself is returned, and kept nowhere.
fn admit_partner(file: &Path, partner: &str, scopes: &[&str]) -> Result<Secret<String>, Box<dyn Error>> {
    let new = NewKey::generate("bank_live", partner, scopes, Clock::system().now()?, None)?;
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    writeln!(file, "{}", new.record.to_line())?;
    file.sync_all()?;
    Ok(new.key)
}
