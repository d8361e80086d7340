//! Names of header fields that others have: HTTP, proxies and the server itself. They have no case (RFC 9110 section 5.1).

/// Those that say for whom a proxy speaks, beside all that begin with `x-forwarded-`.
const SPEAK_FOR_OTHERS: [&str; 4] = ["client-cert", "client-cert-chain", "forwarded", "x-real-ip"];

/// Those of the message and the connection (RFC 9110, RFC 9112), and of proofs and cookies.
const OF_THE_MESSAGE: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Whether it says for whom a proxy speaks: such headers are weighed by the trusted proxies, and the gate takes them away
/// before it looks for credentials, so that no handler gets them.
pub(super) fn speaks_for_others(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-forwarded-") || SPEAK_FOR_OTHERS.contains(&&*name)
}

/// Whether a header is another's, so that no key arrives in it.
pub(crate) fn is_taken(name: &str) -> bool {
    speaks_for_others(name) || OF_THE_MESSAGE.contains(&&*name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_have_no_case() {
        for name in ["Forwarded", "X-Forwarded-For", "x-forwarded-anything", "X-Real-IP", "Client-Cert-Chain"]
        {
            assert!(speaks_for_others(name) && is_taken(name), "{name}");
        }
        for name in ["Host", "COOKIE", "Via", "DPoP"] {
            assert!(is_taken(name) && !speaks_for_others(name), "{name}");
        }
        for name in ["X-Api-Key", "x-forwarded", "Client", "Authorization-Key"] {
            assert!(!is_taken(name), "{name}");
        }
    }
}
