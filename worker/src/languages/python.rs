//! Python, as an outline: parsed by ruff's parser, read in one visit.

mod blocks;
mod budget;
mod calls;
mod classes;
mod decorators;
mod functions;
mod imports;
mod texts;

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_comprehension, walk_elif_else_clause, walk_except_handler, walk_expr, walk_match_case,
    walk_stmt,
};
use ruff_python_ast::{
    Comprehension, ElifElseClause, ExceptHandler, Expr, ExprContext, Identifier, MatchCase, PySourceType, Stmt,
};
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::{Ranged, TextRange};

use super::draft::{Draft, Place};
use super::fields::Fields;
use crate::effort;
use crate::outline::{Outline, Span};

impl Place for TextRange {
    fn place(&self) -> Span {
        self.start().to_usize()..self.end().to_usize()
    }
}

/// The outline of `text`; `None` if it may need more than there is to parse it.
pub(super) fn outline(path: &str, text: &str) -> Option<Outline> {
    if !budget::suffices(text) {
        return None;
    }
    effort::note_parsed();
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let mut draft = Draft::new(path, text, &Fields::NONE);
    draft.outline.first_error = parsed.errors().iter().map(|error| error.location.start().to_usize()).min();
    texts::note(&mut draft.outline, parsed.tokens());
    draft.outline.docstrings.extend(blocks::docstring(parsed.suite()));
    draft.visit_body(parsed.suite());
    Some(draft.finish())
}

impl<'a> SourceOrderVisitor<'a> for Draft<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.close_before(stmt.start().to_usize());
        match stmt {
            Stmt::FunctionDef(one) => return functions::visit(self, one),
            Stmt::ClassDef(one) => return classes::visit(self, one),
            Stmt::If(one) => self.branch(one.range, None),
            Stmt::Match(one) => {
                let last = one.cases.last().map(|case| &*case.body);
                self.switch(blocks::with_comments(self, one.range, last.unwrap_or_default()));
            }
            Stmt::For(_) | Stmt::While(_) => self.looped(stmt.range()),
            Stmt::Try(one) => self.guarded(one.range, blocks::block(self, &one.body)),
            Stmt::Assert(one) => {
                self.outline.asserts.push(one.range.place());
                self.assertion();
            }
            Stmt::Raise(_) => self.assertion(),
            Stmt::Import(one) => imports::names(self, one),
            Stmt::ImportFrom(one) => imports::from(self, one),
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            // What is quoted counts as a string, whatever stands in it.
            Expr::Name(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::FString(_)
            | Expr::TString(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => return,
            Expr::Attribute(_) | Expr::BinOp(_) | Expr::Compare(_) | Expr::Subscript(_) | Expr::UnaryOp(_) => {}
            _ => {
                self.close_before(expr.start().to_usize());
                expression(self, expr);
            }
        }
        walk_expr(self, expr);
    }

    fn visit_elif_else_clause(&mut self, clause: &'a ElifElseClause) {
        if clause.test.is_some() {
            self.close_before(clause.start().to_usize());
            self.decision();
        }
        walk_elif_else_clause(self, clause);
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        self.close_before(comprehension.start().to_usize());
        comprehension.ifs.iter().for_each(|_| self.decision());
        walk_comprehension(self, comprehension);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        self.close_before(handler.start().to_usize());
        blocks::handler(self, handler);
        walk_except_handler(self, handler);
    }

    fn visit_match_case(&mut self, case: &'a MatchCase) {
        if case.guard.is_some() {
            self.close_before(case.start().to_usize());
            self.decision();
        }
        walk_match_case(self, case);
    }

    fn visit_identifier(&mut self, _: &'a Identifier) {}
}

/// Reads an expression that may branch, call or list something.
fn expression(draft: &mut Draft<'_>, expr: &Expr) {
    match expr {
        Expr::Call(one) => calls::call(draft, one),
        Expr::Lambda(one) => draft.closure(one.range, None),
        Expr::BoolOp(one) => one.values.iter().skip(1).for_each(|_| draft.decision()),
        Expr::If(_) => draft.decision(),
        Expr::Dict(_) | Expr::Set(_) => draft.table(expr.range()),
        Expr::List(one) if one.ctx != ExprContext::Store => draft.table(one.range),
        Expr::Tuple(one) if one.parenthesized && one.ctx != ExprContext::Store => draft.table(one.range),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
