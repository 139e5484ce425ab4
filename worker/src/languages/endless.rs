//! Texts that hurt parsers out of proportion: told by their bytes, before one is asked.

use memchr::memchr_iter;

use crate::runs::runs;

/// Longest run of operators and brackets, spaces between them not counted. At the end of a file the parser weighs every reading of
/// such a run at once and asks for no budget meanwhile: 3 kB of `/*` in Python take two seconds and 600 MB, 20 kB all there
/// is. Nested data closes some dozen brackets.
const OPERATOR_RUN_MAX: usize = 400;

/// Most round brackets that are open at once. Each costs as much as all around it where the parser has to guess what they
/// are: 60 kB of `%w(` in C take 25 seconds and 3 GB. Only brackets inside strings, which count too, ever come near.
const OPEN_BRACKETS_MAX: usize = 1_000;

/// Most `<` in a row of expressions or types, with nothing closed in between: in Java and C# each may open a list of types,
/// and 60 kB of `a<` take 20 seconds.
const OPEN_TYPES_MAX: usize = 500;

/// Most commands in one pipeline; a shell's parser takes 2 GB for 20,000. Tables drawn in comments have some hundred bars.
const PIPES_MAX: usize = 2_000;

/// Most NUL bytes. Code has none; where they are met the parser of shells begins again at each, and 10,000 in a row
/// take half a second, a million an hour.
const NULS_MAX: usize = 1_000;

/// Bytes that are counted together: the fewer, the closer the bound on what is open, and the more of them to count.
const BLOCK_BYTES: usize = 4_096;

/// Whether a parser would take more time or memory over `text` than its budget can hold it to. Every file is looked at so,
/// and nearly none comes near a limit: what is counted byte by byte is counted only where it may be too much.
pub(super) fn is_endless(text: &str) -> bool {
    let bytes = text.as_bytes();
    has_endless_run(bytes) || count(bytes, 0) > NULS_MAX || (may_nest(bytes) && nests_endlessly(bytes))
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    memchr_iter(wanted, bytes).count()
}

/// What a byte is to a run of operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Between operators, and no end of a run: space, also from line to line.
    Space,
    /// An operator or a bracket.
    Operator,
    /// The end of a run: part of a word, of a string or of a character beyond ASCII.
    Word,
}

/// The kind of each byte.
static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Word; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        kinds[byte as usize] = match byte {
            b'_' | b'"' | b'\'' => Kind::Word,
            _ if byte.is_ascii_whitespace() => Kind::Space,
            _ if byte.is_ascii_punctuation() => Kind::Operator,
            _ => Kind::Word,
        };
        byte += 1;
    }
    kinds
};

/// Whether there are too many operators and brackets in a row. A run of one byte is a ruler or plain nesting, which parsers
/// bear.
fn has_endless_run(bytes: &[u8]) -> bool {
    let is_in_run = |byte: u8| KINDS[usize::from(byte)] != Kind::Word;
    runs(bytes, OPERATOR_RUN_MAX, is_in_run).into_iter().any(|run| is_endless_run(&bytes[run]))
}

/// Whether a run without words has too many operators that differ from the one before.
fn is_endless_run(run: &[u8]) -> bool {
    let operators = || run.iter().filter(|byte| KINDS[usize::from(**byte)] == Kind::Operator);
    let changes = operators().zip(operators().skip(1)).filter(|(before, byte)| before != byte).count();
    operators().count() > OPERATOR_RUN_MAX && changes >= OPERATOR_RUN_MAX / 2
}

/// Whether more may be open at once than is borne. Of a block of bytes it is assumed that all which is closed in it comes first.
fn may_nest(bytes: &[u8]) -> bool {
    let mut open = 0_usize;
    let may_be_open = |block: &[u8]| {
        open = open.saturating_sub(count(block, b')')) + count(block, b'(');
        open > OPEN_BRACKETS_MAX
    };
    bytes.chunks(BLOCK_BYTES).any(may_be_open) || count(bytes, b'<') > OPEN_TYPES_MAX || count(bytes, b'|') > PIPES_MAX
}

