//! What a cursor is bound to, beside its key and its time.

/// What a cursor is bound to: it opens for nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'a> {
    /// `operationId`.
    pub(crate) operation: &'a str,
    /// Hash of the document: a cursor does not outlive a change of what it walks.
    pub(crate) document: &'a str,
    /// Issuer and subject, or `None` for an anonymous caller.
    pub(crate) principal: Option<(&'a str, &'a str)>,
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
        match self.principal {
            None => data.push(0),
            Some((issuer, subject)) => {
                data.push(1);
                prefixed(&mut data, issuer.as_bytes());
                prefixed(&mut data, subject.as_bytes());
            }
        }
        prefixed(&mut data, &self.filters.0);
        data
    }
}

fn prefixed(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    out.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(operation: &str, document: &str, principal: Option<(&str, &str)>, filters: &Filters) -> Vec<u8> {
        Binding { operation, document, principal, filters }.associated_data(b"head")
    }

    #[test]
    fn text_that_moves_from_one_part_to_the_next_changes_the_binding() {
        let none = Filters::default();
        let all = [
            bytes("ab", "c", None, &none),
            bytes("a", "bc", None, &none),
            bytes("ab", "c", Some(("", "")), &none),
            bytes("ab", "c", Some(("d", "")), &none),
            bytes("ab", "c", Some(("", "d")), &none),
            bytes("ab", "c", None, &Filters::from_canonical(vec![0])),
            bytes("ab", "c", None, &Filters::from_canonical(vec![0, 0])),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
