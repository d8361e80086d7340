//! What authentication adds to the verification that it contains: steps 6 and 7 of the gate, from the head of a request to
//! the principal, against the bare primitive with everything parsed and decoded before.

use std::collections::HashMap;
use std::hint::black_box;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params, Version};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{constant_time, hmac};
use axum::http::Request;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use palisade::measure::{Authentication, Users, show_certificate};
use palisade::operation::{
    Access, Algorithm, Binding, CertificateRules, Document, ErrorForm, KeyLocation, KeyRules, Need, Scheme,
    SchemeKind, SubjectName, Token, TokenRules,
};
use palisade::{
    ApiKeys, ClientCertificates, Clock, Gate, GateBuilder, JwkSet, Jwt, KeyPeppers, NewKey, Settings,
};
use serde_json::json;

use crate::asked::Issuer;
use crate::signed::{Key, base64};
use crate::vouched::{self, Vouched};
use crate::{cpu, credentials, current_thread, sessions, table, timing, tokens};

static DOCUMENT: Document = Document {
    title: "Bench",
    version: "1",
    hash: "",
    schemes: &[
        Scheme { name: "HS256", kind: SchemeKind::Bearer(plain(&[Algorithm::HS256])) },
        Scheme { name: "ES256", kind: SchemeKind::Bearer(plain(&[Algorithm::ES256])) },
        Scheme { name: "ES384", kind: SchemeKind::Bearer(plain(&[Algorithm::ES384])) },
        Scheme { name: "EdDSA", kind: SchemeKind::Bearer(plain(&[Algorithm::EdDSA])) },
        Scheme { name: "RS256", kind: SchemeKind::Bearer(plain(&[Algorithm::RS256])) },
        Scheme { name: "PS256", kind: SchemeKind::Bearer(plain(&[Algorithm::PS256])) },
        Scheme {
            name: "mtls",
            kind: SchemeKind::Bearer(tokens::rules_for(&[Algorithm::ES256], Binding::Certificate)),
        },
        Scheme {
            name: "dpop",
            kind: SchemeKind::Bearer(tokens::rules_for(&[Algorithm::ES256], Binding::Proof { nonce: false })),
        },
        Scheme {
            name: "asked",
            kind: SchemeKind::Bearer(TokenRules { token: Token::Introspected { cache: None }, ..plain(&[]) }),
        },
        Scheme {
            name: "key",
            kind: SchemeKind::ApiKey(KeyRules {
                location: KeyLocation::Header("X-API-Key"),
                prefix: Some("bench"),
                rotate_within: None,
            }),
        },
        Scheme {
            name: "session",
            kind: SchemeKind::ApiKey(KeyRules {
                location: KeyLocation::Cookie("__Host-session"),
                prefix: None,
                rotate_within: None,
            }),
        },
        Scheme { name: "password", kind: SchemeKind::Basic },
        Scheme {
            name: "certificate",
            kind: SchemeKind::MutualTls(CertificateRules { subject: SubjectName::Uri }),
        },
    ],
    limits: &[],
    errors: ErrorForm::Envelope,
};

const fn plain(algorithms: &'static [Algorithm]) -> TokenRules {
    tokens::rules_for(algorithms, Binding::None)
}

/// Into how many short rounds each round is cut: what the machine does beside meets both sides.
const OFTEN: usize = 10;
/// How many more rounds there are of all.
const MORE: usize = 9;

/// What authentication may add to a verification, in microseconds.
const BUDGET: f64 = 2.0;

/// In a thread of its own, for it waits for what is asked over a socket. It keeps to one core, and the threads that it starts do: what
/// one of two that sleep in turn costs depends on which they are.
pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    let measuring = std::thread::spawn(move || {
        cpu::keep_to_one()?;
        let bench = Bench { rounds: rounds * MORE * OFTEN, calls: calls / OFTEN };
        bench.keys()?;
        bench.passwords()?;
        for key in [Key::hs256(), Key::es256()?, Key::es384()?, Key::eddsa()?, Key::rs256()?, Key::ps256()?] {
            bench.tokens(&key)?;
        }
        bench.behind_another()?;
        bench.bound_to_certificates()?;
        bench.certificates()?;
        bench.proofs()?;
        bench.asked()?;
        bench.sessions()
    });
    measuring.join().map_err(|_| io::Error::other("the measuring thread died"))?
}

