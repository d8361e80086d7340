//! The codes: stable names of what can be wrong, each with what it means, an example and its cure.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal $title:literal { why: $why:literal, bad: $bad:literal, good: $good:literal })*) => {
        /// What a finding is about. A code keeps its number for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the title of each says it")]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// E.g. `PAL0030`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is wrong, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Why it stops generation.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }

            /// A fragment of a document that has the fault.
            #[must_use]
            pub const fn bad(self) -> &'static str {
                match self { $(Self::$name => $bad,)* }
            }

            /// The same fragment without it.
            #[must_use]
            pub const fn good(self) -> &'static str {
                match self { $(Self::$name => $good,)* }
            }
        }
    };
}

impl Code {
    /// The code that is written like this, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

codes! {
    // reading
    Unreadable = "PAL0001" "a file cannot be read" {
        why: "The file is not there, is too large, or is not UTF-8.",
        bad: "cargo palisade generate opnapi.yaml",
        good: "cargo palisade generate openapi.yaml"
    }
    Syntax = "PAL0002" "a file is neither JSON nor YAML" {
        why: "JSON is read by RFC 8259 to the letter, YAML by version 1.2 in the core schema. What two readers could understand differently is refused.",
        bad: "{ \"openapi\": \"3.1.0\", }",
        good: "{ \"openapi\": \"3.1.0\" }"
    }
    MemberTwice = "PAL0003" "a member stands twice in one object" {
        why: "Readers disagree which of the two counts. A security requirement must not depend on that.",
        bad: "security: [{ oauth: [] }]\nsecurity: []",
        good: "security: [{ oauth: [] }]"
    }

    // form
    Version = "PAL0010" "not a version of OpenAPI that is supported" {
        why: "OpenAPI 3.0, 3.1 and 3.2 are supported.",
        bad: "swagger: \"2.0\"",
        good: "openapi: 3.1.0"
    }
    UnknownMember = "PAL0011" "a member that does not exist here" {
        why: "A misspelt member would be ignored, and with it what it protects.",
        bad: "x-palisade: { rate-limits: [money] }",
        good: "x-palisade: { rate-limit: [money] }"
    }
    WrongType = "PAL0012" "a value of the wrong type" {
        why: "The standard says which type each member has.",
        bad: "required: yes",
        good: "required: true"
    }
    MissingMember = "PAL0013" "a required member is missing" {
        why: "The standard requires the member.",
        bad: "- { in: query, schema: { type: string } }",
        good: "- { name: q, in: query, schema: { type: string } }"
    }
    InvalidValue = "PAL0014" "a value that is not allowed here" {
        why: "The value has the right type, but it is none of those that the member takes.",
        bad: "in: qurey",
        good: "in: query"
    }
    UnresolvedReference = "PAL0015" "a reference leads nowhere" {
        why: "`$ref` names a place that does not exist, or that holds something else.",
        bad: "$ref: \"#/components/schemas/Acount\"",
        good: "$ref: \"#/components/schemas/Account\""
    }
    ReferenceCycle = "PAL0016" "references that lead back to themselves" {
        why: "Following the references never arrives at anything. Schemas may be recursive, but not by references alone.",
        bad: "A: { $ref: \"#/components/parameters/B\" }\nB: { $ref: \"#/components/parameters/A\" }",
        good: "A: { $ref: \"#/components/parameters/B\" }\nB: { name: q, in: query, schema: { type: string } }"
    }
    ForeignReference = "PAL0017" "a reference that leaves the document's folder" {
        why: "Generation never uses the network, and reads no file outside the folder of the document.",
        bad: "$ref: https://example.com/schemas.yaml#/Account",
        good: "$ref: schemas.yaml#/Account"
    }

    TakenAs = "PAL0018" "a value that is taken as what it stands for" {
        why: "The standard asks for another type here, and what is meant is plain. Where it is decided who may call, nothing is taken as anything else.",
        bad: "info: { title: Bank, version: 1.0 }",
        good: "info: { title: Bank, version: \"1.0\" }"
    }
    PassedOver = "PAL0019" "a member that says nothing here" {
        why: "The standard does not define it here, and it is like no member that it does define. It is passed over; where it is decided who may call, it would stop generation.",
        bad: "{ type: string, placeholder: Alice }",
        good: "{ type: string, x-placeholder: Alice }"
    }

    // not yet
    NotSupported = "PAL0020" "not supported yet" {
        why: "This release cannot enforce the keyword. It stops rather than leave it unenforced.",
        bad: "{ $recursiveRef: \"#\" }",
        good: "{ type: object, properties: { child: { $ref: \"#/components/schemas/T\" } } }"
    }
    NotEnforced = "PAL0021" "an annotation that cannot be enforced yet" {
        why: "The vocabulary knows the annotation, this release cannot enforce it. It stops rather than leave it unenforced.",
        bad: "x-palisade: { roles: [teller] }",
        good: "x-palisade: { rate-limit: [money] }"
    }
    Ungenerated = "PAL0022" "a part of the document that no code is generated for" {
        why: "Links hint at what a client may do next; of webhooks and callbacks the JSON or the form that is sent becomes code, and nothing else. Nothing that protects the server is lost.",
        bad: "webhooks: { paid: { post: { requestBody: { content: { application/xml: {} } }, responses: { ... } } } }",
        good: "webhooks: { paid: { post: { requestBody: { content: { application/json: { schema: { type: string } } } }, responses: { ... } } } }"
    }

    // who may call
    Undecided = "PAL0030" "an operation that nobody decided about" {
        why: "Deny by default: an operation is served with a security requirement, or with `security: []` and the reason why it is public. To try a document whose owner has decided nothing yet, `--assume-public REASON` makes that choice, in the open.",
        bad: "get: { operationId: getStatus, responses: { ... } }",
        good: "get: { operationId: getStatus, security: [], x-palisade: { public: \"load balancers probe it\" }, responses: { ... } }"
    }
    PublicContradiction = "PAL0031" "public and protected at once" {
        why: "`public` gives the reason for `security: []`. Beside a requirement it says the opposite of it.",
        bad: "security: [{ oauth: [] }]\nx-palisade: { public: \"anyone\" }",
        good: "security: []\nx-palisade: { public: \"anyone may see the rates\" }"
    }
    UnknownScheme = "PAL0032" "a security scheme that is not declared" {
        why: "A requirement names a scheme under `components.securitySchemes`.",
        bad: "security: [{ oath: [] }]",
        good: "security: [{ oauth: [] }]"
    }
    UnknownScope = "PAL0033" "a scope that no flow declares" {
        why: "No token can ever carry it, so nobody could call the operation; most often it is misspelt.",
        bad: "security: [{ oauth: [transfer:write] }]",
        good: "security: [{ oauth: [transfers:write] }]"
    }
    UnsupportedScheme = "PAL0034" "a security scheme that cannot be enforced" {
        why: "What cannot be verified must not look as if it were.",
        bad: "digest: { type: http, scheme: digest }",
        good: "token: { type: http, scheme: bearer }"
    }
    TokenRules = "PAL0035" "token settings that cannot hold" {
        why: "HMAC and asymmetric algorithms in one list let a public key be taken for a secret (RFC 8725 section 3.1). A `type` other than `at+jwt` lets tokens pass that were made for something else (RFC 9068 section 2.1), and an `openIdConnectUrl` of another issuer sends clients for tokens that are refused: both are remarks.",
        bad: "algorithms: [HS256, ES256]",
        good: "algorithms: [ES256]"
    }

    AssumedPublic = "PAL0036" "operations that are public by assumption" {
        why: "Whoever generates chose `--assume-public`: operations that say nothing of security are served to everybody, for the reason that was given. It is a step of adopting a document, and it stays visible until each operation is decided.",
        bad: "get: { operationId: getStatus, responses: { ... } }",
        good: "get: { operationId: getStatus, security: [], x-palisade: { public: \"load balancers probe it\" }, responses: { ... } }"
    }
    TwoLogins = "PAL0037" "two logins in one requirement" {
        why: "A token and the session of a cookie each name a user, and nothing says that it is the same one. The caller is whom the first of them names, as the document is written: whoever sorts its members changes who that is.",
        bad: "security: [{ oauth: [], session: [] }]",
        good: "security: [{ oauth: [] }, { session: [] }]"
    }

    // operations
    OperationIdTwice = "PAL0040" "an operation id twice" {
        why: "It names the operation in code, events and limits.",
        bad: "get: { operationId: account, responses: { ... } }\nput: { operationId: account, responses: { ... } }",
        good: "get: { operationId: getAccount, responses: { ... } }\nput: { operationId: putAccount, responses: { ... } }"
    }
    OperationIdMissing = "PAL0041" "an operation without an id" {
        why: "A name is derived from method and path; it changes when the path does, or when another comes that would have the same.",
        bad: "get: { responses: { ... } }",
        good: "get: { operationId: getAccount, responses: { ... } }"
    }
    PathTwice = "PAL0042" "two paths that are one" {
        why: "They differ only in the names of their parameters, and both answer one method.",
        bad: "/accounts/{id}: { ... }\n/accounts/{accountId}: { ... }",
        good: "/accounts/{accountId}: { ... }"
    }
    PathTemplate = "PAL0043" "a path that cannot be served" {
        why: "A path starts with `/`, has no empty segment, and says where each parameter ends.",
        bad: "files/{name}: { ... }",
        good: "/files/{name}: { ... }"
    }
    ParameterUndeclared = "PAL0044" "a path parameter that is not declared" {
        why: "Each `{name}` of a path is declared as a parameter with `in: path`, so that its value is checked.",
        bad: "/accounts/{accountId}: { get: { parameters: [], responses: { ... } } }",
        good: "/accounts/{accountId}: { get: { parameters: [{ name: accountId, in: path, required: true, schema: { ... } }], responses: { ... } } }"
    }
    ParameterNotInPath = "PAL0045" "a path parameter that the path does not have" {
        why: "The declared parameter has no place in the path, so it never gets a value.",
        bad: "/accounts: { parameters: [{ name: id, in: path, ... }], get: { responses: { ... } } }",
        good: "/accounts/{id}: { parameters: [{ name: id, in: path, ... }], get: { responses: { ... } } }"
    }
    ParameterOptional = "PAL0046" "a path parameter that is not required" {
        why: "A path without it would be another path; the standard asks for `required: true`.",
        bad: "{ name: id, in: path, schema: { type: string } }",
        good: "{ name: id, in: path, required: true, schema: { type: string } }"
    }
    ParameterTwice = "PAL0047" "a parameter twice" {
        why: "A parameter is known by name and place. Header names have no case.",
        bad: "[{ name: q, in: query, ... }, { name: q, in: query, ... }]",
        good: "[{ name: q, in: query, ... }]"
    }
    HeaderIgnored = "PAL0048" "a parameter that is described elsewhere" {
        why: "`Accept`, `Content-Type`, `Authorization` and what a security scheme reads are described by responses, bodies and security; no handler gets them as plain text, nor the header `Cookie` where a cookie is one of them, what is for a proxy (`Proxy-Authorization`), or `X-Forwarded-For` and the like, which the gate takes away. Where callers show tokens, so is `access_token` in a query, and in a form it is a token in a second place (RFC 6750 section 2).",
        bad: "parameters: [{ name: Authorization, in: header, ... }]",
        good: "security: [{ oauth: [] }]"
    }
    StatusKey = "PAL0049" "a response key that is no status" {
        why: "Responses stand under a status such as \"200\", a range such as 4XX, or `default`.",
        bad: "responses: { OK: { description: done } }",
        good: "responses: { \"200\": { description: done } }"
    }

    // annotations
    UnknownLimit = "PAL0050" "a limit that is not declared" {
        why: "`rate-limit` names limits under `x-palisade.limits` of the document.",
        bad: "rate-limit: [mony]",
        good: "rate-limit: [money]"
    }
    LimitWithoutPrincipal = "PAL0051" "a limit that counts principals where there are none" {
        why: "Callers of a public operation are nobody in particular.",
        bad: "security: []\nx-palisade: { public: \"probes\", rate-limit: [per-principal] }",
        good: "security: []\nx-palisade: { public: \"probes\", rate-limit: [per-address] }"
    }
    Authorize = "PAL0052" "an ownership rule that cannot be checked" {
        why: "The rule names a resource, one of its string attributes, a path parameter, and needs a caller whose subject is known.",
        bad: "authorize: { resource: Acount, id: path.accountId, owner: owner }",
        good: "authorize: { resource: Account, id: path.accountId, owner: owner }"
    }
    Pagination = "PAL0053" "a pagination rule that does not fit the operation" {
        why: "The cursor and the limit are query parameters, the items an array in the answer, the next cursor a string beside it.",
        bad: "pagination: { cursor: afer, limit: limit, items: data, next: next_cursor }",
        good: "pagination: { cursor: after, limit: limit, items: data, next: next_cursor }"
    }
    Misplaced = "PAL0054" "an annotation at a level where it means nothing" {
        why: "Limits and resources are declared once for the document; who may call is said at the operation.",
        bad: "x-palisade: { public: \"everybody may\" }",
        good: "x-palisade: { timeout: 10s }"
    }
    StepUp = "PAL0055" "a login that is asked for where nothing tells of it" {
        why: "`acr` and `auth_time` are said by tokens and by sessions, which stand in a cookie: an operation that asks for them needs one in every alternative of its security.",
        bad: "get: { operationId: listThings, security: [{}, { oauth: [] }], x-palisade: { step-up: { max-age: 5m } }, responses: { ... } }",
        good: "get: { operationId: listThings, security: [{ oauth: [] }], x-palisade: { step-up: { max-age: 5m } }, responses: { ... } }"
    }

    Idempotency = "PAL0056" "an answer that cannot be kept" {
        why: "The key of a call is known by whose it is, so every caller has a credential; its answer is kept and sent again, so it is JSON and has a bound; and it is compared with the call that comes again, so its body is held. What changes nothing needs no key.",
        bad: "post: { operationId: addThing, security: [], x-palisade: { public: \"anyone\", idempotency: required }, responses: { ... } }",
        good: "post: { operationId: addThing, security: [{ oauth: [] }], x-palisade: { idempotency: required }, responses: { ... } }"
    }
    LimitMisfit = "PAL0057" "a limit that does not fit the operation" {
        why: "What a request counts as must fit into the limit, and what it is counted by must be there: else all requests would be refused, or none.",
        bad: "rate-limit: [money] # 10/1m\ncost: 20",
        good: "rate-limit: [money] # 10/1m\ncost: 2"
    }
    Login = "PAL0058" "a login whose attempts cannot be counted" {
        why: "An attempt counts for the account that the body names, a string of a required JSON object or form, and has failed when an answer of 400 or above says so. So it is not `idempotency` as well: an answer that is sent again verified nothing, and would count as a success.",
        bad: "login: { account: body.user } # of { username: alice, password: .. }",
        good: "login: { account: body.username }"
    }

    // schemas
    DefaultMismatch = "PAL0060" "a default that its schema refuses" {
        why: "The server would refuse its own default.",
        bad: "{ type: integer, maximum: 100, default: 200 }",
        good: "{ type: integer, maximum: 100, default: 20 }"
    }
    EnumMismatch = "PAL0061" "an enumerated value that its schema refuses" {
        why: "The value can never be used; most often its type or its spelling is wrong.",
        bad: "{ type: string, enum: [EUR, 5] }",
        good: "{ type: string, enum: [EUR, \"5\"] }"
    }
    Contradiction = "PAL0062" "constraints that nothing satisfies" {
        why: "No value fits, so every request would be refused. Types, bounds, formats, listed values, items and members are judged together, with what `allOf` and references add, and so is what cannot do without something impossible: an object that requires it, a list of at least one. What need not be there, such as an optional member or one alternative among others, is a remark.",
        bad: "{ type: integer, minimum: 10, maximum: 1 }",
        good: "{ type: integer, minimum: 1, maximum: 10 }"
    }
    Pattern = "PAL0063" "a pattern that has no linear-time form" {
        why: "Patterns run on what strangers send. Back-references and most look-around need backtracking, whose time can explode. Look-around next to `^` at the start, or next to `$` at the end, asks one more question of the whole text, and is taken.",
        bad: "{ type: string, pattern: \"^user-(?!admin).*$\" }",
        good: "{ type: string, pattern: \"^(?!user-admin)user-.*$\" }"
    }
    UnknownFormat = "PAL0064" "a format that is not checked" {
        why: "The value is taken as any value of its type. State a `pattern` or bounds if it matters.",
        bad: "{ type: string, format: iban }",
        good: "{ type: string, pattern: \"^[A-Z]{2}[0-9]{2}[A-Z0-9]+$\" }"
    }
    KeywordWithoutEffect = "PAL0065" "a keyword that has no effect on this type" {
        why: "The standard applies the keyword to another type, so the check that was meant does not happen.",
        bad: "{ type: integer, maxLength: 5 }",
        good: "{ type: integer, maximum: 99999 }"
    }
    UndeclaredProperty = "PAL0066" "a required property that is not declared" {
        why: "The member must be there, and whatever it is will do: nothing describes it.",
        bad: "{ type: object, required: [nmae], properties: { name: { type: string } } }",
        good: "{ type: object, required: [name], properties: { name: { type: string } } }"
    }
    Endless = "PAL0067" "a type that has no end" {
        why: "A value of it would have to hold itself.",
        bad: "Node: { type: object, required: [next], properties: { next: { $ref: \"#/components/schemas/Node\" } } }",
        good: "Node: { type: object, properties: { next: { $ref: \"#/components/schemas/Node\" } } }"
    }
    Untyped = "PAL0068" "something of which nothing is declared" {
        why: "Members of such an object and items of such an array are let through, unchecked, as JSON; an operation without `responses` answers without a body.",
        bad: "{ type: object }",
        good: "{ type: object, properties: { name: { type: string } } }"
    }
    MediaType = "PAL0069" "a media type whose schema cannot be enforced" {
        why: "JSON, forms, multipart bodies whose parts have names and text are read and written by their schema; of every other media type the bytes are handed on, which enforces nothing.",
        bad: "content: { application/xml: { schema: { type: integer } } }",
        good: "content: { application/json: { schema: { type: integer } } }"
    }
    Style = "PAL0072" "a style that does not say how a value is written" {
        why: "The standard leaves it undefined, so two readers could understand a request differently.",
        bad: "- { name: filter, in: query, schema: { type: array, items: { type: array, items: { type: string } } } }",
        good: "- { name: filter, in: query, content: { application/json: { schema: { ... } } } }"
    }
    BodyWithoutMeaning = "PAL0073" "a body to which HTTP gives no meaning" {
        why: "RFC 9110 section 9.3.1 gives content of GET and HEAD no meaning; intermediaries may drop it or refuse the request. The server reads what is declared. An answer with 204, 205 or 304 has no body, and none is sent.",
        bad: "get: { operationId: findThings, requestBody: { content: { application/json: { schema: { ... } } } }, responses: { ... } }",
        good: "post: { operationId: findThings, requestBody: { content: { application/json: { schema: { ... } } } }, responses: { ... } }"
    }
    Overlap = "PAL0074" "alternatives that nothing tells apart" {
        why: "A value may satisfy two of them: of `oneOf` it is then refused, as the standard says, and of `anyOf` it is taken for the first. Whoever sends or handles it has to find out which one it is.",
        bad: "{ oneOf: [{ type: object, properties: { card: { type: string } } }, { type: object, properties: { iban: { type: string } } }] }",
        good: "{ oneOf: [{ type: object, required: [kind], properties: { kind: { const: card }, card: { type: string } } }, { type: object, required: [kind], properties: { kind: { const: iban }, iban: { type: string } } }] }"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].as_str() < pair[1].as_str(), "{} {}", pair[0], pair[1]);
        }
        for code in Code::ALL {
            assert!(code.as_str().starts_with("PAL") && code.as_str().len() == 7);
            assert!(!code.why().is_empty() && code.bad() != code.good(), "{code}");
            assert_eq!(Code::parse(&code.as_str().to_lowercase()), Some(*code));
        }
        assert_eq!(Code::parse("PAL9999"), None);
    }
}
