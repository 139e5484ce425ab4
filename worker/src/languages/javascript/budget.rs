//! Whether a text can be parsed with the stack and time that there are: oxc calls itself for every level of a text.

use super::super::endless;
use crate::pool::STACK_BYTES;

/// Stack for parsing and visiting; the rest is for what is around them.
const STACK_BYTES_MAX: u64 = STACK_BYTES / 8 * 7;

/// Stack that a bracket may take: a level of arrays, objects, calls or types was measured at up to 1,900 bytes.
const BRACKET_BYTES: u64 = 2_560;

/// Stack that an operator may take, or a word, each of which may be one: assignments, conditions and types were measured at
/// up to 600 bytes.
const OPERATOR_BYTES: u64 = 768;

/// Stack that a link of a path may take, and the like; measured at up to 310 bytes.
const LINK_BYTES: u64 = 384;

/// Most conditional expressions in a file: in TypeScript the parser reads the rest again at each that could hold the type of an
/// arrow function, and so many in one chain take one second and a half. The most that were seen in a file are 860.
const CONDITIONS_MAX: usize = 1_500;

/// Round brackets around a round bracket, for all of them together. What opens with one is read again where it may be the
/// parameters of an arrow function with defaults: `({a=({a=` takes 170 bytes and 0.8 µs for each pair of brackets that
/// stand in each other. The most that were seen in a file are 625.
const ENCLOSURES_MAX: usize = 100_000;

/// Round brackets around another that are not counted: code wrapped into calls of calls has some.
const ENCLOSURES_FREE: usize = 8;

/// Most bytes of text that are parsed again for what is left of a file with mistakes: what a tenth of a second is enough for.
const REREAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most pieces that are left out of a file with mistakes.
const ATTEMPTS_MAX: usize = 64;

/// What it costs, in bytes of text, that the parser reads the rest again: for each condition and level, by the count of them.
/// Measured at up to 28.
const REREAD_FACTOR: usize = 32;

/// Whether `text` can be parsed on a thread of the pool.
pub(super) fn suffices(text: &str) -> bool {
    !endless::is_endless(text)
        && stack_bytes(text) <= STACK_BYTES_MAX
        && conditions(text) <= CONDITIONS_MAX
        && enclosures(text) <= ENCLOSURES_MAX
}

/// How often `text` may be parsed again.
pub(super) fn attempts(text: &str) -> usize {
    let square = |count: usize| count.saturating_mul(count);
    let reread = square(conditions(text)).saturating_add(square(levels(text))).saturating_mul(REREAD_FACTOR);
    (REREAD_BYTES_MAX / text.len().saturating_add(reread).max(1)).min(ATTEMPTS_MAX)
}

/// How many conditional expressions `text` may have.
fn conditions(text: &str) -> usize {
    let is_condition = |pair: &[u8]| pair[0] == b'?' && !b".?:),;=]".contains(&pair[1]);
    text.as_bytes().windows(2).filter(|pair| is_condition(pair)).count()
}

/// How many round brackets stand around another, for each of them, but for a few that are free.
fn enclosures(text: &str) -> usize {
    let (mut open, mut sum) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'(' => {
                sum += open.saturating_sub(ENCLOSURES_FREE);
                open += 1;
            }
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    sum
}

/// How deep arguments and types are nested, of which it shows only behind them what they are.
fn levels(text: &str) -> usize {
    let (mut round, mut angles, mut deepest) = (0usize, 0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' => round += 1,
            b'<' => angles += 1,
            b'>' => angles = angles.saturating_sub(1),
            b')' => (round, angles) = (round.saturating_sub(1), 0),
            b';' => angles = 0,
            _ => {}
        }
        deepest = deepest.max(round + angles);
    }
    deepest
}

/// Stack that `text` takes at most, were each of its bytes inside all that may open a level before it. What is quoted or
/// closed again counts too: so nothing that only looks quoted or closed can hide.
fn stack_bytes(text: &str) -> u64 {
    let (mut sum, mut is_in_word) = (0, false);
    for byte in text.bytes() {
        let (stack, is_word) = STACK_OF_BYTE[usize::from(byte)];
        sum += if is_word && is_in_word { 0 } else { stack };
        is_in_word = is_word;
    }
    sum
}

