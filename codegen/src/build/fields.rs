//! How the members of a form are written (OpenAPI 3.1 section 4.8.14.4 and 4.8.15).

use super::Builder;
use super::family::{Family, is_json};
use super::free::Free;
use super::wire::{Flat, How, wire};
use crate::document::{Encoding, Media};
use crate::finding::{Code, Finding};
use crate::model::{Style, Taken, Wire, WireKind};
use crate::source::span::Place;

impl Builder<'_> {
    /// Of each declared member.
    pub(super) fn fields(&mut self, one: &Media, flat: &Flat, family: Family) -> Option<Vec<(String, Wire)>> {
        let members = match flat {
            Flat::Object(members, _) => members,
            Flat::Free(free) => return self.free_fields(one, free, family),
            _ => return Some(Vec::new()),
        };
        let mut fields = Vec::with_capacity(members.len());
        for (name, member) in members {
            let encoding = one.encoding.iter().find(|(known, _)| known.value == *name);
            let place = encoding.map_or(one.name.place, |(known, _)| known.place);
            let encoding = encoding.map(|(_, encoding)| encoding);
            let wire = match self.wire_of_parts(encoding, name) {
                Some(wire) => wire,
                None => self.field(encoding, member, family, place)?,
            };
            fields.push((name.clone(), wire));
        }
        let known: Vec<&str> = members.iter().map(|(known, _)| known.as_str()).collect();
        self.encoded_are_members(one, &known)?;
        if family == Family::Form {
            self.fields_are_apart(one, &fields)?;
        }
        Some(fields)
    }

    /// Rejects `R=1` that is a member `R` of the form and a member of an object that is written beside the others, and `f[x]=1`
    /// that is a member `f[x]` and one of an object `f` in brackets. `None` after a finding.
    fn fields_are_apart(&mut self, one: &Media, fields: &[(String, Wire)]) -> Option<()> {
        let taken: Vec<Taken<'_>> = fields.iter().map(|(name, wire)| Taken { name, wire }).collect();
        for (at, later) in taken.iter().enumerate() {
            for earlier in taken.iter().take(at) {
                let Some(shared) = earlier.shared(*later) else { continue };
                // the one that takes more names than its own
                let takes_more =
                    |one: &Taken<'_>| one.spread().is_some() || one.wire.style == Style::DeepObject;
                let (one_of, other) = if takes_more(earlier) { (earlier, later) } else { (later, earlier) };
                let message = format!(
                    "`{shared}` belongs to the members `{}` and `{}` of the form",
                    one_of.name, other.name
                );
                let place = one.encoding.iter().find(|(known, _)| known.value == one_of.name);
                let place = place.map_or(one.name.place, |(known, _)| known.place);
                let finding = Finding::error(Code::Style, message, place);
                let help = match one_of.spread() {
                    Some(_) => "rename one, or write the object in the style `deepObject`",
                    None => "rename one",
                };
                self.findings.push(finding.help(help));
                return None;
            }
        }
        Some(())
    }

    /// Of a form whose schema alone says what is in it: the members that are not written as all of them are.
    fn free_fields(&mut self, one: &Media, free: &Free, family: Family) -> Option<Vec<(String, Wire)>> {
        if !free.open {
            let known: Vec<&str> = free.members.iter().map(String::as_str).collect();
            self.encoded_are_members(one, &known)?;
        }
        let member = Flat::Free(Free::ANY);
        let mut fields = Vec::new();
        for (name, encoding) in &one.encoding {
            let wire = self.field(Some(encoding), &member, family, name.place)?;
            fields.push((name.value.clone(), wire));
        }
        // a name with brackets of its own
        let bracketed = |name: &&String| name.contains('[') && family == Family::Form;
        for name in free.members.iter().filter(bracketed) {
            if !fields.iter().any(|(known, _)| known == name) {
                fields.push((name.clone(), self.field(None, &member, family, one.name.place)?));
            }
        }
        Some(fields)
    }

    /// `None` after a finding.
    fn encoded_are_members(&mut self, one: &Media, known: &[&str]) -> Option<()> {
        let other = one.encoding.iter().find(|(name, _)| !known.contains(&name.value.as_str()));
        let Some((name, _)) = other else { return Some(()) };
        let message = format!("the encoding of `{}`, which is no member", name.value);
        let finding = Finding::error(Code::UndeclaredProperty, message, name.place);
        let known = known.iter().copied();
        self.findings.push(finding.help("declare it under `properties`").nearest(&name.value, known));
        None
    }

    pub(super) fn field(
        &mut self,
        encoding: Option<&Encoding>,
        member: &Flat,
        family: Family,
        place: Place,
    ) -> Option<Wire> {
        let mut types = encoding.map(|encoding| encoding.types.clone()).unwrap_or_default();
        if let Some(how) = encoding.and_then(|encoding| styled(encoding, place)) {
            self.types_have_no_effect(&types, place);
            if family == Family::Form {
                return self.field_wire(member, &how);
            }
            types.clear(); // OpenAPI 3.1 section 4.8.15.1
            if !is_plain(member, &how) {
                return self.joined_part(member, &how);
            }
        }
        let json = !types.is_empty() && types.iter().all(|one| is_json(one));
        let multipart = family == Family::Multipart;
        if types.is_empty() && multipart && member.is_encoded() {
            // the default of such a part, and what it is as a text (OpenAPI 3.1 section 4.8.15.1)
            types = ["application/octet-stream", "text/plain"].map(str::to_owned).to_vec();
        }
        let either = match member {
            Flat::Free(free) => !free.is_object(),
            Flat::List(items) => matches!(&**items, Flat::Free(items) if !items.is_object()),
            _ => false,
        };
        if either && !json {
            let style = if multipart { Style::Form } else { Style::DeepObject };
            return Some(Wire { types, ..wire(style, true, WireKind::Either) });
        }
        let (kind, most) = kind(member, json, multipart);
        self.types_are_read(&types, &kind, family, place)?;
        Some(Wire { types, most, ..wire(Style::Form, true, kind) })
    }

    /// Whether what is no text can be read in each of its media types. `None` after a finding.
    fn types_are_read(
        &mut self,
        types: &[String],
        kind: &WireKind,
        family: Family,
        place: Place,
    ) -> Option<()> {
        let unread = |one: &&String| match kind {
            WireKind::Json | WireKind::JsonList => !is_json(one),
            WireKind::List => family != Family::Multipart && !one.eq_ignore_ascii_case("text/plain"),
            _ => false,
        };
        if let Some(unread) = types.iter().find(unread) {
            let message = format!(
                "the schema of this member cannot be enforced in `{unread}`: what is no scalar is read as JSON, or as several texts"
            );
            let help = match family {
                Family::Form => {
                    "say `contentType: application/json`, or describe the member as `type: string`"
                }
                _ => {
                    "say `contentType: application/json`, or describe the part as `type: string`, or as `{}`: a file that the handler reads"
                }
            };
            self.findings.push(Finding::error(Code::MediaType, message, place).help(help));
            return None;
        }
        Some(())
    }

    /// Remarks on a `contentType` beside a style (OpenAPI 3.1 section 4.8.15.1).
    fn types_have_no_effect(&mut self, types: &[String], place: Place) {
        if types.is_empty() {
            return;
        }
        let message = "`contentType` has no effect beside `style`, `explode` or `allowReserved`";
        let finding = Finding::warning(Code::KeywordWithoutEffect, message, place);
        self.findings.push(finding.help("remove one or the other"));
    }

    /// A part whose text is made of pieces, which nothing in it escapes (OpenAPI 3.2 section 4.15.2). `None` after a finding: of
    /// what is more than one text the standard does not say which names its parts have.
    fn joined_part(&mut self, member: &Flat, how: &How) -> Option<Wire> {
        let is_joined = !how.explode
            && match member {
                Flat::List(items) => matches!(**items, Flat::Scalar | Flat::Encoded),
                Flat::Object(members, _) => {
                    members.iter().all(|(_, member)| matches!(member, Flat::Scalar | Flat::Encoded))
                }
                Flat::Map(values) => matches!(**values, Flat::Scalar | Flat::Encoded),
                _ => false,
            };
        if is_joined && how.style != Style::DeepObject {
            return self.field_wire(member, how);
        }
        let (style, explode) = (how.style.as_str(), how.explode);
        let help = match how {
            How { style: Style::DeepObject, .. } => {
                "write `style: form` and `explode: false`, or remove `style`, `explode` and `allowReserved`: an object is JSON then"
            }
            How { explode: true, .. } => {
                "write `explode: false`, or remove `style`, `explode` and `allowReserved`: the items of an array are parts of one name then, and an object is JSON"
            }
            _ => {
                "remove `style`, `explode` and `allowReserved`, or describe it by `items` or `properties` that are one text each, without a composition or condition beside them"
            }
        };
        let message = format!(
            "a part of a multipart form with `style: {style}` and `explode: {explode}` is not supported yet"
        );
        self.findings.push(Finding::error(Code::NotSupported, message, how.place).help(help));
        None
    }

    fn field_wire(&mut self, member: &Flat, how: &How) -> Option<Wire> {
        self.style_is_defined(member, how)?;
        let kind = match member {
            Flat::Scalar | Flat::Encoded | Flat::File(_) | Flat::Any => WireKind::Scalar,
            Flat::Free(free) if !free.nests(how.style) => free.kind(how.style, how.explode),
            _ if how.style == Style::DeepObject => WireKind::Scalar,
            Flat::List(items) if items.is_text() => WireKind::List,
            Flat::Object(members, open) if members.iter().all(|(_, member)| member.is_text()) => {
                WireKind::Object(members.iter().map(|(name, _)| name.clone()).collect(), *open)
            }
            Flat::Map(values) if values.is_text() => WireKind::Object(Vec::new(), true),
            _ => {
                let message =
                    format!("the style `{}` does not say how this member is written", how.style.as_str());
                let help = "use the style `deepObject`, or a `contentType` of `application/json`";
                self.findings.push(Finding::error(Code::Style, message, how.place).help(help));
                return None;
            }
        };
        // a scalar has nothing that brackets could name
        let style =
            if matches!(member, Flat::Scalar | Flat::Encoded | Flat::Any) { Style::Form } else { how.style };
        Some(wire(style, how.explode, kind))
    }

    /// A member of a form is written as a parameter in the query is (OpenAPI 3.1 section 4.8.15.1). `None` after a finding.
    fn style_is_defined(&mut self, member: &Flat, how: &How) -> Option<()> {
        let is_scalar = matches!(member, Flat::Scalar | Flat::Encoded | Flat::File(_));
        let is_object = match member {
            Flat::Object(..) | Flat::Map(_) => true,
            Flat::Free(free) => free.is_object(),
            _ => false,
        };
        match how.style {
            // documents state it for every member of a form
            Style::DeepObject if is_scalar => {
                let message =
                    "the style `deepObject` says nothing of a scalar: it is read as in the style `form`";
                let finding = Finding::warning(Code::Style, message, how.place);
                self.findings.push(finding.help("remove `style`"));
            }
            Style::SpaceDelimited | Style::PipeDelimited if is_scalar => {
                self.inexpressible("a scalar", how, "write it in the style `form`")?;
            }
            Style::SpaceDelimited | Style::PipeDelimited if is_object && how.explode => {
                self.inexpressible("an exploded object", how, "remove `explode`")?;
            }
            _ => {}
        }
        Some(())
    }
}

