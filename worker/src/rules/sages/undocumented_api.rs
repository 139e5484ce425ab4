//! Files that offer much to others and say little about it.

use std::collections::HashMap;

use schemas::severity::Severity;

use crate::outline::Symbol;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Files with at least 5 functions, types and constants that can be used from outside, of which more than half have no
    /// documentation: no doc comment, no docstring.
    ///
    /// Not counted are functions that only hand out a field, methods that follow a base class, and names that three or more
    /// things in the file share, which follow a common interface, or that every reader of Go knows (`String`, `Error`,
    /// `Len`), kinds of errors and warnings, whose names say it all, and what is marked as deprecated or hidden. It is for
    /// information only, since an interface may document what its methods do. Left alone are code for tests, examples, programs,
    /// settings, internal packages, copies of libraries, declarations of what is made elsewhere, plain JavaScript where
    /// nothing is documented so, and headers of C and C++ other than those in a directory `include` or `public`, or those
    /// that document groups (`@{`).
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
    "sages/undocumented-api", Sages, Info, version: 4, thresholds: &[&BARE_PERCENT_MAX, &SYMBOLS_MIN], Check::Code(check)
);

/// Some things need no words.
const BARE_PERCENT_MAX: Threshold = Threshold {
    name: "bare_percent_max",
    default: 50,
    min: 0,
    max: 99,
    doc: "largest share of things without documentation, in per cent",
};

/// With fewer things on offer a file is small enough to be read.
const SYMBOLS_MIN: Threshold = Threshold {
    name: "symbols_min",
    default: 5,
    min: 1,
    max: 1_000,
    doc: "fewest things that can be used from outside of a file that is judged",
};

/// From this many things of one name on they follow a common interface.
const SHARED_MIN: usize = 3;

/// Methods of Go that implement interfaces which everybody knows.
const GO_METHODS: &[&str] = &[
    "Close",
    "End",
    "Error",
    "GoString",
    "Is",
    "Len",
    "Less",
    "Pos",
    "Read",
    "ServeHTTP",
    "String",
    "Swap",
    "Temporary",
    "Timeout",
    "Unwrap",
    "Write",
];

/// Directories of code that nobody outside uses.
const PRIVATE_DIRECTORIES: &[&str] = &[
    "_internal",
    "_lib",
    "benches",
    "bin",
    "cmd",
    "conf",
    "config",
    "demo",
    "demos",
    "example",
    "examples",
    "internal",
    "migrations",
    "private",
    "sample",
    "samples",
    "script",
    "scripts",
    "syscall",
    "tools",
];

/// Ends of the names of files that declare what is documented where it is made.
const STUB_ENDS: &[&str] = &[".d.cts", ".d.mts", ".d.ts", ".pyi"];

/// Directories of headers that are there for others.
const HEADER_DIRECTORIES: &[&str] = &["api", "include", "includes", "public"];

/// Files that are programs, settings or the machinery of a package.
const PRIVATE_NAMES: &[&str] =
    &["__main__.py", "build.rs", "conftest.py", "main.go", "main.rs", "manage.py", "setup.py"];

/// What stands before things that nobody is to use any more.
const WITHDRAWN: &[&str] =
    &["doc(hidden)", "@Deprecated", "@deprecated", "#[deprecated", "[Obsolete", "@available(*, deprecated"];

/// Lines of attributes looked at before a name, as many as a deprecation with its replacement takes.
const ATTRIBUTE_LINES_MAX: usize = 12;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if (file.outline.symbols.len() as u64) < found.threshold(&SYMBOLS_MIN) {
        return;
    }
    let is_built_by_name = file.source.path.ends_with(".go") && file.source.text.contains("\n//go:build ignore");
    let is_program = is_built_by_name || file.source.text.starts_with("#!");
    let documents_groups = is_header(file.source.path) && file.source.text.contains("@{");
    if file.is_foreign() || documents_groups || is_program || is_private(file.source.path) {
        return;
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    for symbol in &file.outline.symbols {
        *times.entry(file.text(&symbol.name)).or_default() += 1;
    }
    let is_go = file.source.path.ends_with(".go");
    let follows = |name: &str| {
        let is_shared = times.get(name).is_some_and(|times| *times >= SHARED_MIN);
        let is_error = ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
        is_shared || is_error || (is_go && GO_METHODS.contains(&name))
    };
    let withdraws = WITHDRAWN.iter().any(|mark| file.source.text.contains(mark));
    let is_own = |symbol: &&Symbol| {
        let at = symbol.name.start;
        let is_withdrawn = withdraws && is_withdrawn(&file.source.text[..at]);
        !(is_withdrawn || file.outline.is_test_code(at) || follows(file.text(&symbol.name)))
    };
    let symbols: Vec<&Symbol> = file.outline.symbols.iter().filter(is_own).collect();
    let bare: Vec<&Symbol> = symbols.iter().copied().filter(|symbol| !symbol.is_documented).collect();
    let is_unusual = is_plain_script(file.source.path) && bare.len() == symbols.len();
    let (count, undocumented) = (symbols.len() as u64, bare.len() as u64);
    let is_documented = undocumented * 100 <= count * found.threshold(&BARE_PERCENT_MAX);
    if count < found.threshold(&SYMBOLS_MIN) || is_documented || is_unusual {
        return;
    }
    if let Some(first) = bare.first() {
        found.push(Hit {
            place: file.place(first.name.clone()),
            severity: Severity::Info,
            confidence_permille: 900,
            message: format!("{undocumented} of {count} things offered to others have no documentation"),
            suggestion: "say of each in a sentence what it is for, what it expects and what it gives",
        });
    }
}

