//! Marks that tools read in comments: `noqa`, `eslint-disable`, `pragma: no cover`.

use aho_corasick::AhoCorasick;

use super::File;
use crate::outline::Span;

/// Where a finder's pattern stands in a comment.
#[derive(Debug)]
pub(crate) struct Hit<'f> {
    /// Which one, as an index into the patterns of the finder.
    pub(crate) pattern: usize,
    /// All of it.
    pub(crate) span: Span,
    /// The comment.
    pub(crate) comment: &'f Span,
}

/// What `finder` finds in each comment of `file`, in order. The code between them is not searched.
pub(crate) fn hits_in_comments<'f>(file: &'f File<'_>, finder: &'f AhoCorasick) -> impl Iterator<Item = Hit<'f>> {
    file.outline.comments.iter().flat_map(move |comment| {
        finder.find_iter(file.text(comment)).map(move |hit| Hit {
            pattern: hit.pattern().as_usize(),
            span: comment.start + hit.start()..comment.start + hit.end(),
            comment,
        })
    })
}

/// What opens a comment or a line of one, right before a mark.
const OPENINGS: &[&str] = &["//", "/*", "*", "#", "--", ";", "%", "//!", "///"];

/// A mark in a comment.
#[derive(Debug)]
pub(crate) struct Mark<'f> {
    /// Which one, as an index into the patterns of the finder.
    pub(crate) pattern: usize,
    /// The mark.
    pub(crate) span: Span,
    /// What follows it on its line, without what closes the comment.
    pub(crate) rest: &'f str,
}

/// The marks that `finder` finds in comments of `file`, where a tool would read them: right behind what opens a comment. A
/// sentence about a mark holds none.
pub(crate) fn in_comments<'f>(file: &'f File<'_>, finder: &'f AhoCorasick) -> impl Iterator<Item = Mark<'f>> {
    let text = file.source.text.as_ref();
    hits_in_comments(file, finder).filter_map(move |Hit { pattern, span, comment }| {
        let Span { start, end } = span;
        let line = file.source.line_span(file.source.line_of(start));
        let before = text[line.start.max(comment.start)..start].trim_end();
        // Where `\# noqa` stands, or the same in quotes, somebody writes about the mark.
        let is_told = before.trim_end_matches(['/', '*', '#', '!', '-', ';', '%']).ends_with(['\\', '`', '"', '\'']);
        let opens = before.is_empty() || (!is_told && OPENINGS.iter().any(|opening| before.ends_with(opening)));
        let rest = &text[end..line.end.min(comment.end).max(end)];
        let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = rest.trim_end().trim_end_matches("*/").trim_end_matches("-->").trim_end();
        (opens && !goes_on).then_some(Mark { pattern, span: start..end, rest })
    })
}

/// Whether `text` says something: more than a word or two of code.
pub(crate) fn says_why(text: &str) -> bool {
    /// Letters of the shortest reason.
    const LETTERS_MIN: usize = 8;
    text.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS_MIN
}
