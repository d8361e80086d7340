//! Whether time tells who is known: the check of a credential of a known name with another secret, against one of a name that
//! nobody has. As far from 1 as the A/A beside it, and no farther: else the command fails.
//!
//! And whether it tells what is wrong with a cursor, against one that was altered. One of another caller and one of an unknown key
//! must be alike. For who reads the table are one that is no base64, some 30 ns later, as it is read before a decoy is, and who
//! sends it knows; and one that expired, some 8 ns sooner, as the library notes an error for what is not authentic.

mod kept;

use std::io;
use std::rc::Rc;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use palisade::measure::{Cursors, Keys, Users};
use palisade::operation::{KeyLocation, KeyRules};
use palisade::{ApiKeys, Clock, CursorKeys, KeyPeppers, NewKey, PasswordRecord, Passwords};

use crate::{table, timing};

const RULES: KeyRules =
    KeyRules { location: KeyLocation::Header("X-API-Key"), prefix: Some("bench"), rotate_within: None };

/// Keys in the store, so that a look-up is one.
const KEYS: usize = 10_000;

/// So many of each are shown, of keys and cursors, one of them throughout a short round, as by whoever wants to know of one: what the
/// times of those that are known differ by among each other, if only for where they lie in memory, is what nobody can tell an unknown one by.
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
    let many = |by: Cursors| {
        let sealed = (0..SHOWN).map(|_| by.seal(&7_i64, END).map(|cursor| cursor.as_str().to_owned()));
        sealed.collect::<Option<Vec<_>>>().ok_or_else(|| io::Error::other("it does not seal"))
    };
    let opening = Rc::new(with(OURS)?);
    let refused = |texts: Vec<String>, now: u64| {
        let (opening, mut turns) = (Rc::clone(&opening), Turns::of(calls));
        timing::holds(move || turns.next(&texts).is_some_and(|text| opening.open::<i64>(text, now).is_none()))
    };
    let good = many(with(OURS)?)?;
    // the last bits of the tag
    let altered = |good: &String| {
        let kept = good.get(..good.len().saturating_sub(2)).unwrap_or_default();
        format!("{kept}{}", if good.ends_with("AA") { "BA" } else { "AA" })
    };
    let no_base64 = good.iter().map(|good| format!("!{}", good.get(1..).unwrap_or_default())).collect();
    let mut alike = true;
    for (what, texts, now, counts) in [
        ("cursor of another caller / an altered one", many(with(OURS)?.of("bob"))?, END - 1, true),
        ("cursor of an unknown key / an altered one", many(with(OTHER)?)?, END - 1, true),
        ("cursor that expired / an altered one", good.clone(), END, false),
        ("cursor that is no base64 / an altered one", no_base64, END - 1, false),
    ] {
        let (baseline, ours) = (refused(good.iter().map(altered).collect(), END - 1)?, refused(texts, now)?);
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

/// How many users there are of each cost, and how many names of nobody are shown.
const USERS: usize = 16;

/// Users, the names of some of them, and as many of nobody.
struct Names {
    users: Rc<Users>,
    known: Vec<String>,
    unknown: Vec<String>,
}

#[derive(Clone, Copy)]
enum Cost {
    Lower,
    Higher,
}

impl Cost {
    /// A hash takes one of some 20 ms, or three times as long.
    fn user(self, number: usize) -> io::Result<PasswordRecord> {
        let (name, passes) = match self {
            Self::Lower => ("lower", 2),
            Self::Higher => ("higher", 6),
        };
        let params = Params::new(19_456, passes, 1, None).map_err(io::Error::other)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = hasher.hash_password(b"correct horse battery staple").map_err(io::Error::other)?;
        let user = format!("{name} {number:02}");
        Ok(PasswordRecord { user, hash: hash.to_string(), scopes: Vec::new() })
    }
}

impl Names {
    fn of_one_cost() -> io::Result<Self> {
        let records = (0..USERS).map(|number| Cost::Lower.user(number)).collect::<io::Result<Vec<_>>>()?;
        let unknown = (0..USERS).map(|number| format!("nobody {number:02}")).collect();
        Self::new(&records, &records, unknown)
    }

    /// Names that nobody has are of either cost, and each always of the same: these are of the cost of the known ones.
    fn of_two_costs(cost: Cost) -> io::Result<Self> {
        let users =
            |cost: Cost| (0..USERS).map(move |number| cost.user(number)).collect::<io::Result<Vec<_>>>();
        let (lower, higher) = (users(Cost::Lower)?, users(Cost::Higher)?);
        let all = Self::users(&[&lower[..], &higher].concat())?;
        let taken = |name: &str| timing::typical(3, 1, || _ = all.accept(name, WRONG));
        let between = taken("lower 00").midpoint(taken("higher 00"));
        let names = (0..8 * USERS).map(|number| format!("nobody {number:02}"));
        let like = names.filter(|name| (taken(name) > between) == matches!(cost, Cost::Higher));
        let unknown: Vec<_> = like.take(USERS).collect();
        if unknown.len() < USERS {
            return Err(io::Error::other("names of nobody have one cost alone"));
        }
        let known = if matches!(cost, Cost::Higher) { &higher } else { &lower };
        Self::new(&[&lower[..], &higher].concat(), known, unknown)
    }

    fn new(records: &[PasswordRecord], known: &[PasswordRecord], unknown: Vec<String>) -> io::Result<Self> {
        let known = known.iter().map(|record| record.user.clone()).collect();
        Ok(Self { users: Rc::new(Self::users(records)?), known, unknown })
    }

    fn users(records: &[PasswordRecord]) -> io::Result<Users> {
        Passwords::new(records.iter().cloned()).map(Users::new).map_err(io::Error::other)
    }

    fn refused(&self, names: &[String]) -> io::Result<impl FnMut() + use<>> {
        let (users, names, mut turns) = (Rc::clone(&self.users), names.to_vec(), Turns::of(1));
        timing::holds(move || turns.next(&names).is_some_and(|name| !users.accept(name, WRONG)))
    }
}

const WRONG: &str = "another battery staple, horse";
