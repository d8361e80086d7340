//! [`At`]: the way to a value, as a linked list on the stack, so that keeping it costs no allocation.

use super::Section;
use crate::operation::Location;

/// Longest pointer that is told; a deeper place is told by the nearest one that fits.
const LONGEST: usize = 512;

/// Where in an input a value stands. It becomes a JSON pointer (RFC 6901) when somebody asks.
///
/// Names are `'static` because they are the document's: what a client submits cannot become part of a pointer.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Root(Section),
    Member(&'static str),
    Index(usize),
    /// A value of a map: its key is the client's, so the pointer ends at the map.
    Entry,
}

impl At<'static> {
    /// The body.
    #[must_use]
    pub const fn root() -> Self {
        Self::of(Section::Body)
    }

    /// A part of the request as a whole.
    #[must_use]
    pub const fn of(section: Section) -> Self {
        Self { parent: None, step: Step::Root(section) }
    }

    /// A parameter. One that is all of the query has no name in it.
    #[must_use]
    pub fn parameter(location: Location, name: &'static str) -> Self {
        static ROOTS: [At<'static>; 4] =
            [At::of(Section::Path), At::of(Section::Query), At::of(Section::Header), At::of(Section::Cookie)];
        let [path, query, header, cookie] = &ROOTS;
        let root = match location {
            Location::Path => path,
            Location::Query => query,
            Location::QueryString => return *query,
            Location::Header => header,
            Location::Cookie => cookie,
        };
        Self { parent: Some(root), step: Step::Member(name) }
    }
}

impl<'a> At<'a> {
    /// A declared member of the object here.
    #[must_use]
    #[inline]
    pub const fn member(&'a self, name: &'static str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    /// An item of the array here.
    #[must_use]
    #[inline]
    pub const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// A value of the map here.
    #[must_use]
    #[inline]
    pub const fn entry(&'a self) -> Self {
        Self { parent: Some(self), step: Step::Entry }
    }

    /// The part of the request.
    #[must_use]
    pub fn section(&self) -> Section {
        let mut at = self;
        loop {
            match (at.step, at.parent) {
                (Step::Root(section), _) => return section,
                (_, Some(parent)) => at = parent,
                (_, None) => return Section::Body,
            }
        }
    }

    /// The JSON pointer (RFC 6901 section 3), at most 512 bytes of it.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(here) = at {
            steps.push(here.step);
            at = here.parent;
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            let text = match step {
                Step::Root(_) => continue,
                Step::Entry => break,
                Step::Member(name) => escaped(name),
                Step::Index(index) => index.to_string(),
            };
            if pointer.len() + 1 + text.len() > LONGEST {
                break;
            }
            pointer.push('/');
            pointer.push_str(&text);
        }
        pointer
    }
}

/// RFC 6901 section 3: `~` is `~0`, `/` is `~1`, in this order.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_rfc_6901() {
        let root = At::root();
        assert_eq!(root.pointer(), "");
        let items = root.member("items");
        let third = items.index(2);
        assert_eq!(third.member("a/b~c").pointer(), "/items/2/a~1b~0c");
        assert_eq!(third.section(), Section::Body);
    }

    #[test]
    fn a_parameter_is_named_in_its_part() {
        let at = At::parameter(Location::Query, "limit");
        assert_eq!((at.section(), at.pointer()), (Section::Query, "/limit".to_owned()));
        assert_eq!(at.index(1).pointer(), "/limit/1");
    }

    #[test]
    fn ends_at_a_map_because_its_keys_are_the_clients() {
        let root = At::root();
        let labels = root.member("labels");
        let entry = labels.entry();
        assert_eq!(entry.member("text").pointer(), "/labels");
    }

    #[test]
    fn is_bounded() {
        fn dig(at: &At<'_>, left: usize) -> String {
            if left == 0 { at.pointer() } else { dig(&at.member("a-name-of-the-document"), left - 1) }
        }
        let pointer = dig(&At::root(), 100);
        assert!(pointer.len() <= LONGEST && pointer.ends_with("-document"), "{pointer}");
    }
}
