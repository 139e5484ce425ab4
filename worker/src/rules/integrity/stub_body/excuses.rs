//! Functions that are others' to write, or of which another one does the work.

use crate::names::words;
use crate::outline::Function;
use crate::paths;
use crate::rules::File;

/// Words of something that is still to come.
const LATER_WORDS: &[&str] = &["fixme", "later", "soon", "tbd", "todo", "wip", "yet"];

/// What an editor writes where somebody has to write the method.
const EDITOR_PHRASE: &str = "method not implemented.";

/// Words that open a type.
const TYPE_WORDS: &[&str] = &[
    "@implementation",
    "actor",
    "class",
    "enum",
    "extension",
    "impl",
    "interface",
    "module",
    "object",
    "protocol",
    "record",
    "struct",
    "trait",
];

/// Words in names of types that stand in for others, or that others extend.
const STAND_IN_WORDS: &[&str] = &[
    "abstract",
    "adapter",
    "base",
    "default",
    "dummy",
    "fake",
    "mock",
    "no",
    "noop",
    "nop",
    "null",
    "stub",
    "test",
    "unimplemented",
    "unsupported",
];

/// Languages of which every function is a part of a type.
const TYPED_EXTENSIONS: &[&str] = &["cs", "java"];

/// Lines above a function in which its type is looked for: longer ones are rare, and hostile files full of methods are not.
const TYPE_LINES_MAX: usize = 400;

/// Words of a line in which the one that opens a type stands.
const TYPE_HEAD_WORDS: usize = 5;

/// Lines above a function in which its decorators stand.
const DECORATOR_LINES: usize = 3;

/// Functions of a file among which one of the same name is looked for: longer files are generated or hostile.
const FUNCTIONS_MAX: usize = 1_000;

/// How much of a body is searched for such words.
const BODY_BYTES_MAX: usize = 1_000;

/// Whether the body of `function` says that it waits to be written.
pub(super) fn says_later(file: &File<'_>, function: &Function) -> bool {
    let body = file.text(&function.body.clone().unwrap_or(0..0));
    let lower = body[..body.floor_char_boundary(BODY_BYTES_MAX)].to_lowercase();
    let is_word = |word: &str| LATER_WORDS.contains(&word);
    lower.contains(EDITOR_PHRASE) || lower.split(|c: char| !c.is_alphanumeric()).any(is_word)
}

/// Whether a method that is not implemented is others' to write, or refuses: of a type that stands in for another, for those
/// that extend its class, one of two, a constructor that nobody may call, or what is called if no other function fits.
pub(super) fn belongs_to_others(file: &File<'_>, function: &Function) -> bool {
    let head = file.text(&(function.span.start..function.name.end));
    let line = file.source.line_of(function.span.start);
    let above = line.saturating_sub(DECORATOR_LINES)..line;
    let mut above = above.map(|line| file.text(&file.source.line_span(line)).trim_start());
    let is_fallback = above.any(|text| text.starts_with('@') && text.contains("dispatch"));
    let before_name = file.text(&(function.span.start..function.name.start)).trim_end();
    let is_closed = before_name.ends_with("private");
    let is_protected = before_name.split_whitespace().any(|word| word == "protected") && !says_later(file, function);
    // Who has to write a member, and writes that there is none, has no use for it.
    let is_forced = before_name.split_whitespace().any(|word| word == "override") && !says_later(file, function);
    let around = type_line(file, function).unwrap_or_default();
    let stands_in = |text: &str| words(text).iter().any(|word| STAND_IN_WORDS.contains(&word.as_str()));
    // A receiver without a name is never asked for anything: the method is there so that the type fits.
    let is_unasked = before_name.strip_prefix("func (").is_some_and(|rest| !rest.trim().contains(' '));
    is_fallback
        || is_unasked
        || is_forced
        || is_closed
        || is_protected
        || stands_in(around)
        || stands_in(head)
        || is_one_of_two(file, function)
}

