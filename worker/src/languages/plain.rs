//! What languages that are read by outline have in common: functions, classes, handlers and calls.

use tree_sitter::Node;

use super::body::{self, Forms};
use super::calls::{self, CLEANUP_STATEMENTS_MAX};
use super::draft::{Draft, Members};
use super::symbols::{self, Candidate};
use crate::outline::{Body, Function, Handler, Span, Test};

/// Most statements of a test that are counted: what matters is whether there are any.
const STATEMENTS_MAX: usize = 64;

/// Most arguments of a call that are looked at.
const ARGUMENTS_MAX: usize = 8;

/// Children in front of which the modifiers of a declaration stand: they are the first but for comments and attributes.
const MODIFIERS_WITHIN: usize = 16;

/// Longest callee, in bytes, that is a plain path of names.
const CALLEE_BYTES_MAX: usize = 200;

/// The function `name`. A body without a use tells something only where nobody else can have asked for it. What only
/// says that it is not implemented may be there for classes that extend its own.
pub(super) fn function(
    draft: &mut Draft<'_>,
    name: Span,
    body: Option<Node<'_>>,
    parameters: u32,
    forms: &Forms,
) -> Function {
    let shape = match body::shape(draft, draft.block(body), forms) {
        shape @ (Body::Absent | Body::Getter | Body::Stub) => shape,
        shape @ (Body::Constant | Body::Empty) if is_on_its_own(draft) => shape,
        _ => Body::Other,
    };
    let is_stub = shape == Body::Stub;
    let scope = draft.scope();
    let class = scope.class.as_ref().map(|class| draft.slice(class)).filter(|_| is_stub);
    let is_meant = scope.is_abstract
        || class.is_some_and(symbols::reads_as_abstract)
        || body.is_some_and(|body| is_stub && symbols::asks_for_override(draft.text_of(body)));
    let is_abstract = shape == Body::Absent || (is_stub && is_meant);
    if let Some(class) = class {
        draft.candidates.push(Candidate::Member { class, function: draft.outline.functions.len() });
    }
    let body = body.map(|body| body.byte_range());
    Function { name, body, shape, parameters, is_bound: is_abstract, is_abstract, ..Function::default() }
}

/// Whether a function declared here is there for its own sake: not to be filled in, not for a class or a condition that
/// another one answers too, and in no block.
pub(super) fn is_on_its_own(draft: &Draft<'_>) -> bool {
    let scope = draft.scope();
    !scope.is_abstract && !scope.is_bound && !scope.is_derived && scope.nesting == 0
}

/// The shape of a function, without what tells nothing where it is a hook.
pub(super) fn unless_hook(shape: Body, is_hook: bool) -> Body {
    match shape {
        Body::Constant | Body::Empty if is_hook => Body::Other,
        shape => shape,
    }
}

/// A test with `body`.
pub(super) fn test(body: Option<Node<'_>>, fails_otherwise: bool) -> Test {
    let statements = body.map_or(0, |body| body::statements(body, STATEMENTS_MAX).len());
    Test { statements, fails_otherwise, ..Test::default() }
}

/// What kind of class `class` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that can be used as it is.
    Class,
    /// One that others fill in.
    Abstract,
    /// One whose members others fill in, all of them.
    Interface,
}

/// Enters the class `node` called `name`; `base` is the name of what it extends.
pub(super) fn class<'t>(draft: &mut Draft<'t>, node: Node<'_>, name: Option<Span>, kind: Kind, base: Option<&'t str>) {
    draft.bases.extend(base);
    let members = if kind == Kind::Class { Members::Free } else { Members::Abstract };
    let is_visible = draft.scope().is_visible;
    draft.class(node, name, is_visible, members);
    // Only what has no body is bound to be filled in; what overrides says so.
    draft.now(|scope| scope.is_bound = kind == Kind::Interface);
}

/// Makes the class just entered one that can be seen from outside, or one that cannot, and notes it if it can.
pub(super) fn show(draft: &mut Draft<'_>, name: Option<Span>, is_visible: bool, is_documented: bool) {
    if let Some(name) = name.filter(|_| is_visible) {
        draft.symbol(name, is_documented);
    }
    draft.now(|scope| scope.is_visible = is_visible);
}

/// The last name of the first type in a list of bases, without its arguments: `Base` of `: a.Base<T>, I`.
pub(super) fn base_name(bases: &str) -> &str {
    let bases = bases.trim_start_matches(|c: char| c.is_whitespace() || c == ':' || c == '<');
    let bases = bases.strip_prefix("extends ").unwrap_or(bases).trim_start();
    let end =
        bases.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '\\'))).unwrap_or(bases.len());
    let path = &bases[..end];
    path.rsplit(['.', ':', '\\']).next().unwrap_or(path)
}

