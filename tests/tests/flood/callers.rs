//! A flood over all steps of the gate, in one thread without sockets, so that its heap can be counted: whoever comes, and by
//! whatever credentials, is remembered in what was there from the start.

use std::net::{Ipv6Addr, SocketAddr};

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use palisade::cursor::CursorKeys;
use palisade::{ApiKeys, Clock, NewKey, Server, Settings};
use palisade_tests::gate::{Service, complete};
use palisade_tests::tokens::{Signer, claims, header};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower_service::Service as _;

/// Each is another network and another caller.
const CALLERS: u32 = 3_000;
/// Less than three bytes of each caller of the second half.
const LITTLE: i64 = 4 * 1024;

struct Bench {
    runtime: Runtime,
    server: Server,
    signer: Signer,
}

impl Bench {
    /// Behind this machine as a proxy, which tells where each request comes from.
    fn start() -> Self {
        let signer = Signer::new("k1");
        let settings = Settings::new().trusted_proxies(["127.0.0.1"]).unwrap().limiter_capacity(4096);
        let (keys, cursors) = (ApiKeys::new([]).unwrap(), CursorKeys::generate().unwrap());
        let server = complete(Service::default(), &signer, &keys, settings, cursors);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, server, signer }
    }

    fn get(&self, path: &str, caller: u32, credential: Option<(&str, String)>) -> (StatusCode, Value) {
        let from = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(caller) << 80) | 1);
        let request = Request::get(path)
            .header("host", "test")
            .header("x-forwarded-for", from.to_string())
            .header("x-forwarded-proto", "https")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        let request =
            credential.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.runtime.block_on(async {
            let response = self.server.clone().call(request.body(Body::empty()).unwrap()).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            (parts.status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    /// What one caller does.
    fn visit(&self, caller: u32) {
        let bearer = |token: String| Some(("authorization", format!("Bearer {token}")));
        assert_eq!(self.get("/open", caller, None).0, 204);
        assert_eq!(self.get(&format!("/nothing/{caller}"), caller, None).0, 404);
        // keys that nobody has, and tokens of keys that nobody published
        let now = Clock::system().now().unwrap();
        let key = NewKey::generate("gate_test", "nobody", &[], now, None).unwrap().key;
        assert_eq!(self.get("/key", caller, Some(("x-api-key", key.expose().clone()))).0, 401);
        let subject = format!("subject {caller}");
        let forged = self.signer.sign(&header(&format!("k{caller} of nobody")), &claims(&subject, ""));
        assert_eq!(self.get("/token", caller, bearer(forged)).0, 401);
        // and somebody new, who begins to walk a list
        let token = bearer(self.signer.token(&subject, "notes:read"));
        let (status, page) = self.get("/notes?limit=1", caller, token.clone());
        assert_eq!(status, 200);
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(self.get(&format!("/notes?limit=1&after={cursor}"), caller, token).0, 200);
        assert_eq!(self.get(&format!("/notes?after={cursor}x"), caller, None).0, 401);
    }
}

#[test]
fn a_flood_of_callers_takes_no_more_memory() {
    let bench = Bench::start();
    (0..CALLERS / 2).for_each(|caller| bench.visit(caller));
    let second =
        allocation_counter::measure(|| (CALLERS / 2..CALLERS).for_each(|caller| bench.visit(caller)));
    let bytes = second.bytes_current;
    assert!(second.bytes_total > 1 << 20 && bytes < LITTLE, "{bytes} of {} stayed", second.bytes_total);
}
