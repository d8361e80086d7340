//! Which words of a discriminator mean an alternative.

use super::Builder;
use crate::document::{Discriminator, SchemaId};

impl Builder<'_> {
    /// The words that mean `alternative`: those of the mapping, else the name of the component (OpenAPI 3.1 section
    /// 4.8.25), else the constant that the member has there. `None`: nothing says.
    pub(super) fn words_of(
        &self,
        alternative: SchemaId,
        discriminator: &Discriminator,
    ) -> Option<Vec<String>> {
        let document = self.document;
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
        if let Some(words) = self.constants(target, &discriminator.property.value) {
            return Some(words);
        }
        let refers = document.schema(alternative).reference;
        let named = refers.and_then(|id| document.components.iter().find(|(_, known)| *known == id));
        named.map(|(name, _)| vec![name.value.clone()])
    }

    /// The strings that a member is limited to.
    fn constants(&self, id: SchemaId, property: &str) -> Option<Vec<String>> {
        let document = self.document;
        let (_, member) =
            document.schema(id).properties.iter().flatten().find(|(name, _)| name.value == property)?;
        let member = document.schema(document.target(*member));
        if let Some(constant) = &member.constant {
            return Some(vec![constant.as_str()?.to_owned()]);
        }
        let values = &member.enumeration.as_ref()?.value;
        values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
    }
}
