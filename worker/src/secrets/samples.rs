//! Made-up tokens of every kind, built from the shapes, so that no file of ours holds one.

use super::checksums::{crc_fits, crc_of};
use super::format::{Charset, Format, Lead, Part};
use super::providers::FORMATS;

/// A made-up token.
pub(crate) struct Sample {
    /// What it is.
    pub(crate) what: &'static str,
    /// What a report may show of it.
    pub(crate) shown: &'static str,
    /// All of it.
    pub(crate) token: String,
}

/// How to fill a run of so many bytes.
type Fill<'f> = dyn FnMut(Charset, usize) -> String + 'f;

/// Two tokens that look drawn for every kind: the shortest and the longest.
pub(crate) fn drawn() -> Vec<Sample> {
    let mut state = 7u32;
    let mut fill = |charset: Charset, length: usize| -> String {
        let bytes = alphabet(charset);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(bytes[(state >> 16) as usize % bytes.len()])
        };
        (0..length).map(|_| next()).collect()
    };
    let lengths = FORMATS.iter().flat_map(|format| [(format, false), (format, true)]);
    lengths.map(|(format, is_longest)| with_checksum(format, build(format, is_longest, &mut fill))).collect()
}

/// Tokens that somebody typed, for every kind: of one letter, and of a few letters again and again.
pub(crate) fn typed() -> Vec<Sample> {
    let mut one =
        |charset: Charset, length: usize| String::from(if charset.holds(b'x') { "x" } else { "7" }).repeat(length);
    let same: Vec<Sample> = FORMATS.iter().map(|format| build(format, true, &mut one)).collect();
    let mut few = |charset: Charset, length: usize| -> String {
        let bytes = alphabet(charset);
        (0..length).map(|at| char::from(bytes[at * 3 % 9])).collect()
    };
    same.into_iter().chain(FORMATS.iter().map(|format| build(format, true, &mut few))).collect()
}

/// Letters and digits of `charset`: what stands at an end of a token must not look like the end of a word.
fn alphabet(charset: Charset) -> Vec<u8> {
    (0..=u8::MAX).filter(|byte| byte.is_ascii_alphanumeric() && charset.holds(*byte)).collect()
}

fn build(format: &'static Format, is_longest: bool, fill: &mut Fill<'_>) -> Sample {
    let choose = |shortest: usize, longest: usize| if is_longest { longest } else { shortest };
    let mut token = String::new();
    if let Some(Lead { opening, charset, length: (shortest, longest) }) = format.lead {
        token.push_str(opening);
        token.push_str(&fill(charset, choose(shortest, longest) - opening.len()));
    }
    token.push_str(format.anchor);
    for part in format.parts {
        match *part {
            Part::Run(charset, shortest, longest) => token.push_str(&fill(charset, choose(shortest, longest))),
            Part::Mark(mark) => token.push_str(mark),
        }
    }
    let shown = if format.lead.is_none() { format.anchor } else { "" };
    Sample { what: format.what, shown, token }
}

/// The sample with the last letters that GitHub or npm would give it, where it is theirs.
fn with_checksum(format: &Format, mut sample: Sample) -> Sample {
    if format.checksum.is_some() && sample.token.len() == format.anchor.len() + 36 {
        let drawn = sample.token[format.anchor.len()..][..30].to_owned();
        sample.token = format!("{}{drawn}{}", format.anchor, crc_of(&drawn));
        assert!(crc_fits(&sample.token));
    }
    sample
}
