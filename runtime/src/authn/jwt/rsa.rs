//! Which RSA public keys verify signatures.
//!
//! 1. the modulus has 2048 to 8192 bits (RFC 7518 section 3.3);
//! 2. the exponent is odd and at least 3: with 1, every message would be its own signature;
//! 3. the modulus does not bear the mark of primes that can be found from it (CVE-2017-15361, "ROCA").

use aws_lc_rs::signature::{self, RsaPublicKeyComponents};

use super::keys::Check;
use crate::operation::Algorithm;

/// The key of this modulus and exponent, ready for each algorithm that it can do and that is wanted.
pub(super) fn checks(
    n: &[u8],
    e: &[u8],
    is_wanted: impl Fn(&Algorithm) -> bool,
) -> Result<Vec<(Algorithm, Check)>, &'static str> {
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err("its modulus has not 2048 to 8192 bits");
    }
    if e.len() > 8 || e == [1] || e.last().is_none_or(|last| last % 2 == 0) {
        return Err("its exponent is not odd and at least 3");
    }
    if is_marked(n) {
        return Err("its modulus was made by a generator whose keys can be factored (CVE-2017-15361)");
    }
    let both = [
        (Algorithm::RS256, &signature::RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::PS256, &signature::RSA_PSS_2048_8192_SHA256),
    ];
    let wanted = both.into_iter().filter(|(algorithm, _)| is_wanted(algorithm));
    let parse = |(algorithm, parameters)| {
        let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
        let parsed = parsed.map_err(|_| "its modulus and exponent make no key")?;
        Ok((algorithm, Check::Public(parsed)))
    };
    wanted.map(parse).collect()
}

/// RFC 7518 section 6.3.1.1 forbids the sign byte that some implementations still write; it changes no value.
fn without_leading_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// The odd primes whose product divides the modulus of every generator with the flaw.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the modulus is a power of 65537 modulo every one of [`PRIMES`]: so are the primes that the flawed generator
/// makes, so is their product, and hardly any other number.
fn is_marked(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * (65_537 % prime) % prime;
            power == rest
        })
    })
}
