use std::time::Duration;

use super::*;
use crate::authn::Jwt;
use crate::authn::testing::{Bench, DOCUMENT, RULES};
use crate::limit::shared::SharedLimits;
use crate::operation::{
    Advertise, CountedOn, Counter, Counting, ErrorForm, Limit, OnOutage, Per, Scheme, TokenRules,
};

static REVOCABLE: Document = Document {
    title: "Test",
    version: "1",
    hash: "",
    schemes: &[Scheme {
        name: "oauth",
        kind: SchemeKind::Bearer(TokenRules { revocation: Revocation::Required, ..RULES }),
    }],
    limits: &[],
    errors: ErrorForm::Envelope,
};

static LASTING: Document = Document {
    schemes: &[Scheme {
        name: "oauth",
        kind: SchemeKind::Bearer(TokenRules {
            revocation: Revocation::Required,
            max_lifetime: Some(Duration::from_secs(48 * 3600)),
            ..RULES
        }),
    }],
    title: "Test",
    version: "1",
    hash: "",
    limits: &[],
    errors: ErrorForm::Envelope,
};

#[tokio::test]
async fn a_limit_that_shared_counters_cannot_keep_is_found_when_the_gate_is_built() {
    static FAR: Document = Document {
        title: "Test",
        version: "1",
        hash: "",
        schemes: REVOCABLE.schemes,
        limits: &[FURTHER],
        errors: ErrorForm::Envelope,
    };
    const FURTHER: Limit = Limit {
        name: "further",
        quota: 1,
        window: Duration::from_secs(365 * 86_400),
        burst: 80,
        counter: Counter::TokenBucket,
        cost: 1,
        per: &[Per::Global],
        scope: Counting::Document,
        on: CountedOn::Request,
        on_outage: OnOutage::Local,
        advertise: Advertise::Admitted,
    };
    let build = |settings| {
        let builder = GateBuilder::default().document(&FAR).bearer("oauth", Jwt::new(Bench::new().keys()));
        let built = builder.denylist(Denylist::in_memory()).settings(settings).build();
        built.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(build(Settings::new()), Ok(()));
    let shared = SharedLimits::away(1);
    let fault = build(Settings { limits_in: Some(shared), ..Settings::new() }).unwrap_err();
    assert!(fault.contains("`further` cannot be shared"), "{fault}");
}

#[test]
fn a_denylist_is_given_where_the_document_asks_for_one_and_nowhere_else() {
    let build = |document: &'static Document, denylist: Option<Denylist>| {
        let jwt = Jwt::new(Bench::new().keys());
        let mut builder = GateBuilder::default().document(document).bearer("oauth", jwt);
        builder.denylist = denylist;
        builder.build().map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(build(&REVOCABLE, Some(Denylist::in_memory())), Ok(()));
    assert!(build(&REVOCABLE, None).unwrap_err().contains("there is no denylist"));
    assert_eq!(build(&DOCUMENT, None), Ok(()));
    // what the document takes, the list keeps
    let hours = |hours: u64| Some(Denylist::in_memory().longest_token(Duration::from_secs(hours * 3600)));
    assert_eq!(build(&LASTING, hours(48)), Ok(()));
    let short = build(&LASTING, hours(47)).unwrap_err();
    assert!(short.contains("longer than the denylist lets a token live"), "{short}");
    let needless = build(&DOCUMENT, Some(Denylist::in_memory())).unwrap_err();
    assert!(needless.contains("no scheme of the document asks for one"), "{needless}");
}
