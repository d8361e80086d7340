//! The provider: what it says of itself, and what is asked of it (RFC 6749 section 4.1, RFC 7636, OpenID Connect Core 3.1).
//!
//! Rules:
//! 1. its metadata are read as [`discovery`](crate::authn::jwt::discovery) says; its endpoints are over TLS where it is itself;
//! 2. a provider that lists its ways of PKCE without `S256` is none that we use (RFC 9700 section 2.1.1);
//! 3. it is called as [`outbound`](crate::outbound) calls, five seconds for an exchange, 64 KiB, at most 64 at a time, more are
//!    refused; an answer is strict JSON that names nothing twice;
//! 4. what the provider says stays in the log: a browser learns only that it did not succeed;
//! 5. an access token of another type than `Bearer` is none: nobody here knows how to show it (RFC 6749 section 7.1, OpenID Connect
//!    Core section 3.1.3.3).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::builder::Checked;
use super::callback::known;
use super::error::{Fault, LoginError};
use super::pending::Pending;
use crate::authn::Jwks;
use crate::authn::jwt::discovery::{Discovery, Form};
use crate::authn::jwt::id_token::{Asked, BadIdToken, IdTokens, Identified};
use crate::authn::jwt::json;
use crate::authn::jwt::logout_token::LoggedOut;
use crate::clock::Now;
use crate::outbound::{Address, Bounds, Outbound, Reach};

const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST: usize = 64 * 1024;
const CALLS: usize = 64;
/// Why an answer is no good by rule 5.
pub(super) const UNKNOWN_TYPE: &str = "unknown_token_type";

type Client = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;
type Answer = StandardTokenResponse<WithIdToken, BasicTokenType>;

/// What OpenID Connect adds to the answer of a token endpoint (Core section 3.1.3.3).
#[derive(Serialize, Deserialize)]
struct WithIdToken {
    id_token: Option<String>,
}

impl oauth2::ExtraTokenFields for WithIdToken {}

// the trait asks for it; a token is shown by nothing
impl fmt::Debug for WithIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithIdToken")
    }
}

pub(super) struct Provider {
    issuer: Arc<str>,
    client: Client,
    scopes: Vec<Scope>,
    ids: IdTokens,
    outbound: Outbound,
    /// Where its token endpoint may be.
    reach: Reach,
    calls: Semaphore,
    names_itself: bool,
    ends_sessions_at: Option<oauth2::url::Url>,
}

/// What a login or a renewal brought.
pub(super) struct Tokens {
    pub(super) access: Zeroizing<String>,
    pub(super) refresh: Option<Zeroizing<String>>,
    /// Seconds for which the access token is good, where the provider says.
    pub(super) expires_in: Option<u64>,
    /// As granted: what was asked for where the provider does not say (RFC 6749 section 5.1).
    pub(super) scopes: Option<String>,
}

/// What a refresh token was given for.
pub(super) enum Renewed {
    Tokens(Tokens),
    /// An access token that is none (rule 5), and the refresh token beside it: the one of before is spent.
    Unshowable(Option<Zeroizing<String>>),
}

/// What is read of the metadata, beside what every issuer is asked for (Discovery section 3, RFC 9207 section 3,
/// RP-Initiated Logout section 2.1).
#[derive(Deserialize)]
struct Published {
    authorization_endpoint: String,
    token_endpoint: String,
    end_session_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// Asks the provider what it is, and fetches its keys.
    pub(super) async fn meet(checked: &Checked) -> Result<Self, LoginError> {
        let issuer = &*checked.issuer;
        let outbound =
            Outbound::new(8).map_err(|_| LoginError::Provider("the machine has no root certificates"))?;
        let discovery = Discovery::new(issuer, Form::OpenId).map_err(LoginError::Keys)?;
        let bounds = Bounds { until: Instant::now() + PATIENCE, bytes: LONGEST };
        let reply = discovery.published(&outbound, bounds).await.map_err(LoginError::Provider)?;
        let published: Published = serde_json::from_slice(&reply.body).map_err(|_| {
            LoginError::Provider("its metadata lack `authorization_endpoint` or `token_endpoint`")
        })?;
        if published
            .code_challenge_methods_supported
            .as_ref()
            .is_some_and(|ways| !ways.iter().any(|way| way == "S256"))
        {
            return Err(LoginError::Provider("it does not do PKCE by `S256`"));
        }
        let keys = Jwks::discover(issuer).map_err(LoginError::Keys)?;
        let (keys, reach) = match checked.inside_too {
            true => (keys.allow_private_addresses(), Reach::Anywhere),
            false => (keys, reply.names),
        };
        let ids = IdTokens::new(keys, &checked.algorithms, issuer, &checked.client)
            .ok_or(LoginError::Configuration("ID tokens are signed by an asymmetric algorithm"))?
            .naming_tenants(checked.tenant.clone());
        ids.load().await.map_err(|_| LoginError::Provider("its keys cannot be had"))?;
        Ok(Self {
            client: client(checked, &published, discovery.metadata().is_https())?,
            issuer: issuer.into(),
            scopes: checked.scopes.iter().cloned().map(Scope::new).collect(),
            ids,
            outbound,
            reach,
            calls: Semaphore::new(CALLS),
            names_itself: published.authorization_response_iss_parameter_supported,
            ends_sessions_at: published
                .end_session_endpoint
                .filter(|at| {
                    Address::parse(at).is_some_and(|at| at.is_https() || !discovery.metadata().is_https())
                })
                .and_then(|at| at.parse().ok()),
        })
    }

