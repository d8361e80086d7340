use std::cell::RefCell;

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};

use super::super::binding::Filters;
use super::*;
use crate::authn::Identity;

thread_local! {
    /// How many bytes each opening of this thread had before it.
    pub(super) static OPENINGS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

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

const ALICE: Identity<'static> =
    Identity { issuer: "https://id.example.com", subject: "alice", tenant: Some("north") };

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
            principals: &[Identity { issuer: "https://id.example.co", subject: "malice", ..ALICE }],
            ..bound
        },
        Binding { principals: &[Identity { issuer: "https://id.example.org", ..ALICE }], ..bound },
        Binding { principals: &[Identity { tenant: Some("south"), ..ALICE }], ..bound },
        Binding { principals: &[Identity { tenant: None, ..ALICE }], ..bound },
        Binding {
            principals: &[ALICE, Identity { issuer: "urn:b", subject: "partner", tenant: None }],
            ..bound
        },
    ];
    for other in others.into_iter().chain(other_filters.iter().map(|filters| Binding { filters, ..bound })) {
        assert_eq!(reason(&keys, &other, &text, NOW), "altered_or_bound_elsewhere", "{other:?}");
    }
}

#[test]
fn every_altered_bit_is_refused() {
    let (keys, filters) = (keys(&[OLD, NEW]), filters());
    let bytes = URL_SAFE_NO_PAD.decode(sealed(&keys)).unwrap();
    assert_eq!(bytes.len(), HEAD + SIZES[0] + TAG);
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
    let at =
        |now| reason(&keys(&[NEW, &format!("{OLD}:2027-01-15T08:00:00Z")]), &binding(&filters), &forged, now);
    assert_eq!([at(NOW - 1), at(NOW), at(NOW + 899)], [""; 3]);
    assert_eq!(at(NOW + 900), "unknown_key");
    // without a time it opens until it is taken out of the list
    assert_eq!(reason(&keys(&[NEW, OLD]), &binding(&filters), &forged, NOW + 900), "");
}

/// What a caller could tell by the time it takes: whether there is such a key, or a cursor at all.
#[test]
fn whatever_is_wrong_with_a_cursor_as_much_is_decrypted() {
    let (keys, filters) = (keys(&[NEW, &format!("{OLD}:2027-01-15T08:00:00Z")]), filters());
    let (good, bound) = (sealed(&keys), binding(&filters));
    let altered = |at: usize| {
        let mut bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();
        bytes[at] ^= 1;
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let retired = sealed(&self::keys(&[OLD]));
    let bob = Binding { principals: &[Identity { subject: "bob", ..ALICE }], ..bound };
    let last = HEAD + SIZES[0] + TAG - 1;
    for (text, binding, now, why) in [
        (&*good, bound, NOW, ""),
        (&*retired, bound, NOW, ""),
        ("", bound, NOW, "malformed"),
        ("no base64!", bound, NOW, "malformed"),
        (&*format!("{good}="), bound, NOW, "malformed"),
        ("A", bound, NOW, "malformed"),
        ("AgAA", bound, NOW, "malformed"),
        (&good[..42], bound, NOW, "malformed"),
        (&*altered(0), bound, NOW, "malformed"),
        (&*"A".repeat(LONGEST + 1), bound, NOW, "too_long"),
        (&*altered(1), bound, NOW, "unknown_key"),
        (&*retired, bound, NOW + 900, "unknown_key"),
        (&*altered(5), bound, NOW, "altered_or_bound_elsewhere"),
        (&*altered(HEAD), bound, NOW, "altered_or_bound_elsewhere"),
        (&*altered(last), bound, NOW, "altered_or_bound_elsewhere"),
        (&*good, bob, NOW, "altered_or_bound_elsewhere"),
        (&*good, bound, NOW + 900, "expired"),
    ] {
        OPENINGS.take();
        assert_eq!(reason(&keys, &binding, text, now), why, "{text}");
        assert_eq!(OPENINGS.take(), [SIZES[0] + TAG], "{why}: {text}");
    }
}

#[test]
fn long_positions_are_refused_and_lengths_are_blurred() {
    let (keys, filters) = (keys(&[OLD]), filters());
    let length = |text: usize| {
        seal(&keys, &binding(&filters), &"x".repeat(text), LEADS).map(|sealed| sealed.as_str().len())
    };
    let lengths: std::collections::BTreeSet<_> = (0..=1453).map(|text| length(text).unwrap()).collect();
    assert_eq!(lengths.len(), SIZES.len());
    assert!(lengths.iter().all(|length| *length <= LONGEST));
    // a number, a time, a UUID and a name are of one length
    assert_eq!(length(1), length(109));
    assert_ne!(length(1), length(110));
    assert_eq!(length(1454), Err(Unsealable::TooLong), "1457 bytes, and four of them beside the text");
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

#[test]
fn nothing_is_sealed_without_random_bytes() {
    let keys = keys(&[OLD]);
    let _failing = crate::random::failing::begin();
    let sealed = seal(&keys, &binding(&filters()), &77_i64, LEADS).map(SealedCursor::into_string);
    assert_eq!(sealed, Err(Unsealable::Crypto));
}
