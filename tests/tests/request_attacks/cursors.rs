//! Cursors that were changed, and cursors where they do not belong.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade_tests::attacks::Fortress;
use palisade_tests::attacks::raw::{Answer, Request};

use crate::Verdicts;
use crate::recipe::Recipe;
use crate::request::SCOPES;

const FILTER: &str = "colour=red";

pub async fn run(fortress: &Fortress, recipe: &Recipe, procedure: &str) -> Verdicts {
    let walk = Walk { fortress, token: fortress.token("alice", SCOPES) };
    let cursor = walk.cursor().await;
    let changed = match procedure {
        "cur_value" => recipe.value.clone().expect("a value"),
        "cur_append" => format!("{cursor}{}", recipe.text.as_deref().expect("a text")),
        "cur_cut" if recipe.half => cursor[..cursor.len() / 2].to_owned(),
        "cur_cut" => cursor[..cursor.len() - recipe.n.unwrap_or(1)].to_owned(),
        "cur_long" => "A".repeat(recipe.n.expect("how long")),
        "cur_upper" => cursor.to_uppercase(),
        "cur_twice" => format!("{cursor}&after={cursor}"),
        "cur_flip" => return walk.flips(&cursor, recipe.step.expect("how many")).await,
        "cur_drop_filter" => return refused(&walk.ask("", &cursor).await),
        "cur_other_filter" => return refused(&walk.ask("colour=green", &cursor).await),
        "cur_other_user" => return walk.of_another(&cursor).await,
        "cur_replay_ok" => return walk.replay(&cursor).await,
        "cur_nonce" => return same_and_other(&cursor, &walk.cursor().await),
        "cur_opaque" => return opaque(&cursor),
        "cur_uniform" => return walk.uniform(&cursor).await,
        other => panic!("what is the procedure {other:?}?"),
    };
    refused(&walk.ask(FILTER, &changed).await)
}

struct Walk<'a> {
    fortress: &'a Fortress,
    token: String,
}

impl Walk<'_> {
    /// Where the first page ends.
    async fn cursor(&self) -> String {
        let first = Request::get(format!("/notes?{FILTER}")).token(&self.token);
        let answer = first.send(self.fortress.address).await;
        answer.json()["next_cursor"].as_str().expect("more than one page").to_owned()
    }

    async fn ask(&self, filter: &str, cursor: &str) -> Answer {
        let request = Request::get(format!("/notes?{filter}&after={cursor}").replace("?&", "?"));
        request.token(&self.token).send(self.fortress.address).await
    }

    async fn flips(&self, cursor: &str, count: usize) -> Verdicts {
        for step in 0..count {
            refused(&self.ask(FILTER, &flipped(cursor, step, count)).await)?;
        }
        Ok(())
    }

    async fn replay(&self, cursor: &str) -> Verdicts {
        let (once, again) = (self.ask(FILTER, cursor).await, self.ask(FILTER, cursor).await);
        let same = once.status == 200 && again.status == 200 && once.json()["data"] == again.json()["data"];
        if same { Ok(()) } else { Err(format!("{} {}", once.text(), again.text())) }
    }

    async fn of_another(&self, cursor: &str) -> Verdicts {
        let other = Walk { fortress: self.fortress, token: self.fortress.token("bob", SCOPES) };
        refused(&other.ask(FILTER, cursor).await)
    }

    /// A refusal does not tell what was wrong.
    async fn uniform(&self, cursor: &str) -> Verdicts {
        let other = Walk { fortress: self.fortress, token: self.fortress.token("bob", SCOPES) };
        let answers = [
            self.ask(FILTER, "10").await,
            self.ask(FILTER, "AAAA").await,
            self.ask(FILTER, &cursor[..cursor.len() / 2]).await,
            self.ask(FILTER, &flipped(cursor, 0, 4)).await,
            self.ask(FILTER, &flipped(cursor, 3, 4)).await,
            self.ask("colour=green", cursor).await,
            self.ask("", cursor).await,
            other.ask(FILTER, cursor).await,
        ];
        let told = |answer: &Answer| (answer.status, answer.refusal());
        match answers.iter().find(|answer| told(answer) != told(&answers[0])) {
            None => refused(&answers[0]),
            Some(other) => Err(format!("{} {}", answers[0].text(), other.text())),
        }
    }
}

fn refused(answer: &Answer) -> Verdicts {
    if (400..500).contains(&answer.status) { Ok(()) } else { Err(answer.text()) }
}

/// The cursor with one bit of its bytes changed, at one of so many places.
fn flipped(cursor: &str, step: usize, count: usize) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    let at = step * bytes.len() / count;
    bytes[at] ^= 1 << (step % 8);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn same_and_other(one: &str, other: &str) -> Verdicts {
    if one == other { Err(format!("twice {one}")) } else { Ok(()) }
}

fn opaque(cursor: &str) -> Verdicts {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    match ["alice", "red", "note", "number", "{"].iter().find(|word| word.len() > 1 && text.contains(**word))
    {
        None => Ok(()),
        Some(word) => Err(format!("it tells {word:?}")),
    }
}
