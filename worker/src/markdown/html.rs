//! Places and links in HTML that stands in a document.

use crate::outline::Span;

/// What a piece of HTML holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Comments.
    pub(super) comments: Vec<Span>,
    /// Names of places.
    pub(super) names: Vec<String>,
    /// Links and images, each with its tag.
    pub(super) links: Vec<(String, Span)>,
    /// Headings, as text.
    pub(super) headings: Vec<String>,
}

/// Looks through `html` once; what is no HTML is passed over.
pub(super) fn scan(html: &str) -> Found {
    let mut found = Found::default();
    // The text of the heading that is open.
    let mut heading: Option<String> = None;
    let mut at = 0;
    while let Some(rest) = html.get(at..).filter(|rest| !rest.is_empty()) {
        let next = rest.find('<').unwrap_or(rest.len());
        if let Some(heading) = &mut heading {
            heading.push_str(&rest[..next]);
        }
        at += next;
        let Some(rest) = html.get(at..).filter(|rest| !rest.is_empty()) else { break };
        if rest.starts_with("<!--") {
            let end = rest.find("-->").map_or(rest.len(), |end| end + 3);
            found.comments.push(at..at + end);
            at += end;
            continue;
        }
        let end = tag_end(rest);
        let tag = rest.get(1..end).unwrap_or_default();
        if is_heading(tag.trim_start_matches('/')) {
            match tag.strip_prefix('/') {
                None => heading = Some(String::new()),
                Some(_) => found.headings.extend(heading.take()),
            }
        }
        attributes(tag, |name, value| match name.to_ascii_lowercase().as_str() {
            "id" | "name" => found.names.push(value.to_owned()),
            "href" | "src" => found.links.push((value.to_owned(), at..at + end)),
            _ => {}
        });
        at += end;
    }
    found
}

fn is_heading(tag: &str) -> bool {
    let mut letters = tag.chars();
    letters.next().is_some_and(|c| c.eq_ignore_ascii_case(&'h'))
        && letters.next().is_some_and(|c| ('1'..='6').contains(&c))
        && letters.next().is_none_or(|c| c.is_whitespace() || c == '>')
}

/// Where the tag that `html` begins with ends, its bracket included.
fn tag_end(html: &str) -> usize {
    let mut quote = None;
    for (at, c) in html.char_indices().skip(1) {
        match (quote, c) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    html.len()
}

/// Tells name and value of each attribute of a tag.
fn attributes<'h>(tag: &'h str, mut tell: impl FnMut(&'h str, &'h str)) {
    let mut rest = tag.trim_end_matches(['>', '/']);
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.trim_end().rsplit(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let after = after.trim_start();
        let (value, left) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = after.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        tell(name, value);
        rest = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_with_and_without_quotes() {
        let found = scan("<a href='b>c.md' ID = x data-name=\"y\"><img src=d.png/>");
        let targets: Vec<&str> = found.links.iter().map(|(target, _)| target.as_str()).collect();
        assert_eq!(targets, ["b>c.md", "d.png"]);
        assert_eq!(found.names, ["x"]);
    }

    #[test]
    fn what_is_damaged_is_passed_over() {
        for html in ["<", "<a href=", "<a href=\"", "<!--", "a < b", "<é =", "</h1>", "<h1>open"] {
            let found = scan(html);
            assert!(found.headings.is_empty() && found.names.is_empty(), "{html}");
        }
    }
}