/// Whether more is open at once than is borne.
fn nests_endlessly(bytes: &[u8]) -> bool {
    let mut open = Open::default();
    // The last byte that was no space: a pipeline goes on behind a line that ends in a bar.
    let mut last = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if last != b'|' => open.pipes = 0,
            _ => open.nest(*byte, at.checked_sub(1).map(|at| bytes[at]), bytes.get(at + 1).copied()),
        }
        if !byte.is_ascii_whitespace() {
            last = *byte;
        }
        if open.brackets > OPEN_BRACKETS_MAX || open.types > OPEN_TYPES_MAX || open.pipes > PIPES_MAX {
            return true;
        }
    }
    false
}

/// What is open at a place of a text.
#[derive(Default)]
struct Open {
    brackets: usize,
    types: usize,
    pipes: usize,
}

impl Open {
    /// Counts what `byte`, between two others, opens or closes. Shifts and comparisons with `=` open no types, and a closing round
    /// bracket ends those that are open, as in `for (..; i < n; ..)`.
    fn nest(&mut self, byte: u8, before: Option<u8>, after: Option<u8>) {
        match byte {
            b'(' => (self.brackets, self.pipes) = (self.brackets + 1, 0),
            b')' => (self.brackets, self.types) = (self.brackets.saturating_sub(1), 0),
            b'<' if before != Some(b'<') && !matches!(after, Some(b'<' | b'=')) => self.types += 1,
            b'>' => self.types = self.types.saturating_sub(1),
            b'|' => self.pipes += 1,
            b';' | b'{' => self.pipes = 0,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_mixed_operators_are_endless_and_rulers_are_not() {
        assert!(is_endless(&"/*".repeat(300)));
        assert!(is_endless(&"/ *\n".repeat(300)));
        assert!(!is_endless(&"-".repeat(2_000)));
        assert!(!is_endless(&"[1],".repeat(600)));
    }

    #[test]
    fn a_run_is_measured_to_the_byte_wherever_it_begins() {
        for before in 0..=OPERATOR_RUN_MAX {
            let run = |operators: usize| format!("{}{}a", "a".repeat(before), "/ * ".repeat(operators / 2));
            assert!(is_endless(&run(OPERATOR_RUN_MAX + 2)), "{before}");
            assert!(!is_endless(&run(OPERATOR_RUN_MAX)), "{before}");
        }
    }

    #[test]
    fn brackets_are_counted_over_the_whole_text() {
        let opened = |count: usize| format!("a{}", "b".repeat(60) + "(").repeat(count);
        assert!(is_endless(&opened(OPEN_BRACKETS_MAX + 1)));
        assert!(!is_endless(&opened(OPEN_BRACKETS_MAX)));
        let closed = format!("{}{}", opened(OPEN_BRACKETS_MAX), ")".repeat(OPEN_BRACKETS_MAX));
        assert!(!is_endless(&closed.repeat(3)));
    }

    #[test]
    fn nuls_are_endless_beyond_a_few() {
        assert!(is_endless(&"\0".repeat(1_001)));
        assert!(!is_endless(&format!("a{}b", "\0".repeat(1_000))));
    }

    #[test]
    fn nesting_and_pipelines_are_endless_only_beyond_what_is_written() {
        assert!(is_endless(&"%w(".repeat(1_001)));
        assert!(is_endless(&"a<".repeat(501)));
        assert!(is_endless(&"a |\n".repeat(2_001)));
        assert!(!is_endless(&"f(a) | g(b)\n".repeat(5_000)));
        assert!(!is_endless(&"for (int i = 0; i < n; i++) { a << 1; b <= 2; }\n".repeat(5_000)));
        assert!(!is_endless(&"Map<A, List<B>> a;\n".repeat(5_000)));
        assert!(!is_endless(&"type A =\n | B\n | C\n".repeat(5_000)));
    }
}
