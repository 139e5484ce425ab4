//! What JavaScript and TypeScript declare and export: functions, classes, constants and types.

use tree_sitter::Node;

use super::body::{self, Forms};
use super::calls;
use super::draft::{self, Draft, Members};
use super::symbols::{self, Candidate};
use crate::outline::{Body, Function, Span};

/// Bodies that do next to nothing.
pub(super) const FORMS: Forms = Forms {
    nothing: &[],
    success: &["true", "0", "null", "Promise.resolve(true)"],
    is_stub: |statement| statement.starts_with("throw") && body::says_unfinished(statement),
};

/// Beginnings of comments that speak to tools.
const DIRECTIVES: &[&str] = &["eslint", "@ts-", "prettier", "istanbul", "c8 ", "biome", "tslint", "#region"];

/// Most modifiers in front of a member that are looked at.
const MODIFIERS_MAX: usize = 4;

/// Whether `node` is a function that is a value.
pub(super) fn is_function(node: Node<'_>) -> bool {
    matches!(node.kind(), "arrow_function" | "function_expression" | "generator_function")
}

/// Reads a declaration that is a function, or whose value is one.
pub(super) fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let fields = match node.kind() {
        "assignment_expression" => ("left", "right"),
        "field_definition" => ("property", "value"),
        "pair" => ("key", "value"),
        _ => ("name", "value"),
    };
    let Some(name) = node.child_by_field_name(fields.0) else { return };
    let value = node.child_by_field_name(fields.1);
    let own = match node.kind() {
        "assignment_expression" | "field_definition" | "pair" | "public_field_definition" | "variable_declarator" => {
            value.filter(|value| is_function(*value))
        }
        _ => Some(node),
    };
    let Some(own) = own else { return value_only(draft, node, name, value) };
    let function = member(draft, node, name, described(draft, own, calls::last_name(name)));
    let (index, is_free) = (draft.outline.functions.len(), !function.is_bound);
    let is_top = draft.scope().is_visible && draft.scope().class.is_none();
    if is_top && is_free && !function.is_public {
        draft.maybe_exported(function.name.clone(), function.is_documented, Some(index));
    }
    if let Some(class) = draft.scope().class.as_ref().filter(|_| function.shape == Body::Stub) {
        let class = draft.slice(class);
        draft.candidates.push(Candidate::Member { class, function: index });
    }
    draft.function(node, own, None, function);
}

/// Reads a declaration whose value is no function.
fn value_only(draft: &mut Draft<'_>, node: Node<'_>, name: Node<'_>, value: Option<Node<'_>>) {
    match node.kind() {
        "variable_declarator" if name.kind() == "identifier" => declared(draft, node, name),
        "assignment_expression" if draft.text_of(name) == "module.exports" => {
            if let Some(value) = value {
                exported_by(draft, value);
            }
        }
        _ => {}
    }
}

/// Notes the names in `value` of `module.exports = value`.
fn exported_by(draft: &mut Draft<'_>, value: Node<'_>) {
    let mut cursor = value.walk();
    let parts = value.named_children(&mut cursor).filter(|part| part.kind() == "shorthand_property_identifier");
    let own = Some(value).filter(|value| value.kind() == "identifier");
    draft
        .exported
        .extend(own.into_iter().chain(parts).map(|name| draft.text.get(name.byte_range()).unwrap_or_default()));
}

/// What a function is, whatever it is declared as.
pub(super) fn described(draft: &Draft<'_>, own: Node<'_>, name: Node<'_>) -> Function {
    let body = own.child_by_field_name("body");
    let is_this = |one: &Node<'_>| one.child_by_field_name("pattern").is_some_and(|pattern| pattern.kind() == "this");
    let list = own.child_by_field_name("parameters");
    let parameters = match own.child_by_field_name("parameter") {
        Some(_) => 1,
        None => draft::count(list, |one| !one.is_extra() && !is_this(one)),
    };
    Function {
        name: name.byte_range(),
        body: body.map(|body| body.byte_range()),
        shape: body::shape(draft, body, &FORMS),
        parameters,
        ..Function::default()
    }
}

/// What `function`, declared by `node` under `name`, is to those outside.
fn member(draft: &Draft<'_>, node: Node<'_>, name: Node<'_>, function: Function) -> Function {
    let scope = draft.scope();
    let text = draft.text_of(calls::last_name(name));
    let mut cursor = node.walk();
    let modifiers: Vec<&str> = node
        .named_children(&mut cursor)
        .take(MODIFIERS_MAX)
        .map(|child| match child.kind() {
            "accessibility_modifier" | "override_modifier" => draft.text_of(child),
            _ => "",
        })
        .collect();
    let is_private =
        text.starts_with(['_', '#']) || modifiers.iter().any(|one| matches!(*one, "private" | "protected"));
    let path = calls::path(name).map_or("", |path| draft.slice(&path));
    let is_exported = draft.exports.contains_key(&node.id());
    let (is_public, is_bound) = match node.kind() {
        // Whoever takes the object chooses what its functions look like.
        "method_definition" | "pair" if scope.class.is_none() => (false, true),
        "assignment_expression" => {
            let is_exported = path.starts_with("exports.") || path.starts_with("module.exports.");
            (is_exported && scope.function.is_none(), !is_exported && !path.contains(".prototype."))
        }
        "function_declaration" | "function_signature" | "generator_function_declaration" | "variable_declarator" => {
            // Before there were classes, a function with a capital was one; it may have nothing to set up.
            let is_constructor = function.shape == Body::Empty && text.starts_with(char::is_uppercase);
            (is_exported, is_constructor)
        }
        _ => (scope.is_visible && !is_private, scope.is_bound || modifiers.contains(&"override")),
    };
    let is_signature = node.kind().ends_with("_signature");
    let asks = function.shape == Body::Stub
        && function.body.as_ref().is_some_and(|body| symbols::asks_for_override(draft.slice(body)));
    let is_abstract = is_signature || asks || (scope.is_abstract && matches!(function.shape, Body::Empty | Body::Stub));
    Function {
        is_public: is_public && text != "constructor" && node.kind() != "method_signature",
        is_documented: is_documented(draft, node),
        is_bound: is_bound || is_abstract,
        is_abstract,
        is_overridable: scope.class.is_some() && !text.starts_with('#'),
        ..function
    }
}

