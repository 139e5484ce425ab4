//! Lists of numbers as short text, for facts of which a repository has hundreds of thousands: as lists of JSON those of a large one
//! would not fit into a bundle.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bits of a window's hash that are kept: a million windows collide once in thousands of repositories.
pub const WINDOW_HASH_BITS: u32 = 52;

/// Bytes that such a hash takes.
const HASH_BYTES: usize = WINDOW_HASH_BITS.div_ceil(8) as usize;

/// Bits of a number in each of its bytes; the eighth says that another byte follows.
const GROUP_BITS: u32 = 7;

/// A window of some code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// What is in it: [`WINDOW_HASH_BITS`] bits.
    pub hash: u64,
    /// Its first token, counted in its file.
    pub token: u32,
    /// The line that it begins in, from 1.
    pub first_line: u32,
    /// The line that it ends in.
    pub last_line: u32,
}

/// Windows of one file, in the order of their tokens. As text: of each its hash, and by how much its numbers grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Windows(pub Vec<Window>);

/// Names by their hashes, sorted, each once. Two names of one hash are taken for one, which hides a finding and makes none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Names(pub Vec<u32>);

/// Why some text is no such list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// Other characters than hexadecimal digits, or an odd number of them.
    #[error("packed numbers are not hexadecimal")]
    NotHex,
    /// It ends in the middle of a number, or a number is too large.
    #[error("packed numbers end too early or are too large")]
    Damaged,
}

impl From<Windows> for String {
    fn from(windows: Windows) -> Self {
        let mut bytes = Vec::with_capacity(windows.0.len() * (HASH_BYTES + 3));
        let (mut token, mut line) = (0, 0);
        for window in windows.0 {
            bytes.extend_from_slice(&window.hash.to_be_bytes()[8 - HASH_BYTES..]);
            push(&mut bytes, window.token.wrapping_sub(token));
            push(&mut bytes, window.first_line.wrapping_sub(line));
            push(&mut bytes, window.last_line.wrapping_sub(window.first_line));
            (token, line) = (window.token, window.first_line);
        }
        hex::encode(bytes)
    }
}

impl TryFrom<String> for Windows {
    type Error = PackedError;

    fn try_from(text: String) -> Result<Self, PackedError> {
        let bytes = hex::decode(text).map_err(|_its_place| PackedError::NotHex)?;
        let mut rest = bytes.as_slice();
        let (mut windows, mut token, mut line) = (Vec::new(), 0_u32, 0_u32);
        while !rest.is_empty() {
            let (hash, after) = rest.split_at_checked(HASH_BYTES).ok_or(PackedError::Damaged)?;
            rest = after;
            let hash = hash.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            token = token.wrapping_add(take(&mut rest)?);
            line = line.wrapping_add(take(&mut rest)?);
            let last_line = line.wrapping_add(take(&mut rest)?);
            windows.push(Window { hash, token, first_line: line, last_line });
        }
        Ok(Self(windows))
    }
}

impl From<Names> for String {
    fn from(names: Names) -> Self {
        let mut text = Self::with_capacity(names.0.len() * 8);
        for name in names.0 {
            // Writing to a string cannot fail.
            write!(text, "{name:08x}").unwrap_or_default();
        }
        text
    }
}

impl TryFrom<String> for Names {
    type Error = PackedError;

    fn try_from(text: String) -> Result<Self, PackedError> {
        let bytes = hex::decode(text).map_err(|_its_place| PackedError::NotHex)?;
        let (chunks, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(PackedError::Damaged);
        }
        Ok(Self(chunks.iter().map(|chunk| u32::from_be_bytes(*chunk)).collect()))
    }
}

impl Windows {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Names {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn push(bytes: &mut Vec<u8>, mut number: u32) {
    loop {
        let group = number.to_le_bytes()[0] & 0x7f;
        number >>= GROUP_BITS;
        if number == 0 {
            return bytes.push(group);
        }
        bytes.push(group | 0x80);
    }
}

fn take(rest: &mut &[u8]) -> Result<u32, PackedError> {
    let mut number = 0_u64;
    for shift in (0..u32::BITS).step_by(GROUP_BITS as usize) {
        let (&byte, after) = rest.split_first().ok_or(PackedError::Damaged)?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).map_err(|_too_large| PackedError::Damaged);
        }
    }
    Err(PackedError::Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window() -> impl Strategy<Value = Window> {
        (0..1_u64 << WINDOW_HASH_BITS, any::<u32>(), any::<u32>(), any::<u32>())
            .prop_map(|(hash, token, first_line, last_line)| Window { hash, token, first_line, last_line })
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(windows in prop::collection::vec(window(), 0..40), names: Vec<u32>) {
            let windows = Windows(windows);
            prop_assert_eq!(Windows::try_from(String::from(windows.clone())), Ok(windows));
            let names = Names(names);
            prop_assert_eq!(Names::try_from(String::from(names.clone())), Ok(names));
        }

        #[test]
        fn whatever_is_read_at_all_comes_back(text in "[0-9a-f]{0,80}|.{0,20}") {
            if let Ok(windows) = Windows::try_from(text.clone()) {
                prop_assert_eq!(Windows::try_from(String::from(windows.clone())), Ok(windows));
            }
            if let Ok(names) = Names::try_from(text.clone()) {
                prop_assert_eq!(String::from(names), text.to_lowercase());
            }
        }
    }

    #[test]
    fn windows_near_each_other_take_twenty_characters() {
        let window =
            |number: u32| Window { hash: 1, token: number * 25, first_line: number * 3, last_line: number * 3 + 9 };
        let text = String::from(Windows((1..=100).map(window).collect()));
        assert_eq!(text.len(), 100 * 20);
    }

    #[test]
    fn damage_is_told() {
        assert_eq!(Windows::try_from("0x".to_owned()), Err(PackedError::NotHex));
        assert_eq!(Windows::try_from("00".to_owned()), Err(PackedError::Damaged));
        assert_eq!(Windows::try_from(format!("{}ffffffff7f0000", "0".repeat(14))), Err(PackedError::Damaged));
        assert_eq!(Names::try_from("0000".to_owned()), Err(PackedError::Damaged));
    }
}
