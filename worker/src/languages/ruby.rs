//! Ruby, as an outline: its tests are methods of minitest's classes, or blocks of RSpec and minitest.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::draft::{self, Draft};
use super::fields::Field;
use super::plain::{self, Kind, arguments, child};
use super::walk::{Grammar, Role};
use crate::outline::{Body, Discard, Function};

/// The grammar of Ruby.
pub(super) static RUBY: Grammar =
    Grammar { language: || tree_sitter_ruby::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &["nil"],
    success: &["true"],
    is_stub: |statement| {
        statement.starts_with("raise NotImplementedError")
            || (statement.starts_with("raise") && body::says_unfinished(statement))
    },
};

/// Beginnings of names in minitest that fail a test.
const FAILING: &[&str] = &["flunk", "must_", "refute", "wont_"];

/// Methods by which RSpec holds a value against a matcher, and what ends a test in failure.
const MATCHING: &[&str] = &["not_to", "raise", "to", "to_not"];

/// Line breaks between `:stopdoc:` and the first of what it hides.
const STOP_BREAKS_MAX: usize = 2;

/// Words in a class that hide methods and constants from others.
const HIDING: &[&str] = &["private", "private_class_method", "private_constant", "protected"];

/// Methods that Ruby itself calls, or that everybody knows.
const COMMON: &[&str] = &[
    "call",
    "each",
    "eql?",
    "extended",
    "hash",
    "included",
    "inherited",
    "initialize",
    "inspect",
    "method_missing",
    "prepended",
    "respond_to_missing?",
    "to_a",
    "to_h",
    "to_s",
];

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "heredoc_body" | "regex" | "string" | "string_array" | "subshell" => Role::Text,
        "method" | "singleton_method" => Role::Function,
        "block" | "do_block" | "lambda" => Role::Closure,
        "class" | "module" => Role::Container,
        "call" => Role::Call,
        "identifier" => Role::Statement,
        "conditional" | "if" | "if_modifier" | "unless" | "unless_modifier" => Role::Branch,
        "case" | "case_match" => Role::Switch,
        "for" | "until" | "until_modifier" | "while" | "while_modifier" => Role::Loop,
        "elsif" => Role::Decision,
        "binary" => Role::Operator,
        "begin" | "body_statement" => Role::Guarded,
        "rescue" => Role::Handler,
        "rescue_modifier" => Role::Try,
        "array" | "hash" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => method(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => {
            let base = draft.field(node, Field::Superclass).map_or("", |base| draft.text_of(base));
            let is_test_class = base.contains("Test");
            // A module is there to be mixed in.
            let kind = if node.kind() == "module" { Kind::Abstract } else { Kind::Class };
            let name = draft.field(node, Field::Name).map(|name| name.byte_range());
            let is_derived = !base.is_empty();
            // A module is most often but a name around others.
            let shown = name.clone().filter(|_| kind == Kind::Class);
            let is_visible = is_offered(draft, node);
            let is_documented = is_documented(draft, node);
            plain::class(draft, node, name, kind, Some(plain::base_name(base)));
            plain::show(draft, shown, is_visible, is_documented);
            draft.now(|scope| {
                scope.is_test_class = is_test_class;
                scope.is_derived = is_derived;
            });
        }
        Role::Call => call(draft, node),
        Role::Statement => word(draft, node),
        Role::Branch if node.kind() == "conditional" => draft.ternary(node),
        Role::Branch => draft.branch(node, None),
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Decision => draft.decision(),
        Role::Operator => draft.operator(node),
        Role::Guarded => guarded(draft, node),
        Role::Handler => {
            let kinds = draft.field(node, Field::Exceptions).map(|kinds| kinds.byte_range());
            plain::handler(draft, node, draft.field(node, Field::Body), kinds, &FORMS);
        }
        // `x rescue nil`: whatever went wrong, nothing comes of it.
        Role::Try => {
            draft.decision();
            let is_nothing = draft.field(node, Field::Handler).is_some_and(|value| value.kind() == "nil");
            if let Some(body) = draft.field(node, Field::Body).filter(|_| is_nothing) {
                let is_cleanup = draft.scope().is_cleanup || plain::only_clean_up(draft, &[body]);
                draft.outline.discards.push(Discard { span: node.byte_range(), is_fallible: false, is_cleanup });
            }
        }
        Role::Table => draft.table(node),
        _ => {}
    }
}

