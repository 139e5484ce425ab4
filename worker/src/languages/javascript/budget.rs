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
/// arrow function, and so many in one chain take two seconds. The most that were seen in a file are 860.
const CONDITIONS_MAX: usize = 2_500;

/// Whether `text` can be parsed on a thread of the pool.
pub(super) fn suffices(text: &str) -> bool {
    let is_condition = |pair: &[u8]| pair[0] == b'?' && !b".?:),;=]".contains(&pair[1]);
    !endless::is_endless(text)
        && stack_bytes(text) <= STACK_BYTES_MAX
        && text.as_bytes().windows(2).filter(|pair| is_condition(pair)).count() <= CONDITIONS_MAX
}

/// Stack that `text` takes at most, were each of its bytes inside all that may open a level before it. What is quoted or
/// closed again counts too: so nothing that only looks quoted or closed can hide.
fn stack_bytes(text: &str) -> u64 {
    let (mut sum, mut is_in_word) = (0, false);
    for byte in text.bytes() {
        let is_word = byte.is_ascii_alphanumeric();
        sum += match byte {
            b'(' | b'[' | b'{' | b'<' => BRACKET_BYTES,
            b'.' | b'/' | b'*' | b'`' => LINK_BYTES,
            b'=' | b'?' | b':' | b'!' | b'~' | b'+' | b'-' | b'%' | b'&' | b'|' | b'^' | b'>' | b'@' => OPERATOR_BYTES,
            _ if is_word && !is_in_word => OPERATOR_BYTES,
            _ => 0,
        };
        is_in_word = is_word;
    }
    sum
}

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
            ("", "typeof ", "a"),
            ("", "a=>", "a"),
            ("", "a+", "a"),
            ("a", ".a", ""),
            ("a", "``", ""),
            ("", "if(a);else ", ";"),
            ("", "a[0]&&", "a"),
            ("a=", "[a,", ""),
            ("a=", "{a:", ""),
            ("type A=", "keyof ", "A"),
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
        assert!(suffices(&"a ? b : c;\n".repeat(CONDITIONS_MAX)));
        assert!(!suffices(&"a?(b):c=>".repeat(CONDITIONS_MAX + 1)));
    }
}
