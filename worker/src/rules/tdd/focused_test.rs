//! Tests that silence all others.

use schemas::severity::Severity;

use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Marks that make the runner run this test only: `.only`, `fit`, `fdescribe` and their kin in JavaScript and TypeScript,
    /// `FIt`, `FDescribe` and their kin in Go with ginkgo, `:focus` and `fit` in Ruby, `->only()` in PHP. Only as calls
    /// that declare a test: not in strings, and not a function of another kind that happens to be named `fit`.
    ///
    /// Left alone are marks that a condition switches on, marks within a test, examples, files that other tests read, and the
    /// tests of a library of tests, which are declared by what its own root hands out (`const test = require("..")`) or by what the
    /// file makes (`tap.createHarness()`).
    ///
    /// ## Why it matters
    /// Every other test of the file, or of the whole suite, is not run, and the build is green.
    ///
    /// ## Example
    /// ```text
    /// it.only("adds", () => { expect(add(1, 2)).toBe(3) })
    /// ```
    ///
    /// ## How to fix
    /// Take the mark out. Most runners have a setting that fails the build when one is left.
    "tdd/focused-test", Tdd, High, version: 4, Check::Code(check)
);

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if file.outline.focuses.is_empty() || runners::is_tried_on(file) {
        return;
    }
    for focus in file.outline.focuses.iter().filter(|focus| !is_within_test(file, focus) && !is_switched(file, focus)) {
        found.push(Hit {
            place: file.place(focus.clone()),
            severity: Severity::High,
            confidence_permille: 950,
            message: "only this test runs; all others are silent".to_owned(),
            suggestion: "take the mark out",
        });
    }
}

/// Whether a test declares it: no runner looks for tests in tests, so this is what another runner is tried on.
fn is_within_test(file: &File<'_>, focus: &Span) -> bool {
    let holds = |body: &Span| body.start < focus.start && focus.end <= body.end;
    file.outline.tests().any(|(test, _)| test.body.as_ref().is_some_and(holds))
}

