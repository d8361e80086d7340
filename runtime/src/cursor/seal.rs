//! Sealing and opening cursors.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::binding::Binding;
use super::keys::{CursorKeys, Key};
use super::page::{PageFrom, Side};
use super::position::{Position, whole};
use crate::input::{At, Check, Violations};

/// 2: its principals have tenants.
const VERSION: u8 = 2;
const TAG: usize = 16;
/// Bytes before the ciphertext: version, key id, nonce.
const HEAD: usize = 1 + 4 + NONCE_LEN;
/// Bytes before the length of the position: expiry, page, side.
const FACTS: usize = 8 + 4 + 1;
const PREFACE: usize = FACTS + 2;
/// What is sealed is padded to one of these, so that the length of a cursor tells little of its position: of positions of
/// numbers, times and ids nothing.
const SIZES: [usize; 5] = [128, 256, 512, 1024, 1472];
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
    /// The position has more than 1457 bytes, with four beside each text: its cursor would be longer than 2 KiB.
    TooLong,
    /// The system gave no random bytes, or the cryptographic library refused.
    Crypto,
}

impl std::fmt::Display for Unsealable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLong => {
                "the position has more than 1457 bytes, and its cursor would be longer than 2 KiB"
            }
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
    crate::random::fill(&mut nonce).map_err(|_| Unsealable::Crypto)?;
    let plain = plaintext(position, leads)?;
    Ok(SealedCursor(URL_SAFE_NO_PAD.encode(encrypt(keys, binding, nonce, plain)?)))
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
    let size = SIZES.into_iter().find(|size| plain.len() <= *size).ok_or(Unsealable::TooLong)?;
    plain.resize(size, 0);
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
///
/// What does not open takes as long as what was altered, whatever is wrong with it: where there is nothing to decrypt, or no key
/// to do it with, a decoy is decrypted.
pub(crate) fn open(
    keys: &CursorKeys,
    binding: &Binding<'_>,
    text: &str,
    (ttl, now): (Duration, u64),
) -> Result<Opened, BadCursor> {
    let (mut sent, readable) = match Sent::read(text) {
        Ok(sent) => (sent, Ok(())),
        Err(why) => (Sent::decoy(), Err(why)),
    };
    let key = keys.opening(sent.id, ttl, now);
    let by = key.or(keys.first()).ok_or(BadCursor(Reason::UnknownKey))?;
    let data = binding.associated_data(&sent.head());
    let opened = decrypt(by, &data, &mut sent);
    readable?;
    if key.is_none() {
        return Err(BadCursor(Reason::UnknownKey));
    }
    unpack(opened?, now)
}

/// What is sealed, in its place.
fn decrypt<'s>(by: &Key, data: &[u8], sent: &'s mut Sent) -> Result<&'s mut [u8], BadCursor> {
    let nonce = Nonce::from(&sent.nonce);
    let sealed = sent.sealed();
    #[cfg(test)]
    tests::OPENINGS.with_borrow_mut(|openings| openings.push(sealed.len()));
    by.key.open_in_place(nonce, Aad::from(data), sealed).map_err(|_| BadCursor(Reason::Inauthentic))
}

/// What a client sent, taken apart and not yet believed.
struct Sent {
    id: [u8; 4],
    nonce: [u8; NONCE_LEN],
    bytes: Vec<u8>,
}

impl Sent {
    fn read(text: &str) -> Result<Self, BadCursor> {
        let malformed = BadCursor(Reason::Malformed);
        if text.len() > LONGEST {
            return Err(BadCursor(Reason::TooLong));
        }
        // The engine also refuses padding and trailing bits, so that one cursor has one text.
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed)?;
        let (&[VERSION, a, b, c, d], rest) = bytes.split_first_chunk().ok_or(malformed)? else {
            return Err(malformed);
        };
        let (&nonce, sealed) = rest.split_first_chunk().ok_or(malformed)?;
        match sealed.len() < TAG {
            true => Err(malformed),
            false => Ok(Self { id: [a, b, c, d], nonce, bytes }),
        }
    }

    /// As long as most cursors are, and of no key: it was read, and nothing in it is sealed.
    fn decoy() -> Self {
        static TEXT: LazyLock<String> =
            LazyLock::new(|| URL_SAFE_NO_PAD.encode([VERSION; HEAD + SIZES[0] + TAG]));
        let bytes = URL_SAFE_NO_PAD.decode(&*TEXT).unwrap_or_default();
        Self { id: [VERSION; 4], nonce: [VERSION; NONCE_LEN], bytes }
    }

    const fn head(&self) -> [u8; 5] {
        let [a, b, c, d] = self.id;
        [VERSION, a, b, c, d]
    }

    fn sealed(&mut self) -> &mut [u8] {
        self.bytes.get_mut(HEAD..).unwrap_or_default()
    }
}

fn unpack(plain: &mut [u8], now: u64) -> Result<Opened, BadCursor> {
    let opened = read(plain, now);
    if opened.is_err() {
        plain.fill(0); // as the library does with what is not authentic
    }
    opened
}

fn read(plain: &[u8], now: u64) -> Result<Opened, BadCursor> {
    let malformed = BadCursor(Reason::Malformed);
    let (expiry, rest) = plain.split_first_chunk().ok_or(malformed)?;
    let (page, rest) = rest.split_first_chunk().ok_or(malformed)?;
    let (side, rest) = rest.split_first_chunk().ok_or(malformed)?;
    let (length, rest) = rest.split_first_chunk().ok_or(malformed)?;
    if u64::from_be_bytes(*expiry) <= now {
        return Err(BadCursor(Reason::Expired));
    }
    let (position, padding) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(malformed)?;
    let padded = SIZES.contains(&plain.len()) && padding.iter().all(|byte| *byte == 0);
    let side = match side {
        [0] => Side::After,
        [1] => Side::Before,
        [_] => return Err(malformed),
    };
    let page = u32::from_be_bytes(*page);
    if padded { Ok(Opened { position: position.to_vec(), side, page }) } else { Err(malformed) }
}

#[cfg(test)]
mod tests;
