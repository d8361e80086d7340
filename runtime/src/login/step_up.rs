//! A login that is more than any: what a page asks of it, and what is asked of the provider (OpenID Connect Core section 3.1.2.1).
//!
//! Rules ([`Wanted::read`]):
//! 1. `acr_values` are classes that the application names ([`LoginBuilder::classes`](super::LoginBuilder::classes)), letter by letter,
//!    separated by single spaces, none twice;
//! 2. `max_age` is seconds in decimal digits, no longer than any session lasts;
//! 3. each stands once. What breaks a rule is refused: a login that is less than was asked for helps nobody.
//!
//! What comes back is held against it by [`id_token`](crate::authn::jwt::id_token).

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::builder::LONGEST as LONGEST_SESSION;
use super::error::Fault;
use crate::input::form_decoded;

/// Of all classes of a login together, with a space between: they travel in a cookie.
pub(super) const LONGEST: usize = 256;

/// What is asked of a login.
#[derive(Clone, Default, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Wanted {
    /// The first is preferred; empty where any will do.
    pub(super) classes: Vec<String>,
    /// In seconds.
    pub(super) max_age: Option<u64>,
}

impl Wanted {
    pub(super) fn read(query: Option<&str>, named: &[String]) -> Result<Self, Fault> {
        let mut classes = None;
        let mut max_age = None;
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match name {
                "acr_values" => &mut classes,
                "max_age" => &mut max_age,
                _ => continue,
            };
            if slot.replace(form_decoded(value).map_err(|_| Fault::StepUp)?).is_some() {
                return Err(Fault::StepUp);
            }
        }
        let classes = classes.map(|text| of_named(&text, named)).transpose()?.unwrap_or_default();
        let max_age = max_age.map(|text| seconds(&text)).transpose()?;
        Ok(Self { classes, max_age })
    }
}

fn of_named(text: &str, named: &[String]) -> Result<Vec<String>, Fault> {
    let mut classes: Vec<String> = Vec::new();
    for class in text.split(' ') {
        if !named.iter().any(|one| one == class) || classes.iter().any(|one| one == class) {
            return Err(Fault::StepUp);
        }
        classes.push(class.to_owned());
    }
    Ok(classes)
}

fn seconds(text: &str) -> Result<u64, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| digits && *seconds <= LONGEST_SESSION.as_secs());
    seconds.ok_or(Fault::StepUp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_for_what_the_application_names_and_for_nothing_else() {
        let named = ["urn:bank:strong".to_owned(), "gold".to_owned()];
        let read = |query| {
            let wanted = Wanted::read(query, &named).ok()?;
            Some((wanted.classes.clone(), wanted.max_age))
        };
        assert_eq!(read(None), Some((vec![], None)));
        assert_eq!(read(Some("return_to=/&max_age=0")), Some((vec![], Some(0))));
        let both = (vec!["gold".to_owned(), "urn:bank:strong".to_owned()], Some(300));
        assert_eq!(read(Some("acr_values=gold+urn%3Abank%3Astrong&max_age=300")), Some(both));
        for bad in [
            "acr_values=",
            "acr_values=silver",
            "acr_values=GOLD",
            "acr_values=gold+gold",
            "acr_values=gold++urn:bank:strong",
            "acr_values=gold&acr_values=gold",
            "acr_values=%ff",
            "max_age=",
            "max_age=-1",
            "max_age=%2B1",
            "max_age=1.5",
            "max_age=7776001",
            "max_age=99999999999999999999",
            "max_age=1&max_age=1",
        ] {
            assert_eq!(read(Some(bad)), None, "{bad}");
        }
    }
}