/// Whether the attributes at the end of `before`, which ends at a name, say that nobody is to use it any more.
fn is_withdrawn(before: &str) -> bool {
    let ends_other = |line: &&str| !line.is_empty() && !line.ends_with(['}', '{', ';']);
    let own = before.lines().rev().enumerate().map(|(number, line)| (number, line.trim()));
    let own = own.take_while(|(number, line)| *number == 0 || ends_other(line)).take(ATTRIBUTE_LINES_MAX);
    own.map(|(_, line)| line).any(|line| WITHDRAWN.iter().any(|mark| line.contains(mark)))
}

fn is_header(path: &str) -> bool {
    matches!(paths::extension(path), Some("h" | "hh" | "hpp" | "hxx"))
}

/// Whether the file is plain JavaScript, where many teams have no habit of documenting in comments.
fn is_plain_script(path: &str) -> bool {
    matches!(paths::extension(path), Some("cjs" | "js" | "jsx" | "mjs"))
}

fn is_private(path: &str) -> bool {
    let name = paths::file_name(path);
    paths::is_test(path)
        || STUB_ENDS.iter().any(|end| path.ends_with(end))
        || (is_header(path) && !paths::has_directory(path, HEADER_DIRECTORIES))
        || paths::has_directory(path, PRIVATE_DIRECTORIES)
        || PRIVATE_NAMES.contains(&name)
        || (name.starts_with('_') && !name.starts_with("__"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity;
    use schemas::severity::Severity::Info;

    /// `text` so many times, each time with another number for `§`: what shares its name follows an interface.
    fn many(text: &str, times: usize) -> String {
        (0..times).map(|number| text.replace('§', &number.to_string())).collect()
    }

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
        run(&many("pub fn a§() { b() }\n", 5), &[(1, Info)]);
        run(
            &format!("/// A.\npub struct A;\n/// B.\npub const B: u8 = 1;\n{}", many("pub enum C§ {}\n", 3)),
            &[(5, Info)],
        );
        run(&many("pub fn a§() { b() }\n", 4), &[]);
        run(&many("/// A.\n#[must_use]\npub fn a§() { b() }\npub fn b§() { c() }\n", 4), &[]);
        run(&many("#[deprecated]\npub fn a§() { b() }\n\n#[doc(hidden)]\npub fn b§() { c() }\n", 9), &[]);
        run(&format!("#[deprecated]\npub fn z() {{ b() }}\n{}", many("pub fn a§() { b() }\n", 5)), &[(3, Info)]);
        run(&many("pub(crate) fn a§() { b() }\nfn c() { d() }\n", 9), &[]);
        run(&format!("impl A {{ {} }}\n", many("pub fn a§(&self) -> u8 { self.a }\n", 9)), &[]);
        run(&format!("impl A for B {{ {} }}\n", many("fn a§(&self) { b() }\n", 9)), &[]);
        run(&format!("#[cfg(test)]\npub mod tests {{ {} }}\n", many("pub fn a§() { b() }\n", 9)), &[]);
        check(&RULE, "examples/a.rs", &many("pub fn a§() { b() }\n", 5), &[]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.py", text, expected);
        run(&many("def a§():\n    b()\n", 5), &[(1, Info)]);
        run(&format!("class A:\n    '''A.'''\n{}", many("    def a§(self): b()\n", 4)), &[(3, Info)]);
        run(&many("def _a§():\n    b()\n", 9), &[]);
        run(&many("def a§():\n    '''A.'''\n    b()\ndef b§():\n    c()\n", 5), &[]);
        run(&format!("class A(B):\n{}", many("    def a§(self): b()\n", 9)), &[]);
        run(&format!("class A:\n{}", many("    def a§(self): return self.b\n", 9)), &[]);
        check(&RULE, "src/a.py", &format!("#!/usr/bin/env python3\n{}", many("def a§():\n    b()\n", 5)), &[]);
        check(&RULE, "src/_a.py", &many("def a§():\n    b()\n", 5), &[]);
        run(&many("class A§Warning(B):\n    pass\n", 9), &[]);
        check(&RULE, "tests/test_a.py", &many("def a§():\n    b()\n", 5), &[]);
    }

    #[test]
    fn go() {
        let of = |text: String| format!("package a\n\n{text}");
        let run = |text: String, expected: &[_]| check(&RULE, "a/a.go", &of(text), expected);
        run(many("func A§() { b() }\n", 5), &[(3, Info)]);
        run(many("type A§ struct{}\n\nfunc (a *A§) B§() { c() }\n", 3), &[(3, Info)]);
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
            // Plain JavaScript is judged only where something is documented.
            let habit = "/** Z. */\nexport const z = 1;\n";
            let run = |text: String, expected: &[(u32, Severity)]| {
                let expected: Vec<_> = expected.iter().map(|(line, severity)| (line + 2, *severity)).collect();
                check(&RULE, path, &format!("{habit}{text}"), &expected);
            };
            run(many("export function a§() { b(); }\n", 5), &[(1, Info)]);
            run(format!("export class A {{\n{}}}\n", many("  a§() { b(); }\n", 5)), &[(1, Info)]);
            run(many("const a§ = 1;\n", 5) + "export { a0, a1, a2, a3, a4 };\n", &[(1, Info)]);
            run(many("function a§() { b(); }\n", 9), &[]);
            run(many("/** A. */\nexport function a§() { b(); }\n", 5), &[]);
            run(format!("/** A. */\nexport class A extends B {{\n{}}}\n", many("  a§() { b(); }\n", 9)), &[]);
            run(many("/** A. */\nexport const a§ = 1;\nexport const b§ = 2;\n", 4), &[]);
        }
        check(&RULE, "src/a.js", &many("export function a§() { b(); }\n", 5), &[]);
        check(&RULE, "src/a.ts", &many("export function a§() { b(); }\n", 5), &[(1, Info)]);
        check(&RULE, "src/a.d.ts", &many("export function a§(): void;\n", 5), &[]);
        check(&RULE, "src/a.js", &format!("/*! A v1 */\n{}", many("export function a§() { b(); }\n", 5)), &[]);
        check(&RULE, "src/a.test.ts", &many("export function a§() { b(); }\n", 5), &[]);
        check(&RULE, "src/a.ts", &many("// eslint-disable-next-line\nexport type A§ = 1;\n", 5), &[(2, Info)]);
    }

    #[test]
    fn java() {
        let of = |text: &str| format!("/** A. */\npublic class A {{\n{}}}\n", many(text, 6));
        let run = |text: &str, expected: &[_]| check(&RULE, "src/A.java", &of(text), expected);
        run("public void a§() { b(); }\n", &[(3, Info)]);
        run("public static final int A§ = 1;\n", &[(3, Info)]);
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
            let run = |text: &str, expected: &[_]| check(&RULE, path, &many(text, 6), expected);
            run("int a§(int b);\n", &[(1, Info)]);
            run("static inline int a§(int b) { return c(b); }\n", &[(1, Info)]);
            run("/* A. */\nint a§(int b);\n", &[]);
            run("extern int a§;\nstruct b;\n", &[]);
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
        run("public class B§ { }\n", &[(3, Info)]);
        check(&RULE, "src/A.cs", &many("public interface A§ { void B§(); }\n", 3), &[(1, Info)]);
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
        check(&RULE, "src/A.kt", &many("fun a§() { b() }\nclass C§\n", 3), &[(1, Info)]);
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
            &of("  public func b§() { c() }\n").replace("public struct", "extension"),
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
        let of = |text: &str| format!("<?php\n{}", many(text, 5));
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.php", &of(text), expected);
        let class = |head: &str, text: &str| format!("<?php\n/** A. */\n{head} {{\n{}}}\n", many(text, 6));
        let run_class =
            |head: &str, text: &str, expected: &[_]| check(&RULE, "src/A.php", &class(head, text), expected);
        run("function a§() { b(); }\n", &[(2, Info)]);
        run("/** A. */\nfunction a§() { b(); }\n", &[]);
        run_class("class A", "public function a§() { b(); }\n", &[(4, Info)]);
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
        let class = |head: &str, text: &str| format!("# A.\n{head}\n{}end\n", many(text, 6));
        let run = |head: &str, text: &str, expected: &[_]| check(&RULE, "lib/a.rb", &class(head, text), expected);
        run("class A", "  def a§; b; end\n", &[(3, Info)]);
        run("module A", "  def self.a§\n    b\n  end\n", &[(3, Info)]);
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
}
