//! What the body of a function or handler is, in a word.

use tree_sitter::Node;

use super::calls;
use super::draft::Draft;
use crate::outline::{Body, Span};

/// Longest statement, in bytes, that can be a constant or a getter, and how much of a longer one is looked at.
const STATEMENT_BYTES_MAX: usize = 200;

/// Most statements of a body that are looked at. Two that do something are enough to be no stub; the rest are `pass`.
pub(super) const STATEMENTS_MAX: usize = 4;

/// How a language writes bodies that do next to nothing.
pub(super) struct Forms {
    /// Statements that do nothing.
    pub(super) nothing: &'static [&'static str],
    /// Values that mean success.
    pub(super) success: &'static [&'static str],
    /// Whether a statement does nothing but fail for want of an implementation.
    pub(super) is_stub: fn(&str) -> bool,
}

/// A body, as far as its shape depends on it.
pub(super) struct Block {
    /// All of it.
    pub(super) span: Span,
    /// Its first statements, comments left out; [`STATEMENTS_MAX`] are enough.
    pub(super) statements: Vec<Statement>,
}

/// A statement of a body.
pub(super) struct Statement {
    /// All of it.
    pub(super) span: Span,
    /// Whether it is nothing but a string.
    pub(super) is_text: bool,
    /// The last name of what it calls, if it does nothing else.
    pub(super) callee: Option<Span>,
}

impl Draft<'_> {
    /// What there is to know of `body` for its shape.
    pub(super) fn block(&self, body: Option<Node<'_>>) -> Option<Block> {
        let body = body?;
        let statement = |node: Node<'_>| {
            let is_only = node.kind() == "expression_statement" && node.named_child_count() == 1;
            let is_text = is_only && node.named_child(0).is_some_and(|only| only.kind() == "string");
            Statement { span: node.byte_range(), is_text, callee: calls::only_callee(self.fields, node) }
        };
        let statements = statements(body, STATEMENTS_MAX).into_iter().map(statement).collect();
        Some(Block { span: body.byte_range(), statements })
    }
}

/// The first statements of `body`, comments left out; an expression is its own only statement.
pub(super) fn statements(body: Node<'_>, max: usize) -> Vec<Node<'_>> {
    let list = match body.kind() {
        "function_body" => match body.named_child(0) {
            Some(inner) if matches!(inner.kind(), "block" | "statements") => inner,
            _ => body,
        },
        "block_body" | "body_statement" | "statements" | "then" => body,
        "block" | "compound_statement" | "constructor_body" | "module" => {
            let mut cursor = body.walk();
            let first = body.named_children(&mut cursor).find(|child| !child.is_extra());
            first.filter(|first| first.kind() == "statement_list").unwrap_or(body)
        }
        _ => return vec![body],
    };
    let mut cursor = list.walk();
    list.named_children(&mut cursor).filter(|child| !child.is_extra()).take(max).collect()
}

/// How many statements stand directly in `body`.
pub(super) fn count(body: Option<Node<'_>>) -> usize {
    let Some(body) = body else { return 0 };
    let mut cursor = body.walk();
    body.named_children(&mut cursor).filter(|child| !child.is_extra()).count()
}

/// Whether `body` does nothing at all.
pub(super) fn does_nothing(draft: &Draft<'_>, body: &Block, forms: &Forms) -> bool {
    body.statements.iter().all(|statement| is_nothing(draft, statement, forms))
}

/// What `body` is; a docstring does nothing.
pub(super) fn shape(draft: &Draft<'_>, body: Option<Block>, forms: &Forms) -> Body {
    let Some(body) = body else { return Body::Absent };
    let mut rest = body.statements.iter().filter(|statement| !is_nothing(draft, statement, forms));
    let (Some(only), None) = (rest.next(), rest.next()) else {
        return if does_nothing(draft, &body, forms) { Body::Empty } else { Body::Other };
    };
    let value = value(head(draft, only));
    match value {
        "return" => Body::Empty,
        _ if (forms.is_stub)(value) => Body::Stub,
        _ if only.span.len() > STATEMENT_BYTES_MAX => Body::Other,
        _ if forms.success.contains(&value) => Body::Constant,
        _ if is_field(value) => Body::Getter,
        _ => Body::Other,
    }
}

/// Whether `text` says that something is still to be written.
pub(super) fn says_unfinished(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let phrases = ["not implemented", "not yet implemented", "unimplemented"];
    phrases.iter().any(|phrase| lower.contains(phrase)) || text.contains("TODO")
}

fn is_nothing(draft: &Draft<'_>, statement: &Statement, forms: &Forms) -> bool {
    let text = head(draft, statement);
    statement.is_text || text.is_empty() || forms.nothing.contains(&text)
}

/// The beginning of `statement`, without its semicolon.
fn head<'t>(draft: &Draft<'t>, statement: &Statement) -> &'t str {
    let text = draft.slice(&statement.span);
    text[..text.floor_char_boundary(STATEMENT_BYTES_MAX)].trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

/// What a statement returns, if it does.
fn value(statement: &str) -> &str {
    statement.strip_prefix("return").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(statement).trim()
}

/// Whether `value` is a field and nothing else: `self.name`, `&self.name`, `this.name`, `r->name`, `$this->name`.
fn is_field(value: &str) -> bool {
    let path = value.replace("->", ".");
    let path = path.trim_start_matches("&mut ").trim_start_matches(['&', '*']);
    let path = path.strip_suffix(".clone()").unwrap_or(path);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '#' | '$');
    path.contains('.')
        && path.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$'))
        && path.chars().all(is_word)
}
