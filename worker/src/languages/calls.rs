//! What is called, and with what.

use tree_sitter::Node;

use super::body::{Block, STATEMENTS_MAX};
use super::draft::Draft;
use super::fields::{Field, Fields};
use crate::outline::{Call, Span};

/// Longest path of names in front of a call that is looked through: `a.b.c.d(..)` has three.
pub(super) const PATH_MAX: usize = 8;

/// How deep literals are looked into: a list of pairs of literals is one, an argument around it another.
pub(super) const LITERAL_DEPTH_MAX: usize = 4;

/// Most statements that a piece of code may have and still only clean up.
pub(super) const CLEANUP_STATEMENTS_MAX: usize = STATEMENTS_MAX - 1;

/// Words that open the name of a function which ends, frees or takes back something.
const CLEANUP_WORDS: &[&str] = &[
    "abort",
    "cancel",
    "cleanup",
    "clear",
    "close",
    "del",
    "delete",
    "destroy",
    "disconnect",
    "dispose",
    "drop",
    "exit",
    "fclose",
    "finalize",
    "flush",
    "free",
    "kill",
    "quit",
    "release",
    "remove",
    "rmdir",
    "rmtree",
    "rollback",
    "shutdown",
    "stop",
    "teardown",
    "terminate",
    "unlink",
    "unlock",
    "unsubscribe",
    "unwatch",
];

/// Fields that hold the last name of a path, by language.
const NAME_FIELDS: [Field; 2] = [Field::Member, Field::Name];

/// Fields that hold what stands in front of it.
const OBJECT_FIELDS: [Field; 6] =
    [Field::Value, Field::Object, Field::Operand, Field::Path, Field::Argument, Field::Scope];

/// Kinds of nodes that are literals if all in them are.
const COLLECTIONS: &[&str] = &[
    "list",
    "set",
    "array",
    "array_creation_expression",
    "array_element_initializer",
    "hash",
    "object",
    "array_expression",
    "tuple_expression",
    "concatenated_string",
    "parenthesized_expression",
    "unary_expression",
    "reference_expression",
];

/// Kinds of literals that are not named so.
const CONSTANTS: &[&str] = &[
    "true",
    "false",
    "null",
    "nil",
    "integer",
    "float",
    "number",
    "unit_expression",
    "regex",
    "boolean",
    "simple_symbol",
];

impl Draft<'_> {
    /// Notes a call of `callee` with `arguments`; what has no name, such as a closure called where it stands, is no call.
    pub(super) fn call_of(&mut self, callee: Option<Span>, arguments: Node<'_>) {
        self.note_call(callee, arguments.byte_range(), are_literals(self.fields, arguments));
    }

    /// Notes a call of `callee`, if it has a name, with `arguments`, which are all literals if it `is_constant`.
    pub(super) fn note_call(&mut self, callee: Option<Span>, arguments: Span, is_constant: bool) {
        let Some(callee) = callee else { return };
        let function = self.scope().function;
        self.outline.calls.push(Call { callee, arguments, is_constant, function });
    }
}

/// The last name of `callee`: `d` of `a.b(c).d`.
pub(super) fn last_name<'t>(fields: &Fields, callee: Node<'t>) -> Node<'t> {
    child_by_one_of(fields, callee, &NAME_FIELDS).unwrap_or(callee)
}

/// The child of `node` in the first of `among` that holds one.
fn child_by_one_of<'t>(fields: &Fields, node: Node<'t>, among: &[Field]) -> Option<Node<'t>> {
    among.iter().find_map(|field| fields.child(node, *field))
}

/// All of `callee` if it is a plain path of names, else its last name, if it has one.
pub(super) fn path(fields: &Fields, callee: Node<'_>) -> Option<Span> {
    let mut node = callee;
    for _link in 0..PATH_MAX {
        match child_by_one_of(fields, node, &OBJECT_FIELDS) {
            Some(object) => node = object,
            None if is_name(node.kind()) => return Some(callee.byte_range()),
            None => break,
        }
    }
    Some(last_name(fields, callee)).filter(|name| is_name(name.kind())).map(|name| name.byte_range())
}

/// What stands between the quotes of `string`.
pub(super) fn without_quotes(string: Node<'_>) -> Span {
    let (start, end) = (string.start_byte(), string.end_byte());
    if end - start < 2 { start..end } else { start + 1..end - 1 }
}

