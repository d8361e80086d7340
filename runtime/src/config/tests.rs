use super::key::{SCHEME, TOP};
use super::schemes::{INTROSPECTED, MUTUAL_TLS};
use super::*;
use crate::{Clock, NewKey};

/// A folder with a key set, a file of API keys and a configuration.
struct Project {
    folder: tempfile::TempDir,
}

const CURSOR: &str = "2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "jwks.json",
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        );
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        let made = NewKey::generate("bank_live", "acme", &[], now, None).unwrap();
        write("partner.keys", &made.record.to_line());
        write("cursor.keys", CURSOR);
        Self { folder }
    }

    fn read(&self, text: &str, variables: &[(&str, &str)]) -> Result<Config, LoadError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let path = self.folder.path().join("palisade.toml");
        Config::read(&path, text, variables.collect(), Faults::default())
    }

    /// The words of every fault.
    fn faults(&self, text: &str, variables: &[(&str, &str)]) -> String {
        self.read(text, variables).unwrap_err().to_string()
    }
}

const WHOLE: &str = r#"
    listen = "127.0.0.1:9000"
    state = "memory"
    trusted_proxies = ["10.0.0.0/8"]
    cursor_keys_file = "cursor.keys"
    mock_owner = "alice"
    [schemes.oauth]
    jwks_file = "jwks.json"
    issuer = "https://id.example.com"
    audience = "bank-api"
    loopback_only = true
    [schemes.partner]
    credential_file = "partner.keys"
"#;

#[test]
fn a_whole_configuration_gives_its_parts() {
    let project = Project::new();
    let config = project.read(WHOLE, &[]).unwrap();
    assert_eq!((config.listen().port(), config.mock_owner()), (9000, Some("alice")));
    let jwt = config.bearer("oauth").unwrap();
    assert_eq!(
        (jwt.issuer.as_deref(), jwt.audience.as_deref()),
        (Some("https://id.example.com"), Some("bank-api"))
    );
    assert!(jwt.loopback_only);
    assert!(config.api_keys("partner").is_ok() && config.cursor_keys().is_ok());
    assert_eq!(project.read("", &[]).unwrap().listen(), "127.0.0.1:8080".parse().unwrap());
}

#[test]
fn a_variable_wins_over_the_file() {
    let project = Project::new();
    let variables = [
        ("PALISADE_LISTEN", "[::1]:7000"),
        ("PALISADE_SCHEMES_OAUTH_ISSUER", "https://other.example.com"),
        ("PALISADE_SCHEMES_OAUTH_LOOPBACK_ONLY", "false"),
        ("PALISADE_CURSOR_KEYS", CURSOR),
        ("PALISADE_MOCK_OWNER", "bob"),
    ];
    let config = project.read(WHOLE, &variables).unwrap();
    assert_eq!((config.listen().port(), config.mock_owner()), (7000, Some("bob")));
    assert_eq!(config.readiness_listen(), None);
    let jwt = config.bearer("oauth").unwrap();
    assert_eq!((jwt.issuer.as_deref(), jwt.loopback_only), (Some("https://other.example.com"), false));
    assert!(config.cursor_keys().is_ok(), "the variable replaces the file's other way to say it");
}

