//! [`Page`]: what a list shows at once, and the cursors of the pages beside it.
//!
//! Rules:
//! 1. the handler reads one row more than it shows: from the position on where the page lies after it, and backwards from there
//!    where it lies before it;
//! 2. a row too many says that there is a page beyond, and is not shown;
//! 3. rows that were read backwards are turned round: every page is in the order of the list;
//! 4. on the other side is the page that the client came from. Where none was asked for, there is none;
//! 5. a page without a row has no place in the list, so it has no cursors;
//! 6. the row too many has another position than the row beside it: the page there begins behind all that have the same, and
//!    would not show it. Where they have the same, no page is made.

use std::fmt;

use super::SealedCursor;
use super::position::Position;

/// A page of a list, made by [`Caller::page`](crate::Caller::page).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the page behind this one; `None` on the last.
    pub next: Option<SealedCursor>,
    /// The cursor of the page before this one; `None` on the first, and where the document names no `previous`.
    pub previous: Option<SealedCursor>,
}

/// Where a page begins, in a list that is walked both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFrom<P> {
    /// With the first row.
    Start,
    /// With the first row behind this position.
    After(P),
    /// It ends with the last row before this position: read backwards from there.
    Before(P),
}

/// Whether a list is walked forward alone, or back as well.
pub trait Direction: sealed::Sealed {
    /// Where a page begins: the position it lies after, if it has one, or a [`PageFrom`].
    type From<P>;
    #[doc(hidden)]
    const BACK: bool;
    #[doc(hidden)]
    fn of<P>(from: PageFrom<P>) -> Self::From<P>;
}

/// From each page to the next.
#[derive(Debug)]
pub enum Forward {}

/// To the page before as well: the document names `previous`.
#[derive(Debug)]
pub enum BothWays {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Forward {}
    impl Sealed for super::BothWays {}
}

impl Direction for Forward {
    type From<P> = Option<P>;
    const BACK: bool = false;

    /// No cursor of such a list leads back.
    fn of<P>(from: PageFrom<P>) -> Option<P> {
        match from {
            PageFrom::After(position) => Some(position),
            PageFrom::Start | PageFrom::Before(_) => None,
        }
    }
}

impl Direction for BothWays {
    type From<P> = PageFrom<P>;
    const BACK: bool = true;

    fn of<P>(from: PageFrom<P>) -> PageFrom<P> {
        from
    }
}

/// On which side of its position the page of a cursor lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    After,
    Before,
}

/// The rows of a page, and which pages are beside it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: bool,
    pub(crate) previous: bool,
}

/// Two rows have one position, and the page would end between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SamePosition;

impl fmt::Display for SamePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "two rows have the same position, and the next page would not show the second: a position needs a unique last value",
        )
    }
}

impl std::error::Error for SamePosition {}

/// Makes a page of at most `limit` of the rows that were read. `side`: of the cursor, where one was sent; `place`: the position
/// of a row.
pub(crate) fn cut<T, P: Position>(
    rows: impl IntoIterator<Item = T>,
    limit: usize,
    side: Option<Side>,
    place: impl Fn(&T) -> P,
) -> Result<Cut<T>, SamePosition> {
    let mut items: Vec<T> = rows.into_iter().take(limit.saturating_add(1)).collect(); // 1
    let beyond = if items.len() > limit { items.pop() } else { None }; // 2
    let written = |row: &T| {
        let mut bytes = Vec::new();
        place(row).write(&mut bytes);
        bytes
    };
    if let (Some(shown), Some(beyond)) = (items.last(), &beyond)
        && written(shown) == written(beyond)
    {
        return Err(SamePosition); // 6
    }
    let more = beyond.is_some();
    Ok(match side {
        None => Cut { items, next: more, previous: false },
        Some(Side::After) => Cut { items, next: more, previous: true }, // 4
        Some(Side::Before) => {
            items.reverse(); // 3
            Cut { items, next: true, previous: more }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: &u8) -> u32 {
        (*row).into()
    }

    /// What a page of two shows of five rows.
    fn page(side: Option<Side>, rows: &[u8]) -> (Vec<u8>, bool, bool) {
        let Cut { items, next, previous } = cut(rows.iter().copied(), 2, side, place).unwrap();
        (items, next, previous)
    }

    #[test]
    fn one_row_more_says_that_there_is_a_page_beyond() {
        assert_eq!(page(None, &[1, 2, 3]), (vec![1, 2], true, false));
        assert_eq!(page(None, &[1, 2]), (vec![1, 2], false, false));
        assert_eq!(page(None, &[]), (vec![], false, false));
        assert_eq!(page(Some(Side::After), &[3, 4, 5]), (vec![3, 4], true, true));
        assert_eq!(page(Some(Side::After), &[5]), (vec![5], false, true));
    }

    #[test]
    fn rows_that_were_read_backwards_are_turned_round() {
        assert_eq!(page(Some(Side::Before), &[4, 3, 2]), (vec![3, 4], true, true));
        assert_eq!(page(Some(Side::Before), &[2, 1]), (vec![1, 2], true, false));
    }

    #[test]
    fn no_more_is_read_than_may_be_shown_and_one() {
        let mut read = 0;
        let endless = std::iter::repeat_with(|| read += 1);
        let numbered = endless.zip(1_u32..);
        assert_eq!(cut(numbered, 3, None, |(_, number)| *number).unwrap().items.len(), 3);
        assert_eq!(read, 4);
    }

    #[test]
    fn no_page_ends_between_rows_of_one_position() {
        for side in [None, Some(Side::After), Some(Side::Before)] {
            let cut = |rows: &[u8], limit| cut(rows.iter().copied(), limit, side, place);
            assert_eq!(cut(&[3, 2, 2], 2), Err(SamePosition), "{side:?}");
            assert_eq!(cut(&[2, 2], 1), Err(SamePosition), "{side:?}");
            // those that are shown together, or not at all, hide nobody
            assert!(cut(&[2, 2, 1], 2).is_ok() && cut(&[2, 2], 2).is_ok() && cut(&[2, 2], 0).is_ok());
        }
    }
}