fn is_name(kind: &str) -> bool {
    kind.ends_with("identifier") || matches!(kind, "self" | "this" | "super" | "crate" | "import")
}

/// Whether every argument in `list` is a literal.
fn are_literals(fields: &Fields, list: Node<'_>) -> bool {
    all_parts(list, |argument| argument.is_extra() || is_literal(fields, argument, LITERAL_DEPTH_MAX))
}

/// Whether `node` is a literal, or a collection of them that is not too deep.
fn is_literal(fields: &Fields, node: Node<'_>, depth: usize) -> bool {
    match node.kind() {
        "line_string_literal" | "multi_line_string_literal" | "string" | "string_literal" => {
            let is_filled = ["interpolated_expression", "interpolation"];
            all_parts(node, |part| !is_filled.contains(&part.kind()))
        }
        "encapsed_string" => all_parts(node, |part| matches!(part.kind(), "string_content" | "escape_sequence")),
        "pair" => {
            let value = fields.child(node, Field::Value);
            depth > 0 && value.is_some_and(|value| is_literal(fields, value, depth - 1))
        }
        // An argument may have a name in front.
        "argument" | "value_argument" => {
            let mut cursor = node.walk();
            let last = node.named_children(&mut cursor).filter(|part| !part.is_extra()).last();
            depth > 0 && last.is_some_and(|value| is_literal(fields, value, depth - 1))
        }
        kind if COLLECTIONS.contains(&kind) => {
            depth > 0 && all_parts(node, |part| part.is_extra() || is_literal(fields, part, depth - 1))
        }
        kind => {
            kind.ends_with("_literal") && !matches!(kind, "composite_literal" | "func_literal" | "lambda_literal")
                || CONSTANTS.contains(&kind)
        }
    }
}

/// Whether all that stands in `node` passes; nothing does.
fn all_parts(node: Node<'_>, passes: impl FnMut(Node<'_>) -> bool) -> bool {
    if node.named_child_count() == 0 {
        return true;
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor).all(passes)
}

/// Whether a function called `name` closes or cleans up: its first word says so, as in `closeAll` and `remove_file`.
pub(super) fn cleans_up(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    CLEANUP_WORDS.iter().any(|word| {
        let opens = name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        opens && name[word.len()..].chars().next().is_none_or(|next| !next.is_lowercase())
    })
}

/// Whether `call`, awaited or not, closes or cleans up.
pub(super) fn is_cleanup(draft: &Draft<'_>, call: Node<'_>) -> bool {
    only_callee(draft.fields, call).is_some_and(|name| cleans_up(draft.slice(&name)))
}

/// The last name of what `statement` calls, awaited or not, if it does nothing else.
pub(super) fn only_callee(fields: &Fields, statement: Node<'_>) -> Option<Span> {
    let mut node = statement;
    for _wrapper in 0..PATH_MAX {
        match node.kind() {
            "expression_statement" | "await_expression" | "await" | "expression_list" | "try_expression" => {
                node = node.named_child(0)?;
            }
            "short_var_declaration" | "assignment_statement" => node = fields.child(node, Field::Right)?,
            _ => break,
        }
    }
    // Where a call has no callee of its own, as in Java, its name is its own.
    let callee = fields.child(node, Field::Function).map(|callee| last_name(fields, callee));
    let name = callee.or_else(|| fields.child(node, Field::Name));
    name.map(|name| name.byte_range())
}

/// Whether all that `body` does is to close or clean up.
pub(super) fn only_cleans_up(draft: &Draft<'_>, body: &Block) -> bool {
    let found = &body.statements;
    let is_cleanup = |name: &Span| cleans_up(draft.slice(name));
    let all_clean_up = found.iter().all(|statement| statement.callee.as_ref().is_some_and(is_cleanup));
    !found.is_empty() && found.len() <= CLEANUP_STATEMENTS_MAX && all_clean_up
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleanup_is_known_by_the_first_word_of_its_name() {
        for name in ["close", "Close", "closeAll", "remove_file", "__exit__", "__del__", "Drop"] {
            assert!(cleans_up(name), "{name}");
        }
        for name in ["closest", "clearance", "delta", "stopwatch", "", "é", "unclose"] {
            assert!(!cleans_up(name), "{name}");
        }
    }
}