/// How a field is read whose style is not stated, and how much a file may have.
fn kind(member: &Flat, json: bool, multipart: bool) -> (WireKind, Option<usize>) {
    match member {
        Flat::File(most) if multipart => (WireKind::File, *most),
        Flat::List(items) => match **items {
            Flat::File(most) if multipart => (WireKind::Files, most),
            _ if json || !items.is_text() => (WireKind::JsonList, None),
            _ => (WireKind::List, None),
        },
        _ if json => (WireKind::Json, None),
        Flat::Scalar | Flat::Encoded | Flat::File(_) | Flat::Any => (WireKind::Scalar, None),
        Flat::Object(..) | Flat::Map(_) | Flat::Free(_) | Flat::Deep => (WireKind::Json, None),
    }
}

/// Whether a part is written as it is without a style.
fn is_plain(member: &Flat, how: &How) -> bool {
    let scalar = |flat: &Flat| matches!(flat, Flat::Scalar | Flat::Encoded | Flat::File(_) | Flat::Any);
    let listed = matches!(member, Flat::List(items) if how.explode && scalar(items));
    how.style == Style::Form && (scalar(member) || listed)
}

/// The style of a member, if it has one of its own.
fn styled(encoding: &Encoding, place: Place) -> Option<How> {
    let style = encoding.style.unwrap_or(Style::Form);
    let explode = encoding.explode.unwrap_or(style == Style::Form);
    // OpenAPI 3.2 section 4.15.2: as a parameter with `schema`
    let is_said = encoding.style.is_some() || encoding.explode.is_some() || encoding.reserved;
    is_said.then_some(How { style, explode, place, what: "member of a form" })
}

