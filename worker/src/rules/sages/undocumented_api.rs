//! Files that offer much to others and say little about it.

use schemas::severity::Severity;

use crate::outline::Symbol;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Files with at least 5 functions, types and constants that can be used from outside, of which more than half have no
    /// documentation: no doc comment, no docstring. Functions that only hand out a field, methods that follow a base class,
    /// code for tests, examples, programs and internal packages are left alone.
    ///
    /// ## Why it matters
    /// Whoever wants to use it has to read how it works, and takes what happens today for what is promised.
    ///
    /// ## Example
    /// ```text
    /// pub fn merge(a: Tree, b: Tree, depth: u8) -> Option<Tree>
    /// ```
    ///
    /// ## How to fix
    /// Say of each in a sentence what it is for, what it expects and what it gives.
    "sages/undocumented-api", Sages, Low, version: 3, Check::Code(check)
);

/// With fewer things on offer a file is small enough to be read.
const SYMBOLS_MIN: usize = 5;

/// Directories of code that nobody outside uses.
const PRIVATE_DIRECTORIES: &[&str] = &[
    "_internal",
    "benches",
    "bin",
    "cmd",
    "demo",
    "demos",
    "example",
    "examples",
    "internal",
    "migrations",
    "private",
    "script",
    "scripts",
    "tools",
];

/// Files that are programs, settings or the machinery of a package.
const PRIVATE_NAMES: &[&str] =
    &["__main__.py", "build.rs", "conftest.py", "main.go", "main.rs", "manage.py", "setup.py"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if is_private(file.source.path) {
        return;
    }
    let is_own = |symbol: &&Symbol| !file.outline.is_test_code(symbol.name.start);
    let symbols: Vec<&Symbol> = file.outline.symbols.iter().filter(is_own).collect();
    let bare: Vec<&Symbol> = symbols.iter().copied().filter(|symbol| !symbol.is_documented).collect();
    if symbols.len() < SYMBOLS_MIN || bare.len() * 2 <= symbols.len() {
        return;
    }
    if let Some(first) = bare.first() {
        found.push(Hit {
            place: file.place(first.name.clone()),
            severity: Severity::Low,
            confidence_permille: 900,
            message: format!("{} of {} things offered to others have no documentation", bare.len(), symbols.len()),
            suggestion: "say of each in a sentence what it is for, what it expects and what it gives",
        });
    }
}

