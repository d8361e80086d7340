//! What a token's issuer says of it, judged: the answers, without the calls.

use serde_json::{Value, json};

use super::*;
use crate::{
    authn::{
        Principal,
        certificate::{ClientCertificate, PeerCertificate},
    },
    clock::Clock,
    operation::Revocation,
    secret::Secret,
};

const NOW: u64 = 1_800_000_000;

const RULES: TokenRules = TokenRules {
    token: Token::Introspected { cache: None },
    issuer: Some("https://id.example.com"),
    audience: Some("bank-api"),
    leeway: std::time::Duration::from_secs(30),
    max_lifetime: None,
    scopes_claim: &["scope"],
    tenant_claim: &[],
    binding: Binding::None,
    revocation: Revocation::None,
};
static STATED: TokenRules = RULES;
static SILENT: TokenRules = TokenRules { issuer: None, audience: None, ..RULES };

fn far() -> Introspection {
    Introspection::new("https://id.example.com/i", "us", &Secret::new("secret".to_owned())).unwrap()
}

fn judge(rules: &'static TokenRules, answer: &Value) -> Result<Principal, Reason> {
    let introspector = Introspector::new("oauth", rules, far(), None).unwrap();
    let judged = introspector.judge_answer(
        "t",
        answer.to_string().as_bytes(),
        &Shown::nothing(),
        Clock::fixed(NOW).now().unwrap(),
    );
    judged.map(|judged| judged.principal)
}

