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
    has_operator_run(text) || has_open_brackets(text) || has_open_types(text) || has_pipes(text) || has_nuls(text)
}

fn has_nuls(text: &str) -> bool {
    text.bytes().filter(|&byte| byte == 0).nth(NULS_MAX).is_some()
}

/// A run of one byte is a ruler or plain nesting, which parsers bear.
fn has_operator_run(text: &str) -> bool {
    let (mut run, mut changes, mut last) = (0, 0, b' ');
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if !byte.is_ascii_punctuation() || matches!(byte, b'_' | b'"' | b'\'') {
            (run, changes) = (0, 0);
        } else {
            run += 1;
            changes += usize::from(byte != last);
            if run > OPERATOR_RUN_MAX && changes > OPERATOR_RUN_MAX / 2 {
                return true;
            }
        }
        last = byte;
    }
    false
}

fn has_open_brackets(text: &str) -> bool {
    let mut open = 0usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        open > OPEN_BRACKETS_MAX
    })
}

/// Shifts and comparisons with `=` are none, and a closing round bracket ends what is open, as in `for (..; i < n; ..)`.
fn has_open_types(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is = |at: Option<usize>, known: &[u8]| at.and_then(|at| bytes.get(at)).is_some_and(|byte| known.contains(byte));
    let mut open = 0usize;
    bytes.iter().enumerate().any(|(at, byte)| {
        match byte {
            b'<' if !is(at.checked_sub(1), b"<") && !is(Some(at + 1), b"<=") => open += 1,
            b'>' => open = open.saturating_sub(1),
            b')' => open = 0,
            _ => {}
        }
        open > OPEN_TYPES_MAX
    })
}

/// A pipeline goes on behind a line that ends in a bar.
fn has_pipes(text: &str) -> bool {
    let (mut pipes, mut last) = (0usize, b' ');
    text.bytes().any(|byte| {
        match byte {
            b'|' => pipes += 1,
            b'\n' if last != b'|' => pipes = 0,
            b';' | b'(' | b'{' => pipes = 0,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        pipes > PIPES_MAX
    })
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
