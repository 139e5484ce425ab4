//! Where a link in a document goes, by its text alone.

use percent_encoding::percent_decode_str;

use crate::markdown;

/// A place in the repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The file or folder, from the root of the repository.
    pub(super) path: String,
    /// The place in it, as [`markdown::anchor`] writes it.
    pub(super) anchor: Option<String>,
}

/// Signs that stand for something else than themselves.
const TEMPLATE_SIGNS: &[char] = &['$', '%', '*', '<', '>', '[', '\\', ']', '^', '`', '{', '|', '}'];

/// Last names of paths that only show what a link looks like.
const PLACEHOLDERS: &[&str] = &["...", "..", "…", "file", "filename", "link", "path", "url"];

/// Anchors that forges give to pages.
const PAGE_ANCHORS: &[&str] = &["readme", "top"];

/// Where `target` in the document `from` goes; nothing if that is not a file of the same repository.
pub(super) fn resolve(from: &str, target: &str) -> Option<Target> {
    let target = target.trim();
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or(path);
    if path.starts_with('/') || has_scheme(path) {
        return None;
    }
    let (path, fragment) = (decoded(path), decoded(fragment));
    let is_template = path.contains(TEMPLATE_SIGNS) || path.contains(char::is_control);
    if is_template || is_placeholder(&path) {
        return None;
    }
    let anchor = anchor(&fragment);
    if path.is_empty() {
        return anchor.map(|anchor| Target { path: from.to_owned(), anchor: Some(anchor) });
    }
    Some(Target { path: joined(from, &path)?, anchor })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether a scheme opens `path`, as in `https:` and `mailto:`, or a path of code does, as in `crate::a`.
fn has_scheme(path: &str) -> bool {
    path.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/'))
}

/// Whether it only shows what a link looks like, or is a piece of code in disguise, as in `list[0](value)`.
fn is_placeholder(path: &str) -> bool {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let is_word = !path.contains(['/', '.']) && !path.starts_with(|c: char| c.is_uppercase());
    (is_word && !path.is_empty()) || (PLACEHOLDERS.contains(&last) && last != "..") || path.contains("...")
}

/// The place that `fragment` names, where it is one that a document can have.
fn anchor(fragment: &str) -> Option<String> {
    let fragment = fragment.strip_prefix("user-content-").unwrap_or(fragment);
    let anchor = markdown::anchor(fragment);
    let is_line = fragment.strip_prefix('L').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_note = ["fn-", "fnref-", "fn:", "fnref:"].iter().any(|note| fragment.starts_with(note));
    // Of text (`:~:text=`), of a template, or for scripts (`#/path`, `#!page`).
    let is_other = fragment.contains([':', '{', '$', '/', '!', '=']);
    let is_none = anchor.is_empty() || is_line || is_note || is_other || PAGE_ANCHORS.contains(&anchor.as_str());
    (!is_none).then_some(anchor)
}

/// How `anchor` is written in `link`.
pub(super) fn written<'l>(link: &'l str, of: &str) -> Option<&'l str> {
    let pieces = link.match_indices('#').map(|(at, _)| {
        let rest = &link[at + 1..];
        rest.split(|c: char| c.is_whitespace() || ")\"'<>]".contains(c)).next().unwrap_or_default()
    });
    pieces.rev().find(|piece| anchor(&decoded(piece)).as_deref() == Some(of))
}

/// `path` seen from the folder of `from`; nothing if it leads out of the repository.
fn joined(from: &str, path: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Option<String> {
        resolve("docs/a.md", target).map(|target| target.path)
    }

    fn place(target: &str) -> Option<String> {
        resolve("docs/a.md", target)?.anchor
    }

    #[test]
    fn paths_are_seen_from_the_document() {
        assert_eq!(path("b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(path("./b%20c.md?raw=true#d").as_deref(), Some("docs/b c.md"));
        assert_eq!(path("../LICENSE").as_deref(), Some("LICENSE"));
        assert_eq!(path("img/").as_deref(), Some("docs/img"));
        assert_eq!(path("..").as_deref(), Some(""));
        assert_eq!(path("#b").as_deref(), Some("docs/a.md"));
    }

    #[test]
    fn what_is_no_file_of_the_repository_is_left_alone() {
        for target in [
            "https://example.org/a.md",
            "//example.org/a.md",
            "mailto:a@example.org",
            "/site/page",
            "../../issues/new",
            "crate::a",
            "{{ base }}/a.md",
            "$DOCS/a.md",
            "path/to/file",
            "value",
            "...",
            "",
            "#",
            "#top",
        ] {
            assert_eq!(path(target), None, "{target}");
        }
    }

    #[test]
    fn places_are_those_that_a_document_can_have() {
        assert_eq!(place("b.md#%C3%9Cber-Uns").as_deref(), Some("über-uns"));
        assert_eq!(place("#user-content-b--c").as_deref(), Some("b-c"));
        for target in ["b.md#L12", "b.md#:~:text=a", "b.md#fn-1", "b.md#readme", "b.md#/a", "b.md"] {
            assert_eq!(place(target), None, "{target}");
        }
    }
}
