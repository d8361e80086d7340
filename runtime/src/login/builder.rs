//! What a login is configured with, checked before anything is asked of the provider.

use std::time::Duration;

use iri_string::types::UriStr;

use super::error::LoginError;
use super::provider::Provider;
use super::session::Lifetimes;
use super::{Login, LoginKeys, Shared, cookies, return_to, step_up};
use crate::authn::attempts::Counters;
use crate::clock::Clock;
use crate::operation::Algorithm;
use crate::origin::PublicOrigin;
use crate::outbound::Address;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::state::State;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// No session outlasts this.
pub(super) const LONGEST: Duration = Duration::from_secs(90 * 24 * 3600);
/// Marks of logins that were finished, when nothing else is said: of the last ten minutes.
const MARKS: usize = 100_000;

/// What a [`Login`] is made of: see [`Login::builder`].
pub struct LoginBuilder {
    issuer: String,
    client: String,
    redirect: String,
    state: State,
    keys: LoginKeys,
    secret: Option<Secret<String>>,
    scopes: Vec<String>,
    classes: Vec<String>,
    algorithms: Vec<Algorithm>,
    tenant: Vec<String>,
    cookie: String,
    absolute: Duration,
    idle: Duration,
    pages: Pages,
    marks: Option<State>,
    clock: Clock,
    settings: Settings,
    inside_too: bool,
}

/// Where a browser goes: paths of our own site.
#[derive(Clone)]
pub(super) struct Pages {
    pub(super) login: String,
    pub(super) logout: String,
    pub(super) after_logout: String,
    pub(super) failed: Option<String>,
    pub(super) back_channel: Option<String>,
}

/// What the provider is met with.
pub(super) struct Checked {
    pub(super) issuer: String,
    pub(super) client: String,
    pub(super) secret: Option<Secret<String>>,
    pub(super) redirect: String,
    pub(super) scopes: Vec<String>,
    pub(super) algorithms: Vec<Algorithm>,
    /// Path of the claim of ID tokens that names the tenant; empty where none does.
    pub(super) tenant: Vec<String>,
    /// What the provider names may be at addresses that are not public.
    pub(super) inside_too: bool,
}

