//! Parts of documents that programs write.

use crate::outline::Span;

/// Marks of one document that are looked at.
const MARKS_MAX: usize = 200;

/// What a mark ends with.
const SIGNS: &[char] = &[':', '-', '_'];

/// Parts of `text` between comments like `<!-- NAME:START -->` and `<!-- NAME:END -->`: a program writes anew what stands there. Tables
/// of contents are judged all the same: they are meant to fit their document.
pub(super) fn spans(text: &str, comments: &[Span]) -> Vec<Span> {
    let marks = comments.iter().filter_map(|comment| {
        let inner = text.get(comment.clone())?.trim().strip_prefix("<!--")?.trim_start();
        let word = inner.split(|c: char| c.is_whitespace()).next()?.trim_end_matches("-->").to_ascii_lowercase();
        let (name, is_start) = match (word.strip_suffix("start"), word.strip_suffix("end")) {
            (Some(name), _) => (name, true),
            (_, Some(name)) => (name, false),
            _ => return None,
        };
        let name = name.strip_suffix(SIGNS)?;
        (!name.is_empty() && !name.contains("toc")).then(|| (name.to_owned(), is_start, comment.clone()))
    });
    let mut open: Option<(String, Span)> = None;
    let mut spans = Vec::new();
    for (name, is_start, comment) in marks.take(MARKS_MAX) {
        if is_start {
            open = Some((name, comment));
        } else if let Some((_, start)) = open.take_if(|(opened, _)| *opened == name) {
            spans.push(start.end..comment.start.max(start.end));
        }
    }
    spans
}
