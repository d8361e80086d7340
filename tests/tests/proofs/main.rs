//! Tokens that are bound to keys (DPoP, RFC 9449), and logins that an operation asks for (RFC 9470).

mod bench;
mod nonces;
mod once;
mod rules;
mod step_up;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/proofs.rs"));
}

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    use palisade::{Settings, SettingsError};

    fn settings() -> Result<Settings, SettingsError> {
        Settings::new().public_origin("https://api.example.com")
    }
}