/// Enters code with handlers behind it: a block of its own, or the body of a method.
fn guarded(draft: &mut Draft<'_>, node: Node<'_>) {
    let mut cursor = node.walk();
    let statements: Vec<Node<'_>> = node.named_children(&mut cursor).filter(|one| !one.is_extra()).collect();
    let Some(count) = statements.iter().position(|one| one.kind() == "rescue") else { return };
    let is_cleanup = plain::only_clean_up(draft, statements.get(..count).unwrap_or_default());
    if node.kind() == "begin" {
        draft.guarded_by(node, is_cleanup);
    } else {
        draft.open(node, |scope| scope.is_cleanup |= is_cleanup);
    }
}

fn method(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let body = draft.field(node, Field::Body);
    let is_test = node.kind() == "method" && draft.scope().is_test_class && draft.text_of(name).starts_with("test_");
    let test = is_test.then(|| plain::test(body, false));
    let parameters = draft::count(draft.field(node, Field::Parameters), |one| !one.is_extra());
    let is_overridable = draft.scope().class.is_some();
    let text = draft.text_of(name);
    let is_common = COMMON.contains(&text) || !text.starts_with(char::is_alphabetic);
    let is_offered = is_offered(draft, node);
    let is_public = is_overridable && !draft.scope().is_derived && !is_common && is_offered;
    let is_documented = is_documented(draft, node);
    // In a class it is most often there because something else calls it whatever the class.
    let is_empty = body.is_none() && !is_overridable && plain::is_on_its_own(draft);
    let function = plain::function(draft, name.byte_range(), body, parameters, &FORMS);
    // A method without a body is empty; there are none that are only declared.
    let is_abstract = function.is_abstract && body.is_some();
    let shape = match function.shape {
        Body::Absent if is_empty => Body::Empty,
        Body::Absent => Body::Other,
        // Who writes `nil` means it.
        shape => plain::unless_hook(shape, is_common || shape == Body::Empty),
    };
    let (is_bound, body) = (is_abstract, function.body.or(Some(node.end_byte()..node.end_byte())));
    let function =
        Function { test, body, shape, is_public, is_documented, is_overridable, is_abstract, is_bound, ..function };
    draft.function(node, node, None, function);
}

/// Whether what is declared here can be used from outside, and its documentation does not say otherwise. `:stopdoc:`
/// hides all that follows in its class.
fn is_offered(draft: &mut Draft<'_>, declaration: Node<'_>) -> bool {
    let rest = draft.text.get(declaration.start_byte()..).unwrap_or_default();
    let comment = draft.comment_above(declaration.start_byte(), STOP_BREAKS_MAX).unwrap_or_default();
    if comment.contains(":stopdoc:") {
        draft.now(|scope| scope.is_visible = false);
    }
    let is_hidden = ["@api private", "@private", ":nodoc:"].iter().any(|mark| comment.contains(mark));
    draft.scope().is_visible && !is_hidden && !rest.lines().next().unwrap_or_default().contains(":nodoc:")
}

/// Whether a comment stands right above; what Sorbet is told of types may stand between, and then nobody looks for one.
fn is_documented(draft: &Draft<'_>, declaration: Node<'_>) -> bool {
    let before = draft.text.get(..declaration.start_byte()).unwrap_or_default().trim_end();
    let above = before.rsplit('\n').next().unwrap_or_default().trim_start();
    above.starts_with("sig ") || plain::is_documented(draft, declaration, &["#"])
}

