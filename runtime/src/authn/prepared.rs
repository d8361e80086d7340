//! What is made once, when a server is built, so that a request looks nothing up by name.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::{
    BearerVerifier, Denylist, Fault, Reason, SetupError,
    api_key::ApiKeys,
    basic::Passwords,
    challenge,
    dpop::{Proofs, Use},
    jwt::TokenVerifier,
    principal::local_issuer,
    token::Tokens,
    verifiers::{Certificates, Introspections, Keys},
};
use crate::{
    clock::Now,
    operation::{
        Access, Binding, CertificateRules, Document, KeyLocation, KeyRules, Revocation, SchemeKind,
        TokenRules,
    },
    origin::PublicOrigin,
    settings::Settings,
};

/// The verifiers of the schemes of a document, as they are handed in.
pub(crate) struct Verifiers {
    document: &'static Document,
    given: Vec<(String, Given)>,
    denylist: Option<Denylist>,
}

enum Given {
    Bearer(BearerVerifier),
    Introspected(Introspections),
    Key(Keys),
    Basic(Passwords),
    MutualTls(Certificates),
}

/// The verifiers of a document, by the place of their scheme in it.
pub(crate) struct Schemes {
    document: &'static Document,
    ready: Vec<Option<Arc<Scheme>>>,
}

/// A scheme with its verifier.
pub(crate) struct Scheme {
    pub(crate) name: &'static str,
    pub(crate) verifier: Verifier,
    /// The challenge when nothing is said about the credential.
    pub(crate) challenge: HeaderValue,
    /// `realm` as a quoted string, for challenges that say more.
    pub(crate) realm: Box<str>,
}

pub(crate) enum Verifier {
    Bearer(Tokens),
    ApiKey {
        keys: ApiKeys,
        issuer: Arc<str>,
        rules: &'static KeyRules,
        place: Place,
    },
    #[cfg(feature = "login")]
    Session {
        login: crate::Login,
        cookie: Place,
    },
    Basic {
        passwords: Passwords,
        issuer: Arc<str>,
    },
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS nothing makes one"))]
    MutualTls {
        certificates: Certificates,
        issuer: Arc<str>,
        rules: &'static CertificateRules,
    },
}

/// Where an API key stands.
pub(crate) enum Place {
    Header(HeaderName),
    /// Of this name, in requests that were made below this origin.
    Cookie(&'static str, Option<PublicOrigin>),
    Query(&'static str),
}

/// One operation's security, ready for its requests.
pub(crate) struct Prepared {
    /// The schemes that the operation names, each once, in the order of the document's alternatives.
    pub(crate) schemes: Vec<Arc<Scheme>>,
    /// The alternatives in the order of the document.
    pub(crate) alternatives: Vec<Vec<Need>>,
    /// The document says that everybody may call.
    pub(crate) public: bool,
    /// The id of the operation.
    pub(crate) operation: &'static str,
}

/// One scheme of a combination: its place in [`Prepared::schemes`], and what it must grant.
pub(crate) struct Need {
    pub(crate) scheme: usize,
    pub(crate) scopes: &'static [&'static str],
}

impl Verifiers {
    pub(crate) fn new(document: &'static Document) -> Self {
        Self { document, given: Vec::new(), denylist: None }
    }

    pub(crate) fn bearer(&mut self, scheme: &str, verifier: impl Into<BearerVerifier>) {
        self.given.push((scheme.to_owned(), Given::Bearer(verifier.into())));
    }

    pub(crate) fn introspection(&mut self, scheme: &str, verifier: impl Into<super::IntrospectionVerifier>) {
        let super::IntrospectionVerifier(introspection) = verifier.into();
        self.given.push((scheme.to_owned(), Given::Introspected(introspection)));
    }

    pub(crate) fn denylist(&mut self, denylist: Denylist) {
        self.denylist = Some(denylist);
    }