/// Whether `function` is a method.
pub(super) fn is_of_type(file: &File<'_>, function: &Function) -> bool {
    let is_always = paths::extension(file.source.path).is_some_and(|extension| TYPED_EXTENSIONS.contains(&extension));
    let receiver = file.text(&(function.span.start..function.name.start));
    function.is_overridable || is_always || receiver.starts_with("func (") || type_line(file, function).is_some()
}

/// The line that opens the type around `function`, up to it.
fn type_line<'f>(file: &'f File<'_>, function: &Function) -> Option<&'f str> {
    let own = file.source.line_of(function.span.start);
    let line = |index: usize| file.text(&file.source.line_span(index));
    let indent = |index: usize| line(index).len() - line(index).trim_start().len();
    let is_type =
        |text: &str| text.split([' ', '\t', '(']).take(TYPE_HEAD_WORDS).any(|word| TYPE_WORDS.contains(&word));
    let before = file.text(&(file.source.line_span(own).start..function.span.start)).trim_start();
    if is_type(before) && !before.contains('}') {
        return Some(before);
    }
    let mut above = (own.saturating_sub(TYPE_LINES_MAX)..own).rev();
    let found = above.find(|index| indent(*index) < indent(own) && is_type(line(*index).trim_start()))?;
    Some(line(found))
}

/// Whether another function of the file has the name of `function`, which is no method, or a condition is right around it: then
/// the other one has the work.
pub(super) fn is_one_of_two(file: &File<'_>, function: &Function) -> bool {
    if function.is_overridable {
        return false;
    }
    let name = file.text(&function.name);
    let own = file.source.line_of(function.span.start);
    let text = |index: usize| file.text(&file.source.line_span(index));
    let indent = |index: usize| text(index).len() - text(index).trim_start().len();
    let is_outside = |index: &usize| !text(*index).trim().is_empty() && indent(*index) < indent(own);
    let around = (own.saturating_sub(TYPE_LINES_MAX)..own).rev().find(is_outside).map(text).unwrap_or_default();
    let around = around.trim_start().trim_start_matches(['}', ' ']);
    let is_condition =
        ["else", "elif ", "except", "if ", "if(", "rescue", "try"].iter().any(|open| around.starts_with(open));
    // A name of one letter stands for none, as `_` does.
    let is_name = name.chars().any(|c| c != '_');
    let functions = file.outline.functions.iter().take(FUNCTIONS_MAX);
    let mut namesakes = functions.filter(|other| is_name && file.text(&other.name) == name);
    let has_namesake = !is_of_any_type(file, function) && namesakes.nth(1).is_some();
    is_condition || has_namesake
}

