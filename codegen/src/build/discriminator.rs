//! Which words of a discriminator mean an alternative.

use crate::document::{Discriminator, Document, Schema, SchemaId};

/// The alternatives of a discriminator with their words, when each of them has one and no two the same. The
/// discriminator chooses among the first list there is.
pub(super) fn tags(document: &Document, holder: &Schema) -> Option<Vec<(SchemaId, Vec<String>)>> {
    let beyond = &holder.beyond;
    let discriminator = beyond.discriminator.as_ref()?;
    let list = if beyond.one_of.is_empty() { &beyond.any_of } else { &beyond.one_of };
    let mut all: Vec<(SchemaId, Vec<String>)> = Vec::new();
    for alternative in list {
        let words = words_of(document, *alternative, discriminator)?;
        if words.iter().any(|word| all.iter().any(|(_, known)| known.contains(word))) {
            return None; // it does not tell the two apart
        }
        all.push((*alternative, words));
    }
    (!all.is_empty()).then_some(all)
}

/// The words that mean `alternative`: those of the mapping, else the constant that the member has there, else the name of
/// the component (OpenAPI 3.1 section 4.8.25). `None`: nothing says.
fn words_of(
    document: &Document,
    alternative: SchemaId,
    discriminator: &Discriminator,
) -> Option<Vec<String>> {
    let target = document.target(alternative);
    let is_it = |id: SchemaId| document.target(id) == target;
    let mapped: Vec<String> = discriminator
        .mapping
        .iter()
        .filter(|(_, id)| is_it(*id))
        .map(|(word, _)| word.value.clone())
        .collect();
    if !mapped.is_empty() {
        return Some(mapped);
    }
    if let Some(words) = constants(document, target, &discriminator.property.value) {
        return Some(words);
    }
    let refers = document.schema(alternative).reference;
    let named = refers.and_then(|id| document.components.iter().find(|(_, known)| *known == id));
    named.map(|(name, _)| vec![name.value.clone()])
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
