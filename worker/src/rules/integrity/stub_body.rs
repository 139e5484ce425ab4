//! Functions that are not implemented.

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::{Body, Function, Span};
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Functions whose whole body says that it is not implemented: `todo!()`, `unimplemented!()`, `raise NotImplementedError`,
    /// `panic("not implemented")`, `throw new Error("not implemented")` (high); and functions that do nothing at all: `{}`,
    /// `pass`, `...` (medium, less sure). In a class that others may extend, medium and low: perhaps they are to fill it in.
    ///
    /// Left alone are functions for others to fill in (abstract methods, members of protocols, traits and interfaces,
    /// overloads, stub files, methods of classes that something extends), functions that do nothing because of a base class,
    /// an interface or a decorator, or whose comment or name says why they do nothing, parts of the code that are built on a
    /// condition, files that stand in for others by their name, and code for tests.
    ///
    /// ## Why it matters
    /// The function can be called and looks finished from outside. What it promises does not happen.
    ///
    /// ## Example
    /// ```text
    /// pub fn refund(order: &Order) -> Result<(), Error> {
    ///     todo!()
    /// }
    /// ```
    ///
    /// ## How to fix
    /// Implement it, or take it away until it is needed. If nothing is right here, say why in a comment.
    "integrity/stub-body", Integrity, High, version: 3, Check::Code(check)
);

/// Names of functions that may do nothing: entry points and constructors without work, and those that say so.
const IDLE_NAMES: &[&str] = &["constructor", "init", "main", "new"];

/// Words in names that say that nothing is done.
const IDLE_WORDS: &[&str] =
    &["blank", "dummy", "empty", "fake", "ignore", "mock", "noop", "nop", "nothing", "null", "stub"];

/// Words in documentation that say why nothing is done.
const REASONS: &[&str] = &["do nothing", "does nothing", "hook", "no op", "no-op", "noop", "overrid", "subclass"];

/// How much of a body is searched for such words.
const BODY_BYTES_MAX: usize = 1_000;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if paths::is_stand_in(file.source.path) {
        return;
    }
    for function in &file.outline.functions {
        if function.is_abstract || function.test.is_some() || file.is_test_code(function.span.start) {
            continue;
        }
        let (severity, confidence_permille, message) = match function.shape {
            // A class may leave it to others to fill it in without a word about that.
            Body::Stub if function.is_overridable => (Severity::Medium, 600, "method is not implemented"),
            Body::Stub => (Severity::High, 900, "function is not implemented"),
            Body::Empty if may_be_empty(file, function) => continue,
            Body::Empty if function.is_overridable => (Severity::Low, 400, "method does nothing"),
            Body::Empty => (Severity::Medium, 500, "function does nothing"),
            _ => continue,
        };
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity,
            confidence_permille,
            message: message.to_owned(),
            suggestion: "implement it, or take it away; if nothing is right here, say why in a comment",
        });
    }
}

/// Whether nothing is wrong with a function that does nothing.
pub(crate) fn may_be_empty(file: &File<'_>, function: &Function) -> bool {
    let name = file.text(&function.name);
    let words = words(name);
    let is_idle = words.iter().any(|word| IDLE_WORDS.contains(&word.as_str())) || words.join("").contains("noop");
    let is_protocol = name.starts_with("__") && name.ends_with("__");
    function.is_bound || is_protocol || IDLE_NAMES.contains(&name) || is_idle || gives_reason(file, function)
}

