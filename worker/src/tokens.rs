//! The code of a file as tokens: without comments, and whatever the layout is.

use std::iter::Peekable;
use std::slice::Iter;

use crate::outline::Span;
use crate::rules::File;

/// What an import begins with at the start of a line; the second word where the first alone would not say it.
const IMPORTS: &[(&str, Option<&str>)] = &[
    ("use", None),
    ("import", None),
    ("from", None),
    ("package", None),
    ("extern", Some("crate")),
    ("using", None),
    ("#", Some("include")),
    ("pub", Some("use")),
    ("export", Some("{")),
    ("export", Some("*")),
];

/// Bytes of a text for each of its tokens, roughly and rather too many, for the first guess at how many there are.
const TOKEN_BYTES: usize = 8;

/// One word, string or sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    /// As it stands there.
    pub(crate) text: &'t str,
    /// Its first byte.
    pub(crate) at: usize,
    /// Whether it is the first one of its line.
    starts_line: bool,
}

impl Token<'_> {
    /// Whether it is a name or a keyword.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of `file`, in order, without tests and imports. Takes time by its length, whatever is in it.
pub(crate) fn of_code<'f>(file: &'f File<'_>) -> Vec<Token<'f>> {
    without_imports(without(file, &file.outline.test_code))
}

/// The same with tests and imports.
pub(crate) fn of_file<'f>(file: &'f File<'_>) -> Vec<Token<'f>> {
    without(file, &[])
}

/// All tokens but those in comments and in `left_out`.
fn without<'f>(file: &'f File<'_>, left_out: &[Span]) -> Vec<Token<'f>> {
    let text: &str = &file.source.text;
    let outline = &file.outline;
    let (mut comments, mut strings) = (outline.comments.iter().peekable(), outline.strings.iter().peekable());
    let mut left_out = left_out.iter().peekable();
    let mut tokens: Vec<Token<'f>> = Vec::with_capacity(text.len() / TOKEN_BYTES);
    let (mut at, mut starts_line) = (0, true);
    // Up to where no comment, string or part to leave out begins, so that most tokens are read without a look at those.
    let mut free_until = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let mut string = None;
        if at >= free_until {
            if let Some(end) = end_of(&mut left_out, at).or_else(|| end_of(&mut comments, at)) {
                starts_line |= text.get(at..end).is_some_and(|skipped| skipped.contains('\n'));
                at = end;
                continue;
            }
            string = end_of(&mut strings, at);
            let next = [left_out.peek(), comments.peek(), strings.peek()];
            free_until = next.into_iter().flatten().map(|span| span.start).min().unwrap_or(text.len());
        }
        if first.is_whitespace() {
            starts_line |= first == '\n';
            at += first.len_utf8();
            continue;
        }
        let end = string.unwrap_or_else(|| at + token_length(&text[at..], first));
        tokens.push(Token { text: text.get(at..end).unwrap_or_default(), at, starts_line });
        (at, starts_line) = (end, false);
    }
    tokens
}

fn token_length(rest: &str, first: char) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if !is_part(first) {
        return first.len_utf8();
    }
    // Most words end at a byte that says so, without a look into the tables of all characters.
    let plain = rest.bytes().position(|byte| !IN_WORDS[usize::from(byte)]).unwrap_or(rest.len());
    let ends = rest.as_bytes().get(plain).is_none_or(u8::is_ascii);
    if ends { plain } else { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) }
}

/// Whether each byte is an ASCII letter, a digit or an underscore.
static IN_WORDS: [bool; 256] = {
    let mut in_words = [false; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        in_words[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    in_words
};

/// Where the span ends that holds byte `at`, if one does; asked with rising places.
fn end_of(spans: &mut Peekable<Iter<'_, Span>>, at: usize) -> Option<usize> {
    while spans.next_if(|span| span.end <= at).is_some() {}
    spans.peek().filter(|span| span.start <= at).map(|span| span.end)
}

/// Leaves out imports, up to the end of their line or of the brackets that they open.
fn without_imports(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let (mut depth, mut is_import) = (0_usize, false);
    let begins_import = |place: usize| {
        let next = tokens.get(place + 1).map(|token| token.text);
        IMPORTS.iter().any(|(first, second)| tokens[place].text == *first && (second.is_none() || next == *second))
    };
    let mut kept = Vec::with_capacity(tokens.len());
    for (place, token) in tokens.iter().enumerate() {
        if token.starts_line && depth == 0 {
            is_import = begins_import(place);
        }
        match token.text {
            _ if !is_import => kept.push(*token),
            "{" | "(" => depth += 1,
            "}" | ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::of_code;
    use crate::pass;
    use crate::rules::testing::file;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let source = file(path, text);
        let read = pass::read(&source, None).unwrap();
        assert_eq!(of_code(&read).iter().map(|token| token.text).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn layout_and_comments_are_no_tokens_and_a_string_is_one() {
        check("a.rs", "// x\nlet a1 =\n  \"b c\" /* d */ + é;", &["let", "a1", "=", "\"b c\"", "+", "é", ";"]);
        check("a.py", "a = 'b' # c\n", &["a", "=", "'b'"]);
    }

    #[test]
    fn imports_are_left_out_with_all_their_lines() {
        check("a.rs", "use a::{\n    b,\n    c,\n};\npub use d;\nfn e() {}\n", &["fn", "e", "(", ")", "{", "}"]);
        check("a.py", "from a import (\n    b,\n)\nimport c\nd()\n", &["d", "(", ")"]);
        check("a.go", "package a\nimport (\n\t\"b\"\n)\nvar c int\n", &["var", "c", "int"]);
        check("a.java", "package a;\nimport b.C;\nclass D {}\n", &["class", "D", "{", "}"]);
        check("a.cpp", "#include <b>\nusing namespace c;\nint d;\n", &["int", "d", ";"]);
        check("a.ts", "import {\n  a,\n} from 'b';\nexport * from 'c';\nd;\n", &["d", ";"]);
    }

    #[test]
    fn code_that_is_there_for_tests_is_left_out() {
        let marks = ["#", "[", "cfg", "(", "test", ")", "]"];
        check(
            "a.rs",
            "#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nstruct C;\n",
            &[&marks[..], &["struct", "C", ";"]].concat(),
        );
    }
}
