//! Security schemes and requirements.

use foldhash::HashSet;

use super::extension::is_extension;
use super::follow::overlay;
use super::parameter::is_token;
use super::{Fields, Reader, Spanned};
use crate::annotation::SchemeRules;
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::normalise::Version;
use crate::source::span::Place;
use crate::source::tree::{Member, Node};

/// An OR of ANDs.
#[derive(Debug)]
pub(crate) struct Requirements {
    /// The value of `security`.
    pub(crate) place: Place,
    pub(crate) alternatives: Vec<Requirement>,
}

/// One alternative; without needs it is the anonymous `{}`.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) place: Place,
    pub(crate) needs: Vec<Need>,
}

/// A scheme and what it must grant.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) scheme: Spanned<String>,
    pub(crate) scopes: Vec<Spanned<String>>,
}

/// A security scheme.
#[derive(Debug)]
pub(crate) struct Scheme {
    pub(crate) name: Spanned<String>,
    pub(crate) form: SchemeForm,
    pub(crate) docs: Docs,
    pub(crate) rules: SchemeRules,
}

/// The types of scheme.
#[derive(Debug)]
pub(crate) enum SchemeForm {
    ApiKey {
        location: Spanned<String>,
        name: Spanned<String>,
    },
    /// The scheme's word in lower case (RFC 9110 section 11.1: it has no case).
    Http {
        scheme: Spanned<String>,
    },
    /// The scopes of all flows, each once, with what they are for.
    OAuth2 {
        scopes: Vec<(String, String)>,
    },
    /// Where the issuer's metadata are.
    OpenIdConnect {
        url: Spanned<String>,
    },
    MutualTls,
}

impl SchemeForm {
    /// Whether its credentials are tokens in `Authorization`.
    pub(crate) fn has_tokens(&self) -> bool {
        match self {
            Self::OAuth2 { .. } | Self::OpenIdConnect { .. } => true,
            Self::Http { scheme } => scheme.value == "bearer",
            Self::ApiKey { .. } | Self::MutualTls => false,
        }
    }
}

impl<'d> Reader<'d> {
    pub(super) fn security(&mut self, fields: &mut Fields<'d>) -> Option<Requirements> {
        let member = fields.get("security")?;
        let Some(items) = member.node.as_array() else {
            let message = format!("`security` is an array, not {}", member.node.kind());
            let help = "each item is an alternative: `security: [{ oauth: [] }]`";
            self.push(Finding::error(Code::WrongType, message, member.node.place).help(help));
            return Some(Requirements { place: member.key_place, alternatives: Vec::new() });
        };
        let alternatives = items.iter().filter_map(|item| self.requirement(item)).collect();
        Some(Requirements { place: member.node.place, alternatives })
    }

    fn requirement(&mut self, node: &'d Node) -> Option<Requirement> {
        let fields = self.fields(node, "a security requirement")?;
        let mut needs: Vec<Need> = Vec::new();
        for member in fields.members() {
            let Some(scheme) = self.scheme_name(member) else { continue };
            let Some(items) = member.node.as_array() else {
                self.wrong_type(&member.key, "an array of scopes", &member.node);
                continue;
            };
            let scopes = items.iter().filter_map(|scope| self.text("a scope", scope));
            // by its name and by a URI
            match needs.iter_mut().find(|need| need.scheme.value == scheme.value) {
                Some(need) => need.scopes.extend(scopes),
                None => needs.push(Need { scheme, scopes: scopes.collect() }),
            }
        }
        Some(Requirement { place: node.place, needs })
    }

    pub(super) fn scheme(&mut self, name: Spanned<String>, node: &'d Node) -> Option<Scheme> {
        let (node, said) = self.follow(node, "securitySchemes")?;
        let mut fields = self.fields(node, "a security scheme")?.guarding();
        let mut docs = overlay(said, self.docs(&mut fields, &["description"]));
        if self.since_3_2 {
            docs.deprecated = self.docs(&mut fields, &["deprecated"]).deprecated;
        }
        let kind = self.required_string(&mut fields, "type")?;
        let form = match &*kind.value {
            "apiKey" => self.api_key(&mut fields),
            "http" => self.http(&mut fields),
            "oauth2" => self.oauth2(&mut fields),
            "openIdConnect" => self.open_id_connect(&mut fields),
            "mutualTLS" if self.version == Version::V31 => Some(SchemeForm::MutualTls),
            other => {
                let message = format!("`{other}` is no type of security scheme");
                let known = ["apiKey", "http", "oauth2", "openIdConnect", "mutualTLS"];
                let finding = Finding::error(Code::InvalidValue, message, kind.place).nearest(other, known);
                self.push(finding.help(
                    "the types are `apiKey`, `http`, `oauth2`, `openIdConnect` and, since 3.1, `mutualTLS`",
                ));
                return None;
            }
        };
        let rules = self.scheme_rules(&mut fields);
        self.finish(fields);
        Some(Scheme { name, form: form?, docs, rules })
    }

