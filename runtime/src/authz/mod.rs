//! Authorization by scopes: what principals that were verified may do.
//!
//! [`authorize`] is one pure function. Rules:
//! 1. a public operation admits everybody, as nobody in particular;
//! 2. an alternative admits when every scheme of it was verified and the credential of *that* scheme grants every
//!    scope that the alternative asks of it: scopes are never added up over schemes or alternatives;
//! 3. alternatives are tried in the order of the document; a later one counts when its credentials were shown too;
//! 4. `{}` is tried last, wherever it stands: who was verified and may call is not made anonymous. It admits as
//!    nobody in particular, whatever else was shown;
//! 5. of a combination of several schemes, the first bearer token or session says who calls (it names a user or client,
//!    where a key or password names an integration); without one, the first scheme does. All are kept;
//! 6. nothing else admits. The refusal names the alternative that lacks the fewest scopes, by the order of the
//!    document among equals, out of those whose credentials were shown.

use smallvec::SmallVec;

use crate::authn::{Authenticated, Identity, Principal, prepared::Need};

/// The proof that a request may call its operation. Only [`authorize`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct Authorized {
    /// Who calls, first; then whoever else was shown with it. Empty: nobody in particular.
    principals: Vec<Principal>,
}

/// A caller that was verified and may not call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forbidden {
    alternative: usize,
    missing: Vec<&'static str>,
}

/// Decides by the scopes. See the rules above.
#[expect(clippy::needless_pass_by_value, reason = "a proof is used once")]
pub(crate) fn authorize(authenticated: Authenticated<'_>) -> Result<Authorized, Forbidden> {
    let prepared = authenticated.prepared();
    if prepared.public {
        return Ok(Authorized { principals: Vec::new() });
    }
    let mut anonymous = false;
    let mut cheapest: Option<Forbidden> = None;
    for (alternative, needs) in prepared.alternatives.iter().enumerate() {
        if needs.is_empty() {
            anonymous = true;
            continue;
        }
        let Some(missing) = missing(&authenticated, needs) else { continue };
        if missing.is_empty() {
            return Ok(Authorized { principals: principals(&authenticated, needs) });
        }
        if cheapest.as_ref().is_none_or(|known| missing.len() < known.missing.len()) {
            cheapest = Some(Forbidden { alternative, missing });
        }
    }
    if anonymous {
        return Ok(Authorized { principals: Vec::new() });
    }
    // no alternative was whole: `authenticate` lets nobody through like that, so this answers nothing but a bug
    Err(cheapest.unwrap_or(Forbidden { alternative: usize::MAX, missing: Vec::new() }))
}

/// The scopes that an alternative lacks; `None` when a scheme of it was not verified.
fn missing(authenticated: &Authenticated<'_>, needs: &[Need]) -> Option<Vec<&'static str>> {
    let mut missing = Vec::new();
    for need in needs {
        let principal = authenticated.held(need.scheme)?;
        missing.extend(need.scopes.iter().copied().filter(|scope| !principal.grants(scope)));
    }
    Some(missing)
}

fn principals(authenticated: &Authenticated<'_>, needs: &[Need]) -> Vec<Principal> {
    let mut principals: Vec<_> =
        needs.iter().filter_map(|need| authenticated.held(need.scheme)).cloned().collect();
    if let Some(first) = principals.iter().position(|principal| principal.kind().tells_of_a_login())
        && let Some(up_to) = principals.get_mut(..=first)
    {
        up_to.rotate_right(1);
    }
    principals
}

impl Authorized {
    /// Who calls; `None` for nobody in particular.
    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.principals.first()
    }

    /// Everybody whose credential the alternative asked for, who calls first.
    pub(crate) fn principals(&self) -> &[Principal] {
        &self.principals
    }

    /// Whose credential names the tenant: that of who calls, or else of another. All that name one name the same.
    pub(crate) fn of_tenant(&self) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.tenant().is_some())
    }

    /// The tenant of the call.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.of_tenant().and_then(Principal::tenant)
    }

    /// Who they are, in the same order.
    pub(crate) fn identities(&self) -> SmallVec<[Identity<'_>; 1]> {
        self.principals.iter().map(Principal::identity).collect()
    }

    /// Whether the credential of who calls grants `scope`, asked for or not: for rules such as `or-scope`.
    pub(crate) fn grants(&self, scope: &str) -> bool {
        self.principal().is_some_and(|principal| principal.grants(scope))
    }
}

impl Forbidden {
    /// The scopes that are missing.
    pub(crate) fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    /// The place of the alternative that would have been cheapest.
    pub(crate) fn alternative(&self) -> usize {
        self.alternative
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authn::testing::{Bench, header},
        operation::{Access, Need},
    };

