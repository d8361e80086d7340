//! The certificate that a client has shown: in the handshake of our own TLS, or in that of a proxy which says so.
//!
//! Who shows one there holds its key. Whether anybody vouches for it is the scheme's question.

use std::sync::Arc;
#[cfg(feature = "tls")]
use std::{borrow::Cow, sync::OnceLock};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName};

#[cfg(feature = "tls")]
use super::subject;
#[cfg(feature = "tls")]
use crate::{authn::Reason, operation::SubjectName};

/// Longest chain that is looked at: each certificate costs a signature, with every request.
pub(crate) const MAX_CHAIN: usize = 8;

/// RFC 9440 section 2.2.
static CERTIFICATE: HeaderName = HeaderName::from_static("client-cert");
/// RFC 9440 section 2.3: what stands between the certificate and the root.
static CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// What is known of a client's certificate; an extension of the requests of those that have one.
#[derive(Clone, Debug)]
pub(crate) enum ClientCertificate {
    /// It was shown.
    Whole(PeerCertificate),
    /// A proxy passed on something that cannot be read.
    Unreadable,
}

/// A certificate whose key its client holds. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub(crate) struct PeerCertificate(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    /// In DER, the client's own first.
    #[cfg_attr(
        not(feature = "tls"),
        allow(dead_code, reason = "read by the verifier that the feature brings")
    )]
    chain: Vec<Vec<u8>>,
    thumbprint: [u8; 32],
    #[cfg(feature = "tls")]
    named: OnceLock<Named>,
}

/// What was read of a certificate, by which of its names.
#[cfg(feature = "tls")]
type Named = (SubjectName, Result<(String, u64), Reason>);

impl PeerCertificate {
    /// The chain in DER, the client's own certificate first. `None` when it is empty or too long.
    pub(crate) fn new(chain: Vec<Vec<u8>>) -> Option<Self> {
        let leaf = chain.first().filter(|_| chain.len() <= MAX_CHAIN)?;
        let thumbprint = *digest::digest(&digest::SHA256, leaf).as_ref().first_chunk()?;
        Some(Self(Arc::new(Shown {
            chain,
            thumbprint,
            #[cfg(feature = "tls")]
            named: OnceLock::new(),
        })))
    }

    /// SHA-256 of its DER (RFC 8705 section 3.1).
    pub(crate) fn thumbprint(&self) -> &[u8; 32] {
        &self.0.thumbprint
    }

    /// Its name of this kind, and when it ends in seconds since 1970. Read once for all requests of its connection: it is what the
    /// certificate says, and nothing of whether it is good.
    #[cfg(feature = "tls")]
    pub(crate) fn named(&self, wanted: SubjectName) -> Result<(Cow<'_, str>, u64), Reason> {
        let read = || subject::of(self.0.chain.first().ok_or(Reason::Malformed)?, wanted);
        match self.0.named.get_or_init(|| (wanted, read())) {
            (kind, Ok((name, ends))) if *kind == wanted => Ok((Cow::Borrowed(name), *ends)),
            (kind, Err(reason)) if *kind == wanted => Err(*reason),
            _ => read().map(|(name, ends)| (Cow::Owned(name), ends)),
        }
    }

    /// The chain in DER, the client's own certificate first.
    #[cfg(feature = "tls")]
    pub(crate) fn chain(&self) -> &[Vec<u8>] {
        &self.0.chain
    }
}

impl ClientCertificate {
    /// What a proxy passes on (RFC 9440). Only the header of a proxy that is trusted with it may be read.
    pub(crate) fn forwarded(headers: &HeaderMap) -> Option<Self> {
        let chain = match (sent(headers, &CERTIFICATE), sent(headers, &CHAIN)) {
            (None, None) => return None,
            (Some(leaf), rest) => leaf.filter(|leaf| leaf.len() == 1).and_then(|mut chain| {
                chain.extend(rest.unwrap_or_else(|| Some(Vec::new()))?);
                Some(chain)
            }),
            // RFC 9440 section 2.3: the chain does not come without the certificate
            (None, Some(_)) => None,
        };
        let certificate = chain.and_then(PeerCertificate::new);
        Some(certificate.map_or(Self::Unreadable, Self::Whole))
    }
}

