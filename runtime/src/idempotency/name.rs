//! What a call is kept under, in the state and in the ledger.
//!
//! Rules:
//! 1. it is named by its operation, the key of its client, and everybody whose credential counted: issuer and subject of each. With
//!    another partner beside them it is another call;
//! 2. where any of them is of a tenant, one part more has the tenants of all. So the number of parts is odd there and even
//!    everywhere else, and no call of a tenant has the name of one that is of none;
//! 3. **a name never changes** with a version of this crate, and is one on machines of every kind: a call that is sent again across an update would be done twice.

use crate::authn::Identity;
use crate::state::{Key, Kind, length};

/// The name of the call of `operation` under the key `client` by these callers.
pub(super) fn of(operation: &str, client: &str, callers: &[Identity<'_>]) -> Key {
    let mut parts = vec![operation.as_bytes(), client.as_bytes()];
    for Identity { issuer, subject, .. } in callers {
        parts.extend([issuer.as_bytes(), subject.as_bytes()]); // 1
    }
    let tenants = tenants(callers);
    if callers.iter().any(|caller| caller.tenant.is_some()) {
        parts.push(&tenants); // 2
    }
    Key::new(Kind::Answer, &parts)
}

/// The tenants of all, each behind its length. A tenant has a name, so none is told from all of them.
fn tenants(callers: &[Identity<'_>]) -> Vec<u8> {
    let each = callers.iter().map(|caller| caller.tenant.unwrap_or_default().as_bytes());
    each.flat_map(|tenant| length(tenant).into_iter().chain(tenant.iter().copied())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
    const TOKEN: &str = "https://id.example.com";
    const PARTNER: &str = "urn:palisade:scheme:partner";

    fn caller<'a>(issuer: &'a str, subject: &'a str, tenant: Option<&'a str>) -> Identity<'a> {
        Identity { issuer, subject, tenant }
    }

    fn hex(callers: &[Identity<'_>]) -> String {
        let name = of("createTransfer", KEY, callers);
        name.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Rule 3. Who finds this test in the way of a change: calls of before would be done twice.
    #[test]
    fn a_call_has_the_name_that_it_has_always_had() {
        let (alice, acme) = (caller(TOKEN, "alice", None), caller(PARTNER, "acme", None));
        assert_eq!(hex(&[alice]), "69aa9d912f01be36143968f628bfacafdea6e9e268435e521eeb62e53113204f");
        assert_eq!(hex(&[alice, acme]), "3a7db10a9a85306ac453959af52b5a0e7cf5f52e3019618ba2bccf81cc18aba3");
    }

    /// And from now on one of a tenant.
    #[test]
    fn a_call_of_a_tenant_keeps_its_name_as_well() {
        let alice = caller(TOKEN, "alice", Some("north"));
        assert_eq!(hex(&[alice]), "b27968a909a94832535f5a99a2fac2da2edbc6ca1cc9a0cde094da175f588acc");
    }

    /// Rule 2. Parts that are moved from one place to the next, and a tenant that looks like its encoding.
    #[test]
    fn no_two_calls_share_a_name() {
        let encoded = String::from_utf8(tenants(&[caller("", "", Some("north"))])).unwrap();
        let calls: Vec<Vec<Identity<'_>>> = vec![
            vec![],
            vec![caller(TOKEN, "alice", None)],
            vec![caller(TOKEN, "alice", Some("north"))],
            vec![caller(TOKEN, "alice", Some("south"))],
            vec![caller(TOKEN, "alice", Some(&encoded))],
            vec![caller(TOKEN, "alicenorth", None)],
            vec![caller(TOKEN, "alicen", Some("orth"))],
            vec![caller(TOKEN, "alice", None), caller("", "north", None)],
            vec![caller(TOKEN, "alice", None), caller("north", "", None)],
            vec![caller(TOKEN, "alice", None), caller(&encoded, "", None)],
            vec![caller(TOKEN, "alice", None), caller("", &encoded, None)],
            vec![caller("", "north", None), caller(TOKEN, "alice", None)],
            vec![caller(TOKEN, "alice", None), caller(PARTNER, "acme", Some("north"))],
            vec![caller(TOKEN, "alice", Some("north")), caller(PARTNER, "acme", None)],
            vec![caller(TOKEN, "alice", Some("north")), caller(PARTNER, "acme", Some("north"))],
        ];
        let names: BTreeSet<_> = calls.iter().map(|callers| hex(callers)).collect();
        assert_eq!(names.len(), calls.len());
    }
}
