//! Ids: positions in the tables of an [`Api`](super::Api), told apart by type.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(usize);

        impl $name {
            /// The id of the entry at `position`. The entry must be there by the time the id is looked up.
            #[must_use]
            pub const fn at(position: usize) -> Self {
                Self(position)
            }

            /// The position of the entry.
            #[must_use]
            pub const fn position(self) -> usize {
                self.0
            }
        }
    )*};
}

ids! {
    /// Counts [`Api::schemes`](super::Api::schemes).
    SchemeId,
    /// Counts [`Api::limits`](super::Api::limits).
    LimitId,
    /// Counts [`Api::resources`](super::Api::resources).
    ResourceId,
    /// Counts the entries of a [`TypeTable`](super::TypeTable).
    TypeId,
}

/// The entry at `position`.
#[expect(clippy::indexing_slicing, reason = "ids are made by `build` from the very table they are used with")]
pub(crate) fn entry<T>(table: &[T], position: usize) -> &T {
    &table[position]
}
