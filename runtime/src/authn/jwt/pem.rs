//! Reads public keys in PEM (RFC 7468 section 13).

use jsonwebtoken::{DecodingKey, jwk::Jwk};

use super::{
    jwk::checks_of,
    key_error::KeyError,
    key_set::{LeftOut, Loaded, MAX_TEXT, Origin},
    keys::{Key, KeyRing, MAX_KEYS},
};

/// Reads PEM public keys (SPKI, or PKCS #1 for RSA), one or several in one text. They have no `kid`.
pub(crate) fn read(text: &str) -> Result<Loaded, KeyError> {
    if text.len() > MAX_TEXT {
        return Err(KeyError::TooLarge);
    }
    if text.contains("PRIVATE KEY") {
        return Err(KeyError::PrivateKey);
    }
    let mut keys = Vec::new();
    for block in text.split_inclusive("-----END PUBLIC KEY-----").flat_map(|part| {
        part.split_inclusive("-----END RSA PUBLIC KEY-----").filter(|block| block.contains("-----BEGIN"))
    }) {
        if !block.contains("-----BEGIN PUBLIC KEY-----") && !block.contains("-----BEGIN RSA PUBLIC KEY-----")
        {
            return Err(KeyError::NotAPublicKey);
        }
        let bytes = block.trim_start().as_bytes();
        let key = DecodingKey::from_ec_pem(bytes)
            .or_else(|_| DecodingKey::from_ed_pem(bytes))
            .or_else(|_| DecodingKey::from_rsa_pem(bytes))
            .map_err(|_| KeyError::NotAPublicKey)?;
        let jwk = Jwk::from_decoding_key(&key, None).map_err(|_| KeyError::NotAPublicKey)?;
        let jwk = serde_json::to_value(jwk).map_err(|_| KeyError::NotAPublicKey)?;
        let jwk = jwk.as_object().ok_or(KeyError::NotAPublicKey)?;
        match checks_of(jwk, Origin::Local, None) {
            Ok(checks) => keys.push(Key::new(None, checks)),
            Err(why) => return Err(KeyError::NoUsableKey(vec![LeftOut { kid: None, why }])),
        }
    }
    match keys.len() {
        0 => Err(KeyError::NotAPublicKey),
        1..=MAX_KEYS => {
            let ring = KeyRing::new(keys).map_err(|_| KeyError::Ambiguous)?;
            Ok(Loaded { ring, left_out: Vec::new() })
        }
        _ => Err(KeyError::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Algorithm;

    const EC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END PUBLIC KEY-----
";
    const ED_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
";

    #[test]
    fn pem_keys_are_read_alone_and_together() {
        assert!(read(EC_PEM).unwrap().ring.does(Algorithm::ES256));
        assert!(read(ED_PEM).unwrap().ring.does(Algorithm::EdDSA));
        let both = read(&format!("{EC_PEM}\n{ED_PEM}")).unwrap();
        assert_eq!(both.ring.len(), 2);
        assert!(matches!(read(&format!("{EC_PEM}{EC_PEM}")), Err(KeyError::Ambiguous)));
    }

    #[test]
    fn pem_that_is_no_public_key_is_refused() {
        let private = EC_PEM.replace("PUBLIC", "PRIVATE");
        assert!(matches!(read(&private), Err(KeyError::PrivateKey)));
        for bad in
            ["", "-----BEGIN PUBLIC KEY-----", &EC_PEM[..100], &EC_PEM.replace("PUBLIC KEY", "CERTIFICATE")]
        {
            assert!(matches!(read(bad), Err(KeyError::NotAPublicKey)), "{bad}");
        }
    }
}
