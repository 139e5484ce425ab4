//! JavaScript and TypeScript, with and without JSX, as an outline: parsed by oxc, read in one visit.

mod blocks;
mod budget;
mod calls;
mod declarations;
mod flow;
mod functions;
mod modules;
mod recovery;

use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast::ast::Program;
use oxc_ast_visit::Visit;
use oxc_diagnostics::Diagnostics;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType};
use schemas::item::SkipReason;

use super::comments;
use super::draft::{Draft, Place};
use super::fields::Fields;
use crate::effort;
use crate::outline::{Outline, Span};
use functions::FORMS;
use recovery::Copy;

impl Place for oxc_span::Span {
    fn place(&self) -> Span {
        self.start as usize..self.end as usize
    }
}

/// What is said of types in the first comment of a file that has those of Flow.
const FLOW_MARK: &str = "@flow";

/// The outline of JavaScript, with JSX. What is none may have types, which are those of TypeScript or, nearly, of Flow.
pub(super) fn javascript(path: &str, text: &str) -> Option<Outline> {
    outline(path, text, &[SourceType::unambiguous().with_jsx(true), SourceType::tsx().with_unambiguous(true)])
}

/// The outline of TypeScript.
pub(super) fn typescript(path: &str, text: &str) -> Option<Outline> {
    let declares_only = [".d.ts", ".d.mts", ".d.cts"].iter().any(|end| path.ends_with(end));
    outline(path, text, &[SourceType::ts().with_unambiguous(true).with_typescript_definition(declares_only)])
}

/// The outline of TypeScript with JSX, in which `<T>x` is no cast.
pub(super) fn tsx(path: &str, text: &str) -> Option<Outline> {
    outline(path, text, &[SourceType::tsx().with_unambiguous(true)])
}

/// The outline of `text`, in the first of `languages` in which it has no mistakes, or else in the one that makes the most of
/// it; `None` if it may need more than there is to parse it.
fn outline(path: &str, text: &str, languages: &[SourceType]) -> Option<Outline> {
    if !budget::suffices(text) {
        return None;
    }
    effort::note_parsed();
    let (mut with_errors, mut furthest) = (None, None);
    for language in languages {
        match parse(path, text, text, *language) {
            Ok(outline) if outline.first_error.is_none() => return Some(outline),
            Ok(outline) => with_errors = with_errors.or(Some(outline)),
            Err(at) if furthest.is_none_or(|(furthest, _)| at > furthest) => furthest = Some((at, *language)),
            Err(_) => {}
        }
    }
    with_errors.or_else(|| furthest.map(|(at, language)| partial_outline(path, text, at, language)))
}

/// The outline of what is left of `text` without what makes no sense in `language`, at byte `at` and further on.
fn partial_outline(path: &str, text: &str, at: usize, language: SourceType) -> Outline {
    let mut copy = Copy::new(text);
    copy.without_flow();
    let is_flow = text.contains(FLOW_MARK);
    let mut found = Err(at);
    for _attempt in 0..budget::attempts(text) {
        found = copy.text().map_or(Err(at), |kept| parse(path, text, kept, language));
        let Err(mistake) = found else { break };
        if !copy.leave_out(mistake) {
            break;
        }
    }
    let mut outline = found
        .unwrap_or_else(|_| Outline::of_comments(comments::comments(text, &comments::C_LIKE), SkipReason::ParseBudget));
    // What Flow has and TypeScript has not is no mistake where it is announced.
    let first = if is_flow && outline.gap.is_none() { copy.first_gap } else { Some(at) };
    outline.first_error = [first, outline.first_error].into_iter().flatten().min();
    outline
}

/// The outline of `kept`, which is all or a part of `text`, or where the parser gave up.
fn parse(path: &str, text: &str, kept: &str, language: SourceType) -> Result<Outline, usize> {
    let allocator = Allocator::default();
    let options = ParseOptions {
        // Modules of CommonJS are bodies of functions.
        allow_return_outside_function: true,
        enable_ident_hashes: false,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, kept, language).with_options(options).parse();
    // A byte that opens no token ends the text, and is no reason to give up.
    let unread = || kept.get(read_to(&parsed.program)..).unwrap_or_default().trim();
    if parsed.panicked || (!parsed.diagnostics.is_empty() && !unread().is_empty()) {
        // What ends too early is the end of the text only where nothing else is wrong.
        let end = kept.trim_end().len();
        let last = places(&parsed.diagnostics).filter(|at| *at < end).max();
        return Err(last.unwrap_or(end));
    }
    let mut draft = Draft::new(path, text, &Fields::NONE);
    draft.outline.first_error = places(&parsed.diagnostics).min();
    draft.outline.comments = parsed.program.comments.iter().map(|comment| comment.span.place()).collect();
    draft.visit_program(&parsed.program);
    Ok(draft.finish())
}

/// Where the last of `program` ends.
fn read_to(program: &Program<'_>) -> usize {
    let statement = program.body.last().map(GetSpan::span);
    let directive = program.directives.last().map(|one| one.span);
    let others = [program.hashbang.as_ref().map(|one| one.span), program.comments.last().map(|one| one.span)];
    let spans = others.into_iter().chain([statement, directive]).flatten();
    spans.map(|span| span.place().end).max().unwrap_or_default()
}

/// Where `errors` are.
fn places(errors: &Diagnostics) -> impl Iterator<Item = usize> {
    errors.iter().filter_map(|error| error.labels.first()).map(|label| label.offset() as usize)
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

#[cfg(test)]
mod tests;
