//! A file as text with line numbers, or the reason why it is not read.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::memchr_iter;
use schemas::bundle::{FILE_BYTES_MAX, SourceFile};
use schemas::item::SkipReason;
use schemas::repository_config::{CONFIG_PATH, IGNORE_PATH};

use crate::paths;

/// How far a NUL byte is looked for: what git itself looks at to call a file binary.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

/// How far marks of generated code are looked for: they stand above the first line of code, below a licence of up to a dozen
/// lines.
const GENERATED_PROBE_LINES: usize = 20;

/// How far they are looked for where they begin a comment and say all that they must: licences may have some thirty lines.
const NOTICE_PROBE_LINES: usize = 60;

/// How far a compiler of JavaScript writes its own line, below the licence and `"use strict"`.
const COMPILED_PROBE_LINES: usize = 40;

/// From this size on a mean line length says something; a smaller file may be one long line by hand.
const MINIFIED_BYTES_MIN: usize = 4 * 1024;

/// Mean line length, in characters, beyond which no person wrote the file: hand-written code stays under 60.
const MEAN_LINE_CHARS_MAX: usize = 200;

/// How much of a line is searched for such a mark.
const GENERATED_BYTES_MAX: usize = 200;

/// Words behind the first one of the name of a program within which its release stands.
const GENERATOR_WORDS_MAX: usize = 2;

/// Longest line, in characters, of a file that is read: parsers and editors choke on more, and nobody reads it.
const LINE_CHARS_MAX: usize = 20_000;

/// A file as text.
#[derive(Debug)]
pub(crate) struct Source<'f> {
    /// Path from the root of the repository.
    pub(crate) path: &'f str,
    /// The text, without byte order mark.
    pub(crate) text: Cow<'f, str>,
    /// What a reader should know about how it was read.
    pub(crate) note: Option<String>,
    /// Where each line starts.
    line_starts: Vec<usize>,
}

impl<'f> Source<'f> {
    /// Decodes `file`, or says why it is not read.
    pub(crate) fn read(file: &'f SourceFile) -> Result<Self, SkipReason> {
        if file.bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(SkipReason::TooLarge);
        }
        let (text, note) = decode(&file.bytes).ok_or(SkipReason::Binary)?;
        // Whatever they look like, somebody relies on what they say.
        let is_config = matches!(file.path.as_str(), CONFIG_PATH | IGNORE_PATH);
        if !is_config && (is_generated(&text) || is_compiled(&text)) {
            return Err(SkipReason::Generated);
        }
        let mut line_starts = vec![0];
        line_starts.extend(memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        if line_starts.last() == Some(&text.len()) {
            line_starts.pop();
        }
        let source = Self { path: &file.path, text, note, line_starts };
        if !is_config && (paths::is_minified(source.path) || source.is_minified()) {
            return Err(SkipReason::Minified);
        }
        Ok(source)
    }

    fn is_minified(&self) -> bool {
        // Bytes are an upper bound of characters, so that ordinary lines need no count.
        let is_endless = |line: &str| line.len() > LINE_CHARS_MAX && line.chars().count() > LINE_CHARS_MAX;
        let mut bytes = 0;
        for span in self.lines() {
            bytes += span.len();
            if is_endless(&self.text[span]) {
                return true;
            }
        }
        let lines = self.line_count();
        if paths::is_prose(self.path) || self.text.len() < MINIFIED_BYTES_MIN || bytes <= lines * MEAN_LINE_CHARS_MAX {
            return false;
        }
        self.text.chars().count() > lines * (MEAN_LINE_CHARS_MAX + 1)
    }

    /// Number of lines; a last line without line feed counts.
    pub(crate) fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// The bytes of line `index`, counted from 0, without its line feed.
    pub(crate) fn line_span(&self, index: usize) -> Range<usize> {
        let Some(&start) = self.line_starts.get(index) else { return self.text.len()..self.text.len() };
        let end = self.line_starts.get(index + 1).copied().unwrap_or(self.text.len());
        let line = &self.text[start..end];
        start..start + line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)).len()
    }

    /// Every line, as its bytes.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.line_count()).map(|index| self.line_span(index))
    }

    /// The line, counted from 0, that holds byte `at`.
    pub(crate) fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at).saturating_sub(1)
    }

    /// Line and column of byte `at`, both counted from 1, columns in characters.
    pub(crate) fn position(&self, at: usize) -> (u32, u32) {
        let at = self.text.floor_char_boundary(at);
        let line = self.line_of(at);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        (number(line + 1), number(self.text[start..at].chars().count() + 1))
    }
}