/// A bare word on a line of its own, such as `skip` or `flunk`, is a call; `private` hides what follows in its class.
fn word(draft: &mut Draft<'_>, node: Node<'_>) {
    let text = draft.text_of(node);
    let has_test = draft.scope().test.is_some();
    let blank = |c: char| matches!(c, ' ' | '\t');
    let before = draft.text.get(..node.start_byte()).unwrap_or_default().trim_end_matches(blank);
    let after = draft.text.get(node.end_byte()..).unwrap_or_default().trim_start_matches(blank);
    let stands_alone = before.ends_with(['\n', ';', '{']) || before.ends_with(" do");
    let ends = after.is_empty() || after.starts_with(['\n', '\r', ';', '}', '#']);
    if !stands_alone || !(ends || after.starts_with("if ") || after.starts_with("unless ")) {
        return;
    }
    let is_in_function = draft.scope().function.is_some();
    match text {
        _ if !is_in_function && HIDING.contains(&text) => draft.now(|scope| scope.is_visible = false),
        _ if !is_in_function => {}
        "pending" | "skip" if has_test => draft.skip(node.byte_range(), false, false),
        "flunk" => draft.assertion(),
        _ if is_assertion(text) => draft.assertion(),
        _ => draft.call(node.byte_range()),
    }
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Method) else { return };
    let receiver = draft.field(node, Field::Receiver);
    let text = draft.text_of(name);
    let list = draft.field(node, Field::Arguments);
    let is_plain = receiver.is_none_or(|receiver| draft.text_of(receiver) == "RSpec");
    if is_plain && draft.is_test_file && declares_test(draft, node, name, list) {
        return;
    }
    if receiver.is_none() && draft.scope().function.is_none() {
        declares(draft, node, text, list);
    }
    let has_test = draft.scope().test.is_some();
    if has_test && is_plain && matches!(text, "pending" | "skip") && list.is_some() {
        draft.skip(node.byte_range(), true, false);
    } else if is_assertion(text) || FAILING.iter().any(|start| text.starts_with(start)) || MATCHING.contains(&text) {
        draft.assertion();
    } else if has_test && (receiver.is_none() || arguments(list).iter().any(|one| one.kind() == "self")) {
        // A method of the same class or of a module in it can fail the test just as well.
        draft.on_test(|test| test.hands_over = true);
    }
    plain::call(draft, receiver.unwrap_or(name).start_byte(), name, list);
}

/// Reads `private def a`, `private :a, :b` and `include A` in a class.
fn declares(draft: &mut Draft<'_>, node: Node<'_>, word: &str, list: Option<Node<'_>>) {
    if HIDING.contains(&word) {
        let named = arguments(list).into_iter().map(|one| draft.text_of(one).trim_start_matches(':'));
        let named: Vec<&str> = named.collect();
        draft.hidden.extend(named);
        draft.open(node, |scope| scope.is_visible = false);
    } else if matches!(word, "extend" | "include" | "prepend") {
        // What is mixed in may ask for methods.
        draft.now(|scope| scope.is_bound = true);
    }
}

/// Reads a call that declares a test or a group of them; says whether it was one.
fn declares_test(draft: &mut Draft<'_>, node: Node<'_>, method: Node<'_>, list: Option<Node<'_>>) -> bool {
    let name = draft.text_of(method);
    let plain = name.strip_prefix(['f', 'x']).filter(|rest| is_block(rest)).unwrap_or(name);
    let Some(own) = draft.field(node, Field::Block).filter(|_| is_block(plain)) else { return false };
    let given = arguments(list);
    let title = given.first().filter(|first| first.kind() == "string");
    // `test` and `feature` are names of other things too.
    if title.is_none() && matches!(plain, "feature" | "scenario" | "test") {
        return false;
    }
    let says = |word: &str| given.iter().find(|one| tag(draft, **one) == word).copied();
    let is_focused = name != plain && name.starts_with('f');
    let focus = says("focus").or(Some(method).filter(|_| is_focused));
    let mark = says("skip").or_else(|| says("pending"));
    draft.outline.focuses.extend(focus.map(|mark| mark.byte_range()));
    let is_conditional = draft.scope().is_conditional;
    let is_off = name != plain && name.starts_with('x');
    let has_reason = mark.is_some_and(|mark| child(mark, &["string"]).is_some());
    if !matches!(plain, "context" | "describe" | "feature") {
        let body = draft.field(own, Field::Body);
        let test = Some(plain::test(body, false));
        let title = title.map_or(method.byte_range(), |title| title.byte_range());
        let function = plain::function(draft, title, body, 0, &FORMS);
        draft.function(node, own, None, Function { test, ..function });
    }
    if is_off || mark.is_some() {
        draft.skip(mark.unwrap_or(method).byte_range(), has_reason, is_conditional);
    }
    true
}

fn is_block(name: &str) -> bool {
    matches!(name, "context" | "describe" | "example" | "feature" | "it" | "scenario" | "specify" | "test")
}

/// The word of a tag: `focus` of `:focus` and of `focus: true`, nothing of `focus: false`.
fn tag<'t>(draft: &Draft<'t>, argument: Node<'_>) -> &'t str {
    let is_off = draft.field(argument, Field::Value).is_some_and(|value| matches!(value.kind(), "false" | "nil"));
    match argument.kind() {
        "simple_symbol" => draft.text_of(argument).trim_start_matches(':'),
        "pair" if !is_off => draft.field(argument, Field::Key).map_or("", |key| draft.text_of(key)),
        _ => "",
    }
}
