//! What the parameters say about a walk by cursor.

use std::fmt;

use super::{Param, Parameters};

/// What step 13 needs: the cursor as it was submitted, and what it must have been sealed for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CursorInput {
    /// The text of the cursor parameter.
    pub token: Option<String>,
    /// The parameters but the cursor and the page's size, which may change on the way.
    pub filters: Vec<u8>,
}

/// Without the token: cursors are not for logs.
impl fmt::Debug for CursorInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CursorInput").field("given", &self.token.is_some()).finish_non_exhaustive()
    }
}

impl Parameters<'_> {
    /// The cursor and what it is bound to, for an operation whose list is walked by cursor.
    pub fn cursor(&mut self) -> Option<CursorInput> {
        let policy = self.sources.policy;
        let pagination = policy.pagination.as_ref()?;
        let token = self.scalar(&Param::<String>::query(pagination.cursor)).flatten();
        let mut filters = Vec::new();
        self.sources.canonical(&[pagination.cursor, pagination.limit], &mut filters);
        Some(CursorInput { token, filters })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::super::sample::POLICY;
    use super::*;

    const ID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    #[test]
    fn a_cursor_is_bound_to_path_and_filters_but_not_to_the_page_size() {
        let filters = |captures: &[&str], query: &str| {
            let headers = HeaderMap::new();
            Parameters::new(&POLICY, captures, Some(query), &headers).cursor().unwrap()
        };
        let first = filters(&["b", ID], "currency=EUR&limit=5");
        assert_eq!(first.token, None);
        let next = filters(&["b", ID], "after=abc&limit=9&currency=%45UR");
        assert_eq!((next.token.as_deref(), &next.filters), (Some("abc"), &first.filters));
        for (captures, query) in [
            (&["b", ID], "currency=USD"),
            (&["b", ID], ""),
            (&["b", ID], "currency=EUR&tags="),
            (&["c", ID], "currency=EUR"),
            (&["b", "x"], "currency=EUR"),
        ] {
            assert_ne!(filters(captures, query).filters, first.filters, "{query}");
        }
        assert_ne!(
            filters(&["b", ID], "tags=a&tags=b").filters,
            filters(&["b", ID], "tags=ab&tags=").filters
        );
    }
}
