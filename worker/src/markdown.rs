//! What a Markdown document offers to links, and where its own go.

mod html;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::outline::Span;
use crate::paths;

/// Extensions of what is read as Markdown.
const EXTENSIONS: &[&str] = &["markdown", "md"];

/// A document, as far as links are concerned. Code shows nothing, and HTML counts as it stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Places that a link can lead to, as [`anchor`] writes them.
    pub(crate) anchors: BTreeSet<String>,
    /// Links and images, by place; what several refer to is one of them, where it is defined.
    pub(crate) links: Vec<Link>,
    /// Comments of HTML.
    pub(crate) comments: Vec<Span>,
}

/// A link or an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Where it goes, as written.
    pub(crate) target: String,
    /// All of it.
    pub(crate) span: Span,
}

/// Whether the file of this path is Markdown.
pub(crate) fn is_markdown(path: &str) -> bool {
    paths::extension(path).is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// Reads a document.
pub(crate) fn read(text: &str) -> Document {
    let mut events = Parser::new_ext(text, options()).into_offset_iter();
    let mut reading = Reading::default();
    for (event, span) in events.by_ref() {
        reading.take(text, event, span);
    }
    let Reading { mut document, referred, .. } = reading;
    let defined = events.reference_definitions();
    // Two references to one definition are one link.
    let definitions: BTreeMap<usize, Link> = referred
        .iter()
        .filter_map(|label| defined.get(label))
        .map(|one| (one.span.start, Link { target: one.dest.to_string(), span: one.span.clone() }))
        .collect();
    document.links.extend(definitions.into_values());
    document.links.sort_by_key(|link| link.span.start);
    document
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
}

/// The place that a heading or the end of a link names, as forges write it: in lower case, blanks as `-`, without other signs.
/// Forges differ in how many `-` stand in a row, so one stands for all of them.
pub(crate) fn anchor(text: &str) -> String {
    let mut anchor = String::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match c {
            ' ' | '-' if !anchor.ends_with('-') => anchor.push('-'),
            _ if c.is_alphanumeric() || c == '_' => anchor.push(c),
            _ => {}
        }
    }
    anchor.trim_matches('-').to_owned()
}

#[derive(Default)]
struct Reading {
    document: Document,
    /// The text of the heading that is open.
    heading: Option<String>,
    /// Images that are open: what stands in them is no text.
    images: usize,
    /// Labels of definitions that are used.
    referred: BTreeSet<String>,
    /// How often each heading was there.
    seen: HashMap<String, usize>,
}

impl Reading {
    fn take(&mut self, text: &str, event: Event<'_>, span: Span) {
        match event {
            Event::Start(Tag::Heading { id, .. }) => {
                self.document.anchors.extend(id.map(|id| anchor(&id)));
                self.heading = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(heading) = self.heading.take() {
                    self.head(&heading);
                }
            }
            Event::Start(Tag::Link { link_type, dest_url, id, .. }) => self.link(link_type, &dest_url, &id, span),
            Event::Start(Tag::Image { link_type, dest_url, id, .. }) => {
                self.images += 1;
                self.link(link_type, &dest_url, &id, span);
            }
            Event::End(TagEnd::Image) => self.images = self.images.saturating_sub(1),
            Event::Text(part) | Event::Code(part) if self.images == 0 => self.say(&part),
            Event::SoftBreak | Event::HardBreak => self.say(" "),
            // The lines of a block come one by one, and a tag may go over several.
            Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) => self.html(text, span),
            _ => {}
        }
    }

    fn say(&mut self, part: &str) {
        if let Some(heading) = &mut self.heading {
            heading.push_str(part);
        }
    }

    /// Adds a heading; one that was there before gets a number.
    fn head(&mut self, heading: &str) {
        let anchor = anchor(heading);
        let before = self.seen.entry(anchor.clone()).or_default();
        *before += 1;
        let numbered = (*before > 1).then(|| format!("{anchor}-{}", *before - 1));
        self.document.anchors.insert(numbered.unwrap_or(anchor));
    }

    fn link(&mut self, kind: LinkType, target: &str, label: &str, span: Span) {
        match kind {
            LinkType::Inline => self.document.links.push(Link { target: target.to_owned(), span }),
            LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut => {
                self.referred.insert(label.to_owned());
            }
            _ => {}
        }
    }

    fn html(&mut self, text: &str, span: Span) {
        let found = html::scan(text.get(span.clone()).unwrap_or_default());
        let shifted = |inner: Span| span.start + inner.start..span.start + inner.end;
        self.document.comments.extend(found.comments.into_iter().map(shifted));
        self.document.anchors.extend(found.names.iter().map(|name| anchor(name)));
        self.document.links.extend(found.links.into_iter().map(|(target, at)| Link { target, span: shifted(at) }));
        for heading in &found.headings {
            self.head(heading);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        read(text).links.into_iter().map(|link| link.target).collect()
    }

    fn anchors(text: &str) -> Vec<String> {
        read(text).anchors.into_iter().collect()
    }

    #[test]
    fn links_are_read_wherever_readers_see_them() {
        assert_eq!(targets("[a](b.md) and ![c](d.png 'title')\n"), ["b.md", "d.png"]);
        assert_eq!(targets("[a][b], [b], [b][]\n\n[b]: c.md\n[unused]: d.md\n"), ["c.md"]);
        assert_eq!(targets("| a |\n|---|\n| [b](c.md) |\n"), ["c.md"]);
        assert_eq!(targets("<p>\n<img\n  src=\"a.png\">\n</p>\n\nSee <a href='b.md'>b</a>.\n"), ["a.png", "b.md"]);
        assert_eq!(targets("[![a](b.png)](c.md)\n"), ["c.md", "b.png"]);
    }

    #[test]
    fn code_comments_and_addresses_hold_no_links() {
        assert_eq!(targets("`[a](b.md)`\n\n```\n[a](b.md)\n```\n\n    [a](b.md)\n"), Vec::<String>::new());
        assert_eq!(
            targets("<!-- [a](b.md) <a href=\"c.md\"> -->\n\n<https://example.org> \\[a](b.md)\n"),
            Vec::<String>::new()
        );
        assert_eq!(targets("---\na: [b](c.md)\n---\n"), Vec::<String>::new());
        assert_eq!(targets("[^1]\n\n[^1]: a note\n"), Vec::<String>::new());
    }

    #[test]
    fn headings_become_anchors_as_forges_write_them() {
        assert_eq!(anchors("# Über `run()` & more!\n"), ["über-run-more"]);
        assert_eq!(anchors("# A_b 1.2\n\nB\n---\n"), ["a_b-12", "b"]);
        assert_eq!(anchors("# A\n## A\n### A\n"), ["a", "a-1", "a-2"]);
        assert_eq!(anchors("# ![logo](a.png) [Name](b.md) {#own}\n"), ["name", "own"]);
        assert_eq!(
            anchors("<a id=\"one\"></a> <a name='Two'></a>\n\n<h2 align=\"center\">Three <b>4</b></h2>\n"),
            ["one", "three-4", "two"]
        );
        assert_eq!(anchors("```\n# no heading\n```\n"), Vec::<String>::new());
    }

    #[test]
    fn comments_are_known_by_place() {
        let text = "# A\n\n<!-- one -->\n\ntext <!-- two --> text\n\n`<!-- three -->`\n";
        let comments: Vec<&str> = read(text).comments.into_iter().map(|span| &text[span]).collect();
        assert_eq!(comments, ["<!-- one -->", "<!-- two -->"]);
    }
}
