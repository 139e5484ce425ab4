//! Reasons for a mark: what stands beside it or above it, or what the file is for.

use super::{LINE_BYTES_MAX, has_code_on_line};
use crate::names;
use crate::paths;
use crate::rules::File;
use crate::rules::marks::says_why;

/// Words from which on a line of a comment is a sentence.
const SENTENCE_WORDS_MIN: usize = 4;

/// Most lines of a block of comments above a mark that are read.
const BLOCK_LINES_MAX: usize = 12;

/// Words of a comment above code that say what the checker has against that code.
const CHECKER_WORDS: &[&str] =
    &["incompatible", "linter", "mypy", "pylint", "pyright", "stub", "stubs", "typeshed", "typing"];

/// Whether a comment that says something stands on the line of byte `at`, or ends on the line above.
pub(super) fn is_explained(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let comments = &file.outline.comments;
    let from = comments.partition_point(|span| file.source.line_of(span.end.saturating_sub(1)) + 1 < line);
    let near = comments[from..].iter().take_while(|span| file.source.line_of(span.start) <= line);
    near.filter(|span| !file.text(span).starts_with("//!")).any(|span| {
        let is_beside = file.source.line_of(span.start) == line;
        says_why(file.text(span)) || (is_beside && has_two_words(file.text(span)))
    })
}

/// Whether `text`, which stands beside a mark, has two words: `ffi code` is a reason.
pub(super) fn has_two_words(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 1).nth(1).is_some()
}

/// Whether the mark at `at`, in a comment with a line of its own, goes on from a sentence on the line above. Above code
/// stand comments about that code; there it counts what speaks of the checker.
pub(super) fn is_explained_above(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let mut block = (line.saturating_sub(BLOCK_LINES_MAX)..line).rev().map_while(|above| comment(file, above));
    if has_code_on_line(file, at) {
        return block.flat_map(names::words).any(|word| CHECKER_WORDS.contains(&word.as_str()));
    }
    let words = block.next().unwrap_or_default().split_whitespace();
    let words = words.filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
    words.take(SENTENCE_WORDS_MIN).count() == SENTENCE_WORDS_MIN
}

/// The text of a line that is, or begins with, a comment.
fn comment<'f>(file: &'f File<'_>, line: usize) -> Option<&'f str> {
    let span = file.source.line_span(line);
    let text = file.text(&span).trim_start();
    file.outline.comment_around(span.end - text.len())?;
    Some(&text[..text.floor_char_boundary(LINE_BYTES_MAX)])
}

/// Whether the file is the face of a package of Python that imports what others are to find there, and does nothing.
pub(super) fn only_imports(file: &File<'_>) -> bool {
    let outline = &file.outline;
    paths::file_name(file.source.path) == "__init__.py"
        && outline.gap.is_none()
        && !outline.imports.is_empty()
        && outline.functions.is_empty()
        && outline.calls.is_empty()
}