fn is_private(path: &str) -> bool {
    let name = paths::file_name(path);
    paths::is_test(path)
        || paths::has_directory(path, PRIVATE_DIRECTORIES)
        || PRIVATE_NAMES.contains(&name)
        || (name.starts_with('_') && !name.starts_with("__"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
        run(&"pub fn a() { b() }\n".repeat(5), &[(1, Low)]);
        run(
            &format!("/// A.\npub struct A;\n/// B.\npub const B: u8 = 1;\n{}", "pub enum C {}\n".repeat(3)),
            &[(5, Low)],
        );
        run(&"pub fn a() { b() }\n".repeat(4), &[]);
        run(&"/// A.\n#[must_use]\npub fn a() { b() }\npub fn b() { c() }\n".repeat(4), &[]);
        run(&"pub(crate) fn a() { b() }\nfn c() { d() }\n".repeat(9), &[]);
        run(&format!("impl A {{ {} }}\n", "pub fn a(&self) -> u8 { self.a }\n".repeat(9)), &[]);
        run(&format!("impl A for B {{ {} }}\n", "fn a(&self) { b() }\n".repeat(9)), &[]);
        run(&format!("#[cfg(test)]\npub mod tests {{ {} }}\n", "pub fn a() { b() }\n".repeat(9)), &[]);
        check(&RULE, "examples/a.rs", &"pub fn a() { b() }\n".repeat(5), &[]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.py", text, expected);
        run(&"def a():\n    b()\n".repeat(5), &[(1, Low)]);
        run(&format!("class A:\n    '''A.'''\n{}", "    def a(self): b()\n".repeat(4)), &[(3, Low)]);
        run(&"def _a():\n    b()\n".repeat(9), &[]);
        run(&"def a():\n    '''A.'''\n    b()\ndef b():\n    c()\n".repeat(5), &[]);
        run(&format!("class A(B):\n{}", "    def a(self): b()\n".repeat(9)), &[]);
        run(&format!("class A:\n{}", "    def a(self): return self.b\n".repeat(9)), &[]);
        check(&RULE, "src/_a.py", &"def a():\n    b()\n".repeat(5), &[]);
        check(&RULE, "tests/test_a.py", &"def a():\n    b()\n".repeat(5), &[]);
    }

    #[test]
    fn go() {
        let of = |text: String| format!("package a\n\n{text}");
        let run = |text: String, expected: &[_]| check(&RULE, "a/a.go", &of(text), expected);
        run("func A() { b() }\n".repeat(5), &[(3, Low)]);
        run("type A struct{}\n\nfunc (a *A) B() { c() }\n".repeat(3), &[(3, Low)]);
        run("func a() { b() }\nfunc (a *a) B() { c() }\n".repeat(9), &[]);
        run("// A is one.\nfunc A() { b() }\n".repeat(5), &[]);
        run("func (a *A) B() int { return a.b }\n".repeat(9), &[]);
        check(&RULE, "internal/a.go", &of("func A() { b() }\n".repeat(5)), &[]);
        check(&RULE, "a/a_test.go", &of("func A() { b() }\n".repeat(5)), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["src/a.js", "src/a.ts", "src/a.tsx"] {
            let run = |text: String, expected: &[_]| check(&RULE, path, &text, expected);
            run("export function a() { b(); }\n".repeat(5), &[(1, Low)]);
            run(format!("export class A {{\n{}}}\n", "  a() { b(); }\n".repeat(5)), &[(1, Low)]);
            run("const a = 1;\n".repeat(5) + "export { a };\n", &[(1, Low)]);
            run("function a() { b(); }\n".repeat(9), &[]);
            run("/** A. */\nexport function a() { b(); }\n".repeat(5), &[]);
            run(format!("/** A. */\nexport class A extends B {{\n{}}}\n", "  a() { b(); }\n".repeat(9)), &[]);
            run("/** A. */\nexport const a = 1;\nexport const b = 2;\n".repeat(4), &[]);
        }
        check(&RULE, "src/a.test.ts", &"export function a() { b(); }\n".repeat(5), &[]);
        check(&RULE, "src/a.ts", &"// eslint-disable-next-line\nexport type A = 1;\n".repeat(5), &[(2, Low)]);
    }

    #[test]
    fn java() {
        let of = |text: &str| format!("/** A. */\npublic class A {{\n{}}}\n", text.repeat(6));
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.java", &of(text), expected);
        run("public void a() { b(); }\n", &[(3, Low)]);
        run("public static final int A = 1;\n", &[(3, Low)]);
        run("/** A. */\npublic void a() { b(); }\n", &[]);
        run("void a() { b(); }\nprivate void c() { d(); }\n", &[]);
        run("@Override public void a() { b(); }\n", &[]);
        run("public int a() { return this.a; }\n", &[]);
        check(&RULE, "src/test/java/A.java", &of("public void a() { b(); }\n"), &[]);
    }

    #[test]
    fn c_and_cpp() {
        for path in ["include/a.h", "include/a.hpp"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, &text.repeat(6), expected);
            run("int a(int b);\n", &[(1, Low)]);
            run("static inline int a(int b) { return c(b); }\n", &[(1, Low)]);
            run("/* A. */\nint a(int b);\n", &[]);
            run("extern int a;\nstruct b;\n", &[]);
        }
        let class = |text: &str| format!("namespace a {{\n/// A.\nclass A {{\n{}}};\n}}\n", text.repeat(6));
        check(&RULE, "include/a.hpp", &class("public:\nint a(int b);\n"), &[(5, Low)]);
        check(&RULE, "include/a.hpp", &class("private:\nint a(int b);\n"), &[]);
        check(&RULE, "include/a.hpp", &class("public:\nint a(int b) override;\n"), &[]);
        check(&RULE, "src/a.c", &"int a(int b) { return c(b); }\n".repeat(6), &[]);
    }

    #[test]
    fn c_sharp() {
        let of = |text: &str| format!("/// <summary>A.</summary>\npublic class A {{\n{}}}\n", text.repeat(6));
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.cs", &of(text), expected);
        run("public void B() { C(); }\n", &[(3, Low)]);
        run("public class B { }\n", &[(3, Low)]);
        check(&RULE, "src/A.cs", &"public interface A { void B(); }\n".repeat(3), &[(1, Low)]);
        run("/// <summary>B.</summary>\n[Pure] public void B() { C(); }\n", &[]);
        run("internal void B() { C(); }\nvoid D() { E(); }\n", &[]);
        run("public override void B() { C(); }\n", &[]);
        check(&RULE, "src/A.cs", &of("public void B() { C(); }\n").replace("public class", "class"), &[]);
        check(&RULE, "tests/A.cs", &of("public void B() { C(); }\n"), &[]);
    }

    #[test]
    fn kotlin() {
        let of = |text: &str| format!("/** A. */\nclass A {{\n{}}}\n", text.repeat(6));
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.kt", &of(text), expected);
        run("  fun b() { c() }\n", &[(3, Low)]);
        check(&RULE, "src/A.kt", &"fun a() { b() }\nclass C\n".repeat(3), &[(1, Low)]);
        run("  /** B. */\n  fun b() { c() }\n", &[]);
        run("  private fun b() { c() }\n  internal fun d() { e() }\n", &[]);
        run("  override fun b() { c() }\n", &[]);
        check(&RULE, "src/A.kt", &of("  fun b() { c() }\n").replace("class A", "private class A"), &[]);
        check(&RULE, "src/test/kotlin/A.kt", &of("  fun b() { c() }\n"), &[]);
    }

    #[test]
    fn swift() {
        let of = |text: &str| format!("/// A.\npublic struct A {{\n{}}}\n", text.repeat(6));
        let run = |text: &str, expected: &[_]| check(&RULE, "Sources/A.swift", &of(text), expected);
        run("  public func b() { c() }\n", &[(3, Low)]);
        check(
            &RULE,
            "Sources/A.swift",
            &of("  public func b() { c() }\n").replace("public struct", "extension"),
            &[(3, Low)],
        );
        run("  /// B.\n  public func b() { c() }\n", &[]);
        run("  func b() { c() }\n  private func d() { e() }\n", &[]);
        run("  public override func b() { c() }\n", &[]);
        check(&RULE, "Sources/A.swift", &of("  public func b() { c() }\n").replace("public struct", "struct"), &[]);
        check(&RULE, "Tests/A.swift", &of("  public func b() { c() }\n"), &[]);
    }
}
