//! The signature layer (RFC 7515): compact text in, payload out, and only if it verifies.
//!
//! Rules:
//! 1. at most 8 KiB; exactly three parts; header and signature not empty;
//! 2. base64url without padding, without other characters, with zero trailing bits;
//! 3. the header's rules ([`super::header`]); its `alg` is on the list of the scheme;
//! 4. the key is found by `kid` and does that algorithm; the signature is of the first two parts as they were sent.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    algorithm::Allowed,
    header::Header,
    keys::{Check, KeyRing},
};
use crate::{authn::Reason, operation::Algorithm};

/// Largest accepted token.
pub(crate) const MAX_TOKEN: usize = 8 * 1024;

/// A token taken apart; nothing in it is to be believed.
pub(crate) struct Parts<'a> {
    signed: &'a [u8],
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes a token apart at its dots.
    pub(crate) fn split(token: &'a [u8]) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN {
            return Err(Reason::Malformed);
        }
        let mut dots = memchr::memchr_iter(b'.', token);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(Reason::Malformed);
        };
        let parts = || {
            let (signed, signature) = (token.get(..second)?, token.get(second + 1..)?);
            Some(Self {
                signed,
                header: token.get(..first)?,
                payload: token.get(first + 1..second)?,
                signature,
            })
        };
        let parts = parts().ok_or(Reason::Malformed)?;
        if parts.header.is_empty() || parts.signature.is_empty() {
            return Err(Reason::Malformed);
        }
        Ok(parts)
    }
}

impl Parts<'_> {
    /// The header as it was sent.
    pub(crate) const fn header(&self) -> &[u8] {
        self.header
    }

    /// The header, decoded.
    pub(crate) fn decoded_header(&self) -> Result<Vec<u8>, Reason> {
        URL_SAFE_NO_PAD.decode(self.header).map_err(|_| Reason::Malformed)
    }
}

/// Room for the decoded parts: one allocation a token.
pub(crate) struct Room(Vec<u8>);

impl Room {
    pub(crate) fn for_token(token: &[u8]) -> Self {
        Self(vec![0; token.len().min(MAX_TOKEN)])
    }
}

/// A payload whose signature has verified. Only [`verify`] makes one.
pub(crate) struct Verified<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) algorithm: Algorithm,
    pub(crate) key: &'a Arc<Check>,
}

/// Verifies a token that was taken apart, decoding it into `room`.
pub(crate) fn verify<'a>(
    parts: &Parts<'_>,
    room: &'a mut Room,
    allowed: Allowed,
    ring: &'a KeyRing,
    accept: impl FnOnce(&Header<'_>) -> Result<(), Reason>,
) -> Result<Verified<'a>, Reason> {
    let (header, rest) = decode(parts.header, &mut room.0)?;
    let header = Header::parse(header)?;
    if !allowed.contains(header.alg) {
        return Err(Reason::AlgorithmNotAllowed);
    }
    accept(&header)?;
    let key = ring.find(header.kid.as_deref(), header.alg)?;
    let algorithm = header.alg;
    Ok(Verified { payload: verified(parts, rest, key)?, algorithm, key })
}

/// The payload of a token whose header names `key`, once its signature has verified.
pub(crate) fn verify_by<'a>(parts: &Parts<'_>, room: &'a mut Room, key: &Check) -> Result<&'a [u8], Reason> {
    verified(parts, &mut room.0, key)
}

fn verified<'a>(parts: &Parts<'_>, room: &'a mut [u8], key: &Check) -> Result<&'a [u8], Reason> {
    let (signature, rest) = decode(parts.signature, room)?;
    match key.verify(parts.signed, signature) {
        true => {}
        false => return Err(Reason::BadSignature),
    }
    decode(parts.payload, rest).map(|(payload, _)| payload)
}

/// RFC 7515 section 2: base64url with all trailing `=` omitted. The engine also refuses trailing bits that are
/// not zero, so a token has one spelling only.
fn decode<'a>(text: &[u8], room: &'a mut [u8]) -> Result<(&'a [u8], &'a mut [u8]), Reason> {
    let (here, rest) = room.split_at_mut_checked(text.len()).ok_or(Reason::Malformed)?;
    let length = URL_SAFE_NO_PAD.decode_slice(text, here).map_err(|_| Reason::Malformed)?;
    Ok((here.get(..length).ok_or(Reason::Malformed)?, rest))
}

