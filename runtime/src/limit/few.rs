//! A list that lives on the stack while it is short.

/// Limits on one operation that cost no allocation; documents rarely name more than three.
const SHORT: usize = 4;

/// A list of a length that is known from the start.
#[derive(Debug)]
pub(crate) enum Few<T> {
    Short([T; SHORT], usize),
    Long(Vec<T>),
}

impl<T: Copy + Default> Few<T> {
    /// A list of `items`, whose number is `count`.
    pub(crate) fn collect(count: usize, items: impl Iterator<Item = T>) -> Self {
        if count > SHORT {
            return Self::Long(items.collect());
        }
        let (mut short, mut filled) = ([T::default(); SHORT], 0_usize);
        for (slot, item) in short.iter_mut().zip(items) {
            *slot = item;
            filled = filled.saturating_add(1);
        }
        Self::Short(short, filled)
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::Short(short, filled) => short.get(..*filled).unwrap_or_default(),
            Self::Long(long) => long,
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::Short(short, filled) => short.get_mut(..*filled).unwrap_or_default(),
            Self::Long(long) => long,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_all_items_short_or_long() {
        for count in [0, 1, SHORT, SHORT + 1, 100] {
            let mut few = Few::collect(count, 0..count);
            assert_eq!(few.as_slice(), (0..count).collect::<Vec<_>>());
            assert_eq!(few.as_mut_slice().len(), count);
            assert_eq!(matches!(few, Few::Short(..)), count <= SHORT);
        }
    }
}
