//! What C and C++ declare: functions, types and constants.

use tree_sitter::Node;

use super::{FORMS, headings, is_test_file};
use crate::languages::body;
use crate::languages::draft::{self, Draft, Members};
use crate::languages::fields::{Field, Fields};
use crate::languages::symbols;
use crate::outline::{Body, Function, Test};
use crate::paths;

/// Longest chain of declarators that is looked through; `int *(*f(void))(int)` has five.
pub(super) const DECLARATORS_MAX: usize = 16;

/// How many parts of a declaration are searched for words such as `virtual` and `override`.
const SPECIFIERS_MAX: usize = 8;

/// Extensions of files that others include.
const HEADERS: &[&str] = &["h", "hh", "hpp", "hxx", "inl", "ipp", "tcc", "tpp"];

/// A declarator, taken apart.
struct Declared<'t> {
    /// The name.
    name: Node<'t>,
    /// The innermost declarator of a function, if it is one.
    function: Option<Node<'t>>,
    /// Whether the name is of a member of a class that is declared elsewhere: `A::f`.
    is_qualified: bool,
}

fn declared<'t>(fields: &Fields, declaration: Node<'t>) -> Option<Declared<'t>> {
    let mut node = fields.child(declaration, Field::Declarator)?;
    let mut found = Declared { name: node, function: None, is_qualified: false };
    for _link in 0..DECLARATORS_MAX {
        found.name = node;
        let inner = match node.kind() {
            "qualified_identifier" | "template_function" => {
                found.is_qualified |= node.kind() == "qualified_identifier";
                fields.child(node, Field::Name)
            }
            // Neither brackets nor references name the field that holds what they are around.
            "parenthesized_declarator" | "reference_declarator" => node.named_child(0),
            kind => {
                if kind == "function_declarator" {
                    found.function = Some(node);
                }
                fields.child(node, Field::Declarator)
            }
        };
        let Some(inner) = inner else { break };
        node = inner;
    }
    Some(found)
}

/// Reads the definition of a function.
pub(super) fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(found) = declared(draft.fields, node) else { return };
    let parameters = found.function.and_then(|function| draft.field(function, Field::Parameters));
    let kind = draft.field(node, Field::Type).map_or("", |kind| draft.text_of(kind));
    let block = draft.field(node, Field::Body);
    let text = draft.text_of(found.name);
    let is_macro = headings::begins_test(text) && parameters.is_some();
    // `START_TEST(a)` reads like a type and a name in brackets; `TEST(A, b)` like a function of two parameters.
    let by_type = headings::begins_test(kind) && parameters.is_none();
    if is_test_file(draft) && (is_macro || by_type) {
        let title = parameters.filter(|_| is_macro).unwrap_or(found.name);
        let heading = headings::heading(draft, title, if is_macro { text } else { kind });
        return headings::test(draft, node, block, heading);
    }
    let rest = text.strip_prefix("test").unwrap_or_default();
    let given = parameters.map_or("", |list| draft.text_of(list)).trim_matches(['(', ')', ' ']);
    let is_named = rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit());
    // Without something to assert with, compilers' inputs and devices' self-tests would be taken for tests.
    let is_test = is_named
        && draft.has_blocks
        && draft.is_test_file
        && (matches!(given, "" | "void") || given.starts_with("void *"));
    // A test that returns something returns whether it passed.
    let test =
        is_test.then(|| Test { statements: body::count(block), fails_otherwise: kind != "void", ..Test::default() });
    let function = Function { test, ..described(draft, node, &found) };
    draft.function(node, node, None, function);
}

