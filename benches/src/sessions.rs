//! A session of a browser: its provider in a process of its own, a login by it, and the bare look-up.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, header};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use palisade::{Login, State, login::LoginKeys};
use serde_json::json;
use tower_service::Service;

use crate::credentials;
use crate::requests::Server;
use crate::signed::Key;

const OURS: &str = "http://127.0.0.1:1/callback";

/// A provider whose codes are the nonces of their logins.
pub(crate) async fn serve() -> io::Result<()> {
    let (listener, key) = (crate::listener().await?, Arc::new(Key::es256()?));
    let issuer = format!("http://{}", listener.local_addr()?);
    let published = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    let keys = json!({ "keys": [key.jwk()] });
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(move || std::future::ready(Json(published.clone()))))
        .route("/jwks", get(move || std::future::ready(Json(keys.clone()))))
        .route("/token", post(move |form| std::future::ready(redeemed(&issuer, &key, &form))));
    axum::serve(listener, app).await
}

fn redeemed(issuer: &str, key: &Key, Form(sent): &Form<HashMap<String, String>>) -> Json<serde_json::Value> {
    let mut claims = credentials::claims_with("nonce", sent.get("code").cloned().unwrap_or_default().into());
    if let Some(claims) = claims.as_object_mut() {
        claims.insert("iss".to_owned(), issuer.into());
    }
    let header = json!({ "alg": key.name, "kid": "bench" });
    Json(json!({
        "access_token": "0123456789abcdef", "token_type": "Bearer", "expires_in": 3600, "scope": "openid items:read",
        "id_token": key.sign(&header, &claims).unwrap_or_default(),
    }))
}

/// A login by that provider, and the cookie of the session that came of it.
pub(crate) async fn begun() -> io::Result<(Login, String)> {
    let provider = Server::start("provider", std::path::Path::new(""))?;
    let keys = LoginKeys::generate().map_err(io::Error::other)?;
    let issuer = format!("http://{}", provider.address);
    let login = Login::builder(&issuer, "bench", OURS, State::memory(), keys).scopes(&["items:read"]);
    let login = login.open().await.map_err(io::Error::other)?;
    let mut router = login.router();
    let sent = visit(&mut router, "/login", "").await?;
    let to = sent.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    let said = |name| to.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
    let back = format!("/callback?code={}&state={}", said("nonce="), said("state="));
    let returned = visit(&mut router, &back, &cookie(&sent, "__Host-login")?).await?;
    Ok((login, cookie(&returned, "__Host-session")?))
}

async fn visit(router: &mut Router, to: &str, cookie: &str) -> io::Result<Response<Body>> {
    let request = Request::get(to).header(header::COOKIE, cookie);
    let request = request.extension(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))));
    let request = request.body(Body::empty()).map_err(io::Error::other)?;
    router.call(request).await.map_err(io::Error::other)
}

/// What is set under this name, as the browser sends it.
fn cookie(answer: &Response<Body>, name: &str) -> io::Result<String> {
    let set = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|set| set.to_str().ok());
    let set = set.filter_map(|set| set.split(';').next()).find(|set| set.starts_with(name));
    set.map(str::to_owned).ok_or_else(|| io::Error::other("the login did not succeed"))
}

/// The digest of an id, the look-up of what is kept under it, whether its subject has ended all, and the decryption of half a
/// kilobyte.
pub(crate) fn bare() -> io::Result<impl FnMut() -> bool> {
    let named = |what: &'static [u8]| digest(&SHA256, what).as_ref().to_vec();
    let key = UnboundKey::new(&AES_256_GCM_SIV, credentials::SECRET).map_err(io::Error::other)?;
    let (key, nonce) = (LessSafeKey::new(key), || Nonce::assume_unique_for_key([7; NONCE_LEN]));
    let mut sealed = vec![b'x'; 512];
    let about = named(b"session");
    key.seal_in_place_append_tag(nonce(), Aad::from(&about), &mut sealed).map_err(io::Error::other)?;
    let stored = HashMap::from([(about, sealed)]);
    Ok(move || {
        let (about, subject) = (named(b"session"), named(b"subject"));
        let Some(mut record) = stored.get(&about).cloned() else { return false };
        key.open_in_place(nonce(), Aad::from(&about), &mut record).is_ok() && !stored.contains_key(&subject)
    })
}