/// Stack that each byte may take, for a word its first one, and whether it is part of a word: every text goes through here.
static STACK_OF_BYTE: [(u64, bool); 256] = {
    let mut table = [(0, false); 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        table[byte as usize] = match byte {
            b'(' | b'[' | b'{' | b'<' => (BRACKET_BYTES, false),
            b'.' | b'/' | b'*' | b'`' => (LINK_BYTES, false),
            b'=' | b'?' | b':' | b'!' | b'~' | b'+' | b'-' | b'%' | b'&' | b'|' | b'^' | b'>' | b'@' => {
                (OPERATOR_BYTES, false)
            }
            other if other.is_ascii_alphanumeric() => (OPERATOR_BYTES, true),
            _ => (0, false),
        };
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::super::{javascript, tsx, typescript};
    use super::*;
    use crate::outline::Outline;
    use crate::pool;

    /// As many `part`s as the budget allows, between `head` and `tail`.
    fn as_deep_as_allowed(head: &str, part: &str, tail: &str) -> String {
        let per_part = stack_bytes(&format!("{part} ")).max(LINK_BYTES);
        let count = usize::try_from((STACK_BYTES_MAX - 100 * BRACKET_BYTES) / per_part).unwrap();
        format!("{head}{}{tail}", part.repeat(count))
    }

    #[test]
    fn what_may_be_parsed_has_the_stack_that_it_takes() {
        let cases = [
            ("", "!", "a"),
            ("", "- -", "a"),
            ("", "typeof ", "a"),
            ("", "new ", "a"),
            ("", "await ", "a"),
            ("", "a=>", "a"),
            ("", "async a=>", "a"),
            ("", "a+", "a"),
            ("", "a=", "a"),
            ("a", ".a", ""),
            ("a", ".é", ""),
            ("a", "?.a", ""),
            ("a", "``", ""),
            ("", "é:", ";"),
            ("", "if(a)", ";"),
            ("", "if(a);else ", ";"),
            ("", "do ", ""),
            ("", "a[0]&&", "a"),
            ("a=", "[a,", ""),
            ("a=", "{a:", ""),
            ("", "{", ""),
            ("", "`${a+", ""),
            ("a=", "<a>", ""),
            ("", "class A{a=", ""),
            ("", "function f(){", ""),
            ("", "x=function*(){yield ", ""),
            ("type A=", "keyof ", "A"),
            ("type A=", "{a:", ""),
            ("a", " as A", ""),
        ];
        for (head, part, tail) in cases {
            let text = as_deep_as_allowed(head, part, tail);
            for outline in [javascript, typescript, tsx] {
                let parsed: Option<Outline> = pool::run(|| outline("a", &text));
                assert!(parsed.is_some(), "{part}");
            }
            assert!(!suffices(&text.repeat(2)), "{part}");
        }
    }

    #[test]
    fn only_endless_nesting_and_choosing_is_not_parsed() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{a:", "}"), ("a<", ">"), ("(a=", ")"), ("f(", ")")] {
            let text = format!("a={}1{}", open.repeat(400), close.repeat(400));
            assert!(suffices(&text), "{open}");
        }
        assert!(!suffices(&"(a=".repeat(2_000)));
        let nested = |depth: usize| format!("{}1{}\n", "({a=".repeat(depth), "},b)".repeat(depth));
        assert!(suffices(&nested(10).repeat(1_000)) && suffices(&nested(400)));
        assert!(!suffices(&nested(400).repeat(2)));
        assert!(suffices(&"a ? b : c;\n".repeat(CONDITIONS_MAX)));
        assert!(!suffices(&"a?(b):c=>".repeat(CONDITIONS_MAX + 1)));
    }

    #[test]
    fn a_file_with_mistakes_is_read_again_as_often_as_it_is_cheap() {
        assert_eq!(attempts("a"), ATTEMPTS_MAX);
        assert_eq!(attempts(&"f(a);\n".repeat(200_000)), 6);
        assert_eq!(attempts(&"(a=".repeat(600)), 0);
        assert_eq!(attempts(&"a?(b):c=>".repeat(600)), 0);
    }
}