/// The modifiers of a declaration, whether they stand in it or in a list of their own.
pub(super) fn modifiers<'t>(draft: &Draft<'t>, declaration: Node<'_>) -> Vec<&'t str> {
    let mut cursor = declaration.walk();
    let mut found = Vec::new();
    for child in declaration.named_children(&mut cursor).take(MODIFIERS_WITHIN) {
        if child.kind() == "modifiers" {
            let mut inner = child.walk();
            let own = child.named_children(&mut inner).take(MODIFIERS_WITHIN);
            found.extend(own.filter(|one| one.kind().ends_with("modifier")).map(|one| draft.text_of(one)));
        } else if child.kind().ends_with("modifier") {
            found.push(draft.text_of(child));
        }
    }
    found
}

/// Whether a comment that opens with one of `marks` stands right above `declaration`.
pub(super) fn is_documented(draft: &Draft<'_>, declaration: Node<'_>, marks: &[&str]) -> bool {
    let comment = draft.comment_above(declaration.start_byte(), 1);
    comment.is_some_and(|comment| marks.iter().any(|mark| comment.starts_with(mark)))
}

/// Enters code that runs when something went wrong; without a body it does nothing.
pub(super) fn handler(
    draft: &mut Draft<'_>,
    node: Node<'_>,
    body: Option<Node<'_>>,
    caught: Option<Span>,
    forms: &Forms,
) {
    let span = node.byte_range();
    draft.handler(node, draft.block(body), caught.clone(), forms);
    if body.is_none() {
        let is_cleanup = draft.scope().is_cleanup;
        let body = span.end..span.end;
        draft.outline.handlers.push(Handler { span, body, caught, is_empty: true, has_comment: false, is_cleanup });
    }
}

/// Whether all that `statements` do is to close or clean up.
pub(super) fn only_clean_up(draft: &Draft<'_>, statements: &[Node<'_>]) -> bool {
    let cleans_up = |statement: &Node<'_>| cleans_up(draft.text_of(*statement));
    !statements.is_empty() && statements.len() <= CLEANUP_STATEMENTS_MAX && statements.iter().all(cleans_up)
}

/// The statements of `body` as far as they matter to `only_clean_up`.
pub(super) fn first_statements(body: Option<Node<'_>>) -> Vec<Node<'_>> {
    body.map(|body| body::statements(body, CLEANUP_STATEMENTS_MAX + 1)).unwrap_or_default()
}

/// Whether a statement calls, as the last name of its path, what closes or cleans up.
fn cleans_up(statement: &str) -> bool {
    let head = &statement[..statement.floor_char_boundary(CALLEE_BYTES_MAX)];
    let head = ["try? ", "try! ", "try ", "await "].iter().find_map(|word| head.strip_prefix(word)).unwrap_or(head);
    let path = head.split(|c: char| c == '(' || c == '{' || c.is_whitespace()).next().unwrap_or(head);
    calls::cleans_up(path.rsplit(['.', ':', '>']).next().unwrap_or(path))
}

/// Notes a call of `name`, whose path begins at byte `start`, with the arguments in `list`.
pub(super) fn call(draft: &mut Draft<'_>, start: usize, name: Node<'_>, list: Option<Node<'_>>) {
    draft.call(name.byte_range());
    let Some(list) = list else { return };
    let whole = start..name.end_byte();
    let callee = if is_path(draft.slice(&whole)) { whole } else { name.byte_range() };
    draft.call_of(Some(callee), list);
}

/// Whether `text` is a path of names: `a.b`, `$this->a`, `A::b`.
fn is_path(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '$' | '\\' | '?' | '!' | '@');
    text.len() <= CALLEE_BYTES_MAX && text.replace("->", ".").chars().all(is_part)
}

/// Whether a statement begins at byte `at`: nothing but space stands in front of it on its line.
pub(super) fn begins_line(draft: &Draft<'_>, at: usize) -> bool {
    let before = draft.text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']);
    before.is_empty() || before.ends_with('\n')
}

/// The first named child of `node` that is of one of `kinds`.
pub(super) fn child<'t>(node: Node<'t>, kinds: &[&str]) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).find(|child| kinds.contains(&child.kind()))
}

/// The first arguments in `list`.
pub(super) fn arguments(list: Option<Node<'_>>) -> Vec<Node<'_>> {
    let Some(list) = list else { return Vec::new() };
    let mut cursor = list.walk();
    list.named_children(&mut cursor).filter(|one| !one.is_extra()).take(ARGUMENTS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_the_last_name_of_the_first_type() {
        assert_eq!(base_name(": a.Base<T>, I"), "Base");
        assert_eq!(base_name("extends \\A\\B"), "B");
        assert_eq!(base_name("< M::Base"), "Base");
        assert_eq!(base_name(""), "");
    }

    #[test]
    fn a_statement_cleans_up_by_the_last_name_that_it_calls() {
        for statement in ["file.close()", "try? file.close()", "FileUtils.rm_rf x; close", "$file->close()", "close"] {
            assert_eq!(cleans_up(statement), !statement.contains("rm_rf"), "{statement}");
        }
    }
}
