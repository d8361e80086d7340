//! Sealing and opening cursors.

use std::time::Duration;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::binding::Binding;
use super::keys::CursorKeys;
use super::page::{PageFrom, Side};
use super::position::{Position, whole};
use crate::input::{At, Check, Violations};

const VERSION: u8 = 1;
const TAG: usize = 16;
/// Bytes before the ciphertext: version, key id, nonce.
const HEAD: usize = 1 + 4 + NONCE_LEN;
/// Bytes before the length of the position: expiry, page, side.
const FACTS: usize = 8 + 4 + 1;
const PREFACE: usize = FACTS + 2;
/// The position is padded to a multiple of this, so that its length tells little.
const BLOCK: usize = 64;
/// The longest cursor, as text: it stands in a query string.
const LONGEST: usize = 2048;

/// A cursor for a client. Only sealing makes one; it serializes as a string.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct SealedCursor(String);

impl SealedCursor {
    /// The text that the client sends back.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text that the client sends back.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
impl SealedCursor {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::ops::Deref for SealedCursor {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Nothing of its own: what the document says of its text is checked by the member that holds it.
impl Check for SealedCursor {
    fn check(&self, _: &At<'_>, _: &mut Violations) {}
}

/// Cursors are not for logs: who holds one may go on reading as long as it lives.
impl std::fmt::Debug for SealedCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedCursor(..)")
    }
}

/// A position that could not be sealed.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsealable {
    /// The position is longer than a cursor of 2 KiB can carry.
    TooLong,
    /// The system gave no random bytes, or the cryptographic library refused.
    Crypto,
}

impl std::fmt::Display for Unsealable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the position does not fit into a cursor of 2 KiB",
            Self::Crypto => "the cursor could not be encrypted",
        })
    }
}

impl std::error::Error for Unsealable {}

/// A cursor that does not open. Clients learn nothing but that; the reason is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadCursor(Reason);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    TooLong,
    Malformed,
    UnknownKey,
    Inauthentic,
    Expired,
    OtherPosition,
}

impl BadCursor {
    /// A stable word for the event.
    pub(crate) fn reason(self) -> &'static str {
        match self.0 {
            Reason::TooLong => "too_long",
            Reason::Malformed => "malformed",
            Reason::UnknownKey => "unknown_key",
            Reason::Inauthentic => "altered_or_bound_elsewhere",
            Reason::Expired => "expired",
            Reason::OtherPosition => "other_position",
        }
    }
}

/// What a cursor says beside its position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leads {
    /// On which side of the position its page lies.
    pub(crate) side: Side,
    /// Which page of a walk that is, counted in whichever direction it went.
    pub(crate) page: u32,
    /// Until when, in seconds since 1970.
    pub(crate) expiry: u64,
}

/// Seals `position`.
///
/// AES-256-GCM-SIV (RFC 8452): a nonce that came twice would show that two cursors are equal, and no more.
pub(crate) fn seal<P: Position>(
    keys: &CursorKeys,
    binding: &Binding<'_>,
    position: &P,
    leads: Leads,
) -> Result<SealedCursor, Unsealable> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| Unsealable::Crypto)?;
    let plain = plaintext(position, leads)?;
    let text = URL_SAFE_NO_PAD.encode(encrypt(keys, binding, nonce, plain)?);
    if text.len() > LONGEST { Err(Unsealable::TooLong) } else { Ok(SealedCursor(text)) }
}

fn plaintext<P: Position>(position: &P, leads: Leads) -> Result<Vec<u8>, Unsealable> {
    let Leads { side, page, expiry } = leads;
    let mut plain = Vec::with_capacity(128);
    plain.extend_from_slice(&expiry.to_be_bytes());
    plain.extend_from_slice(&page.to_be_bytes());
    plain.push(match side {
        Side::After => 0,
        Side::Before => 1,
    });
    plain.extend_from_slice(&[0, 0]);
    position.write(&mut plain);
    let length = plain.len().saturating_sub(PREFACE);
    let length = u16::try_from(length).map_err(|_| Unsealable::TooLong)?.to_be_bytes();
    plain.get_mut(FACTS..PREFACE).ok_or(Unsealable::Crypto)?.copy_from_slice(&length);
    plain.resize(plain.len().next_multiple_of(BLOCK), 0);
    Ok(plain)
}

