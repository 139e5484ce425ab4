//! Texts that hurt parsers out of proportion: told by their bytes, before one is asked.

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

/// Whether a parser would take more time or memory over `text` than its budget can hold it to.
pub(super) fn is_endless(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut counts = Counts::default();
    let mut at = 0;
    while at < bytes.len() {
        // Of words and spaces, which most bytes are, only the last byte counts.
        let kind = KINDS[usize::from(bytes[at])];
        if matches!(kind, Kind::Word | Kind::Blank) {
            let same = bytes[at + 1..].iter().take_while(|byte| KINDS[usize::from(**byte)] == kind);
            at += same.count();
        }
        if counts.pass_a_limit(bytes, at) {
            return true;
        }
        at += 1;
    }
    false
}

/// What a byte is to the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Space within a line.
    Blank,
    LineEnd,
    /// An operator or a bracket.
    Operator,
    Nul,
    /// Part of a word, of a string or of a character beyond ASCII.
    Word,
}

/// The kind of each byte.
static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Word; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        kinds[byte as usize] = match byte {
            0 => Kind::Nul,
            b'\n' => Kind::LineEnd,
            b'_' | b'"' | b'\'' => Kind::Word,
            _ if byte.is_ascii_whitespace() => Kind::Blank,
            _ if byte.is_ascii_punctuation() => Kind::Operator,
            _ => Kind::Word,
        };
        byte += 1;
    }
    kinds
};

/// What is counted on the way through a text, all in one go: every file is looked at so.
#[derive(Default)]
struct Counts {
    /// Operators and brackets in a row, and how often one differs from the one before: a run of one byte is a ruler or plain
    /// nesting, which parsers bear.
    run: usize,
    changes: usize,
    open_brackets: usize,
    open_types: usize,
    pipes: usize,
    nuls: usize,
    /// The last byte that was no space.
    last: u8,
}

impl Counts {
    /// Whether a limit is passed with the byte at `at`.
    fn pass_a_limit(&mut self, bytes: &[u8], at: usize) -> bool {
        let byte = bytes[at];
        let kind = KINDS[usize::from(byte)];
        match kind {
            Kind::Blank => return false,
            Kind::LineEnd => {
                // A pipeline goes on behind a line that ends in a bar.
                if self.last != b'|' {
                    self.pipes = 0;
                }
                return false;
            }
            Kind::Word | Kind::Nul => {
                self.last = byte;
                (self.run, self.changes) = (0, 0);
                self.nuls += usize::from(kind == Kind::Nul);
                return self.nuls > NULS_MAX;
            }
            Kind::Operator => {}
        }
        let before = std::mem::replace(&mut self.last, byte);
        self.run += 1;
        self.changes += usize::from(byte != before);
        self.nest(byte, at.checked_sub(1).map(|at| bytes[at]), bytes.get(at + 1).copied());
        (self.run > OPERATOR_RUN_MAX && self.changes > OPERATOR_RUN_MAX / 2)
            || self.open_brackets > OPEN_BRACKETS_MAX
            || self.open_types > OPEN_TYPES_MAX
            || self.pipes > PIPES_MAX
    }

    /// Counts what `byte`, between two others, opens or closes. Shifts and comparisons with `=` open no types, and a closing round
    /// bracket ends those that are open, as in `for (..; i < n; ..)`.
    fn nest(&mut self, byte: u8, before: Option<u8>, after: Option<u8>) {
        match byte {
            b'(' => (self.open_brackets, self.pipes) = (self.open_brackets + 1, 0),
            b')' => (self.open_brackets, self.open_types) = (self.open_brackets.saturating_sub(1), 0),
            b'<' if before != Some(b'<') && !matches!(after, Some(b'<' | b'=')) => self.open_types += 1,
            b'>' => self.open_types = self.open_types.saturating_sub(1),
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
