//! Whether time tells who is known: the check of a credential of a known name with another secret, against one of a name that
//! nobody has. As far from 1 as the A/A beside it, and no farther.

use std::io;

use palisade::measure::{Keys, Users};
use palisade::operation::{KeyLocation, KeyRules};
use palisade::{ApiKeys, Clock, KeyPeppers, NewKey, PasswordRecord, Passwords, Secret};

use crate::{table, timing};

static RULES: KeyRules =
    KeyRules { location: KeyLocation::Header("X-API-Key"), prefix: Some("bench"), rotate_within: None };

/// Keys in the store, so that a look-up is one.
const KEYS: usize = 10_000;

/// So many of each are shown in turn: where one key lies in memory matters more than whether it is known.
const SHOWN: usize = 100;

/// Into how many short rounds each round is cut: the more often both sides take turns, the less does it matter what else
/// the machine does.
const OFTEN: usize = 40;

pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    for (what, peppers) in [
        ("API key of nobody / another secret of a known id", None),
        ("the same with a pepper", Some(KeyPeppers::generate("bench").map_err(io::Error::other)?)),
    ] {
        let (known, unknown) = keys(peppers)?;
        table::interval(what, &mut timing::compare(rounds * OFTEN, calls / OFTEN, known, unknown));
    }
    let (known, unknown) = passwords()?;
    let what = "password of nobody / another password of a known user";
    // argon2id takes some 20 ms: one call a round
    table::interval(what, &mut timing::compare(rounds * OFTEN, 1, known, unknown));
    Ok(())
}

fn keys(peppers: Option<KeyPeppers>) -> io::Result<(impl FnMut(), impl FnMut())> {
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
        let mut turn = 0;
        timing::holds(move || {
            turn = (turn + 1) % SHOWN;
            texts.get(turn).is_some_and(|text| !keys.accept(text, now))
        })
    };
    Ok((refused(known)?, refused(unknown)?))
}

fn passwords() -> io::Result<(impl FnMut(), impl FnMut())> {
    let password = Secret::new("correct horse battery staple".to_owned());
    let record = PasswordRecord::new("carol", &password, &[]).map_err(io::Error::other)?;
    let users = || Passwords::new([record.clone()]).map(Users::new).map_err(io::Error::other);
    let refused = |users: Users, user: &'static str| {
        timing::holds(move || !users.accept(user, "another battery staple, horse"))
    };
    Ok((refused(users()?, "carol")?, refused(users()?, "nobody")?))
}