fn encrypt(
    keys: &CursorKeys,
    binding: &Binding<'_>,
    nonce: [u8; NONCE_LEN],
    mut plain: Vec<u8>,
) -> Result<Vec<u8>, Unsealable> {
    let key = keys.first().ok_or(Unsealable::Crypto)?;
    let mut sealed = Vec::with_capacity(HEAD.saturating_add(plain.len()).saturating_add(TAG));
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id);
    let data = Aad::from(binding.associated_data(&sealed));
    sealed.extend_from_slice(&nonce);
    let tag = key
        .key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), data, &mut plain)
        .map_err(|_| Unsealable::Crypto)?;
    sealed.extend_from_slice(&plain);
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// An opened cursor: authentic, for this binding, and not expired.
#[derive(Debug)]
pub(crate) struct Opened {
    position: Vec<u8>,
    side: Side,
    page: u32,
}

impl Opened {
    /// The position, when it is of the type that was sealed.
    pub(crate) fn position<P: Position>(&self) -> Result<P, BadCursor> {
        whole(&self.position).ok_or(BadCursor(Reason::OtherPosition))
    }

    /// Where the page begins, when the position is of the type that was sealed.
    pub(crate) fn from<P: Position>(&self) -> Result<PageFrom<P>, BadCursor> {
        let position = self.position()?;
        Ok(match self.side {
            Side::After => PageFrom::After(position),
            Side::Before => PageFrom::Before(position),
        })
    }

    /// On which side of the position the page lies.
    pub(crate) const fn side(&self) -> Side {
        self.side
    }

    /// Which page of its walk that is; the first needs no cursor.
    pub(crate) const fn page(&self) -> u32 {
        self.page
    }
}

/// Opens what a client sent; cursors of its list live for `ttl`, and `now` is seconds since 1970.
pub(crate) fn open(
    keys: &CursorKeys,
    binding: &Binding<'_>,
    text: &str,
    (ttl, now): (Duration, u64),
) -> Result<Opened, BadCursor> {
    if text.len() > LONGEST {
        return Err(BadCursor(Reason::TooLong));
    }
    // The engine also refuses padding and trailing bits, so that one cursor has one text.
    let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor(Reason::Malformed))?;
    let (head, sealed) = bytes.split_at_mut_checked(HEAD).ok_or(BadCursor(Reason::Malformed))?;
    let (&[version, a, b, c, d], nonce) = head.split_first_chunk().ok_or(BadCursor(Reason::Malformed))?;
    if version != VERSION {
        return Err(BadCursor(Reason::Malformed));
    }
    let key = keys.opening([a, b, c, d], ttl, now).ok_or(BadCursor(Reason::UnknownKey))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| BadCursor(Reason::Malformed))?;
    let data = Aad::from(binding.associated_data(&[version, a, b, c, d]));
    let plain = key.key.open_in_place(nonce, data, sealed).map_err(|_| BadCursor(Reason::Inauthentic))?;
    unpack(plain, now)
}