    pub(crate) fn api_key(&mut self, scheme: &str, verifier: impl Into<super::KeyVerifier>) {
        let super::KeyVerifier(keys) = verifier.into();
        self.given.push((scheme.to_owned(), Given::Key(keys)));
    }

    pub(crate) fn basic(&mut self, scheme: &str, verifier: impl Into<super::BasicVerifier>) {
        let super::BasicVerifier(passwords) = verifier.into();
        self.given.push((scheme.to_owned(), Given::Basic(passwords)));
    }

    #[cfg_attr(
        not(feature = "tls"),
        allow(unreachable_code, unused_variables, reason = "nobody can make such a verifier")
    )]
    pub(crate) fn mutual_tls(&mut self, scheme: &str, verifier: impl Into<super::CertificateVerifier>) {
        let super::CertificateVerifier(certificates) = verifier.into();
        self.given.push((scheme.to_owned(), Given::MutualTls(certificates)));
    }

    /// Brings verifiers and document together; every fault at once.
    pub(crate) fn finish(self, settings: &Settings) -> Result<Schemes, Vec<SetupError>> {
        let kept = Kept {
            proofs: self.proofs(settings),
            denylist: self.denylist.clone(),
            origin: settings.public_origin.clone(),
        };
        let mut ready: Vec<_> = self.document.schemes.iter().map(|_| None).collect();
        let mut errors = Vec::new();
        for (name, given) in self.given {
            let place = self.document.schemes.iter().position(|scheme| scheme.name == name);
            let found = place.and_then(|at| Some((self.document.schemes.get(at)?, ready.get_mut(at)?)));
            let made = match found {
                None => Err(vec![Fault::NoSuchScheme]),
                Some((scheme, slot)) => {
                    make(self.document, scheme, given, &kept).map(|made| *slot = Some(Arc::new(made)))
                }
            };
            if let Err(faults) = made {
                errors.extend(faults.into_iter().map(|fault| SetupError { scheme: name.clone(), fault }));
            }
        }
        if errors.is_empty() { Ok(Schemes { document: self.document, ready }) } else { Err(errors) }
    }

    /// What judges proofs, where a scheme asks for them and the server knows under which address it is called.
    fn proofs(&self, settings: &Settings) -> Option<Arc<Proofs>> {
        let asks = |scheme: &crate::operation::Scheme| matches!(&scheme.kind, SchemeKind::Bearer(rules) if matches!(rules.binding, Binding::Proof { .. }));
        let origin = settings.public_origin.clone().filter(|_| self.document.schemes.iter().any(asks))?;
        Some(Proofs::new(origin, settings.proof_capacity, settings.proofs_in.clone()))
    }
}

fn make(
    document: &'static Document,
    scheme: &'static crate::operation::Scheme,
    given: Given,
    kept: &Kept,
) -> Result<Scheme, Vec<Fault>> {
    let name = scheme.name;
    let issuer = || local_issuer(name);
    let verifier = match (&scheme.kind, given) {
        (SchemeKind::Bearer(rules), Given::Bearer(BearerVerifier(jwt))) => {
            let denylist = kept.denylist_for(rules)?;
            let verifier = TokenVerifier::new(name, rules, jwt, kept.proofs.as_ref())?;
            Verifier::Bearer(Tokens::signed(verifier, denylist))
        }
        #[cfg(feature = "outbound")]
        (SchemeKind::Bearer(rules), Given::Introspected(introspection)) => {
            let denylist = kept.denylist_for(rules)?;
            let proofs = kept.proofs.as_ref();
            let introspector = super::introspection::Introspector::new(name, rules, introspection, proofs)?;
            Verifier::Bearer(Tokens::introspected(introspector, denylist))
        }
        (SchemeKind::ApiKey(rules), Given::Key(Keys::Api(keys))) => Verifier::ApiKey {
            keys,
            issuer: issuer(),
            rules,
            place: match rules.location {
                KeyLocation::Cookie(cookie) => Place::Cookie(cookie, kept.origin.clone()),
                KeyLocation::Query(name) => Place::Query(name),
                KeyLocation::Header(header) => {
                    Place::Header(HeaderName::try_from(header).map_err(|_| vec![Fault::OtherKind])?)
                }
            },
        },
        #[cfg(feature = "login")]
        (SchemeKind::ApiKey(rules), Given::Key(Keys::Sessions(login))) => {
            Verifier::Session { cookie: super::session::place(rules, &login)?, login }
        }
        (SchemeKind::Basic, Given::Basic(passwords)) => Verifier::Basic { passwords, issuer: issuer() },
        (SchemeKind::MutualTls(rules), Given::MutualTls(certificates)) => {
            Verifier::MutualTls { certificates, issuer: issuer(), rules }
        }
        _ => return Err(vec![Fault::OtherKind]),
    };
    let realm = challenge::quoted(document.title);
    let challenge = challenge::plain(&scheme.kind, &realm);
    Ok(Scheme { name, verifier, challenge, realm })
}