    pub(super) const fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// Whether its answers name it (RFC 9207).
    pub(super) const fn names_itself(&self) -> bool {
        self.names_itself
    }

    /// Where a browser goes to log in (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
    pub(super) fn authorization(&self, pending: &Pending) -> String {
        let verifier = PkceCodeVerifier::new(pending.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let request = self.client.authorize_url(|| CsrfToken::new(pending.state.clone()));
        let request = request.add_scopes(self.scopes.iter().cloned()).set_pkce_challenge(challenge);
        let mut request = request.add_extra_param("nonce", pending.nonce.as_str());
        // OpenID Connect Core section 3.1.2.1
        if !pending.wanted.classes.is_empty() {
            request = request.add_extra_param("acr_values", pending.wanted.classes.join(" "));
        }
        if let Some(longest) = pending.wanted.max_age {
            request = request.add_extra_param("max_age", longest.to_string());
        }
        request.url().0.into()
    }

    /// Gives a code for tokens, and judges who logged in.
    pub(super) async fn redeem(
        &self,
        code: &str,
        pending: &Pending,
        now: Now,
    ) -> Result<(Identified, Tokens), Fault> {
        let _place = self.calls.try_acquire().map_err(|_| Fault::Busy)?;
        let request = self.client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()));
        let answer = request.request_async(self).await.map_err(fault)?;
        if !is_showable(&answer) {
            return Err(Fault::Exchange(UNKNOWN_TYPE));
        }
        let tokens = tokens(&answer);
        let id_token = answer.extra_fields().id_token.as_deref().ok_or(Fault::Exchange("no_id_token"))?;
        let asked = Asked {
            nonce: &pending.nonce,
            access_token: answer.access_token().secret(),
            classes: &pending.wanted.classes,
            since: pending.since(),
        };
        let who = self.ids.judge(id_token, &asked, now).await?;
        Ok((who, tokens))
    }

    /// Judges who was logged out there.
    pub(super) async fn logged_out(&self, token: &str, now: Now) -> Result<LoggedOut, BadIdToken> {
        self.ids.judge_logout(token, now).await
    }

    /// Gives a refresh token for new tokens (RFC 6749 section 6).
    pub(super) async fn renew(&self, refresh: &str) -> Result<Renewed, Fault> {
        let _place = self.calls.try_acquire().map_err(|_| Fault::Busy)?;
        let refresh = RefreshToken::new(refresh.to_owned());
        let request = self.client.exchange_refresh_token(&refresh);
        let answer = request.request_async(self).await.map_err(fault)?;
        Ok(match is_showable(&answer) {
            true => Renewed::Tokens(tokens(&answer)),
            false => Renewed::Unshowable(refresh_token(&answer)),
        })
    }

    /// Where a browser goes to log out at the provider as well (RP-Initiated Logout section 2), where it has such a place.
    pub(super) fn end_session(&self, back: &str) -> Option<String> {
        let mut at = self.ends_sessions_at.clone()?;
        at.query_pairs_mut()
            .append_pair("client_id", self.client.client_id())
            .append_pair("post_logout_redirect_uri", back);
        Some(at.into())
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unreached> {
        let bounds = Bounds { until: Instant::now() + PATIENCE, bytes: LONGEST };
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let reply =
            self.outbound.call(request, bounds, self.reach).await.map_err(|why| Unreached(why.into()))?;
        json::check(&reply.body).map_err(|_| Unreached("the answer is no strict JSON"))?;
        let mut response = Response::new(reply.body.to_vec());
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Provider {
    type Error = Unreached;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unreached>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

fn client(checked: &Checked, published: &Published, https: bool) -> Result<Client, LoginError> {
    let at = |text: &str| Address::parse(text).filter(|at| at.is_https() || !https).map(|_| text.to_owned());
    let elsewhere = LoginError::Provider("an endpoint of it is not `https`");
    let (Some(authorize), Some(token)) =
        (at(&published.authorization_endpoint), at(&published.token_endpoint))
    else {
        return Err(elsewhere);
    };
    let malformed = |_| LoginError::Provider("an endpoint of it is no address");
    let redirect = RedirectUrl::new(checked.redirect.clone());
    let client = oauth2::Client::new(ClientId::new(checked.client.clone()))
        .set_auth_uri(AuthUrl::new(authorize).map_err(malformed)?)
        .set_token_uri(TokenUrl::new(token).map_err(malformed)?)
        .set_redirect_uri(redirect.map_err(|_| LoginError::Configuration("the redirect URI is no address"))?)
        .set_auth_type(way(published.token_endpoint_auth_methods_supported.as_deref())?);
    // looked at to be shown to the token endpoint
    Ok(match &checked.secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().clone())),
        None => client,
    })
}

