//! Calls in JavaScript and TypeScript: what is called, with what, and what that means to a test.

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, CallExpression, ChainElement, Expression, ImportExpression, NewExpression,
    ObjectPropertyKind, TaggedTemplateExpression, TemplateLiteral,
};
use oxc_span::GetSpan;

use super::super::assertions::is_assertion;
use super::super::calls::{LITERAL_DEPTH_MAX, PATH_MAX};
use super::super::draft::{Draft, Place};
use super::{blocks, modules};
use crate::outline::Span;

/// Longest chain of names in front of a call that is looked through; `test.describe.parallel.only` has four.
const CHAIN_MAX: usize = 8;

/// Most arguments of a call that are looked at; a test has three at most.
pub(super) const ARGUMENTS_MAX: usize = 4;

/// The names in front of a call, from the outermost: `["it", "only"]` of `it.only(..)`.
pub(super) struct Callee<'t> {
    /// The names; an empty one stands for what is no plain name.
    pub(super) names: Vec<&'t str>,
    /// All that stands in front of the call.
    pub(super) span: Span,
    /// Place of the last name.
    last: Span,
    /// Whether a call stands between the names, as in `it.each(..)(..)` and `expect(..).toBe(..)`.
    through_call: bool,
}

fn callee<'t>(draft: &Draft<'t>, callee: &Expression<'_>) -> Callee<'t> {
    let span = callee.span().place();
    let mut found = Callee { names: Vec::new(), last: span.clone(), span, through_call: false };
    let mut rest = callee;
    for _link in 0..CHAIN_MAX {
        let (name, object) = match rest {
            Expression::StaticMemberExpression(member) => (member.property.span, Some(&member.object)),
            Expression::PrivateFieldExpression(member) => (member.field.span, Some(&member.object)),
            Expression::CallExpression(call) => {
                found.through_call = true;
                rest = &call.callee;
                continue;
            }
            Expression::TaggedTemplateExpression(template) => {
                found.through_call = true;
                rest = &template.tag;
                continue;
            }
            Expression::Identifier(name) => (name.span, None),
            Expression::ThisExpression(this) => (this.span, None),
            _ => break,
        };
        if let (Some(_), true) = (object, found.names.is_empty()) {
            found.last = name.place();
        }
        found.names.push(draft.text_of(name));
        let Some(object) = object else {
            found.names.reverse();
            return found;
        };
        rest = object;
    }
    // The rest is no plain name, such as `(await x).y`; its last names still tell what is called.
    found.names.push("");
    found.names.reverse();
    found
}

/// Reads a call.
pub(super) fn call(draft: &mut Draft<'_>, node: &CallExpression<'_>) {
    let from = node.type_arguments.as_ref().map_or_else(|| node.callee.span(), |types| types.span);
    if let Some(list) = list(draft, from.place().end, node.span.place().end) {
        draft.note_call(path(&node.callee), list, are_literals(&node.arguments));
    }
    if let (Expression::Identifier(name), Some(Argument::StringLiteral(module))) =
        (&node.callee, node.arguments.first())
        && name.name == "require"
    {
        modules::import(draft, node.span.place(), module);
    }
    let callee = callee(draft, &node.callee);
    if !(draft.is_test_file && blocks::declares_test(draft, node, &callee)) {
        meaning(draft, node.span.place(), &callee, &node.arguments);
    }
}

/// Reads a template that is handed to a function, which is a call of it.
pub(super) fn tagged_template(draft: &mut Draft<'_>, node: &TaggedTemplateExpression<'_>) {
    let is_constant = node.quasi.expressions.is_empty() && node.quasi.quasis.iter().all(|part| part.span.is_empty());
    draft.note_call(path(&node.tag), node.quasi.span.place(), is_constant);
    let callee = callee(draft, &node.tag);
    meaning(draft, node.span.place(), &callee, &[]);
}

/// Reads a construction.
pub(super) fn construction(draft: &mut Draft<'_>, node: &NewExpression<'_>) {
    let from = node.type_arguments.as_ref().map_or_else(|| node.callee.span(), |types| types.span);
    if let Some(list) = list(draft, from.place().end, node.span.place().end) {
        draft.note_call(path(&node.callee), list, are_literals(&node.arguments));
    }
}

/// Reads `import(..)`.
pub(super) fn dynamic_import(draft: &mut Draft<'_>, node: &ImportExpression<'_>) {
    let span = node.span.place();
    let callee = span.start..span.start + "import".len();
    if let Expression::StringLiteral(module) = &node.source {
        modules::import(draft, span.clone(), module);
    }
    let is_constant = node.options.is_none() && is_literal(&node.source, LITERAL_DEPTH_MAX);
    if let Some(list) = list(draft, callee.end, span.end) {
        draft.note_call(Some(callee.clone()), list, is_constant);
    }
    draft.call(callee);
}

