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
    /// Whether `null`, which has no members, is an alternative as well.
    pub(super) takes_null: bool,
}

/// Why a discriminator does not choose.
pub(crate) enum Untold {
    /// Nothing says which word means this alternative.
    Wordless(SchemaId),
    /// The word means an alternative before this one as well.
    Twice(SchemaId, String),
}

impl Tags<'_> {
    /// The words of an alternative.
    pub(super) fn of(&self, alternative: SchemaId) -> &[String] {
        let found = self.places.get(&alternative).and_then(|place| self.words.get(*place));
        found.map(|(_, words)| words.as_slice()).unwrap_or_default()
    }
}

/// What tells the alternatives of a discriminator apart, when there is one that chooses.
pub(super) fn tags<'d>(document: &'d Document, holder: &'d Schema) -> Option<Tags<'d>> {
    told(document, holder, holder.beyond.discriminator.as_ref()?).ok()
}

/// Why the discriminator of a schema with alternatives chooses none of them.
pub(crate) fn untold(document: &Document, holder: &Schema) -> Option<Untold> {
    told(document, holder, holder.beyond.discriminator.as_ref()?).err().flatten()
}

/// It chooses among the first list there is, when each alternative has a word or is the default, and no two have the same.
fn told<'d>(
    document: &'d Document,
    holder: &'d Schema,
    discriminator: &'d Discriminator,
) -> Result<Tags<'d>, Option<Untold>> {
    let beyond = &holder.beyond;
    let exactly_one = !beyond.one_of.is_empty();
    let list = if exactly_one { &beyond.one_of } else { &beyond.any_of };
    let mut mapped: HashMap<SchemaId, Vec<String>> = HashMap::default();
    for (word, id) in &discriminator.mapping {
        mapped.entry(document.target(*id)).or_default().push(word.value.clone());
    }
    let is_null = |id: &SchemaId| document.schema(document.target(*id)).is_only_null();
    let (nulls, objects): (Vec<SchemaId>, Vec<SchemaId>) = list.iter().copied().partition(is_null);
    let meant = discriminator.default.as_ref().map(|default| document.target(default.value));
    let default = objects.iter().copied().find(|id| Some(document.target(*id)) == meant);
    let mut all: Vec<(SchemaId, Vec<String>)> = Vec::new();
    let mut known = HashSet::default();
    for alternative in objects {
        let words = words_of(document, alternative, discriminator, &mapped);
        let words = words.or_else(|| (default == Some(alternative)).then(Vec::new));
        let words = words.ok_or(Some(Untold::Wordless(alternative)))?;
        if let Some(word) = words.iter().find(|word| known.contains(*word)) {
            return Err(Some(Untold::Twice(alternative, word.clone())));
        }
        known.extend(words.iter().cloned());
        all.push((alternative, words));
    }
    if all.is_empty() {
        return Err(None);
    }
    let places = all.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    // of `oneOf` a second `null` is one too many
    let takes_null = if exactly_one { nulls.len() == 1 } else { !nulls.is_empty() };
    Ok(Tags { member: &discriminator.property.value, words: all, places, default, takes_null })
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
    refers.and_then(|id| document.component_anywhere(id)).map(|name| vec![name.value.clone()])
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