/// How the client shows its secret: by Basic where the provider takes that, which is the default (Discovery section 3).
fn way(supported: Option<&[String]>) -> Result<AuthType, LoginError> {
    let takes = |way: &str| supported.is_some_and(|ways| ways.iter().any(|known| known == way));
    match supported {
        None => Ok(AuthType::BasicAuth),
        Some(_) if takes("client_secret_basic") => Ok(AuthType::BasicAuth),
        Some(_) if takes("client_secret_post") || takes("none") => Ok(AuthType::RequestBody),
        Some(_) => Err(LoginError::Provider("it takes no client that shows a secret, nor one that has none")),
    }
}

/// Rule 5.
fn is_showable(answer: &Answer) -> bool {
    answer.token_type().as_ref().eq_ignore_ascii_case("bearer")
}

fn tokens(answer: &Answer) -> Tokens {
    let granted =
        |scopes: &Vec<Scope>| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    Tokens {
        access: Zeroizing::new(answer.access_token().secret().clone()),
        refresh: refresh_token(answer),
        expires_in: answer.expires_in().map(|time| time.as_secs()),
        scopes: answer.scopes().map(granted),
    }
}

fn refresh_token(answer: &Answer) -> Option<Zeroizing<String>> {
    answer.refresh_token().map(|token| Zeroizing::new(token.secret().clone()))
}

/// Its call was not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unreached(&'static str);

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unreached {}

fn fault(error: RequestTokenError<Unreached, BasicErrorResponse>) -> Fault {
    match error {
        RequestTokenError::ServerResponse(said) => Fault::Exchange(known(said.error().as_ref())),
        RequestTokenError::Request(Unreached(why)) => Fault::Unreachable(why),
        RequestTokenError::Parse(..) => Fault::Exchange("the answer of the token endpoint cannot be read"),
        RequestTokenError::Other(_) => Fault::Exchange("the token endpoint answered no JSON"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::outbound::pretended;

    fn checked(issuer: String, inside_too: bool) -> Checked {
        Checked {
            issuer,
            client: "app".to_owned(),
            secret: None,
            redirect: "https://app.example.com/callback".to_owned(),
            scopes: Vec::new(),
            algorithms: vec![crate::operation::Algorithm::ES256],
            tenant: Vec::new(),
            inside_too,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_does_not_answer_is_waited_for_for_five_seconds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = format!("http://{}", listener.local_addr().unwrap());
        let begun = Instant::now();
        assert!(Provider::meet(&checked(silent, false)).await.is_err());
        assert_eq!(begun.elapsed().as_secs(), 5);
    }

    /// Rule 5 of [`outbound`](crate::outbound). Its keys are asked for by another, who is told of nothing here.
    #[tokio::test]
    async fn a_provider_at_a_public_address_names_no_token_endpoint_inside_unless_it_may() {
        for inside_too in [false, true] {
            let base = testing::provider().await;
            pretended::public(1);
            let provider = Provider::meet(&checked(base, inside_too)).await.unwrap();
            let called = !matches!(provider.renew("r").await, Err(Fault::Unreachable(_)));
            assert_eq!(called, inside_too);
        }
    }

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_of_the_standards_example() {
        let verifier = PkceCodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(challenge.method().as_str(), "S256");
    }

    #[test]
    fn a_client_shows_its_secret_as_the_provider_takes_it() {
        let way = |ways: &[&str]| {
            let ways: Vec<String> = ways.iter().map(|way| (*way).to_owned()).collect();
            way(Some(&ways)).ok()
        };
        assert!(matches!(super::way(None), Ok(AuthType::BasicAuth)));
        assert!(matches!(way(&["client_secret_post", "client_secret_basic"]), Some(AuthType::BasicAuth)));
        assert!(matches!(way(&["client_secret_post"]), Some(AuthType::RequestBody)));
        assert!(way(&["private_key_jwt"]).is_none() && way(&[]).is_none());
    }
}
