//! What documents mean where the letter leaves it open: `nullable` of OpenAPI 3.0 beside a composition, and media types of
//! which one is a range of the other. Over a socket, allowed and refused side by side.
#![deny(warnings)]

use std::net::SocketAddr;

use axum::http::StatusCode;
use palisade::{Caller, Problem};
use palisade_tests::client::Client;
use serde_json::json;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod meant {
    include!(concat!(env!("OUT_DIR"), "/meant.rs"));
}

use meant::*;

struct Service;

impl meant::Api for Service {
    async fn echo(&self, _: Caller<Echo>, input: EchoInput) -> Result<EchoOutput, Problem> {
        Ok(EchoOutput::Ok(input.body))
    }

    async fn answer(&self, _: Caller<Answer>, _: AnswerInput) -> Result<AnswerOutput, Problem> {
        Ok(AnswerOutput::Ok(7))
    }

    async fn status(&self, _: Caller<Status>, input: StatusInput) -> Result<StatusOutput, Problem> {
        let code = StatusCode::from_u16(u16::try_from(input.code).unwrap_or(0)).map_err(Problem::internal)?;
        Ok(match code.is_success() {
            true => StatusOutput::Success(code, input.left.unwrap_or(0)),
            false => StatusOutput::Default(code, "so it is".to_owned()),
        })
    }

    async fn any_first(&self, _: Caller<AnyFirst>, input: AnyFirstInput) -> Result<AnyFirstOutput, Problem> {
        Ok(AnyFirstOutput::Ok(format!("{:?}", input.body)))
    }

    async fn any_last(&self, _: Caller<AnyLast>, input: AnyLastInput) -> Result<AnyLastOutput, Problem> {
        Ok(AnyLastOutput::Ok(format!("{:?}", input.body)))
    }

    async fn range_first(
        &self,
        _: Caller<RangeFirst>,
        input: RangeFirstInput,
    ) -> Result<RangeFirstOutput, Problem> {
        Ok(RangeFirstOutput::Ok(format!("{:?}", input.body)))
    }

    async fn range_last(
        &self,
        _: Caller<RangeLast>,
        input: RangeLastInput,
    ) -> Result<RangeLastOutput, Problem> {
        Ok(RangeLastOutput::Ok(format!("{:?}", input.body)))
    }
}

async fn start() -> Client {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = meant::server(Service).build().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

#[tokio::test]
async fn nullable_beside_a_composition_is_of_the_whole() {
    let client = start().await;
    let post = async |body: &serde_json::Value| client.post("/nulls", &body.to_string()).send().await;
    for (member, value, other) in [
        ("word", json!("a"), json!("c")),
        ("typed_word", json!("a"), json!("c")),
        ("size", json!(3), json!(2)),
        ("point", json!({ "x": 1 }), json!({ "z": 1 })),
        ("both", json!({ "x": 1, "name": "n" }), json!({ "z": 1 })),
        ("either", json!({ "x": 1 }), json!({ "z": 1 })),
        ("judged", json!({ "x": 1 }), json!(1)),
    ] {
        for fitting in [json!({ member: value }), json!({ member: null })] {
            assert_eq!(post(&fitting).await.allowed(200).json(), fitting);
        }
        post(&json!({ member: other })).await.refused(422, "invalid_body");
    }
    for member in ["plain", "listed"] {
        post(&json!({ member: "a" })).await.allowed(200);
        post(&json!({ member: null })).await.refused(422, "invalid_body");
    }
}

#[tokio::test]
async fn a_status_is_answered_by_the_key_that_says_most_about_it() {
    let client = start().await;
    let get = async |code: u16| client.get(&format!("/statuses?code={code}")).send().await;
    for (code, body) in [(201, json!(0)), (299, json!(0)), (302, json!("so it is")), (503, json!("so it is"))]
    {
        assert_eq!(get(code).await.allowed(code).json(), body);
    }
    // one that another key says more about, those without a content, and those that are no answer
    for code in [200, 204, 205, 304, 100, 101, 199] {
        get(code).await.refused(500, "internal");
    }
}

#[tokio::test]
async fn an_empty_value_is_absent_where_it_may_be_empty() {
    let client = start().await;
    for (left, value) in [("&left=7", 7), ("&left=", 0), ("&left", 0), ("", 0)] {
        let reply = client.get(&format!("/statuses?code=201{left}")).send().await;
        assert_eq!(reply.allowed(201).json(), json!(value), "{left}");
    }
    for bad in ["code=&left=1", "code", "code=201&left=x"] {
        client.get(&format!("/statuses?{bad}")).send().await.refused(400, "invalid_parameters");
    }
}

#[tokio::test]
async fn the_most_specific_media_type_applies() {
    let client = start().await;
    let post = async |path: &str, media_type: &str, body: &str| {
        let call = client.call("POST", path).header("content-type", media_type);
        call.body(body).send().await
    };
    for (path, specific, wide) in [
        ("/any-first", "application/json", "application/a+json"),
        ("/any-last", "application/json", "text/json"),
        ("/range-first", "application/a+json", "application/json"),
        ("/range-last", "application/a+json", "application/json"),
    ] {
        post(path, specific, "7").await.allowed(200);
        post(path, specific, "\"word\"").await.refused(422, "invalid_body");
        post(path, wide, "\"word\"").await.allowed(200);
        post(path, wide, "7").await.refused(422, "invalid_body");
    }
    let answer = client.get("/answers").send().await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.allowed(200).json(), json!(7));
}
