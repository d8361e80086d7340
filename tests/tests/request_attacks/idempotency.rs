//! Ways to have a payment twice, or another's answer.

use palisade_tests::attacks::raw::{Answer, Request};
use palisade_tests::attacks::{Fortress, claims};
use palisade_tests::dice::key_of;
use palisade_tests::tokens::now;

use crate::Verdicts;
use crate::body::good;
use crate::recipe::Recipe;
use crate::request::SCOPES;

/// The path, with a parameter that may be there.
const PAYMENTS: &str = "/payments";

pub async fn run(fortress: &Fortress, recipe: &Recipe, procedure: &str) -> Verdicts {
    let desk = Desk { fortress, token: fortress.token("alice", SCOPES), key: key_of(&recipe.id) };
    match procedure {
        "idem_replay_expired" => desk.expired().await,
        "idem_case" => {
            let other = desk.key.to_uppercase();
            desk.another(&other).await
        }
        "idem_missing" => refused(400, &desk.request(good(), PAYMENTS).send(fortress.address).await),
        "idem_odd_key" | "idem_bad_key" => {
            let key = recipe.key.as_deref().expect("a key");
            let request = desk.request(good(), PAYMENTS).header("Idempotency-Key", quoted(key));
            refused(400, &request.send(fortress.address).await)
        }
        "idem_other_query" => desk.refuses(good(), "/payments?urgent=true").await,
        "idem_reordered" => desk.same(r#"{ "priority": 2, "title": "tea" }"#.to_owned()).await,
        "idem_other_body" => desk.refuses(good().replace('2', "3"), PAYMENTS).await,
        "idem_same_bytes" => desk.same(good()).await,
        "idem_race" => desk.race(recipe.n.expect("how many")).await,
        other => panic!("what is the procedure {other:?}?"),
    }
}

/// A client and its key.
struct Desk<'f> {
    fortress: &'f Fortress,
    token: String,
    key: String,
}

impl Desk<'_> {
    /// Without a key.
    fn request(&self, body: String, target: &str) -> Request {
        Request::new("POST", target).json(body.as_bytes()).token(&self.token)
    }

    async fn pay(&self, body: String, target: &str) -> Answer {
        let request = self.request(body, target).header("Idempotency-Key", quoted(&self.key));
        request.send(self.fortress.address).await
    }

    async fn first(&self) -> Result<Answer, String> {
        let first = self.pay(good(), PAYMENTS).await;
        match first.status == 201 && first.header("idempotent-replayed").is_empty() {
            true => Ok(first),
            false => Err(format!("the first: {} {}", first.status, first.text())),
        }
    }

    /// The same call again, written so, gets the same answer.
    async fn same(&self, body: String) -> Verdicts {
        let (first, second) = (self.first().await?, self.pay(body, PAYMENTS).await);
        replays(&first, &second)
    }

    /// Another call under the key gets nothing, and the first one still its answer.
    async fn refuses(&self, body: String, target: &str) -> Verdicts {
        let first = self.first().await?;
        refused(422, &self.pay(body, target).await)?;
        replays(&first, &self.pay(good(), PAYMENTS).await)
    }

    /// The same call under another key is another call.
    async fn another(&self, key: &str) -> Verdicts {
        let first = self.first().await?;
        let request = self.request(good(), PAYMENTS).header("Idempotency-Key", quoted(key));
        let second = request.send(self.fortress.address).await;
        let is_fresh = second.status == 201 && second.body != first.body;
        if is_fresh { Ok(()) } else { Err(format!("{} {}", second.status, second.text())) }
    }

    /// An answer is for whoever may ask now.
    async fn expired(&self) -> Verdicts {
        self.first().await?;
        let token = self.fortress.sign("ES256", "JWT", &claims("alice", SCOPES, now() - 3600));
        let late = Desk { fortress: self.fortress, token, key: self.key.clone() };
        refused(401, &late.pay(good(), PAYMENTS).await)
    }

    /// All at once: one is served, the others get its answer or are told to wait.
    async fn race(&self, many: usize) -> Verdicts {
        let all = futures_util::future::join_all((0..many).map(|_| self.pay(good(), PAYMENTS))).await;
        let first: Vec<_> = all
            .iter()
            .filter(|one| one.status == 201 && one.header("idempotent-replayed").is_empty())
            .collect();
        let [first] = first[..] else { return Err(format!("{} effects", first.len())) };
        for answer in &all {
            let waits = answer.status == 409 && !answer.header("retry-after").is_empty();
            if !waits && answer.body != first.body {
                return Err(format!("{} {}", answer.status, answer.text()));
            }
        }
        replays(first, &self.pay(good(), PAYMENTS).await)
    }
}

fn quoted(key: &str) -> String {
    format!("\"{key}\"")
}

fn replays(first: &Answer, again: &Answer) -> Verdicts {
    let same = again.status == first.status && again.body == first.body;
    match same && again.header("idempotent-replayed") == "true" {
        true => Ok(()),
        false => Err(format!("again: {} {}", again.status, again.text())),
    }
}

fn refused(status: u16, answer: &Answer) -> Verdicts {
    if answer.status == status { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text())) }
}