/// The arguments with their brackets, which stand between bytes `from` and `end`; `new A` has none.
fn list(draft: &Draft<'_>, from: usize, end: usize) -> Option<Span> {
    let open = draft.slice(&(from..end)).find('(')?;
    Some(from + open..end)
}

/// What a call means to the test around it.
fn meaning(draft: &mut Draft<'_>, span: Span, callee: &Callee<'_>, arguments: &[Argument<'_>]) {
    let first = callee.names.first().copied().unwrap_or_default();
    let last = callee.names.last().copied().unwrap_or_default();
    let by_handle = callee.names.len() > 1 && Some(first) == draft.handle();
    let in_tests = draft.is_test_file;
    if in_tests && last == "skip" && (by_handle || first == "this") && !callee.through_call {
        draft.skip(span, !arguments.is_empty(), false);
        return;
    }
    // `require` loads a module; a name behind another call belongs to that call, which is visited for itself.
    let own =
        if callee.through_call { &callee.names[callee.names.len().saturating_sub(1)..] } else { &callee.names[..] };
    let asserts = own.iter().any(|name| *name != "require" && is_assertion(name));
    let mut arguments = arguments.iter().take(ARGUMENTS_MAX);
    if asserts || (by_handle && !matches!(last, "end" | "comment" | "log" | "after" | "teardown" | "diagnostic")) {
        draft.assertion();
    } else if draft.handle().is_some_and(|handle| arguments.any(|one| draft.text_of(one.span()) == handle)) {
        draft.on_test(|test| test.hands_over = true);
    }
    draft.call(callee.last.clone());
}

/// The last name of `callee`: `d` of `a.b(c).d`.
pub(super) fn name(callee: &Expression<'_>) -> Option<Span> {
    match callee {
        Expression::StaticMemberExpression(member) => Some(member.property.span.place()),
        Expression::PrivateFieldExpression(member) => Some(member.field.span.place()),
        Expression::Identifier(_) | Expression::Super(_) | Expression::ThisExpression(_) => Some(callee.span().place()),
        _ => None,
    }
}

/// All of `callee` if it is a plain path of names, else its last name, if it has one.
fn path(callee: &Expression<'_>) -> Option<Span> {
    let mut rest = callee;
    for _link in 0..PATH_MAX {
        match rest {
            Expression::StaticMemberExpression(member) => rest = &member.object,
            Expression::PrivateFieldExpression(member) => rest = &member.object,
            Expression::ComputedMemberExpression(member) => rest = &member.object,
            Expression::Identifier(_) | Expression::Super(_) | Expression::ThisExpression(_) => {
                return Some(callee.span().place());
            }
            _ => break,
        }
    }
    name(callee)
}

/// The last name of what `value` calls, awaited or not, if it does nothing else.
pub(super) fn only_callee(value: &Expression<'_>) -> Option<Span> {
    let mut rest = value;
    for _wrapper in 0..PATH_MAX {
        match rest {
            Expression::AwaitExpression(wrapper) => rest = &wrapper.argument,
            Expression::CallExpression(call) => return name(&call.callee),
            Expression::ChainExpression(chain) => {
                let ChainElement::CallExpression(call) = &chain.expression else { return None };
                return name(&call.callee);
            }
            _ => return None,
        }
    }
    None
}

/// Whether every one of `arguments` is a literal.
fn are_literals(arguments: &[Argument<'_>]) -> bool {
    let is_literal = |value: &Expression<'_>| is_literal(value, LITERAL_DEPTH_MAX);
    arguments.iter().all(|argument| argument.as_expression().is_some_and(is_literal))
}

/// Whether `value` is a literal, or a collection of them that is not too deep.
fn is_literal(value: &Expression<'_>, depth: usize) -> bool {
    let Some(inner) = depth.checked_sub(1) else { return is_plain_literal(value) };
    match value {
        Expression::ArrayExpression(array) => array.elements.iter().all(|element| match element {
            ArrayExpressionElement::Elision(_) => true,
            _ => element.as_expression().is_some_and(|element| is_literal(element, inner)),
        }),
        Expression::ObjectExpression(object) => object.properties.iter().all(|part| match part {
            ObjectPropertyKind::ObjectProperty(part) => {
                inner > 0 && !part.shorthand && is_literal(&part.value, inner - 1)
            }
            ObjectPropertyKind::SpreadProperty(_) => false,
        }),
        Expression::ParenthesizedExpression(wrapper) => is_literal(&wrapper.expression, inner),
        Expression::UnaryExpression(unary) => is_literal(&unary.argument, inner),
        _ => is_plain_literal(value),
    }
}

fn is_plain_literal(value: &Expression<'_>) -> bool {
    match value {
        Expression::TemplateLiteral(template) => is_constant(template),
        _ => value.is_literal() || value.is_undefined(),
    }
}

fn is_constant(template: &TemplateLiteral<'_>) -> bool {
    template.expressions.is_empty()
}