struct Bench {
    rounds: usize,
    calls: usize,
}

fn now() -> io::Result<palisade::Now> {
    Clock::system().now().map_err(io::Error::other)
}

impl Bench {
    fn keys(&self) -> io::Result<()> {
        const KEYS: usize = 10_000;
        let pepper = || KeyPeppers::from_list(&format!("bench:{}", STANDARD.encode(credentials::SECRET)));
        let peppers = pepper().map_err(io::Error::other)?;
        let now = now()?;
        let make = || NewKey::generate("bench", "bench", &["items:read"], now, None);
        let made = (0..KEYS).map(|_| Ok(make().map_err(io::Error::other)?.peppered(&peppers)));
        let made = made.collect::<io::Result<Vec<_>>>()?;
        let Some(first) = made.first() else { return Ok(()) };
        let text = first.key.expose().clone(); // shown, as a client does
        let secret = text.rsplit('_').next().and_then(|end| end.get(..43)).unwrap_or_default().to_owned();
        let (id, pepper) = (first.record.id.clone(), hmac::Key::new(hmac::HMAC_SHA256, credentials::SECRET));
        let stored: HashMap<_, _> = made.iter().map(|key| (key.record.id.clone(), key.record.hash)).collect();
        let bare = timing::holds(move || {
            let digest = hmac::sign(&pepper, secret.as_bytes());
            let known = stored.get(&id);
            known.is_some_and(|known| constant_time::verify_slices_are_equal(digest.as_ref(), known).is_ok())
        })?;
        let keys = ApiKeys::new(made.into_iter().map(|key| key.record)).map_err(io::Error::other)?;
        let gate = Gate::builder().api_key("key", keys.peppers(peppers));
        let ours = Self::at_once("key", gate, request("x-api-key", &text)?)?;
        self.print("API key, one of 10,000 / look-up and HMAC", self.calls / 10, bare, ours);
        Ok(())
    }

