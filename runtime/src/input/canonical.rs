//! Whether two values are the same JSON value, by a 128-bit keyed fingerprint of their canonical form.
//!
//! The form is fed to the hasher as it is serialized, so nothing is built. The keys are random for each process: who
//! submits the items cannot aim for a collision, and 128 bits do not collide by chance.

use std::fmt::Display;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::sync::LazyLock;

use serde::ser::{self, Impossible, Serialize, Serializer};

/// Up to this many items the fingerprints stand on the stack.
const FEW: usize = 32;

/// Whether no two items are equal. An item that cannot be written as JSON makes the answer `false`.
pub(super) fn all_differ<T: Serialize>(items: &[T]) -> bool {
    let mut few = [0_u128; FEW];
    let mut many = Vec::new();
    let seen = match few.get_mut(..items.len()) {
        Some(few) => few,
        None => {
            many.resize(items.len(), 0);
            many.as_mut_slice()
        }
    };
    for (slot, item) in seen.iter_mut().zip(items) {
        match fingerprint(item) {
            Ok(print) => *slot = print,
            Err(Unwritable) => return false,
        }
    }
    seen.sort_unstable();
    seen.is_sorted_by(|one, next| one < next)
}

fn fingerprint<T: Serialize>(value: &T) -> Result<u128, Unwritable> {
    let mut prints = Prints::new();
    value.serialize(Canonical(&mut prints))?;
    Ok(prints.finish())
}

struct Prints(DefaultHasher, DefaultHasher);

impl Prints {
    fn new() -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        let [one, other] = &*KEYS;
        Self(one.build_hasher(), other.build_hasher())
    }

    fn finish(&self) -> u128 {
        (u128::from(self.0.finish()) << 64) | u128::from(self.1.finish())
    }

    /// A tag for the type, then the bytes with their length, so that no two forms run together.
    fn write(&mut self, tag: u8, bytes: &[u8]) {
        for hasher in [&mut self.0, &mut self.1] {
            hasher.write_u8(tag);
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
    }

    fn integer(&mut self, value: i128) {
        self.write(b'n', &value.to_le_bytes());
    }

    /// A float that is whole is the same number as the integer; minus zero is zero.
    fn float(&mut self, value: f64) {
        const EXACT: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0; // 2^127
        if value.fract() == 0.0 && value.abs() < EXACT {
            // Whole, and within `i128`.
            self.integer(value as i128);
        } else {
            self.write(b'f', &value.to_bits().to_le_bytes());
        }
    }
}

/// The value has no JSON form.
#[derive(Debug)]
struct Unwritable;

impl Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the value has no JSON form")
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

struct Canonical<'h>(&'h mut Prints);

/// The entries of a map in whatever order they come: `serde_json` has them sorted until some crate of the binary switches
/// on `preserve_order`. Each has a fingerprint of its own, and the map has their sum.
struct Entries<'h> {
    into: &'h mut Prints,
    sum: u128,
    entry: Prints,
}

macro_rules! numbers {
    ($($method:ident $type:ty => $as:ident;)*) => { $(
        fn $method(self, value: $type) -> Result<(), Unwritable> {
            self.0.$as(value.into());
            Ok(())
        }
    )* };
}

type Open<'h> = Result<Canonical<'h>, Unwritable>;

impl<'h> Serializer for Canonical<'h> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), Unwritable>;
    type SerializeMap = Entries<'h>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unwritable>;

    numbers! {
        serialize_i8 i8 => integer; serialize_i16 i16 => integer; serialize_i32 i32 => integer;
        serialize_i64 i64 => integer; serialize_i128 i128 => integer;
        serialize_u8 u8 => integer; serialize_u16 u16 => integer; serialize_u32 u32 => integer;
        serialize_u64 u64 => integer; serialize_f32 f32 => float; serialize_f64 f64 => float;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        self.0.write(b'b', &[u8::from(value)]);
        Ok(())
    }
    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
        self.0.write(b's', value.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unwritable> {
        Err(Unwritable)
    }
    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.0.write(b'0', &[]);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Result<(), Unwritable> {
        self.serialize_str(word)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unwritable> {
        Err(Unwritable)
    }
    fn serialize_seq(self, _: Option<usize>) -> Open<'h> {
        self.0.write(b'[', &[]);
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Open<'h> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Open<'h> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(Unwritable)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'h>, Unwritable> {
        Ok(Entries { into: self.0, sum: 0, entry: Prints::new() })
    }
    /// The members of one struct type always arrive in the same order.
    fn serialize_struct(self, _: &'static str, _: usize) -> Open<'h> {
        self.0.write(b'{', &[]);
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(Unwritable)
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident)*) => { $(
        impl ser::$trait for Canonical<'_> {
            type Ok = ();
            type Error = Unwritable;
            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unwritable> {
                item.serialize(Canonical(&mut *self.0))
            }
            fn end(self) -> Result<(), Unwritable> {
                self.0.write(b']', &[]);
                Ok(())
            }
        }
    )* };
}

lists!(SerializeSeq serialize_element SerializeTuple serialize_element SerializeTupleStruct serialize_field);

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unwritable;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.entry = Prints::new();
        key.serialize(Canonical(&mut self.entry))
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        value.serialize(Canonical(&mut self.entry))?;
        self.sum = self.sum.wrapping_add(self.entry.finish());
        Ok(())
    }
    fn end(self) -> Result<(), Unwritable> {
        self.into.write(b'm', &self.sum.to_le_bytes());
        Ok(())
    }
}

impl ser::SerializeStruct for Canonical<'_> {
    type Ok = ();
    type Error = Unwritable;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.0.write(b's', name.as_bytes());
        value.serialize(Canonical(&mut *self.0))
    }
    fn end(self) -> Result<(), Unwritable> {
        self.0.write(b'}', &[]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_compared_too() {
        let mut list: Vec<u64> = (0..1000).collect();
        assert!(all_differ(&list));
        list[999] = 17;
        assert!(!all_differ(&list));
    }

    #[test]
    fn what_cannot_be_written_is_not_called_unique() {
        assert!(!all_differ(&[Password::from("a"), Password::from("b")]));
    }

    use super::super::Password;

    /// As `serde_json` has them in a binary where `preserve_order` is switched on.
    #[test]
    fn the_order_of_a_map_does_not_matter() {
        struct Written(Vec<(&'static str, u8)>);

        impl Serialize for Written {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_map(self.0.iter().copied())
            }
        }

        let one = || Written(vec![("a", 1), ("b", 2)]);
        assert!(!all_differ(&[one(), Written(vec![("b", 2), ("a", 1)])]));
        assert!(all_differ(&[one(), Written(vec![("b", 1), ("a", 2)])]));
        assert!(all_differ(&[one(), Written(vec![("a", 1)]), Written(vec![])]));
    }
}