/// The signature layer alone, for suites whose payloads are no claims: `keys` is a JWK set or a JWK.
#[cfg(test)]
pub(super) fn verify_text(token: &str, keys: &str, algorithms: &[Algorithm]) -> Result<Vec<u8>, String> {
    let allowed = Allowed::new(algorithms).map_err(|bad| format!("{bad:?}"))?;
    let keys = super::JwkSet::from_json(keys).map_err(|error| error.to_string())?;
    let parts = Parts::split(token.as_bytes()).map_err(|reason| reason.code().to_owned())?;
    let mut room = Room::for_token(token.as_bytes());
    let verified = verify(&parts, &mut room, allowed, &keys.ring, |_| Ok(()));
    verified.map(|verified| verified.payload.to_vec()).map_err(|reason| reason.code().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: &str =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

    /// RFC 7515 appendix A.1 to A.3 and RFC 8037 appendix A.4: algorithm, key, token, payload.
    const VECTORS: [(Algorithm, &str, &str, &str); 4] = [
        (
            Algorithm::HS256,
            r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            PAYLOAD,
        ),
        (
            Algorithm::RS256,
            r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            PAYLOAD,
        ),
        (
            Algorithm::ES256,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            PAYLOAD,
        ),
        (
            Algorithm::EdDSA,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            "Example of Ed25519 signing",
        ),
    ];

    #[test]
    fn the_examples_of_the_standards_verify() {
        for (algorithm, key, token, payload) in VECTORS {
            assert_eq!(verify_text(token, key, &[algorithm]).unwrap(), payload.as_bytes(), "{algorithm:?}");
        }
    }

    #[test]
    fn no_example_verifies_with_another_key_or_algorithm() {
        for (algorithm, key, token, _) in VECTORS {
            for (other, other_key, ..) in VECTORS.iter().filter(|(other, ..)| *other != algorithm) {
                assert!(
                    verify_text(token, other_key, &[algorithm]).is_err(),
                    "{algorithm:?} with key of {other:?}"
                );
                assert!(
                    verify_text(token, key, &[*other]).is_err(),
                    "{algorithm:?} where {other:?} is listed"
                );
            }
        }
    }

    /// RFC 7515 appendix A.5.
    #[test]
    fn an_unsecured_token_is_refused() {
        let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
        for (algorithm, key, signed, _) in VECTORS {
            assert!(verify_text(token, key, &[algorithm]).is_err());
            let with_signature = format!("{token}{}", signed.rsplit('.').next().unwrap());
            assert_eq!(verify_text(&with_signature, key, &[algorithm]).unwrap_err(), "algorithm_not_allowed");
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let (algorithm, key, token, _) = VECTORS[3];
        for at in 0..token.len() {
            assert!(verify_text(&token[..at], key, &[algorithm]).is_err(), "cut at {at}");
            for bit in 0..7 {
                let mut bytes = token.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(verify_text(&changed, key, &[algorithm]).is_err(), "bit {bit} of {at}");
            }
        }
    }

    #[test]
    fn the_form_is_three_parts_of_strict_base64url() {
        let (algorithm, key, token, _) = VECTORS[3];
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        for bad in [
            String::new(),
            ".".into(),
            "..".into(),
            format!("{header}.{payload}"),
            format!("{token}."),
            format!("{token}.x"),
            format!("{token}.x.y"),
            format!(".{payload}.{signature}"),
            format!("{header}.{payload}."),
            format!("{token}=="),
            format!("{header}=.{payload}.{signature}"),
            format!(" {token}"),
            format!("{token}\n"),
            format!("{header}.{} .{signature}", payload),
            token.replace('-', "+").replace('_', "/"),
            token.to_uppercase(),
            format!("{token}\u{e9}"),
        ] {
            assert!(verify_text(&bad, key, &[algorithm]).is_err(), "{bad:?}");
        }
        // the last character of this signature has four bits that say nothing: only zeros are canonical
        let twin = format!("{}h", token.strip_suffix('g').unwrap());
        assert_eq!(verify_text(&twin, key, &[algorithm]).unwrap_err(), "malformed_credential");
    }

    #[test]
    fn a_token_has_a_length() {
        let (algorithm, key, ..) = VECTORS[3];
        let long = format!("{}.{}.{}", "e".repeat(MAX_TOKEN), "", "e");
        assert_eq!(verify_text(&long, key, &[algorithm]).unwrap_err(), "malformed_credential");
    }
}
