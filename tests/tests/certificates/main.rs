//! TLS of our own, client certificates (RFC 8705), and what a proxy says of them (RFC 9440).

mod bench;
mod callers;
mod connections;
mod files;
mod proxies;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/certificates.rs"));
}

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    use palisade::{Server, Tls};

    async fn run(server: Server) -> Result<(), Box<dyn std::error::Error>> {
        let tls = Tls::from_files("tls/chain.pem", "tls/key.pem")?;
        palisade::serve(server).tls(tls).listen("0.0.0.0:8443").await?;
        Ok(())
    }

    mod certificates {
        use palisade::{CertificateError, ClientCertificates};

        fn machines() -> Result<ClientCertificates, CertificateError> {
            ClientCertificates::from_file("keys/machines-ca.pem")?
                .revocation_lists_file("keys/machines.crl")?
                .grant("spiffe://bank.example/billing", &["transfers:write"])
        }
    }
}