/// What the file can say, variables can say alone.
#[test]
fn every_key_has_a_variable_that_does_the_same() {
    let project = Project::new();
    let top = [
        ("listen", "127.0.0.1:9000"),
        ("readiness_listen", "127.0.0.1:9001"),
        ("state", "memory"),
        ("state_file", "server.state"),
        ("state_url", "redis://127.0.0.1"),
        ("state_records", "1000"),
        ("answer_keys", CURSOR),
        ("answer_keys_file", "cursor.keys"),
        ("limits_url", "redis://127.0.0.1"),
        ("limits_instances", "3"),
        ("trusted_proxies", "10.0.0.0/8,192.0.2.1"),
        ("proxy_protocol_from", "10.1.0.0/16,192.0.2.2"),
        ("forwarded_header", "forwarded"),
        ("client_certificates_from_proxies", "true"),
        ("public_origin", "https://api.example.com"),
        ("tls_certificate_file", "chain.pem"),
        ("tls_key_file", "key.pem"),
        ("cursor_keys", CURSOR),
        ("cursor_keys_file", "cursor.keys"),
        ("api_key_pepper_file", "cursor.keys"),
        ("mock_owner", "alice"),
    ];
    let scheme = [
        ("jwks_file", "jwks.json"),
        ("jwks_url", "https://id.example.com/keys"),
        ("discover", "openid"),
        ("introspection_url", "https://id.example.com/introspect"),
        ("client_id", "us"),
        ("client_secret", "hunter2"),
        ("client_secret_file", "secret"),
        ("introspection_token", "hunter2"),
        ("introspection_token_file", "secret"),
        ("issuer", "https://id.example.com"),
        ("audience", "bank-api"),
        ("loopback_only", "true"),
        ("credential_file", "partner.keys"),
        ("roots_file", "roots.pem"),
        ("revocation_lists_file", "lists.pem"),
        ("only_granted", "true"),
    ];
    assert_eq!(top.map(|(name, _)| name), TOP.map(|(name, _)| name), "every key is tried");
    assert_eq!(scheme.map(|(name, _)| name), SCHEME.map(|(name, _)| name), "every key is tried");

    for (name, value) in top {
        let variable = (&*Key::top(name).variable(), value);
        // one of them is no use without the other
        let beside = match name {
            "limits_url" => "limits_instances = 2",
            "limits_instances" => "limits_url = 'redis://127.0.0.1'",
            _ => "",
        };
        assert!(project.read(beside, &[variable]).is_ok(), "{name}");
    }
    let variables: Vec<(String, &str)> = top
        .into_iter()
        .filter(|(name, _)| {
            !matches!(*name, "cursor_keys_file" | "answer_keys_file" | "state_file" | "state_url")
        })
        .map(|(name, value)| (Key::top(name).variable(), value))
        .chain(
            scheme
                .into_iter()
                .filter(|(name, _)| {
                    !MUTUAL_TLS.contains(name)
                        && !INTROSPECTED.contains(name)
                        && !matches!(*name, "jwks_url" | "discover" | "credential_file")
                })
                .map(|(name, value)| (Key::of("oauth", name).variable(), value)),
        )
        .chain([(Key::of("partner", "credential_file").variable(), "partner.keys")])
        .collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, *value)).collect();
    let config = project.read("", &variables).unwrap();
    assert_eq!((config.listen().port(), config.mock_owner()), (9000, Some("alice")));
    let settings = &config.settings;
    assert!(settings.trusted_proxies.contain("192.0.2.1".parse().unwrap()));
    assert!(settings.proxy_protocol.contain("192.0.2.2".parse().unwrap()));
    assert_eq!(settings.forwarded, crate::ForwardedHeader::Forwarded);
    assert!(settings.client_certificates);
    assert_eq!(settings.public_origin, crate::origin::PublicOrigin::parse("https://api.example.com"));
    let jwt = config.bearer("oauth").unwrap();
    let (issuer, audience) = (jwt.issuer.as_deref(), jwt.audience.as_deref());
    assert_eq!((issuer, audience), (Some("https://id.example.com"), Some("bank-api")));
    assert!(jwt.loopback_only && config.cursor_keys().is_ok() && config.api_keys("partner").is_ok());
    let from_file = project.read("", &[("PALISADE_CURSOR_KEYS_FILE", "cursor.keys")]).unwrap();
    assert!(from_file.cursor_keys().is_ok());
    #[cfg(feature = "outbound")]
    {
        let fetched = [("PALISADE_SCHEMES_OAUTH_JWKS_URL", "https://id.example.com/keys")];
        assert!(project.read("", &fetched).unwrap().bearer("oauth").is_ok());
    }
}