/// Whether methods of several types may well have one name.
fn is_of_any_type(file: &File<'_>, function: &Function) -> bool {
    function.is_bound || is_of_type(file, function) || file.text(&function.name).contains("::")
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Medium};

    #[test]
    fn members_that_have_to_be_there() {
        let sharp = |head: &str, text: &str| {
            format!("class A {{\n  {head} int B() {{ throw new NotImplementedException({text}); }}\n}}\n")
        };
        check(&RULE, "A.cs", &sharp("public", ""), &[(2, High)]);
        check(&RULE, "A.cs", &sharp("public override", ""), &[]);
        let rust = |name: &str| {
            format!("impl Guard for {name} {{\n    fn a(&self) {{\n        unimplemented!()\n    }}\n}}\n")
        };
        check(&RULE, "src/a.rs", &rust("Door"), &[(2, High)]);
        check(&RULE, "src/a.rs", &rust("NoDoor"), &[]);
    }

    #[test]
    fn a_method_of_a_class_has_to_say_that_it_waits() {
        let of = |text: &str| format!("class A {{\n  b() {{ throw new Error('{text}'); }}\n}}\n");
        check(&RULE, "a.js", &of("not yet implemented"), &[(2, Medium)]);
        check(&RULE, "a.js", &of("TODO"), &[(2, Medium)]);
        check(&RULE, "a.js", &of("not implemented"), &[]);
        check(&RULE, "a.ts", &of("Method not implemented."), &[(2, Medium)]);
        let java = |word: &str| format!("class A {{\n  {word} void b() {{ throw new E(\"not implemented\"); }}\n}}\n");
        check(&RULE, "src/A.java", &java("protected"), &[]);
        check(&RULE, "src/A.java", &java("public"), &[(2, High)]);
    }

    #[test]
    fn one_of_two_functions_may_be_a_stub() {
        let of = |open: &str| format!("{open}:\n    a = 1\nelse:\n    def b():\n        raise NotImplementedError\n");
        check(&RULE, "src/a.py", &of("if c"), &[]);
        check(&RULE, "src/a.py", &of("if c").replace("    def b():\n    ", "    pass\ndef b():\n"), &[(5, High)]);
        check(&RULE, "src/a.py", "def b():\n    pass\ndef b():\n    return c\n", &[]);
        check(&RULE, "src/a.py", "def b():\n    pass\ndef d():\n    return c\n", &[(1, Medium)]);
        check(&RULE, "src/a.py", "@singledispatch\ndef a(b):\n    raise NotImplementedError\n", &[]);
        check(&RULE, "src/a.py", "@cached\ndef a(b):\n    raise NotImplementedError\n", &[(2, High)]);
    }

    #[test]
    fn types_may_stand_in_for_others() {
        let go = |name: &str| format!("package a\nfunc (m *{name}) Load() {{ panic(\"not implemented\") }}\n");
        check(&RULE, "a.go", &go("fakeStore"), &[]);
        check(&RULE, "a.go", &go("store"), &[(2, High)]);
        check(&RULE, "a.go", &go("store").replace("m *", ""), &[]);
        let python = "def load():\n    pass\n";
        check(&RULE, "src/pool/dummy/a.py", python, &[]);
        check(&RULE, "src/pool/a.py", python, &[(1, Medium)]);
        check(&RULE, "src/pool/a.py", &python.replace("load", "_f"), &[]);
        check(&RULE, "src/pool/a.py", &python.replace("()", "(a, b)"), &[]);
        check(&RULE, "src/pool/a.py", &python.replace("()", "(a)"), &[(1, Medium)]);
        let rust = |name: &str| format!("impl Load for {name} {{\n    fn load(&self) {{ todo!() }}\n}}\n");
        check(&RULE, "src/a.rs", &rust("NullStore"), &[]);
        check(&RULE, "src/a.rs", &rust("Store"), &[(2, High)]);
    }

    #[test]
    fn what_refuses_is_no_stub() {
        let java = |body: &str| format!("class A {{\n  {body}\n}}\n");
        check(&RULE, "src/A.java", &java("private A() { throw new E(\"not implemented\"); }"), &[]);
        check(&RULE, "src/A.java", &java("void a() { throw new UnsupportedOperationException(); }"), &[]);
        check(&RULE, "src/a.ts", "function a() { throw new Error('not implemented on the web'); }\n", &[]);
        check(&RULE, "src/a.ts", "function a() { throw new Error('not implemented on the web yet'); }\n", &[(1, High)]);
        check(&RULE, "examples/a.rs", "fn a() { todo!() }\n", &[]);
    }

    #[test]
    fn files_with_twins_may_do_nothing() {
        check(&RULE, "src/__typetests__/a.ts", "export function load(b) {}\n", &[]);
        check(&RULE, "src/a.web.ts", "export function load(b) {}\n", &[]);
        check(&RULE, "src/a.ts", "export function load(b) {}\n", &[(1, Medium)]);
        check(&RULE, "src/a.ts", "export const load = (b) => {};\n", &[]);
        check(&RULE, "src/a.ts", "function f() {\n  function load(b) {}\n  g(load);\n}\n", &[]);
    }
}
