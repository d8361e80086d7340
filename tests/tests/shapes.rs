//! Schemas that stay JSON, and members of one direction, over a socket: what their documents say is what the servers do.

use std::net::SocketAddr;

use palisade::{Caller, Problem};
use palisade_tests::client::Client;

#[rustfmt::skip]
#[allow(missing_docs, reason = "as it is generated")]
mod shapes {
    include!("../golden/shapes.rs");
}

#[rustfmt::skip]
#[allow(missing_docs, reason = "as it is generated")]
mod directions {
    include!("../golden/directions.rs");
}

struct Service;

impl shapes::Api for Service {
    async fn put_shapes(
        &self,
        _: Caller<shapes::PutShapes>,
        _: shapes::PutShapesInput,
    ) -> Result<shapes::PutShapesOutput, Problem> {
        Ok(shapes::PutShapesOutput::NoContent)
    }
}

impl directions::Api for Service {
    async fn add_user(
        &self,
        _: Caller<directions::AddUser>,
        input: directions::AddUserInput,
    ) -> Result<directions::AddUserOutput, Problem> {
        Ok(directions::AddUserOutput::Created(directions::User { id: 7, name: input.body.name }))
    }
}

async fn start(server: palisade::Server) -> Client {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

#[tokio::test]
async fn every_keyword_is_checked_over_json() {
    let client = start(shapes::server(Service).build().unwrap()).await;
    let put = async |body: &str| {
        let call = client.call("PUT", "/shapes").header("content-type", "application/json");
        call.body(body).send().await
    };
    for body in [r#"{"rule":"a!"}"#, r#"{"rule":null}"#, r#"{"rule":1}"#, r#"{"rule":true,"number":1.50}"#] {
        assert_eq!(put(body).await.status, 204, "{body}");
    }
    for (body, violations) in [
        (r#"{"rule":"a"}"#, vec!["body /rule pattern"]),
        (r#"{"rule":""}"#, vec!["body /rule minLength", "body /rule pattern"]),
        (r#"{"rule":[]}"#, vec!["body /rule not"]),
        (r#"{"rule":1,"number":1}"#, vec!["body /number enum"]),
        ("{}", vec!["body /rule required"]),
    ] {
        let reply = put(body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), violations, "{body}");
    }
}

#[tokio::test]
async fn what_is_read_only_is_refused_and_what_is_write_only_does_not_leave() {
    let client = start(directions::server(Service).build().unwrap()).await;
    let reply = client.post("/users", r#"{"name":"Ada","secret":"s"}"#).send().await;
    reply.allowed(201);
    assert_eq!(reply.json(), serde_json::json!({ "id": 7, "name": "Ada" }));
    let reply = client.post("/users", r#"{"id":1,"name":"Ada","secret":"s"}"#).send().await;
    reply.refused(422, "invalid_body");
}