    /// The weakest hash that there can be, which no server takes: beside the milliseconds of one that it takes nobody sees what is done.
    /// Both are made where they hold up nobody.
    fn passwords(&self) -> io::Result<()> {
        let password = "correct horse battery staple";
        let weakest = Params::new(8, 1, 1, None).map_err(io::Error::other)?;
        let hasher = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, weakest);
        let hash = hasher.hash_password(password.as_bytes()).map_err(io::Error::other)?;
        let passwords = Users::of_any_cost("carol", &hash.to_string(), "items:read");
        let passwords = passwords.ok_or_else(|| io::Error::other("no hash"))?;
        let gate = Gate::builder().basic("password", passwords);
        let shown =
            request("authorization", &format!("Basic {}", STANDARD.encode(format!("carol:{password}"))))?;
        let mut ours = Self::waiting("password", gate, shown)?;
        // that thread is at rest before the next one is shown
        let ours = move || {
            ours();
            std::thread::yield_now();
        };
        let (hash, runtime) = (Arc::new(hash), current_thread()?);
        let bare = timing::holds(move || {
            let hash = Arc::clone(&hash);
            let verify = move || Argon2::default().verify_password(password.as_bytes(), &*hash).is_ok();
            let verified = runtime.block_on(async { tokio::task::spawn_blocking(verify).await });
            std::thread::yield_now();
            verified.unwrap_or(false)
        })?;
        self.print("basic / argon2id, m=8 t=1 p=1, in a thread beside", self.calls / 200, bare, ours);
        Ok(())
    }

    fn tokens(&self, key: &Key) -> io::Result<()> {
        let token = key.token(&credentials::claims())?;
        let bare = timing::holds(key.bare(&token)?)?;
        let gate = Gate::builder().bearer(key.name, jwt(key)?);
        let ours = Self::at_once(key.name, gate, request("authorization", &format!("Bearer {token}"))?)?;
        let calls = if key.name == "HS256" { self.calls / 10 } else { self.calls / 600 };
        self.print(&format!("token, {} / its signature", key.name), calls, bare, ours);
        Ok(())
    }

    fn certificates(&self) -> io::Result<()> {
        let vouched = Vouched::new()?;
        let bare = vouched.bare()?;
        let partners = ClientCertificates::from_pem(&vouched.authority).map_err(io::Error::other)?;
        let partners = partners.grant(vouched::NAME, &["items:read"]).map_err(io::Error::other)?;
        let mut shown = request("accept-language", "en")?;
        show_certificate(&mut shown, vouched.der());
        let ours = Self::at_once("certificate", Gate::builder().mutual_tls("certificate", partners), shown)?;
        self.print("client certificate / the check of its chain", self.calls / 600, bare, ours);
        Ok(())
    }

    fn bound_to_certificates(&self) -> io::Result<()> {
        let (key, der) = (Key::es256()?, b"it is not looked at who vouches for it".to_vec());
        let bound = json!({ "x5t#S256": base64(digest(&SHA256, &der)) });
        let claims = credentials::claims_with("cnf", bound);
        let token = key.token(&claims)?;
        let bare = timing::holds(key.bare(&token)?)?;
        let mut shown = request("authorization", &format!("Bearer {token}"))?;
        show_certificate(&mut shown, der);
        let ours = Self::at_once("mtls", Gate::builder().bearer("mtls", jwt(&key)?), shown)?;
        self.print("token bound to a certificate, ES256 / its signature", self.calls / 600, bare, ours);
        Ok(())
    }

    fn proofs(&self) -> io::Result<()> {
        let (key, client) = (Key::es256()?, Key::es256()?);
        let public = client.public().to_string();
        let bound = json!({ "jkt": base64(digest(&SHA256, public.as_bytes())) });
        let claims = credentials::claims_with("cnf", bound);
        let token = key.token(&claims)?;
        let calls = self.calls / 600;
        // each is good once, and all of them are made before
        let now = now()?;
        let proofs = (0..=self.rounds * timing::calls_made(calls))
            .map(|number| proof(&client, &token, number, now.unix()));
        let proofs = proofs.collect::<io::Result<Vec<_>>>()?;
        let (of_token, mut of_proof, read) =
            (key.bare(&token)?, client.bare_in_turn(&proofs)?, client.read());
        let hashed = token.clone();
        // the thumbprint of its key, and `ath`
        let digests = move || [&public, &hashed].map(|text| digest(&SHA256, text.as_bytes()));
        let bare = timing::holds(move || {
            black_box(digests());
            of_token() && read() && of_proof()
        })?;
        let settings = Settings::new().proof_capacity(64 * proofs.len());
        let settings = settings.public_origin("https://api.example.com").map_err(io::Error::other)?;
        let gate = Gate::builder().bearer("dpop", jwt(&key)?).settings(settings);
        // the rest of the request was just read, and is where the last one was
        let mut shown = request("authorization", &format!("DPoP {token}"))?;
        let (door, mut proofs) = (door("dpop", gate)?, proofs.into_iter());
        let ours = timing::holds(move || {
            let Some(proof) = proofs.next().and_then(|proof| proof.try_into().ok()) else { return false };
            shown.headers.insert("dpop", proof);
            door.accept_at_once(&shown, now)
        })?;
        // it contains two verifications
        let mut ratios = timing::compare(self.rounds, calls.max(1), bare, ours);
        let what = "token with a proof, ES256 / two signatures, its key, digests";
        table::added(what, &mut ratios, 2.0 * BUDGET);
        Ok(())
    }

    /// One exchange after the other, and as many together as a server has under way.
    fn asked(&self) -> io::Result<()> {
        for (together, what) in [
            (1, "token that its issuer is asked about / the exchange, read"),
            (32, "32 tokens together that their issuer is asked about / the exchanges"),
        ] {
            let tokens: Vec<_> = (0..together).map(|number| format!("0123456789abcdef{number:02}")).collect();
            let issuer = Rc::new(Issuer::start()?);
            let bare = timing::holds(Rc::clone(&issuer).bare(&tokens)?)?;
            let gate = Gate::builder().introspection("asked", issuer.introspection()?);
            let (door, now) = (door("asked", gate)?, now()?);
            let shown = tokens.iter().map(|token| request("authorization", &format!("Bearer {token}")));
            let shown = shown.collect::<io::Result<Vec<_>>>()?;
            let ours = timing::holds(move || {
                let asked = join_all(shown.iter().map(|shown| door.accept(shown, now)));
                issuer.waits(asked).into_iter().all(|accepted| accepted)
            })?;
            let calls = (self.calls / 600 / together).max(2);
            let mut ratios = timing::compare(self.rounds, calls, bare, ours).each(together);
            table::added(what, &mut ratios, BUDGET);
        }
        Ok(())
    }

    fn sessions(&self) -> io::Result<()> {
        let runtime = current_thread()?;
        let (login, cookie) = runtime.block_on(sessions::begun())?;
        let bare = timing::holds(sessions::bare()?)?;
        let gate = Gate::builder().api_key("session", login);
        let ours = Self::at_once("session", gate, request("cookie", &cookie)?)?;
        self.print("session / two look-ups and its decryption", self.calls / 10, bare, ours);
        Ok(())
    }

    /// What of the rows of signatures is not ours: a short check that always follows a long one finds its code and data in slower
    /// memory than one that follows itself.
    fn behind_another(&self) -> io::Result<()> {
        let (long, key) = (Key::es256()?, Key::hs256());
        let token = key.token(&credentials::claims())?;
        let another = long.bare(&long.token(&credentials::claims())?)?;
        let another = Rc::new(another);
        let (first, own) = (Rc::clone(&another), key.bare(&token)?);
        let bare = timing::holds(move || first() && own())?;
        let gate = Gate::builder().bearer(key.name, jwt(&key)?);
        let (door, now) = (door(key.name, gate)?, now()?);
        let shown = request("authorization", &format!("Bearer {token}"))?;
        let ours = timing::holds(move || another() && door.accept_at_once(&shown, now))?;
        self.print(
            "token, HS256, behind a signature of ES256 / both signatures",
            self.calls / 600,
            bare,
            ours,
        );
        Ok(())
    }

    fn at_once(scheme: &'static str, gate: GateBuilder, shown: Parts) -> io::Result<impl FnMut() + use<>> {
        // what was made before is not from the future
        let (door, now) = (door(scheme, gate)?, now()?);
        timing::holds(move || door.accept_at_once(&shown, now))
    }

    fn waiting(scheme: &'static str, gate: GateBuilder, shown: Parts) -> io::Result<impl FnMut() + use<>> {
        let (door, now) = (door(scheme, gate)?, now()?);
        let runtime = current_thread()?;
        timing::holds(move || runtime.block_on(door.accept(&shown, now)))
    }

    fn print(&self, what: &str, calls: usize, bare: impl FnMut(), ours: impl FnMut()) {
        table::added(what, &mut timing::compare(self.rounds, calls.max(1), bare, ours), BUDGET);
    }
}

