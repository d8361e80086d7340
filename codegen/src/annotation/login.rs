//! `login`: a call is an attempt to log in.

use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::source::span::Place;

/// `login`
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) place: Place,
    /// The member of the body that names the account, without `body.`.
    pub(crate) account: Spanned<String>,
}

impl<'d> Reader<'d> {
    pub(super) fn login(&mut self, fields: &mut Fields<'d>) -> Option<Login> {
        let member = fields.get("login")?;
        let mut fields = self.our_fields(&member.node, "`login`")?;
        let account = self.required_string(&mut fields, "account");
        self.finish(fields);
        let mut account = account?;
        match account.value.strip_prefix("body.") {
            Some(name) => account.value = name.to_owned(),
            None => {
                let message = format!("`{}` does not name a member of the body", account.value);
                let finding = Finding::error(Code::Login, message, account.place);
                self.push(
                    finding
                        .help("write `body.` and the member that names the account, such as `body.username`"),
                );
                return None;
            }
        }
        Some(Login { place: member.key_place, account })
    }
}
