use super::*;

const NOW: f64 = 1_800_000_000.0;

fn expected() -> Expected<'static> {
    Expected {
        issuer: Some("https://id.example.com"),
        audience: Some("bank-api"),
        leeway: 30.0,
        max_lifetime: Some(3600.0),
        scopes_claim: &["scope"],
        tenant_claim: &[],
        profile: Profile::AccessToken,
    }
}

/// The good claims with some members replaced; a value of "" takes the member out.
fn claims(changes: &[(&str, &str)]) -> String {
    let mut members = vec![
        ("iss", r#""https://id.example.com""#),
        ("aud", r#""bank-api""#),
        ("sub", r#""alice""#),
        ("client_id", r#""app""#),
        ("jti", r#""t1""#),
        ("scope", r#""a b""#),
        ("iat", "1799999990"),
        ("exp", "1800000600"),
    ];
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        if !value.is_empty() {
            members.push((name, value));
        }
    }
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn outcome(changes: &[(&str, &str)]) -> Result<String, Reason> {
    judge(claims(changes).as_bytes(), &expected(), NOW).map(|accepted| accepted.scopes.into_owned())
}

#[test]
fn good_claims_are_accepted() {
    let text = claims(&[]);
    let accepted = judge(text.as_bytes(), &expected(), NOW).unwrap();
    assert_eq!(
        (&*accepted.subject, &*accepted.scopes, accepted.client.as_deref()),
        ("alice", "a b", Some("app"))
    );
    assert_eq!(accepted.expires, Some(1_800_000_600.0));
    assert!(outcome(&[("aud", r#"["x","bank-api"]"#), ("other", r#"{"a":[1,{"b":null}]}"#)]).is_ok());
}

#[test]
fn times_are_judged_to_the_second() {
    for (change, wanted) in [
        // expired on or after, with the leeway of 30 s
        (("exp", "1799999971"), Ok(())),
        (("exp", "1799999970"), Err(Reason::Expired)),
        (("exp", "1799999970.5"), Ok(())),
        (("exp", "0"), Err(Reason::Expired)),
        (("exp", "-9223372036854775808"), Err(Reason::Expired)),
        (("exp", "1e308"), Ok(())),
        (("exp", "18446744073709551616"), Ok(())),
        (("exp", ""), Err(Reason::MissingClaim)),
        (("nbf", "1800000030"), Ok(())),
        (("nbf", "1800000031"), Err(Reason::NotYetValid)),
        (("nbf", "9223372036854775808"), Err(Reason::NotYetValid)),
        (("iat", "1800000030"), Ok(())),
        (("iat", "1800000031"), Err(Reason::IssuedInFuture)),
        (("iat", "1799996400"), Ok(())),
        (("iat", "1799996399"), Err(Reason::TooOld)),
    ] {
        assert_eq!(outcome(&[change]).map(|_| ()), wanted, "{change:?}");
    }
}

#[test]
fn a_time_is_a_number_and_nothing_else() {
    for name in ["exp", "nbf", "iat"] {
        for bad in ["\"1800000600\"", "null", "true", "[1800000600]", "{}", "NaN", "01", "-1e400", "1e400"] {
            assert_eq!(outcome(&[(name, bad)]), Err(Reason::Malformed), "{name} {bad}");
        }
    }
}

#[test]
fn the_issuer_is_one_string_and_exact() {
    for (iss, reason) in [
        (r#""https://id.example.com/""#, Reason::WrongIssuer),
        (r#""https://ID.example.com""#, Reason::WrongIssuer),
        (r#""https://id.example.com ""#, Reason::WrongIssuer),
        (r#""https://id.example.com#x""#, Reason::WrongIssuer),
        (r#"["https://id.example.com"]"#, Reason::Malformed),
        ("7", Reason::Malformed),
        ("null", Reason::Malformed),
        ("", Reason::MissingClaim),
    ] {
        assert_eq!(outcome(&[("iss", iss)]), Err(reason), "{iss}");
    }
    assert!(outcome(&[("iss", r#""https:\/\/id.example.com""#)]).is_ok(), "an escape is no other text");
}

#[test]
fn the_audience_contains_ours() {
    for (aud, reason) in [
        (r#""other""#, Reason::WrongAudience),
        (r#""BANK-API""#, Reason::WrongAudience),
        (r#""bank-api2""#, Reason::WrongAudience),
        (r#""bank-api other""#, Reason::WrongAudience),
        (r#""*""#, Reason::WrongAudience),
        ("[]", Reason::WrongAudience),
        (r#"["bank-api",7]"#, Reason::Malformed),
        (r#"[["bank-api"]]"#, Reason::Malformed),
        ("7", Reason::Malformed),
        ("null", Reason::Malformed),
        ("", Reason::MissingClaim),
    ] {
        assert_eq!(outcome(&[("aud", aud)]), Err(reason), "{aud}");
    }
}

#[test]
fn an_access_token_has_all_its_claims() {
    for name in ["sub", "client_id", "jti", "iat"] {
        assert_eq!(outcome(&[(name, "")]), Err(Reason::MissingClaim), "{name}");
        assert!(outcome(&[(name, "null")]).is_err(), "{name}");
    }
    for name in ["sub", "client_id", "jti"] {
        assert_eq!(outcome(&[(name, "\"\"")]), Err(Reason::MissingClaim), "{name}");
    }
    assert_eq!(outcome(&[("sub", "7")]), Err(Reason::Malformed));
    let plain = Expected { profile: Profile::Signed, max_lifetime: None, ..expected() };
    let sparse = claims(&[("client_id", ""), ("jti", ""), ("iat", "")]);
    assert!(judge(sparse.as_bytes(), &plain, NOW).is_ok());
    let nobody = claims(&[("sub", "")]);
    assert_eq!(judge(nobody.as_bytes(), &plain, NOW).unwrap_err(), Reason::MissingClaim);
}

#[test]
fn an_age_that_is_bounded_must_be_known() {
    let plain = Expected { profile: Profile::Signed, ..expected() };
    let ageless = claims(&[("iat", "")]);
    assert_eq!(judge(ageless.as_bytes(), &plain, NOW).unwrap_err(), Reason::MissingClaim);
}

#[test]
fn an_id_token_is_refused() {
    let plain = Expected { profile: Profile::Signed, ..expected() };
    for (name, value) in [("nonce", r#""n""#), ("at_hash", r#""h""#)] {
        let text = claims(&[(name, value)]);
        assert_eq!(judge(text.as_bytes(), &plain, NOW).unwrap_err(), Reason::IdToken, "{name}");
        assert!(judge(text.as_bytes(), &expected(), NOW).is_ok(), "typed as an access token");
    }
}

#[test]
fn what_a_token_is_bound_to_comes_out() {
    let bound = |cnf: &str| {
        let text = claims(&[("cnf", cnf)]);
        let accepted = judge(text.as_bytes(), &expected(), NOW)?;
        let confirmation = accepted.confirmation;
        Ok(confirmation.map(|bound| (bound.certificate.map(Cow::into_owned), bound.others)))
    };
    let to = |certificate: &str, others| Ok(Some((Some(certificate.to_owned()), others)));
    assert_eq!(bound(""), Ok(None));
    assert_eq!(bound(r##"{"x5t#S256":"abc"}"##), to("abc", false));
    assert_eq!(bound(r##"{"x5t#S256":"abc","kid":"x"}"##), to("abc", true));
    assert_eq!(bound(r#"{"jwk":{"kty":"EC"}}"#), Ok(Some((None, true))));
    assert_eq!(bound("{}"), Ok(Some((None, false))), "bound, and to nothing that could be shown");
    for (bad, why) in [
        ("null", Reason::Malformed),
        (r#""abc""#, Reason::Malformed),
        (r##"{"x5t#S256":null}"##, Reason::Malformed),
        (r##"{"x5t#S256":"a","x5t#S256":"a"}"##, Reason::DuplicateMember),
        (r#"{"a":1,"a":1}"#, Reason::DuplicateMember),
    ] {
        assert_eq!(bound(bad), Err(why), "{bad}");
    }
}

#[test]
fn scopes_are_words_or_the_token_is_refused() {
    for (scope, wanted) in [
        (r#""a b""#, Ok("a b")),
        (r#"["a","b"]"#, Ok("a b")),
        (r#""""#, Ok("")),
        ("[]", Ok("")),
        ("", Ok("")),
        (r#"["a b"]"#, Err(Reason::Malformed)),
        (r#"["a",""]"#, Err(Reason::Malformed)),
        (r#"["a",1]"#, Err(Reason::Malformed)),
        (r#"{"a":true}"#, Err(Reason::Malformed)),
        ("true", Err(Reason::Malformed)),
        ("null", Err(Reason::Malformed)),
    ] {
        assert_eq!(outcome(&[("scope", scope)]), wanted.map(str::to_owned), "{scope}");
    }
    assert_eq!(outcome(&[("scope", ""), ("Scope", r#""a""#)]), Ok(String::new()));
}

#[test]
fn scopes_can_stand_deeper() {
    let nested = Expected { scopes_claim: &["realm_access", "roles"], ..expected() };
    let judge = |value: &str| {
        let text = claims(&[("realm_access", value)]);
        judge(text.as_bytes(), &nested, NOW).map(|accepted| accepted.scopes.into_owned())
    };
    assert_eq!(judge(r#"{"x":1,"roles":["clerk","boss"]}"#), Ok("clerk boss".to_owned()));
    assert_eq!(judge(r#"{"x":1}"#), Ok(String::new()));
    assert_eq!(judge(r#"{"roles":["a"],"roles":["b"]}"#), Err(Reason::DuplicateMember));
    assert_eq!(judge(r#"{"roles":{"a":1}}"#), Err(Reason::Malformed));
    assert_eq!(judge(r#"["roles"]"#), Err(Reason::Malformed));
    assert_eq!(judge("null"), Err(Reason::Malformed));
}

fn tenant(path: &[&str], changes: &[(&str, &str)]) -> Result<Option<String>, Reason> {
    let expected = Expected { tenant_claim: path, ..expected() };
    judge(claims(changes).as_bytes(), &expected, NOW).map(|accepted| accepted.tenant.map(Into::into))
}

#[test]
fn a_tenant_is_one_text_and_nobody_without_it_gets_in() {
    let of = |value: &str| tenant(&["org_id"], &[("org_id", value)]);
    assert_eq!(of(r#""north""#), Ok(Some("north".to_owned())));
    assert_eq!(of(r#""n\u006frth""#), Ok(Some("north".to_owned())));
    let longest = "x".repeat(256);
    assert_eq!(of(&format!("\"{longest}\"")), Ok(Some(longest.clone())));
    let longer = format!("\"{longest}x\"");
    for bad in
        ["", r#""""#, "null", "7", "-7", "7.5", "true", r#"["north"]"#, r#"{"id":"north"}"#, "[]", &longer]
    {
        assert_eq!(of(bad), Err(Reason::NoTenant), "{bad}");
    }
    assert_eq!(tenant(&["org_id"], &[("Org_id", r#""north""#)]), Err(Reason::NoTenant));
    assert_eq!(tenant(&[], &[("org_id", r#""north""#)]), Ok(None), "where nobody asks");
    // what is read over is still read
    assert_eq!(of(r#"{"a":1,"a":1}"#), Err(Reason::DuplicateMember));
    assert_eq!(of(r#"[{"a":1,"a":1}]"#), Err(Reason::DuplicateMember));
    let twice = claims(&[("org_id", r#""north""#)]).replacen('{', r#"{"org_id":"south","#, 1);
    let expected = Expected { tenant_claim: &["org_id"], ..expected() };
    assert_eq!(judge(twice.as_bytes(), &expected, NOW).unwrap_err(), Reason::DuplicateMember);
}

#[test]
fn a_tenant_can_stand_deeper_and_beside_the_scopes() {
    let of = |value: &str| tenant(&["org", "id"], &[("org", value)]);
    assert_eq!(of(r#"{"x":1,"id":"north"}"#), Ok(Some("north".to_owned())));
    for bad in [r#""north""#, "null", r#"{"x":"north"}"#, r#"{"id":{"id":"north"}}"#, r#"["id"]"#] {
        assert_eq!(of(bad), Err(Reason::NoTenant), "{bad}");
    }
    assert_eq!(of(r#"{"id":"north","id":"south"}"#), Err(Reason::DuplicateMember));
    let both =
        Expected { scopes_claim: &["realm", "roles"], tenant_claim: &["realm", "org", "id"], ..expected() };
    let judge = |value: &str| {
        let text = claims(&[("realm", value)]);
        judge(text.as_bytes(), &both, NOW)
            .map(|accepted| (accepted.scopes.into_owned(), accepted.tenant.unwrap().into_owned()))
    };
    let wanted = Ok(("clerk boss".to_owned(), "north".to_owned()));
    assert_eq!(judge(r#"{"roles":["clerk","boss"],"org":{"id":"north"}}"#), wanted);
    assert_eq!(judge(r#"{"org":{"id":"north"},"roles":"clerk boss"}"#), wanted);
    assert_eq!(judge(r#"{"roles":"clerk"}"#), Err(Reason::NoTenant));
    assert_eq!(judge(r#"{"roles":7,"org":{"id":"north"}}"#), Err(Reason::Malformed), "that are no scopes");
    assert_eq!(judge("7"), Err(Reason::Malformed));
}

/// The reason of a token that is bad otherwise stays its own.
#[test]
fn an_expired_token_without_a_tenant_is_expired() {
    assert_eq!(tenant(&["org_id"], &[("exp", "1799999970")]), Err(Reason::Expired));
}

#[test]
fn a_member_twice_is_refused_at_every_level() {
    let once = claims(&[]);
    let body = once.trim_end_matches('}');
    for more in [
        r#""iss":"https://id.example.com""#,
        r#""sub":"root""#,
        r#""exp":1800000600"#,
        r#""aud":"bank-api""#,
        r#""scope":"""#,
        r#""\u0073ub":"root""#,
        r#""x":1,"x":1"#,
        r#""x":{"a":1,"a":1}"#,
    ] {
        let twice = format!("{body},{more}}}");
        assert_eq!(judge(twice.as_bytes(), &expected(), NOW).unwrap_err(), Reason::DuplicateMember, "{more}");
    }
}

#[test]
fn a_payload_is_one_object() {
    for bad in ["", "[]", "\"x\"", "7", "null", "{}{}", "{} x", "\u{feff}{}", "{\"iss\":"] {
        assert_eq!(judge(bad.as_bytes(), &expected(), NOW).unwrap_err(), Reason::Malformed, "{bad}");
    }
    assert_eq!(judge(b"{}", &expected(), NOW).unwrap_err(), Reason::MissingClaim);
    assert_eq!(judge(&[b'{', 0xff, b'}'], &expected(), NOW).unwrap_err(), Reason::Malformed);
}

/// RFC 8705 section 3.1, figure 2.
#[test]
fn the_certificate_that_a_token_is_bound_to_is_read() {
    const FIGURE: &str = r#"{
        "iss": "https://server.example.com",
        "sub": "ty.webb@example.com",
        "exp": 1493726400,
        "nbf": 1493722800,
        "cnf":{
          "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"
        }
    }"#;
    let expected = Expected {
        issuer: Some("https://server.example.com"),
        audience: None,
        max_lifetime: None,
        profile: Profile::Signed,
        ..expected()
    };
    let accepted = judge(FIGURE.as_bytes(), &expected, 1_493_722_801.0).unwrap();
    let confirmation = accepted.confirmation.unwrap();
    assert_eq!(confirmation.certificate.as_deref(), Some("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"));
    assert!(confirmation.key.is_none() && !confirmation.others);
}
