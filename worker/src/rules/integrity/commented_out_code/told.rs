//! Comments that tell of code in a way that no code of the file has.

use super::Line;
use crate::paths;
use crate::rules::File;

/// Tags of documentation in Ruby.
const TAGS: &[&str] =
    &["@api ", "@example", "@note ", "@option ", "@overload ", "@param ", "@private", "@raise ", "@return ", "@yield"];

/// Extensions of languages in which `def a():` opens a function.
const DEF_EXTENSIONS: &[&str] = &["bzl", "mojo", "nim", "py", "pyi", "pyw", "pyx", "scala"];

/// What the code below a sentence is, if that speaks of what stood there before.
const FORMER: &[&str] = &["former", "initial", "naive", "old", "original", "previous", "straightforward"];

/// What such a word stands in front of.
const CODE: &[&str] =
    &["algorithm", "approach", "code", "implementation", "logic", "loop", "method", "solution", "version"];

/// Words of a sentence that says why.
const REASONS: &[&str] = &["because", "bug", "but", "however", "since", "due", "slow", "slower", "too"];

/// Lines below a comment within which that begins.
const DOCUMENTED_LINES: usize = 2;

/// Words that open what documentation in a plain comment stands above.
const DEFINITIONS: &[&str] = &[
    "abstract ",
    "async ",
    "class ",
    "def ",
    "enum ",
    "export ",
    "fn ",
    "func ",
    "fun ",
    "function ",
    "impl ",
    "interface ",
    "internal ",
    "module ",
    "package ",
    "private ",
    "protected ",
    "pub ",
    "public ",
    "struct ",
    "trait ",
    "type ",
];

/// Lines of a sentence that are read.
const SENTENCE_LINES: usize = 4;

/// Whether `block` tells of code in one of these ways.
pub(super) fn is_told(file: &File<'_>, block: &[Line]) -> bool {
    is_tagged(file, block)
        || is_pseudocode(file, block)
        || shows_settings(file, block)
        || tells_why_replaced(file, block)
        || shows_records(file, block)
        || documents(file, block)
}

/// Whether `block` begins with a sentence, and stands right above what it documents.
fn documents(file: &File<'_>, block: &[Line]) -> bool {
    let (Some(first), Some(last)) = (block.iter().find(|line| !line.span.is_empty()), block.last()) else {
        return false;
    };
    let line = file.source.line_of(last.span.end);
    let text = file.text(&first.span);
    let is_code = !super::is_prose(text)
        && (text.ends_with(['{', ';', ')']) || super::is_assignment(text) || super::opens_statement(text));
    let is_ruby = paths::extension(file.source.path) == Some("rb");
    let below = (line + 1..=line + DOCUMENTED_LINES).map(|line| file.text(&file.source.line_span(line)).trim());
    // The line that closes a comment of several may stand between; in Ruby an empty one does often.
    let below = below.into_iter().find(|text| *text != "*/" && !(is_ruby && text.is_empty())).unwrap_or_default();
    !is_code && DEFINITIONS.iter().any(|open| below.starts_with(open))
}

/// Whether `block` shows the records of a protocol as its standard writes them, in a language that has no such types:
/// `struct {` and below it `} Name;`.
fn shows_records(file: &File<'_>, block: &[Line]) -> bool {
    let is_name = |text: &str| {
        let name = text.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';')).unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let mut lines = block.iter().map(|line| file.text(&line.span));
    !paths::is_c(file.source.path) && lines.any(|text| matches!(text, "struct {" | "enum {")) && lines.any(is_name)
}

/// Whether `block` shows the format of a file of settings: sections in brackets with keys and values below them, and no more than
/// words besides.
fn shows_settings(file: &File<'_>, block: &[Line]) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "_-. :".contains(c);
    let is_section = |text: &str| {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
        inner.starts_with(char::is_alphabetic) && inner.chars().all(is_name)
    };
    let is_key = |text: &str| {
        let value = text.split_once('=').filter(|(key, _)| !key.is_empty() && key.chars().all(is_name));
        value.is_some_and(|(_, value)| !value.contains(['(', '{']) && !value.ends_with(';'))
    };
    let lines = || block.iter().map(|line| file.text(&line.span)).filter(|text| !text.is_empty());
    let begins = lines().zip(lines().skip(1)).any(|(one, next)| is_section(one) && is_key(next));
    begins && lines().all(|text| is_section(text) || is_key(text) || super::is_prose(text))
}

/// Whether the sentence that `block` begins with says that what follows is what stood there before, and why it does no more.
fn tells_why_replaced(file: &File<'_>, block: &[Line]) -> bool {
    let lines = block.iter().map(|line| file.text(&line.span)).skip_while(|text| text.is_empty());
    let sentence: Vec<&str> = lines.take(SENTENCE_LINES).take_while(|text| super::is_prose(text)).collect();
    let sentence = sentence.join(" ").to_ascii_lowercase();
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_former = words.windows(2).any(|pair| FORMER.contains(&pair[0]) && CODE.contains(&pair[1]));
    is_former && words.iter().any(|word| REASONS.contains(word))
}

/// Whether `block` documents by tags, as YARD does for Ruby: `@param [String] name`, with an example below it.
fn is_tagged(file: &File<'_>, block: &[Line]) -> bool {
    let is_ruby = paths::extension(file.source.path) == Some("rb");
    is_ruby && block.iter().any(|line| TAGS.iter().any(|tag| file.text(&line.span).starts_with(tag)))
}

/// Whether `block` begins with a function of a language that specifications are written in, and the file is in another.
fn is_pseudocode(file: &File<'_>, block: &[Line]) -> bool {
    let extension = paths::extension(file.source.path).unwrap_or_default();
    let first = block.iter().find(|line| !line.span.is_empty()).map_or("", |line| file.text(&line.span));
    first.starts_with("def ") && first.ends_with(':') && DEF_EXTENSIONS.iter().all(|own| *own != extension)
}
