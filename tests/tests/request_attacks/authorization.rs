//! Who may do what, for every operation of the document.

use std::time::Duration;

use palisade_tests::attacks::keys::ALGORITHMS;
use palisade_tests::attacks::proof::Prover;
use palisade_tests::attacks::raw::{Request, exchange};
use palisade_tests::attacks::{Fortress, NOTE, claims};
use palisade_tests::tokens::now;

use crate::Verdicts;
use crate::body::good;
use crate::request::SCOPES;

const DOCUMENT: &str = include_str!("../../specs/attacks.yaml");

pub async fn run(fortress: &Fortress, procedure: &str) -> Verdicts {
    match procedure {
        "pipeline_no_auth" => pipelined(fortress).await,
        "existence_oracle" => existence(fortress).await,
        "tenant" => tenant(fortress).await,
        "matrix_none" => protected(fortress, false).await,
        "matrix_valid" => protected(fortress, true).await,
        "matrix_public" => public(fortress).await,
        other => panic!("what is the procedure {other:?}?"),
    }
}

/// Each operation that asks for a credential, with the headers of one that is good.
fn operations(fortress: &Fortress) -> Vec<(Request, Vec<(&'static str, String)>)> {
    let bearer = |token: String| vec![("Authorization", format!("Bearer {token}"))];
    let client = Prover::new(fortress.key("ES256"), SCOPES);
    let id = format!("{:?}", std::time::SystemTime::now()); // none is good twice
    let proven =
        vec![("Authorization", format!("DPoP {}", client.token)), ("DPoP", client.proof("/proven", &id))];
    let alice = || bearer(fortress.token("alice", SCOPES));
    let mut all = vec![
        (Request::get("/session"), vec![("Cookie", format!("sid={}", fortress.session))]),
        (Request::get("/proven"), proven),
        (Request::get("/door"), alice()),
        (Request::get("/notes"), alice()),
        (Request::new("POST", "/notes").json(good().as_bytes()), alice()),
        (Request::get(format!("/notes/{NOTE}")), alice()),
        (Request::get(format!("/notes/{NOTE}/count")), alice()),
    ];
    for algorithm in ALGORITHMS {
        for (door, typ) in [("any", "JWT"), ("at", "at+jwt")] {
            let token = fortress.sign(algorithm, typ, &claims("alice", SCOPES, now()));
            all.push((Request::get(format!("/{door}/{}", algorithm.to_lowercase())), bearer(token)));
        }
    }
    let count = DOCUMENT.matches("operationId:").count();
    assert_eq!(all.len() + 1, count, "every operation, and one that is public");
    all
}

async fn protected(fortress: &Fortress, with_token: bool) -> Verdicts {
    for (mut request, credential) in operations(fortress) {
        for (name, value) in credential.into_iter().filter(|_| with_token) {
            request = request.header(name, value);
        }
        let answer = request.send(fortress.address).await;
        let right = if with_token { answer.is_success() } else { answer.status == 401 };
        if !right {
            return Err(format!("{} {}: {}", request.method, request.target, answer.text()));
        }
    }
    Ok(())
}

async fn public(fortress: &Fortress) -> Verdicts {
    let answer = Request::get("/status").send(fortress.address).await;
    if answer.is_success() { Ok(()) } else { Err(answer.text()) }
}

/// What one request showed is not shown by the next.
async fn pipelined(fortress: &Fortress) -> Verdicts {
    let request = Request::get(format!("/notes/{NOTE}"));
    let first = request.clone().token(&fortress.token("alice", SCOPES)).header("Connection", "keep-alive");
    let bytes = [first.bytes(), request.bytes()].concat();
    let exchange = exchange(fortress.address, &bytes, Duration::from_secs(5)).await;
    let statuses: Vec<_> = exchange.answers.iter().map(|answer| answer.status).collect();
    if statuses == [200, 401] { Ok(()) } else { Err(format!("{statuses:?}")) }
}

/// An object that is another's and one that does not exist are answered alike.
async fn existence(fortress: &Fortress) -> Verdicts {
    let bob = fortress.token("bob", SCOPES);
    let get = |note: &str| Request::get(format!("/notes/{note}")).token(&bob).send(fortress.address);
    let (foreign, unknown) = (get(NOTE).await, get("00000000-0000-0000-0000-000000000000").await);
    let names = |answer: &palisade_tests::attacks::raw::Answer| {
        answer.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let alike = foreign.status == 404
        && unknown.status == 404
        && foreign.refusal() == unknown.refusal()
        && names(&foreign) == names(&unknown);
    if alike { Ok(()) } else { Err(format!("{} {}", foreign.text(), unknown.text())) }
}

async fn tenant(fortress: &Fortress) -> Verdicts {
    let get = |user: &str| {
        Request::get(format!("/notes/{NOTE}")).token(&fortress.token(user, SCOPES)).send(fortress.address)
    };
    let (owner, other) = (get("alice").await, get("bob").await);
    match (owner.status, other.status) {
        (200, 403 | 404) => Ok(()),
        statuses => Err(format!("{statuses:?}")),
    }
}
