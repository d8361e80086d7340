//! The list of hostile tokens, each over a socket to a door of every algorithm that it is about: once where tokens of any
//! type are taken, once where only access tokens of RFC 9068 are.
//!
//! What is refused is refused alike: one body for every 401, and the challenge of RFC 6750 with no word more than its code.
//! The list lies beside the checkout; some recipes of the same kinds are here, so that they are tried everywhere.

mod build;
mod configuration;
mod mutate;
mod recipe;
mod special;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use palisade::Settings;
use palisade_tests::attacks::keys::ALGORITHMS;
use palisade_tests::attacks::raw::{Answer, Exchange, exchange};
use palisade_tests::attacks::{Fortress, list};
use serde_json::Value;

use self::build::{Attackers, SCOPE, Target};
use self::recipe::{List, Recipe, Transport, Verdict};

/// Recipes of the kinds of the list.
const OURS: &str = include_str!("ours.json");

/// How many recipes are ours, and in the list.
const COUNTS: [usize; 2] = [79, 173];

/// Where we refuse what the list would let come farther: with which status, and why.
const STRICTER: &[(&str, u16, &str)] = &[
    (
        "jwt-v045",
        401,
        "`scope` twice: RFC 7519 section 4 lets a verifier refuse such a token, and nobody needs to guess which one counts",
    ),
    (
        "jwt-v140",
        431,
        "a token of 107 kB: the server does not read a head of more than 32 KiB, so not the token either",
    ),
];

#[tokio::test]
async fn every_recipe_gets_its_verdict() {
    let mut recipes = read(OURS, COUNTS[0]);
    recipes.extend(list("jwt-attacks.json").iter().flat_map(|text| read(text, COUNTS[1])));
    let fortress = Fortress::start(Settings::default()).await;
    let mut run = Run { fortress, attackers: Attackers::default(), refused: None, seen: Seen::default() };
    run.establish_the_refusal().await;
    for recipe in &recipes {
        match (&recipe.config, recipe.expect) {
            (Some(name), Verdict::RefuseStart) => {
                run.seen.note(recipe, "configuration", configuration::is_refused(name));
            }
            (None, Verdict::RefuseStart) | (Some(_), _) => panic!("{}: what is to be refused?", recipe.id),
            (None, Verdict::Skip) => {
                panic!("{}: the list says that it cannot be sent: say here why", recipe.id)
            }
            (None, _) => run.try_all(recipe).await,
        }
    }
    run.seen.finish(&recipes);
}

fn read(text: &str, count: usize) -> Vec<Recipe> {
    let recipes = serde_json::from_str::<List>(text).expect("recipes that are known here").cases;
    assert_eq!(recipes.len(), count, "a list that grew or shrank");
    recipes
}

struct Run {
    fortress: Fortress,
    attackers: Attackers,
    /// The body of the 401 for a token that is nonsense.
    refused: Option<Value>,
    seen: Seen,
}

/// What a target answered, and in which time.
struct Outcome {
    exchange: Exchange,
    took: Duration,
}

