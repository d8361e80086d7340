//! Credentials that are shown together act for one tenant (rule 10 of [`authn`](super)).

use super::{
    Denied, Principal, Reason,
    prepared::{Need, Prepared},
};

/// Of every alternative that is whole.
pub(super) fn agree(prepared: &Prepared, held: &[Option<Principal>]) -> Result<(), Denied> {
    let of = |need: &Need| held.get(need.scheme).and_then(Option::as_ref);
    for needs in prepared.alternatives.iter().filter(|needs| needs.iter().all(|need| of(need).is_some())) {
        let mut tenants = needs.iter().filter_map(|need| Some((of(need)?.tenant()?, need.scheme)));
        let Some((first, _)) = tenants.next() else { continue };
        let Some((_, other)) = tenants.find(|(tenant, _)| *tenant != first) else { continue };
        let scheme = prepared.schemes.get(other).map(|scheme| scheme.name);
        return Err(
            scheme.map_or(Denied::new(Reason::TwoTenants), |name| Denied::of(name, Reason::TwoTenants))
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        authn::{
            ApiKeys, Jwt, Reason, Verifiers,
            testing::{self, Bench, header},
        },
        operation::{Access, Document, Need, Scheme, SchemeKind, TokenRules},
    };

    static BOTH: Access =
        Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }, Need { scheme: "partner", scopes: &[] }]]);
    static KEY_WITH_OR_WITHOUT: Access = Access::Any(&[
        &[Need { scheme: "partner", scopes: &[] }],
        &[Need { scheme: "oauth", scopes: &[] }, Need { scheme: "partner", scopes: &[] }],
    ]);

    #[tokio::test]
    async fn credentials_of_two_tenants_are_not_combined() {
        static TENANTS: Document = Document {
            schemes: &[
                Scheme {
                    name: "oauth",
                    kind: SchemeKind::Bearer(TokenRules { tenant_claim: &["org"], ..testing::RULES }),
                },
                Scheme { name: "partner", kind: testing::PARTNER },
            ],
            ..testing::DOCUMENT
        };
        let judged = async |access: &'static Access, of_token: &str, of_key: Option<&str>| {
            let bench = Bench::new();
            let new = testing::new_key();
            let new = if let Some(tenant) = of_key { new.of_tenant(tenant).unwrap() } else { new };
            let mut verifiers = Verifiers::new(&TENANTS);
            verifiers.bearer("oauth", Jwt::new(bench.keys()));
            verifiers.api_key("partner", ApiKeys::new([new.record]).unwrap());
            let prepared = verifiers.finish(&crate::Settings::new()).unwrap().prepare("x", access).unwrap();
            let headers = [bench.bearer_in("alice", of_token), header("x-api-key", new.key.expose())];
            let outcome = bench.authenticate(&prepared, &headers).await;
            outcome.map(|_| ()).map_err(|denied| (denied.reason(), denied.scheme()))
        };
        let two = Err((Reason::TwoTenants, Some("partner")));
        assert_eq!(judged(&BOTH, "north", Some("north")).await, Ok(()));
        assert_eq!(judged(&BOTH, "north", None).await, Ok(()), "it names none");
        assert_eq!(judged(&BOTH, "north", Some("south")).await, two);
        assert_eq!(judged(&BOTH, "north", Some("North")).await, two);
        assert_eq!(judged(&KEY_WITH_OR_WITHOUT, "north", Some("north")).await, Ok(()));
        assert_eq!(judged(&KEY_WITH_OR_WITHOUT, "north", Some("south")).await, two, "the key alone would do");
    }
}
