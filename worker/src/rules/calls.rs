//! What calls are about: the last name of a path, and the arguments one by one.

use super::File;
use crate::outline::{Call, Span};

/// Longest list of arguments that is taken apart; what is longer is no simple call.
const ARGUMENTS_BYTES_MAX: usize = 2_000;

/// The last name of the path `callee`, without the mark of a macro: `sleep` of `tokio::time::sleep`.
pub(crate) fn last_name(callee: &str) -> &str {
    callee.trim_end_matches('!').rsplit(['.', ':', '>', '\\']).next().unwrap_or(callee)
}

/// Whether the path `callee` is `wanted`, or ends in it behind a dot or colon.
pub(crate) fn is_path(callee: &str, wanted: &str) -> bool {
    callee.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with(['.', ':', '\\']))
}

/// Whether `call` is all of what is called: not a method of something that is no plain path, as in `f().eval(..)`.
pub(crate) fn is_whole(file: &File<'_>, call: &Call) -> bool {
    let before = &file.source.text[..call.callee.start];
    !before.ends_with(['.', ':']) && !before.ends_with("->")
}

/// The arguments of `list`, one by one. Where a language has calls without brackets, there may be none around them.
pub(crate) fn arguments<'f>(file: &'f File<'_>, list: &Span) -> Vec<&'f str> {
    let text = file.text(list);
    let is_bracketed = text.starts_with(['(', '[', '{']) && text.ends_with([')', ']', '}']);
    let inner = if is_bracketed { text.get(1..text.len().saturating_sub(1)).unwrap_or_default() } else { text };
    if inner.len() > ARGUMENTS_BYTES_MAX { Vec::new() } else { split(inner, |rest| rest.starts_with(',').then_some(1)) }
}

/// Where in `text` the first `open` is closed again by `close`, whatever stands before it.
pub(crate) fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    text.char_indices().find_map(|(at, c)| {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
        }
        (depth == 0 && c == close).then_some(at)
    })
}

/// `text` cut where `ends` finds a mark outside brackets and quotes, and says how long the mark is.
pub(crate) fn split(text: &str, ends: impl Fn(&str) -> Option<usize>) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote, mut skips) = (Vec::new(), 0, 0usize, None, 0usize);
    for (at, c) in text.char_indices() {
        if skips > 0 {
            skips -= 1;
            continue;
        }
        match (quote, c) {
            (Some(_), '\\') => skips = 1,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => {
                if let Some(length) = ends(&text[at..]) {
                    parts.push(text[start..at].trim());
                    start = at + length;
                    skips = length - 1;
                }
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    if parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_cut_outside_brackets_and_quotes() {
        let cut = |text| split(text, |rest| rest.starts_with(',').then_some(1));
        assert_eq!(cut("a, f(b, c), \"d, \\\"e\", [g, h],"), ["a", "f(b, c)", "\"d, \\\"e\"", "[g, h]"]);
        assert_eq!(cut(""), Vec::<&str>::new());
        assert_eq!(cut(")) , é"), ["))", "é"]);
    }

    #[test]
    fn paths_end_in_names() {
        assert!(is_path("std::thread::sleep", "thread::sleep") && is_path("os.system", "os.system"));
        assert!(!is_path("macos.system", "os.system"));
        assert_eq!((last_name("a::b!"), last_name("a.b"), last_name("c")), ("b", "b", "c"));
        assert_eq!((last_name("$this->a"), last_name("A\\b")), ("a", "b"));
    }
}