/// What all schemes of a server share.
struct Kept {
    proofs: Option<Arc<Proofs>>,
    denylist: Option<Denylist>,
    /// Under which address clients know the server.
    origin: Option<PublicOrigin>,
}

impl Kept {
    /// The denylist, where the scheme asks for it.
    fn denylist_for(&self, rules: &TokenRules) -> Result<Option<Denylist>, Vec<Fault>> {
        match (rules.revocation, &self.denylist) {
            (Revocation::None, _) => Ok(None),
            // all of them would be refused, one by one
            (Revocation::Required, Some(denylist))
                if rules.max_lifetime.is_some_and(|longest| longest > denylist.longest()) =>
            {
                Err(vec![Fault::ShortDenylist])
            }
            (Revocation::Required, Some(denylist)) => Ok(Some(denylist.clone())),
            (Revocation::Required, None) => Err(vec![Fault::NoDenylist]),
        }
    }
}

impl Schemes {
    /// The security of the operation with this id; every scheme that is missing at once.
    pub(crate) fn prepare(
        &self,
        operation: &'static str,
        access: &'static Access,
    ) -> Result<Prepared, Vec<SetupError>> {
        let (schemes, alternatives) = (Vec::new(), Vec::new());
        let Access::Any(named) = access else {
            return Ok(Prepared { schemes, alternatives, public: true, operation });
        };
        let mut prepared = Prepared { schemes, alternatives, public: false, operation };
        let mut missing = Vec::new();
        for alternative in *named {
            let mut needs = Vec::new();
            for need in *alternative {
                match self.ready(need.scheme) {
                    Ok(scheme) => {
                        needs.push(Need { scheme: prepared.place_of(scheme), scopes: need.scopes });
                    }
                    Err(fault) => missing.push(SetupError { scheme: need.scheme.to_owned(), fault }),
                }
            }
            prepared.alternatives.push(needs);
        }
        missing.dedup();
        if missing.is_empty() { Ok(prepared) } else { Err(missing) }
    }

    fn ready(&self, name: &str) -> Result<&Arc<Scheme>, Fault> {
        let at = self.document.schemes.iter().position(|scheme| scheme.name == name);
        let at = at.ok_or(Fault::NoSuchScheme)?;
        self.ready.get(at).and_then(Option::as_ref).ok_or(Fault::NoVerifier)
    }

    /// Whether one of them takes client certificates, or tokens that are bound to them.
    pub(crate) fn ask_for_certificates(&self) -> bool {
        self.ready.iter().flatten().any(|scheme| match &scheme.verifier {
            Verifier::MutualTls { .. } => true,
            Verifier::Bearer(tokens) => tokens.possession().rule() == Binding::Certificate,
            Verifier::ApiKey { .. } | Verifier::Basic { .. } => false,
            #[cfg(feature = "login")]
            Verifier::Session { .. } => false,
        })
    }

