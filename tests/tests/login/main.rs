//! Logins by a provider and the sessions that they make, over sockets: a browser with a jar of cookies, a provider that tells
//! the truth or lies, and a server whose gate knows the sessions.
#![deny(warnings)]

mod back_channel;
mod bench;
mod callbacks;
mod others;
mod outward;
mod sessions;
mod step_up;
mod tenants;
mod tokens;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/login.rs"));
}

/// What the page on login shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    mod opening {
        use std::time::Duration;

        use palisade::login::{LoginError, LoginKeys};
        use palisade::{Login, Secret, State};

        async fn login(state: State, keys: LoginKeys, secret: Secret<String>) -> Result<Login, LoginError> {
            let hours = |hours: u64| Duration::from_secs(hours * 3600);
            Login::builder(
                "https://id.example.com",
                "notes-web",
                "https://notes.example.com/callback",
                state,
                keys,
            )
            .secret(secret)
            .scopes(&["notes:read", "notes:write"])
            .lifetimes(hours(12), hours(1))
            .open()
            .await
        }
    }

    mod calling {
        use palisade::login::LoginError;
        use palisade::{Login, Principal, Secret};

        async fn token(login: &Login, caller: &Principal) -> Result<Option<Secret<String>>, LoginError> {
            login.access_token(caller).await
        }
    }
}
