//! A value built from the constraints of its schema.

use serde_json::{Map as JsonMap, Value};

use super::conform::{conforms, text_conforms};
use super::format::text_of;
use super::{bounds, pattern};
use crate::model::{Api, Array, Map, Object, Schema, Shape, Text, Type, TypeId};

/// Items and entries of one value; a document that demands more gets none.
const MOST: usize = 256;
/// Values of one sample. Types that refer to each other in a web would otherwise unfold without end.
const VALUES: usize = 20_000;
/// Structs inside each other, below which optional members are left out.
const DEEP: usize = 3;
/// How often another value is tried where items must differ.
const TURNS: usize = 1024;

/// A value that conforms to `schema`.
pub(super) fn sample(api: &Api, schema: &Schema) -> Option<Value> {
    let value = Sampler { api, open: Vec::new(), left: VALUES }.value(schema, 0)?;
    conforms(api, schema, &value).then_some(value)
}

struct Sampler<'a> {
    api: &'a Api,
    /// The structs that are being built, so that one that may hold itself ends.
    open: Vec<TypeId>,
    /// How many values may still be made.
    left: usize,
}

impl Sampler<'_> {
    fn value(&mut self, schema: &Schema, turn: usize) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        match self.typed(&schema.ty, turn) {
            None if schema.nullable => Some(Value::Null),
            value => value,
        }
    }

    fn typed(&mut self, ty: &Type, turn: usize) -> Option<Value> {
        match ty {
            Type::Any => Some(Value::String(format!("value {turn}"))),
            Type::Boolean => (turn < 2).then_some(Value::Bool(turn == 0)),
            Type::Integer(rules) => whole(bounds::integer(rules, turn)?),
            Type::Number(rules) => {
                serde_json::Number::from_f64(bounds::number(rules, turn)?).map(Value::Number)
            }
            Type::Text(rules) => text(rules, turn).map(Value::String),
            Type::Array(rules) => self.array(rules),
            Type::Map(rules) => self.map(rules),
            Type::Named(id) => self.named(*id, turn),
        }
    }

    fn named(&mut self, id: TypeId, turn: usize) -> Option<Value> {
        let definition = self.api.types.get(id);
        let own = Schema::of(Type::Named(id));
        let given = definition.examples.iter().filter(|example| conforms(self.api, &own, example)).nth(turn);
        if let Some(example) = given {
            return Some(example.clone());
        }
        match &definition.shape {
            Shape::Alias(schema) => self.value(schema, turn),
            Shape::Checked(shape) => super::shape::sample(self.api, *shape, turn),
            Shape::Words(words) => words.words.get(turn).map(|word| word.value.to_literal()),
            Shape::Union(_) if self.open.len() > 2 * DEEP && self.open.contains(&id) => None,
            Shape::Union(union) => {
                self.open.push(id);
                let value = union.variants.iter().find_map(|variant| self.value(&variant.schema, turn));
                self.open.pop();
                value
            }
            Shape::Object(_) if self.open.contains(&id) => None,
            Shape::Object(object) => {
                self.open.push(id);
                let value = self.object(object, turn);
                self.open.pop();
                value
            }
        }
    }

    /// Required members must be found; optional ones are there when they can be.
    fn object(&mut self, object: &Object, turn: usize) -> Option<Value> {
        let mut entries = JsonMap::new();
        let lean = self.open.len() > DEEP || self.left < VALUES / 2;
        for member in object.members.iter().filter(|member| member.required || !lean) {
            let given =
                member.examples.iter().find(|example| conforms(self.api, &member.schema, example)).cloned();
            let value = given.filter(|_| turn == 0).or_else(|| self.value(&member.schema, turn));
            match value {
                Some(value) => _ = entries.insert(member.name.clone(), value),
                None if member.required => return None,
                None => {}
            }
        }
        Some(Value::Object(entries))
    }

    fn array(&mut self, rules: &Array) -> Option<Value> {
        let least = rules.counts.min.unwrap_or(0);
        let wanted = least.max(1).min(rules.counts.max.unwrap_or(usize::MAX));
        let mut items: Vec<Value> = Vec::new();
        for turn in 0..TURNS {
            if items.len() >= wanted || items.len() >= MOST {
                break;
            }
            match self.value(&rules.items, if rules.unique { turn } else { 0 }) {
                Some(item) if rules.unique && items.contains(&item) => {}
                Some(item) => items.push(item),
                None => break,
            }
        }
        (items.len() >= least).then_some(Value::Array(items))
    }

    fn map(&mut self, rules: &Map) -> Option<Value> {
        let least = rules.counts.min.unwrap_or(0);
        let wanted = least.max(1).min(rules.counts.max.unwrap_or(usize::MAX)).min(MOST);
        let mut entries = JsonMap::new();
        for number in 0..wanted {
            match self.value(&rules.values, 0) {
                Some(value) => _ = entries.insert(format!("key{number}"), value),
                None => break,
            }
        }
        (entries.len() >= least).then_some(Value::Object(entries))
    }
}

fn whole(value: i128) -> Option<Value> {
    let signed = i64::try_from(value).map(Value::from);
    signed.or_else(|_| u64::try_from(value).map(Value::from)).ok()
}

fn text(rules: &Text, turn: usize) -> Option<String> {
    let shortest = rules.length.min.unwrap_or(0);
    let of_format = text_of(rules.format, turn).into_iter();
    let of_pattern =
        rules.pattern.iter().flat_map(|pattern| pattern::texts(&pattern.translated, shortest, turn));
    let mut candidates = of_format.chain(of_pattern).chain(plain(rules, turn));
    candidates.find(|text| text_conforms(rules, text))
}

/// A text without a format: a word, cut or filled up to the length that is asked for.
fn plain(rules: &Text, turn: usize) -> Option<String> {
    let most = rules.length.max.unwrap_or(usize::MAX);
    let least = rules.length.min.unwrap_or(0);
    let word = if turn == 0 { "text".to_owned() } else { format!("{turn}text") };
    let mut text: String = word.chars().take(most).collect();
    if least > LONGEST_TEXT {
        return None;
    }
    while text.chars().count() < least {
        text.push('x');
    }
    Some(text)
}

/// No text is filled up beyond this.
const LONGEST_TEXT: usize = 1 << 16;
