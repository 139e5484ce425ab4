//! Functions that are not implemented, and those that have a reason to do nothing.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{High, Medium};

#[test]
fn rust() {
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
    run("fn a() { todo!() }\n", &[(1, High)]);
    run("fn a() -> u8 {\n    unimplemented!(\"later\");\n}\n", &[(1, High)]);
    run("fn a() { panic!(\"Not implemented yet\") }\n", &[(1, High)]);
    run("impl A for B { fn a(&self) { todo!() } }\n", &[(1, High)]);
    run("\nfn a(b: u8) {}\n", &[(2, Medium)]);
    run("impl A {\n    fn a(&self, b: u8) {}\n}\n", &[]);
    run("fn a() { panic!(\"no rows\") }\n", &[]);
    run("fn a() { b(); todo!() }\n", &[]);
    run("fn a() { let b = \"todo!()\"; c(b) }\n", &[]);
    run("fn a() {\n    // The kernel has no call for it.\n    unimplemented!()\n}\n", &[]);
    run("fn a() {\n    // TODO: write it when the kernel has a call.\n    unimplemented!()\n}\n", &[(1, High)]);
    run("fn unimplemented() { panic!(\"unimplemented\") }\n", &[]);
    run("fn a() {}\nfn b() {}\nfn c() {}\n", &[]);
    run("fn a() {}\nfn b() {}\nfn c() { d() }\n", &[(1, Medium), (2, Medium)]);
    run("fn on_close() {}\nfn lock() {}\n", &[]);
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
    run("def a():\n    '''Pays.'''\n    ...\n", &[]);
    run("class A:\n    def a(self):\n        pass\n", &[]);
    run("class A:\n    def a(self):\n        raise NotImplementedError\n", &[]);
    run("class A:\n    def a(self):\n        '''Pays.'''\n        raise NotImplementedError()\n", &[]);
    run("class A:\n    def a(self):\n        '''Pays.'''\n        pass\n", &[]);
    run("class A:\n    def __add__(self, b):\n        raise NotImplementedError\n", &[]);
    run("def a():\n    # the device cannot do it\n    raise NotImplementedError\n", &[]);
    run("def _root_doc():\n    '''Long words.'''\n", &[]);
    let of = |about: &str| {
        format!("class A:\n    '''{about}'''\n    def a(self):\n        raise NotImplementedError('yet')\n")
    };
    run(&of("Base class of all rows."), &[]);
    run(&of("A row."), &[(3, Medium)]);
    run("class RowBase(object):\n    def a(self):\n        raise NotImplementedError\n", &[]);
    check(&RULE, "src/base.py", "class A:\n    def a(self):\n        raise NotImplementedError\n", &[]);
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
        run("class A extends B { a() { throw new Error('Not implemented'); } }\n", &[]);
        run("function a(b) {}\n", &[(1, Medium)]);
        run("function a() { throw new Error('no rows'); }\n", &[]);
        run("class A {\n/** @abstract */\n/* c8 ignore next */\na() { throw new Error('not implemented'); }\n}\n", &[]);
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
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.java", &format!("class A {{\n{text}\n}}\n"), expected);
    run("void a() { throw new UnsupportedOperationException(\"not implemented\"); }", &[(2, High)]);
    run("@Override public void a() { throw new RuntimeException(\"not implemented\"); }", &[(2, High)]);
    run("@Override public void a() { throw new UnsupportedOperationException(); }", &[]);
    run("public void remove() { throw new UnsupportedOperationException(\"rows cannot be removed\"); }", &[]);
    run("int a() { throw new RuntimeException(\"Not implemented yet\"); }", &[(2, High)]);
    run("private void a(int b) {}", &[(2, Medium)]);
    run("void a(int b) {}", &[]);
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
        run("void a(void) { abort(); }\n", &[]);
        run("void a(int b) { assert(0 && \"TODO\"); }\n", &[(1, High)]);
        run("int a(int b)\n{\n    assert(!\"not implemented\");\n}\n", &[(1, High)]);
        run("static void a(int b) {}\n", &[(1, Medium)]);
        run("void a(void) { b(); abort(); }\n", &[]);
        run("void a(void);\n", &[]);
        run("void a(void) { /* nothing to close */ }\n", &[]);
        run("void a_noop(void) {}\n", &[]);
        run("#if DEBUG\nvoid a(int b) { c(b); }\n#else\nvoid a(int b) {}\n#endif\n", &[]);
        run("#ifndef A_H\n#define A_H\nvoid a(int b) {}\n#endif\n", &[(3, Medium)]);
        check(&RULE, &path.replace("a.", "a_windows."), "static void a(int b) {}\n", &[]);
        run("int main(void) {}\n", &[]);
        run("const char *a(void) { return \"abort()\"; }\n", &[]);
    }
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.cc", text, expected);
    run("void A::a() { throw std::logic_error(\"not implemented\"); }\n", &[(1, High)]);
    run("struct A { void a() {} };\n", &[]);
    run("void A::a() {}\n", &[]);
    run("A::A(int b) : b_(b) {}\nA::~A() {}\n", &[]);
    run("struct A : B { void a() override { std::abort(); } };\n", &[]);
    run("struct A : B { void a() override { throw std::logic_error(\"not implemented\"); } };\n", &[(1, High)]);
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
    run("virtual void B() { throw new NotImplementedException(\"not yet\"); }", &[(2, Medium)]);
    run("virtual void B() { throw new NotImplementedException(); }", &[]);
    run("object ConvertBack(object b) { throw new NotImplementedException(); }", &[]);
    run("void B() { throw new NotSupportedException(\"rows are fixed\"); }", &[]);
    run("void B() { C(); throw new NotImplementedException(); }", &[]);
    run("string C() => \"throw new NotImplementedException()\";", &[]);
    run("void B(int b) { }", &[]);
    run("private static void B() { return; }", &[(2, Medium)]);
    run("void B() { /* nothing to close */ }", &[]);
    run("virtual void B() { }", &[]);
    run("[JSInvokable] void B() { }", &[]);
    run("void Form_Load(object sender, EventArgs e) { }", &[]);
    run("static void Main() { }", &[]);
    run("class C : IDisposable { public void Free() { } }", &[]);
    run("partial class C { void Free() { } }", &[]);
    run("abstract class C { void Free() { } }", &[]);
    run("bool B() => true;\nbool C() { return true; }", &[]);
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
    run("abstract class A { function b() { throw new Exception('not implemented'); } abstract function c(); }", &[]);
    run("class A { function b() { throw new Exception('Not implemented: override it'); } }", &[]);
    run("class A { function b() { throw new E('not implemented'); } }\nclass B extends A {}", &[]);
    run("function a($b) {}", &[(2, Medium)]);
    run("class A { private function b() {} }", &[(2, Medium)]);
    run("class A { function b() { return; } }", &[]);
    run("function a() { /* nothing to close */ }", &[]);
    run("class A extends B { function c() {} }", &[]);
    run("class A implements B { function c() {} }", &[]);
    run("trait A { function c() {} }", &[]);
    run("class A { function __construct() {} }", &[]);
    run("class A { #[Route('/a')] function b() {} }", &[]);
    run("if (!function_exists('a')) { function a() {} }", &[]);
    run("/** Runs later. */\nfunction a() {}", &[]);
    check(&RULE, "tests/ATest.php", "<?php\nfunction a() { throw new E('not implemented'); }\n", &[]);
}

