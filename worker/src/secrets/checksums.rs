//! Checksums that makers put into their tokens, so that a real one can be told from one that somebody typed.

/// Letters of a token in front of its checksum, and letters of the checksum, as GitHub and npm write them.
const DRAWN: usize = 30;

/// Digits of numbers in base 62.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Digits of bech32.
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Whether the last six letters of `token` are the CRC-32 of the thirty before, in base 62: `ghp_`, `npm_`.
pub(super) fn crc_fits(token: &str) -> bool {
    let value = token.split_once('_').map_or(token, |(_, value)| value);
    value.split_at_checked(DRAWN).is_some_and(|(drawn, checksum)| base62(crc32(drawn.as_bytes())) == checksum)
}

/// Whether the last six letters of `token` are its bech32 checksum: `AGE-SECRET-KEY-1`.
pub(super) fn bech32_fits(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    let Some((kind, data)) = lower.rsplit_once('1') else { return false };
    let digits: Option<Vec<u32>> = data.chars().map(|c| BECH32.find(c).and_then(|at| u32::try_from(at).ok())).collect();
    let Some(digits) = digits else { return false };
    let high = kind.bytes().map(|byte| u32::from(byte >> 5));
    let low = kind.bytes().map(|byte| u32::from(byte & 31));
    polymod(high.chain([0]).chain(low).chain(digits)) == 1
}

/// The checksum polynomial of bech32 over digits of five bits.
fn polymod(digits: impl Iterator<Item = u32>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    digits.fold(1, |sum, digit| {
        let shifted = (sum & 0x01ff_ffff) << 5 ^ digit;
        let taken = GENERATOR.iter().enumerate().filter(|(bit, _)| sum >> 25 >> bit & 1 == 1);
        taken.fold(shifted, |sum, (_, generator)| sum ^ generator)
    })
}

/// CRC-32 as in zip; bit by bit, since it runs over thirty bytes of a likely secret only.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _bit| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

/// Six digits.
fn base62(mut number: u32) -> String {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(number % 62) as usize];
        number /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// The last letters that make `drawn` a token of GitHub or npm.
#[cfg(test)]
pub(super) fn crc_of(drawn: &str) -> String {
    base62(crc32(drawn.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_makers() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(base62(61), "00000z");
        let drawn = "Zk3vQ9xLr7TbWm2NcYdHpKs8GfJ4Ve";
        assert!(crc_fits(&format!("ghp_{drawn}{}", crc_of(drawn))));
        assert!(!crc_fits(&format!("ghp_{drawn}000000")));
        assert!(!crc_fits("ghp_") && !crc_fits(""));
    }

    #[test]
    fn bech32_is_that_of_its_definition() {
        assert!(bech32_fits("A12UEL5L"));
        assert!(bech32_fits("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"));
        assert!(!bech32_fits("A12UEL5M"));
        assert!(!bech32_fits("") && !bech32_fits("abc1b"));
    }
}