/// What a function is, apart from being a test.
fn described(draft: &Draft<'_>, node: Node<'_>, found: &Declared<'_>) -> Function {
    let scope = draft.scope();
    let block = draft.field(node, Field::Body);
    let shape = match body::shape(draft, draft.block(block), &FORMS) {
        Body::Empty if has_child(node, "field_initializer_list") => Body::Other,
        shape => shape,
    };
    let list = found.function.and_then(|function| draft.field(function, Field::Parameters));
    let is_void = list.is_some_and(|list| draft.text_of(list) == "(void)");
    let asks = || block.is_some_and(|block| symbols::asks_for_override(draft.text_of(block)));
    let is_hook = shape == Body::Empty && has_child(node, "virtual");
    let is_abstract = is_hook || (shape == Body::Stub && asks());
    // Operators, constructors and destructors look as the language wants it.
    let is_constructor = draft.field(node, Field::Type).is_none();
    let is_given = is_constructor || draft.text_of(found.name) == "main" || !found.name.kind().ends_with("identifier");
    Function {
        name: found.name.byte_range(),
        body: block.map(|block| block.byte_range()),
        shape,
        parameters: if is_void { 0 } else { draft::count(list, |one| !one.is_extra()) },
        is_public: is_seen(draft),
        is_documented: is_documented(draft, node),
        // A member that is defined outside its class was declared in it.
        is_bound: scope.is_bound || found.is_qualified || is_given || is_abstract || overrides(draft, found.function),
        is_abstract,
        ..Function::default()
    }
}

/// Whether one of the first parts of `node` is of `kind`.
fn has_child(node: Node<'_>, kind: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).take(SPECIFIERS_MAX).any(|child| child.kind() == kind)
}

/// Whether what is declared here can be used from outside: only what a header holds can.
fn is_seen(draft: &Draft<'_>) -> bool {
    let is_header = paths::extension(draft.path).is_some_and(|found| HEADERS.contains(&found));
    is_header && draft.scope().is_visible && draft.scope().function.is_none()
}

fn is_documented(draft: &Draft<'_>, declaration: Node<'_>) -> bool {
    draft.comment_above(declaration.start_byte(), 1).is_some()
}

/// Whether a member says that it overrides one of a base class.
fn overrides(draft: &Draft<'_>, function: Option<Node<'_>>) -> bool {
    let Some(function) = function else { return false };
    let mut cursor = function.walk();
    let mut specifiers = function.named_children(&mut cursor).take(SPECIFIERS_MAX);
    specifiers.any(|one| one.kind() == "virtual_specifier" && matches!(draft.text_of(one), "override" | "final"))
}

/// Notes what a header declares without defining it: functions, constants and names of types.
pub(super) fn declaration(draft: &mut Draft<'_>, node: Node<'_>) {
    if !is_seen(draft) {
        return;
    }
    let Some(found) = declared(draft.fields, node) else { return };
    let is_type = node.kind() == "type_definition";
    if (found.function.is_some() || is_type) && !found.is_qualified && !overrides(draft, found.function) {
        let is_documented = is_documented(draft, node);
        draft.symbol(found.name.byte_range(), is_documented);
    }
}

/// Enters a class or namespace, or notes who can see the members that follow.
pub(super) fn container(draft: &mut Draft<'_>, node: Node<'_>) {
    match node.kind() {
        "access_specifier" => {
            // In front of a base class the same words say something else.
            let is_label = draft.text.get(node.end_byte()..).is_some_and(|rest| rest.trim_start().starts_with(':'));
            let is_public = draft.text_of(node) == "public";
            if is_label {
                draft.now(|scope| scope.is_visible = is_public);
            }
        }
        "namespace_definition" => {
            let name = draft.field(node, Field::Name).map_or("", |name| draft.text_of(name));
            // What has no name, or such a one, is for the file or library itself.
            let is_own = matches!(name, "" | "detail" | "details" | "impl" | "internal");
            draft.open(node, |scope| scope.is_visible &= !is_own);
        }
        _ => class(draft, node),
    }
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    // Without a body it is only mentioned.
    if draft.field(node, Field::Body).is_none() {
        return;
    }
    let name = draft.field(node, Field::Name).map(|name| name.byte_range());
    let is_seen = is_seen(draft);
    if let Some(name) = name.clone().filter(|_| is_seen) {
        let is_documented = is_documented(draft, node);
        draft.symbol(name, is_documented);
    }
    let is_visible = draft.scope().is_visible && node.kind() == "struct_specifier";
    draft.class(node, name, is_visible, Members::Free);
}