#[test]
fn ruby() {
    let run = |text: &str, expected: &[_]| check(&RULE, "lib/a.rb", text, expected);
    run("def a\n  raise NotImplementedError\nend\n", &[(1, High)]);
    run("def a\n  raise 'not implemented'\nend\n", &[(1, High)]);
    run("class A\n  def a\n    raise NotImplementedError, 'later'\n  end\nend\n", &[(2, Medium)]);
    run("def a\n  raise NotImplementedError, 'not implemented for this db'\nend\n", &[]);
    run("def a\n  raise ArgumentError, 'no rows'\nend\n", &[]);
    run("def a\n  b\n  raise NotImplementedError\nend\n", &[]);
    run("class A\n  def a\n    raise NotImplementedError, 'subclasses must define it'\n  end\nend\n", &[]);
    run("class BaseStore\n  def a\n    raise NotImplementedError\n  end\nend\n", &[]);
    run("class A\n  def a\n    raise NotImplementedError\n  end\nend\nclass B < A\nend\n", &[]);
    run("module A\n  def a\n    raise NotImplementedError\n  end\nend\n", &[]);
    run("def a; end\n", &[(1, Medium)]);
    run("def a(b)\nend\n", &[(1, Medium)]);
    run("class A\n  def b(c)\n  end\nend\n", &[]);
    run("def a\n  nil\nend\n", &[]);
    run("def a\n  # nothing to close\nend\n", &[]);
    run("class A < B\n  def c; end\nend\n", &[]);
    run("class A\n  include B\n  def c; end\nend\n", &[]);
    run("module A\n  def c; end\nend\n", &[]);
    run("class A\n  def initialize; end\n  def each; end\nend\n", &[]);
    run("if a\n  def b; end\nend\nc.each do\n  def d; end\nend\n", &[]);
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
    run("val b = \"TODO()\"\n", &[]);
    run("fun a() {}\n", &[(1, Medium)]);
    run("class A {\n  private fun b(c: Int) = Unit\n}\n", &[(2, Medium)]);
    run("fun a() { /* nothing to close */ }\n", &[]);
    run("class A : B {\n  override fun c() {}\n}\n", &[]);
    run("open class A {\n  open fun b() {}\n}\n", &[]);
    run("class A {\n  @ReactMethod fun addListener(name: String) {}\n}\n", &[]);
    run("interface A {\n  fun b() {}\n}\n", &[]);
    run("actual fun a() {}\n", &[]);
    run("fun a() = true\nfun b(): Int? = null\nfun c() { return d() }\n", &[]);
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
    run("protocol A {\n  func b()\n}\n", &[]);
    run("func a() {}\n", &[(1, Medium)]);
    run("class A {\n  private func b(_ c: Int) { }\n}\n", &[(2, Medium)]);
    run("func a() { /* nothing to close */ }\n", &[]);
    run("class A: B {\n  func c() {}\n}\n", &[]);
    run("extension A {\n  func c() {}\n}\n", &[]);
    run("class A {\n  init() {}\n  deinit {}\n}\n", &[]);
    run("class A {\n  @objc func tapped(_ a: Any) {}\n}\n", &[]);
    run("open class A {\n  open func b() {}\n}\n", &[]);
    run("#if DEBUG\nfunc a() { b() }\n#else\nfunc a() {}\n#endif\n", &[]);
    run("func a() -> Bool { true }\nfunc b() -> Int? { nil }\n", &[]);
    check(&RULE, "Tests/A.swift", "func a() { fatalError(\"not implemented\") }\n", &[]);
}

#[test]
fn bash() {
    let run = |text: &str| check(&RULE, "a.sh", text, &[]);
    // There is no common way to say that something is not implemented, and what does `:` is there to be replaced.
    run("a() { :; }\n");
    run("a() { return; }\n");
    run("a() { echo 'not implemented'; exit 1; }\n");
}
