//! What the parameters of a path template stand for in a path.

use crate::segments::segments;

/// The segments that the parameters of `template` match in `path`, still percent-encoded, in the order of the template.
///
/// 1. Each segment is one of its kind: see [`crate::segments`].
/// 2. There are as many segments in the one as in the other.
pub(super) fn captures<'p>(template: &'static str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut expected = segments(template);
    let mut captures = Vec::new();
    for segment in path.strip_prefix('/')?.split('/') {
        if !expected.next()?.matches(segment, &mut captures) {
            return None;
        }
    }
    expected.next().is_none().then_some(captures)
}

#[cfg(test)]
mod tests {
    use super::captures;

    #[test]
    fn parameters_capture_their_segments_as_they_are_written() {
        let template = "/accounts/{accountId}/transfers/{id}";
        assert_eq!(captures(template, "/accounts/a%2Fb/transfers/7"), Some(vec!["a%2Fb", "7"]));
        assert_eq!(captures("/status", "/status"), Some(vec![]));
        assert_eq!(captures("/", "/"), Some(vec![]));
    }

    #[test]
    fn another_path_captures_nothing() {
        let template = "/accounts/{accountId}";
        for other in
            ["/accounts/", "/accounts", "/accounts/1/", "/accounts/1/2", "/Accounts/1", "//1", "", "/a/1"]
        {
            assert_eq!(captures(template, other), None, "{other}");
        }
    }
}