impl Run {
    /// A base token passes every door, and what nonsense gets is what every bad token will be compared with.
    async fn establish_the_refusal(&mut self) {
        let base: Recipe =
            serde_json::from_str(r#"{"id":"base","class":"","title":"","expect":"accept"}"#).unwrap();
        self.try_all(&base).await;
        let request = get("/any/es256", b"Authorization: Bearer nonsense\r\n");
        let answer = exchange(self.fortress.address, &request, Duration::from_secs(5)).await;
        self.refused = answer.only().map(Answer::refusal);
        let none = exchange(self.fortress.address, &get("/any/es256", b""), Duration::from_secs(5)).await;
        let none = none.only().expect("an answer");
        assert_eq!(none.status, 401);
        // RFC 6750 section 3.1: without authentication information no error code
        assert_eq!(none.all("www-authenticate"), ["Bearer realm=\"Attacks\""]);
        assert_eq!(Some(none.refusal()), self.refused, "none and nonsense are told the same");
    }

    async fn try_all(&mut self, recipe: &Recipe) {
        for algorithm in ALGORITHMS {
            for (door, access_tokens) in [("any", false), ("at", true)] {
                if needs(recipe, algorithm) {
                    let path = format!("/{door}/{}", algorithm.to_lowercase());
                    let target = Target { key: self.fortress.key(algorithm), access_tokens };
                    let token = target.token(recipe, &mut self.attackers);
                    let outcome = send(&self.fortress, &path, recipe, &token).await;
                    let verdict = self.judge(recipe, &token, &outcome);
                    self.seen.note(recipe, &path, verdict);
                }
            }
        }
    }

    fn judge(
        &self,
        recipe: &Recipe,
        token: &[u8],
        Outcome { exchange, took }: &Outcome,
    ) -> Result<(), String> {
        let limit = Duration::from_secs(recipe.max_seconds.unwrap_or(5));
        if *took > limit {
            return Err(format!("took {took:?}"));
        }
        let Some(answer) = exchange.only() else { return Err("no answer".to_owned()) };
        self.check_form(answer, token)?;
        let status = answer.status;
        let fits = match recipe.expect {
            Verdict::Accept => status == 200 && answer.json()["subject"] == "alice",
            Verdict::Reject => matches!(status, 401 | 400 | 403 | 413 | 414 | 431),
            Verdict::Forbid => status == 403,
            Verdict::ForbidOrReject => matches!(status, 401 | 403),
            Verdict::Either => status < 500,
            Verdict::RefuseStart | Verdict::Skip => unreachable!("no token is sent"),
        };
        match fits {
            true => Ok(()),
            false => Err(format!("{status} {}", answer.json())),
        }
    }

    /// What holds for every answer, whatever the verdict.
    fn check_form(&self, answer: &Answer, token: &[u8]) -> Result<(), String> {
        let challenges = answer.all("www-authenticate");
        let wanted = match answer.status {
            401 => vec!["Bearer realm=\"Attacks\", error=\"invalid_token\"".to_owned()],
            403 => vec![format!("Bearer realm=\"Attacks\", error=\"insufficient_scope\", scope=\"{SCOPE}\"")],
            _ => challenges.iter().map(|challenge| (*challenge).to_owned()).collect(),
        };
        let without_credentials = vec!["Bearer realm=\"Attacks\"".to_owned()];
        if challenges != wanted && !(answer.status == 401 && challenges == without_credentials) {
            return Err(format!("{} with {challenges:?}", answer.status));
        }
        if answer.status == 401 && self.refused.as_ref().is_some_and(|refused| *refused != answer.refusal()) {
            return Err(format!("another 401: {}", answer.json()));
        }
        let token = String::from_utf8_lossy(token);
        let echoed = token.len() > 8 && answer.text().contains(&*token);
        if echoed { Err("the token is echoed".to_owned()) } else { Ok(()) }
    }
}

/// Whether the recipe is about servers that are protected like this. All doors ask for a scope.
fn needs(recipe: &Recipe, algorithm: &str) -> bool {
    match recipe.needs.as_deref() {
        None | Some("scopes") => true,
        Some("asymmetric") => algorithm != "HS256",
        Some("hmac") => algorithm == "HS256",
        Some(need) => {
            let need = need.strip_prefix("hmac:").unwrap_or(need);
            assert!(ALGORITHMS.contains(&need), "{}: what needs {need:?}?", recipe.id);
            need == algorithm
        }
    }
}

async fn send(fortress: &Fortress, path: &str, recipe: &Recipe, token: &[u8]) -> Outcome {
    let place = |template: &str| {
        let (before, after) = template.split_once("{token}").expect("a place for the token");
        [before.as_bytes(), token, after.as_bytes()].concat()
    };
    let request = match &recipe.transport {
        None => get(path, &[b"Authorization: Bearer ", token, b"\r\n"].concat()),
        Some(Transport::Header(name, value)) => {
            get(path, &[name.as_bytes(), b": ", &place(value), b"\r\n"].concat())
        }
        Some(Transport::Query(query)) => {
            let query = String::from_utf8(place(query)).expect("text");
            get(&format!("{path}?{query}"), b"")
        }
    };
    let begun = Instant::now();
    let patience = Duration::from_secs(recipe.max_seconds.unwrap_or(5) + 1);
    let exchange = exchange(fortress.address, &request, patience).await;
    Outcome { exchange, took: begun.elapsed() }
}

fn get(path: &str, headers: &[u8]) -> Vec<u8> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    [head.as_bytes(), headers, b"\r\n"].concat()
}

/// What was tried, and what of it went wrong.
#[derive(Default)]
struct Seen {
    tried: usize,
    ran: BTreeSet<String>,
    by_class: BTreeMap<String, usize>,
    stricter: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Seen {
    fn note(&mut self, recipe: &Recipe, target: &str, verdict: Result<(), String>) {
        self.tried += 1;
        self.ran.insert(recipe.id.clone());
        *self.by_class.entry(recipe.class.clone()).or_default() += 1;
        let Err(why) = verdict else { return };
        match STRICTER.iter().find(|(id, ..)| *id == recipe.id) {
            Some((id, status, _)) if why.starts_with(&format!("{status} ")) => _ = self.stricter.insert(id),
            _ => self
                .wrong
                .push(format!("{} {} ({:?}) at {target}: {why}", recipe.id, recipe.title, recipe.expect)),
        }
    }

    fn finish(self, recipes: &[Recipe]) {
        println!("{} recipes, {} times: {:?}", recipes.len(), self.tried, self.by_class);
        for (id, status, reason) in STRICTER {
            let (known, needed) = (recipes.iter().any(|recipe| recipe.id == *id), self.stricter.contains(id));
            println!("    {id}: {status}, {reason}");
            assert!(!known || needed, "{id} is listed and gets its verdict");
        }
        let ids: BTreeSet<_> = recipes.iter().map(|recipe| recipe.id.clone()).collect();
        assert_eq!(ids.len(), recipes.len(), "each recipe once");
        assert!(ids.is_subset(&self.ran), "{:?} did not run", ids.difference(&self.ran));
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}
