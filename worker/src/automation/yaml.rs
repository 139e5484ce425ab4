//! YAML as a tree whose every node knows its place in the text.
//!
//! Aliases are not copied, they point to the node that they repeat; but what a document would be with all of them written
//! out is counted, so that walking one never costs more than [`NODES_MAX`] steps.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, options};

use crate::outline::Span;

/// Most nodes of a document, aliases written out. The largest pipelines by hand have some thousands.
const NODES_MAX: usize = 50_000;

/// Bytes of text that count as one node: whoever walks a document reads its text, too.
const BYTES_PER_NODE: usize = 64;

/// Deepest nesting. Pipelines by hand stay under 15.
const DEPTH_MAX: usize = 64;

/// A parsed document.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    span: Span,
    kind: Kind,
    /// Nodes in it, itself and written-out aliases counted, or what its text counts as if that is more.
    size: usize,
}

#[derive(Debug)]
enum Kind {
    Scalar {
        text: String,
        is_folded: bool,
    },
    List(Vec<usize>),
    Map(Vec<usize>),
    /// An alias of nothing, or of something that it is part of.
    Nothing,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'t> {
    tree: &'t Tree,
    index: usize,
}

impl Tree {
    /// The last document of `text`, or why it cannot be read, for people.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let options = options! {
            emit_unresolved_aliases: true,
            emit_comments: false,
            flow_nesting_limit: DEPTH_MAX,
            block_nesting_limit: DEPTH_MAX,
        };
        let mut builder = Builder::default();
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error: ScanError| not_understood(error.marker().line()))?;
            let bytes = span.byte_range().ok_or_else(|| not_understood(span.start.line()))?;
            builder.take(event, bytes, text);
            if builder.written_out > NODES_MAX {
                return Err(format!(
                    "more than {NODES_MAX} YAML nodes, aliases written out; the file was not read as YAML"
                ));
            }
        }
        Ok(builder.tree)
    }

    /// What everything is in.
    pub(crate) fn root(&self) -> Option<At<'_>> {
        // A collection is added when it ends, so the root is the last one.
        let index = self.nodes.len().checked_sub(1)?;
        Some(At { tree: self, index })
    }
}

fn not_understood(line: usize) -> String {
    format!("YAML not understood at line {line}; the file was not read as YAML")
}

impl<'t> At<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.index]
    }

    fn at(self, index: usize) -> Self {
        Self { index, ..self }
    }

    /// Its place: of a scalar without quotes and block marks, of a collection all of it.
    pub(crate) fn span(self) -> Span {
        self.node().span.clone()
    }

    /// Its value, if it is a scalar.
    pub(crate) fn text(self) -> Option<&'t str> {
        match &self.node().kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether its line feeds are read as spaces.
    pub(crate) fn is_folded(self) -> bool {
        matches!(self.node().kind, Kind::Scalar { is_folded: true, .. })
    }

    /// Whether it is a mapping.
    pub(crate) fn is_map(self) -> bool {
        matches!(self.node().kind, Kind::Map(_))
    }

    /// Its elements; none if it is no sequence.
    pub(crate) fn items(self) -> impl Iterator<Item = Self> {
        let items: &[usize] = if let Kind::List(items) = &self.node().kind { items } else { &[] };
        items.iter().map(move |&index| self.at(index))
    }

    /// Its own keys and values; none if it is no mapping.
    pub(crate) fn entries(self) -> impl Iterator<Item = (Self, Self)> {
        let flat: &[usize] = if let Kind::Map(flat) = &self.node().kind { flat } else { &[] };
        flat.chunks_exact(2).map(move |pair| (self.at(pair[0]), self.at(pair[1])))
    }

    /// The key `name` and its value, own or merged in by `<<`.
    pub(crate) fn entry(self, name: &str) -> Option<(Self, Self)> {
        let mut open = vec![self];
        while let Some(map) = open.pop() {
            let mut merged = Vec::new();
            for (key, value) in map.entries() {
                match key.text() {
                    Some(text) if text == name => return Some((key, value)),
                    Some("<<") if value.is_map() => merged.push(value),
                    Some("<<") => merged.extend(value.items()),
                    _ => {}
                }
            }
            open.extend(merged.into_iter().rev());
        }
        None
    }

    /// The value of the key `name`.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The scalar at the key `name`.
    pub(crate) fn text_of(self, name: &str) -> Option<&'t str> {
        self.get(name)?.text()
    }

    /// Its elements if it is a sequence, else itself: many keys take one or several.
    pub(crate) fn one_or_many(self) -> Vec<Self> {
        if matches!(self.node().kind, Kind::List(_)) { self.items().collect() } else { vec![self] }
    }
}