    /// The names of those whose issuer does not answer, as far as is known.
    pub(crate) fn unanswered(&self) -> Vec<&'static str> {
        let answers = |scheme: &Scheme| match &scheme.verifier {
            Verifier::Bearer(tokens) => tokens.issuer_answers(),
            _ => true,
        };
        self.ready.iter().flatten().filter(|scheme| !answers(scheme)).map(|scheme| scheme.name).collect()
    }

    /// Loads the key sets that are fetched, and begins to look at the files of client certificates. Call it before the server says
    /// that it is ready.
    pub(crate) async fn load(&self) -> Result<(), Vec<SetupError>> {
        let mut errors = Vec::new();
        for scheme in self.ready.iter().flatten() {
            #[cfg(feature = "tls")]
            if let Verifier::MutualTls { certificates, .. } = &scheme.verifier {
                certificates.keep_fresh();
            }
            if let Verifier::Bearer(tokens) = &scheme.verifier
                && tokens.load().await.is_err()
            {
                errors.push(SetupError { scheme: scheme.name.to_owned(), fault: Fault::KeysUnavailable });
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

impl Scheme {
    /// Whether its credentials come of logins of their users.
    pub(in crate::authn) const fn tells_of_logins(&self) -> bool {
        match &self.verifier {
            Verifier::Bearer(_) => true,
            #[cfg(feature = "login")]
            Verifier::Session { .. } => true,
            Verifier::ApiKey { .. } | Verifier::Basic { .. } | Verifier::MutualTls { .. } => false,
        }
    }

    /// Whether a credential of it can name a tenant. Of API keys each record says for itself.
    fn may_name_tenants(&self) -> bool {
        match &self.verifier {
            Verifier::Bearer(tokens) => tokens.names_tenants(),
            #[cfg(feature = "login")]
            Verifier::Session { login, .. } => login.names_tenants(),
            Verifier::ApiKey { .. } => true,
            Verifier::Basic { .. } | Verifier::MutualTls { .. } => false,
        }
    }

    /// Notes that a proof was shown, or refuses it.
    pub(in crate::authn) async fn note(&self, used: Use, now: Now) -> Result<(), Reason> {
        match &self.verifier {
            Verifier::Bearer(tokens) => tokens.possession().note(used, now).await,
            _ => Err(Reason::BindingNotShown),
        }
    }

    /// The nonce that its clients are to use, where it asks for one.
    async fn nonce(&self, now: Now) -> Option<HeaderValue> {
        match &self.verifier {
            Verifier::Bearer(tokens) => tokens.possession().nonce(now).await,
            _ => None,
        }
    }
}

impl Prepared {
    /// Whether each alternative says how its user logged in.
    pub(crate) fn tells_of_logins(&self) -> bool {
        let tells =
            |need: &Need| self.schemes.get(need.scheme).is_some_and(|scheme| scheme.tells_of_logins());
        !self.public && self.alternatives.iter().all(|alternative| alternative.iter().any(tells))
    }

    /// Whether some credential can name a tenant. A public operation has none, and its callers are counted by address.
    pub(crate) fn may_name_tenants(&self) -> bool {
        self.public || self.schemes.iter().any(|scheme| scheme.may_name_tenants())
    }

    /// The nonce that an answer gives to its client, where a scheme of the operation asks for one.
    pub(crate) async fn nonce(&self, now: Now) -> Option<HeaderValue> {
        for scheme in &self.schemes {
            if let Some(nonce) = scheme.nonce(now).await {
                return Some(nonce);
            }
        }
        None
    }

    fn place_of(&mut self, scheme: &Arc<Scheme>) -> usize {
        self.schemes.iter().position(|known| Arc::ptr_eq(known, scheme)).unwrap_or_else(|| {
            self.schemes.push(Arc::clone(scheme));
            self.schemes.len() - 1
        })
    }
}
