//! Ways around a limit: three an hour for each principal.

use std::time::Duration;

use palisade::{Clock, Settings};
use palisade_tests::attacks::raw::{Answer, Request};
use palisade_tests::attacks::{Fortress, NOTE, claims};
use palisade_tests::tokens::now;

use crate::Verdicts;
use crate::recipe::Recipe;
use crate::request::SCOPES;

const BURST: usize = 3;

pub async fn run(fortress: &Fortress, recipe: &Recipe, procedure: &str) -> Verdicts {
    if procedure == "rl_recover" {
        return recover(fortress).await;
    }
    if procedure == "rl_auth_failures" {
        return failures(fortress).await;
    }
    // a user for each recipe, so that each has a bucket of its own
    let user = format!("user of {}", recipe.id);
    let spent = Spent::new(fortress, &user).await?;
    match procedure {
        "rl_header" => {
            let header = recipe.header.as_deref().expect("a header");
            for n in 0..BURST {
                let request = spent.request().header(header, format!("203.0.113.{n}"));
                limited(&request.send(fortress.address).await)?;
            }
            Ok(())
        }
        "rl_other_user" => {
            let other = count(NOTE).token(&fortress.token(&format!("another {user}"), SCOPES));
            served(&other.send(fortress.address).await)
        }
        "rl_head" => {
            let head = Request { method: "HEAD".to_owned(), ..spent.request() };
            not_served(&head.send(fortress.address).await)
        }
        "rl_path" => {
            spent.variants(&["/notes/{note}/count/", "//notes/{note}/count", "/notes/{note}//count"]).await
        }
        "rl_path_enc" => {
            spent.variants(&["/%6eotes/{note}/count", "/notes/{note}/c%6funt", "/notes%2f{note}/count"]).await
        }
        "rl_path_case" => spent.variants(&["/NOTES/{note}/count", "/notes/{note}/Count"]).await,
        "rl_path_param" => {
            for other in ["00000000-0000-0000-0000-000000000001", "0193A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B"] {
                let request = count(other).token(&spent.token);
                limited(&request.send(fortress.address).await)?;
            }
            Ok(())
        }
        "rl_query" => spent.variants(&["/notes/{note}/count?", "/notes/{note}/count?x=1"]).await,
        "rl_new_token" => {
            let again = count(NOTE).token(&fortress.token(&user, "notes:read"));
            limited(&again.send(fortress.address).await)
        }
        "rl_sub_case" => sub_case(&spent, &user).await,
        other => panic!("what is the procedure {other:?}?"),
    }
}

fn count(note: &str) -> Request {
    Request::get(format!("/notes/{note}/count"))
}

/// A user who has used up the limit.
struct Spent<'a> {
    fortress: &'a Fortress,
    token: String,
}

impl<'a> Spent<'a> {
    async fn new(fortress: &'a Fortress, user: &str) -> Result<Self, String> {
        let spent = Self { fortress, token: fortress.token(user, SCOPES) };
        for _ in 0..BURST {
            served(&spent.request().send(fortress.address).await)?;
        }
        limited(&spent.request().send(fortress.address).await)?;
        Ok(spent)
    }

    fn request(&self) -> Request {
        count(NOTE).token(&self.token)
    }

    /// Another way to write the path is another path, or the same limit.
    async fn variants(&self, templates: &[&str]) -> Verdicts {
        for template in templates {
            let request = Request::get(template.replace("{note}", NOTE)).token(&self.token);
            not_served(&request.send(self.fortress.address).await)?;
        }
        Ok(())
    }
}

/// The handler was reached, or would have been if the note were this user's: the limit comes before the object.
fn served(answer: &Answer) -> Verdicts {
    if matches!(answer.status, 204 | 404) { Ok(()) } else { Err(answer.text()) }
}

fn limited(answer: &Answer) -> Verdicts {
    let told = answer.header("retry-after").parse().is_ok_and(|seconds: u64| seconds >= 1);
    if answer.status == 429 && told { Ok(()) } else { Err(answer.text()) }
}

/// Nothing was done for who asked, whatever the reason.
fn not_served(answer: &Answer) -> Verdicts {
    if matches!(answer.status, 404 | 405 | 429) { Ok(()) } else { Err(answer.text()) }
}

/// RFC 7519 section 4.1.2: a subject is case-sensitive, so one in other letters is somebody else, of whom the issuer must
/// have signed a token. Who changes the letters of a token has none.
async fn sub_case(spent: &Spent<'_>, user: &str) -> Verdicts {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let parts: Vec<_> = spent.token.split('.').collect();
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let changed = payload.replace(user, &user.to_uppercase());
    assert_ne!(changed, payload);
    let token = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(changed), parts[2]);
    let answer = count(NOTE).token(&token).send(spent.fortress.address).await;
    match answer.status {
        401 => limited(&spent.request().send(spent.fortress.address).await),
        _ => Err(answer.text()),
    }
}

/// After as long as it was told to wait, the client is served; not before.
async fn recover(fortress: &Fortress) -> Verdicts {
    let clock = Clock::fixed(now());
    let other = Fortress::with(fortress.keys.clone(), Settings::new().clock(clock.clone())).await;
    let spent = Spent::new(&other, "patient").await?;
    let told = spent.request().send(other.address).await;
    let wait: u64 = told.header("retry-after").parse().map_err(|_| told.text())?;
    clock.advance(Duration::from_secs(wait));
    let token = other.sign("ES256", "JWT", &claims("patient", SCOPES, now() + wait));
    let again = || count(NOTE).token(&token).send(other.address);
    served(&again().await)?;
    limited(&again().await)
}

/// Whoever shows bad tokens is limited by address.
async fn failures(fortress: &Fortress) -> Verdicts {
    let other = Fortress::with(fortress.keys.clone(), Settings::new()).await;
    for _ in 0..20 {
        let answer = Request::get("/door").token("bad").send(other.address).await;
        if answer.status != 401 {
            return Err(answer.text());
        }
    }
    limited(&Request::get("/door").token("bad").send(other.address).await)
}
