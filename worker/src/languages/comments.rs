//! Comments of languages that are not parsed, by the marks around them.

use crate::outline::Span;

/// How a language writes comments and the strings that may hold their marks.
#[derive(Debug)]
pub(crate) struct Syntax {
    /// Marks of a comment up to the end of the line.
    pub(super) line: &'static [&'static str],
    /// Marks around a comment.
    pub(super) block: &'static [(&'static str, &'static str)],
    /// Quotes around a string.
    pub(super) quotes: &'static [u8],
    /// Whether a line mark counts only at the start of a word, as `#` in a shell.
    pub(super) after_space: bool,
}

/// C and its many heirs.
pub(super) static C_LIKE: Syntax =
    Syntax { line: &["//"], block: &[("/*", "*/")], quotes: b"\"'`", after_space: false };
/// Rust, whose `'` is a lifetime more often than a quote.
pub(super) static RUST: Syntax = Syntax { line: &["//"], block: &[("/*", "*/")], quotes: b"\"", after_space: false };
/// Style sheets: `//` is part of an address there.
pub(super) static CSS: Syntax = Syntax { line: &[], block: &[("/*", "*/")], quotes: b"\"'", after_space: false };
/// PHP: both families.
pub(super) static PHP: Syntax =
    Syntax { line: &["//", "#"], block: &[("/*", "*/")], quotes: b"\"'", after_space: true };
/// Shells, build files and most configuration.
pub(super) static HASH: Syntax = Syntax { line: &["#"], block: &[], quotes: b"\"'", after_space: true };
/// Terraform: both families.
pub(super) static HCL: Syntax = Syntax { line: &["#", "//"], block: &[("/*", "*/")], quotes: b"\"", after_space: true };
/// SQL.
pub(super) static SQL: Syntax = Syntax { line: &["--"], block: &[("/*", "*/")], quotes: b"\"'", after_space: false };
/// Lua.
pub(super) static LUA: Syntax = Syntax { line: &["--"], block: &[("--[[", "]]")], quotes: b"\"'", after_space: false };
/// Haskell, Elm.
pub(super) static HASKELL: Syntax = Syntax { line: &["--"], block: &[("{-", "-}")], quotes: b"\"", after_space: false };
/// Markup.
pub(super) static MARKUP: Syntax = Syntax { line: &[], block: &[("<!--", "-->")], quotes: b"", after_space: false };
/// Components of script, style and markup in one file.
pub(super) static COMPONENT: Syntax =
    Syntax { line: &["//"], block: &[("<!--", "-->"), ("/*", "*/")], quotes: b"\"`", after_space: true };
/// Lisps and ini files.
pub(super) static SEMICOLON: Syntax = Syntax { line: &[";"], block: &[], quotes: b"\"", after_space: true };
/// Ini files, which know both.
pub(super) static INI: Syntax = Syntax { line: &[";", "#"], block: &[], quotes: b"", after_space: true };
/// Erlang, TeX.
pub(super) static PERCENT: Syntax = Syntax { line: &["%"], block: &[], quotes: b"\"", after_space: true };

/// The comments of `text`, in order. Strings end at the end of their line: a missed quote costs one line, not the file.
pub(super) fn comments(text: &str, syntax: &Syntax) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let opens_word = at == 0 || bytes[at - 1].is_ascii_whitespace();
        let block = syntax.block.iter().find(|(open, _)| rest.starts_with(open.as_bytes()));
        let starts_line = |mark: &&&str| rest.starts_with(mark.as_bytes()) && (opens_word || !syntax.after_space);
        let end = if let Some((open, close)) = block {
            let body = at + open.len();
            find(bytes, body, close.as_bytes()).map_or(bytes.len(), |end| end + close.len())
        } else if syntax.line.iter().any(|mark| starts_line(&mark)) {
            end_of_line(bytes, at)
        } else if syntax.quotes.contains(&rest[0]) {
            at = end_of_string(bytes, at);
            continue;
        } else {
            at += 1;
            continue;
        };
        found.push(at..end);
        at = end;
    }
    found
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| from + length)
}

/// Behind the closing quote, or at the end of the line without one.
fn end_of_string(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != b'\n' {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == bytes[open] => return at + 1,
            _ => at += 1,
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'t>(text: &'t str, syntax: &Syntax) -> Vec<&'t str> {
        comments(text, syntax).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn marks_inside_strings_and_words_are_no_comments() {
        assert_eq!(texts("x = \"a # b\" # c\ny = a#b\n# d", &HASH), ["# c", "# d"]);
        assert_eq!(texts("s = \"http://a\"; // b\n/* c\nd */ e", &C_LIKE), ["// b", "/* c\nd */"]);
        assert_eq!(texts("a = 'it''s -- x' -- y", &SQL), ["-- y"]);
        assert_eq!(texts("<a href='//x'><!-- b -->", &MARKUP), ["<!-- b -->"]);
        assert_eq!(texts("a { b: url(//c) } /* d */", &CSS), ["/* d */"]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_its_line_only() {
        assert_eq!(texts("don't\n# b", &HASH), ["# b"]);
        assert_eq!(texts("\"a\\", &C_LIKE), Vec::<&str>::new());
        assert_eq!(texts("/* never closed", &C_LIKE), ["/* never closed"]);
    }
}
