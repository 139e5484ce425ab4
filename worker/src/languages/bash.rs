//! Shell scripts, as an outline: their tests are blocks of bats, or functions named `test…` beside shunit2.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::body::Forms;
use super::draft::Draft;
use super::fields::Field;
use super::plain;
use super::walk::{Grammar, Role};
use crate::outline::{Body, Call, Function, Test};

/// The grammar of Bash, which other shells are near enough to.
pub(super) static BASH: Grammar =
    Grammar { language: || tree_sitter_bash::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing. What only does `:` is there to be replaced by another file.
const FORMS: Forms = Forms { nothing: &[], success: &["0", "true"], is_stub: |_| false };

/// Commands whose failure does not fail a test of bats: `run` catches it, the others have none.
const UNFAILING: &[&str] = &["}", "echo", "load", "printf", "run", "skip"];

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "ansi_c_string" | "heredoc_body" | "raw_string" | "string" => Role::Text,
        "function_definition" => Role::Function,
        "program" => Role::Container,
        "command" => Role::Call,
        "test_command" => Role::Assert,
        "if_statement" => Role::Branch,
        "case_statement" => Role::Switch,
        "c_style_for_statement" | "for_statement" | "while_statement" => Role::Loop,
        "elif_clause" => Role::Decision,
        "array" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Container => draft.has_blocks = draft.text.contains("shunit2"),
        Role::Call => command(draft, node),
        // Elsewhere than in bats, only a function that says so fails a test.
        Role::Assert if is_bats(draft) => draft.assertion(),
        Role::Branch => draft.branch(node, None),
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Decision => draft.decision(),
        Role::Table => draft.table(node),
        _ => {}
    }
}

fn is_bats(draft: &Draft<'_>) -> bool {
    draft.path.ends_with(".bats")
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let body = draft.field(node, Field::Body);
    // Loaded by a line at the end of the file, shunit2 runs what is named like a test.
    let is_test = draft.has_blocks && draft.text_of(name).starts_with("test");
    let test = is_test.then(|| plain::test(body, false));
    let plain = plain::function(draft, name.byte_range(), body, 0, &FORMS);
    let shape = plain::unless_hook(plain.shape, plain.shape == Body::Empty);
    draft.function(node, node, None, Function { test, shape, ..plain });
}

fn command(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let text = draft.text_of(name);
    let first = draft.field(node, Field::Argument);
    let has_test = draft.scope().test.is_some();
    match (text, first) {
        ("@test", Some(title)) if is_bats(draft) && !has_test => return test(draft, node, title),
        ("skip", _) if has_test && is_bats(draft) => draft.skip(node.byte_range(), first.is_some(), false),
        ("startSkipping", _) if has_test => draft.skip(node.byte_range(), false, false),
        _ if is_assertion(text) => draft.assertion(),
        // Any command that fails ends a test of bats.
        _ if has_test && is_bats(draft) && !UNFAILING.contains(&text) => draft.assertion(),
        _ => {}
    }
    draft.call(name.byte_range());
    let given = draft.fields.children(node, Field::Argument);
    if let (Some(first), Some(last)) = (given.first(), given.last()) {
        draft.outline.calls.push(Call {
            callee: name.byte_range(),
            arguments: first.start_byte()..last.end_byte(),
            is_constant: given.iter().all(|one| is_constant(*one)),
            function: draft.scope().function,
        });
    }
}

/// Whether the shell puts nothing else in the place of `word`.
fn is_constant(word: Node<'_>) -> bool {
    let mut cursor = word.walk();
    match word.kind() {
        "ansi_c_string" | "number" | "raw_string" | "word" => true,
        "string" => word.named_children(&mut cursor).all(|part| part.kind() == "string_content"),
        _ => false,
    }
}

/// Enters `@test "title" {`, which is no syntax of a shell: it ends at the next bracket that opens a line.
fn test(draft: &mut Draft<'_>, node: Node<'_>, title: Node<'_>) {
    let start = node.start_byte();
    let rest = draft.text.get(node.end_byte()..).unwrap_or_default();
    let end = rest.find("\n}").map_or(draft.text.len(), |at| node.end_byte() + at + 2);
    let body = rest.get(..end - node.end_byte()).unwrap_or_default();
    let statements =
        body.lines().filter(|line| !matches!(line.trim(), "" | "}") && !line.trim().starts_with('#')).count();
    let test = Some(Test { statements, ..plain::test(None, false) });
    let (name, body, shape) = (title.byte_range(), Some(node.end_byte()..end), Body::Other);
    draft.function(node, node, None, Function { name, body, shape, test, ..Function::default() });
    draft.now(|scope| scope.end = end);
    if let Some(last) = draft.outline.functions.last_mut() {
        last.span = start..end;
    }
}