fn whole() -> Value {
    json!({
        "active": true, "iss": "https://id.example.com", "aud": ["bank-api", "x"], "sub": "alice",
        "client_id": "app", "scope": "notes:read notes:write", "exp": NOW + 60, "iat": NOW - 60, "jti": "t1",
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut answer = whole();
    match value {
        Value::Null => _ = answer.as_object_mut().unwrap().remove(member),
        value => answer[member] = value,
    }
    answer
}

#[test]
fn a_whole_answer_makes_a_principal() {
    let principal = judge(&STATED, &whole()).unwrap();
    assert_eq!((principal.issuer(), principal.subject()), ("https://id.example.com", "alice"));
    assert!(principal.grants("notes:read") && !principal.grants("notes"));
    assert_eq!((principal.client_id(), principal.credential_id()), (Some("app"), Some("t1")));
    assert_eq!((principal.issued(), principal.expires()), (Some(NOW - 60), Some(NOW + 60)));
    assert_eq!((principal.kind(), principal.scheme()), (Kind::Introspected, "oauth"));
}

/// RFC 7662 section 2.2.
#[test]
fn the_example_of_the_standard_is_understood() {
    static EXAMPLE: TokenRules = TokenRules {
        issuer: Some("https://server.example.com/"),
        audience: Some("https://protected.example.net/resource"),
        ..RULES
    };
    let answer = r#"{
        "active": true, "client_id": "l238j323ds-23ij4", "username": "jdoe", "scope": "read write dolphin",
        "sub": "Z5O3upPC88QrAjx00dis", "aud": "https://protected.example.net/resource",
        "iss": "https://server.example.com/", "exp": 1419356238, "iat": 1419350238,
        "extension_field": "twenty-seven"
    }"#;
    let introspector = Introspector::new("oauth", &EXAMPLE, far(), None).unwrap();
    let at = |now: u64| {
        // a clock that was never set is no clock, so the reading is made as it was in 2014
        let now = crate::clock::Now::at(std::time::Duration::from_secs(now));
        let judged = introspector.judge_answer("t", answer.as_bytes(), &Shown::nothing(), now);
        judged.map(|judged| judged.principal)
    };
    let principal = at(1_419_350_300).unwrap();
    assert_eq!(principal.subject(), "Z5O3upPC88QrAjx00dis");
    assert!(["read", "write", "dolphin"].iter().all(|scope| principal.grants(scope)));
    assert_eq!(at(1_419_356_238 + 30).unwrap_err(), Reason::Expired);
}

#[test]
fn what_is_there_is_judged_like_a_signed_tokens_claims() {
    for (member, value, why) in [
        ("exp", json!(NOW - 30), Reason::Expired),
        ("nbf", json!(NOW + 31), Reason::NotYetValid),
        ("iat", json!(NOW + 31), Reason::IssuedInFuture),
        ("iss", json!("https://id.example.com/"), Reason::WrongIssuer),
        ("aud", json!("bank"), Reason::WrongAudience),
        ("cnf", json!({ "jkt": "x" }), Reason::BindingNotShown),
        ("nonce", json!("n"), Reason::IdToken),
    ] {
        assert_eq!(judge(&STATED, &with(member, value)).unwrap_err(), why, "{member}");
    }
    for member in ["exp", "iat", "client_id", "jti", "scope"] {
        assert!(judge(&STATED, &with(member, Value::Null)).is_ok(), "{member} may be left out");
    }
}

#[test]
fn who_is_named_must_be_there_and_who_is_not_need_not() {
    for member in ["iss", "aud", "sub"] {
        let missing = with(member, Value::Null);
        assert_eq!(judge(&STATED, &missing).unwrap_err(), Reason::MissingClaim, "{member}");
    }
    assert_eq!(judge(&STATED, &with("sub", json!(""))).unwrap_err(), Reason::MissingClaim);
    assert_eq!(judge(&SILENT, &with("sub", Value::Null)).unwrap_err(), Reason::MissingClaim);
    assert_eq!(judge(&SILENT, &with("aud", Value::Null)).unwrap().subject(), "alice");
    assert_eq!(judge(&SILENT, &with("iss", json!("https://b"))).unwrap().issuer(), "https://b");
    let own = judge(&SILENT, &with("iss", Value::Null)).unwrap();
    assert_eq!(own.issuer(), "urn:palisade:scheme:oauth");
    let ours = with("iss", json!("urn:palisade:scheme:partner"));
    assert_eq!(judge(&SILENT, &ours).unwrap_err(), Reason::WrongIssuer);
}

/// The answer can be read, and names none: that is known, and no failure of the issuer.
#[test]
fn an_answer_that_names_no_tenant_lets_nobody_in() {
    static TENANTS: TokenRules = TokenRules { tenant_claim: &["org_id"], ..STATED };
    let judge = |value| judge(&TENANTS, &with("org_id", value));
    assert_eq!(judge(json!("north")).unwrap().tenant(), Some("north"));
    for bad in [Value::Null, json!(""), json!(7), json!(["north"]), json!({}), json!(null)] {
        assert_eq!(judge(bad.clone()).unwrap_err(), Reason::NoTenant, "{bad}");
    }
}

#[test]
fn only_the_boolean_true_is_active() {
    assert_eq!(judge(&STATED, &with("active", json!(false))).unwrap_err(), Reason::Inactive);
    let whole = whole().to_string();
    let judged = |text: &str| {
        let introspector = Introspector::new("oauth", &STATED, far(), None).unwrap();
        let now = Clock::fixed(NOW).now().unwrap();
        introspector.judge_answer("t", text.as_bytes(), &Shown::nothing(), now).map(drop).err()
    };
    assert_eq!(judged(&whole), None);
    assert_eq!(judged(r#"{"active":false}"#), Some(Reason::Inactive));
    for none in [
        whole.replace("true", "\"true\""),
        whole.replace("true", "1"),
        whole.replace("true", "null"),
        whole.replace("active", "Active"),
        whole.replacen('{', r#"{"active":false,"#, 1),
        whole.replacen('{', r#"{"a":{"b":1,"b":2},"#, 1),
        whole.replacen('{', r#"{"token_type":7,"#, 1),
        format!("[{whole}]"),
        format!("{whole} x"),
        "{}".to_owned(),
        "true".to_owned(),
        String::new(),
    ] {
        assert_eq!(judged(&none), Some(Reason::IntrospectionUnavailable), "{none}");
    }
}

/// RFC 9449 section 6.2.
#[test]
fn a_token_is_of_the_type_that_it_comes_under() {
    for (word, named, good) in [
        ("Bearer", "bearer", true),
        ("Bearer", "DPoP", false),
        ("DPoP", "dpop", true),
        ("DPoP", "Bearer", false),
    ] {
        let mut far = far();
        far.word = word;
        let introspector = Introspector::new("oauth", &STATED, far, None).unwrap();
        let (answer, now) = (with("token_type", json!(named)), Clock::fixed(NOW).now().unwrap());
        let judged = introspector.judge_answer("t", answer.to_string().as_bytes(), &Shown::nothing(), now);
        assert_eq!(judged.map(drop).err(), (!good).then_some(Reason::Inactive), "{word} {named}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_says_nothing_about_the_token() {
    for (member, value) in [
        ("exp", json!("soon")),
        ("iss", json!(["x"])),
        ("aud", json!(7)),
        ("scope", json!({})),
        ("sub", json!(1)),
    ] {
        let reason = judge(&STATED, &with(member, value)).unwrap_err();
        assert_eq!(reason, Reason::IntrospectionUnavailable, "{member}");
    }
}

#[test]
fn a_lifetime_and_a_binding_are_asked_for_where_the_document_does() {
    static SHORT: TokenRules = TokenRules { max_lifetime: Some(std::time::Duration::from_secs(59)), ..RULES };
    assert_eq!(judge(&SHORT, &whole()).unwrap_err(), Reason::TooOld);
    assert_eq!(judge(&SHORT, &with("iat", Value::Null)).unwrap_err(), Reason::MissingClaim);
    assert!(judge(&SHORT, &with("iat", json!(NOW))).is_ok());
    static BOUND: TokenRules = TokenRules { binding: Binding::Certificate, ..RULES };
    assert_eq!(judge(&BOUND, &whole()).unwrap_err(), Reason::NotBound);
    // RFC 8705 section 3.2; SHA-256 of `abc`
    let bound = with("cnf", json!({ "x5t#S256": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" }));
    let shown = |der: &[u8]| ClientCertificate::Whole(PeerCertificate::new(vec![der.to_vec()]).unwrap());
    let introspector = Introspector::new("oauth", &BOUND, far(), None).unwrap();
    let (answer, now) = (bound.to_string(), Clock::fixed(NOW).now().unwrap());
    let judge = |certificate: &ClientCertificate| {
        let shown = Shown { certificate: Some(certificate), ..Shown::nothing() };
        introspector.judge_answer("t", answer.as_bytes(), &shown, now).map(|judged| judged.principal)
    };
    assert!(judge(&shown(b"abc")).is_ok());
    assert_eq!(judge(&shown(b"abd")).unwrap_err(), Reason::BindingMismatch);
}

#[test]
fn document_and_configuration_agree() {
    let faults = |rules: &'static TokenRules, far| Introspector::new("oauth", rules, far, None).err();
    assert_eq!(faults(&STATED, far().issuer("https://id.example.com").audience("bank-api")), None);
    assert_eq!(
        faults(&STATED, far().issuer("https://x").audience("y")),
        Some(vec![Fault::OtherIssuer, Fault::OtherAudience])
    );
    assert_eq!(faults(&SILENT, far()), None);
    assert_eq!(
        faults(&SILENT, far().issuer("").audience("")),
        Some(vec![Fault::NoIssuer, Fault::NoAudience])
    );
    assert_eq!(faults(&SILENT, far().issuer("urn:palisade:scheme:x")), Some(vec![Fault::ReservedIssuer]));
    const fn tolerant(seconds: u64) -> TokenRules {
        TokenRules { leeway: std::time::Duration::from_secs(seconds), ..RULES }
    }
    static MOST: TokenRules = tolerant(120);
    static MORE: TokenRules = tolerant(121);
    assert_eq!((faults(&MOST, far()), faults(&MORE, far())), (None, Some(vec![Fault::Leeway])));
    static PROVED: TokenRules = TokenRules { binding: Binding::Proof { nonce: false }, ..RULES };
    assert_eq!(faults(&PROVED, far()), Some(vec![Fault::NoPublicOrigin]), "nobody could judge the proofs");
}

#[test]
fn nobody_is_asked_about_what_is_no_token() {
    for good in ["abc", "a.b-c_d~e+f/g==", "2YotnFZFEjr1zCsicMWpAA"] {
        assert_eq!(well_formed(good.as_bytes()), Some(good));
    }
    let long = "a".repeat(MAX_TOKEN + 1);
    for bad in ["", "=", "a=b", "a b", "a&token=b", "\u{e4}", "a\"", &long] {
        assert_eq!(well_formed(bad.as_bytes()), None, "{bad:.20}");
    }
    assert_eq!(well_formed(&[0xff]), None);
}
