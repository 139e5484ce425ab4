//! What can be used from outside a file, and whether it is documented.

use super::draft::{Draft, Members, Place};
use crate::outline::{Body, Span, Symbol};

/// A declaration whose part in the file is told elsewhere in it.
#[derive(Debug)]
pub(super) enum Candidate<'t> {
    /// Visible if its name is exported.
    Export {
        /// It, if so.
        symbol: Symbol,
        /// The function that it is, as an index.
        function: Option<usize>,
    },
    /// A member that is not implemented: abstract if something extends its class.
    Member {
        /// The name of its class.
        class: &'t str,
        /// The function that it is, as an index.
        function: usize,
    },
}

/// Words in the name of a class that is there to be extended.
const ABSTRACT_WORDS: &[&str] = &["Abstract", "Base", "Interface", "Mixin", "Protocol"];

/// How much of a stub is searched for a word to those who extend its class.
const STUB_BYTES_MAX: usize = 300;

/// Whether a class called `name` is there to be extended: one of the words of its name says so.
pub(super) fn reads_as_abstract(name: &str) -> bool {
    let ends_word = |at: usize| name[at..].chars().next().is_none_or(|next| !next.is_lowercase());
    ABSTRACT_WORDS.iter().any(|word| name.match_indices(word).any(|(at, _)| ends_word(at + word.len())))
}

/// Words in the message of an error that is there until somebody writes the code. Others refuse for good.
const UNFINISHED_WORDS: &[&str] = &["implement", "later", "todo", "yet"];

/// Whether the error in `statement` says nothing, or that the code is still to be written.
pub(super) fn is_unfinished(statement: &str) -> bool {
    let message = statement.split_once(['"', '\'']).map(|(_, message)| message.to_ascii_lowercase());
    message.is_none_or(|message| UNFINISHED_WORDS.iter().any(|word| message.contains(word)))
}

/// What a stub says to those who extend its class.
const REQUESTS: &[&str] = &[
    "abstract",
    "child class",
    "derived",
    "inherit",
    "must be implemented",
    "must define",
    "must implement",
    "overrid",
    "should be implemented",
    "should implement",
    "subclass",
];

/// Whether `stub` tells those who extend its class to fill it in.
pub(super) fn asks_for_override(stub: &str) -> bool {
    let head = stub[..stub.floor_char_boundary(STUB_BYTES_MAX)].to_ascii_lowercase();
    REQUESTS.iter().any(|word| head.contains(word))
}

impl<'t> Draft<'t> {
    /// Notes something that can be used from outside.
    pub(super) fn symbol(&mut self, name: Span, is_documented: bool) {
        self.outline.symbols.push(Symbol { name, is_documented });
    }

    /// The comment that ends right above byte `start`, over at most `line_breaks_max` line breaks.
    pub(super) fn comment_above(&self, start: usize, line_breaks_max: usize) -> Option<&'t str> {
        let before = self.outline.comments.partition_point(|comment| comment.end <= start);
        let comment = self.outline.comments.get(before.checked_sub(1)?)?;
        // Looked at from its end: most declarations have no comment, and the last one may be far away.
        let gap = self.text.get(comment.end..start).filter(|gap| gap.trim_end().is_empty())?;
        let breaks = gap.bytes().filter(|&byte| byte == b'\n').count();
        (breaks <= line_breaks_max).then(|| self.slice(comment))
    }

    /// Notes a declaration at the top level that may be exported by its name elsewhere.
    pub(super) fn maybe_exported(&mut self, name: Span, is_documented: bool, function: Option<usize>) {
        self.candidates.push(Candidate::Export { symbol: Symbol { name, is_documented }, function });
    }

    /// Notes that the members of the class or trait `name` follow, until the end of `node`.
    pub(super) fn class(&mut self, node: impl Place, name: Option<Span>, is_visible: bool, members: Members) {
        self.open(node, |scope| {
            scope.function = None;
            scope.class = name;
            scope.is_visible = is_visible;
            scope.is_bound = members != Members::Free;
            scope.is_abstract = members == Members::Abstract;
            scope.is_derived = false;
        });
    }

    /// Decides about the candidates, now that all of the file is known.
    pub(super) fn settle_candidates(&mut self) {
        let (text, hidden) = (self.text, &self.hidden);
        let is_hidden = |symbol: &Symbol| text.get(symbol.name.clone()).is_some_and(|name| hidden.contains(name));
        self.outline.symbols.retain(|symbol| !is_hidden(symbol));
        for candidate in std::mem::take(&mut self.candidates) {
            match candidate {
                Candidate::Export { symbol, function } => {
                    if !self.exported.contains(self.slice(&symbol.name)) {
                        continue;
                    }
                    let function = function.map(|index| &mut self.outline.functions[index]);
                    let is_getter = function.as_ref().is_some_and(|function| function.shape == Body::Getter);
                    if let Some(function) = function {
                        function.is_public = true;
                    }
                    if !is_getter {
                        self.outline.symbols.push(symbol);
                    }
                }
                Candidate::Member { class, function } => {
                    self.outline.functions[function].is_abstract |= self.bases.contains(class);
                }
            }
        }
    }
}
