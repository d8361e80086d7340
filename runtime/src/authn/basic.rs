//! User names and passwords (RFC 7617), kept as argon2id.
//!
//! Rules:
//! 1. the credential is base64 of `user:password`, UTF-8, without control characters, the password at most 1,024
//!    bytes and the user 256; it is split at the first colon (RFC 7617 section 2);
//! 2. a password is verified off the async threads, as many at once as there are cores, with a bounded queue:
//!    over it the request is refused as busy, for one verification costs some 28 ms;
//! 3. an unknown user costs what a known one does: a dummy hash is verified. Where the users' hashes have several costs, each name
//!    has one of them, as often as the users do ([`Dummies`]), and has it as long as these are the users: in every instance,
//!    and after a restart;
//! 4. stored hashes are argon2id with parameters between a floor (OWASP's weakest advice) and a cap;
//! 5. users are exchanged while the server runs: those of a file as [`watched`] says.

mod watched;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
    sync::Arc,
    thread,
};

use arc_swap::ArcSwap;
use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::watched::Watched;
use super::{
    Reason,
    api_key::{RecordError, check_scopes, check_subject, lines},
    principal::{Facts, Kind, Principal, Said},
};
use crate::event;
use crate::secret::Secret;

const MAX_PASSWORD: usize = 1024;
const MAX_USERS: usize = 50_000;
/// Verifications that may wait for each that runs: at 28 ms each, the last one waits about half a second.
const QUEUE: usize = 16;
/// OWASP's weakest advised product of memory (KiB) and passes: m=7168, t=5.
const FLOOR: u64 = 35_840;
/// Parameters over these would let a credential file spend the server's memory.
const MAX_MEMORY: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 8;

/// The users that a server accepts by password. Clones share them.
#[derive(Clone)]
pub struct Passwords(Arc<Store>);

struct Store {
    users: ArcSwap<Users>,
    file: Option<Watched>,
    /// Those that run.
    running: Arc<Semaphore>,
    /// Those that run or wait.
    admitted: Arc<Semaphore>,
}

/// All of one moment.
struct Users {
    of: HashMap<Box<str>, User>,
    dummies: Dummies,
}

struct User {
    hash: PasswordHash,
    cost: Cost,
    scopes: Arc<str>,
}

/// Memory, passes and lanes.
type Cost = (u32, u32, u32);

fn cost_of(params: &Params) -> Cost {
    (params.m_cost(), params.t_cost(), params.p_cost())
}

/// Rule 3: hashes that no password has, one of each cost that the users' hashes have, and how many of them have it.
struct Dummies {
    /// By what only the server knows, so that nobody can say which cost a name has that is no user's.
    chooses: hmac::Key,
    of: Vec<(u64, PasswordHash)>,
    all: u64,
}

impl Dummies {
    fn like(users: &HashMap<Box<str>, User>) -> Option<Self> {
        let mut costs: BTreeMap<Cost, u64> = BTreeMap::new();
        for user in users.values() {
            let count = costs.entry(user.cost).or_default();
            *count = count.saturating_add(1);
        }
        if costs.is_empty() {
            costs.insert(cost_of(&Params::default()), 1);
        }
        let mut hashes: Vec<String> = users.values().map(|user| user.hash.to_string()).collect();
        hashes.sort_unstable();
        let of: Option<_> = costs.iter().map(|(cost, count)| Some((*count, dummy(*cost)?))).collect();
        let chooses = hmac::Key::new(hmac::HMAC_SHA256, Zeroizing::new(hashes.concat()).as_bytes());
        Some(Self { chooses, of: of?, all: costs.values().sum() })
    }

    /// The one of this name.
    fn of(&self, user: &str) -> Option<&PasswordHash> {
        let tag = hmac::sign(&self.chooses, user.as_bytes());
        let number = u64::from_be_bytes(*tag.as_ref().first_chunk()?);
        let mut place = number.checked_rem(self.all)?;
        let mut dummies = self.of.iter();
        let chosen = dummies.find(|(count, _)| match place.checked_sub(*count) {
            Some(behind) => {
                place = behind;
                false
            }
            None => true,
        });
        chosen.map(|(_, dummy)| dummy)
    }
}

/// What a server keeps of a user.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordRecord {
    /// The user's name: the subject of the principal.
    pub user: String,
    /// The password as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$..`.
    pub hash: String,
    /// The scopes that it grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

