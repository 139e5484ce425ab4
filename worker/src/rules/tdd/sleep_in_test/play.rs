//! Sleeps that play something slow, which a test needs to see what is done about it.

use crate::lines::indent;
use crate::names;
use crate::rules::File;

/// Most lines above a sleep in which the function around it is searched.
const HANDLER_LINES_MAX: usize = 40;

/// Lines above a sleep that its comment may begin on.
const COMMENT_LINES_MAX: usize = 4;

/// Beginnings of words that say that a sleep plays something slow.
const PLAYS: &[&str] = &["emulat", "mimic", "pretend", "simulat", "slow"];

/// What comments say where a sleep plays somebody who takes time.
const LATE: &[&str] = &["before sending", "before writing"];

/// Signs of a function that answers requests to a server.
const HANDLERS: &[&str] =
    &["(req, res", "(request, reply", "(request, response", "HttpExchange ", "http.ResponseWriter"];

/// Whether what sleeps at byte `at` plays something slow: a comment above says so, or it answers a server's requests.
pub(super) fn is_slow_work(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let text = |index: usize| file.text(&file.source.line_span(index));
    let from = file.source.line_span(line.saturating_sub(COMMENT_LINES_MAX)).start;
    let to = file.source.line_span(line).end;
    let comments = &file.outline.comments;
    let first = comments.partition_point(|comment| comment.start < from);
    let near = comments[first..].iter().take_while(|comment| comment.start < to);
    let is_said = |text: &str| {
        let lower = text.to_ascii_lowercase();
        names::words(text).iter().any(|word| PLAYS.iter().any(|play| word.starts_with(play)))
            || LATE.iter().any(|words| lower.contains(words))
    };
    if near.map(|comment| file.text(comment)).any(is_said) {
        return true;
    }
    let mut depth = indent(text(line));
    for index in (line.saturating_sub(HANDLER_LINES_MAX)..line).rev() {
        let head = text(index);
        if head.trim().is_empty() || indent(head) >= depth {
            continue;
        }
        depth = indent(head);
        if HANDLERS.iter().any(|sign| head.contains(sign)) {
            return true;
        }
    }
    false
}
