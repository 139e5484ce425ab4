//! Tests with nothing in them.

mod meant;

use schemas::severity::Severity;

use meant::{is_in_project_of_tests, is_in_skipped_class, is_meant};

use crate::names;
use crate::outline::{Function, Span, Test};
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Tests whose body does nothing: `{}`, `pass`, `...`, or documentation alone (high). A comment does not fill it;
    /// one that gives a reason (`because`, `not`, `only`), and not that it is still to be written, makes it low.
    ///
    /// Tests that are switched off, alone or with their class, or that say of themselves that they are still to be written, such as
    /// `it.todo`, are left to `tdd/skipped-test`.
    ///
    /// Left alone is what may be meant to be empty: tests that are named `Dummy`, `Empty` or `Noop` or after being compiled, or
    /// after starting and stopping where something is set up for them; in Python those with fixtures, with decorators that may do
    /// something, those of classes that may inherit a test of that name, those that `setUp` calls, and those that no
    /// runner finds, by the name of their file among tests, or as their class is made in a function or stands in one
    /// that is none of tests; overrides; and in Java and Kotlin those of classes for which a container is started. So
    /// are examples, files that other tests read or that lie deep in a project below integration tests, copies of tests
    /// of others, and the tests of a library of tests, which are declared by what its own root hands out.
    ///
    /// ## Why it matters
    /// It is green for ever, and its name says that something is tested.
    ///
    /// ## Example
    /// ```text
    /// it("refunds twice", () => {})
    /// ```
    ///
    /// ## How to fix
    /// Write the test, or say that it is missing in the way of the runner: `it.todo("refunds twice")`.
    "tdd/empty-test", Tdd, High, version: 5, Check::Code(check)
);

/// Fewest words that say why.
const REASON_WORDS_MIN: usize = 3;

/// Words of a comment that gives a reason; one without them names what the test would be about.
const REASONS: &[&str] = &[
    "as",
    "because",
    "but",
    "cannot",
    "checked",
    "compile",
    "compiles",
    "covered",
    "deliberate",
    "deliberately",
    "due",
    "enough",
    "intended",
    "intentional",
    "intentionally",
    "just",
    "must",
    "need",
    "needed",
    "needs",
    "never",
    "no",
    "not",
    "nothing",
    "only",
    "otherwise",
    "purpose",
    "required",
    "requires",
    "since",
    "so",
    "t",
    "tested",
    "unless",
    "unsupported",
    "until",
    "when",
    "without",
];

/// Marks of what is still to be written, put together so that this file holds none of them.
const PLANS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let is_empty = |test: &Test| test.statements == 0 && !test.skipped && !test.fails_otherwise;
    if !file.outline.tests().any(|(_, test)| is_empty(test)) || runners::is_tried_on(file) {
        return;
    }
    if is_in_project_of_tests(file.source.path) {
        return;
    }
    for (function, _) in file.outline.tests().filter(|(_, test)| is_empty(test)) {
        if is_meant(file, function) || is_in_skipped_class(file, function) || runners::is_hidden(file, function) {
            continue;
        }
        let is_explained = is_explained(file, function);
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: if is_explained { Severity::Low } else { Severity::High },
            confidence_permille: 950,
            message: if is_explained { "test is empty, and a comment says why" } else { "test is empty" }.to_owned(),
            suggestion: "write it, or say in the way of the runner that it is missing",
        });
    }
}

/// Whether a comment in the test, or right above it, says why there is nothing.
fn is_explained(file: &File<'_>, function: &Function) -> bool {
    let within = |span: &&Span| function.span.start <= span.start && span.start < function.span.end;
    let inside = file.outline.comments.iter().filter(within).map(|span| file.text(span));
    let said: Vec<&str> = inside.chain(file.comments_near(function.span.start)).collect();
    let is_plan = |text: &&str| PLANS.iter().any(|mark| text.contains(mark));
    let words: Vec<String> = said.iter().flat_map(|text| names::words(text)).collect();
    words.len() >= REASON_WORDS_MIN && gives_reason(&words) && !said.iter().any(is_plan)
}

