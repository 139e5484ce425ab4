//! Comments that say why an error is ignored, or that there may be one.

use super::guarded_from;
use super::harmless::function_around;
use crate::names::words;
use crate::outline::{Handler, Span};
use crate::rules::File;
use crate::rules::marks::says_why;

/// Marks of work that is still to be done: a comment with one gives no reason.
const UNFINISHED: &[&str] = &["FIXME", "TODO", "XXX"];

/// Lines above and below what is guarded in which a comment may speak of errors.
const LINES_AROUND: usize = 4;

/// Most bytes of code in which comments are read.
const BYTES_MAX: usize = 4_000;

/// Beginnings of words by which a comment speaks of errors, or says that they do not matter.
const ERROR_WORDS: &[&str] = &[
    "best",
    "care",
    "critical",
    "crash",
    "error",
    "exception",
    "fail",
    "harmless",
    "ignor",
    "mask",
    "matter",
    "missing",
    "optional",
    "raise",
    "support",
    "suppress",
    "swallow",
    "throw",
    "unsupported",
];

/// Whether a comment in `handler` or behind it gives any reason, one right above it or above what it guards says why, or one
/// not far away speaks of errors.
pub(super) fn is_explained(file: &File<'_>, handler: &Handler) -> bool {
    let own = file.source.line_of(handler.span.start);
    let span_of = |line: usize| file.source.line_span(line);
    let first = guarded_from(file, handler).unwrap_or(own);
    let last = file.source.line_of(handler.body.end.saturating_sub(1).max(handler.span.start));
    let inside = handler.span.start..handler.span.end.max(span_of(last).end);
    let says = |text: &str| text.contains(char::is_alphabetic);
    if has(file, &inside, says) {
        return true;
    }
    let function = function_around(file, handler).map_or(0, |function| function.span.start);
    // A comment behind the statement above is of that statement.
    let is_own_line = |line: &usize| file.text(&span_of(*line)).trim_start().starts_with(['/', '#', '*']);
    let lines = [first.checked_sub(1).filter(is_own_line), Some(first), Some(first + 1), own.checked_sub(1)];
    let close = lines.into_iter().flatten().filter(|line| *line <= own).map(span_of);
    if close.into_iter().any(|line| line.start >= function && has(file, &line, says_why)) {
        return true;
    }
    let text = file.source.text.as_ref();
    let from = span_of(first.saturating_sub(LINES_AROUND)).start.max(function);
    let from = text.ceil_char_boundary(from.max(inside.start.saturating_sub(BYTES_MAX)));
    let below = text[inside.end..].split_inclusive('\n').take(LINES_AROUND).map(str::len).sum::<usize>();
    has(file, &(from..inside.end + below.min(BYTES_MAX)), speaks_of_errors)
}

fn speaks_of_errors(text: &str) -> bool {
    words(text).iter().any(|word| ERROR_WORDS.iter().any(|known| word.starts_with(known)))
}

/// Whether a comment that begins in `span`, and is not of work still to be done, is as `says` asks.
fn has(file: &File<'_>, span: &Span, says: impl Fn(&str) -> bool) -> bool {
    let comments = &file.outline.comments;
    let first = comments.partition_point(|comment| comment.start < span.start);
    let mut near = comments[first..].iter().take_while(|comment| comment.start < span.end).map(|one| file.text(one));
    near.any(|text| says(text) && !UNFINISHED.iter().any(|mark| text.contains(mark)))
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    #[test]
    fn a_comment_not_far_away_may_speak_of_errors() {
        let of = |above: &str, inside: &str, below: &str| {
            format!(
                "def a():\n    # {above}\n    assert b\n    try:\n        b.run()\n        # {inside}\n        c.run()\n        d.run()\n    except Exception:\n        pass\n    e()\n    # {below}\n"
            )
        };
        let run = |above: &str, inside: &str, below: &str, expected: &[_]| {
            check(&RULE, "src/a.py", &of(above, inside, below), expected);
        };
        run("Runs them.", "Then this one.", "Then that one.", &[(9, High)]);
        run("Errors are ignored here: others log them.", "", "", &[]);
        run("Try the user's file, and mask exceptions.", "", "", &[]);
        run("", "Not critical here.", "", &[]);
        run("", "", "This may not be a failure.", &[]);
        run("TODO: handle errors", "", "", &[(9, High)]);
    }

    #[test]
    fn the_first_guarded_line_may_say_why() {
        let of = |line: &str| format!("try {{\n{line}\n  run();\n  stay();\n}} catch (e) {{}}\n");
        check(&RULE, "a.js", &of("  // only there on the newest systems"), &[]);
        check(&RULE, "a.js", &of("  start();"), &[(5, High)]);
        let python = |beside: &str| format!("def a(b):\n    try:{beside}\n        run(b)\n    except:\n        pass\n");
        check(&RULE, "src/a.py", &python("  # the newest systems have none"), &[]);
        check(&RULE, "src/a.py", &python("  # TODO: the newest systems have none"), &[(4, High)]);
    }
}
