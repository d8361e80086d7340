//! Random secrets, as text.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// An entry of a list of cursor keys or peppers, `id:base64` of 32 bytes. The id says when it was made.
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
    fn passwords_differ_and_are_long() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert!(one.len() == 24 && one != two);
    }
}