#[cfg(feature = "outbound")]
#[test]
fn an_issuer_is_asked_where_its_keys_are_when_it_is_named() {
    let project = Project::new();
    let read = |text: &str| {
        let config = project.read(text, &[]).unwrap();
        config.bearer("oauth").map(|jwt| jwt.keys.discovered_issuer().map(str::to_owned))
    };
    let issuer = "issuer = \"https://id.example.com\"";
    for form in ["openid", "oauth"] {
        let found = read(&format!("[schemes.oauth]\ndiscover = \"{form}\"\n{issuer}"));
        assert_eq!(found.unwrap().as_deref(), Some("https://id.example.com"));
    }
    for (text, why) in [
        ("discover = \"openid\"".to_owned(), "needs `schemes.oauth.issuer`"),
        (format!("discover = \"oidc\"\n{issuer}"), "neither `openid` nor `oauth`"),
        (format!("discover = \"openid\"\njwks_file = \"jwks.json\"\n{issuer}"), "both given"),
        (format!("jwks_file = \"jwks.json\"\nclient_id = \"us\"\n{issuer}"), "means nothing"),
    ] {
        let error = read(&format!("[schemes.oauth]\n{text}")).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[cfg(feature = "outbound")]
#[test]
fn whoever_is_asked_about_tokens_knows_us() {
    let project = Project::new();
    fs::write(project.folder.path().join("secret"), "hunter2\n").unwrap();
    fs::write(project.folder.path().join("empty"), "\n").unwrap();
    let read = |text: &str, variables: &[(&str, &str)]| {
        project.read(&format!("[schemes.opaque]\n{text}"), variables).unwrap().introspection("opaque")
    };
    let whole = "introspection_url = \"https://id.example.com/introspect\"\nclient_id = \"us\"";
    let made = read(&format!("{whole}\nclient_secret_file = \"secret\"\nissuer = \"https://id\""), &[]);
    assert!(!format!("{:?}", made.unwrap()).contains("hunter2"));
    let token = "introspection_url = \"https://id.example.com/introspect\"\nintrospection_token";
    let made = read(&format!("{token}_file = \"secret\""), &[]);
    assert!(!format!("{:?}", made.unwrap()).contains("hunter2"));
    assert!(read(&format!("{token} = \"hunter2\""), &[]).is_ok());
    let variable = [("PALISADE_SCHEMES_OPAQUE_CLIENT_SECRET", "hunter2")];
    assert!(read(&format!("{whole}\nclient_secret_file = \"nowhere\""), &variable).is_ok());
    for (text, why) in [
        (String::new(), "introspection_url"),
        (whole.to_owned(), "client_secret_file"),
        (format!("{whole}\nclient_secret_file = \"nowhere\""), "cannot be read"),
        (format!("{whole}\nclient_secret_file = \"empty\""), "no secret"),
        (format!("{whole}\nclient_secret = \"x\"\nclient_secret_file = \"secret\""), "both given"),
        (format!("{token} = \"x\"\nintrospection_token_file = \"secret\""), "both given"),
        (format!("{token}_file = \"empty\""), "no secret"),
        (format!("{token} = \"x\"\nclient_id = \"us\""), "means nothing beside"),
        (format!("{whole}\nclient_secret = \"x\"\njwks_file = \"jwks.json\""), "means nothing"),
        (
            "introspection_url = \"http://id.example.com\"\nclient_id = \"a\"\nclient_secret = \"b\""
                .to_owned(),
            "must be `https`",
        ),
    ] {
        let error = read(&text, &[]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_scheme_may_come_from_variables_alone() {
    let project = Project::new();
    let config = project.read("", &[("PALISADE_SCHEMES_MY_AUTH_JWKS_FILE", "jwks.json")]).unwrap();
    assert!(config.bearer("my-auth").is_ok());
    assert!(config.bearer("other").is_err());
}

#[test]
fn faults_come_all_at_once_and_say_what_was_meant() {
    let project = Project::new();
    let text = r#"
        listn = "x"
        listen = "nowhere"
        state = "redis"
        limits_url = "redis://10.0.0.5"
        trusted_proxies = ["0.0.0.0/0"]
        proxy_protocol_from = ["everybody"]
        public_origin = "https://api.example.com/v1"
        [schemes.oauth]
        jwks_fil = "x"
        issuer = 7
    "#;
    let error = project.read(text, &[]).unwrap_err();
    assert_eq!(error.count(), 9);
    let words = error.to_string();
    assert_eq!(format!("{error:?}"), words, "a `main` that returns it says the same");
    for part in [
        "palisade.toml",
        "unknown key `listn`, did you mean `listen`?",
        "`listen` (or the variable PALISADE_LISTEN)",
        "`redis` is no engine",
        "`limits_instances` (or the variable PALISADE_LIMITS_INSTANCES): is missing",
        "`https://api.example.com/v1` is no origin",
        "unknown key `schemes.oauth.jwks_fil`, did you mean `schemes.oauth.jwks_file`?",
        "PALISADE_SCHEMES_OAUTH_ISSUER): is no string",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn a_variable_that_is_nearly_known_is_refused_and_a_strange_one_is_not_ours() {
    let project = Project::new();
    assert!(project.faults("", &[("PALISADE_LISTN", "x")]).contains("did you mean PALISADE_LISTEN?"));
    assert!(
        project.faults("", &[("PALISADE_SCHEMES_OAUTH_JWKS_FIL", "x")]).contains("does not end in one of")
    );
    assert!(project.read("", &[("PALISADE_LOG_COLOUR", "never")]).is_ok());
}

#[test]
fn readiness_has_an_address_or_none() {
    let project = Project::new();
    let config = project.read("readiness_listen = '[::1]:9001'", &[]).unwrap();
    assert_eq!(config.readiness_listen(), Some("[::1]:9001".parse().unwrap()));
    assert!(project.faults("readiness_listen = '9001'", &[]).contains("`readiness_listen`"));
}

#[test]
fn a_missing_part_names_its_key_and_variable() {
    let config = Project::new().read("", &[]).unwrap();
    for (error, key) in [
        (
            config.bearer("oauth").unwrap_err(),
            "`schemes.oauth.jwks_file` (or the variable PALISADE_SCHEMES_OAUTH_JWKS_FILE)",
        ),
        (config.api_keys("partner").unwrap_err(), "`schemes.partner.credential_file`"),
        (config.passwords("basic").unwrap_err(), "PALISADE_SCHEMES_BASIC_CREDENTIAL_FILE"),
        (config.cursor_keys().unwrap_err(), "`cursor_keys_file` (or the variable PALISADE_CURSOR_KEYS_FILE)"),
    ] {
        assert!(error.to_string().contains(key), "{error}");
    }
}

#[test]
fn two_ways_to_say_one_thing_are_refused() {
    let project = Project::new();
    let keys = format!("cursor_keys = [\"{CURSOR}\"]\ncursor_keys_file = \"cursor.keys\"");
    assert!(project.faults(&keys, &[]).contains("are both given"));
    let both = "[schemes.oauth]\njwks_file = \"jwks.json\"\njwks_url = \"https://x\"";
    assert!(project.read(both, &[]).unwrap().bearer("oauth").is_err());
    let mixed = "[schemes.oauth]\njwks_file = \"jwks.json\"\ncredential_file = \"x\"";
    assert!(
        project.read(mixed, &[]).unwrap().bearer("oauth").unwrap_err().to_string().contains("means nothing")
    );
}

#[test]
fn neither_a_broken_file_nor_a_bad_key_shows_a_secret() {
    let project = Project::new();
    let broken = format!("cursor_keys = [\"{CURSOR}\"");
    let words = project.faults(&broken, &[]);
    assert!(words.contains("line 1") && !words.contains("QmUN"), "{words}");
    let bad = project.read("cursor_keys = [\"k:QmUNWk7Z\"]", &[]).unwrap();
    assert!(!bad.cursor_keys().unwrap_err().to_string().contains("QmUN"));
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Config::load(folder.path().join("palisade.toml")).unwrap_err();
    assert!(error.to_string().contains("cannot be read"));
}

#[test]
fn peppers_are_none_where_none_are_configured_and_must_be_good_where_some_are() {
    let project = Project::new();
    let config = project.read(WHOLE, &[]).unwrap();
    assert!(config.api_key_pepper_file().is_none() && config.api_key_peppers().is_ok());
    // a file of cursor keys has the same form
    let config = project.read(WHOLE, &[("PALISADE_API_KEY_PEPPER_FILE", "cursor.keys")]).unwrap();
    assert!(config.api_keys("partner").is_ok());
    let config = project.read(WHOLE, &[("PALISADE_API_KEY_PEPPER_FILE", "none.keys")]).unwrap();
    let refused = config.api_keys("partner").unwrap_err().to_string();
    assert!(refused.contains("api_key_pepper_file") && refused.contains("none.keys"), "{refused}");
}

#[test]
fn what_outlasts_a_request_is_kept_in_one_place() {
    let project = Project::new();
    for (text, why) in [
        ("state = 'memory'\nstate_file = 'a'", "both given"),
        ("state_file = 'a'\nstate_url = 'redis://a'", "both given"),
        ("answer_keys = ['a']\nanswer_keys_file = 'a'", "both given"),
        ("state_records = 0", "no whole number from 1 on"),
        ("state_records = 9\nstate_url = 'redis://a'", "has its own `maxmemory`"),
        ("limits_instances = 3", "`limits_url` (or the variable PALISADE_LIMITS_URL): is missing"),
        ("limits_url = 'redis://a'\nlimits_instances = 0", "no whole number from 1 on"),
        ("limits_url = 'redis://a'\nlimits_instances = -1", "no whole number from 1 on"),
        ("limits_url = 'redis://a'\nlimits_instances = '3'", "is no whole number"),
    ] {
        let words = project.faults(text, &[]);
        assert!(words.contains(why), "{text}: {words}");
    }
    let other = [("PALISADE_STATE_URL", "redis://a"), ("PALISADE_LIMITS_INSTANCES", "3")];
    let text = "state_file = 'a'\nlimits_url = 'redis://a'";
    assert!(project.read(text, &other).is_ok(), "a variable replaces the file's other");
}

#[cfg(feature = "redb")]
#[tokio::test]
async fn a_state_in_a_file_lasts_and_its_answers_need_keys() {
    use crate::state::{Expected, Key, Kind, Next};

    let project = Project::new();
    let config = project.read("state_file = 'server.state'\nanswer_keys_file = 'cursor.keys'", &[]).unwrap();
    let voucher = Key::new(Kind::Application, &[b"voucher"]);
    let next = Next::Record { value: b"taken".to_vec(), keep: std::time::Duration::from_secs(60) };
    let state = config.state().await.unwrap();
    state.swap(voucher, Expected::Nothing, next).await.unwrap();
    assert!(config.state().await.unwrap_err().to_string().contains("server.state"), "it is open already");
    assert!(config.answers(state.clone()).is_ok());
    drop(state);
    let state = config.state().await.unwrap();
    assert!(state.get(voucher).await.unwrap().is_some());
    let settings = config.limits_kept(crate::Settings::new(), state.clone()).await.unwrap();
    assert!(settings.limits_kept.is_some(), "as do limits");
    let small = project.read("state_records = 1\nstate_file = 'small.state'", &[]).unwrap();
    let small = small.state().await.unwrap();
    let keep = |name: &[u8]| {
        let next = Next::Record { value: Vec::new(), keep: std::time::Duration::from_secs(60) };
        let (key, small) = (Key::new(Kind::Application, &[name]), small.clone());
        async move { small.swap(key, Expected::Nothing, next).await.is_ok() }
    };
    assert!(keep(b"one").await && !keep(b"two").await, "it has room for as many as it says");
    let without = project.read("state_file = 'server.state'", &[]).unwrap();
    let error = without.answers(state).unwrap_err().to_string();
    assert!(error.contains("`answer_keys_file`") && error.contains("is missing"), "{error}");
    let memory = project.read("", &[]).unwrap();
    assert!(memory.answers(memory.state().await.unwrap()).is_ok(), "a key of its own");
    let settings = memory.limits_kept(crate::Settings::new(), crate::State::memory()).await.unwrap();
    assert!(settings.limits_kept.is_none(), "there is nothing that lasts");
    let bad = project.read("answer_keys = ['a:b']", &[]).unwrap();
    assert!(bad.answers(crate::State::memory()).is_err());
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_redis_that_is_not_there_is_named_by_its_key_and_never_by_its_password() {
    let project = Project::new();
    let url = "redis://user:hunter2@127.0.0.1:1";
    let text = format!("state_url = '{url}'\nlimits_url = '{url}'\nlimits_instances = 2");
    let config = project.read(&text, &[]).unwrap();
    for (error, key) in [
        (config.state().await.unwrap_err(), "state_url"),
        (config.settings().await.unwrap_err(), "limits_url"),
    ] {
        let words = error.to_string();
        assert!(words.contains(&format!("`{key}`")) && !words.contains("hunter2"), "{words}");
    }
}
