//! Which lines of a file hold code.

use std::ops::Range;

use crate::outline::{Outline, Span};
use crate::source::Source;

/// Bytes of white space that `line` begins with.
pub(crate) fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// How many lines with code stand above each line: counted once, so that nested functions cost nothing more.
#[derive(Debug, Default)]
pub(crate) struct CodeLines {
    above: Vec<usize>,
}

impl CodeLines {
    /// Counts the lines of `source` that hold more than blanks, comments and documentation.
    pub(crate) fn count(source: &Source<'_>, outline: &Outline) -> Self {
        let mut above = Vec::with_capacity(source.line_count() + 1);
        let mut count = 0;
        let mut quiet = Quiet::new(outline);
        for line in source.lines() {
            above.push(count);
            count += usize::from(holds_code(&source.text, line, &mut quiet));
        }
        above.push(count);
        Self { above }
    }

    /// How many of `lines`, counted from 0, hold code.
    pub(crate) fn within(&self, lines: Range<usize>) -> usize {
        let above = |line: usize| self.above.get(line).or(self.above.last()).copied().unwrap_or(0);
        above(lines.end).saturating_sub(above(lines.start))
    }
}

/// What is no code, from the first to the last.
struct Quiet<'o> {
    comments: &'o [Span],
    docstrings: &'o [Span],
}

impl<'o> Quiet<'o> {
    fn new(outline: &'o Outline) -> Self {
        Self { comments: &outline.comments, docstrings: &outline.docstrings }
    }

    /// The end of what is no code at byte `at`, which only grows from call to call.
    fn end_at(&mut self, at: usize) -> Option<usize> {
        for spans in [&mut self.comments, &mut self.docstrings] {
            while spans.first().is_some_and(|span| span.end <= at) {
                *spans = &spans[1..];
            }
            if let Some(span) = spans.first().filter(|span| span.start <= at) {
                return Some(span.end);
            }
        }
        None
    }
}

fn holds_code(text: &str, line: Range<usize>, quiet: &mut Quiet<'_>) -> bool {
    let mut at = line.start;
    while at < line.end {
        let rest = &text[at..line.end];
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        if at >= line.end {
            return false;
        }
        match quiet.end_at(at) {
            // A place inside a character cannot come of the parser; one behind the line ends the loop.
            Some(end) => at = text.ceil_char_boundary(end),
            None => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use crate::pass;
    use crate::rules::testing::file;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let source = file(path, text);
        let file = pass::read(&source, None).unwrap();
        (0..file.source.line_count()).map(|line| file.code_lines.within(line..line + 1)).collect()
    }

    #[test]
    fn blanks_and_comments_are_no_code() {
        assert_eq!(
            lines("a.js", "a();\n\n // b\n/* c\n d\n*/ e();\nf(); // g\n/**/ /* h */\n"),
            [1, 0, 0, 0, 0, 1, 1, 0]
        );
        assert_eq!(lines("a.rs", "/// a\nfn b() {\n    // あ\n}\n"), [0, 1, 0, 1]);
    }

    #[test]
    fn documentation_in_strings_is_no_code_and_other_strings_are() {
        assert_eq!(lines("a.py", "def a():\n    '''b\n\n    c'''\n    return '''\nd\n'''\n"), [1, 0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn lines_beyond_the_end_hold_nothing() {
        let source = file("a.go", "package a\n");
        let file = pass::read(&source, None).unwrap();
        assert_eq!((file.code_lines.within(0..9), file.code_lines.within(5..9)), (1, 0));
    }
}
