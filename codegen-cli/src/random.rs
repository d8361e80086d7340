//! Random secrets, as text.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// An entry for a list of cursor keys or peppers: its id is the time in seconds, or the first behind it that the list does
/// not have.
pub(crate) fn master_key_beside(list: &str, now: u64) -> Result<Zeroizing<String>, Failure> {
    let is_taken = |id: &str| {
        let entries = list.split([',', ' ', '\t', '\r', '\n']);
        entries.filter_map(|entry| entry.split_once(':')).any(|(taken, _)| taken == id)
    };
    let mut ids = (now..).map(|id| id.to_string());
    master_key(&ids.find(|id| !is_taken(id)).unwrap_or_default())
}

/// An entry of such a list, `id:base64` of 32 bytes.
pub(crate) fn master_key(id: &str) -> Result<Zeroizing<String>, Failure> {
    let master = bytes::<32>()?;
    Ok(Zeroizing::new(format!("{id}:{}", *Zeroizing::new(STANDARD.encode(*master)))))
}

/// A password of 144 random bits, in letters that need no quoting.
pub(crate) fn password() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(*bytes::<18>()?))
}

fn bytes<const LENGTH: usize>() -> Result<Zeroizing<[u8; LENGTH]>, Failure> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    rand::fill(&mut *bytes).map_err(|_| Failure::system("the system gave no random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn master_keys_are_taken_by_the_runtime() {
        let (one, two) = (master_key("2026-11").unwrap(), master_key("2026-12").unwrap());
        let list = format!("{}\n{}\n", *two, *one);
        assert!(palisade::cursor::CursorKeys::from_list(&list).is_ok());
        assert!(palisade::KeyPeppers::from_list(&list).is_ok());
        assert_ne!(one.split(':').nth(1), two.split(':').nth(1));
    }

    #[test]
    fn keys_of_one_second_have_ids_of_their_own() {
        let mut list = String::new();
        for _ in 0..3 {
            list = format!("{}\n{list}", *master_key_beside(&list, 1_800_000_000).unwrap());
        }
        let ids: Vec<_> = list.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(ids, ["1800000002", "1800000001", "1800000000"]);
        assert!(palisade::cursor::CursorKeys::from_list(&list).is_ok());
    }

    #[test]
    fn passwords_differ_and_are_long() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert!(one.len() == 24 && one != two);
    }
}