/// Counts within one file fit: [`FILE_BYTES_MAX`] is far below `u32::MAX`.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The text of `bytes` without byte order mark, and what a reader should know of it; nothing if they are no text.
fn decode(bytes: &[u8]) -> Option<(Cow<'_, str>, Option<String>)> {
    let is_binary = |bytes: &[u8]| bytes.iter().take(BINARY_PROBE_BYTES).any(|&byte| byte == 0);
    if let Some((encoding, body)) = wide(bytes) {
        let (text, has_errors) = encoding.decode_without_bom_handling(body);
        let note = has_errors.then(|| format!("not valid {}; read with replacement characters", encoding.name()));
        return (!is_binary(text.as_bytes())).then_some((text, note));
    }
    if is_binary(bytes) {
        return None;
    }
    let body = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let error = match std::str::from_utf8(body) {
        Ok(text) => return Some((Cow::Borrowed(text), None)),
        Err(error) => error,
    };
    let at = error.valid_up_to() + (bytes.len() - body.len());
    let (text, how) = if is_western(body) {
        (WINDOWS_1252.decode_without_bom_handling(body).0, "as Windows-1252")
    } else {
        (String::from_utf8_lossy(body), "with replacement characters")
    };
    Some((text, Some(format!("not valid UTF-8 at byte {at}; read {how}"))))
}

/// The encoding in two bytes that a byte order mark announces, and what follows the mark. Two zeros after it are another encoding,
/// in four bytes, which no tool writes.
fn wide(bytes: &[u8]) -> Option<(&'static Encoding, &[u8])> {
    let little = bytes.strip_prefix(b"\xff\xfe").filter(|body| !body.starts_with(b"\0\0"));
    let big = || bytes.strip_prefix(b"\xfe\xff");
    little.map(|body| (UTF_16LE, body)).or_else(|| big().map(|body| (UTF_16BE, body)))
}

/// Whether `bytes` look like text in Latin-1 or its superset Windows-1252: nothing in them is UTF-8 beyond ASCII, as it would be
/// in damaged UTF-8, and nothing is a control character but those that text has.
fn is_western(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c');
    let is_unused = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    bytes.iter().all(|byte| is_text(byte) && !is_unused(byte))
        && bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
}

/// Whether the first lines say that the file is generated.
fn is_generated(text: &str) -> bool {
    if text.lines().take(GENERATED_PROBE_LINES).any(marks_generated) {
        return true;
    }
    let is_notice = |line: &str| {
        line.starts_with(['/', '#', '-'])
            && line.trim_start_matches(['/', '*', '#', '-', ' ']).starts_with("Code generated ")
            && marks_generated(&line[1..])
    };
    let mut below = text.lines().enumerate().take(NOTICE_PROBE_LINES).skip(GENERATED_PROBE_LINES);
    // What is in a text over several lines is what this file writes into others.
    let opens_text = |line: &str| ["`", "\"\"\"", "'''", "<<"].iter().any(|mark| line.contains(mark));
    below.find(|(_, line)| is_notice(line)).is_some_and(|(at, _)| !text.lines().take(at).any(opens_text))
}

/// Whether the last line says where the file was compiled from, or one of the first is what compilers of JavaScript write.
fn is_compiled(text: &str) -> bool {
    let is_from = |line: &str| line.starts_with("//# sourceMappingURL=");
    let is_module = |line: &str| line.starts_with("Object.defineProperty(exports, \"__esModule\", {");
    text.trim_end().lines().next_back().is_some_and(is_from) || text.lines().take(COMPILED_PROBE_LINES).any(is_module)
}

/// Whether `line` says that the file is generated. A mark inside quotes only talks about marks.
fn marks_generated(line: &str) -> bool {
    let line = &line[..line.floor_char_boundary(GENERATED_BYTES_MAX)];
    let lower = line.to_ascii_lowercase();
    // Every mark has one of these words. Twenty lines of every file come here.
    if !lower.contains("generated") && !lower.contains("created by") {
        return false;
    }
    let says = |opening: &str, rest: &str| {
        let at = lower.find(opening).filter(|at| !lower[..*at].ends_with(['`', '"', '\'']));
        at.is_some_and(|at| lower[at..].contains(rest))
    };
    let phrase = ["automatically generated", "code generated", "created by", "generated by", "generated file"]
        .iter()
        .any(|opening| says(opening, "do not edit") || says(opening, "don't edit"))
        || names_generator(&lower)
        || lower.trim_start_matches(['/', '*', '#', ' ']).starts_with("automatically generated by ")
        || ["the file is ", "this code is ", "this file is ", "this file was "].iter().any(|opening| {
            ["auto-generated", "autogenerated", "automatically generated"]
                .iter()
                .any(|rest| says(&format!("{opening}{rest}"), ""))
        });
    let mut tags = line.match_indices("@generated").map(|(at, tag)| (&line[..at], &line[at + tag.len()..]));
    phrase
        || tags.any(|(before, after)| {
            let opens = before.chars().next_back().is_none_or(|c| c.is_whitespace() || "/*#;-!".contains(c));
            opens && after.chars().next().is_none_or(|c| !c.is_alphanumeric() && !"_-`\"'".contains(c))
        })
}

