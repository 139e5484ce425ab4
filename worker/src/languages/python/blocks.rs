//! Blocks of Python: where they end, what documents them, and those that run when something went wrong.

use ruff_python_ast::{Decorator, ExceptHandler, Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::super::body::{Block, Forms, STATEMENTS_MAX, Statement};
use super::super::draft::{Draft, Place};
use super::super::symbols;
use super::calls;
use crate::outline::Span;

/// Bodies that do next to nothing.
pub(super) const FORMS: Forms = Forms {
    nothing: &["pass", "..."],
    success: &["True", "None", "0"],
    is_stub: |statement| statement.starts_with("raise NotImplemented") && symbols::is_unfinished(statement),
};

/// What a tab is worth where indentation is compared.
const TAB: usize = 8;

/// The statements of `body` with the comments behind them; none where the text ends before there is one.
pub(super) fn block(draft: &Draft<'_>, body: &[Stmt]) -> Option<Block> {
    let (first, last) = (body.first()?, body.last()?);
    let span = with_comments(draft, TextRange::new(first.start(), last.end()), body);
    Some(Block { span, statements: body.iter().take(STATEMENTS_MAX).map(statement).collect() })
}

fn statement(node: &Stmt) -> Statement {
    let value = node.as_expr_stmt().map(|statement| &*statement.value);
    Statement {
        span: node.range().place(),
        is_text: lone_string(node).is_some(),
        callee: value.and_then(calls::only_callee),
    }
}

/// `range`, which ends with `body`, and the comments that belong to it: the one behind it, and those below it that are
/// indented as much at least.
pub(super) fn with_comments(draft: &Draft<'_>, range: TextRange, body: &[Stmt]) -> Span {
    let mut span = range.place();
    let next = draft.outline.comments.partition_point(|comment| comment.start < span.end);
    let mut indentation = None;
    for comment in &draft.outline.comments[next..] {
        let Some(gap) = draft.text.get(span.end..comment.start) else { break };
        if gap.contains(|c: char| !c.is_whitespace() && c != ';') {
            break;
        }
        let is_below = gap.contains('\n');
        if is_below {
            let own = indentation.get_or_insert_with(|| {
                let start = body.first().map_or(0, |first| first.start().to_usize());
                indentation_at(draft, start).unwrap_or(usize::MAX)
            });
            if indentation_at(draft, comment.start).is_none_or(|column| column < *own) {
                break;
            }
        }
        span.end = comment.end;
    }
    span
}

/// How far the line of byte `at` is indented, if nothing else stands before it.
fn indentation_at(draft: &Draft<'_>, at: usize) -> Option<usize> {
    let before = draft.slice(&(0..at));
    let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
    line.bytes().try_fold(0, |column, byte| match byte {
        b' ' => Some(column + 1),
        b'\t' => Some(column + TAB),
        b'\x0c' | b'\r' => Some(0),
        _ => None,
    })
}

/// Where a declaration begins that `keyword` opens in front of its name at `name`, behind its decorators.
pub(super) fn start(draft: &Draft<'_>, range: TextRange, marks: &[Decorator], keyword: &str, name: TextRange) -> usize {
    let Some(last) = marks.last() else { return range.start().to_usize() };
    let from = last.end().to_usize();
    from + draft.slice(&(from..name.place().start)).rfind(keyword).unwrap_or_default()
}

/// The string that documents what `body` belongs to.
pub(super) fn docstring(body: &[Stmt]) -> Option<Span> {
    body.first().and_then(lone_string)
}

/// The string that `statement` is, if it is one literal and nothing else.
pub(super) fn lone_string(statement: &Stmt) -> Option<Span> {
    let statement = statement.as_expr_stmt()?;
    let is_one = match &*statement.value {
        Expr::StringLiteral(one) => !one.value.is_implicit_concatenated(),
        Expr::BytesLiteral(one) => !one.value.is_implicit_concatenated(),
        Expr::FString(one) => !one.value.is_implicit_concatenated(),
        Expr::TString(one) => !one.value.is_implicit_concatenated(),
        _ => false,
    };
    // Brackets make it a value.
    (is_one && statement.value.range() == statement.range).then(|| statement.range.place())
}

/// Reads code that runs when something went wrong.
pub(super) fn handler(draft: &mut Draft<'_>, node: &ExceptHandler) {
    let ExceptHandler::ExceptHandler(node) = node;
    let caught = node.type_.as_ref().map(|caught| match &**caught {
        // As `except A, error` was written, or any of several.
        Expr::Tuple(several) if !several.parenthesized => several.elts.first().map_or(several.range, Ranged::range),
        one => one.range(),
    });
    let span = with_comments(draft, node.range, &node.body);
    let body = block(draft, &node.body);
    draft.handler(span, body, caught.map(|caught| caught.place()), &FORMS);
}