#[derive(Default)]
struct Builder {
    tree: Tree,
    /// Collections that have begun: place, anchor, whether mappings, what is in them.
    open: Vec<(Span, usize, bool, Vec<usize>)>,
    anchors: HashMap<usize, usize>,
    /// Nodes of the document so far, aliases written out.
    written_out: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span, text: &str) {
        match event {
            Event::DocumentStart(..) => *self = Self::default(),
            Event::SequenceStart(_, anchor, _) => self.open.push((span, anchor, false, Vec::new())),
            Event::MappingStart(_, anchor, _) => self.open.push((span, anchor, true, Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((start, anchor, is_map, children)) = self.open.pop() {
                    let kind = if is_map { Kind::Map(children) } else { Kind::List(children) };
                    self.add(start.start..span.end.max(start.end), anchor, kind);
                }
            }
            Event::Scalar(value, style, anchor, _) => {
                let span = inner(text, span, style);
                let is_literal = matches!(style, ScalarStyle::Literal);
                self.add(span, anchor, Kind::Scalar { text: value.into_owned(), is_folded: !is_literal });
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(&index) => {
                    self.written_out = self.written_out.saturating_add(self.tree.nodes[index].size);
                    self.put(index);
                }
                None => self.add(span, 0, Kind::Nothing),
            },
            Event::UnresolvedAlias(_) => self.add(span, 0, Kind::Nothing),
            _ => {}
        }
    }

    fn add(&mut self, span: Span, anchor: usize, kind: Kind) {
        let children: &[usize] = if let Kind::List(all) | Kind::Map(all) = &kind { all } else { &[] };
        let inside = children.iter().fold(0_usize, |sum, &child| sum.saturating_add(self.tree.nodes[child].size));
        let size = inside.max(span.len() / BYTES_PER_NODE).saturating_add(1);
        let own = if children.is_empty() { size } else { 1 };
        let index = self.tree.nodes.len();
        self.tree.nodes.push(Node { span, kind, size });
        self.written_out = self.written_out.saturating_add(own);
        if anchor > 0 {
            self.anchors.insert(anchor, index);
        }
        self.put(index);
    }

    fn put(&mut self, index: usize) {
        if let Some((.., children)) = self.open.last_mut() {
            children.push(index);
        }
    }
}

/// `span` without quotes, or without the line of the block's mark.
fn inner(text: &str, span: Span, style: ScalarStyle) -> Span {
    let raw = text.get(span.clone()).unwrap_or_default();
    match style {
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if raw.len() >= 2 => span.start + 1..span.end - 1,
        ScalarStyle::Literal | ScalarStyle::Folded if raw.starts_with(['|', '>']) => {
            let header = raw.find('\n').map_or(raw.len(), |end| end + 1);
            span.start + header..span.end
        }
        _ => span,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_places() {
        let text = "é: 1\njobs:\n  a: \"b c\"\n  d: |\n    run\n    go\n  e: 'f'\n";
        let tree = Tree::read(text).unwrap();
        let jobs = tree.root().unwrap().get("jobs").unwrap();
        let raw = |name: &str| &text[jobs.get(name).unwrap().span()];
        assert_eq!((raw("a"), raw("e")), ("b c", "f"));
        assert_eq!(raw("d").trim(), "run\n    go");
        assert_eq!(jobs.text_of("d"), Some("run\ngo\n"));
        let keys: Vec<&str> = jobs.entries().map(|(key, _)| &text[key.span()]).collect();
        assert_eq!(keys, ["a", "d", "e"]);
    }

    #[test]
    fn only_a_literal_block_keeps_its_lines() {
        let tree = Tree::read("a: |\n  b\nc: >\n  d\ne: f\n").unwrap();
        let is_folded = |name: &str| tree.root().unwrap().get(name).unwrap().is_folded();
        assert_eq!((is_folded("a"), is_folded("c"), is_folded("e")), (false, true, true));
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        let text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, x: 3}\nd: {<<: [*a, {z: 4}]}\ne: *none\nf: &f [*f]\n";
        let tree = Tree::read(text).unwrap();
        let get = |map: &str, key: &str| tree.root().unwrap().get(map).unwrap().text_of(key);
        assert_eq!(
            (get("b", "x"), get("c", "x"), get("c", "y"), get("d", "z")),
            (Some("1"), Some("3"), Some("2"), Some("4"))
        );
        assert_eq!(get("e", "x"), None);
        assert_eq!(tree.root().unwrap().get("f").unwrap().items().count(), 1);
    }

    #[test]
    fn the_last_document_counts() {
        let tree = Tree::read("spec: {}\n---\na: 1\n").unwrap();
        assert_eq!(tree.root().unwrap().text_of("a"), Some("1"));
        assert!(Tree::read("").unwrap().root().is_none());
    }

    #[test]
    fn what_is_broken_deep_or_explodes_is_refused_with_a_reason() {
        let error = |text: &str| Tree::read(text).unwrap_err();
        assert_eq!(error("a: 1\nb: [\n"), "YAML not understood at line 2; the file was not read as YAML");
        assert!(error(&"[".repeat(DEPTH_MAX + 1)).starts_with("YAML not understood at line 1"));
        let more = "more than 50000 YAML nodes, aliases written out; the file was not read as YAML";
        assert_eq!(error(&"- a\n".repeat(NODES_MAX)), more);
        let mut bomb = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..40 {
            let below = level - 1;
            bomb += &format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        }
        assert_eq!(error(&bomb), more);
        let text = format!("a: &a {}\nb:\n{}", "x".repeat(100_000), "- *a\n".repeat(100));
        assert_eq!(error(&text), more);
        let comment = format!("a: &a\n  # {}\n  - b\nc:\n{}", "x".repeat(100_000), "- *a\n".repeat(100));
        assert!(Tree::read(&comment).is_ok());
        let inside = comment.replace("a: &a\n", "a: &a\n  - d\n");
        assert_eq!(error(&inside), more);
    }
}
