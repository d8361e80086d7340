//! Tokens that an issuer is asked about (RFC 7662), issuers that are asked for their keys (OpenID Connect Discovery,
//! RFC 8414), and tokens that were revoked: over sockets, with an issuer that counts what it is asked.

mod bench;
mod introspection;
mod keys;
mod readiness;
mod revocation;
mod roots;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/asked.rs"));
}

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    mod introspection {
        use palisade::{Introspection, IntrospectionError, Secret};

        fn issuer(secret: &Secret<String>) -> Result<Introspection, IntrospectionError> {
            Introspection::new("https://id.example.com/introspect", "bank-api", secret)
        }
    }

    mod discovery {
        use palisade::{Jwks, Jwt, KeyError};

        fn tokens() -> Result<Jwt, KeyError> {
            Ok(Jwt::new(Jwks::discover("https://id.example.com")?).audience("bank-api"))
        }
    }

    mod revocation {
        use palisade::{Denylist, DenylistError, Principal};

        async fn log_out(denylist: &Denylist, caller: &Principal) -> Result<(), DenylistError> {
            denylist.revoke(caller).await?; // this token
            denylist.revoke_all(caller.identity()).await // every token until now
        }
    }
}
