//! A walk by cursor: which page of it a request asks for, and where the next one is.
//!
//! Rules:
//! 1. an answer of 200 for which the handler sealed one cursor has it in `Link` with `rel="next"`, and one that leads back with
//!    `rel="prev"` (RFC 8288 section 3), beside the members that the document names. Where none was sealed there is no such
//!    page; where several were, nobody knows which of them leads there. Who came by a cursor gets `rel="first"` as well, which
//!    needs none;
//! 2. the target is a query alone, which is relative to the address that the client used (RFC 3986 section 5.2.2): a proxy may
//!    have cut that. It has what the request had, but for the cursor, and for keys that stood in it;
//! 3. how many pages were walked is in the cursor. The [`MANY_PAGES`]th, and each tenfold, is an event: somebody takes the whole
//!    list. A page that leads back counts as well: who takes two small steps back after each large one gets as far. So is the
//!    page with which a caller got so many in an hour, whatever walks they are of: who asks by one filter after another gets
//!    as far, too ([`Walkers`](super::walkers::Walkers)).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::Witness;
use crate::cursor::{SealedCursor, Side};

/// Pages of one walk.
const MANY_PAGES: u32 = 100;

/// What the event says of a long walk, or of many.
pub(super) enum Walked {
    Page(u32),
    InAnHour(u32),
}

impl fmt::Display for Walked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(page) => write!(f, "page_{page}_of_a_walk"),
            Self::InAnHour(pages) => write!(f, "{pages}_pages_in_an_hour"),
        }
    }
}

/// What a handler sealed.
#[derive(Debug, Default)]
pub(crate) struct Sealed {
    after: Slot,
    before: Slot,
}

/// The last of the cursors that lead to one side, and how many there were.
#[derive(Debug, Default)]
struct Slot(Mutex<(usize, Option<SealedCursor>)>);

impl Sealed {
    pub(super) fn note(&self, side: Side, cursor: &SealedCursor) {
        let mut sealed = self.slot(side).0.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.0 = sealed.0.saturating_add(1);
        sealed.1 = Some(cursor.clone());
    }

    fn only(&self, side: Side) -> Option<SealedCursor> {
        let sealed = self.slot(side).0.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.1.clone().filter(|_| sealed.0 == 1)
    }

    const fn slot(&self, side: Side) -> &Slot {
        match side {
            Side::After => &self.after,
            Side::Before => &self.before,
        }
    }
}

/// What a request asks of a list.
pub(crate) struct Walk {
    page: u32,
    sealed: Arc<Sealed>,
    /// The query but for the cursor.
    others: String,
    /// The parameter of the cursor.
    parameter: &'static str,
}

impl Walk {
    pub(super) fn new(page: u32, sealed: Arc<Sealed>, query: Option<&str>, parameter: &'static str) -> Self {
        let named = |pair: &&str| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            percent_decode_str(name).eq(parameter.bytes())
        };
        let others = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !named(pair));
        Self { page, sealed, others: others.collect::<Vec<_>>().join("&"), parameter }
    }

    /// Whether it came by a cursor.
    pub(super) const fn is_on(&self) -> bool {
        self.page > 1
    }

    /// Writes the answer's header and event. `pages`: how many the caller got in this hour.
    pub(super) fn close(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
        pages: Option<u32>,
        witness: &Witness,
    ) {
        if is_milestone(self.page) {
            witness.report_walk(&Walked::Page(self.page), status);
        } else if let Some(pages) = pages.filter(|pages| is_milestone(*pages)) {
            witness.report_walk(&Walked::InAnHour(pages), status);
        }
        if status == StatusCode::OK {
            let links = [(Side::After, "next"), (Side::Before, "prev")];
            let links = links.into_iter().filter_map(|(side, relation)| self.link(side, relation));
            for link in links.chain(self.first()) {
                headers.append(header::LINK, link);
            }
        }
    }

    fn link(&self, side: Side, relation: &str) -> Option<HeaderValue> {
        let cursor = self.sealed.only(side)?;
        let between = if self.others.is_empty() { "" } else { "&" };
        self.target(&format!("{between}{}={}", self.parameter, cursor.as_str()), relation)
    }

    fn first(&self) -> Option<HeaderValue> {
        if self.is_on() { self.target("", "first") } else { None }
    }

    /// Rule 2.
    fn target(&self, more: &str, relation: &str) -> Option<HeaderValue> {
        let others = utf8_percent_encode(&self.others, NO_QUERY);
        HeaderValue::try_from(format!("<?{others}{more}>; rel=\"{relation}\"")).ok()
    }
}

/// What is no part of a query (RFC 3986 section 3.4), though HTTP libraries let it come. What is encoded stays so.
const NO_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Rule 3.
fn is_milestone(page: u32) -> bool {
    let mut tenfold = std::iter::successors(Some(MANY_PAGES), |pages| pages.checked_mul(10));
    tenfold.any(|pages| pages == page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_wrote_is_a_query_in_its_links() {
        let encoded = |others: &str| utf8_percent_encode(others, NO_QUERY).to_string();
        let good = "a=1&b=x%20y&c=/?:@!$'()*+,;-._~";
        assert_eq!(encoded(good), good);
        assert_eq!(encoded("f[a]=<\"{|}\\^`>#\u{fc}"), "f%5Ba%5D=%3C%22%7B%7C%7D%5C%5E%60%3E%23%C3%BC");
    }

    #[test]
    fn a_walk_is_told_of_at_each_tenfold() {
        let told: Vec<u32> = (1..=20_000).filter(|page| is_milestone(*page)).collect();
        assert_eq!(told, [100, 1_000, 10_000]);
        assert!(is_milestone(1_000_000_000) && !is_milestone(u32::MAX));
    }

    #[test]
    fn the_target_has_what_the_request_had_but_for_the_cursor() {
        let link = |query: &str, cursors: &[&str]| {
            let sealed = Arc::new(Sealed::default());
            cursors.iter().for_each(|text| sealed.note(Side::After, &SealedCursor::of(text)));
            let next = Walk::new(1, sealed, Some(query), "after").link(Side::After, "next");
            next.map(|value| value.to_str().unwrap().to_owned())
        };
        for (query, target) in [
            ("", "<?after=abc>"),
            ("limit=2", "<?limit=2&after=abc>"),
            ("a=%41&after=old&b", "<?a=%41&b&after=abc>"),
            ("%61fter=old&afters=x", "<?afters=x&after=abc>"),
            ("a=1>;rel=\"x\"<", "<?a=1%3E;rel=%22x%22%3C&after=abc>"),
        ] {
            assert_eq!(link(query, &["abc"]), Some(format!("{target}; rel=\"next\"")), "{query}");
        }
        let first = |page, query| {
            let link = Walk::new(page, Arc::default(), Some(query), "after").first();
            link.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(first(2, "a=%41&after=old&b").as_deref(), Some("<?a=%41&b>; rel=\"first\""));
        assert_eq!(first(2, "after=old").as_deref(), Some("<?>; rel=\"first\""));
        assert_eq!(first(1, "a=%41&b"), None, "it is there");
        assert_eq!(link("limit=2", &[]), None);
        assert_eq!(link("limit=2", &["abc", "def"]), None);
    }
}