    async fn decide(access: &'static Access, headers: &[(&str, String)]) -> Result<Authorized, Forbidden> {
        let bench = Bench::new();
        let prepared = bench.prepare(access);
        authorize(bench.authenticate(&prepared, headers).await.unwrap())
    }

    static EITHER: Access = Access::Any(&[
        &[Need { scheme: "oauth", scopes: &["transfers:write"] }],
        &[Need { scheme: "partner", scopes: &["transfers:write"] }],
    ]);
    static BOTH: Access = Access::Any(&[&[
        Need { scheme: "partner", scopes: &["transfers:write"] },
        Need { scheme: "oauth", scopes: &["accounts:read"] },
    ]]);
    static ONE_OR_BOTH: Access = Access::Any(&[
        &[Need { scheme: "oauth", scopes: &["transfers:write"] }],
        &[
            Need { scheme: "partner", scopes: &["transfers:write"] },
            Need { scheme: "oauth", scopes: &["accounts:read"] },
        ],
    ]);
    static OPTIONAL: Access = Access::Any(&[&[], &[Need { scheme: "oauth", scopes: &["accounts:read"] }]]);

    #[tokio::test]
    async fn the_scopes_of_the_alternative_admit_and_others_do_not() {
        let bench = Bench::new();
        let write = decide(&EITHER, &[bench.bearer("alice", "accounts:read transfers:write")]).await.unwrap();
        assert_eq!(write.principal().unwrap().subject(), "alice");
        let read = decide(&EITHER, &[bench.bearer("alice", "accounts:read")]).await.unwrap_err();
        assert_eq!((read.missing(), read.alternative()), (["transfers:write"].as_slice(), 0));
    }

    #[tokio::test]
    async fn a_later_alternative_that_is_shown_and_has_its_scopes_counts() {
        let bench = Bench::new();
        let both = [bench.bearer("alice", "accounts:read"), bench.key()];
        let admitted = decide(&ONE_OR_BOTH, &both).await.unwrap();
        assert_eq!(admitted.principals().len(), 2, "the alternative of the token alone did not admit");
        let more = [bench.bearer("alice", "accounts:read transfers:write"), bench.key()];
        assert_eq!(decide(&ONE_OR_BOTH, &more).await.unwrap().principals().len(), 1, "here it did");
    }

    #[tokio::test]
    async fn scopes_are_not_added_up_over_schemes() {
        let bench = Bench::new();
        // the token has the key's scope, the key (transfers:write) has not the token's
        let crossed = [bench.bearer("alice", "transfers:write"), bench.key()];
        assert_eq!(decide(&BOTH, &crossed).await.unwrap_err().missing(), ["accounts:read"]);
    }

    #[tokio::test]
    async fn of_key_and_token_the_token_says_who_calls_and_both_are_kept() {
        let bench = Bench::new();
        let admitted = decide(&BOTH, &[bench.key(), bench.bearer("alice", "accounts:read")]).await.unwrap();
        let schemes: Vec<_> = admitted.principals().iter().map(Principal::scheme).collect();
        assert_eq!(schemes, ["oauth", "partner"]);
        assert!(admitted.grants("accounts:read") && !admitted.grants("transfers:write"));
    }

    #[tokio::test]
    async fn the_anonymous_alternative_is_the_last_resort() {
        let bench = Bench::new();
        let named = decide(&OPTIONAL, &[bench.bearer("alice", "accounts:read")]).await.unwrap();
        assert_eq!(named.principal().unwrap().subject(), "alice");
        assert!(decide(&OPTIONAL, &[]).await.unwrap().principal().is_none());
        let without_scope = decide(&OPTIONAL, &[bench.bearer("alice", "")]).await.unwrap();
        assert!(without_scope.principal().is_none(), "admitted as anybody is");
    }

    #[tokio::test]
    async fn a_public_operation_admits_nobody_in_particular() {
        static PUBLIC: Access = Access::Public("load balancers probe it");
        let bench = Bench::new();
        assert!(decide(&PUBLIC, &[bench.bearer("alice", "")]).await.unwrap().principal().is_none());
        assert!(decide(&PUBLIC, &[header("authorization", "Bearer nonsense")]).await.is_ok());
    }

    #[tokio::test]
    async fn the_challenge_names_the_scopes_of_the_cheapest_alternative() {
        static TWO: Access = Access::Any(&[
            &[Need { scheme: "oauth", scopes: &["a", "b", "c"] }],
            &[Need { scheme: "oauth", scopes: &["a", "d"] }],
        ]);
        let bench = Bench::new();
        let prepared = bench.prepare(&TWO);
        let authenticated = bench.authenticate(&prepared, &[bench.bearer("alice", "a")]).await.unwrap();
        let forbidden = authorize(authenticated).unwrap_err();
        assert_eq!(
            prepared.insufficient_scope(&forbidden),
            [r#"Bearer realm="Test Bank", error="insufficient_scope", scope="a d""#]
        );
    }
}
