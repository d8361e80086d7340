//! Who is called what. Each scope of the generated file is a [`Names`]; whoever comes first, in the order of the
//! document, has the plain name, and the others a suffix.

use foldhash::HashSet;
use proc_macro2::Ident;

use super::ident::{Case, ident, spell};

/// The names that are taken in one scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

/// Names of the module that mean something else already: what the file itself uses, and what the prelude gives to it.
/// A document's `Option` would change the meaning of every optional field of the file.
const MODULE: [&str; 41] = [
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Hash",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "S",
    "Self",
    "Send",
    "Server",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "Vec",
];

impl Names {
    /// The scope of the generated module.
    pub(crate) fn module() -> Self {
        let more = ["ToString", "TryFrom", "TryInto", "Unpin", "missing", "p", "resource", "scope", "server"];
        Self::reserving(&MODULE).and(&more)
    }

    /// A scope in which these names are taken.
    pub(crate) fn reserving(names: &[&str]) -> Self {
        Self::default().and(names)
    }

    fn and(mut self, names: &[&str]) -> Self {
        self.taken.extend(names.iter().map(|&name| name.to_owned()));
        self
    }

    /// A name for `wanted`.
    pub(crate) fn take(&mut self, wanted: &str, case: Case) -> Ident {
        self.take_all(wanted, case, "", &[""])
    }

    /// A name for `wanted`, or for `wanted` with `kind` behind it when the plain name is taken.
    pub(crate) fn take_or(&mut self, wanted: &str, case: Case, kind: &str) -> Ident {
        self.take_all(wanted, case, kind, &[""])
    }

    /// A name that is free with each of `suffixes` behind it; all of those are taken by it.
    pub(crate) fn take_all(&mut self, wanted: &str, case: Case, kind: &str, suffixes: &[&str]) -> Ident {
        let family = |name: &str| suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect();
        self.take_family(wanted, case, kind, &family)
    }

    /// The name of a trait, whose macro is free as well: two traits that differ in capitals alone would have one.
    pub(crate) fn take_trait(&mut self, wanted: &str, kind: &str) -> Ident {
        let family = |name: &str| vec![name.to_owned(), delegate(name)];
        self.take_family(wanted, Case::Upper, kind, &family)
    }

    /// A name whose family is free; all of it is taken.
    fn take_family(
        &mut self,
        wanted: &str,
        case: Case,
        kind: &str,
        family: &dyn Fn(&str) -> Vec<String>,
    ) -> Ident {
        let plain = spell(wanted, case);
        let qualified = if kind.is_empty() { None } else { Some(format!("{plain}{kind}")) };
        let base = qualified.clone().unwrap_or_else(|| plain.clone());
        let numbered = (2_u32..).map(|number| match case {
            Case::Upper => format!("{base}{number}"),
            Case::Snake => format!("{base}_{number}"),
        });
        let free = std::iter::once(plain.clone())
            .chain(qualified)
            .chain(numbered)
            .find(|name| family(name).iter().all(|name| !self.taken.contains(name)))
            .unwrap_or(plain); // there are more numbers than names
        self.taken.extend(family(&free));
        ident(&free)
    }
}

/// The macro beside a trait that `#[derive(palisade::Service)]` asks for its methods. The derive makes the same name.
pub(super) fn delegate(name: &str) -> String {
    format!("delegate_{}", spell(name, Case::Snake))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_has_the_plain_name() {
        let mut names = Names::default();
        assert_eq!(names.take("fooBar", Case::Snake), "foo_bar");
        assert_eq!(names.take("foo_bar", Case::Snake), "foo_bar_2");
        assert_eq!(names.take("FooBar", Case::Snake), "foo_bar_3");
        assert_eq!(names.take("type", Case::Snake), "r#type");
        assert_eq!(names.take_trait("a_b", "Api"), "AB");
        assert_eq!(names.take_trait("ab", "Api"), "AbApi", "`delegate_ab` is taken");
        assert_eq!(names.take("Type", Case::Snake), "type_2");
    }

    #[test]
    fn names_of_the_module_and_the_prelude_are_not_given_away() {
        let mut names = Names::module();
        for name in MODULE {
            assert_ne!(names.take_or(name, Case::Upper, "Schema"), name, "{name}");
        }
        assert_eq!(Names::module().take_or("option", Case::Upper, "Schema"), "OptionSchema");
    }

    #[test]
    fn a_family_of_names_is_free_as_a_whole() {
        let mut names = Names::default();
        names.take("PayInput", Case::Upper);
        let family = names.take_all("pay", Case::Upper, "Operation", &["", "Input", "Output"]);
        assert_eq!(family, "PayOperation", "`PayInput` belongs to somebody else");
        assert_eq!(names.take("PayOperationOutput", Case::Upper), "PayOperationOutput2");
    }
}