#[cfg(test)]
mod tests {
    use crate::{Options, Source, generate};

    /// How a list is read in a multipart form, of this encoding.
    fn outcome(version: &str, encoding: &str) -> Result<String, String> {
        let schema = "{ type: object, properties: { a: { type: array, items: { type: string } } } }";
        let text = format!(
            "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ content: {{ multipart/form-data: {{ schema: {schema}, encoding: {{ a: {encoding} }} }} }} }}\n      responses: {{ '204': {{ description: ok }} }}\n"
        );
        let output = generate(&Source::text("a.yaml", text), &Options::default());
        let code = output.map(|output| output.code()).map_err(|findings| findings.to_string())?;
        Ok(code.lines().filter(|line| line.contains("Wire::")).collect())
    }

    #[test]
    fn the_style_of_a_part_counts_from_3_1_on() {
        let plain = outcome("3.1.0", "{}").unwrap();
        assert!(plain.contains("Wire"));
        for (version, encoding) in [
            ("3.0.3", "{ style: form, explode: false }"),
            ("3.1.0", "{ style: form, explode: true }"),
            ("3.1.0", "{ explode: true, contentType: application/json }"),
        ] {
            assert_eq!(outcome(version, encoding).unwrap(), plain, "{version} {encoding}");
        }
        for (encoding, kind) in [
            ("{ style: form, explode: false }", ".explode(false).kind(p::Kind::List)"),
            ("{ explode: false, contentType: application/json }", ".explode(false).kind(p::Kind::List)"),
            ("{ style: pipeDelimited }", ".style(p::Style::PipeDelimited).kind(p::Kind::List)"),
            ("{ allowReserved: true }", ".kind(p::Kind::List)"),
        ] {
            let wire = outcome("3.1.0", encoding).unwrap();
            assert!(wire.contains(kind), "{encoding}: {wire}");
        }
        for encoding in ["{ style: pipeDelimited, explode: true }", "{ style: deepObject }"] {
            let findings = outcome("3.1.0", encoding).unwrap_err();
            assert!(findings.contains("PAL0020"), "{encoding}: {findings}");
        }
    }