/// Whether a condition right in front of the mark, as on the command line of whoever looks for a fault, switches it on.
fn is_switched(file: &File<'_>, focus: &Span) -> bool {
    let line = file.source.line_span(file.source.line_of(focus.start));
    let own = file.source.text.get(line.start..focus.start).unwrap_or_default().trim();
    let above = file.source.text[..line.start].trim_end().lines().next_back().unwrap_or_default().trim();
    let is_condition = |text: &str| text.starts_with("if ") || text.starts_with("if(");
    is_condition(own) || (is_condition(above) && above.ends_with(['{', ')']))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.test.js", "a.spec.ts", "a.test.tsx"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
            for mark in [
                "it.only",
                "test.only",
                "describe.only",
                "fit",
                "fdescribe",
                "it.only.each([1])",
                "it.each([1]).only",
                "test.describe.only",
                "it.concurrent.only",
                "fcontext",
            ] {
                run(&format!("\n{mark}('a', () => {{}})\n"), &[(2, High)]);
            }
            run("it('it.only(1)', () => { expect('fit') })\n", &[]);
            run("// it.only('a', () => {})\n", &[]);
            run("fit(model, data)\nmodel.fit('x', () => {})\n", &[]);
            run("users.only('name', () => {})\n", &[]);
            run("test('a', () => {\n  it.only('b', () => {})\n})\n", &[]);
            run("if (process.env.DEBUG) it.only('a', () => {})\n", &[]);
            run("if (debug) {\n  it.only('a', () => {})\n}\n", &[]);
            run("run(debug)\nit.only('a', () => {})\n", &[(2, High)]);
            run("const it = require('../')\nit.only('a', () => {})\n", &[]);
            run("const { it } = require('../setup')\nit.only('a', () => {})\n", &[(2, High)]);
        }
        check(&RULE, "test/fixtures/a.test.js", "it.only('a', () => {})\n", &[]);
        check(&RULE, "src/a.js", "fit('a', () => {})\n", &[]);
    }

    #[test]
    fn go() {
        let run = |import: &str, body: &str, expected: &[_]| {
            check(&RULE, "a_test.go", &format!("package a\nimport . \"{import}\"\n{body}\n"), expected);
        };
        let ginkgo = "github.com/onsi/ginkgo/v2";
        run(ginkgo, "var _ = FDescribe(\"a\", func() {})", &[(3, High)]);
        run(ginkgo, "var _ = Describe(\"a\", func() {\nFIt(\"b\", func() {})\n})", &[(4, High)]);
        run(ginkgo, "var _ = Describe(\"FIt(\", func() {})", &[]);
        run(ginkgo, "var _ = FIt(1)", &[]);
        run("example.com/other", "var _ = FIt(\"a\", func() {})", &[]);
    }

    #[test]
    fn other_languages_have_no_such_mark() {
        check(&RULE, "a.rs", "#[test]\nfn only() { fit(\"a\", || {}); assert!(true) }\n", &[]);
        check(&RULE, "a.rs", "fn fdescribe() { it.only(\"a\", || {}) }\n", &[]);
        check(&RULE, "a.rs", "// it.only('a', () => {})\n", &[]);
        check(&RULE, "test_a.py", "def test_a():\n    model.fit('a', lambda: 1)\n", &[]);
        check(&RULE, "test_a.py", "def test_a():\n    it.only('a', lambda: 1)\n", &[]);
        check(&RULE, "test_a.py", "fit('a', lambda: 1)\n", &[]);
        check(
            &RULE,
            "ATest.java",
            "class ATest { @Test void fit() { it.only(\"a\", () -> 1); fit(\"a\", x); } }\n",
            &[],
        );
        check(&RULE, "ATests.cs", "class A { [Fact] public void Only() { it.only(\"a\", 1); Fit(\"a\", 1); } }\n", &[]);
        check(&RULE, "ATest.kt", "class A { @Test fun only() { fit(\"a\") { } } }\n", &[]);
        check(&RULE, "ATests.swift", "class A: XCTestCase { func testOnly() { model.fit(\"a\") { } } }\n", &[]);
        check(&RULE, "a.bats", "@test 'only' {\n  fit a\n}\n", &[]);
        check(&RULE, "a_test.c", "TEST(Group, only) { fit(\"a\", only); }\n", &[]);
        check(&RULE, "a_test.cc", "TEST(Suite, only) { it.only(\"a\", [] {}); fdescribe(\"a\", [] {}); }\n", &[]);
    }

    #[test]
    fn ruby() {
        let run = |text: &str, expected: &[_]| check(&RULE, "spec/a_spec.rb", text, expected);
        for mark in ["fit 'a'", "fdescribe 'a'", "it 'a', :focus", "it 'a', focus: true", "RSpec.fdescribe('a')"] {
            run(&format!("\n{mark} do\nend\n"), &[(2, High)]);
        }
        run("it 'fit' do\n  expect(':focus').to be\nend\n", &[]);
        run("it 'a', focus: false do\nend\n# fit 'a' do\n", &[]);
        run("model.fit('a') do\nend\nfit(data)\n", &[]);
        check(&RULE, "lib/a.rb", "fit 'a' do\nend\n", &[]);
    }

    #[test]
    fn php() {
        let run = |text: &str, expected: &[_]| check(&RULE, "tests/ATest.php", &format!("<?php\n{text}\n"), expected);
        run("it('a', function () { run(); })->only();", &[(2, High)]);
        run("test('a', fn () => run())->only();", &[(2, High)]);
        run("$request->only('a');\nit('only()', fn () => run());", &[]);
        run("// it('a', fn () => run())->only();", &[]);
        check(&RULE, "src/a.php", "<?php\nit('a', fn () => run())->only();\n", &[]);
    }
}
