//! Who stands in front of a server, and what is believed of what they say for others.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Settings, SettingsError};

/// The header in which trusted proxies say for whom they ask. One, never both: a client could send the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`, which most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239), with `for` and `proto`.
    Forwarded,
}

/// The addresses that speak for others.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    fn read<T: AsRef<str>>(networks: impl IntoIterator<Item = T>) -> Result<Self, SettingsError> {
        let network = |text: T| {
            let text = text.as_ref().trim();
            match network(text) {
                Some(network) if network.prefix_len() == 0 => Err(SettingsError::Everybody(text.to_owned())),
                Some(network) => Ok(network),
                None => Err(SettingsError::Network(text.to_owned())),
            }
        };
        networks.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, or a network in CIDR form.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    text.parse::<IpNet>().or(address).ok().map(|network| network.trunc())
}

impl Settings {
    /// The proxies in front of this server: addresses, or networks in CIDR form. Default: none.
    ///
    /// What they say in the forwarded header is believed; what anybody else says there is ignored. No handler sees such a
    /// header (`Forwarded`, `X-Forwarded-*`, `X-Real-IP`, `Client-Cert`), whoever sent it. Naming proxies also
    /// lets a server without TLS listen on other addresses than loopback, and makes it refuse requests that the proxy
    /// did not receive over `https`.
    ///
    /// # Errors
    /// When one is neither an address nor a network, or is the network of all addresses.
    pub fn trusted_proxies<T: AsRef<str>>(
        self,
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, SettingsError> {
        Ok(Self { trusted_proxies: TrustedProxies::read(networks)?, ..self })
    }

    /// The balancers in front of this server that pass connections on unread, and say by the PROXY protocol, version 2, for
    /// whom each is: addresses, or networks in CIDR form. Default: none, and then such a header is no request.
    ///
    /// Nobody else may connect then, and no connection may begin without the header: it is closed. The client's address takes
    /// the place of the balancer's, for limits, for [`Settings::max_connections_per_address`], for events and for
    /// [`Peer`](crate::Peer). Where that is an address of [`Settings::trusted_proxies`], the forwarded header is read on from
    /// there. These balancers need not be named among the proxies: whoever is named there is believed in headers that
    /// clients of a balancer write.
    ///
    /// A server without TLS may then listen on other addresses than loopback, and refuses requests of which the balancer
    /// does not say that their client came by TLS (`PP2_TYPE_SSL`; in HAProxy, `send-proxy-v2-ssl`).
    ///
    /// # Errors
    /// When one is neither an address nor a network, or is the network of all addresses.
    pub fn proxy_protocol_from<T: AsRef<str>>(
        self,
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, SettingsError> {
        Ok(Self { proxy_protocol: TrustedProxies::read(networks)?, ..self })
    }

    /// The header that the trusted proxies write. Default: [`ForwardedHeader::XForwardedFor`].
    ///
    /// The proxy must set or append to this header, and must not pass on the other one as if it were its own word.
    #[must_use]
    pub fn forwarded_header(self, forwarded: ForwardedHeader) -> Self {
        Self { forwarded, ..self }
    }

    /// Takes the word of the trusted proxies for the certificates of clients: `Client-Cert` and `Client-Cert-Chain`
    /// (RFC 9440). Default: no.
    ///
    /// Say so only when every one of these proxies removes both headers from what clients send (RFC 9440 section 4): else
    /// anybody could claim the certificate of another. It need not verify who vouches for the certificate: that is checked
    /// here, with every request.
    #[must_use]
    pub fn client_certificates_from_proxies(self) -> Self {
        Self { client_certificates: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies<const N: usize>(networks: [&str; N]) -> Result<TrustedProxies, SettingsError> {
        Settings::new().trusted_proxies(networks).map(|settings| settings.trusted_proxies)
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let proxies = proxies(["10.0.0.0/8", "192.0.2.7", " 2001:db8::/32 ", "::ffff:198.51.100.1"]).unwrap();
        for inside in ["10.255.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1", "198.51.100.1"] {
            assert!(proxies.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::1"] {
            assert!(!proxies.contain(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn refuses_nonsense_and_everybody() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80", "10.0.0"] {
            assert_eq!(proxies([text]).unwrap_err(), SettingsError::Network(text.to_owned()));
        }
        for text in ["0.0.0.0/0", "::/0"] {
            assert_eq!(proxies([text]).unwrap_err(), SettingsError::Everybody(text.to_owned()));
        }
    }
}