/// Steps 6 and 7 for an operation that takes this scheme alone.
fn door(scheme: &'static str, gate: GateBuilder) -> io::Result<Authentication> {
    let needs: &'static [Need] = Vec::leak(vec![Need { scheme, scopes: &["items:read"] }]);
    let access = Box::leak(Box::new(Access::Any(Vec::leak(vec![needs]))));
    Authentication::new(gate, &DOCUMENT, access).map_err(io::Error::other)
}

fn jwt(key: &Key) -> io::Result<Jwt> {
    JwkSet::from_json(&key.jwk().to_string()).map(Jwt::new).map_err(io::Error::other)
}

/// The head of a request.
fn request(name: &str, value: &str) -> io::Result<Parts> {
    let request = Request::get("/items/1").header("host", "bench").header("user-agent", "bench");
    let request = request.header("accept", "*/*").header(name, value).body(());
    Ok(request.map_err(io::Error::other)?.into_parts().0)
}

/// A proof for this token and the request of [`request`].
fn proof(client: &Key, token: &str, number: usize, iat: u64) -> io::Result<String> {
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": client.public() });
    let claims = json!({
        "htm": "GET", "htu": "https://api.example.com/items/1", "iat": iat,
        "jti": number.to_string(), "ath": base64(digest(&SHA256, token.as_bytes())),
    });
    client.sign(&header, &claims)
}
