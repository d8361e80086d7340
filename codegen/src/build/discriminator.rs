//! Which words of a discriminator mean an alternative, and which one is meant without a word (OpenAPI 3.2 section 4.25).

use foldhash::{HashMap, HashSet};

use crate::document::{Discriminator, Document, Schema, SchemaId};

/// What a discriminator says of its alternatives.
pub(super) struct Tags<'d> {
    /// The member.
    pub(super) member: &'d str,
    /// The alternatives with their words.
    pub(super) words: Vec<(SchemaId, Vec<String>)>,
    places: HashMap<SchemaId, usize>,
    /// The alternative that is meant where the member is absent, or its word is none of these.
    pub(super) default: Option<SchemaId>,
}

impl Tags<'_> {
    /// The words of an alternative.
    pub(super) fn of(&self, alternative: SchemaId) -> &[String] {
        let found = self.places.get(&alternative).and_then(|place| self.words.get(*place));
        found.map(|(_, words)| words.as_slice()).unwrap_or_default()
    }
}

/// What tells the alternatives of a discriminator apart, when each of them has a word or is the default, and no two have
/// the same. The discriminator chooses among the first list there is.
pub(super) fn tags<'d>(document: &'d Document, holder: &'d Schema) -> Option<Tags<'d>> {
    let beyond = &holder.beyond;
    let discriminator = beyond.discriminator.as_ref()?;
    let list = if beyond.one_of.is_empty() { &beyond.any_of } else { &beyond.one_of };
    let mut mapped: HashMap<SchemaId, Vec<String>> = HashMap::default();
    for (word, id) in &discriminator.mapping {
        mapped.entry(document.target(*id)).or_default().push(word.value.clone());
    }
    let meant = discriminator.default.as_ref().map(|default| document.target(default.value));
    let default = list.iter().copied().find(|id| Some(document.target(*id)) == meant);
    let mut all: Vec<(SchemaId, Vec<String>)> = Vec::new();
    let mut known = HashSet::default();
    for alternative in list {
        let words = words_of(document, *alternative, discriminator, &mapped);
        let words = words.or_else(|| (default == Some(*alternative)).then(Vec::new))?;
        if words.iter().any(|word| known.contains(word)) {
            return None; // it does not tell the two apart
        }
        known.extend(words.iter().cloned());
        all.push((*alternative, words));
    }
    let places = all.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    (!all.is_empty()).then(|| Tags { member: &discriminator.property.value, words: all, places, default })
}

/// The words that mean `alternative`: those of the mapping, else the constant that the member has there, else the name of
/// the component (OpenAPI 3.1 section 4.8.25). `None`: nothing says.
fn words_of(
    document: &Document,
    alternative: SchemaId,
    discriminator: &Discriminator,
    mapped: &HashMap<SchemaId, Vec<String>>,
) -> Option<Vec<String>> {
    let target = document.target(alternative);
    if let Some(words) = mapped.get(&target) {
        return Some(words.clone());
    }
    if let Some(words) = constants(document, target, &discriminator.property.value) {
        return Some(words);
    }
    let refers = document.schema(alternative).reference;
    refers.and_then(|id| document.component(id)).map(|name| vec![name.value.clone()])
}

/// The strings that a member is limited to.
fn constants(document: &Document, id: SchemaId, property: &str) -> Option<Vec<String>> {
    let (_, member) =
        document.schema(id).properties.iter().flatten().find(|(name, _)| name.value == property)?;
    let member = document.schema(document.target(*member));
    if let Some(constant) = &member.constant {
        return Some(vec![constant.as_str()?.to_owned()]);
    }
    let values = &member.enumeration.as_ref()?.value;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}