/// Whether one of `words` begins a reason.
pub(super) fn gives_reason(words: &[String]) -> bool {
    words.iter().any(|word| REASONS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low};

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
        run("#[test]\nfn a() {}\n", &[(2, High)]);
        run("#[tokio::test]\nasync fn a() {\n    // later\n}\n", &[(2, High)]);
        run("#[test]\nfn a() { run(); }\n", &[]);
        run("#[test]\n#[ignore]\nfn a() {}\n", &[]);
        run("#[test]\n#[should_panic]\nfn a() {}\n", &[]);
        run("fn a() {}\n", &[]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "tests/test_a.py", text, expected);
        run("def test_a():\n    pass\n", &[(1, High)]);
        run("class TestA:\n    def test_a(self):\n        \"\"\"Why.\"\"\"\n", &[(2, High)]);
        run("def test_a():\n    ...\n", &[(1, High)]);
        run("def test_a():\n    assert run()\n", &[]);
        run("@pytest.mark.skip\ndef test_a():\n    pass\n", &[]);
        run("@SKIP('abstract class')\ndef test_a():\n    pass\n", &[]);
        run(
            "def test_a():\n    class Test(TestCase):\n        def test_b(self):\n            pass\n    assert run(Test)\n",
            &[],
        );
        run("def helper():\n    pass\n", &[]);
        check(&RULE, "app/test/runner.py", "def test_tags(test):\n    pass\n", &[]);
        check(&RULE, "src/a.py", "def test_a():\n    pass\n", &[]);
        check(&RULE, "docs/test_a.py", "def test_a():\n    pass\n", &[]);
    }

    #[test]
    fn go() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a_test.go", &format!("package a\n{text}\n"), expected);
        run("func TestA(t *testing.T) {}", &[(2, High)]);
        run("func TestA(t *testing.T) {\n// later\n}", &[(2, High)]);
        run("func TestA(t *testing.T) {\n// the cart of two people\n}", &[(2, High)]);
        run("func TestA(t *testing.T) {\n// it is enough that this builds\n}", &[(2, Low)]);
        run(concat!("func TestA(t *testing.T) {\n// TO", "DO: values close to zero\n}"), &[(2, High)]);
        run("func TestA(t *testing.T) { run() }", &[]);
        run("func TestA(t *testing.T) {\n// why\nrun()\n}", &[]);
        run("func TestA(t *testing.T) { t.Skip() }", &[]);
        run("func helper() {}", &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.test.js", "a.spec.ts", "a.test.tsx"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
            run("it('a', () => {})\n", &[(1, High)]);
            run("describe('g', () => {\n test('a', async function () { /* later */ })\n})\n", &[(2, High)]);
            run("it('a', () => { run() })\n", &[]);
            run("it('a', () => run())\n", &[]);
            run("it.todo('a')\n", &[]);
            run("it.skip('a', () => {})\n", &[]);
            run("describe('g', () => {})\n", &[]);
        }
    }

    #[test]
    fn java() {
        let run =
            |text: &str, expected: &[_]| check(&RULE, "ATest.java", &format!("class ATest {{\n{text}\n}}\n"), expected);
        run("@Test void a() {}", &[(2, High)]);
        run("@Test void a() { /* later */ }", &[(2, High)]);
        run("@Test void a() { run(); }", &[]);
        run("@Disabled @Test void a() {}", &[]);
        run("void a() {}", &[]);
    }

    #[test]
    fn cpp() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a_test.cc", text, expected);
        run("TEST(A, b) {}\n", &[(1, High)]);
        run("TEST_F(A, b) {\n  // later\n}\n", &[(1, High)]);
        run("TEST(A, b) { run(); }\n", &[]);
        run("TEST(A, DISABLED_b) {}\n", &[]);
        run("void f() {}\n", &[]);
    }

    #[test]
    fn languages_read_by_outline() {
        // Path, text around a test, empty bodies, and others; marks in front are part of the text.
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "ATests.cs",
                &[
                    "class A {\n[Fact] public void T() { }\n}\n",
                    "class A {\n[Test] public void T() { /* later */ }\n}\n",
                ],
                &[
                    "class A {\n[Fact] public void T() { Run(); }\n}\n",
                    "class A {\n[Fact] public void T() => Run();\n}\n",
                    "class A {\n[Test, Ignore] public void T() { }\n}\n",
                    "class A {\npublic void T() { }\n}\n",
                ],
            ),
            (
                "ATest.php",
                &[
                    "<?php class A extends TestCase {\nfunction testA() {}\n}\n",
                    "<?php\nit('a', function () { /* later */ });\n",
                ],
                &[
                    "<?php class A extends TestCase {\nfunction testA() { run(); }\n}\n",
                    "<?php\nit('a', fn () => run());\n",
                    "<?php class A extends TestCase {\nfunction setUp() {}\n}\n",
                ],
            ),
            (
                "spec/a_spec.rb",
                &["\nit 'a' do\nend\n", "\nit 'a' do\n  # later\nend\n", "\nit('a') { }\n"],
                &["\nit 'a' do\n  run\nend\n", "\nit 'a'\n", "\nxit 'a' do\nend\n", "\ndescribe 'a' do\nend\n"],
            ),
            (
                "ATest.kt",
                &["class A {\n@Test fun a() {}\n}\n", "class A {\n@Test fun a() { /* later */ }\n}\n"],
                &[
                    "class A {\n@Test fun a() { run() }\n}\n",
                    "class A {\n@Ignore @Test fun a() {}\n}\n",
                    "\nfun a() {}\n",
                ],
            ),
            (
                "ATests.swift",
                &["class A: XCTestCase {\nfunc testA() {}\n}\n", "\n@Test func a() { /* later */ }\n"],
                &[
                    "class A: XCTestCase {\nfunc testA() { run() }\n}\n",
                    "\n@Test(.disabled()) func a() {}\n",
                    "\nfunc a() {}\n",
                ],
            ),
            (
                "a.bats",
                &["\n@test 'a' {\n}\n", "\n@test \"a\" {\n  # later\n}\n"],
                &["\n@test 'a' {\n  run\n}\n", "\n@test 'a' {\n  skip\n}\n", "\na() {\n}\n"],
            ),
        ];
        for (path, empty, others) in cases {
            for text in *empty {
                check(&RULE, path, text, &[(2, High)]);
            }
            for text in *others {
                check(&RULE, path, text, &[]);
            }
        }
    }
}
