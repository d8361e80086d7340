//! What a server says of itself while an issuer that it asks does not answer.

use futures_util::future::join_all;
use palisade_tests::tokens::{Signer, claims, header};
use palisade_tests::waiting::until;
use serde_json::json;

use super::bench::{Answer, Bench, alice};

const READY: &str = r#"{"status":"ready"}"#;

impl Bench {
    async fn says_of_itself(&self) -> String {
        let reply = self.itself.get("/readyz").send().await;
        String::from_utf8(reply.allowed(200).body.to_vec()).unwrap()
    }

    /// What was found is told again for a second.
    async fn comes_to_say(&self, said: &str) {
        until(async || self.says_of_itself().await == said).await;
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_again_are_told_of_while_they_serve() {
    let bench = Bench::start().await;
    bench.comes_to_say(READY).await;
    let signed = |signer: &Signer, kid: &str| {
        let mut claims = claims("alice", "");
        claims["iss"] = json!(bench.base);
        signer.sign(&header(kid), &claims)
    };
    let (known, new) = (signed(&bench.signer, "k1"), signed(&Signer::new("k2"), "k2"));
    let published = std::mem::replace(&mut *bench.issuer.keys.lock().unwrap(), "the disk is full".to_owned());
    bench.get("/signed", &new).await.refused(503, "unavailable");
    bench.get("/signed", &known).await.allowed(200);
    bench.comes_to_say(r#"{"degraded":["signed"],"status":"degraded"}"#).await;
    *bench.issuer.keys.lock().unwrap() = published;
    bench.get("/signed", &new).await.refused(401, "unauthenticated");
    bench.comes_to_say(READY).await;
}

#[tokio::test]
async fn an_issuer_that_is_left_alone_is_told_of_until_it_answers() {
    let bench = Bench::start().await;
    bench.issuer.says("good", alice());
    bench.issuer.sends("slow", Answer::Hangs);
    bench.comes_to_say(READY).await;
    for reply in join_all((0..5).map(|_| bench.get("/opaque", "slow"))).await {
        reply.refused(503, "unavailable");
    }
    bench.comes_to_say(r#"{"degraded":["opaque"],"status":"degraded"}"#).await;
    until(async || bench.get("/opaque", "good").await.status == 200).await;
    bench.comes_to_say(READY).await;
}
