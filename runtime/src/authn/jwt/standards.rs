//! The examples of the standards that [`super::jws`] does not have at hand: what we refuse of RFC 7515 appendix A, the key
//! sets of RFC 7517 appendix A and RFC 8037 appendix A, the names of RFC 9864.

use serde_json::{Value, json};

use super::jws::verify_text;
use super::key_error::KeyError;
use super::key_set::{self, Origin};
use crate::operation::Algorithm;

/// RFC 7517 appendix A.1, the modulus of its second key, which RFC 7638 section 3.1 has as well.
const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// RFC 8037 appendix A.2.
const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// RFC 7517 appendix A.1.
fn public_keys() -> Value {
    json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
          "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" },
        { "kty": "RSA", "n": MODULUS, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" },
    ] })
}

#[test]
fn the_public_keys_of_rfc_7517_load_without_the_one_for_encryption() {
    for origin in [Origin::Local, Origin::Fetched] {
        let loaded = key_set::read(&public_keys().to_string(), origin).unwrap();
        assert_eq!(loaded.ring.kids().collect::<Vec<_>>(), [Some("2011-04-29")]);
        assert!(loaded.ring.does(Algorithm::RS256) && !loaded.ring.does(Algorithm::PS256));
        assert_eq!(loaded.left_out.len(), 1);
        assert_eq!(loaded.left_out[0].why, "its `use` is not `sig`");
    }
}

/// RFC 7517 appendix A.2: the same keys with their private members.
#[test]
fn the_private_keys_of_rfc_7517_do_not_load() {
    let mut keys = public_keys();
    keys["keys"][0]["d"] = json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
    keys["keys"][1]["d"] = json!(
        "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q"
    );
    assert!(matches!(key_set::read(&keys.to_string(), Origin::Local), Err(KeyError::PrivateKey)));
    assert!(matches!(key_set::read(&keys.to_string(), Origin::Fetched), Err(KeyError::NoUsableKey(_))));
}

/// RFC 7517 appendix A.3: a key that wraps others, and one for HMAC that says neither its algorithm nor its use.
#[test]
fn of_the_symmetric_keys_of_rfc_7517_one_loads_and_only_from_this_machine() {
    let keys = json!({ "keys": [
        { "kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg" },
        { "kty": "oct", "kid": "HMAC key used in JWS spec Appendix A.1 example",
          "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" },
    ] });
    let loaded = key_set::read(&keys.to_string(), Origin::Local).unwrap();
    assert_eq!(
        loaded.ring.kids().collect::<Vec<_>>(),
        [Some("HMAC key used in JWS spec Appendix A.1 example")]
    );
    assert_eq!(loaded.left_out[0].why, "its `alg` is not supported");
    assert!(key_set::read(&keys.to_string(), Origin::Fetched).is_err(), "published, it is no secret");
}

/// RFC 8037 appendices A.1, A.2 and A.6: the private key, the public key, and a key that agrees on keys.
#[test]
fn of_the_keys_of_rfc_8037_the_public_one_that_verifies_loads() {
    let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519 });
    assert!(key_set::read(&public.to_string(), Origin::Local).unwrap().ring.does(Algorithm::EdDSA));
    let mut private = public;
    private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    assert!(matches!(key_set::read(&private.to_string(), Origin::Local), Err(KeyError::PrivateKey)));
    let x25519 = json!({ "kty": "OKP", "crv": "X25519", "kid": "Bob", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08" });
    let Err(KeyError::NoUsableKey(left_out)) = key_set::read(&x25519.to_string(), Origin::Local) else {
        panic!("it is no key for signatures")
    };
    assert_eq!(left_out[0].why, "its `kty` or `crv` is not supported");
}

/// RFC 9864 section 2.2: one algorithm, in keys and in tokens, under its old name and its new one.
#[test]
fn ed25519_has_two_names() {
    // RFC 8037 appendix A.4
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    for name in ["EdDSA", "Ed25519"] {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": name, "x": ED25519 }).to_string();
        assert!(verify_text(token, &key, &[Algorithm::EdDSA]).is_ok(), "{name}");
    }
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed448", "x": ED25519 }).to_string();
    assert!(verify_text(token, &other, &[Algorithm::EdDSA]).is_err());
}

/// RFC 7515 appendix A.4: an algorithm that we do not take, whichever we list.
#[test]
fn the_example_of_es512_is_refused() {
    let key = json!({ "kty": "EC", "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2" });
    let Err(KeyError::NoUsableKey(left_out)) = key_set::read(&key.to_string(), Origin::Local) else {
        panic!("no algorithm of ours fits it")
    };
    assert_eq!(left_out[0].why, "its `crv` is not supported");
    let token = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    let ours = json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519 }).to_string();
    assert_eq!(verify_text(token, &ours, &[Algorithm::EdDSA]).unwrap_err(), "algorithm_not_allowed");
}

/// RFC 7515 appendix A.7: the same signature as in A.3, in the serialization that is JSON.
#[test]
fn the_json_serialization_is_refused() {
    let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let (protected, payload, signature) = (
        "eyJhbGciOiJFUzI1NiJ9",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    assert!(verify_text(&format!("{protected}.{payload}.{signature}"), key, &[Algorithm::ES256]).is_ok());
    let flattened = json!({ "payload": payload, "protected": protected, "signature": signature });
    assert!(verify_text(&flattened.to_string(), key, &[Algorithm::ES256]).is_err());
    // RFC 7515 appendix F: a payload that travels elsewhere is none of ours
    assert!(verify_text(&format!("{protected}..{signature}"), key, &[Algorithm::ES256]).is_err());
}
