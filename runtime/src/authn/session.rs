//! Sessions of browsers as credentials: what a login keeps of one becomes a principal (step 7 of the gate).

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Fault, Kind, Occasion, Principal, Reason,
    prepared::Place,
    principal::{Facts, Said},
};
use crate::{
    Login,
    login::Unknown,
    operation::{KeyLocation, KeyRules},
};

/// Where the sessions of a login stand; the document must say the same.
pub(in crate::authn) fn place(rules: &KeyRules, login: &Login) -> Result<Place, Vec<Fault>> {
    match rules.location {
        KeyLocation::Cookie(cookie)
            if cookie == login.cookie() && rules.prefix.is_none() && rules.rotate_within.is_none() =>
        {
            Ok(Place::Cookie(cookie, Some(login.origin().clone())))
        }
        _ => Err(vec![Fault::SessionCookie]),
    }
}

/// Looks the session of an id up. Its principal is the provider's: (issuer, subject), and the tenant where logins name one.
pub(in crate::authn) async fn judge(
    login: &Login,
    scheme: &'static str,
    id: &[u8],
    on: &Occasion<'_>,
) -> Result<Principal, Reason> {
    let (session, key) = login.session(id, on.now, on.request_id).await.map_err(|unknown| match unknown {
        Unknown::Malformed => Reason::Malformed,
        Unknown::None => Reason::NoSession,
        Unknown::Unavailable(Some(left)) => Reason::for_so_long(Reason::SessionsLeftAlone, left),
        Unknown::Unavailable(None) => Reason::SessionsUnavailable,
    })?;
    if login.names_tenants() && session.tenant.is_none() {
        return Err(Reason::NoTenant); // it began when nobody asked
    }
    let facts = Facts {
        scheme,
        kind: Kind::Session,
        issuer: Arc::clone(login.issuer()),
        issued: Some(session.began),
        expires: Some(session.ends),
        login_time: session.time,
    };
    let said = Said {
        subject: &session.subject,
        scopes: &session.scopes,
        client: Some(login.client()),
        credential: Some(&URL_SAFE_NO_PAD.encode(key.as_bytes())),
        login_class: session.class.as_deref(),
        tenant: session.tenant.as_deref(),
    };
    Ok(Principal::new(facts, said))
}
