//! The list of hostile requests, each over a socket of its own.
//!
//! Whatever the verdict: no 5xx and nothing of the inside in an answer (which `exchange` sees to), an answer in time, and a good
//! request right afterwards succeeds. The list lies beside the checkout; some recipes of the same kinds are here, so that they are tried everywhere.

mod authorization;
mod body;
mod cursors;
mod idempotency;
mod limits;
mod recipe;
mod request;
mod slow;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use palisade::Settings;
use palisade_tests::attacks::raw::{Answer, Exchange, exchange};
use palisade_tests::attacks::{Fortress, list};

use self::recipe::{List, Recipe, Verdict};
use self::request::{bytes, reading};

/// Recipes of the kinds of the list.
const OURS: &str = include_str!("ours.json");

/// How many recipes are ours, and in the list.
const COUNTS: [usize; 2] = [103, 175];

/// Where our answer is another than the list's on purpose, and why.
const DIFFERENT: &[(&str, &str)] = &[];

type Verdicts = Result<(), String>;

#[tokio::test]
async fn every_recipe_gets_its_verdict() {
    let mut recipes = read(OURS, COUNTS[0]);
    recipes.extend(list("request-attacks.json").iter().flat_map(|text| read(text, COUNTS[1])));
    let fortress = Fortress::start(Settings::default()).await;
    let mut seen = Seen::default();
    // they take as long as the server's patience, so they run beside the others
    let (patient, others): (Vec<_>, Vec<_>) =
        recipes.iter().partition(|recipe| recipe.expect == Verdict::SlowOk);
    let slow = async {
        let all = patient.iter().map(|recipe| slow::run(&fortress, recipe));
        futures_util::future::join_all(all).await
    };
    let quick = async {
        for recipe in others {
            seen.note(recipe, try_one(&fortress, recipe).await);
        }
    };
    let (verdicts, ()) = tokio::join!(slow, quick);
    patient.iter().zip(verdicts).for_each(|(recipe, verdict)| seen.note(recipe, verdict));
    seen.finish(&recipes);
}

fn read(text: &str, count: usize) -> Vec<Recipe> {
    let recipes = serde_json::from_str::<List>(text).expect("recipes that are known here").cases;
    assert_eq!(recipes.len(), count, "a list that grew or shrank");
    recipes
}

async fn try_one(fortress: &Fortress, recipe: &Recipe) -> Verdicts {
    match recipe.needs.as_deref() {
        None
        | Some(
            "get" | "body" | "scopes" | "path_param" | "int_query" | "owned" | "cursor" | "rate_limit"
            | "idempotency",
        ) => {}
        Some(other) => panic!("{}: what needs {other:?}?", recipe.id),
    }
    let verdict = match &recipe.proc {
        Some(procedure) => run(fortress, recipe, procedure).await,
        None => {
            let limit = Duration::from_secs(recipe.max_seconds.unwrap_or(5));
            let exchange = exchange(fortress.address, &bytes(fortress, recipe), limit).await;
            judge(recipe, &exchange)
        }
    };
    let after = reading(fortress).send(fortress.address).await;
    verdict.and_then(|()| match after.status {
        200 => Ok(()),
        status => Err(format!("a good request afterwards gets {status}")),
    })
}

async fn run(fortress: &Fortress, recipe: &Recipe, procedure: &str) -> Verdicts {
    match procedure.split_once('_').map_or(procedure, |(kind, _)| kind) {
        "pipeline" | "matrix" | "tenant" | "existence" => authorization::run(fortress, procedure).await,
        "cur" => cursors::run(fortress, recipe, procedure).await,
        "idem" => idempotency::run(fortress, recipe, procedure).await,
        "rl" => limits::run(fortress, recipe, procedure).await,
        _ => panic!("{}: what is the procedure {procedure:?}?", recipe.id),
    }
}

fn judge(recipe: &Recipe, exchange: &Exchange) -> Verdicts {
    if exchange.hangs() {
        return Err("neither answered nor closed in time".to_owned());
    }
    if recipe.expect == Verdict::OneOrClose {
        let smuggled = exchange.answers.len() > 1;
        return if smuggled { Err(format!("{exchange:?}")) } else { Ok(()) };
    }
    let Some(answer) = exchange.only() else {
        // bytes that are no request may end the connection; a request is answered
        let may_close = recipe.raw.is_some()
            && matches!(recipe.expect, Verdict::Reject | Verdict::NoSuccess | Verdict::Either);
        return if may_close { Ok(()) } else { Err("no answer".to_owned()) };
    };
    match verdict(recipe, answer) {
        true => Ok(()),
        false => Err(answer.text()),
    }
}

fn verdict(recipe: &Recipe, answer: &Answer) -> bool {
    let status = answer.status;
    match recipe.expect {
        Verdict::Reject => (400..500).contains(&status),
        Verdict::NoSuccess => !answer.is_success(),
        Verdict::Accept => answer.is_success(),
        Verdict::Either => true,
        Verdict::AllowHeader => status == 405 && answer.all("allow") == ["GET"],
        Verdict::CorsClosed => !answer.headers.iter().any(|(name, _)| name.starts_with("access-control-")),
        Verdict::NoRawEcho => !answer.text().contains(&sent_id(recipe)),
        Verdict::CleanError => status >= 400 && is_clean(answer),
        Verdict::WwwAuthenticate => {
            status == 401
                && is_clean(answer)
                && answer.all("www-authenticate") == ["Bearer realm=\"Attacks\""]
        }
        Verdict::SecondRejected
        | Verdict::OneOrClose
        | Verdict::SlowOk
        | Verdict::Uniform404
        | Verdict::Matrix
        | Verdict::Procedure => panic!("{}: a verdict of procedures", recipe.id),
    }
}

/// What the recipe sent as its request id, which nobody should read in the answer.
fn sent_id(recipe: &Recipe) -> String {
    let headers = recipe.req.as_ref().and_then(|change| change.headers.as_ref()).expect("it sends one");
    let sent = headers[0][1].as_str().expect("text");
    recipe.echo.as_deref().unwrap_or(sent).to_owned()
}

/// An envelope, for this client and moment only, under the headers that every answer has.
fn is_clean(answer: &Answer) -> bool {
    let error = &answer.json()["error"];
    ["code", "message", "timestamp", "request_id"].iter().all(|member| error[member].is_string())
        && answer.header("x-content-type-options") == "nosniff"
        && answer.header("cache-control") == "no-store"
        && answer.header("content-type") == "application/json"
        && answer.header("server").is_empty()
        && answer.header("x-powered-by").is_empty()
}

#[derive(Default)]
struct Seen {
    by_class: BTreeMap<String, usize>,
    different: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Seen {
    fn note(&mut self, recipe: &Recipe, verdict: Verdicts) {
        *self.by_class.entry(recipe.class.clone()).or_default() += 1;
        let Err(why) = verdict else { return };
        match DIFFERENT.iter().find(|(id, _)| *id == recipe.id) {
            Some((id, _)) => _ = self.different.insert(id),
            None => self.wrong.push(format!("{} {} ({:?}): {why}", recipe.id, recipe.title, recipe.expect)),
        }
    }

    fn finish(self, recipes: &[Recipe]) {
        println!("{} recipes: {:?}", recipes.len(), self.by_class);
        assert_eq!(self.by_class.values().sum::<usize>(), recipes.len(), "each recipe ran");
        for (id, reason) in DIFFERENT {
            let known = recipes.iter().any(|recipe| recipe.id == *id);
            println!("    {id}: {reason}");
            assert!(!known || self.different.contains(id), "{id} is listed and gets its verdict");
        }
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}
