//! The keywords of arrays.

use super::super::{At, Json, items, unique_items};
use super::evaluate::{Walk, size};
use super::seen::Seen;
use super::told::Told;
use super::{Keyword, Shape};

impl Walk {
    /// A keyword over an array.
    pub(super) fn array<'v>(
        &mut self,
        keyword: &'static Keyword,
        list: &'v [Json],
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        seen: Option<&mut Seen<'v>>,
    ) {
        match keyword {
            Keyword::Items(prefix, rest) => self.items(prefix, *rest, list, at, told, seen),
            Keyword::Contains(shape, min, max) => self.contains(shape, (*min, *max), list, at, told, seen),
            Keyword::ItemCount(min, max) => told.run(|out| items(list, *min..=*max, at, out)),
            Keyword::UniqueItems => {
                self.spend(size(value));
                told.run(|out| unique_items(list, at, out));
            }
            Keyword::UnevaluatedItems(shape) => {
                let Some(seen) = seen else { return };
                for (index, item) in list.iter().enumerate() {
                    if !seen.has_item(index) {
                        self.check(shape, item, &at.index(index), told, None);
                    }
                    if told.is_settled() {
                        return;
                    }
                }
                seen.items(list.len());
            }
            other => super::scalar::check(other, value, at, told),
        }
    }

    fn items<'v>(
        &mut self,
        prefix: &'static [&'static Shape],
        rest: Option<&'static Shape>,
        list: &'v [Json],
        at: &At<'_>,
        told: &mut Told<'_>,
        seen: Option<&mut Seen<'v>>,
    ) {
        for (index, item) in list.iter().enumerate() {
            let Some(shape) = prefix.get(index).copied().or(rest) else { break };
            self.check(shape, item, &at.index(index), told, None);
            if told.is_settled() {
                return;
            }
        }
        if let Some(seen) = seen {
            seen.items(if rest.is_some() { list.len() } else { prefix.len().min(list.len()) });
        }
    }

    fn contains<'v>(
        &mut self,
        shape: &'static Shape,
        (min, max): (usize, usize),
        list: &'v [Json],
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        let mut found = 0;
        for (index, item) in list.iter().enumerate() {
            if self.fits(shape, item, &at.index(index), None) {
                found += 1;
                if let Some(seen) = &mut seen {
                    seen.item(index);
                }
            }
        }
        if found < min {
            let rule = if min == 1 { "contains" } else { "minContains" };
            told.broken_with(at, rule, || {
                format!("must have at least {min} of the items that it must contain")
            });
        } else if found > max {
            told.broken_with(at, "maxContains", || {
                format!("must have at most {max} of the items that it must contain")
            });
        }
    }
}
