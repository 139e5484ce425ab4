//! What JavaScript and TypeScript declare: functions, classes, constants and types.

use oxc_ast::ast::{
    AssignmentExpression, AssignmentOperator, AssignmentTarget, BindingPattern, Class, Expression, Function,
    MethodDefinition, MethodDefinitionType, ObjectProperty, ObjectPropertyKind, PropertyDefinition, PropertyKey,
    TSAccessibility, TSInterfaceDeclaration, TSMethodSignature, VariableDeclarator,
};
use oxc_span::GetSpan;

use super::super::draft::{Draft, Members, Place};
use super::super::symbols::{self, Candidate};
use super::functions::Implementation;
use super::{calls, modules};
use crate::outline::{self, Body, Span};

/// Beginnings of comments that speak to tools.
const DIRECTIVES: &[&str] = &["eslint", "@ts-", "prettier", "istanbul", "c8 ", "biome", "tslint", "#region"];

/// What a function is declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By its own name, or as the value of a variable.
    Named,
    /// As the value of something else: `exports.run = ..`.
    Assigned,
    /// As a part of an object. Whoever takes the object chooses what its functions look like.
    Property,
    /// As a member of a class or interface.
    Member {
        /// Whether only the class itself, or what extends it, may use it.
        is_hidden: bool,
        /// Whether it says that it replaces a member of the base class.
        is_override: bool,
    },
}

/// Reads a declaration of a function, or a function without a name.
pub(super) fn function(draft: &mut Draft<'_>, node: &Function<'_>) {
    match &node.id {
        Some(name) if node.is_declaration() || node.is_ts_declare_function() => {
            note(draft, node.span.place(), name.span.place(), Form::Named, node.into());
        }
        _ => draft.closure(node.span, None),
    }
}

/// Reads a variable, which may be a function.
pub(super) fn variable(draft: &mut Draft<'_>, node: &VariableDeclarator<'_>) {
    match node.init.as_ref().and_then(Implementation::of) {
        Some(own) => note(draft, node.span.place(), node.id.span().place(), Form::Named, own),
        None => {
            if let BindingPattern::BindingIdentifier(name) = &node.id {
                declared(draft, node.span.place(), name.span.place());
            }
        }
    }
}

/// Reads an assignment, whose value may be a function.
pub(super) fn assignment(draft: &mut Draft<'_>, node: &AssignmentExpression<'_>) {
    if node.operator != AssignmentOperator::Assign {
        return;
    }
    if let Some(own) = Implementation::of(&node.right) {
        let name = last_name(&node.left);
        note(draft, node.span.place(), name, Form::Assigned, own);
    } else if draft.text_of(node.left.span()) == "module.exports" {
        match &node.right {
            Expression::Identifier(name) => modules::exported(draft, name.span),
            Expression::ObjectExpression(object) => {
                for part in &object.properties {
                    if let ObjectPropertyKind::ObjectProperty(part) = part
                        && part.shorthand
                    {
                        modules::exported(draft, part.key.span());
                    }
                }
            }
            _ => {}
        }
    }
}

/// The last name of what is assigned to, or all of it if it has none.
fn last_name(target: &AssignmentTarget<'_>) -> Span {
    match target {
        AssignmentTarget::StaticMemberExpression(member) => member.property.span.place(),
        AssignmentTarget::PrivateFieldExpression(member) => member.field.span.place(),
        _ => target.span().place(),
    }
}

/// Reads a part of an object, which may be a function.
pub(super) fn property(draft: &mut Draft<'_>, node: &ObjectProperty<'_>) {
    if let Some(own) = Implementation::of(&node.value) {
        let name = key(draft, &node.key, node.computed);
        note(draft, node.span.place(), name, Form::Property, own);
    }
}

