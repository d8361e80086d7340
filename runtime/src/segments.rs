//! Templates of paths, segment by segment: `/accounts/{accountId}/{file}.json`.
//!
//! 1. A path is cut at `/`; segments are compared as they are sent, byte for byte, and `%2F` is data.
//! 2. A segment of a template is a literal, a whole parameter, or literals and parameters in turn, `{x}-{y}.json`.
//! 3. A parameter is never empty. Within a segment each takes as little as the literal behind it allows; the last one
//!    takes the rest. (`{x}-{y}` on `a-b-c` is `a` and `b-c`.)

/// A segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Exactly this.
    Literal(&'static str),
    /// Anything but nothing.
    Parameter,
    /// Literals before each parameter, and the one behind the last.
    Mixed { before: Vec<&'static str>, end: &'static str },
}

/// The segments of a template. A brace that is not closed is a literal, which no path of a document has.
pub(crate) fn segments(template: &'static str) -> impl Iterator<Item = Segment> {
    template.split('/').skip(1).map(segment)
}

fn segment(text: &'static str) -> Segment {
    let mut before = Vec::new();
    let mut rest = text;
    while let Some((literal, inner)) = rest.split_once('{') {
        let Some((_name, after)) = inner.split_once('}') else { return Segment::Literal(text) };
        before.push(literal);
        rest = after;
    }
    match (before.as_slice(), rest) {
        ([], _) => Segment::Literal(text),
        ([""], "") => Segment::Parameter,
        _ => Segment::Mixed { before, end: rest },
    }
}

impl Segment {
    /// Whether this segment of a path is one of this kind; what its parameters stand for is added to `captures`.
    pub(crate) fn matches<'p>(&self, segment: &'p str, captures: &mut Vec<&'p str>) -> bool {
        match self {
            Self::Literal(literal) => *literal == segment,
            Self::Parameter => {
                captures.push(segment);
                !segment.is_empty()
            }
            Self::Mixed { before, end } => mixed(before, end, segment, captures).is_some(),
        }
    }

    /// How concrete it is: what stands for one thing comes before what stands for many (OpenAPI 3.1 section 4.8.8.2).
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Mixed { .. } => 1,
            Self::Parameter => 2,
        }
    }

    /// How many of its bytes are literal.
    pub(crate) fn literal_bytes(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Parameter => 0,
            Self::Mixed { before, end } => {
                before.iter().map(|literal| literal.len()).sum::<usize>() + end.len()
            }
        }
    }
}

fn mixed<'p>(before: &[&str], end: &str, segment: &'p str, captures: &mut Vec<&'p str>) -> Option<()> {
    let (first, between) = before.split_first()?;
    let mut rest = segment.strip_prefix(first)?.strip_suffix(end)?;
    for literal in between {
        // A parameter has at least one character before the literal that ends it.
        let least = rest.chars().next()?.len_utf8();
        let at = rest.get(least..)?.find(literal)? + least;
        let (value, after) = rest.split_at_checked(at)?;
        captures.push(value);
        rest = after.strip_prefix(literal)?;
    }
    captures.push(rest);
    (!rest.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'p>(template: &'static str, segment: &'p str) -> Option<Vec<&'p str>> {
        let mut captures = Vec::new();
        super::segment(template).matches(segment, &mut captures).then_some(captures)
    }

    #[test]
    fn kinds() {
        assert_eq!(segment("accounts"), Segment::Literal("accounts"));
        assert_eq!(segment(""), Segment::Literal(""));
        assert_eq!(segment("{id}"), Segment::Parameter);
        assert_eq!(segment("{a}.{b}"), Segment::Mixed { before: vec!["", "."], end: "" });
    }

    #[test]
    fn parts_of_a_segment() {
        for (template, segment, captures) in [
            ("{name}.json", "a.b.json", Some(vec!["a.b"])),
            ("{name}.json", ".json", None),
            ("{name}.json", "a.xml", None),
            ("{x}-{y}", "a-b-c", Some(vec!["a", "b-c"])),
            ("{x}-{y}", "-b-c", Some(vec!["-b", "c"])),
            ("{x}-{y}", "a-", None),
            ("{x}-{y}", "a", None),
            ("v{x}", "v1", Some(vec!["1"])),
            ("v{x}", "v", None),
            ("{id}:undelete", "a%3Ab:undelete", Some(vec!["a%3Ab"])),
            ("{a}{b}", "xyz", Some(vec!["x", "yz"])),
            ("{a}.{b}", "\u{e4}.b", Some(vec!["\u{e4}", "b"])),
            ("a{x}a", "a", None),
            ("{id}", "", None),
        ] {
            assert_eq!(read(template, segment), captures, "{template} on {segment}");
        }
    }
}