/// Whether a comment stands above, in or behind `function`, or its documentation gives a reason.
fn gives_reason(file: &File<'_>, function: &Function) -> bool {
    let first = file.source.line_of(function.span.start);
    let from = file.source.line_span(first.saturating_sub(1)).start;
    let to = file.source.line_span(file.source.line_of(function.span.end.saturating_sub(1))).end;
    let body = function.body.clone().unwrap_or(0..0);
    let body = file.text(&Span { start: body.start, end: body.end.min(body.start + BODY_BYTES_MAX) }).to_lowercase();
    file.outline.has_comment(&(from..to)) || REASONS.iter().any(|reason| body.contains(reason))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low, Medium};

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
        run("fn a() { todo!() }\n", &[(1, High)]);
        run("fn a() -> u8 {\n    unimplemented!(\"later\");\n}\n", &[(1, High)]);
        run("fn a() { panic!(\"Not implemented yet\") }\n", &[(1, High)]);
        run("impl A for B { fn a(&self) { todo!() } }\n", &[(1, High)]);
        run("\nfn a(b: u8) {}\n", &[(2, Medium)]);
        run("fn a() { panic!(\"no rows\") }\n", &[]);
        run("fn a() { b(); todo!() }\n", &[]);
        run("fn a() { let b = \"todo!()\"; c(b) }\n", &[]);
        run("trait A { fn a(&self) { unimplemented!() } fn b(&self); fn c(&self) {} }\n", &[]);
        run("impl A for B { fn a(&self) {} }\n", &[]);
        run("fn main() {}\n", &[]);
        run("fn noop() {}\nfn is_send<T: Send>() {}\n", &[]);
        run("#[cfg(not(unix))]\nmod imp { fn a() { todo!() } fn b(c: u8) {} }\n", &[]);
        run("fn a() {\n    // Nothing to close on this platform.\n}\n", &[]);
        run("/// Does nothing.\nfn a() {}\n", &[]);
        run("#[cfg(test)]\nmod tests { fn a() { todo!() } }\n", &[]);
        run("#[test]\nfn a() { todo!() }\n", &[]);
        check(&RULE, "tests/a.rs", "fn a() { todo!() }\n", &[]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.py", text, expected);
        run("def a():\n    raise NotImplementedError\n", &[(1, High)]);
        run(
            "class A:\n    def a(self):\n        '''Pays.'''\n        raise NotImplementedError('later')\n",
            &[(2, Medium)],
        );
        run("def a():\n    pass\n", &[(1, Medium)]);
        run("def a():\n    '''Pays.'''\n    ...\n", &[(1, Medium)]);
        run("class A:\n    def a(self):\n        pass\n", &[(2, Low)]);
        run("def a():\n    raise NotImplementedError('rows cannot be saved')\n", &[]);
        run("def a():\n    b()\n    raise NotImplementedError\n", &[]);
        run("class A:\n    @abstractmethod\n    def a(self): ...\n", &[]);
        run("class A(Protocol):\n    def a(self): ...\n", &[]);
        run("class A:\n    def a(self):\n        raise NotImplementedError\nclass B(A):\n    pass\n", &[]);
        run("class BaseStore:\n    def a(self):\n        raise NotImplementedError\n", &[]);
        run("class A:\n    def a(self):\n        raise NotImplementedError('subclasses must')\n", &[]);
        run("@overload\ndef a(b: int): ...\n", &[]);
        run("class A(B):\n    def a(self): pass\n", &[]);
        run("@click.group()\ndef a():\n    pass\n", &[]);
        run("def a():\n    pass  # there is nothing to close\n", &[]);
        run("def a():\n    '''Hook for plugins.'''\n", &[]);
        run("class A:\n    def __init__(self):\n        pass\n", &[]);
        check(&RULE, "a.pyi", "def a(): ...\n", &[]);
        check(&RULE, "tests/test_a.py", "def a():\n    pass\n", &[]);
    }

    #[test]
    fn go() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.go", &format!("package a\n{text}"), expected);
        run("func a() { panic(\"not implemented\") }\n", &[(2, High)]);
        run("func (s *S) A() error { panic(\"TODO: implement\") }\n", &[(2, High)]);
        run("func a(b int) {}\n", &[(2, Medium)]);
        run("func a() { panic(\"no rows\") }\n", &[]);
        run("type A interface { a() }\n", &[]);
        run("func (S) Close() {}\nfunc (s *S) Open() {}\n", &[]);
        run("func main() {}\n", &[]);
        run("func a() {\n\t// Nothing to close.\n}\n", &[]);
        run("// a does nothing on this platform.\nfunc a() {}\n", &[]);
        run("func nopCloser() {}\n", &[]);
        check(&RULE, "a_linux.go", "package a\nfunc a() { panic(\"not implemented\") }\n", &[]);
        check(&RULE, "stubs.go", "package a\nfunc a() { panic(\"not implemented\") }\n", &[]);
        check(&RULE, "a_other.go", "//go:build !linux\n\npackage a\n\nfunc a() {}\n", &[]);
        check(&RULE, "a_test.go", "package a\nfunc a() { panic(\"not implemented\") }\n", &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
            run("function a() { throw new Error('not implemented'); }\n", &[(1, High)]);
            run("class A { a() { throw new Error(`Method not implemented.`); } }\n", &[(1, Medium)]);
            run("class A extends B { a() { throw new Error('Not implemented'); } }\n", &[(1, Medium)]);
            run("function a(b) {}\n", &[(1, Medium)]);
            run("function a() { throw new Error('no rows'); }\n", &[]);
            run("function Search() {}\n", &[]);
            run("const noop = () => {};\n", &[]);
            run("function a() { /* nothing to close */ }\n", &[]);
            run("class A { constructor(b) {} }\n", &[]);
            run("class A extends B { a() {} }\n", &[]);
            run("run({ a() {}, b: () => {} });\na.b = () => {};\n", &[]);
            run("class A { a() { throw new Error('not implemented'); } }\nclass B extends A {}\n", &[]);
            run("class A { a() { throw new Error('Not implemented: override it'); } }\n", &[]);
        }
        let run = |text: &str, expected: &[_]| check(&RULE, "a.ts", text, expected);
        run("abstract class A { abstract a(): void; b() {} }\n", &[]);
        run("interface A { a(): void }\nfunction a(b: number): void;\n", &[]);
        check(&RULE, "a.test.ts", "function a() {}\n", &[]);
    }

    #[test]
    fn java() {
        let run =
            |text: &str, expected: &[_]| check(&RULE, "src/A.java", &format!("class A {{\n{text}\n}}\n"), expected);
        run("void a() { throw new UnsupportedOperationException(); }", &[(2, High)]);
        run("int a() { throw new RuntimeException(\"Not implemented yet\"); }", &[(2, High)]);
        run("void a(int b) {}", &[(2, Medium)]);
        run("void a() { throw new IllegalStateException(\"no rows\"); }", &[]);
        run("void a() { b(); throw new UnsupportedOperationException(); }", &[]);
        run("void a() { /* nothing to close */ }", &[]);
        run("@Override public void a() {}", &[]);
        run("private A() {}", &[]);
        run("interface B { void a(); default void b() {} }", &[]);
        run("abstract static class B { abstract void a(); void b() {} }", &[]);
        run("@Test void a() {}", &[]);
        check(&RULE, "src/test/java/A.java", "class A { void a() {} }\n", &[]);
    }

    #[test]
    fn c_and_cpp() {
        for path in ["src/a.c", "src/a.cc"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
            run("void a(void) { abort(); }\n", &[(1, High)]);
            run("int a(int b)\n{\n    assert(!\"not implemented\");\n}\n", &[(1, High)]);
            run("static void a(int b) {}\n", &[(1, Medium)]);
            run("void a(void) { b(); abort(); }\n", &[]);
            run("void a(void);\n", &[]);
            run("void a(void) { /* nothing to close */ }\n", &[]);
            run("void a_noop(void) {}\n", &[]);
            run("int main(void) {}\n", &[]);
            run("const char *a(void) { return \"abort()\"; }\n", &[]);
        }
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.cc", text, expected);
        run("void A::a() { throw std::logic_error(\"not implemented\"); }\n", &[(1, High)]);
        run("struct A { void a() {} };\n", &[(1, Medium)]);
        run("A::A(int b) : b_(b) {}\nA::~A() {}\n", &[]);
        run("struct A { A() {} A(int b) : b_(b) {} ~A() = default; };\n", &[]);
        run("struct A { virtual void a() {} virtual void b() = 0; void c() override {} };\n", &[]);
        run("void A::a() { throw std::logic_error(\"no rows\"); }\n", &[]);
        check(&RULE, "a_test.cc", "void a() {}\n", &[]);
    }

    #[test]
    fn c_sharp() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.cs", &format!("class A {{\n{text}\n}}\n"), expected);
        run("void B() { throw new NotImplementedException(); }", &[(2, High)]);
        run("int B() => throw new NotImplementedException(\"later\");", &[(2, High)]);
        run("void B() { throw new Exception(\"Not implemented yet\"); }", &[(2, High)]);
        run("virtual void B() { throw new NotImplementedException(); }", &[(2, Medium)]);
        run("void B() { throw new NotSupportedException(\"rows are fixed\"); }", &[]);
        run("void B() { C(); throw new NotImplementedException(); }", &[]);
        run("void B() {}\nstring C() => \"throw new NotImplementedException()\";", &[]);
        run("interface C { void D(); }", &[]);
        run("abstract class C { virtual void D() { throw new NotImplementedException(); } }", &[]);
        run("[Fact] void B() { throw new NotImplementedException(); }", &[]);
        check(&RULE, "tests/A.cs", "class A { void B() { throw new NotImplementedException(); } }\n", &[]);
    }

    #[test]
    fn php() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.php", &format!("<?php\n{text}\n"), expected);
        run("function a() { throw new \\Exception('Not implemented'); }", &[(2, High)]);
        run("class A {\nprivate function b() { throw new NotImplementedException(); }\n}", &[(3, High)]);
        run("class A {\nfunction b() { throw new LogicException('TODO'); }\n}", &[(3, Medium)]);
        run("function a() { throw new Exception('no rows'); }", &[]);
        run("function a() { b(); throw new Exception('not implemented'); }", &[]);
        run(
            "abstract class A { function b() { throw new Exception('not implemented'); } abstract function c(); }",
            &[],
        );
        run("class A { function b() { throw new Exception('Not implemented: override it'); } }", &[]);
        run("class A { function b() { throw new E('not implemented'); } }\nclass B extends A {}", &[]);
        check(&RULE, "tests/ATest.php", "<?php\nfunction a() { throw new E('not implemented'); }\n", &[]);
    }

    #[test]
    fn ruby() {
        let run = |text: &str, expected: &[_]| check(&RULE, "lib/a.rb", text, expected);
        run("def a\n  raise NotImplementedError\nend\n", &[(1, High)]);
        run("def a\n  raise 'not implemented'\nend\n", &[(1, High)]);
        run("class A\n  def a\n    raise NotImplementedError, 'later'\n  end\nend\n", &[(2, Medium)]);
        run("def a\n  raise ArgumentError, 'no rows'\nend\n", &[]);
        run("def a\n  b\n  raise NotImplementedError\nend\n", &[]);
        run("class A\n  def a\n    raise NotImplementedError, 'subclasses must define it'\n  end\nend\n", &[]);
        run("class BaseStore\n  def a\n    raise NotImplementedError\n  end\nend\n", &[]);
        run("class A\n  def a\n    raise NotImplementedError\n  end\nend\nclass B < A\nend\n", &[]);
        run("module A\n  def a\n    raise NotImplementedError\n  end\nend\n", &[]);
        run("def a; end\n", &[]);
        check(&RULE, "spec/a_spec.rb", "def a\n  raise NotImplementedError\nend\n", &[]);
    }

    #[test]
    fn kotlin() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.kt", text, expected);
        run("fun a(): Int = TODO(\"later\")\n", &[(1, High)]);
        run("fun a() { TODO() }\n", &[(1, High)]);
        run("class A {\n  fun b() { throw NotImplementedError() }\n}\n", &[(2, High)]);
        run("open class A {\n  open fun b() { TODO() }\n}\n", &[(2, Medium)]);
        run("fun a() { throw IllegalStateException(\"no rows\") }\n", &[]);
        run("fun a() { b()\n TODO() }\n", &[]);
        run("interface A {\n  fun b()\n  fun c() { TODO() }\n}\n", &[]);
        run("abstract class A {\n  open fun b() { TODO() }\n}\n", &[]);
        run("fun a() {}\nval b = \"TODO()\"\n", &[]);
        check(&RULE, "src/test/kotlin/A.kt", "fun a() { TODO() }\n", &[]);
    }

    #[test]
    fn swift() {
        let run = |text: &str, expected: &[_]| check(&RULE, "Sources/A.swift", text, expected);
        run("func a() -> Int { fatalError(\"not implemented\") }\n", &[(1, High)]);
        run("class A {\n  func b() { preconditionFailure(\"TODO\") }\n}\n", &[(2, High)]);
        run("func a() { fatalError(\"no rows\") }\n", &[]);
        run("func a() { b()\n fatalError(\"not implemented\") }\n", &[]);
        // What the development environment writes where nothing is loaded from an archive.
        let archive = "required init?(coder: NSCoder) { fatalError(\"init(coder:) has not been implemented\") }";
        run(&format!("class A: B {{\n  {archive}\n}}\n"), &[]);
        run("class A {\n  func b() { fatalError(\"not implemented, subclasses must\") }\n}\n", &[]);
        run("protocol A {\n  func b()\n}\nfunc c() {}\n", &[]);
        check(&RULE, "Tests/A.swift", "func a() { fatalError(\"not implemented\") }\n", &[]);
    }
}