impl PasswordRecord {
    /// Hashes `password` of `user` (argon2id, 19 MiB, two passes).
    ///
    /// # Errors
    /// When the name, the password or a scope is not well-formed, or the random source fails.
    pub fn new(user: &str, password: &Secret<String>, scopes: &[&str]) -> Result<Self, RecordError> {
        // looked at to be hashed
        let text = password.expose();
        check_user(user).map_err(RecordError::Fields)?;
        if text.is_empty() || text.len() > MAX_PASSWORD || text.chars().any(char::is_control) {
            return Err(RecordError::Fields("a password is 1 to 1024 bytes without control characters"));
        }
        let hash: PasswordHash =
            Argon2::default().hash_password(text.as_bytes()).map_err(|_| RecordError::Random)?;
        let scopes: Vec<_> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        check_scopes(&scopes).map_err(RecordError::Fields)?;
        Ok(Self { user: user.to_owned(), hash: hash.to_string(), scopes })
    }

    /// Its line in a file of users, without the line end.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordRecord").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Passwords {
    /// These users.
    ///
    /// # Errors
    /// When a record is not well-formed, its hash is too weak or too costly, or two have the same name.
    pub fn new(records: impl IntoIterator<Item = PasswordRecord>) -> Result<Self, RecordError> {
        Ok(Self::with(Users::new(records)?, None))
    }

    /// The users of a file: one JSON object a line, `{"user", "hash", "scopes"}`, as [`PasswordRecord::to_line`]
    /// writes them; empty lines and lines that begin with `#` are passed over.
    ///
    /// It is looked at every second while requests come, and read again when it has changed. While it cannot be read, the users
    /// of before stay, and a security event says so.
    ///
    /// # Errors
    /// When it cannot be read now, or a line is no record.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let (file, users) = Watched::open(path.as_ref())?;
        Ok(Self::with(users, Some(file)))
    }

    fn with(users: Users, file: Option<Watched>) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Store {
            users: ArcSwap::from_pointee(users),
            file,
            running: Arc::new(Semaphore::new(cores)),
            admitted: Arc::new(Semaphore::new(cores * (QUEUE + 1))),
        }))
    }

    /// Exchanges the users, at once and for every clone: a password that is not among them any more opens nothing.
    ///
    /// # Errors
    /// As [`Passwords::new`], and when they stand in a file, which says who they are; they stay as they were.
    pub fn replace(&self, records: impl IntoIterator<Item = PasswordRecord>) -> Result<(), RecordError> {
        if self.0.file.is_some() {
            return Err(RecordError::NotInMemory);
        }
        self.0.users.store(Arc::new(Users::new(records)?));
        Ok(())
    }

    /// One user, whatever the hash costs.
    #[cfg(feature = "measure")]
    pub(crate) fn of_any_cost(user: &str, hash: &str, scopes: &str) -> Option<Self> {
        let hash = PasswordHash::new(hash).ok()?;
        let cost = cost_of(&Params::try_from(&hash).ok()?);
        let of = HashMap::from([(user.into(), User { hash, cost, scopes: scopes.into() })]);
        Some(Self::with(Users { dummies: Dummies::like(&of)?, of }, None))
    }

    /// The work of a verification, without the wait for it.
    #[cfg(feature = "measure")]
    pub(crate) fn verify(&self, user: &str, password: &str) -> bool {
        self.0.users().verify(user, password).0
    }

    /// Judges what is shown.
    pub(in crate::authn) async fn judge(
        &self,
        scheme: &'static str,
        issuer: &Arc<str>,
        shown: &Arc<UserPass>,
    ) -> Result<Principal, Reason> {
        let admitted = Arc::clone(&self.0.admitted).try_acquire_owned().map_err(|_| Reason::Busy)?;
        let running = Arc::clone(&self.0.running).acquire_owned().await.map_err(|_| Reason::Busy)?;
        let (store, of_work) = (Arc::clone(&self.0), Arc::clone(shown));
        let (verified, known) = event::blocking(move || {
            // Held by the work and not by who waits for it: a client that leaves does not make room for another.
            let _held = (admitted, running);
            let users = store.users();
            let (verified, user) = users.verify(of_work.user(), of_work.password());
            (verified, user.map(|user| Arc::clone(&user.scopes)))
        })
        .await
        .map_err(|_| Reason::MachineFault)?;
        let scopes = known.ok_or(Reason::UnknownIdentity)?;
        match verified {
            true => {
                let issuer = Arc::clone(issuer);
                let facts = Facts {
                    scheme,
                    kind: Kind::Basic,
                    issuer,
                    issued: None,
                    expires: None,
                    login_time: None,
                };
                let said = Said { subject: shown.user(), scopes: &scopes, ..Said::default() };
                Ok(Principal::new(facts, said))
            }
            false => Err(Reason::WrongSecret),
        }
    }
}