    /// What is found of a form with these members beside each other.
    fn clash(members: &str, encoding: &str) -> Option<String> {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ content: {{ application/x-www-form-urlencoded: {{ schema: {{ type: object, properties: {{ {members} }} }}, encoding: {{ {encoding} }} }} }} }}\n      responses: {{ '204': {{ description: ok }} }}\n"
        );
        let findings = generate(&Source::text("a.yaml", text), &Options::default()).err()?;
        findings.iter().next().map(|found| found.message().to_owned())
    }

    #[test]
    fn one_pair_is_one_member() {
        let object = "f: { type: object, properties: { x: { type: integer } } }";
        let deep = "f: { style: deepObject, explode: true }";
        for (other, shared) in [
            ("'f[x]': { type: string }", "f[x]"),
            ("'f[y][z]': { type: string }", "f[y][z]"),
            ("'f[': { type: string }", "f["),
        ] {
            let found = clash(&format!("{object}, {other}"), deep).unwrap();
            assert!(found.starts_with(&format!("`{shared}` belongs to the members `f` and")), "{found}");
            assert!(clash(&format!("{other}, {object}"), deep).is_some());
        }
        let either = "f: { oneOf: [{ type: string }, { type: array, items: { type: string } }] }, 'f[]': { type: string }";
        assert!(clash(either, "").is_some());
        let spread = format!("{object}, h: {{ type: object, properties: {{ 'f[x]': {{ type: string }} }} }}");
        assert!(clash(&spread, &format!("{deep}, h: {{ style: form, explode: true }}")).is_some());
        for apart in ["g: { type: string }", "'g[x]': { type: string }", "ff: { type: string }"] {
            assert_eq!(clash(&format!("{object}, {apart}"), deep), None, "{apart}");
        }
        // without brackets of its own, `f` takes none
        assert_eq!(clash("f: { type: string }, 'f[x]': { type: string }", ""), None);
    }
}
