//! Where an issuer publishes its keys, asked of the issuer (OpenID Connect Discovery section 4, RFC 8414 section 3).
//!
//! Rules:
//! 1. the address of the metadata comes from the issuer's name: OpenID Connect puts its well-known path behind it,
//!    RFC 8414 between host and path. The name has neither query nor fragment;
//! 2. `issuer` in the metadata is that name, byte for byte (Discovery section 4.3, RFC 8414 section 3.3): else whoever
//!    answers there could speak for somebody else;
//! 3. `jwks_uri` is `https`, or `http` on loopback where the issuer itself is, and is called by rule 5 of
//!    [`outbound`](crate::outbound);
//! 4. the metadata are one JSON object of at most 64 KiB that names no member twice.
//!
//! The issuer is asked each time its keys are fetched, so what it says now is what counts.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde::de::MapAccess;

use super::{
    json::{self, Members, Why, text},
    key_error::KeyError,
};
use crate::outbound::{Address, Bounds, Outbound, Reach, Reply};

const MAX_METADATA: usize = 64 * 1024;

/// The two well-known paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    OpenId,
    OAuth,
}

/// An issuer that says where its keys are.
#[derive(Debug)]
pub(crate) struct Discovery {
    issuer: String,
    metadata: Address,
}

impl Discovery {
    pub(crate) fn new(issuer: &str, form: Form) -> Result<Self, KeyError> {
        let metadata = well_known(issuer, form).ok_or(KeyError::Issuer)?;
        Ok(Self { issuer: issuer.to_owned(), metadata })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) const fn metadata(&self) -> &Address {
        &self.metadata
    }

    /// Asks where the keys are.
    pub(crate) async fn keys(
        &self,
        outbound: &Outbound,
        bounds: Bounds,
    ) -> Result<(Address, Reach), &'static str> {
        let reply = self.ask(outbound, bounds).await?;
        Ok((self.read(&reply.body)?, reply.names))
    }

    /// Asks for all that the issuer says of itself; what was read of it holds by the rules above.
    #[cfg(feature = "login")]
    pub(crate) async fn published(&self, outbound: &Outbound, bounds: Bounds) -> Result<Reply, &'static str> {
        let reply = self.ask(outbound, bounds).await?;
        self.read(&reply.body).map(|_| reply)
    }

    async fn ask(&self, outbound: &Outbound, bounds: Bounds) -> Result<Reply, &'static str> {
        let request = Request::get(self.metadata.uri().clone()).header(header::ACCEPT, "application/json");
        let request = request.body(Full::<Bytes>::default()).map_err(|_| "the request could not be made")?;
        let bounds = Bounds { bytes: MAX_METADATA, ..bounds };
        let reply = outbound.call(request, bounds, Reach::Anywhere).await?;
        match reply.status {
            StatusCode::OK => Ok(reply),
            _ => Err("a status other than 200 for the metadata"),
        }
    }

    fn read(&self, body: &[u8]) -> Result<Address, &'static str> {
        let found: Found<'_> = json::object(body).map_err(|_| "the metadata cannot be read")?;
        if found.issuer.as_deref() != Some(&*self.issuer) {
            return Err("the metadata are of another issuer");
        }
        let keys = found.keys.ok_or("the metadata name no jwks_uri")?;
        let keys = Address::parse(&keys).filter(|keys| keys.is_https() || !self.metadata.is_https());
        keys.ok_or("the jwks_uri is not `https`")
    }
}

/// The address of an issuer's metadata.
fn well_known(issuer: &str, form: Form) -> Option<Address> {
    // checked in the text: the parser of addresses drops a fragment
    if issuer.contains(['?', '#']) {
        return None;
    }
    let address = Address::parse(issuer)?;
    let (scheme, authority) = (address.uri().scheme_str()?, address.uri().authority()?);
    // both documents: a `/` at the end goes first
    let path = address.uri().path().trim_end_matches('/');
    let path = match form {
        Form::OpenId => format!("{path}/.well-known/openid-configuration"),
        Form::OAuth => format!("/.well-known/oauth-authorization-server{path}"),
    };
    Address::parse(&format!("{scheme}://{authority}{path}"))
}

/// What is read of the metadata.
#[derive(Default)]
struct Found<'a> {
    issuer: Option<Cow<'a, str>>,
    keys: Option<Cow<'a, str>>,
}

impl<'de> Members<'de> for Found<'de> {
    const WHAT: &'static str = "the metadata of an issuer";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
        why: &Why,
    ) -> Result<bool, A::Error> {
        match name {
            "issuer" => text(&mut self.issuer, members, why)?,
            "jwks_uri" => text(&mut self.keys, members, why)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_is_appended_or_inserted() {
        let at = |issuer, form| well_known(issuer, form).map(|address| address.uri().to_string());
        for (issuer, openid, oauth) in [
            (
                "https://id.example.com",
                "https://id.example.com/.well-known/openid-configuration",
                "https://id.example.com/.well-known/oauth-authorization-server",
            ),
            // RFC 8414 section 3.1
            (
                "https://example.com/issuer1",
                "https://example.com/issuer1/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
            ),
            (
                "https://example.com/issuer1/",
                "https://example.com/issuer1/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
            ),
        ] {
            assert_eq!(at(issuer, Form::OpenId).as_deref(), Some(openid));
            assert_eq!(at(issuer, Form::OAuth).as_deref(), Some(oauth));
        }
        for bad in ["https://a.example/?x", "https://a.example/#x", "http://a.example", "a.example", ""] {
            assert_eq!(at(bad, Form::OpenId), None, "{bad}");
        }
    }

    #[test]
    fn the_metadata_are_the_issuers_own_and_point_to_keys_over_tls() {
        let of = |issuer: &str| Discovery::new(issuer, Form::OpenId).unwrap();
        let read = |text: &str| {
            of("https://id.example.com").read(text.as_bytes()).map(|keys| keys.uri().to_string())
        };
        let good = r#"{"x":{"y":[1]},"issuer":"https://id.example.com","jwks_uri":"https://keys.example/k"}"#;
        assert_eq!(read(good).as_deref(), Ok("https://keys.example/k"));
        for bad in [
            r#"{"issuer":"https://id.example.com/","jwks_uri":"https://keys.example/k"}"#,
            r#"{"issuer":"https://ID.example.com","jwks_uri":"https://keys.example/k"}"#,
            r#"{"jwks_uri":"https://keys.example/k"}"#,
            r#"{"issuer":"https://id.example.com"}"#,
            r#"{"issuer":"https://id.example.com","jwks_uri":"http://keys.example/k"}"#,
            r#"{"issuer":"https://id.example.com","jwks_uri":"http://127.0.0.1/k"}"#,
            r#"{"issuer":"https://id.example.com","jwks_uri":"/k"}"#,
            r#"{"issuer":"https://evil.example","issuer":"https://id.example.com","jwks_uri":"https://k.example/"}"#,
            r#"{"issuer":["https://id.example.com"],"jwks_uri":"https://keys.example/k"}"#,
            "[]",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let local = of("http://127.0.0.1:9");
        let text = r#"{"issuer":"http://127.0.0.1:9","jwks_uri":"http://127.0.0.1:9/k"}"#;
        assert!(local.read(text.as_bytes()).is_ok());
    }
}
