//! What no setting can say.

use std::fmt;

/// A setting that says nothing that could be done.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// Not an address, nor a network such as `10.0.0.0/8`.
    Network(String),
    /// A network of all addresses: whoever connects could then name any client address.
    Everybody(String),
    /// Not an origin such as `https://api.example.com`.
    Origin(String),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(text) => {
                write!(f, "`{text}` is neither an address nor a network such as `10.0.0.0/8`")
            }
            Self::Origin(text) => write!(
                f,
                "`{text}` is no origin such as `https://api.example.com`: a scheme (`http` on loopback hosts only), a host, \
                 perhaps a port, and nothing behind it"
            ),
            Self::Everybody(text) => {
                write!(
                    f,
                    "`{text}` trusts everybody as a proxy: whoever connects could claim any client address"
                )
            }
        }
    }
}

impl std::error::Error for SettingsError {}
