//! Webhooks and callbacks: the type of what is sent. It goes out, as an answer does.

use super::Builder;
use super::direction::Direction;
use super::family::{Family, family, is_json};
use crate::document::{Media, Operation, PathItem};
use crate::finding::{Code, Finding};
use crate::model::{Cause, Content, ContentForm, Outgoing};

impl Builder<'_> {
    /// Everything that the server sends of its own accord; `ids` are those of the operations, in order.
    pub(super) fn outgoing(&mut self, ids: &[String]) -> Vec<Outgoing> {
        let document = self.document;
        let mut outgoing = Vec::new();
        for item in &document.webhooks {
            let name = &item.template.value;
            self.sent(item, name, &Cause::Webhook(name.clone()), &mut outgoing);
        }
        for (id, (_, operation)) in ids.iter().zip(document.operations()) {
            for callback in &operation.callbacks {
                for item in &callback.items {
                    let name = format!("{id} {}", callback.name.value);
                    let cause = Cause::Callback { operation: id.clone(), to: item.template.value.clone() };
                    self.sent(item, &name, &cause, &mut outgoing);
                }
            }
        }
        self.finish_inline();
        outgoing
    }

    fn sent(&mut self, item: &PathItem, name: &str, cause: &Cause, outgoing: &mut Vec<Outgoing>) {
        let alone = item.operations.len() == 1;
        for operation in &item.operations {
            let method = operation.method.as_str();
            let name = match &operation.id {
                Some(id) => id.value.clone(),
                None if alone => name.to_owned(),
                None => format!("{name} {method}"),
            };
            self.parameters_are_left(item, operation);
            let Some(body) = self.sent_body(operation, &name) else { continue };
            let (docs, method) = (operation.docs.clone(), operation.method.clone());
            outgoing.push(Outgoing { name, cause: cause.clone(), method, docs, body });
        }
    }

    fn parameters_are_left(&mut self, item: &PathItem, operation: &Operation) {
        if let Some(first) = item.parameters.iter().chain(&operation.parameters).next() {
            let message = "no code is generated for the parameters of what the server sends";
            let finding = Finding::warning(Code::Ungenerated, message, first.place);
            self.findings.push(finding.help("the application sets them on the request that it makes"));
        }
    }

    /// `None`: nothing comes of it. `Some(None)`: it carries nothing.
    fn sent_body(&mut self, operation: &Operation, name: &str) -> Option<Option<Content>> {
        let Some(body) = &operation.body else { return Some(None) };
        let is = |media: &Media, families: &[Family]| {
            families.contains(&family(&media.name.value, Direction::Answer))
        };
        let json = body.content.iter().find(|media| is_json(&media.name.value));
        let of = |families: &[Family]| body.content.iter().find(|media| is(media, families));
        let sent = json.or_else(|| of(&[Family::Form])).or_else(|| of(&[Family::Multipart, Family::Parts]));
        let left = body.content.iter().filter(|media| !sent.is_some_and(|sent| std::ptr::eq(sent, *media)));
        left.for_each(|media| self.ungenerated(media));
        self.direction = Direction::Answer;
        let path = [name.to_owned(), "body".to_owned()];
        let contents = self.contents(std::slice::from_ref(sent?), &path, Direction::Answer)?;
        let is_written = |content: &Content| {
            matches!(
                content.form,
                ContentForm::Json
                    | ContentForm::Form(_)
                    | ContentForm::FreeForm(_)
                    | ContentForm::Multipart(_)
                    | ContentForm::Parts(_)
                    | ContentForm::Places { .. }
            )
        };
        let written = contents.into_iter().find(is_written);
        if written.is_none() {
            self.ungenerated(sent?);
        }
        written.map(Some)
    }

    fn ungenerated(&mut self, media: &Media) {
        let message = format!("no code is generated for `{}` that the server sends", media.name.value);
        let help = "describe it as `application/json`, as an object in `application/x-www-form-urlencoded`, or in parts";
        self.findings.push(Finding::warning(Code::Ungenerated, message, media.name.place).help(help));
    }
}
