//! What is offered to others and not documented, and what needs no words.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity;
use schemas::severity::Severity::Info;

/// `text` so many times, each time with another number for `§`: what shares its name follows an interface. Calls take some
/// lines: of short functions the name says it all.
fn many(text: &str, times: usize) -> String {
    let mut text = text.to_owned();
    for short in ["b()", "c()", "d()", "C()"] {
        text = text.replace(short, &format!("{}({}0)", &short[..1], "1 +\n".repeat(12)));
    }
    (0..times).map(|number| text.replace('§', &number.to_string())).collect()
}

#[test]
fn rust() {
    let habit = "/// Z.\npub const Z: u8 = 1;\n";
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", &format!("{text}{habit}"), expected);
    run(&many("pub fn a§() { b() }\n", 5), &[(1, Info)]);
    run(&many("pub fn a§(z: u8) { f(\n1,\n2,\n3\n) }\n", 5), &[(1, Info)]);
    let documented = "/// A.\npub struct A;\n/// B.\npub const B: u8 = 1;\n";
    run(&format!("{documented}{}", many("pub fn c§() { b() }\n", 4)), &[(5, Info)]);
    // Nothing is documented, or names say it all.
    check(&RULE, "src/a.rs", &many("pub fn a§() { b() }\n", 5), &[]);
    run(&many("pub fn a§(z: u8) { f() }\npub enum C§ {}\n", 9), &[]);
    run(&many("pub fn a§() { f(\n1,\n2,\n3\n) }\n", 5), &[]);
    run(&many("pub fn a§() { b() }\n", 3), &[]);
    let short = many("pub fn c§() { f() }\n", 6);
    run(&(many("pub fn a§() { b() }\n", 3) + &short), &[(1, Info)]);
    run(&(many("pub fn a§() { b() }\n", 2) + &short), &[]);
    run(&many("/// A.\n#[must_use]\npub fn a§() { b() }\npub fn b§() { c() }\n", 4), &[]);
    run(&many("#[deprecated]\npub fn a§() { b() }\n\n#[doc(hidden)]\npub fn b§() { c() }\n", 9), &[]);
    let withdrawn = "#[deprecated]\npub fn z() { b() }\n";
    run(&format!("{withdrawn}{}", many("pub fn a§() { b() }\n", 5)), &[(3, Info)]);
    run(&many("pub(crate) fn a§() { b() }\nfn c() { d() }\n", 9), &[]);
    run(&format!("impl A {{ {} }}\n", many("pub fn a§(&self) -> u8 { self.a }\n", 9)), &[]);
    run(&format!("impl A for B {{ {} }}\n", many("fn a§(&self) { b() }\n", 9)), &[]);
    run(&format!("#[cfg(test)]\npub mod tests {{ {} }}\n", many("pub fn a§() { b() }\n", 9)), &[]);
    for path in ["examples/a.rs", "src/cli/a.rs", "src/_a/b.rs"] {
        check(&RULE, path, &(many("pub fn a§() { b() }\n", 5) + habit), &[]);
    }
}

#[test]
fn python() {
    let habit = "class Z:\n    '''Z.'''\n";
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.py", &format!("{text}{habit}"), expected);
    run(&many("def a§():\n    b()\n", 5), &[(1, Info)]);
    run(&many("def a§():\n    f()\n", 9), &[]);
    run(&format!("class A:\n    '''A.'''\n{}", many("    def a§(self): b()\n", 4)), &[(3, Info)]);
    run(&many("def _a§():\n    b()\n", 9), &[]);
    run(&many("def a§():\n    '''A.'''\n    b()\ndef b§():\n    c()\n", 5), &[]);
    run(&format!("class A(B):\n{}", many("    def a§(self): b()\n", 9)), &[]);
    run(&format!("class A:\n{}", many("    def a§(self): return self.b\n", 9)), &[]);
    check(&RULE, "src/a.py", &format!("#!/usr/bin/env python3\n{}{habit}", many("def a§():\n    b()\n", 5)), &[]);
    check(&RULE, "src/_a.py", &(many("def a§():\n    b()\n", 5) + habit), &[]);
    run(&many("class A§Warning(B):\n    pass\n", 9), &[]);
    check(&RULE, "tests/test_a.py", &(many("def a§():\n    b()\n", 5) + habit), &[]);
}