impl LoginBuilder {
    pub(super) fn new(issuer: &str, client: &str, redirect: &str, state: State, keys: LoginKeys) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client: client.to_owned(),
            redirect: redirect.to_owned(),
            state,
            keys,
            secret: None,
            scopes: Vec::new(),
            classes: Vec::new(),
            algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA],
            tenant: Vec::new(),
            cookie: "__Host-session".to_owned(),
            absolute: 12 * HOUR,
            idle: HOUR,
            pages: Pages {
                login: "/login".to_owned(),
                logout: "/logout".to_owned(),
                after_logout: "/".to_owned(),
                failed: None,
                back_channel: None,
            },
            marks: None,
            clock: Clock::system(),
            settings: Settings::new(),
            inside_too: false,
        }
    }

    /// The secret of the client. Without one it is a public client, which PKCE alone protects.
    #[must_use]
    pub fn secret(mut self, secret: Secret<String>) -> Self {
        self.secret = Some(secret);
        self
    }

    /// What is asked for beside `openid`: scopes of the provider. Those that it grants are what the session grants.
    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self
    }

    /// The classes of logins (`acr`) that a page may ask for, by `acr_values` at the path of the login: those that operations name in
    /// `step-up`, 256 characters in all. None unless said.
    #[must_use]
    pub fn classes(mut self, classes: &[&str]) -> Self {
        self.classes = classes.iter().map(|class| (*class).to_owned()).collect();
        self
    }

    /// The algorithms of ID tokens, instead of RS256, ES256, PS256 and EdDSA. HS256 is none of them.
    #[must_use]
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// The claim of ID tokens that names the tenant of who logs in, or a path such as `organization.id`: that of the session
    /// ([`Principal::tenant`](crate::Principal::tenant)). It is then asked of every login, and of every session: one that began
    /// before is over. Unless said sessions have none.
    #[must_use]
    pub fn tenant_claim(mut self, path: &str) -> Self {
        self.tenant = path.split('.').map(str::to_owned).collect();
        self
    }

    /// The name of the session's cookie, instead of `__Host-session`. It begins with `__Host-`.
    #[must_use]
    pub fn cookie(mut self, name: &str) -> Self {
        self.cookie = name.to_owned();
        self
    }

    /// How long a session lasts at most, and how long without a request: 12 hours and one hour unless said. From a minute to
    /// ninety days.
    #[must_use]
    pub const fn lifetimes(mut self, absolute: Duration, idle: Duration) -> Self {
        self.absolute = absolute;
        self.idle = idle;
        self
    }

    /// The paths at which a login begins and a session ends, instead of `/login` and `/logout`.
    #[must_use]
    pub fn paths(mut self, login: &str, logout: &str) -> Self {
        self.pages.login = login.to_owned();
        self.pages.logout = logout.to_owned();
        self
    }

    /// The path of the page for those who logged out, instead of `/`. The provider must know it, below our origin, where it has
    /// a logout of its own (`post_logout_redirect_uris`).
    #[must_use]
    pub fn after_logout(mut self, path: &str) -> Self {
        self.pages.after_logout = path.to_owned();
        self
    }

    /// The path of the page for those whose login came to nothing, instead of a line of plain text.
    #[must_use]
    pub fn when_failed(mut self, path: &str) -> Self {
        self.pages.failed = Some(path.to_owned());
        self
    }

    /// Lets the provider end sessions, at this path (OpenID Connect Back-Channel Logout 1.0): below our origin it is the
    /// `backchannel_logout_uri` of our client there. Unless said there is no such endpoint.
    #[must_use]
    pub fn back_channel_logout(mut self, path: &str) -> Self {
        self.pages.back_channel = Some(path.to_owned());
        self
    }

    /// Where logins that were finished are marked, so that none is finished twice: in memory of this process unless said. A
    /// state that several instances share marks for all of them. Whoever begins logins fills it: give it no state of which
    /// anything else depends.
    #[must_use]
    pub fn marks_in(mut self, state: State) -> Self {
        self.marks = Some(state);
        self
    }

    /// The settings of the server that the endpoints are mounted in: its proxies, whose word says who asks, and how many attempts
    /// may fail, and where events of its endpoints are stored. Without them whoever connects is who asks.
    pub fn settings(mut self, settings: &Settings) -> Self {
        self.settings = settings.clone();
        self
    }

    /// Calls the token endpoint and fetches the keys also where a provider at a public address says that they are at another: a
    /// private one, one of this machine.
    pub fn allow_private_addresses(mut self) -> Self {
        self.inside_too = true;
        self
    }

    /// What tells the time, instead of the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Meets the provider: asks for its metadata and its keys. What its metadata say counts until the next start; its keys are
    /// kept fresh.
    ///
    /// # Errors
    /// When something does not fit, or the provider cannot be met.
    pub async fn open(self) -> Result<Login, LoginError> {
        let origin = self.check().map_err(LoginError::Configuration)?;
        let about = [&*self.issuer, &*self.client, &*self.redirect].join("\0").into_bytes();
        let marks = self.marks.unwrap_or_else(|| State::memory_of(MARKS, self.clock.clone()));
        let others = self.scopes.into_iter().filter(|scope| scope != "openid");
        let scopes: Vec<String> = ["openid".to_owned()].into_iter().chain(others).collect();
        let checked = Checked {
            issuer: self.issuer,
            client: self.client,
            secret: self.secret,
            redirect: self.redirect,
            scopes,
            algorithms: self.algorithms,
            tenant: self.tenant,
            inside_too: self.inside_too,
        };
        let provider = Provider::meet(&checked).await?;
        let names_tenants = !checked.tenant.is_empty();
        Ok(Login::new(Shared {
            provider,
            asked: checked.scopes.join(" "),
            client: checked.client,
            callback: checked.redirect.get(origin.as_str().len()..).unwrap_or_default().to_owned(),
            origin,
            about,
            state: self.state,
            marks,
            keys: self.keys,
            cookie: self.cookie,
            lifetimes: Lifetimes { absolute: self.absolute.as_secs(), idle: self.idle.as_secs() },
            pages: self.pages,
            classes: self.classes,
            names_tenants,
            clock: self.clock,
            counters: Counters::new(&self.settings),
        }))
    }

    /// The origin of our own pages: that of the redirect URI.
    fn check(&self) -> Result<PublicOrigin, &'static str> {
        let pages = &self.pages;
        let paths = [&pages.login, &pages.logout, &pages.after_logout].into_iter();
        let paths = paths.chain(&pages.failed).chain(&pages.back_channel);
        let whole = |time: Duration| time.subsec_nanos() == 0 && (MINUTE..=LONGEST).contains(&time);
        let origin = origin_of(&self.redirect);
        let callback = origin.as_ref().and_then(|origin| self.redirect.get(origin.as_str().len()..));
        let routed = |path: &str| !path.contains(['?', '#', '{', '}', '*']);
        match () {
            () if self.client.is_empty() || self.secret.as_ref().is_some_and(|it| it.expose().is_empty()) => {
                Err("the client has no name, or an empty secret")
            }
            () if Address::parse(&self.issuer).is_none() => {
                Err("the issuer is an `https` address, or `http` on loopback")
            }
            () if callback.is_none_or(|path| !return_to::is_ours(path) || !routed(path)) => Err(
                "the redirect URI is `https` (`http` on loopback) in its normal form, with a path and no query",
            ),
            () if paths.clone().any(|path| !return_to::is_ours(path)) => {
                Err("a path of the login begins with `/`, and has neither `//` nor `\\`")
            }
            () if !routed(&pages.login) || !routed(&pages.logout) || pages.login == pages.logout => {
                Err("login and logout have paths of their own, without a query")
            }
            () if callback.is_some_and(|path| path == pages.login || path == pages.logout) => {
                Err("the redirect URI has a path of its own, beside those of login and logout")
            }
            () if pages.back_channel.as_deref().is_some_and(|path| {
                !routed(path) || [Some(&*pages.login), Some(&*pages.logout), callback].contains(&Some(path))
            }) =>
            {
                Err("the logout by the provider has a path of its own, without a query")
            }
            () if !cookies::is_name(&self.cookie) || self.cookie == cookies::PENDING => {
                Err("the cookie of a session begins with `__Host-`, and is not that of a login")
            }
            () if !whole(self.absolute) || !whole(self.idle) || self.idle > self.absolute => {
                Err("a session lasts whole seconds from a minute to ninety days, idle no longer than at all")
            }
            () if self.tenant.iter().any(String::is_empty) => {
                Err("the claim of the tenant is a name, or names joined by dots")
            }
            () if !self.scopes.iter().all(|scope| is_scope(scope)) => {
                Err("a scope is a word without spaces, quotes and backslashes (RFC 6749 section 3.3)")
            }
            () if !self.classes.iter().all(|class| is_scope(class))
                || self.classes.join(" ").len() > step_up::LONGEST =>
            {
                Err(
                    "a class of logins is a word without spaces, quotes and backslashes, all of them are 256 characters at most",
                )
            }
            () => origin.ok_or("the redirect URI is no address"),
        }
    }
}

