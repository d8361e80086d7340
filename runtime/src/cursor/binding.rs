//! What a cursor is bound to, beside its key and its time.

use crate::authn::Identity;

/// What a cursor is bound to: it opens for nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'a> {
    /// `operationId`.
    pub(crate) operation: &'a str,
    /// Hash of the document: a cursor does not outlive a change of what it walks.
    pub(crate) document: &'a str,
    /// Everybody whose credential counted; nobody for an anonymous caller.
    pub(crate) principals: &'a [Identity<'a>],
    /// The other parameters of the request.
    pub(crate) filters: &'a Filters,
}

/// The parameters that select what a list shows, without the cursor and the page's size (which may change on the way).
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters(Vec<u8>);

impl Filters {
    /// From bytes that are the same for the same parameters, in whatever order they were sent, and for no others.
    pub(crate) fn from_canonical(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Binding<'_> {
    /// Each part with its length, so that no two bindings have the same bytes; and the head, so that the version and key id
    /// are authentic too.
    pub(super) fn associated_data(&self, head: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(256);
        for part in [head, self.operation.as_bytes(), self.document.as_bytes()] {
            prefixed(&mut data, part);
        }
        data.extend_from_slice(&length(self.principals.len()));
        for Identity { issuer, subject, tenant } in self.principals {
            // a tenant has a name, so none is told from all of them
            for part in [tenant.unwrap_or_default(), issuer, subject] {
                prefixed(&mut data, part.as_bytes());
            }
        }
        prefixed(&mut data, &self.filters.0);
        data
    }
}

fn length(count: usize) -> [u8; 8] {
    u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes()
}

fn prefixed(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&length(part.len()));
    out.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(
        operation: &str,
        document: &str,
        principals: &[(&'static str, &'static str, Option<&'static str>)],
        filters: &Filters,
    ) -> Vec<u8> {
        let principals = principals.iter();
        let principals: Vec<_> =
            principals.map(|&(issuer, subject, tenant)| Identity { issuer, subject, tenant }).collect();
        Binding { operation, document, principals: &principals, filters }.associated_data(b"head")
    }

    #[test]
    fn text_that_moves_from_one_part_to_the_next_changes_the_binding() {
        let none = Filters::default();
        let all = [
            bytes("ab", "c", &[], &none),
            bytes("a", "bc", &[], &none),
            bytes("ab", "c", &[("", "", None)], &none),
            bytes("ab", "c", &[("d", "", None)], &none),
            bytes("ab", "c", &[("", "d", None)], &none),
            bytes("ab", "c", &[("d", "e", None), ("f", "g", None)], &none),
            bytes("ab", "c", &[("d", "e", None), ("f", "h", None)], &none),
            bytes("ab", "c", &[("f", "g", None), ("d", "e", None)], &none),
            bytes("ab", "c", &[("d", "e", Some("f"))], &none),
            bytes("ab", "c", &[("d", "e", Some("g"))], &none),
            bytes("ab", "c", &[("d", "", Some("e"))], &none),
            bytes("ab", "c", &[("", "e", Some("d"))], &none),
            bytes("ab", "c", &[("d", "e", None)], &none),
            bytes("ab", "c", &[("d", "e", Some("f")), ("g", "h", None)], &none),
            bytes("ab", "c", &[("d", "e", None), ("g", "h", Some("f"))], &none),
            bytes("ab", "c", &[], &Filters::from_canonical(vec![0])),
            bytes("ab", "c", &[], &Filters::from_canonical(vec![0, 0])),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