#[test]
fn go() {
    let habit = "// Z is one.\nconst Z = 1\n";
    let of = |text: String| format!("package a\n\n{text}{habit}");
    let run = |text: String, expected: &[_]| check(&RULE, "a/a.go", &of(text), expected);
    run(many("func A§() { b() }\n", 5), &[(3, Info)]);
    run(many("type A§ struct{}\n\nfunc (a *A§) B§() { c() }\n", 5), &[(3, Info)]);
    run(many("func A§(in *pb.A) { b() }\n", 5), &[]);
    check(&RULE, "a/a.go", &format!("// A.\n\npackage main\n\n{}{habit}", many("func A§() { b() }\n", 5)), &[]);
    run(many("func a§() { b() }\nfunc (a *a) B§() { c() }\n", 9), &[]);
    run(many("// A§ is one.\nfunc A§() { b() }\n", 5), &[]);
    run(many("func (a *A§) String() string { return b() }\n", 9), &[]);
    run(many("type A§ struct{}\n\nfunc (a *A§) Common() { c() }\n", 4), &[]);
    run(many("func (a *A) B§() int { return a.b }\n", 9), &[]);
    check(&RULE, "a/b.go", &format!("// A.\n//go:build ignore\n{}", of(many("func A§() { b() }\n", 5))), &[]);
    check(&RULE, "internal/a.go", &of(many("func A§() { b() }\n", 5)), &[]);
    check(&RULE, "a/a_test.go", &of(many("func A§() { b() }\n", 5)), &[]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["src/a.js", "src/a.ts", "src/a.tsx"] {
        let habit = "/** Z. */\nexport const z = 1;\n";
        let run = |text: String, expected: &[(u32, Severity)]| {
            let expected: Vec<_> = expected.iter().map(|(line, severity)| (line + 2, *severity)).collect();
            check(&RULE, path, &format!("{habit}{text}"), &expected);
        };
        run(many("export function a§() { b(); }\n", 5), &[(1, Info)]);
        run(format!("export class A {{\n{}}}\n", many("  a§() { b(); }\n", 5)), &[(1, Info)]);
        run(many("function a§() { b(); }\n", 5) + "export { a0, a1, a2, a3, a4 };\n", &[(1, Info)]);
        run(many("function a§() { b(); }\n", 9), &[]);
        run(many("/** A. */\nexport function a§() { b(); }\n", 5), &[]);
        run(format!("/** A. */\nexport class A extends B {{\n{}}}\n", many("  a§() { b(); }\n", 9)), &[]);
        run(many("/** A. */\nexport const a§ = 1;\nexport const b§ = 2;\n", 4), &[]);
    }
    check(&RULE, "src/a.js", &many("export function a§() { b(); }\n", 5), &[]);
    check(&RULE, "src/a.ts", &many("export function a§() { b(); }\n", 5), &[]);
    check(&RULE, "src/a.d.ts", &many("export function a§(): void;\n", 5), &[]);
    check(&RULE, "src/a.js", &format!("/*! A v1 */\n{}", many("export function a§() { b(); }\n", 5)), &[]);
    check(&RULE, "src/a.test.ts", &many("export function a§() { b(); }\n", 5), &[]);
    let marked = many("// eslint-disable-next-line\nexport function a§() { b(); }\n", 5);
    check(&RULE, "src/a.ts", &format!("{marked}/** Z. */\nexport const z = 1;\n"), &[(2, Info)]);
}

#[test]
fn java() {
    let of = |text: &str| format!("/** A. */\npublic class A {{\n{}}}\n", many(text, 6));
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.java", &of(text), expected);
    run("public void a§() { b(); }\n", &[(3, Info)]);
    run("public static final int A§ = 1;\n", &[]);
    run("@ReactMethod\npublic void a§() { b(); }\n", &[]);
    run("public int a§(int z) { return b(); }\n", &[(3, Info)]);
    run("/** A. */\npublic void a§() { b(); }\n", &[]);
    run("void a§() { b(); }\nprivate void c§() { d(); }\n", &[]);
    run("@Override public void a§() { b(); }\n", &[]);
    run("@Deprecated\npublic void a§() { b(); }\n", &[]);
    run("public int a§() { return this.a; }\n", &[]);
    check(&RULE, "src/test/java/A.java", &of("public void a§() { b(); }\n"), &[]);
}

#[test]
fn c_and_cpp() {
    for path in ["include/a.h", "include/a.hpp"] {
        let with_habit = |text: &str| many(&text.replace("c(b)", "c()"), 6) + "/** Z. */\nint z(int b);\n";
        let run = |text: &str, expected: &[_]| check(&RULE, path, &with_habit(text), expected);
        run("int a§(int b);\n", &[(1, Info)]);
        run("static inline int a§(int b) { return c(b); }\n", &[(1, Info)]);
        run("/* A. */\nint a§(int b);\n", &[]);
        run("extern int a§;\nstruct b;\n", &[]);
        run("int a§(void);\n", &[]);
    }
    let class = |text: &str| format!("namespace a {{\n/// A.\nclass A {{\n{}}};\n}}\n", many(text, 6));
    check(&RULE, "include/a.hpp", &class("public:\nint a§(int b);\n"), &[(5, Info)]);
    check(&RULE, "include/a.hpp", &class("private:\nint a§(int b);\n"), &[]);
    check(&RULE, "include/a.hpp", &class("public:\nint a§(int b) override;\n"), &[]);
    check(&RULE, "src/a.c", &many("int a§(int b) { return c(b); }\n", 6), &[]);
    check(&RULE, "include/a.h", &format!("/** @{{ */\n{}", many("int a§(int b);\n", 6)), &[]);
    check(&RULE, "src/a.h", &many("int a§(int b);\n", 6), &[]);
}

#[test]
fn c_sharp() {
    let of = |text: &str| format!("/// <summary>A.</summary>\npublic class A {{\n{}}}\n", many(text, 6));
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.cs", &of(text), expected);
    run("public void B§() { C(); }\n", &[(3, Info)]);
    run("public int B§(int z) { return C(); }\n", &[(3, Info)]);
    run("public class B§ { }\n", &[]);
    let implementing = of("public void B§() { C(); }\n").replace("class A", "class A : IList");
    check(&RULE, "src/A.cs", &implementing, &[]);
    run("/// <summary>B.</summary>\n[Pure] public void B§() { C(); }\n", &[]);
    run("internal void B§() { C(); }\nvoid D§() { E(); }\n", &[]);
    run("public override void B§() { C(); }\n", &[]);
    run("public int B§() { return this.b; }\n", &[]);
    check(&RULE, "src/A.cs", &of("public void B§() { C(); }\n").replace("public class", "class"), &[]);
    check(&RULE, "tests/A.cs", &of("public void B§() { C(); }\n"), &[]);
}

#[test]
fn kotlin() {
    let of = |text: &str| format!("/** A. */\nclass A {{\n{}}}\n", many(text, 6));
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.kt", &of(text), expected);
    run("  fun b§() { c() }\n", &[(3, Info)]);
    check(&RULE, "src/A.kt", &(many("fun a§() { b() }\nclass C§\n", 5) + "/** Z. */\nclass Z\n"), &[(1, Info)]);
    run("  /** B. */\n  fun b§() { c() }\n", &[]);
    run("  private fun b§() { c() }\n  internal fun d§() { e() }\n", &[]);
    run("  override fun b§() { c() }\n", &[]);
    run("  fun b§(): Int { return this.b }\n", &[]);
    run("\n  @Deprecated(\n    message = \"moved\",\n    level = ERROR,\n  )\n  fun b§() { c() }\n", &[]);
    check(&RULE, "src/A.kt", &of("  fun b§() { c() }\n").replace("class A", "private class A"), &[]);
    check(&RULE, "src/test/kotlin/A.kt", &of("  fun b§() { c() }\n"), &[]);
}

#[test]
fn swift() {
    let of = |text: &str| format!("/// A.\npublic struct A {{\n{}}}\n", many(text, 6));
    let run = |text: &str, expected: &[_]| check(&RULE, "Sources/A.swift", &of(text), expected);
    run("  public func b§() { c() }\n", &[(3, Info)]);
    check(
        &RULE,
        "Sources/A.swift",
        &(of("  public func b§() { c() }\n").replace("public struct", "extension") + "/// Z.\npublic struct Z {}\n"),
        &[(3, Info)],
    );
    run("  /// B.\n  public func b§() { c() }\n", &[]);
    run("  func b§() { c() }\n  private func d§() { e() }\n", &[]);
    run("  public override func b§() { c() }\n", &[]);
    run("  public func b§() -> Int { return self.b }\n", &[]);
    check(&RULE, "Sources/A.swift", &of("  public func b§() { c() }\n").replace("public struct", "struct"), &[]);
    check(&RULE, "Tests/A.swift", &of("  public func b§() { c() }\n"), &[]);
}

#[test]
fn php() {
    let of = |text: &str| format!("<?php\n{}/** Z. */\nfunction z() {{}}\n", many(text, 5));
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.php", &of(text), expected);
    let class = |head: &str, text: &str| format!("<?php\n/** A. */\n{head} {{\n{}}}\n", many(text, 6));
    let run_class = |head: &str, text: &str, expected: &[_]| check(&RULE, "src/A.php", &class(head, text), expected);
    run("function a§() { b(); }\n", &[(2, Info)]);
    run("/** A. */\nfunction a§() { b(); }\n", &[]);
    run_class("class A", "public function a§() { b(); }\n", &[(4, Info)]);
    run_class("/** @internal */\nclass A", "public function a§() { b(); }\n", &[]);
    run_class("class A", "/** A. */\n#[B]\npublic function a§() { b(); }\n", &[]);
    run_class("class A", "private function a§() { b(); }\nprotected function c§() { d(); }\n", &[]);
    run_class("class A extends B", "public function a§() { b(); }\n", &[]);
    run_class("class A implements B", "public function a§() { b(); }\n", &[]);
    run_class("class A", "public function _a§() { b(); }\n", &[]);
    run_class("class A", "public function a§() { return $this->a; }\n", &[]);
    check(&RULE, "tests/ATest.php", &of("function a§() { b(); }\n"), &[]);
}

#[test]
fn ruby() {
    let class = |head: &str, text: &str| {
        let text = text.replace(" b; end", " b(); end").replace("    b\n", "    b()\n");
        format!("# A.\n{head}\n{}end\n", many(&text, 6))
    };
    let run = |head: &str, text: &str, expected: &[_]| check(&RULE, "lib/a.rb", &class(head, text), expected);
    run("class A", "  def a§; b; end\n", &[(3, Info)]);
    run("module A\n  # Z.\n  def z; end", "  def self.a§\n    b\n  end\n", &[(5, Info)]);
    run("class A", "  # A.\n  def a§; b; end\n", &[]);
    run("class A", "  # A.\n  sig { void }\n  def a§; b; end\n", &[]);
    run("class A\n  private", "  def a§; b; end\n", &[]);
    run("class A", "  private def a§; b; end\n", &[]);
    run("class A", "  def a§; b; end\n  private :a§\n", &[]);
    run("class A", "  def a§ # :nodoc:\n    b\n  end\n", &[]);
    run("\n# @api private\nclass A", "  def a§; b; end\n", &[]);
    run("class A\n  # :stopdoc:\n", "  def a§; b; end\n", &[]);
    run("class A < B", "  def a§; b; end\n", &[]);
    run("class A", "  def _a§; b; end\n", &[]);
    check(&RULE, "lib/a.rb", &many("def a§; b; end\n", 9), &[]);
    check(&RULE, "spec/a_spec.rb", &class("class A", "  def a§; b; end\n"), &[]);
}