/// The origin of an address that is written in its normal form.
fn origin_of(address: &str) -> Option<PublicOrigin> {
    let uri = UriStr::new(address).ok()?;
    let authority = uri.authority_str()?;
    let origin = PublicOrigin::parse(&format!("{}://{authority}", uri.scheme_str()))?;
    address.starts_with(origin.as_str()).then_some(origin)
}

fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl std::fmt::Debug for LoginBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(redirect: &str, change: impl FnOnce(LoginBuilder) -> LoginBuilder) -> bool {
        let keys = LoginKeys::generate().unwrap();
        let builder = LoginBuilder::new("https://id.example.com", "app", redirect, State::memory(), keys);
        change(builder).check().is_err()
    }

    #[test]
    fn what_does_not_fit_is_refused_before_the_provider_is_asked() {
        let at = "https://app.example.com/callback";
        assert!(!refused(at, |it| it));
        assert!(!refused("http://127.0.0.1:8080/callback", |it| it));
        for bad in [
            "",
            "/callback",
            "http://app.example.com/callback",
            "https://app.example.com",
            "https://app.example.com//callback",
            "https://APP.example.com/callback",
            "https://app.example.com:443/callback",
            "https://app.example.com/callback?x",
            "https://app.example.com/callback#x",
            "https://me@app.example.com/callback",
            "https://app.example.com/{any}",
            "https://app.example.com/login",
        ] {
            assert!(refused(bad, |it| it), "{bad}");
        }
        assert!(refused(at, |it| it.cookie("session")));
        assert!(refused(at, |it| it.cookie("__Host-login")));
        assert!(refused(at, |it| it.paths("/login", "/login")));
        assert!(refused(at, |it| it.paths("login", "/logout")));
        assert!(refused(at, |it| it.paths("/login", "/callback")));
        assert!(!refused(at, |it| it.back_channel_logout("/ended")));
        for bad in ["/login", "/logout", "/callback", "ended", "//ended", "/ended?a", "/{ended}"] {
            assert!(refused(at, |it| it.back_channel_logout(bad)), "{bad}");
        }
        assert!(refused(at, |it| it.after_logout("//evil.example")));
        assert!(refused(at, |it| it.when_failed("https://evil.example")));
        assert!(refused(at, |it| it.lifetimes(HOUR, 2 * HOUR)));
        assert!(refused(at, |it| it.lifetimes(HOUR, Duration::from_secs(59))));
        assert!(refused(at, |it| it.lifetimes(LONGEST + MINUTE, HOUR)));
        assert!(refused(at, |it| it.scopes(&["a b"])));
        assert!(!refused(at, |it| it.tenant_claim("organization.id")));
        assert!(refused(at, |it| it.tenant_claim("")) && refused(at, |it| it.tenant_claim("a..b")));
        assert!(!refused(at, |it| it.classes(&["urn:bank:strong", "gold"])));
        assert!(refused(at, |it| it.classes(&["a b"])));
        assert!(refused(at, |it| it.classes(&[""])));
        assert!(refused(at, |it| it.classes(&[&"x".repeat(257)])));
        assert!(refused(at, |it| it.secret(Secret::new(String::new()))));
    }
}
