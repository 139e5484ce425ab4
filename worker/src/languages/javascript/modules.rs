//! What a file of JavaScript or TypeScript takes from others, and what it makes visible to them.

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Declaration, ExportDeclaration, ExportDefaultDeclarationKind, ExportNamedDeclaration, Expression, StringLiteral,
    TSModuleReference,
};
use oxc_span::GetSpan;

use super::super::draft::{Draft, Place};
use crate::outline::{Import, Span};

/// Reads an import or export.
pub(super) fn enter(draft: &mut Draft<'_>, kind: AstKind<'_>) {
    match kind {
        AstKind::ImportDeclaration(one) => import(draft, one.span.place(), &one.source),
        AstKind::ExportAllDeclaration(one) => import(draft, one.span.place(), &one.source),
        AstKind::ExportFromDeclaration(one) => import(draft, one.span.place(), &one.source),
        AstKind::TSImportEqualsDeclaration(one) => {
            if let TSModuleReference::ExternalModuleReference(module) = &one.module_reference {
                import(draft, one.span.place(), &module.expression);
            }
        }
        // What is exported inside a function is a mistake, and nobody outside sees it.
        _ if draft.scope().function.is_some() => {}
        AstKind::ExportDeclaration(one) => declaration(draft, one),
        AstKind::ExportNamedDeclaration(one) => names(draft, one),
        AstKind::ExportDefaultDeclaration(one) => default(draft, one.span.place().start, &one.declaration),
        _ => {}
    }
}

/// Notes that `module` is loaded by `span`.
pub(super) fn import(draft: &mut Draft<'_>, span: Span, module: &StringLiteral<'_>) {
    let Span { start, end } = module.span.place();
    draft.outline.imports.push(Import { span, module: start + 1..end - 1 });
}

/// Notes that what is declared elsewhere as `name` is visible.
pub(super) fn exported(draft: &mut Draft<'_>, name: impl Place) {
    draft.exported.insert(draft.text_of(name));
}

/// Notes that the declaration in `export` is visible.
fn declaration(draft: &mut Draft<'_>, export: &ExportDeclaration<'_>) {
    let start = export.span.place().start;
    if let Declaration::VariableDeclaration(variables) = &export.declaration {
        draft.exports.extend(variables.declarations.iter().map(|one| (one.span.place().start, start)));
    } else {
        draft.exports.insert(export.declaration.span().place().start, start);
    }
}

/// Notes the names of `export { a, b }`.
fn names(draft: &mut Draft<'_>, export: &ExportNamedDeclaration<'_>) {
    for specifier in &export.specifiers {
        exported(draft, specifier.local.span());
    }
}

/// Notes what `export default` makes visible, if it has a name.
fn default(draft: &mut Draft<'_>, start: usize, value: &ExportDefaultDeclarationKind<'_>) {
    let is_named = match value {
        ExportDefaultDeclarationKind::FunctionDeclaration(one) => one.id.is_some(),
        ExportDefaultDeclarationKind::ClassDeclaration(one) => one.id.is_some(),
        ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
        _ => false,
    };
    if is_named {
        draft.exports.insert(value.span().place().start, start);
    } else if let Some(Expression::Identifier(name)) = value.as_expression() {
        exported(draft, name.span);
    }
}
