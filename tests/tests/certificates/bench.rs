//! A server with sealed doors, and what clients connect with.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use palisade::{Caller, ClientCertificates, JwkSet, Jwt, Problem, Settings, Tls};
pub use palisade_tests::authority::connector;
use palisade_tests::authority::{Authority, Identity};
use palisade_tests::client::Reply;
use palisade_tests::tokens::{ISSUER, Signer, claims, header};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::api::*;

pub const ALICE: &str = "spiffe://bank.example/alice";

pub struct Service;

pub fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.identity().expect("somebody").subject().to_owned()
}

impl Doors for Service {
    async fn by_certificate(
        &self,
        caller: Caller<ByCertificate>,
        _: ByCertificateInput,
    ) -> Result<ByCertificateOutput, Problem> {
        Ok(ByCertificateOutput::Ok(who(&caller)))
    }

    async fn by_grant(&self, caller: Caller<ByGrant>, _: ByGrantInput) -> Result<ByGrantOutput, Problem> {
        Ok(ByGrantOutput::Ok(who(&caller)))
    }

    async fn by_bound_token(
        &self,
        caller: Caller<ByBoundToken>,
        _: ByBoundTokenInput,
    ) -> Result<ByBoundTokenOutput, Problem> {
        Ok(ByBoundTokenOutput::Ok(who(&caller)))
    }

    async fn by_either(&self, caller: Caller<ByEither>, _: ByEitherInput) -> Result<ByEitherOutput, Problem> {
        Ok(ByEitherOutput::Ok(who(&caller)))
    }

    async fn by_both(&self, caller: Caller<ByBoth>, _: ByBothInput) -> Result<ByBothOutput, Problem> {
        Ok(ByBothOutput::Ok(who(&caller)))
    }
}

/// A running server.
pub struct Sealed {
    pub address: SocketAddr,
    pub authority: Authority,
    pub signer: Signer,
    pub certificates: ClientCertificates,
}

impl Sealed {
    pub async fn start() -> Self {
        Self::with(|certificates| certificates).await
    }

    pub async fn with(change: impl FnOnce(ClientCertificates) -> ClientCertificates) -> Self {
        let authority = Authority::default();
        let certificates = ClientCertificates::from_pem(&authority.pem).unwrap();
        Self::run(authority, change(certificates), Settings::new(), true).await
    }

    pub async fn run(
        authority: Authority,
        certificates: ClientCertificates,
        settings: Settings,
        tls: bool,
    ) -> Self {
        let signer = Signer::new("k1");
        let jwt = || Jwt::new(JwkSet::from_json(signer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
        let server = server(Service)
            .machine(certificates.clone())
            .oauth(jwt())
            .plain(jwt())
            .settings(settings)
            .build()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (chain, key) = authority.server("localhost");
        let serve = palisade::serve(server).listener(listener);
        let serve = if tls { serve.tls(Tls::from_pem(&chain, &key).unwrap()) } else { serve };
        tokio::spawn(async move { serve.await.unwrap() });
        Self { address, authority, signer, certificates }
    }

    pub async fn get(&self, path: &str, identity: Option<&Identity>, headers: &[(&str, &str)]) -> Reply {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.get_over(stream, path, identity, headers).await
    }

    pub async fn get_over(
        &self,
        stream: TcpStream,
        path: &str,
        identity: Option<&Identity>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector(&self.authority.pem, identity).connect(name, stream).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = http::Request::get(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        Reply { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub fn token(&self, cnf: Value) -> String {
        let mut claims = claims("alice", "");
        if !cnf.is_null() {
            claims["cnf"] = cnf;
        }
        format!("Bearer {}", self.signer.sign(&header("k1"), &claims))
    }
}
