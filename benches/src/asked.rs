//! An issuer that is asked about tokens, over a socket in the same thread: what waking and sleep cost is the machine's. And the bare
//! exchange with it.

use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Uri};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use palisade::{Introspection, Secret};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::credentials;

/// How long palisade waits for an answer. Nobody may wait without an end, and a timer is not free.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest answer that palisade reads. Nobody may take any.
const LARGEST: usize = 64 * 1024;

/// It answers that every token is active.
fn answering() -> Router {
    let answer = credentials::claims_with("active", true.into());
    Router::new().route("/introspect", post(move |_: Bytes| std::future::ready(Json(answer.clone()))))
}

/// What every reader of an answer looks at (RFC 7662 section 2.2).
#[derive(Deserialize)]
struct Answer {
    active: bool,
    iss: String,
    aud: String,
    sub: String,
    scope: String,
    exp: u64,
}

/// Whether it is an answer about a good token.
fn said(answer: &[u8]) -> bool {
    serde_json::from_slice::<Answer>(answer).is_ok_and(|answer| {
        black_box((answer.iss, answer.aud, answer.sub, answer.scope));
        answer.active && answer.exp > 0
    })
}

/// An issuer, and what whoever asks it works in.
pub(crate) struct Issuer {
    runtime: Runtime,
    address: SocketAddr,
}

impl Issuer {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = crate::current_thread()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(axum::serve(listener, answering()).into_future());
        Ok(Self { runtime, address })
    }

    pub(crate) fn introspection(&self) -> io::Result<Introspection> {
        let secret = Secret::new("a secret".to_owned());
        Introspection::new(&self.url(), "bench", &secret).map_err(io::Error::other)
    }

    fn url(&self) -> String {
        format!("http://{}/introspect", self.address)
    }

    pub(crate) fn waits<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }

    /// The same requests by the client that ours is built on, so many under way at once, each within the same time, and whether
    /// each answer says that the token is good, of whom, and until when.
    pub(crate) fn bare(self: Rc<Self>, tokens: &[String]) -> io::Result<impl FnMut() -> bool + use<>> {
        let uri: Uri = self.url().parse().map_err(io::Error::other)?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = HttpsConnectorBuilder::new().with_provider_and_platform_verifier(provider);
        let connector = connector.map_err(io::Error::other)?.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let form = |token: &String| Bytes::from(format!("token={token}&token_type_hint=access_token"));
        let forms: Vec<_> = tokens.iter().map(form).collect();
        Ok(move || {
            let exchange =
                async |form: &Bytes| timeout(PATIENCE, exchange(&client, &uri, form.clone())).await;
            let answered = self.waits(async { join_all(forms.iter().map(exchange)).await });
            answered.into_iter().all(|answered| answered.is_ok_and(|answered| answered))
        })
    }
}

/// As issuers are asked, by TLS where there is any.
type Calls = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

async fn exchange(client: &Calls, uri: &Uri, form: Bytes) -> bool {
    let request = Request::post(uri.clone())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .header("authorization", "Basic YmVuY2g6YStzZWNyZXQ=")
        .body(Full::new(form));
    let Ok(request) = request else { return false };
    let Ok(answer) = client.request(request).await else { return false };
    Limited::new(answer.into_body(), LARGEST).collect().await.is_ok_and(|body| said(&body.to_bytes()))
}