/// Reads a method.
pub(super) fn method(draft: &mut Draft<'_>, node: &MethodDefinition<'_>) {
    let is_signature = node.value.body.is_none() && node.r#type == MethodDefinitionType::MethodDefinition;
    let is_hidden = is_signature || is_hidden(node.accessibility);
    let form = Form::Member { is_hidden, is_override: node.r#override };
    let name = key(draft, &node.key, node.computed);
    note(draft, node.span.place(), name, form, (&*node.value).into());
}

/// Reads a field, which may be a function.
pub(super) fn field(draft: &mut Draft<'_>, node: &PropertyDefinition<'_>) {
    if let Some(own) = node.value.as_ref().and_then(Implementation::of) {
        let form = Form::Member { is_hidden: is_hidden(node.accessibility), is_override: node.r#override };
        let name = key(draft, &node.key, node.computed);
        note(draft, node.span.place(), name, form, own);
    }
}

/// Reads a member of an interface.
pub(super) fn signature(draft: &mut Draft<'_>, node: &TSMethodSignature<'_>) {
    let form = Form::Member { is_hidden: true, is_override: false };
    let name = key(draft, &node.key, node.computed);
    note(draft, node.span.place(), name, form, node.into());
}

fn is_hidden(accessibility: Option<TSAccessibility>) -> bool {
    matches!(accessibility, Some(TSAccessibility::Private | TSAccessibility::Protected))
}

/// The name of a member, with its brackets if it is computed.
fn key(draft: &Draft<'_>, key: &PropertyKey<'_>, is_computed: bool) -> Span {
    let Span { start, end } = key.span().place();
    let before = draft.slice(&(0..start)).trim_end();
    let behind = draft.slice(&(end..draft.text.len()));
    let close = behind.len() - behind.trim_start().len();
    let has_brackets = is_computed && before.ends_with('[') && behind[close..].starts_with(']');
    if has_brackets { before.len() - 1..end + close + 1 } else { start..end }
}

/// Notes the function `name`, declared by `span` as `form`, and enters it.
fn note(draft: &mut Draft<'_>, span: Span, name: Span, form: Form, own: Implementation) {
    let implementation = own.span.clone();
    let function = own.function(draft, name);
    let function = member(draft, &span, form, function);
    let index = draft.outline.functions.len();
    let is_top = draft.scope().is_visible && draft.scope().class.is_none();
    if is_top && !function.is_bound && !function.is_public {
        draft.maybe_exported(function.name.clone(), function.is_documented, Some(index));
    }
    if let Some(class) = draft.scope().class.as_ref().filter(|_| function.shape == Body::Stub) {
        let class = draft.slice(class);
        draft.candidates.push(Candidate::Member { class, function: index });
    }
    draft.function(span, implementation, None, function);
}

/// What `function`, declared by `span` as `form`, is to those outside.
fn member(draft: &Draft<'_>, span: &Span, form: Form, function: outline::Function) -> outline::Function {
    let scope = draft.scope();
    let name = draft.slice(&function.name);
    let (is_public, is_bound) = match form {
        Form::Named => {
            // Before there were classes, a function with a capital was one; it may have nothing to set up.
            let is_constructor = function.shape == Body::Empty && name.starts_with(char::is_uppercase);
            (draft.exports.contains_key(&span.start), is_constructor)
        }
        Form::Assigned => {
            let object = draft.slice(&(span.start..function.name.start));
            let is_exported = object.starts_with("exports.") || object.starts_with("module.exports.");
            (is_exported && scope.function.is_none(), !is_exported && !object.ends_with(".prototype."))
        }
        Form::Property => (false, true),
        Form::Member { is_hidden, is_override } => {
            let is_private = is_hidden || name.starts_with(['_', '#']) || name == "constructor";
            (scope.is_visible && !is_private, scope.is_bound || is_override)
        }
    };
    let is_stub = function.shape == Body::Stub;
    let asks = is_stub && function.body.as_ref().is_some_and(|body| symbols::asks_for_override(draft.slice(body)));
    let is_hook = scope.is_abstract && matches!(function.shape, Body::Empty | Body::Stub);
    let is_abstract = function.body.is_none() || asks || is_hook;
    outline::Function {
        is_public,
        is_documented: is_documented(draft, span),
        is_bound: is_bound || is_abstract,
        is_abstract,
        is_overridable: scope.class.is_some() && !name.starts_with('#'),
        ..function
    }
}

/// Whether a comment for people stands right above the declaration at `span` or the export of it.
fn is_documented(draft: &Draft<'_>, span: &Span) -> bool {
    let start = draft.exports.get(&span.start).copied().unwrap_or_else(|| start_of_declaration(draft, span.start));
    let documents = |text: &str| {
        let text = text.trim_start_matches(['/', '*', ' ']);
        !text.is_empty() && !DIRECTIVES.iter().any(|directive| text.starts_with(directive))
    };
    draft.comment_above(start, 1).is_some_and(documents)
}

/// Where the declaration begins of which the declarator at byte `start` is the first: with its keyword.
fn start_of_declaration(draft: &Draft<'_>, start: usize) -> usize {
    let before = draft.slice(&(0..start)).trim_end();
    let keyword = ["const", "let", "var"].iter().find(|keyword| before.ends_with(*keyword));
    keyword.map_or(start, |word| before.len() - word.len())
}

/// Reads a declaration of a type, class or constant.
pub(super) fn declared(draft: &mut Draft<'_>, span: Span, name: Span) {
    let is_documented = is_documented(draft, &span);
    if draft.exports.contains_key(&span.start) {
        draft.symbol(name, is_documented);
    } else if draft.scope().is_visible && draft.scope().class.is_none() {
        draft.maybe_exported(name, is_documented, None);
    }
}

/// Reads an interface.
pub(super) fn interface(draft: &mut Draft<'_>, node: &TSInterfaceDeclaration<'_>) {
    let (span, name) = (node.span.place(), node.id.span.place());
    let is_visible = draft.exports.contains_key(&span.start);
    declared(draft, span.clone(), name.clone());
    draft.class(span, Some(name), is_visible, Members::Abstract);
}

/// Reads a class.
pub(super) fn class(draft: &mut Draft<'_>, node: &Class<'_>) {
    let span = node.span.place();
    let name = node.id.as_ref().map(|name| name.span.place());
    if let Some(name) = &name {
        declared(draft, span.clone(), name.clone());
    }
    if let Some(base) = node.heritage.as_ref().and_then(|heritage| calls::name(&heritage.expression)) {
        draft.bases.insert(draft.text_of(base));
    }
    let reads_as_abstract = name.as_ref().is_some_and(|name| symbols::reads_as_abstract(draft.slice(name)));
    let members = if node.r#abstract || reads_as_abstract {
        Members::Abstract
    } else if node.heritage.is_some() || !node.implements.is_empty() {
        Members::Bound
    } else {
        Members::Free
    };
    let is_visible = draft.exports.contains_key(&span.start);
    // Members know that they are in a class even if it has no name.
    let name = name.unwrap_or(span.start..span.start);
    draft.class(span, Some(name), is_visible, members);
}
