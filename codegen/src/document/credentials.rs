//! Where credentials stand, as far as an operation names their schemes.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::{PathItem, Requirements, Scheme, SchemeForm};
use crate::model::Binding;

/// What RFC 6750 sections 2.2 and 2.3 call a token in a form and in a query.
pub(crate) const ACCESS_TOKEN: &str = "access_token";

/// The header of a proof of possession (RFC 9449 section 4.1).
const PROOF: &str = "DPoP";

/// Notes for each operation where credentials of the schemes that it names may stand: a parameter of that name describes one
/// once more. On an operation that does not name the scheme it is a parameter like any other; but the header `Cookie` has all
/// cookies that a browser has for the server.
pub(super) fn mark_credentials(paths: &mut [PathItem], schemes: &[Scheme], security: Option<&Requirements>) {
    let by_name: HashMap<&str, &Scheme> =
        schemes.iter().map(|scheme| (&*scheme.name.value, scheme)).collect();
    let cookies = schemes.iter().flat_map(credentials).filter(|(place, _)| place == "cookie");
    let cookie = cookies.map(|(_, name)| name).next();
    for operation in paths.iter_mut().flat_map(|item| &mut item.operations) {
        let stated = operation.security.as_ref().or(security);
        let needs = stated.into_iter().flat_map(|all| &all.alternatives).flat_map(|one| &one.needs);
        let named: BTreeSet<&str> = needs.map(|need| &*need.scheme.value).collect();
        let named = named.into_iter().filter_map(|name| by_name.get(name));
        operation.credentials = named.flat_map(|scheme| credentials(scheme)).collect();
        operation.cookie.clone_from(&cookie);
    }
}

/// Where the credentials of a scheme stand beside `Authorization`.
fn credentials(scheme: &Scheme) -> Vec<(String, String)> {
    let mut places = Vec::new();
    if let SchemeForm::ApiKey { location, name } = &scheme.form {
        places.push((location.value.clone(), name.value.clone()));
    }
    if scheme.form.has_tokens() {
        // RFC 6750 section 2.3: a token in the query, which no request has beside the one in `Authorization`
        places.push(("query".to_owned(), ACCESS_TOKEN.to_owned()));
    }
    if matches!(scheme.rules.token.binding, Some(Binding::Proof { .. })) {
        places.push(("header".to_owned(), PROOF.to_owned()));
    }
    places
}