/// The byte sequences of a header (RFC 9651 section 3.3.5): `None` when it is not there, `Some(None)` when it is there
/// twice or is none.
fn sent(headers: &HeaderMap, name: &HeaderName) -> Option<Option<Vec<Vec<u8>>>> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?;
    if lines.next().is_some() {
        return Some(None);
    }
    let sequence = |item: &str| {
        let encoded = item.trim_matches([' ', '\t']).strip_prefix(':')?.strip_suffix(':')?;
        STANDARD.decode(encoded).ok().filter(|bytes| !bytes.is_empty())
    };
    Some(line.to_str().ok().and_then(|line| line.split(',').map(sequence).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &str)]) -> Option<ClientCertificate> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        ClientCertificate::forwarded(&headers)
    }

    fn chain(shown: Option<ClientCertificate>) -> Vec<Vec<u8>> {
        match shown {
            Some(ClientCertificate::Whole(certificate)) => certificate.0.chain.clone(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_certificate_and_its_chain_are_byte_sequences() {
        assert!(read(&[]).is_none());
        assert_eq!(chain(read(&[("client-cert", ":YWJj:")])), [b"abc"]);
        let whole = read(&[("client-cert", ":YWJj:"), ("client-cert-chain", ":ZA==:, :ZQ==:")]);
        assert_eq!(chain(whole), [b"abc".as_slice(), b"d", b"e"]);
    }

    // the fields of RFC 9440 appendix A (those of section 2), without their folds, and RFC 8705 appendix A
    const CLIENT: &str = concat!(
        "MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIElu",
        "dGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYI",
        "KoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9",
        "M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAww",
        "CgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/",
        "Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=",
    );
    const INTERMEDIATE: &str = concat!(
        "MIIB5jCCAYugAwIBAgIBFjAKBggqhkjOPQQDAjBWMQswCQYDVQQGEwJVUzEbMBkGA1UECgwSTGV0J3MgQXV0aGVudGljYXRlMSow",
        "KAYDVQQDDCFMZXQncyBBdXRoZW50aWNhdGUgUm9vdCBBdXRob3JpdHkwHhcNMjAwMTE0MjEzMjMwWhcNMzAwMTExMjEzMjMwWjA6",
        "MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTBZMBMGByqGSM49AgEGCCqG",
        "SM49AwEHA0IABJf+aA54RC5pyLAR5yfXVYmNpgd+CGUTDp2KOGhc0gK91zxhHesEYkdXkpS2UN8Kati+yHtWCV3kkhCngGyv7Rqj",
        "ZjBkMB0GA1UdDgQWBBRm3WjLa38lbEYCuiCPct0ZaSED2DAfBgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDASBgNVHRMB",
        "Af8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNJADBGAiEA5pLvaFwRRkxomIAtDIwg9D7gC1xzxBl4r28E",
        "zmSO1pcCIQCJUShpSXO9HDIQMUgH69fNDEMHXD3RRX5gP7kuu2KGMg==",
    );
    const ROOT: &str = concat!(
        "MIICBjCCAaygAwIBAgIJAKS0yiqKtlhoMAoGCCqGSM49BAMCMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50",
        "aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTAeFw0yMDAxMTQyMTI1NDVaFw00MDAxMDky",
        "MTI1NDVaMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRp",
        "Y2F0ZSBSb290IEF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFoaHU+Z5bPKmGzlYXtCf+E6HYj62fORaHDOrt+y",
        "yh3H/rTcs7ynFfGn+gyFsrSP3Ez88rajv+U2NfD0o0uZ4PmjYzBhMB0GA1UdDgQWBBTEA2Q6eecKu9g9yb5glbkhhVINGDAfBgNV",
        "HSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNI",
        "ADBFAiEAmAeg1ycKHriqHnaD4M/UDBpQRpkmdcRFYGMg1Qyrkx4CIB4ivz3wQcQkGhcsUZ1SOImd/lq1Q0FLf09rGfLQPWDc",
    );
    const BOUND: &str = concat!(
        "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzEN",
        "MAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/co",
        "ZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWU",
        "VeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=",
    );

    #[test]
    fn the_fields_of_rfc_9440_are_read_whole_and_in_order() {
        let leaf = format!(":{CLIENT}:");
        let rest = format!(":{INTERMEDIATE}:, :{ROOT}:");
        let alone = chain(read(&[("client-cert", &leaf)]));
        assert_eq!(alone, [STANDARD.decode(CLIENT).unwrap()]);
        let whole = read(&[("client-cert", &leaf), ("client-cert-chain", &rest)]);
        let sent = [CLIENT, INTERMEDIATE, ROOT].map(|der| STANDARD.decode(der).unwrap());
        assert_eq!(chain(whole.clone()), sent);
        #[cfg(feature = "tls")]
        {
            let Some(ClientCertificate::Whole(certificate)) = whole else { panic!("it is whole") };
            let named = |wanted| certificate.named(wanted).unwrap().0.into_owned();
            assert_eq!(named(SubjectName::Distinguished), "CN=BC");
            assert_eq!(named(SubjectName::Email), "bdc@example.com");
        }
    }

    #[test]
    fn the_thumbprint_of_rfc_8705_appendix_a_is_that_of_its_certificate() {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let certificate = PeerCertificate::new(vec![STANDARD.decode(BOUND).unwrap()]).unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(certificate.thumbprint());
        assert_eq!(thumbprint, "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0");
    }

    #[test]
    fn what_is_anything_else_is_unreadable() {
        let long = [":ZA==:"; MAX_CHAIN].join(", ");
        for bad in [
            &[("client-cert", "YWJj")][..],
            &[("client-cert", "::")],
            &[("client-cert", ":YWJj:;a=1")],
            &[("client-cert", ":YWJj")],
            &[("client-cert", ":YW Jj:")],
            &[("client-cert", "\":YWJj:\"")],
            &[("client-cert", ":YWJj:, :ZA==:")],
            &[("client-cert", ":YWJj:"), ("client-cert", ":YWJj:")],
            &[("client-cert", ":YWJj:"), ("client-cert-chain", "x")],
            &[("client-cert", ":YWJj:"), ("client-cert-chain", &long)],
            &[("client-cert-chain", ":ZA==:")],
        ] {
            assert!(matches!(read(bad), Some(ClientCertificate::Unreadable)), "{bad:?}");
        }
    }
}
