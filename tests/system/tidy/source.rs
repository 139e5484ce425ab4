//! One Rust file, parsed, so that comments and test vectors in strings are not taken for code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tree_sitter::{Node, Parser, Tree};

/// A file of the workspace.
pub(super) struct Source {
    /// Relative to the workspace.
    pub(super) path: String,
    pub(super) text: String,
    identifiers: BTreeSet<String>,
    tree: Tree,
}

impl Source {
    pub(super) fn read(root: &Path, file: &Path) -> Self {
        let path = file.strip_prefix(root).unwrap().display().to_string();
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self::parse(path, text)
    }

    fn parse(path: String, text: String) -> Self {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_rust::LANGUAGE.into()).unwrap();
        let tree = parser.parse(&text, None).unwrap();
        let mut source = Self { path, text, identifiers: BTreeSet::new(), tree };
        source.identifiers = source
            .nodes(|kind| kind == "identifier" || kind == "type_identifier")
            .into_iter()
            .map(|node| source.slice(node).to_owned())
            .collect();
        source
    }

    /// Whether the code names this.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.identifiers.contains(name)
    }

    /// The content of every string.
    pub(super) fn strings(&self) -> Vec<&str> {
        self.nodes(|kind| kind == "string_content").into_iter().map(|node| self.slice(node)).collect()
    }

    /// Name and number of lines of every function.
    pub(super) fn functions(&self) -> Vec<(&str, usize)> {
        let functions = self.nodes(|kind| kind == "function_item").into_iter();
        let name = |node: Node<'_>| node.child_by_field_name("name").map(|name| name.byte_range());
        functions
            .map(|node| {
                let lines = node.end_position().row - node.start_position().row + 1;
                (name(node).map_or("", |range| &self.text[range]), lines)
            })
            .collect()
    }

    fn slice(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    fn nodes(&self, wanted: impl Fn(&str) -> bool) -> Vec<Node<'_>> {
        let mut found = Vec::new();
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            if wanted(node.kind()) {
                found.push(node);
            }
            open.extend(node.children(&mut node.walk()));
        }
        found
    }
}

#[test]
fn code_strings_and_comments_are_told_apart() {
    let text = "//! About sqlx.\nfn long() {\n    warp::run(\"SELECT 1\");\n    // git2\n}\nmacro!(derive(Subcommand), r#\"rayon\"#);\n";
    let source = Source::parse("x.rs".to_owned(), text.to_owned());
    assert!(source.mentions("warp") && source.mentions("Subcommand"));
    assert!(!source.mentions("sqlx") && !source.mentions("git2") && !source.mentions("rayon"));
    let mut strings = source.strings();
    strings.sort_unstable();
    assert_eq!(strings, ["SELECT 1", "rayon"]);
    assert_eq!(source.functions(), [("long", 4)]);
}
