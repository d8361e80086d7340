//! The drafts of JSON Schema that a schema of 3.1 may state by `$schema`, and what is another in the older ones.

/// A draft, the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Draft {
    Four,
    Six,
    Seven,
    /// 2020-12, which OpenAPI extends.
    #[default]
    Newest,
}

impl Draft {
    pub(crate) fn stated(uri: &str) -> Option<Self> {
        Some(match uri.trim_end_matches('#') {
            "http://json-schema.org/draft-04/schema" => Self::Four,
            "http://json-schema.org/draft-06/schema" => Self::Six,
            "http://json-schema.org/draft-07/schema" => Self::Seven,
            "https://json-schema.org/draft/2020-12/schema" => Self::Newest,
            _ => return None,
        })
    }

    /// The keyword that a schema is known by.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Four => "id",
            _ => "$id",
        }
    }

    /// Whether nothing counts beside `$ref` (draft-07, core, section 8.3).
    pub(crate) fn has_lone_references(self) -> bool {
        self < Self::Newest
    }

    /// Whether `keyword` came later, and so means nothing in this draft.
    pub(crate) fn lacks(self, keyword: &str) -> bool {
        let since = match keyword {
            "const" | "contains" | "propertyNames" | "$id" => Self::Six,
            "if" | "then" | "else" => Self::Seven,
            "dependentRequired"
            | "dependentSchemas"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "minContains"
            | "maxContains"
            | "prefixItems"
            | "$anchor"
            | "$dynamicAnchor"
            | "$dynamicRef" => Self::Newest,
            _ => Self::Four,
        };
        self < since
    }
}
