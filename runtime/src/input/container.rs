//! [`Decode`] for what holds other values: nullable ones, lists, maps, boxes, and JSON of any shape.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

use super::decode::{Seed, refused, wrong_type};
use super::{At, Check, Decode, Depth, Tree, Upload, Violations, Visit};

impl<T: Decode> Decode for Option<T> {
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        from.deserialize_option(Nullable::<T>(depth, PhantomData))
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        match tree {
            Tree::Null => Some(None),
            untyped if T::is_null(untyped) => Some(None),
            _ => T::collect(tree, at, out).map(Some),
        }
    }
}

struct Nullable<T>(Depth, PhantomData<fn() -> T>);

impl<'de, T: Decode> Visitor<'de> for Nullable<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        T::decode(from, self.0).map(Some)
    }
}

impl<T: Decode> Decode for Vec<T> {
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        from.deserialize_seq(List::<T>(depth, PhantomData))
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        let Some(items) = tree.items() else { return wrong_type("must be an array", at, out) };
        let mut all = Some(Self::with_capacity(items.len()));
        for (index, item) in items.into_iter().enumerate() {
            if let Tree::Wrong(expected) = item {
                expected.clone().push(&at.index(index), out);
                all = None;
                continue;
            }
            match (T::collect(item, &at.index(index), out), &mut all) {
                (Some(value), Some(list)) => list.push(value),
                _ => all = None,
            }
            if out.is_full() {
                return None;
            }
        }
        all
    }
}

struct List<T>(Depth, PhantomData<fn() -> T>);

impl<'de, T: Decode> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
        let depth = self.0.enter()?;
        let mut list = Vec::new();
        while let Some(item) = from.next_element_seed(Seed::new(depth))? {
            list.push(item);
        }
        Ok(list)
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        from.deserialize_map(Entries::<T>(depth, PhantomData))
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        let Some(entries) = tree.entries() else { return wrong_type("must be an object", at, out) };
        let at = at.entry();
        let mut all = Some(Self::new());
        for entry in entries {
            if entry.repeated {
                out.push(&at, "duplicate", "must not have a member twice");
            }
            let name = String::collect(&Tree::Text(entry.name.as_ref().into()), &at, out);
            match (name, T::collect(&entry.value, &at, out), &mut all) {
                (Some(name), Some(value), Some(map)) if !entry.repeated => _ = map.insert(name, value),
                _ => all = None,
            }
            if out.is_full() {
                return None;
            }
        }
        all
    }
}

struct Entries<T>(Depth, PhantomData<fn() -> T>);

impl<'de, T: Decode> Visitor<'de> for Entries<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let depth = self.0.enter()?;
        let mut map = BTreeMap::new();
        while let Some(name) = from.next_key_seed(Seed::<String>::new(depth))? {
            if map.insert(name, from.next_value_seed(Seed::new(depth))?).is_some() {
                return Err(refused());
            }
        }
        Ok(map)
    }
}

/// JSON of any shape: the schema `{}`.
pub type Json = serde_json::Value;

impl Decode for Json {
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        from.deserialize_any(AnyJson(depth))
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        tree.to_json(at, out)
    }
}

