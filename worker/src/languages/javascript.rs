//! JavaScript and TypeScript, with and without JSX, as an outline: parsed by oxc, read in one visit.

mod blocks;
mod budget;
mod calls;
mod declarations;
mod functions;
mod modules;

use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast_visit::Visit;
use oxc_diagnostics::Diagnostics;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType};
use schemas::item::SkipReason;

use super::comments;
use super::draft::{Draft, Place};
use crate::effort;
use crate::outline::{Outline, Span};
use functions::FORMS;

impl Place for oxc_span::Span {
    fn place(&self) -> Span {
        self.start as usize..self.end as usize
    }
}

/// The outline of JavaScript, with JSX.
pub(super) fn javascript(path: &str, text: &str) -> Option<Outline> {
    outline(path, text, SourceType::unambiguous().with_jsx(true))
}

/// The outline of TypeScript.
pub(super) fn typescript(path: &str, text: &str) -> Option<Outline> {
    let declares_only = [".d.ts", ".d.mts", ".d.cts"].iter().any(|end| path.ends_with(end));
    outline(path, text, SourceType::ts().with_unambiguous(true).with_typescript_definition(declares_only))
}

/// The outline of TypeScript with JSX, in which `<T>x` is no cast.
pub(super) fn tsx(path: &str, text: &str) -> Option<Outline> {
    outline(path, text, SourceType::tsx().with_unambiguous(true))
}

/// The outline of `text`; `None` if it may need more than there is to parse it.
fn outline(path: &str, text: &str, language: SourceType) -> Option<Outline> {
    if !budget::suffices(text) {
        return None;
    }
    effort::note_parsed();
    let allocator = Allocator::default();
    let options = ParseOptions {
        // Modules of CommonJS are bodies of functions.
        allow_return_outside_function: true,
        enable_ident_hashes: false,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, text, language).with_options(options).parse();
    let first_error = first_error(&parsed.diagnostics);
    if parsed.panicked {
        let comments = comments::comments(text, &comments::C_LIKE);
        return Some(Outline { first_error, ..Outline::of_comments(comments, SkipReason::ParseBudget) });
    }
    let mut draft = Draft::new(path, text);
    draft.outline.first_error = first_error;
    draft.outline.comments = parsed.program.comments.iter().map(|comment| comment.span.place()).collect();
    draft.visit_program(&parsed.program);
    Some(draft.finish())
}

/// Where the first of `errors` is.
fn first_error(errors: &Diagnostics) -> Option<usize> {
    let labels = errors.iter().filter_map(|error| error.labels.first());
    labels.map(|label| label.offset() as usize).min()
}

impl<'a> Visit<'a> for Draft<'_> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        self.close_before(kind.span().place().start);
        match kind {
            AstKind::StringLiteral(one) => self.outline.strings.push(one.span.place()),
            AstKind::Function(one) => declarations::function(self, one),
            AstKind::ArrowFunctionExpression(one) => self.closure(one.span, None),
            AstKind::VariableDeclarator(one) => declarations::variable(self, one),
            AstKind::AssignmentExpression(one) => declarations::assignment(self, one),
            AstKind::ObjectProperty(one) => declarations::property(self, one),
            AstKind::MethodDefinition(one) => declarations::method(self, one),
            AstKind::PropertyDefinition(one) => declarations::field(self, one),
            AstKind::TSMethodSignature(one) => declarations::signature(self, one),
            AstKind::Class(one) => declarations::class(self, one),
            AstKind::TSInterfaceDeclaration(one) => declarations::interface(self, one),
            AstKind::TSEnumDeclaration(one) => declarations::declared(self, one.span.place(), one.id.span.place()),
            AstKind::TSTypeAliasDeclaration(one) => declarations::declared(self, one.span.place(), one.id.span.place()),
            AstKind::CallExpression(one) => calls::call(self, one),
            AstKind::TaggedTemplateExpression(one) => calls::tagged_template(self, one),
            AstKind::NewExpression(one) => calls::construction(self, one),
            AstKind::ImportExpression(one) => calls::dynamic_import(self, one),
            AstKind::IfStatement(one) => self.branch(one.span, one.alternate.as_ref().map(GetSpan::span)),
            AstKind::ConditionalExpression(one) => self.ternary(one.span),
            AstKind::ArrayExpression(_) | AstKind::ObjectExpression(_) => self.table(kind.span()),
            AstKind::SwitchStatement(one) => self.switch(one.span),
            AstKind::DoWhileStatement(_)
            | AstKind::ForInStatement(_)
            | AstKind::ForOfStatement(_)
            | AstKind::ForStatement(_)
            | AstKind::WhileStatement(_) => self.looped(kind.span()),
            AstKind::LogicalExpression(_) => self.decision(),
            AstKind::TryStatement(one) => self.guarded(one.span, Some(functions::block(&one.block))),
            AstKind::CatchClause(one) => self.handler(one.span, Some(functions::block(&one.body)), None, &FORMS),
            AstKind::ThrowStatement(_) => self.assertion(),
            _ => modules::enter(self, kind),
        }
    }
}