/// Whether a comment for people stands right above `node` or the export of it.
fn is_documented(draft: &Draft<'_>, node: Node<'_>) -> bool {
    let start = draft.exports.get(&node.id()).copied().unwrap_or_else(|| start_of_declaration(draft, node));
    let documents = |text: &str| {
        let text = text.trim_start_matches(['/', '*', ' ']);
        !text.is_empty() && !DIRECTIVES.iter().any(|directive| text.starts_with(directive))
    };
    draft.comment_above(start, 1).is_some_and(documents)
}

/// Where the declaration begins that `node` is in: with its keyword.
fn start_of_declaration(draft: &Draft<'_>, node: Node<'_>) -> usize {
    let before = draft.slice(&(0..node.start_byte())).trim_end();
    let keyword = ["const", "let", "var"].iter().find(|keyword| before.ends_with(*keyword));
    keyword.filter(|_| node.kind() == "variable_declarator").map_or(node.start_byte(), |word| before.len() - word.len())
}

/// Notes what `export` makes visible: the declaration in it, or names declared elsewhere.
pub(super) fn export(draft: &mut Draft<'_>, node: Node<'_>) {
    if node.child_by_field_name("source").is_some() || draft.scope().function.is_some() {
        return;
    }
    let start = node.start_byte();
    let mut cursor = node.walk();
    if let Some(declaration) = node.child_by_field_name("declaration") {
        draft.exports.insert(declaration.id(), start);
        if matches!(declaration.kind(), "lexical_declaration" | "variable_declaration") {
            draft.exports.extend(declaration.named_children(&mut cursor).map(|one| (one.id(), start)));
        }
        return;
    }
    if let Some(value) = node.child_by_field_name("value").filter(|value| value.kind() == "identifier") {
        draft.exported.insert(draft.text.get(value.byte_range()).unwrap_or_default());
        return;
    }
    let clause = node.named_children(&mut cursor).find(|child| child.kind() == "export_clause");
    let Some(clause) = clause else { return };
    let mut cursor = clause.walk();
    for name in clause.named_children(&mut cursor).filter_map(|one| one.child_by_field_name("name")) {
        draft.exported.insert(draft.text.get(name.byte_range()).unwrap_or_default());
    }
}

/// Notes a type, class or constant that can be used from outside.
fn declared(draft: &mut Draft<'_>, node: Node<'_>, name: Node<'_>) {
    let is_documented = is_documented(draft, node);
    if draft.exports.contains_key(&node.id()) {
        draft.symbol(name.byte_range(), is_documented);
    } else if draft.scope().is_visible && draft.scope().class.is_none() {
        draft.maybe_exported(name.byte_range(), is_documented, None);
    }
}

/// Reads an enumeration or an alias of a type.
pub(super) fn declaration(draft: &mut Draft<'_>, node: Node<'_>) {
    if let Some(name) = node.child_by_field_name("name") {
        declared(draft, node, name);
    }
}

/// Reads a class or interface.
pub(super) fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    declaration(draft, node);
    let mut cursor = node.walk();
    let heritage = node.named_children(&mut cursor).find(|child| child.kind() == "class_heritage");
    if let Some(base) = heritage.and_then(base) {
        draft.bases.insert(draft.text.get(base).unwrap_or_default());
    }
    let name = node.child_by_field_name("name").map(|name| name.byte_range());
    let reads_as_abstract = name.as_ref().is_some_and(|name| symbols::reads_as_abstract(draft.slice(name)));
    let members = match node.kind() {
        "abstract_class_declaration" | "interface_declaration" => Members::Abstract,
        _ if reads_as_abstract => Members::Abstract,
        _ if heritage.is_some() => Members::Bound,
        _ => Members::Free,
    };
    let is_visible = draft.exports.contains_key(&node.id());
    // Members know that they are in a class even if it has no name.
    let name = name.unwrap_or(node.start_byte()..node.start_byte());
    draft.class(node, Some(name), is_visible, members);
}

/// The last name of what a class extends.
fn base(heritage: Node<'_>) -> Option<Span> {
    let first = heritage.named_child(0)?;
    let value = if first.kind() == "extends_clause" { first.child_by_field_name("value")? } else { first };
    Some(calls::last_name(value).byte_range())
}
