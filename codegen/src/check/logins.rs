//! `login`: what names the account, and what tells that an attempt has failed.

use super::limit_keys::{is_plain, is_word, members_of};
use crate::annotation::Login;
use crate::document::Document;
use crate::finding::{Code, Finding, Findings};
use crate::model::{Api, Content, Member, Operation, StatusKey};

/// Rejects a login whose account cannot be read from its body, or none of whose answers says that it failed: of neither could
/// attempts be counted. And one whose answers are kept: an answer that is sent again verified no secret, so it would be no
/// attempt, and count as one that succeeded; and what a login answers is for who just showed the secret alone.
pub(super) fn can_be_counted(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        let Some(rule) = &written.rules.login else { continue };
        let what = format!("`{} {}`", written.method.as_str(), item.template.value);
        if let Some(fault) = fault_of_account(api, operation, rule) {
            let message = format!("the login {what} names no account: {}", fault.what);
            let finding = Finding::error(Code::Login, message, rule.account.place);
            let finding =
                finding.help("name a string of a required JSON object or form: `account: body.username`");
            findings.push(finding.nearest(&rule.account.value, fault.members));
        }
        if !operation.responses.iter().any(|response| may_refuse(response.status)) {
            let message = format!("the login {what} declares no answer that says that it failed");
            let finding = Finding::error(Code::Login, message, rule.place);
            findings.push(finding.help("declare the answer to a wrong secret, such as `\"401\"`"));
        }
        if let Some(kept) = &written.rules.idempotency {
            let message = format!("the login {what} is answered without being tried when it is sent again");
            let finding = Finding::error(Code::Login, message, kept.place);
            findings.push(finding.help("take `idempotency` away: who sends a login again tries again"));
        }
    }
}

/// Why the account of a login is not known, and what there is instead.
struct Fault<'a> {
    what: String,
    members: Vec<&'a str>,
}

fn fault_of_account<'a>(api: &'a Api, operation: &'a Operation, rule: &Login) -> Option<Fault<'a>> {
    let name = &rule.account.value;
    let Some(body) = operation.body.as_ref().filter(|body| body.required) else {
        return Some(Fault { what: "it requires no body".into(), members: Vec::new() });
    };
    body.contents.iter().find_map(|content| fault_in(api, content, name))
}

fn fault_in<'a>(api: &'a Api, content: &'a Content, name: &str) -> Option<Fault<'a>> {
    let Some(members) = members_of(api, content) else {
        return Some(Fault { what: "its body is no JSON object and no form".into(), members: Vec::new() });
    };
    let Some(member) = members.iter().find(|member| member.name == *name) else {
        let members: Vec<&str> = members.iter().map(|member: &Member| &*member.name).collect();
        return Some(Fault { what: format!("its body has no member `{name}`"), members });
    };
    let is_text = is_plain(content, name) && is_word(api, &member.schema);
    let what = match (is_text, &member.default) {
        (false, _) => format!("its member `{name}` is no string"),
        // who leaves it out would try an account that nobody sees in the body
        (true, Some(_)) => format!("its member `{name}` has a default"),
        (true, None) => return None,
    };
    Some(Fault { what, members: Vec::new() })
}

const fn may_refuse(status: StatusKey) -> bool {
    matches!(status, StatusKey::Exactly(400..=499) | StatusKey::Range(4) | StatusKey::Default)
}