    fn api_key(&mut self, fields: &mut Fields<'d>) -> Option<SchemeForm> {
        let location = self.required_string(fields, "in");
        let name = self.required_string(fields, "name");
        let (location, name) = (location?, name?);
        if !matches!(&*location.value, "header" | "cookie" | "query") {
            let message = format!("an API key does not stand in `{}`", location.value);
            let finding = Finding::error(Code::InvalidValue, message, location.place);
            self.push(
                finding
                    .help("keys stand in `header` or `cookie`")
                    .nearest(&location.value, ["header", "cookie"]),
            );
            return None;
        }
        let is_name = if location.value == "query" { !name.value.is_empty() } else { is_token(&name.value) };
        if !is_name {
            let message = format!("`{}` is no name in a {}", name.value, location.value);
            let help = "it is not empty, and in headers and cookies of letters, digits and `!#$%&'*+-.^_`|~` (RFC 9110 section 5.6.2)";
            self.push(Finding::error(Code::InvalidValue, message, name.place).help(help));
        }
        Some(SchemeForm::ApiKey { location, name })
    }

    fn http(&mut self, fields: &mut Fields<'d>) -> Option<SchemeForm> {
        let scheme = self.required_string(fields, "scheme");
        self.string(fields, "bearerFormat");
        let mut scheme = scheme?;
        scheme.value.make_ascii_lowercase();
        Some(SchemeForm::Http { scheme })
    }

    fn open_id_connect(&mut self, fields: &mut Fields<'d>) -> Option<SchemeForm> {
        let url = self.required_string(fields, "openIdConnectUrl")?;
        self.url(&url);
        Some(SchemeForm::OpenIdConnect { url })
    }

    fn oauth2(&mut self, fields: &mut Fields<'d>) -> Option<SchemeForm> {
        if self.since_3_2
            && let Some(url) = self.string(fields, "oauth2MetadataUrl")
        {
            self.url(&url);
        }
        let Some(member) = fields.get("flows") else {
            self.missing(fields, "flows");
            return None;
        };
        let mut flows = self.fields(&member.node, "`flows`")?.guarding();
        let mut scopes: Vec<(String, String)> = Vec::new();
        let mut known = HashSet::default();
        // which URLs a flow needs: OpenAPI 3.1 section 4.8.29.1
        for (flow, urls) in [
            ("implicit", &["authorizationUrl"][..]),
            ("password", &["tokenUrl"][..]),
            ("clientCredentials", &["tokenUrl"][..]),
            ("authorizationCode", &["authorizationUrl", "tokenUrl"][..]),
            // since 3.2 (section 4.26.1)
            ("deviceAuthorization", &["deviceAuthorizationUrl", "tokenUrl"][..]),
        ] {
            if flow == "deviceAuthorization" && !self.since_3_2 {
                continue;
            }
            let Some(member) = flows.get(flow) else { continue };
            let Some(mut flow) = self.fields(&member.node, "a flow").map(Fields::guarding) else { continue };
            for url in urls {
                if let Some(url) = self.required_string(&mut flow, url) {
                    self.url(&url);
                }
            }
            if let Some(url) = self.string(&mut flow, "refreshUrl") {
                self.url(&url);
            }
            if flow.peek("scopes").is_none() {
                self.missing(&flow, "scopes");
            }
            for scope in self.map(&mut flow, "scopes") {
                if let Some(text) = self.text("a scope's description", &scope.node)
                    && known.insert(&*scope.key)
                {
                    scopes.push((scope.key.to_string(), text.value));
                }
            }
            self.finish(flow);
        }
        self.finish(flows);
        let is_flow = |flow: &Member| !is_extension(&flow.key);
        if !member.node.as_object().is_some_and(|flows| flows.members().iter().any(is_flow)) {
            let message = "no flow says how a client gets a token, and which scopes there are";
            let finding = Finding::warning(Code::PassedOver, message, member.node.place);
            self.push(finding.help(
                "describe a flow, such as `clientCredentials`: tokens are verified all the same, and no operation can ask for a scope",
            ));
        }
        Some(SchemeForm::OAuth2 { scopes })
    }

    /// Relative references are allowed; what is no URL at all is not, nor what only fills the place of one: `-`.
    fn url(&mut self, url: &Spanned<String>) {
        let sound = url.value.contains(['/', '.'])
            && !url.value.starts_with(':')
            && url.value.bytes().all(|byte| byte > b' ' && byte != 0x7f && !b"<>\"{}|\\^`".contains(&byte));
        if !sound {
            let message = format!("`{}` is not a URL", url.value);
            self.push(
                Finding::error(Code::InvalidValue, message, url.place)
                    .help("such as `https://id.example.com/token`"),
            );
        }
    }
}
