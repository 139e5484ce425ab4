//! The shape of a token: a mark that its maker chose so that it can be found, and what stands around it.

use super::randomness::{entropy, is_placeholder};

/// Shortest value that is expected to hold a digit: one in two hundred is drawn without, and most names are.
const DIGIT_BYTES_MIN: usize = 32;

/// Bytes that values are made of.
#[derive(Clone, Copy)]
pub(super) enum Charset {
    /// Letters and digits.
    Alphanumeric,
    /// Upper-case letters and `2` to `7`.
    Base32,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
    /// Decimal digits.
    Digit,
    /// Those of [`Charset::Url`], with `.`, `/`, `+` and `=`.
    Dotted,
    /// Lower-case hexadecimal digits.
    Hex,
    /// Letters.
    Letter,
    /// Lower-case letters and digits.
    Lower,
    /// Upper-case letters and digits.
    Upper,
    /// Letters, digits, `_` and `-`.
    Url,
}

impl Charset {
    pub(super) fn holds(self, byte: u8) -> bool {
        match self {
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Digit => byte.is_ascii_digit(),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'='),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Letter => byte.is_ascii_alphabetic(),
            Self::Lower => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        }
    }

    /// Bits per byte below which a value was typed, not drawn.
    fn entropy_min(self) -> f64 {
        match self {
            Self::Base32 | Self::Digit | Self::Hex | Self::Lower | Self::Upper => 2.5,
            _ => 3.0,
        }
    }
}

/// A stretch of a token.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// As many bytes of a set as there are, at least the first number and at most the second.
    Run(Charset, usize, usize),
    /// Exactly this.
    Mark(&'static str),
}

/// What stands in front of an anchor: a run that opens with a certain text.
#[derive(Clone, Copy)]
pub(super) struct Lead {
    pub(super) opening: &'static str,
    pub(super) charset: Charset,
    /// Shortest and longest, with the opening.
    pub(super) length: (usize, usize),
}

/// One kind of token.
pub(super) struct Format {
    /// What it is, for people.
    pub(super) what: &'static str,
    /// What stands in front of `anchor`, if that is not where the token starts.
    pub(super) lead: Option<Lead>,
    /// What every token of this kind holds and hardly another text does.
    pub(super) anchor: &'static str,
    /// What follows it.
    pub(super) parts: &'static [Part],
    /// Whether the maker's checksum over a whole token fits, if there is one.
    pub(super) checksum: Option<fn(&str) -> bool>,
}

/// A run of exactly `length` bytes.
pub(super) const fn run(charset: Charset, length: usize) -> Part {
    Part::Run(charset, length, length)
}

/// A run of `shortest` to `longest` bytes.
pub(super) const fn between(charset: Charset, shortest: usize, longest: usize) -> Part {
    Part::Run(charset, shortest, longest)
}

/// A token that starts with `prefix`.
pub(super) const fn token(what: &'static str, prefix: &'static str, parts: &'static [Part]) -> Format {
    Format { what, lead: None, anchor: prefix, parts, checksum: None }
}

impl Format {
    /// The same with a checksum.
    pub(super) const fn checked(self, checksum: fn(&str) -> bool) -> Self {
        Self { checksum: Some(checksum), ..self }
    }

    /// The same with `shortest` to `longest` bytes in front of its anchor that open with `opening`.
    pub(super) const fn behind(self, opening: &'static str, charset: Charset, shortest: usize, longest: usize) -> Self {
        Self { lead: Some(Lead { opening, charset, length: (shortest, longest) }), ..self }
    }

    /// Where the token around the anchor at `at` begins and ends, if there is one that looks drawn.
    pub(super) fn read(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        let (bytes, body) = (text.as_bytes(), at + self.anchor.len());
        let start = self.start(bytes, at)?;
        let mut end = body;
        for part in self.parts {
            end += match *part {
                Part::Run(charset, shortest, longest) => {
                    let length = bytes[end..].iter().take(longest).take_while(|byte| charset.holds(**byte)).count();
                    Some(length).filter(|length| *length >= shortest)?
                }
                Part::Mark(mark) => Some(mark.len()).filter(|_| bytes[end..].starts_with(mark.as_bytes()))?,
            };
        }
        if bytes.get(end).is_some_and(|byte| self.goes_on_with(*byte)) {
            return None;
        }
        let looks_drawn = self.looks_drawn(text.get(start..at)?, text.get(body..end)?);
        looks_drawn.then_some((start, end))
    }

    /// Where a token with its anchor at `at` starts: at the start of a word.
    fn start(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let start = match self.lead {
            None => at,
            Some(Lead { opening, charset, length: (shortest, longest) }) => {
                let lead = bytes[..at].iter().rev().take(longest + 1).take_while(|byte| charset.holds(**byte)).count();
                let start = at - Some(lead).filter(|lead| (shortest..=longest).contains(lead))?;
                Some(start).filter(|_| bytes[start..].starts_with(opening.as_bytes()))?
            }
        };
        let goes_on =
            start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || matches!(bytes[start - 1], b'_' | b'-'));
        (!goes_on).then_some(start)
    }

    /// Whether a byte behind the last part shows that this is part of something longer.
    fn goes_on_with(&self, byte: u8) -> bool {
        let is_more = match self.parts.last() {
            Some(Part::Run(charset, ..)) => charset.holds(byte) && !matches!(byte, b'.' | b'/'),
            _ => false,
        };
        is_more || byte.is_ascii_alphanumeric() || byte == b'_'
    }

    fn looks_drawn(&self, lead: &str, body: &str) -> bool {
        let runs = self.parts.iter().filter_map(|part| match part {
            Part::Run(charset, ..) => Some(*charset),
            Part::Mark(_) => None,
        });
        let sets = self.lead.map(|lead| lead.charset).into_iter().chain(runs);
        let entropy_min = sets.map(Charset::entropy_min).fold(f64::MAX, f64::min);
        // Letters alone are what some makers draw from.
        let has_letters_only = matches!(self.parts, [Part::Run(Charset::Letter, ..)]);
        let value = format!("{lead}{body}");
        let has_digit = value.len() < DIGIT_BYTES_MIN || value.bytes().any(|byte| byte.is_ascii_digit());
        entropy(&value) >= entropy_min && (has_digit || has_letters_only) && !is_placeholder(&value)
    }
}
