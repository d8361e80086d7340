//! Strict reading of the JSON inside tokens and key sets: a member named twice is refused at every level.
//!
//! RFC 7515 section 4 lets an implementation keep the last of two equal names, and section 10.12 says what
//! comes of it: two readers of one token see two tokens. Text is borrowed from the input wherever it has no escapes.

use std::{borrow::Cow, cell::Cell, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::authn::Reason;

/// Carries the precise reason past serde, whose errors know only text.
#[derive(Default)]
pub(crate) struct Why(Cell<Option<Reason>>);

impl Why {
    /// Notes `reason` and gives the error that ends the parse.
    pub(crate) fn fail<E: Error>(&self, reason: Reason) -> E {
        self.0.set(Some(reason));
        E::custom(reason.code())
    }

    /// The noted reason; a parse that failed without one was no JSON or of the wrong types.
    pub(crate) fn reason(&self) -> Reason {
        self.0.get().unwrap_or(Reason::Malformed)
    }
}

/// Parses exactly one JSON value from `bytes` with `seed`: nothing before it, nothing after it.
///
/// That it is UTF-8 (RFC 8259 section 8.1) is looked at once: text by text takes several times as long.
pub(crate) fn parse<'de, S: DeserializeSeed<'de>>(
    bytes: &'de [u8],
    seed: S,
    why: &Why,
) -> Result<S::Value, Reason> {
    let text = str::from_utf8(bytes).map_err(|_| Reason::Malformed)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut deserializer).map_err(|_| why.reason())?;
    deserializer.end().map_err(|_| Reason::Malformed)?;
    Ok(value)
}

/// The JSON value that `bytes` are; refused where they are none or name a member twice anywhere.
pub(crate) fn value(bytes: &[u8]) -> Result<Value, Reason> {
    let why = Why::default();
    parse(bytes, Whole(&why), &why)
}

/// Refuses `bytes` that are no JSON or name a member twice anywhere.
#[cfg(any(test, feature = "login"))]
pub(crate) fn check(bytes: &[u8]) -> Result<(), Reason> {
    let why = Why::default();
    parse(bytes, Skip(&why), &why)
}

/// What is read of an object, member by member.
pub(crate) trait Members<'de> {
    /// What the object is, for the error.
    const WHAT: &'static str;

    /// Takes the value of the member `name`, if that is known: by [`once`]. The others are passed over, each once.
    fn member<A: MapAccess<'de>>(&mut self, name: &str, members: &mut A, why: &Why)
    -> Result<bool, A::Error>;
}

/// The object that `bytes` are.
pub(crate) fn object<'de, M: Members<'de> + Default>(bytes: &'de [u8]) -> Result<M, Reason> {
    let mut object = M::default();
    object_into(bytes, &mut object)?;
    Ok(object)
}

/// The same into what is there.
pub(crate) fn object_into<'de, M: Members<'de>>(bytes: &'de [u8], object: &mut M) -> Result<(), Reason> {
    let why = Why::default();
    parse(bytes, Object(object, &why), &why)
}

/// Reads an object into what takes its members, where that is: moved about, it costs as much as a member.
pub(crate) struct Object<'a, M>(pub(crate) &'a mut M, pub(crate) &'a Why);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(M::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(object, why) = self;
        let mut others = Names::default();
        while let Some(Text(name)) = members.next_key()? {
            if object.member(&name, &mut members, why)? {
                continue;
            }
            if !others.add(name) {
                return Err(why.fail(Reason::DuplicateMember));
            }
            members.next_value_seed(Skip(why))?;
        }
        Ok(())
    }
}

/// Keeps the text of a member.
pub(crate) fn text<'de, A: MapAccess<'de>>(
    slot: &mut Option<Cow<'de, str>>,
    members: &mut A,
    why: &Why,
) -> Result<(), A::Error> {
    once(slot, members.next_value::<Text<'de>>()?.0, why)
}

/// Keeps the value of a member, which is there once.
pub(crate) fn once<T, E: Error>(slot: &mut Option<T>, value: T, why: &Why) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(why.fail(Reason::DuplicateMember)),
    }
}

/// A JSON string, borrowed when it has no escapes.
pub(crate) struct Text<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// The names of one object that were seen. Few are scanned, many are hashed: no input makes it quadratic.
#[derive(Default)]
pub(crate) struct Names<'de> {
    few: SmallVec<[Cow<'de, str>; FEW]>,
    many: Option<HashSet<Cow<'de, str>>>,
}

const FEW: usize = 8;

impl<'de> Names<'de> {
    /// Whether `name` is new.
    pub(crate) fn add(&mut self, name: Cow<'de, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.get_or_insert_default().insert(name)
    }
}

/// Walks over a value of no interest, refusing objects that name a member twice.
#[derive(Clone, Copy)]
pub(crate) struct Skip<'a>(pub(crate) &'a Why);

impl<'de> DeserializeSeed<'de> for Skip<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skip<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(Text(name)) = members.next_key()? {
            if !names.add(name) {
                return Err(self.0.fail(Reason::DuplicateMember));
            }
            members.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// Reads a value whole, refusing objects that name a member twice.
#[derive(Clone, Copy)]
pub(crate) struct Whole<'a>(pub(crate) &'a Why);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.contains_key(&name) {
                return Err(self.0.fail(Reason::DuplicateMember));
            }
            all.insert(name, members.next_value_seed(self)?);
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_once_pass_and_names_twice_do_not_at_any_level() {
        assert_eq!(check(br#"{"a":[{"b":1},{"b":2}],"c":{"b":null}}"#), Ok(()));
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[0,{"y":[{"a":1,"a":2}]}]}"#,
        ] {
            assert_eq!(check(twice.as_bytes()), Err(Reason::DuplicateMember), "{twice}");
        }
    }

    #[test]
    fn a_value_is_what_others_read_unless_it_names_a_member_twice() {
        let text = br#"{"a":[1,-2,1.5,1e3,"\u0061",null,true,{}],"b":{"a":18446744073709551615}}"#;
        assert_eq!(value(text).unwrap(), serde_json::from_slice::<Value>(text).unwrap());
        for twice in [r#"{"a":1,"\u0061":2}"#, r#"{"x":[0,{"a":1,"a":2}]}"#] {
            assert_eq!(value(twice.as_bytes()), Err(Reason::DuplicateMember), "{twice}");
        }
        for bad in ["", "{} x", "[1,]", &"[".repeat(5000)] {
            assert_eq!(value(bad.as_bytes()), Err(Reason::Malformed), "{bad:.9}");
        }
    }

    #[test]
    fn many_names_are_still_compared() {
        let names = |last: &str| {
            let mut text = String::from("{");
            for n in 0..500 {
                text.push_str(&format!("\"n{n}\":0,"));
            }
            text.push_str(&format!("\"{last}\":0}}"));
            check(text.as_bytes())
        };
        assert_eq!(names("new"), Ok(()));
        assert_eq!(names("n499"), Err(Reason::DuplicateMember));
        assert_eq!(names("n3"), Err(Reason::DuplicateMember));
    }

    #[test]
    fn no_json_is_malformed() {
        for bad in ["", "{", "{}{}", "{} x", "[1,]", "{\"a\":NaN}", "\u{feff}{}", "{\"a\":\"\\ud800\"}"] {
            assert_eq!(check(bad.as_bytes()), Err(Reason::Malformed), "{bad}");
        }
        assert_eq!(check(&[b'"', 0xff, b'"']), Err(Reason::Malformed));
        let deep = "[".repeat(5000);
        assert_eq!(check(deep.as_bytes()), Err(Reason::Malformed), "depth is bounded");
    }
}