fn unpack(plain: &[u8], now: u64) -> Result<Opened, BadCursor> {
    let malformed = BadCursor(Reason::Malformed);
    let (expiry, rest) = plain.split_first_chunk().ok_or(malformed)?;
    let (page, rest) = rest.split_first_chunk().ok_or(malformed)?;
    let (side, rest) = rest.split_first_chunk().ok_or(malformed)?;
    let (length, rest) = rest.split_first_chunk().ok_or(malformed)?;
    if u64::from_be_bytes(*expiry) <= now {
        return Err(BadCursor(Reason::Expired));
    }
    let (position, padding) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(malformed)?;
    let padded = padding.len() < BLOCK && padding.iter().all(|byte| *byte == 0);
    let side = match side {
        [0] => Side::After,
        [1] => Side::Before,
        [_] => return Err(malformed),
    };
    let page = u32::from_be_bytes(*page);
    if padded { Ok(Opened { position: position.to_vec(), side, page }) } else { Err(malformed) }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};

    use super::super::binding::Filters;
    use super::*;
    use crate::authn::Identity;

    const OLD: &str = "old:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const NEW: &str = "new:3q2-7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=";
    const NOW: u64 = 1_800_000_000;
    const TTL: Duration = Duration::from_secs(900);
    const LEADS: Leads = Leads { side: Side::After, page: 2, expiry: NOW + 900 };

    fn keys(list: &[&str]) -> CursorKeys {
        CursorKeys::from_list(&list.join(",")).unwrap()
    }

    fn filters() -> Filters {
        Filters::from_canonical(b"accountId=7&status=open".to_vec())
    }

    const ALICE: Identity<'static> = Identity { issuer: "https://id.example.com", subject: "alice" };

    fn binding(filters: &Filters) -> Binding<'_> {
        Binding { operation: "listTransfers", document: "3f5a", principals: &[ALICE], filters }
    }

    fn sealed(keys: &CursorKeys) -> String {
        seal(keys, &binding(&filters()), &77_i64, LEADS).unwrap().into_string()
    }

    fn reason(keys: &CursorKeys, binding: &Binding<'_>, text: &str, now: u64) -> &'static str {
        open(keys, binding, text, (TTL, now))
            .and_then(|opened| opened.position::<i64>())
            .map_or_else(BadCursor::reason, |_| "")
    }

    #[test]
    fn opens_what_it_sealed_until_it_expires() {
        let (keys, filters) = (keys(&[OLD]), filters());
        let text = sealed(&keys);
        let opened = open(&keys, &binding(&filters), &text, (TTL, NOW)).unwrap();
        assert_eq!((opened.position::<i64>(), opened.page()), (Ok(77), 2));
        assert_eq!(opened.position::<String>().unwrap_err().reason(), "other_position");
        assert_eq!(reason(&keys, &binding(&filters), &text, NOW + 899), "");
        assert_eq!(reason(&keys, &binding(&filters), &text, NOW + 900), "expired");
        assert_ne!(sealed(&keys), text, "each has its own nonce");
    }

    #[test]
    fn opens_for_nothing_that_differs_in_any_part() {
        let (keys, same) = (keys(&[OLD]), filters());
        let text = sealed(&keys);
        let bound = binding(&same);
        assert_eq!(reason(&keys, &bound, &text, NOW), "");
        let other_filters = [&b""[..], b"accountId=8&status=open", b"accountId=7&status=open&"]
            .map(|one| Filters::from_canonical(one.to_vec()));
        let others = [
            Binding { operation: "listTransfer", document: "s3f5a", ..bound },
            Binding { document: "3f5b", ..bound },
            Binding { principals: &[], ..bound },
            Binding { principals: &[Identity { subject: "bob", ..ALICE }], ..bound },
            Binding {
                principals: &[Identity { issuer: "https://id.example.co", subject: "malice" }],
                ..bound
            },
            Binding { principals: &[Identity { issuer: "https://id.example.org", ..ALICE }], ..bound },
            Binding { principals: &[ALICE, Identity { issuer: "urn:b", subject: "partner" }], ..bound },
        ];
        for other in
            others.into_iter().chain(other_filters.iter().map(|filters| Binding { filters, ..bound }))
        {
            assert_eq!(reason(&keys, &other, &text, NOW), "altered_or_bound_elsewhere", "{other:?}");
        }
    }

    #[test]
    fn every_altered_bit_is_refused() {
        let (keys, filters) = (keys(&[OLD, NEW]), filters());
        let bytes = URL_SAFE_NO_PAD.decode(sealed(&keys)).unwrap();
        assert_eq!(bytes.len(), HEAD + BLOCK + TAG);
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let text = URL_SAFE_NO_PAD.encode(altered);
            assert!(open(&keys, &binding(&filters), &text, (TTL, NOW)).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            let text = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert!(open(&keys, &binding(&filters), &text, (TTL, NOW)).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn text_that_is_no_cursor_is_refused() {
        let (keys, filters) = (keys(&[OLD]), filters());
        let text = sealed(&keys);
        let standard = text.replace(['-', '_'], "+");
        for bad in [
            "",
            "a",
            "null",
            "ä",
            "====",
            &format!("{text}="),
            &format!(" {text}"),
            &format!("{text}A"),
            &standard,
        ] {
            if bad != text {
                assert!(open(&keys, &binding(&filters), bad, (TTL, NOW)).is_err(), "{bad}");
            }
        }
        assert_eq!(reason(&keys, &binding(&filters), &"A".repeat(LONGEST + 1), NOW), "too_long");
        assert_eq!(reason(&keys, &binding(&filters), &"A".repeat(LONGEST), NOW), "malformed");
    }

    #[test]
    fn keys_rotate_and_retire() {
        let filters = filters();
        let text = sealed(&keys(&[OLD]));
        assert_eq!(reason(&keys(&[NEW, OLD]), &binding(&filters), &text, NOW), "");
        assert_eq!(reason(&keys(&[NEW]), &binding(&filters), &text, NOW), "unknown_key");
        let fresh = sealed(&keys(&[NEW, OLD]));
        assert_eq!(reason(&keys(&[NEW]), &binding(&filters), &fresh, NOW), "", "the first key seals");
        // the same master under another id is another key
        let renamed = OLD.replace("old:", "older:");
        assert_eq!(reason(&keys(&[&renamed]), &binding(&filters), &text, NOW), "unknown_key");
    }

    #[test]
    fn a_retired_key_opens_nothing_once_its_cursors_have_ended() {
        let (filters, leads) = (filters(), Leads { expiry: NOW + 10_000, ..LEADS });
        // as whoever has the old key still seals
        let forged = seal(&keys(&[OLD]), &binding(&filters), &77_i64, leads).unwrap().into_string();
        let at = |now| {
            reason(&keys(&[NEW, &format!("{OLD}:2027-01-15T08:00:00Z")]), &binding(&filters), &forged, now)
        };
        assert_eq!([at(NOW - 1), at(NOW), at(NOW + 899)], [""; 3]);
        assert_eq!(at(NOW + 900), "unknown_key");
        // without a time it opens until it is taken out of the list
        assert_eq!(reason(&keys(&[NEW, OLD]), &binding(&filters), &forged, NOW + 900), "");
    }

    #[test]
    fn long_positions_are_refused_and_lengths_are_blurred() {
        let (keys, filters) = (keys(&[OLD]), filters());
        let length = |text: usize| {
            seal(&keys, &binding(&filters), &"x".repeat(text), LEADS).map(|sealed| sealed.as_str().len())
        };
        // a number, a time, a UUID and a short name are of one length
        assert_eq!(length(1), length(40));
        assert_ne!(length(1), length(80));
        assert!(length(1450).unwrap() <= LONGEST);
        assert_eq!(length(1600), Err(Unsealable::TooLong));
        assert_eq!(length(70_000), Err(Unsealable::TooLong));
    }

    #[test]
    fn a_cursor_is_a_string_to_json_and_nothing_to_logs() {
        let cursor = SealedCursor("abc".to_owned());
        assert_eq!(serde_json::to_string(&cursor).unwrap(), "\"abc\"");
        assert_eq!(format!("{cursor:?}"), "SealedCursor(..)");
    }

    /// RFC 8452 appendix C.2: that the primitive underneath is what its name says.
    #[test]
    fn the_primitive_is_aes_256_gcm_siv() {
        let hex = |text: &str| -> Vec<u8> {
            text.as_bytes()
                .chunks(2)
                .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
                .collect()
        };
        let key = hex(&format!("01{}", "00".repeat(31)));
        let nonce = hex(&format!("03{}", "00".repeat(11)));
        for (data, plain, result) in [
            ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
            ("", "0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
            ("", "010000000000000000000000", "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e"),
            (
                "",
                "01000000000000000000000000000000",
                "85a01b63025ba19b7fd3ddfc033b3e76c9eac6fa700942702e90862383c6c366",
            ),
            ("01", "0200000000000000", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
        ] {
            let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &key).unwrap());
            let nonce = || Nonce::try_assume_unique_for_key(&nonce).unwrap();
            let mut text = hex(plain);
            cipher.seal_in_place_append_tag(nonce(), Aad::from(hex(data)), &mut text).unwrap();
            assert_eq!(text, hex(result));
            assert_eq!(cipher.open_in_place(nonce(), Aad::from(hex(data)), &mut text).unwrap(), hex(plain));
        }
    }
}