/// Whether a line, in small letters, begins with the program that wrote the file and its release: `// generated by cart
/// 2.1.0`. What has a day behind it was begun by that program, and is gone on with by hand.
fn names_generator(lower: &str) -> bool {
    let Some(rest) = lower.trim_start_matches(['/', '*', '#', '-', '<', '!', ' ']).strip_prefix("generated by ") else {
        return false;
    };
    let is_release = |word: &str| {
        let number = word.trim_start_matches('v');
        number.starts_with(|c: char| c.is_ascii_digit()) && number.trim_end_matches(['.', ',']).contains('.')
    };
    let mut words = rest.split_whitespace();
    words.by_ref().skip(1).take(GENERATOR_WORDS_MAX).any(is_release) && words.next() != Some("on")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: impl Into<Vec<u8>>) -> SourceFile {
        SourceFile { path: path.into(), blob: "0".repeat(40).parse().unwrap(), bytes: bytes.into() }
    }

    fn skip(bytes: impl Into<Vec<u8>>) -> Option<SkipReason> {
        Source::read(&file("a.js", bytes)).err()
    }

    #[test]
    fn what_no_person_wrote_is_skipped_with_its_reason() {
        assert_eq!(skip(b"GIF89a\0\0".to_vec()), Some(SkipReason::Binary));
        assert_eq!(skip("// Code generated by protoc. DO NOT EDIT.\n"), Some(SkipReason::Generated));
        assert_eq!(skip("/*\n * @generated by x\n */\n"), Some(SkipReason::Generated));
        assert_eq!(skip("// Created by cgo -godefs - DO NOT EDIT\n"), Some(SkipReason::Generated));
        assert_eq!(skip("// This file is autogenerated by a.js, do not edit\n"), Some(SkipReason::Generated));
        assert_eq!(skip("/*! This file is auto-generated */\nf();\n"), Some(SkipReason::Generated));
        assert_eq!(skip("// THIS CODE IS AUTOMATICALLY GENERATED.  DO NOT EDIT.\n"), Some(SkipReason::Generated));
        assert_eq!(skip("/*  The file is autogenerated from a.py */\n"), Some(SkipReason::Generated));
        assert_eq!(skip("/* Generated by Cython 3.0.11 */\n"), Some(SkipReason::Generated));
        for line in [
            "// Generated by Cart 2.1.0 - https://cart.test/",
            "# Generated by GNU Cart 2.71 for shops.",
            "<!-- Generated by Cart v1.9 -->",
            "/* Machine generated file -- Do NOT edit */",
        ] {
            assert_eq!(skip(format!("{line}\n")), Some(SkipReason::Generated), "{line}");
        }
        for line in [
            "# Generated by Cart 3.2 on 2021-04-06 10:00",
            "// Generated by Cart in 2 passes",
            "// Sums generated by Cart 2.1.0 are wrong",
            "// Goes on in the generated file where it must not be edited",
        ] {
            assert_eq!(skip(format!("{line}\n")), None, "{line}");
        }
        assert_eq!(skip("/* automatically generated by rust-bindgen 0.71.1 */\n"), Some(SkipReason::Generated));
        assert_eq!(skip("# Automatically generated - don't edit.\n"), Some(SkipReason::Generated));
        assert_eq!(skip("# Rows that are automatically generated come first.\n"), None);
        assert_eq!(skip("f(\"automatically generated by hand\");\n"), None);
        assert_eq!(skip("f();\n//# sourceMappingURL=a.js.map\n"), Some(SkipReason::Generated));
        assert_eq!(skip("f(\"//# sourceMappingURL=a.js.map\");\n"), None);
        let module = "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", { value: true });\n";
        assert_eq!(skip(module), Some(SkipReason::Generated));
        assert_eq!(skip(format!("  {}", module.replace('\n', "  "))), None);
        assert_eq!(skip("// Generated by Cython are the files beside this one.\n"), None);
        assert_eq!(skip("f(); ".repeat(5_000)), Some(SkipReason::Minified));
        assert_eq!(skip("f(); ".repeat(60).trim().to_owned().repeat(20) + "\n"), Some(SkipReason::Minified));
        assert_eq!(Source::read(&file("a.min.js", "f();\n")).err(), Some(SkipReason::Minified));
        assert_eq!(
            skip(format!("/*\n{} * @generated by x\n */\n", " * A licence.\n".repeat(15))),
            Some(SkipReason::Generated)
        );
        let below = |text: &str| skip(format!("/*\n{}*/\n{text}\n", "A licence.\n".repeat(30)));
        assert_eq!(below("// Code generated by x. DO NOT EDIT."), Some(SkipReason::Generated));
        assert_eq!(below("// Files with Code generated by x have DO NOT EDIT."), None);
        assert_eq!(below("f(`\n// Code generated by x. DO NOT EDIT.\n`);"), None);
        assert_eq!(skip(vec![b'\n'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1]), Some(SkipReason::TooLarge));
    }

    #[test]
    fn what_only_looks_like_it_is_read() {
        assert_eq!(skip(vec![b'\n'; usize::try_from(FILE_BYTES_MAX).unwrap()]), None);
        assert_eq!(skip("mail(\"me@generated.example\");\n"), None);
        assert_eq!(skip("// Skips files marked `@generated`.\n"), None);
        assert_eq!(skip("\n".repeat(GENERATED_PROBE_LINES) + "// @generated\n"), None);
        assert_eq!(skip("x".repeat(MEAN_LINE_CHARS_MAX * 3)), None);
        assert_eq!(skip("あ".repeat(LINE_CHARS_MAX / 100) + "\n"), None);
        assert!(Source::read(&file("a.md", "word ".repeat(1_000))).is_ok());
        assert!(Source::read(&file("admin.js", "f();\n")).is_ok());
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let file = file("a.js", "\u{feff}é = 1\r\nあい = 2\n\nend");
        let source = Source::read(&file).unwrap();
        assert_eq!(source.line_count(), 4);
        let lines: Vec<_> = source.lines().map(|span| &source.text[span]).collect();
        assert_eq!(lines, ["é = 1", "あい = 2", "", "end"]);
        assert_eq!(source.position(source.text.find('2').unwrap()), (2, 6));
        assert_eq!(source.position(source.text.len()), (4, 4));
    }

    /// The text of `bytes`, and the note on it.
    fn decoded(bytes: &[u8]) -> (String, Option<String>) {
        let file = file("a.js", bytes);
        let source = Source::read(&file).unwrap();
        (source.text.to_string(), source.note)
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_says_how_to_read_a_file() {
        for bytes in ["\u{feff}é = あ\n".as_bytes().to_vec(), utf16("é = あ\n", u16::to_le_bytes)] {
            assert_eq!(decoded(&bytes), ("é = あ\n".to_owned(), None));
        }
        assert_eq!(decoded(&utf16("😀\n", u16::to_be_bytes)), ("😀\n".to_owned(), None));
        let (text, note) = decoded(b"\xff\xfea\0\x00\xd8b\0");
        assert_eq!(text, "a\u{fffd}b");
        assert_eq!(note.as_deref(), Some("not valid UTF-16LE; read with replacement characters"));
    }

    #[test]
    fn zeros_are_binary_whatever_stands_in_front_of_them() {
        assert_eq!(skip(b"\xff\xfe\0\0a\0\0\0".to_vec()), Some(SkipReason::Binary));
        assert_eq!(skip(utf16("a\0b", u16::to_le_bytes)), Some(SkipReason::Binary));
        assert_eq!(skip(b"a\0b\0".to_vec()), Some(SkipReason::Binary));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_read_with_a_note() {
        let (text, note) = decoded(b"na\xefve caf\xe9 \x93q\x94\n");
        assert_eq!(text, "naïve café “q”\n");
        assert_eq!(note.as_deref(), Some("not valid UTF-8 at byte 2; read as Windows-1252"));
        // Damaged UTF-8 keeps what is not damaged, and what no text holds is not guessed at.
        let damaged: [(&[u8], &str); 3] =
            [(b"\xc3\xa9 \xff", "é \u{fffd}"), (b"ok \x81", "ok \u{fffd}"), (b"\x01 \xe9", "\u{1} \u{fffd}")];
        for (bytes, text) in damaged {
            let (found, note) = decoded(bytes);
            assert_eq!(found, text);
            assert!(note.is_some_and(|note| note.ends_with("read with replacement characters")));
        }
    }

    #[test]
    fn an_empty_file_has_no_lines() {
        let file = file("a.js", "");
        let source = Source::read(&file).unwrap();
        assert_eq!((source.line_count(), source.position(0)), (0, (1, 1)));
    }
}
