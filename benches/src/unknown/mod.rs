//! Whether time tells who is known: the check of a credential of a known name with another secret, against one of a name that
//! nobody has. As far from 1 as the A/A beside it, and no farther: else the command fails.
//!
//! And whether it tells what is wrong with a cursor, against one that was altered. One of another caller and one of an unknown key
//! must be alike. For who reads the table are one that is no base64, some 30 ns later, as it is read before a decoy is, and who
//! sends it knows; and one that expired, some 8 ns sooner, as the library notes an error for what is not authentic.

mod kept;

use std::io;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use palisade::measure::{Cursors, Keys, Users};
use palisade::operation::{KeyLocation, KeyRules};
use palisade::{ApiKeys, Clock, CursorKeys, KeyPeppers, NewKey, PasswordRecord, Passwords, Secret};

use crate::{table, timing};

const RULES: KeyRules =
    KeyRules { location: KeyLocation::Header("X-API-Key"), prefix: Some("bench"), rotate_within: None };

/// Keys in the store, so that a look-up is one.
const KEYS: usize = 10_000;

/// So many of each are shown, one of them throughout a short round, as by whoever wants to know of one: what the times of those
/// that are known differ by among each other is what nobody can tell an unknown one by.
const SHOWN: usize = 100;

/// Into how many short rounds each round is cut: the more often both sides take turns, the less does it matter what else
/// the machine does.
const OFTEN: usize = 80;

/// `quick`: that it answers is all that is asked. One round says nothing of time, and must not fail by chance.
pub(crate) fn measure(rounds: usize, calls: usize, quick: bool) -> io::Result<()> {
    let mut alike = true;
    for (what, peppers) in [
        ("API key of nobody / another secret of a known id", None),
        ("the same with a pepper", Some(KeyPeppers::generate("bench").map_err(io::Error::other)?)),
    ] {
        let (known, unknown) = keys(peppers, calls / OFTEN)?;
        alike &= table::interval(what, &mut timing::compare(rounds * OFTEN, calls / OFTEN, known, unknown));
    }
    alike &= kept::measure(rounds * OFTEN, calls / OFTEN)?;
    for (what, names) in [
        ("password of nobody / another password of a known user", Names::of_one_cost()?),
        ("the same where users have two costs, of the lower one", Names::of_two_costs(Cost::Lower)?),
        ("the same, of the higher one", Names::of_two_costs(Cost::Higher)?),
    ] {
        // argon2id takes some 20 ms: one call a round
        let (known, unknown) = (names.refused(&names.known)?, names.refused(&names.unknown)?);
        alike &= table::interval(what, &mut timing::compare(rounds * OFTEN, 1, known, unknown));
    }
    alike &= cursors(rounds * OFTEN, calls / OFTEN)?;
    if alike || quick { Ok(()) } else { Err(io::Error::other("time tells what it should not")) }
}

fn cursors(rounds: usize, calls: usize) -> io::Result<bool> {
    const OURS: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const OTHER: &str = "b:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=";
    const END: u64 = 1_800_000_000;
    let with = |keys| CursorKeys::from_list(keys).map(Cursors::new).map_err(io::Error::other);
    let sealed = |by: Cursors| by.seal(&7_i64, END).map(|cursor| cursor.as_str().to_owned());
    let sealed = |by| sealed(by).ok_or_else(|| io::Error::other("it does not seal"));
    let refused = |text: String, now: u64| {
        let opening = with(OURS)?;
        timing::holds(move || opening.open::<i64>(&text, now).is_none())
    };
    let good = sealed(with(OURS)?)?;
    // the last bits of the tag
    let altered = || {
        let kept = good.get(..good.len().saturating_sub(2)).unwrap_or_default();
        format!("{kept}{}", if good.ends_with("AA") { "BA" } else { "AA" })
    };
    let mut alike = true;
    for (what, text, now, counts) in [
        ("cursor of another caller / an altered one", sealed(with(OURS)?.of("bob"))?, END - 1, true),
        ("cursor of an unknown key / an altered one", sealed(with(OTHER)?)?, END - 1, true),
        ("cursor that expired / an altered one", good.clone(), END, false),
        ("cursor that is no base64 / an altered one", good.replacen('A', "!", 1), END - 1, false),
    ] {
        let (baseline, ours) = (refused(altered(), END - 1)?, refused(text, now)?);
        alike &= table::interval(what, &mut timing::compare(rounds, calls, baseline, ours)) || !counts;
    }
    Ok(alike)
}