struct AnyJson(Depth);

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        // From 2^63 on it may be an integer that was rounded: the careful pass sees its digits.
        match value.abs() < 9_223_372_036_854_775_808.0 {
            true => Ok(Json::from(value)),
            false => Err(refused()),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<Json, A::Error> {
        List(self.0, PhantomData).visit_seq(from).map(Json::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let depth = self.0.enter()?;
        let mut map = serde_json::Map::new();
        while let Some(name) = from.next_key::<String>()? {
            if map.insert(name, from.next_value_seed(Seed::new(depth))?).is_some() {
                return Err(refused()); // `serde_json` itself would keep the last
            }
        }
        Ok(Json::Object(map))
    }
}

/// A value on the heap, where a type of the document contains itself.
///
/// `Box` cannot have [`Decode`]: it is fundamental, so a blanket implementation would claim the user's types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boxed<T>(Box<T>);

impl<T> Boxed<T> {
    /// Puts a value on the heap.
    pub fn new(value: T) -> Self {
        Self(Box::new(value))
    }

    /// The value itself.
    #[must_use]
    pub fn into_inner(self) -> T {
        *self.0
    }
}

impl<T> From<T> for Boxed<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Deref for Boxed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Boxed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Serialize> Serialize for Boxed<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<T: Check> Check for Boxed<T> {
    fn check(&self, at: &At<'_>, out: &mut Violations) {
        self.0.check(at, out);
    }

    fn show<V: Visit>(&self, to: &mut V) -> bool {
        self.0.show(to)
    }

    fn files(&self) -> Vec<Upload> {
        self.0.files()
    }
}

impl<T: Decode> Decode for Boxed<T> {
    fn decode<'de, D: Deserializer<'de>>(from: D, depth: Depth) -> Result<Self, D::Error> {
        T::decode(from, depth).map(Self::new)
    }

    fn collect(tree: &Tree<'_>, at: &At<'_>, out: &mut Violations) -> Option<Self> {
        T::collect(tree, at, out).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Refused, from_json};
    use super::*;

    fn read<T: Decode + Check>(text: &str) -> Option<T> {
        from_json(text.as_bytes(), 3).ok()
    }

    #[test]
    fn null_is_only_for_what_is_nullable() {
        assert_eq!(read::<Option<i64>>("null"), Some(None));
        assert_eq!(read::<Option<i64>>("1"), Some(Some(1)));
        assert_eq!(read::<i64>("null"), None);
        assert_eq!(read::<Vec<Option<bool>>>("[null, true]"), Some(vec![None, Some(true)]));
    }

    #[test]
    fn lists_tell_every_item_that_is_wrong() {
        assert_eq!(read::<Vec<i64>>("[1, 2.0]"), Some(vec![1, 2]));
        let Err(Refused::Invalid(found)) = from_json::<Vec<i64>>(b"[1, true, 2, \"\"]", 3) else { panic!() };
        let pointers: Vec<_> = found.iter().map(|violation| violation.pointer.as_str()).collect();
        assert_eq!(pointers, ["/1", "/3"]);
        assert!(read::<Vec<i64>>("{}").is_none() && read::<Vec<i64>>("1").is_none());
    }

    #[test]
    fn maps_refuse_a_member_that_comes_twice() {
        type Map = BTreeMap<String, i64>;
        assert_eq!(read::<Map>(r#"{"a":1,"b":2}"#).map(|map| map.len()), Some(2));
        let Err(Refused::Invalid(found)) = from_json::<Map>(br#"{"a":1,"\u0061":2}"#, 3) else { panic!() };
        assert_eq!(found.iter().map(|violation| violation.rule).collect::<Vec<_>>(), ["duplicate"]);
        assert!(read::<Map>(r#"[["a",1]]"#).is_none());
        assert!(read::<Map>(r#"{"a\u0000":1}"#).is_none());
    }

    #[test]
    fn free_json_is_strict_too() {
        let read = read::<Json>;
        assert!(read(r#"{"a":[1,-2,2.5e3,"\u0000",null,true]}"#).is_some());
        assert!(read(r#"{"a":1,"a":1}"#).is_none() && read(r#"[{"a":1,"\u0061":2}]"#).is_none());
        assert!(read(r#""\ud800""#).is_none() && read(r#"["\udc00\ud800"]"#).is_none());
        assert_eq!(read("1e300"), Some(Json::from(1e300)));
        assert_eq!(read("18446744073709551615"), Some(Json::from(u64::MAX)));
        assert!(read("18446744073709551616").is_none(), "would be rounded");
        assert!(read("1e999").is_none(), "would be infinite");
    }

    #[test]
    fn boxes_are_transparent() {
        assert_eq!(read::<Boxed<Vec<Boxed<i64>>>>("[1]").map(|list| *list[0]), Some(1));
        assert_eq!(serde_json::to_string(&Boxed::new(1)).unwrap(), "1");
    }
}
