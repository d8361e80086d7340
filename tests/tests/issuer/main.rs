//! Tokens that we issue, over sockets: the doors that they open, the endpoints that renew and revoke them, and a clock that the
//! tests move.
#![deny(warnings)]

mod bench;
mod endpoints;
mod families;
mod killed;
mod lasting;
mod proofs;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/issuer.rs"));
}

/// What the page on issuing shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    mod opening {
        use palisade::issuer::{IssuerError, IssuerKeys};
        use palisade::{Denylist, Issuer, State};

        async fn issuer(state: State, keys: IssuerKeys, denylist: Denylist) -> Result<Issuer, IssuerError> {
            Issuer::builder("https://id.example.com", "bank-api", state, keys).denylist(denylist).open().await
        }
    }

    mod signing_in {
        use palisade::Issuer;
        use palisade::issuer::{IssuerError, SignIn, Tokens};

        async fn tokens(issuer: &Issuer, subject: &str) -> Result<Tokens, IssuerError> {
            issuer.sign_in(&SignIn::new(subject, "app").scopes(["accounts:read"])).await
        }
    }

    mod mounting {
        use palisade::issuer::{Client, ClientError, Clients};

        fn endpoints(issuer: &palisade::Issuer, hash: [u8; 32]) -> Result<axum::Router, ClientError> {
            let app = Client::public("app");
            let reports = Client::confidential("reports", hash).for_itself(["accounts:read"]);
            Ok(issuer.router(Clients::new([app, reports])?))
        }
    }
}
