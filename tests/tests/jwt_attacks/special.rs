//! Signatures of chosen values, where a careless verifier does arithmetic that it should have refused.

use crate::build::hex;

/// The order of P-256 (SP 800-186 section 3.2.1.3).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The x coordinate of its base point.
const BASE: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
/// The order of the base point of Ed25519 (RFC 8032 section 5.1), in its byte order.
const ED_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The signature of this name, made from a valid one.
pub fn signature(name: &str, valid: &[u8]) -> Vec<u8> {
    let half = valid.len() / 2;
    let (r, s) = valid.split_at(half);
    let number = |last: u8| [vec![0; half - 1], vec![last]].concat();
    let pair = |r: &[u8], s: &[u8]| [r, s].concat();
    match name {
        "es_s_plus_n_wrap" => pair(r, &number(0)), // s + n does not fit; s = 0 is what is left of it
        "es_pad_33" => pair(&[&[0], r].concat(), &[&[0], s].concat()),
        "es_high_s" => pair(r, &subtract(&hex(ORDER), s)),
        "es_r0_s0" => pair(&number(0), &number(0)),
        "es_r0_s1" => pair(&number(0), &number(1)),
        "es_r1_s0" => pair(&number(1), &number(0)),
        "es_r1_s1" => pair(&number(1), &number(1)),
        "es_rn_sn" => pair(&hex(ORDER), &hex(ORDER)),
        "es_rn_s1" => pair(&hex(ORDER), &number(1)),
        "es_rx_gx" => pair(&hex(BASE), &number(1)),
        "es_der" => der(r, s),
        "ed_zero" => vec![0; 64],
        "ed_identity_R" => pair(&[&[1][..], &[0; 31]].concat(), &[0; 32]),
        "ed_s_plus_l" => pair(r, &add_little_endian(s, &hex(ED_ORDER))),
        other => panic!("what is the signature {other:?}?"),
    }
}

/// `a - b` of numbers of one length, the greatest digit first.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            digit.rem_euclid(256) as u8
        })
        .collect();
    digits.reverse();
    digits
}

fn add_little_endian(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let sum = a.iter().zip(b).map(|(a, b)| {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        carry = digit >> 8;
        digit as u8
    });
    sum.collect()
}

/// The form of X.509 (RFC 3279 section 2.2.3), which JWS does not take.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let first = number.iter().position(|digit| *digit != 0).unwrap_or(number.len() - 1);
        let number = &number[first..];
        let sign: &[u8] = if number[0] & 0x80 == 0 { &[] } else { &[0] };
        [&[2, u8::try_from(sign.len() + number.len()).unwrap()], sign, number].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}