impl Store {
    /// As they are now. Blocks where they stand in a file.
    fn users(&self) -> Arc<Users> {
        if let Some(file) = &self.file {
            file.refresh(&self.users);
        }
        self.users.load_full()
    }
}

impl Users {
    fn new(records: impl IntoIterator<Item = PasswordRecord>) -> Result<Self, RecordError> {
        let mut users = HashMap::new();
        for record in records {
            let user = read(&record).map_err(RecordError::Fields)?;
            if users.len() >= MAX_USERS {
                return Err(RecordError::TooLarge);
            }
            if users.insert(record.user.as_str().into(), user).is_some() {
                return Err(RecordError::Twice(record.user));
            }
        }
        Ok(Self { dummies: Dummies::like(&users).ok_or(RecordError::Random)?, of: users })
    }

    /// Those of the text of a file.
    fn of_lines(text: &str) -> Result<Self, RecordError> {
        let mut records = Vec::new();
        for (number, line) in lines(text) {
            let record: PasswordRecord = serde_json::from_str(line)
                .map_err(|_| RecordError::Line(number, "it is no JSON object with the members of a user"))?;
            read(&record).map_err(|why| RecordError::Line(number, why))?;
            records.push(record);
        }
        Self::new(records)
    }

    /// Rule 3: the dummy is nobody's, so its verdict says nothing; its cost says that nothing is known.
    fn verify(&self, user: &str, password: &str) -> (bool, Option<&User>) {
        let known = self.of.get(user);
        let hash = known.map_or_else(|| self.dummies.of(user), |known| Some(&known.hash));
        let verified = |hash| Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
        (hash.is_some_and(verified), known)
    }
}

/// What is shown (rule 1), read.
pub(in crate::authn) struct UserPass {
    text: Zeroizing<String>,
    colon: usize,
}

impl UserPass {
    /// `None`: it is malformed.
    pub(in crate::authn) fn read(encoded: &[u8]) -> Option<Self> {
        // base64 of the longest user, a colon and the longest password
        if encoded.len() > (256 + 1 + MAX_PASSWORD).div_ceil(3) * 4 {
            return None;
        }
        let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
        let text = std::str::from_utf8(&bytes).ok()?;
        let colon = text.find(':')?;
        let shown = Self { text: Zeroizing::new(text.to_owned()), colon };
        // RFC 7617 section 2: neither may contain control characters
        let good = check_user(shown.user()).is_ok()
            && shown.password().len() <= MAX_PASSWORD
            && !shown.password().chars().any(char::is_control);
        good.then_some(shown)
    }

    pub(in crate::authn) fn user(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    pub(in crate::authn) fn password(&self) -> &str {
        self.text.get(self.colon..).and_then(|rest| rest.strip_prefix(':')).unwrap_or_default()
    }
}

/// RFC 7617 section 2: a user-id has no colon.
fn check_user(user: &str) -> Result<(), &'static str> {
    check_subject(user)?;
    if user.contains(':') { Err("a user's name has a colon") } else { Ok(()) }
}

fn read(record: &PasswordRecord) -> Result<User, &'static str> {
    check_user(&record.user)?;
    check_scopes(&record.scopes)?;
    let hash = PasswordHash::new(&record.hash).map_err(|_| "the hash is no PHC string")?;
    if hash.algorithm.as_str() != "argon2id" || hash.version != Some(19) {
        return Err("the hash is not argon2id version 19");
    }
    let params = Params::try_from(&hash).map_err(|_| "the hash has parameters that argon2 cannot have")?;
    if hash.salt.is_none() || hash.hash.is_none_or(|output| output.len() < 16) {
        return Err("the hash lacks its salt or its value");
    }
    let cost = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if cost < FLOOR || params.m_cost() < 7168 {
        return Err("the hash is weaker than argon2id with m=7168, t=5");
    }
    if params.m_cost() > MAX_MEMORY || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
        return Err("the hash costs more than m=262144, t=16, p=8");
    }
    Ok(User { hash, cost: cost_of(&params), scopes: record.scopes.join(" ").into() })
}

/// A hash that no password has, to be verified for users who do not exist.
fn dummy((m, t, p): Cost) -> Option<PasswordHash> {
    let mut salt = [0_u8; 16];
    crate::random::fill(&mut salt).ok()?;
    let salt = base64::engine::general_purpose::STANDARD_NO_PAD.encode(salt);
    PasswordHash::new(&format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${}", "A".repeat(43))).ok()
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Passwords({})", self.0.users.load().of.len())
    }
}

#[cfg(test)]
mod tests;
