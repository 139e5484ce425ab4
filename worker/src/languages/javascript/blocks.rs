//! Tests in JavaScript and TypeScript: calls with a string and a function.

use oxc_ast::ast::{Argument, CallExpression};
use oxc_span::GetSpan;

use super::super::draft::{Draft, Place};
use super::calls::{ARGUMENTS_MAX, Callee};
use super::functions::Implementation;
use crate::outline::{Function, Span, Test};

/// Reads a call that declares a test, a group of them, or a pending one; says whether it was one.
pub(super) fn declares_test(draft: &mut Draft<'_>, node: &CallExpression<'_>, callee: &Callee<'_>) -> bool {
    let Some((&base, modifiers)) = callee.names.split_first() else { return false };
    let plain = base.strip_prefix(['f', 'x']).filter(|rest| is_block(rest)).unwrap_or(base);
    let is_name = |first: &&Argument<'_>| matches!(first, Argument::StringLiteral(_) | Argument::TemplateLiteral(_));
    let Some(name) = node.arguments.first().filter(is_name).filter(|_| is_block(plain)) else { return false };
    let mut values = node.arguments.iter().take(ARGUMENTS_MAX).skip(1).filter_map(Argument::as_expression);
    let body = values.find_map(Implementation::of);
    let has = |word: &str| modifiers.contains(&word);
    if body.is_none() && !has("todo") {
        return false;
    }
    let mark = callee.span.clone();
    if (base != plain && base.starts_with('f')) || has("only") {
        draft.outline.focuses.push(mark.clone());
    }
    let is_group = matches!(plain, "describe" | "context" | "suite") || has("describe");
    // The condition around a test is what decides about its own marks.
    let is_conditional = draft.scope().is_conditional;
    if let Some(body) = body.filter(|_| !is_group) {
        // A test with tests in it is a group: they fail it.
        draft.on_test(|group| group.fails_otherwise = true);
        let fails_otherwise = has("failing") || has("fails");
        let test = Test { statements: body.statements, fails_otherwise, ..Test::default() };
        let (own, handle) = (body.span.clone(), body.first_parameter.clone());
        let function = Function { test: Some(test), ..body.function(draft, name.span().place()) };
        draft.function(node.span.place(), own, handle, function);
    }
    skip(draft, mark, base != plain, modifiers, is_conditional);
    true
}

fn is_block(name: &str) -> bool {
    matches!(name, "it" | "test" | "specify" | "describe" | "context" | "suite")
}

fn skip(draft: &mut Draft<'_>, mark: Span, is_prefixed: bool, modifiers: &[&str], is_conditional: bool) {
    let has = |word: &str| modifiers.contains(&word);
    let is_crossed_out = is_prefixed && draft.slice(&mark).starts_with('x');
    if has("skip") || is_crossed_out || has("todo") || has("fixme") {
        // A pending test has a name and nothing else: the name is the reason.
        draft.skip(mark, has("todo"), is_conditional);
    }
}