fn keys(peppers: Option<KeyPeppers>, calls: usize) -> io::Result<(impl FnMut(), impl FnMut())> {
    let now = Clock::system().now().map_err(io::Error::other)?;
    let peppers = peppers.unwrap_or_default();
    let make = || {
        let made = NewKey::generate("bench", "bench", &[], now, None).map_err(io::Error::other)?;
        Ok::<_, io::Error>(made.peppered(&peppers))
    };
    let many = |count: usize| (0..count).map(|_| make()).collect::<io::Result<Vec<_>>>();
    let (known, unknown) = (many(SHOWN)?, many(SHOWN)?);
    // the text of one key, with the hash of another under its id: the secret is wrong
    let mut records: Vec<_> = many(KEYS)?.into_iter().map(|made| made.record).collect();
    // one in each stretch, somewhere, as those are that strangers come upon
    for (stretch, known) in records.chunks_mut(KEYS / SHOWN).zip(&known) {
        let somewhere = usize::from(known.record.hash[0]) % stretch.len();
        if let Some(record) = stretch.get_mut(somewhere) {
            record.id.clone_from(&known.record.id);
        }
    }
    let keys = ApiKeys::new(records).map_err(io::Error::other)?.peppers(peppers);
    let refused = |made: Vec<NewKey>| {
        let keys = Keys::new(&RULES, keys.clone());
        // looked at to be shown, as a client does
        let texts: Vec<_> = made.iter().map(|made| made.key.expose().clone()).collect();
        let mut turns = Turns::of(calls);
        timing::holds(move || turns.next(&texts).is_some_and(|text| !keys.accept_at_once(text, now)))
    };
    Ok((refused(known)?, refused(unknown)?))
}

/// Whose turn it is: another one in each short round.
struct Turns {
    calls: usize,
    made: usize,
}

impl Turns {
    /// Of so many calls a round.
    fn of(calls: usize) -> Self {
        Self { calls: timing::calls_made(calls), made: 0 }
    }

    fn next<'t>(&mut self, texts: &'t [String]) -> Option<&'t String> {
        let round = self.made / self.calls;
        self.made += 1;
        texts.get(round % texts.len())
    }
}

/// Users, the name of one of them, and that of nobody.
struct Names {
    records: Vec<PasswordRecord>,
    known: String,
    unknown: String,
}

#[derive(Clone, Copy)]
enum Cost {
    Lower,
    Higher,
}

impl Names {
    fn of_one_cost() -> io::Result<Self> {
        let password = Secret::new("correct horse battery staple".to_owned());
        let record = PasswordRecord::new("carol", &password, &[]).map_err(io::Error::other)?;
        Ok(Self { records: vec![record], known: "carol".to_owned(), unknown: "nobody".to_owned() })
    }

    /// Names that nobody has are of either cost, and each always of the same: this is one of the cost of the known one.
    fn of_two_costs(cost: Cost) -> io::Result<Self> {
        let record = |user: &str, passes| {
            let params = Params::new(19_456, passes, 1, None).map_err(io::Error::other)?;
            let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash = hasher.hash_password(b"correct horse battery staple").map_err(io::Error::other)?;
            Ok::<_, io::Error>(PasswordRecord {
                user: user.to_owned(),
                hash: hash.to_string(),
                scopes: Vec::new(),
            })
        };
        let records = vec![record("lower", 2)?, record("higher", 6)?];
        let users = Self::users(&records)?;
        let taken = |name: &str| timing::typical(3, 1, || _ = users.accept(name, WRONG));
        let (lower, higher) = (taken("lower"), taken("higher"));
        let (known, is_like) = match cost {
            Cost::Lower => ("lower", lower / 2.0..lower.midpoint(higher)),
            Cost::Higher => ("higher", lower.midpoint(higher)..higher * 2.0),
        };
        let mut names = (0..64).map(|number| format!("nobody {number}"));
        let unknown = names.find(|name| is_like.contains(&taken(name)));
        let unknown = unknown.ok_or_else(|| io::Error::other("names of nobody have one cost alone"))?;
        Ok(Self { records, known: known.to_owned(), unknown })
    }

    fn users(records: &[PasswordRecord]) -> io::Result<Users> {
        Passwords::new(records.iter().cloned()).map(Users::new).map_err(io::Error::other)
    }

    fn refused(&self, name: &str) -> io::Result<impl FnMut() + use<>> {
        let (users, name) = (Self::users(&self.records)?, name.to_owned());
        timing::holds(move || !users.accept(&name, WRONG))
    }
}

const WRONG: &str = "another battery staple, horse";
