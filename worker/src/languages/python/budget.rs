//! Whether a text can be parsed with the stack, memory and time that there are: ruff's parser finds a stack of its own,
//! but keeps it as long as levels are open, and whoever visits or drops what it made calls itself for every level.

use super::super::endless;
use crate::pool::STACK_BYTES;

/// Stack for visiting; the rest is for what is around it, and for blocks in blocks: one more is a byte more on each of
/// its lines, so that a file has some 1,400 of them at most.
const STACK_BYTES_MAX: u64 = STACK_BYTES / 8 * 7;

/// What a level may take: measured at up to 505 bytes of stack where it is visited, and 2,300 of memory where it is
/// parsed, which are not the thread's.
const LEVEL_BYTES: u64 = 1_280;

/// What a link of a path may take, which the parser goes along without calling itself; measured at up to 262 bytes.
const LINK_BYTES: u64 = 512;

/// Words that may open a level.
const OPENERS: &[&[u8]] = &[b"as", b"async", b"await", b"else", b"if", b"lambda", b"not", b"yield"];

/// Most strings with values in them. Whenever the parser looks ahead it copies the list of those that are open: 4,000
/// that stand in each other take half a second, 16,000 eight.
const TEMPLATES_MAX: usize = 4_000;

/// Whether `text` can be parsed on a thread of the pool.
pub(super) fn suffices(text: &str) -> bool {
    !endless::is_endless(text) && stack_bytes(text) <= STACK_BYTES_MAX && templates(text) <= TEMPLATES_MAX
}

/// Stack that `text` takes at most, were each of its bytes inside all that may open a level before it. What is quoted
/// or closed again counts too: so nothing that only looks quoted or closed can hide.
fn stack_bytes(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (mut sum, mut was_in_word) = (0, false);
    for (at, byte) in bytes.iter().enumerate() {
        let is_in_word = byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
        // A number may stand right in front of a word, so that only its end tells.
        if was_in_word && !is_in_word && is_opener(&bytes[..at]) {
            sum += LEVEL_BYTES;
        }
        sum += match byte {
            b'(' | b'[' | b'{' | b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'|' | b'&' | b'^' | b'~' | b'<' | b'>' => {
                LEVEL_BYTES
            }
            b'.' => LINK_BYTES,
            _ => 0,
        };
        was_in_word = is_in_word;
    }
    sum
}

/// Whether what ends here may be a word that opens a level.
fn is_opener(before: &[u8]) -> bool {
    OPENERS.iter().any(|word| before.ends_with(word))
}

/// How many strings with values in them there may be in `text`.
fn templates(text: &str) -> usize {
    let is_mark = |byte: u8| matches!(byte, b'f' | b'F' | b't' | b'T');
    let is_quote = |byte: u8| matches!(byte, b'"' | b'\'');
    let is_start =
        |three: &[u8]| is_quote(three[2]) && (is_mark(three[1]) || (is_mark(three[0]) && three[1] | 32 == b'r'));
    text.as_bytes().windows(3).filter(|three| is_start(three)).count()
}

#[cfg(test)]
mod tests {
    use super::super::outline;
    use super::*;
    use crate::pool;

    /// As many `part`s as the budget allows, between `head` and `tail`, and as many `close`s.
    fn as_deep_as_allowed(head: &str, part: &str, tail: &str, close: &str) -> String {
        let per_part = stack_bytes(&format!("{part} {close} ")).max(LINK_BYTES);
        let count = usize::try_from((STACK_BYTES_MAX - 100 * LEVEL_BYTES) / per_part).unwrap();
        format!("{head}{}{tail}{}", part.repeat(count), close.repeat(count))
    }

    #[test]
    fn what_may_be_parsed_has_the_stack_that_it_takes() {
        let cases = [
            ("", "a+", "a", ""),
            ("", "a**", "a", ""),
            ("a=", "- ", "a", ""),
            ("a=", "not ", "a", ""),
            ("a=", "lambda:", "a", ""),
            ("a=", "await ", "a", ""),
            ("a=", "yield ", "a", ""),
            ("a=", "b if c else ", "a", ""),
            ("a=", "*", "a", ""),
            ("a", ".a", "", ""),
            ("a", "[0]", "", ""),
            ("a=", "[", "a", "]"),
            ("a=", "{", "a", "}"),
            ("a=", "{a:", "a", "}"),
            ("a=", "[*a,", "a", "]"),
            ("a=", "[a for a in ", "b", "]"),
            ("a=", "a[", "a", "]"),
            ("match a:\n case ", "[a,", "a", "]"),
            ("match a:\n case ", "{1:", "a", "}"),
            ("match a:\n case a", " as a", ": a", ""),
            ("", "async ", "a", ""),
            ("", "@a\n", "def f(): a", ""),
        ];
        for (head, part, tail, close) in cases {
            let text = as_deep_as_allowed(head, part, tail, close);
            assert!(pool::run(|| outline("a.py", &text)).is_some(), "{part}");
            assert!(!suffices(&text.repeat(2)), "{part}");
        }
    }

    #[test]
    fn blocks_in_blocks_have_the_stack_that_they_take() {
        for head in ["if a:", "def f():", "class A:", "try:", "for a in b:", "with a:"] {
            let lines = (0..1_400).map(|level| format!("{}{head}\n", " ".repeat(level)));
            let text = lines.collect::<String>() + &" ".repeat(1_400) + "a\n";
            assert!(pool::run(|| outline("a.py", &text)).is_some(), "{head}");
        }
    }

    #[test]
    fn only_endless_nesting_is_not_parsed() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{a:", "}"), ("f(", ")"), ("f\"{", "}\"")] {
            let text = format!("a={}1{}", open.repeat(900), close.repeat(900));
            assert!(suffices(&text), "{open}");
        }
        assert!(suffices(&"a = [(1, 2), b.c(d)]\n".repeat(20_000)));
        assert!(suffices(&"f'{a}'\n".repeat(TEMPLATES_MAX)));
        assert!(!suffices(&"rf'{a}'\nfR'{a}'\n".repeat(TEMPLATES_MAX)));
        assert!(!suffices(&"0x0not(".repeat(100_000)));
    }
}
