//! Assertions that hold whatever the code does.

use schemas::severity::Severity;

use crate::outline::{Call, Function, Span};
use crate::paths;
use crate::rules::calls::{arguments, is_in_tests, last_name, split};
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Assertions in tests that compare a literal or a name with itself, or assert a literal that is true: `assert!(true)`,
    /// `assert 1 == 1`, `assert.Equal(t, x, x)`, `expect(true).toBe(true)`, `EXPECT_EQ(1, 1)`, `Assert.True(true)`.
    ///
    /// A value compared with itself where the test is about comparing (its name speaks of `eq`, `hash`, `order`, `nan` and
    /// such, or it also says what the same value differs from) and calls on both sides, which may answer differently, are
    /// left alone. So is a literal where coming there is what is tested: the test says elsewhere how it fails, or how many
    /// assertions it plans.
    ///
    /// ## Why it matters
    /// The test has an assertion and checks nothing; it passes for every version of the code, broken ones among them.
    ///
    /// ## Example
    /// ```text
    /// result = run()
    /// assert True
    /// ```
    ///
    /// ## How to fix
    /// Assert what came out of the code: `assert result == 3`.
    "tdd/trivial-assertion", Tdd, High, version: 2, Check::Code(check)
);

/// Assertions of two equal values, by their last name.
const EQUALITIES: &[&str] = &[
    "ASSERT_EQ",
    "AreEqual",
    "AreSame",
    "EXPECT_EQ",
    "Equal",
    "EqualValues",
    "Exactly",
    "Same",
    "XCTAssertEqual",
    "assertEqual",
    "assertEquals",
    "assertIs",
    "assertSame",
    "assert_eq",
    "assert_equal",
    "assert_same",
    "debug_assert_eq",
    "deepEqual",
    "deepStrictEqual",
    "equal",
    "same",
    "strictEqual",
];

/// Assertions of one true value, by their last name.
const TRUTHS: &[&str] = &[
    "ASSERT_TRUE",
    "CHECK",
    "EXPECT_TRUE",
    "IsTrue",
    "REQUIRE",
    "True",
    "XCTAssert",
    "XCTAssertTrue",
    "assert",
    "assertTrue",
    "debug_assert",
    "isTrue",
    "ok",
];

/// Beginnings of names that are assertions wherever they stand in a test.
const HEADS: &[&str] = &["ASSERT_", "CHECK", "EXPECT_", "REQUIRE", "XCTAssert", "assert", "debug_assert"];

/// Matchers of equality behind `expect(..)`.
const MATCHERS: &[&str] = &["toBe", "toEqual", "toStrictEqual"];

/// First names of paths whose last name alone could be anything.
const HOSTS: &[&str] = &["Assert", "assert", "chai", "require", "t"];

/// Literals that are true.
const TRUE: &[&str] = &["1", "True", "true"];

/// Signs, without white space, that a test fails where it comes to another place than it should.
const FAILURES: &[&str] = &[
    ".plan(",
    "assert!(false",
    "assert(false",
    "assertions(",
    "fail(",
    "ok(false",
    "panic!",
    "reject(",
    "unreachable!",
];

/// Signs of two values that differ.
const DIFFERENCES: &[&str] = &["!=", "assert_ne", "Not", "not ", ".not."];

/// Directories of what tests read.
const DATA_DIRECTORIES: &[&str] = &["__fixtures__", "fixtures", "test-data", "test_data", "testdata"];

/// Words in names of tests that are about comparing.
const COMPARING: &[&str] = &["cmp", "compar", "eq", "hash", "ident", "nan", "ord", "reflex", "same", "self"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if paths::has_directory(file.source.path, DATA_DIRECTORIES) {
        return;
    }
    for (index, call) in file.outline.calls.iter().enumerate() {
        if found.is_full() {
            return;
        }
        let Some((is_trivial, start)) = judge(file, index, call) else { continue };
        if is_trivial && is_in_tests(file, start) {
            report(file, start..call.arguments.end, found);
        }
    }
    for span in &file.outline.asserts {
        let text = file.text(span).trim_start_matches("assert").trim();
        let condition = split(text, |rest| rest.starts_with(',').then_some(1)).first().copied().unwrap_or_default();
        if is_true(file, condition, span.start) && is_in_tests(file, span.start) {
            report(file, span.clone(), found);
        }
    }
}

fn report(file: &File<'_>, span: Span, found: &mut Findings<'_>) {
    found.push(Hit {
        place: file.place(span),
        severity: Severity::High,
        confidence_permille: 900,
        message: "assertion holds whatever the code does".to_owned(),
        suggestion: "assert what came out of the code",
    });
}

/// Whether `call` is trivial, and where it starts, if it is an assertion of a known kind.
fn judge(file: &File<'_>, index: usize, call: &Call) -> Option<(bool, usize)> {
    let callee = file.text(&call.callee);
    let (name, start) = (last_name(callee), call.callee.start);
    let first = callee.split(['.', ':']).next().unwrap_or_default();
    let is_ours = HEADS.iter().any(|head| name.starts_with(head)) || HOSTS.contains(&first);
    let mut all = arguments(file, &call.arguments);
    if MATCHERS.contains(&name) {
        let expect = expectation(file, index, call)?;
        let actual = arguments(file, &expect.arguments);
        let (Some(actual), Some(expected)) = (actual.first(), all.first()) else { return None };
        return Some((are_same(file, actual, expected, start), expect.callee.start));
    }
    // In Go the first argument is what fails the test.
    if all.first() == Some(&"t") && matches!(first, "assert" | "require") {
        all.remove(0);
    }
    // JUnit 4 has the message in front.
    let is_message = all.first().is_some_and(|first| first.starts_with('"')) && all.first() != all.get(1);
    let usual = if EQUALITIES.contains(&name) { 2 } else { 1 };
    if is_message && all.len() > usual && names_assertions_after_junit(file) {
        all.remove(0);
    }
    match all.as_slice() {
        [a, b, ..] if is_ours && EQUALITIES.contains(&name) => Some((are_same(file, a, b, start), start)),
        [condition, ..] if is_ours && TRUTHS.contains(&name) => Some((is_true(file, condition, start), start)),
        _ => None,
    }
}

fn names_assertions_after_junit(file: &File<'_>) -> bool {
    matches!(paths::extension(file.source.path), Some("java" | "kt"))
}

/// The call `expect(..)` right in front of the matcher `call`. Outer calls stand first, so it is one of the next.
fn expectation<'f>(file: &'f File<'_>, index: usize, call: &Call) -> Option<&'f Call> {
    let end = call.callee.start.checked_sub(1)?;
    let next = file.outline.calls.get(index + 1)?;
    (file.text(&next.callee) == "expect" && next.arguments.end == end).then_some(next)
}

/// Whether `condition` is a true literal, or compares something with itself.
fn is_true(file: &File<'_>, condition: &str, at: usize) -> bool {
    let sides = split(condition, |rest| {
        ["===", "==", " is "].iter().find(|mark| rest.starts_with(*mark)).map(|mark| mark.len())
    });
    match sides.as_slice() {
        [only] => is_true_literal(file, only) && !is_about_reaching(file, at),
        [a, b] => are_same(file, a, b, at),
        _ => false,
    }
}

/// Whether `a` and `b` are the same literal, or the same name where nothing says that this is meant.
fn are_same(file: &File<'_>, a: &str, b: &str, at: usize) -> bool {
    let is_name = a.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '&' | ':'));
    let is_number = is_name && a.starts_with(|c: char| c.is_ascii_digit());
    // A quote that stands at both ends only: otherwise more than one string may be joined.
    let is_text = ['"', '\'']
        .into_iter()
        .any(|quote| a.starts_with(quote) && a.matches(quote).count() == 2 && a.ends_with(quote));
    let is_literal = is_number || is_text || is_true_literal(file, a) || a == "false";
    let is_meant = || is_about_comparing(file, at) || is_told_apart(file, a, at);
    a == b && !a.is_empty() && (is_literal || (is_name && !is_meant()))
}

/// Whether `text` is a literal that is true; in Python `true` is a name like others.
fn is_true_literal(file: &File<'_>, text: &str) -> bool {
    let is_python = paths::extension(file.source.path) == Some("py");
    TRUE.contains(&text) && !(is_python && text == "true")
}

/// The function around byte `at`.
fn around<'f>(file: &'f File<'_>, at: usize) -> Option<&'f Function> {
    let after = file.outline.functions.partition_point(|function| function.span.start <= at);
    file.outline.functions[..after].iter().rev().take(8).find(|function| function.span.contains(&at))
}

/// Whether the test around byte `at` fails by itself where it does not come there.
fn is_about_reaching(file: &File<'_>, at: usize) -> bool {
    // Callbacks of a test are functions of their own; the plan is made in front of them.
    let tests = file.outline.tests().map(|(function, _)| function);
    let test = tests.filter(|function| function.span.contains(&at)).last();
    let text = test.or(around(file, at)).map_or("", |function| file.text(&function.span));
    let says = |line: &str| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        let is_false = line.strip_prefix("assertFalse").is_some_and(|rest| !rest.starts_with('('));
        is_false || FAILURES.iter().any(|sign| line.contains(sign))
    };
    text.lines().any(says)
}

/// Whether the test around byte `at` says too what `name` differs from.
fn is_told_apart(file: &File<'_>, name: &str, at: usize) -> bool {
    let text = around(file, at).map_or("", |function| file.text(&function.span));
    let holds = |line: &str| words(line).any(|word| word == name);
    text.lines().any(|line| DIFFERENCES.iter().any(|sign| line.contains(sign)) && holds(line))
}

/// The names in `line`, with what they are fields of.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '&' | ':'))
}

/// Whether the test around byte `at` is about comparing, by its name.
fn is_about_comparing(file: &File<'_>, at: usize) -> bool {
    let name = around(file, at).map(|function| file.text(&function.name).to_ascii_lowercase()).unwrap_or_default();
    COMPARING.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    /// `lines` in the middle of a test, each of which is found or not.
    #[track_caller]
    fn all(path: &str, around: (&str, &str), lines: &[&str], is_found: bool) {
        let expected: &[_] = if is_found { &[(2, High)] } else { &[] };
        for line in lines {
            check(&RULE, path, &format!("{}\n{line}\n{}\n", around.0, around.1), expected);
        }
    }

    #[test]
    fn rust() {
        let around = ("#[test] fn a() {", "}");
        all(
            "src/a.rs",
            around,
            &["assert!(true);", "assert_eq!(1, 1);", "assert_eq!(x, x);", "assert!(x == x, \"why\");"],
            true,
        );
        all(
            "src/a.rs",
            around,
            &["assert!(x);", "assert_eq!(x, y);", "assert_eq!(f(), f());", "assert!(false);"],
            false,
        );
        all("src/a.rs", ("#[test] fn is_reflexive() {", "}"), &["assert_eq!(x, x);"], false);
        all(
            "src/a.rs",
            around,
            &["// assert!(true);", "let a = \"assert!(true)\";", "assert!(x.is_nan() != x);"],
            false,
        );
        all("src/a.rs", ("fn a() {", "}"), &["assert!(true);"], false);
    }

    #[test]
    fn python() {
        let around = ("def test_a(self):", "    run()");
        let trivial =
            ["    assert True", "    assert 1 == 1", "    assert x.y == x.y, 'why'", "    self.assertEqual(x, x)"];
        all("test_a.py", around, &trivial, true);
        all("test_a.py", around, &["    self.assertTrue(True)", "    assert x is x"], true);
        let fine = [
            "    assert x",
            "    assert x == y",
            "    assert f() == f()",
            "    assert x != x",
            "    assert False",
            "    # assert True",
        ];
        all("test_a.py", around, &fine, false);
        all(
            "test_a.py",
            around,
            &["    assert true", "    assert 1/x + f(1) == 1/x + f(1)", "    assert 10*m == 10*m"],
            false,
        );
        all("test_a.py", around, &["    assert x == x\n    assert x != y"], false);
        let caught = "    try:\n        run()\n    except E:\n        ";
        check(
            &RULE,
            "test_a.py",
            &format!("def test_a():\n{caught}assert True\n    else:\n        assert False\n"),
            &[],
        );
        check(&RULE, "test_a.py", &format!("def test_a():\n{caught}assert True\n"), &[(5, High)]);
        all("test_a.py", ("def test_hash(self):", "    run()"), &["    assert x == x"], false);
        all("a.py", ("def f():", "    run()"), &["    assert True"], false);
    }

    #[test]
    fn go() {
        let around = ("package a; func TestA(t *testing.T) {", "}");
        all("a_test.go", around, &["assert.Equal(t, 1, 1)", "require.True(t, true)", "assert.Equal(t, x, x)"], true);
        all(
            "a_test.go",
            around,
            &["assert.Equal(t, 1, x)", "require.True(t, x)", "assert.Equal(t, f(), f())", "list.Equal(x, x)"],
            false,
        );
        all("testdata/a_test.go", around, &["assert.Equal(t, 1, 1)"], false);
        all("a_test.go", ("package a; func TestEqual(t *testing.T) {", "}"), &["assert.Equal(t, x, x)"], false);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.test.js", "a.spec.ts", "a.test.tsx"] {
            let around = ("it('a', () => {", "})");
            let trivial = [
                "expect(true).toBe(true)",
                "expect(x).toEqual(x)",
                "assert.strictEqual(1, 1)",
                "assert(true)",
                "assert.ok(true)",
            ];
            all(path, around, &trivial, true);
            let fine = [
                "expect(x).toBe(true)",
                "expect(f()).toBe(f())",
                "expect(x).not.toBe(x)",
                "assert.equal(x, 1)",
                "// expect(true).toBe(true)",
            ];
            all(path, around, &fine, false);
            all(
                path,
                ("test('a', t => { t.plan(1)", "})"),
                &["run(() => t.assert.ok(true))", "res.end = () => { t.assert.ok(true) }"],
                false,
            );
            all(path, ("it('a', () => { try {", "} catch { assert.fail() } })"), &["assert.ok(true)"], false);
            all(path, ("it('compares', () => {", "})"), &["expect(x).toEqual(x)"], false);
        }
    }

    #[test]
    fn java() {
        let around = ("class ATest { @Test void a() {", "} }");
        let trivial = [
            "assertTrue(true);",
            "assertEquals(1, 1);",
            "Assert.assertEquals(\"sum\", x, x);",
            "assertTrue(\"runs\", true);",
            "assertSame(x.y, x.y);",
        ];
        all("ATest.java", around, &trivial, true);
        let fine = [
            "assertTrue(x);",
            "assertEquals(1, x);",
            "assertEquals(f(), f());",
            "assertEquals(\"a\", x, 0.1);",
            "list.equals(x, x);",
            "// assertTrue(true);",
        ];
        all("ATest.java", around, &fine, false);
        all("ATest.java", ("class ATest { @Test void equalsItself() {", "} }"), &["assertEquals(x, x);"], false);
        all("A.java", ("class A { void a() {", "} }"), &["assertTrue(true);"], false);
    }

    #[test]
    fn cpp() {
        let around = ("TEST(A, b) {", "}");
        let trivial = ["EXPECT_TRUE(true);", "EXPECT_EQ(1, 1);", "ASSERT_EQ(x, x);", "ASSERT_TRUE(x == x) << 1;"];
        all("a_test.cc", around, &trivial, true);
        all("a_test.cc", ("TEST_CASE(\"b\") {", "}"), &["REQUIRE(true);", "CHECK(1 == 1);"], true);
        let fine =
            ["EXPECT_TRUE(x);", "EXPECT_EQ(x, 1);", "EXPECT_EQ(f(), f());", "// EXPECT_TRUE(true);", "CHECK(x);"];
        all("a_test.cc", around, &fine, false);
        all("a_test.cc", ("TEST(A, HashOfEqual) {", "}"), &["EXPECT_EQ(x, x);"], false);
        all("a.cc", ("void f() {", "}"), &["CHECK(true);"], false);
    }

    /// Path, text around a line, lines that are found, and others.
    type Case<'t> = (&'t str, (&'t str, &'t str), &'t [&'t str], &'t [&'t str]);

    #[test]
    fn languages_read_by_outline() {
        let cases: &[Case<'_>] = &[
            (
                "ATests.cs",
                ("class A { [Fact] public void T() {", "} }"),
                &["Assert.True(true);", "Assert.Equal(1, 1);", "Assert.AreEqual(x, x);"],
                &["Assert.True(x);", "Assert.Equal(1, x);", "Assert.Equal(F(), F());"],
            ),
            (
                "ATest.php",
                ("<?php class A extends TestCase { function testA() {", "} }"),
                &["$this->assertTrue(true);", "self::assertSame(1, 1);"],
                &["$this->assertTrue($x);", "self::assertSame(1, $x);", "// $this->assertTrue(true);"],
            ),
            (
                "test/a_test.rb",
                ("class ATest < Minitest::Test; def test_a", "end; end"),
                &["assert true", "assert_equal 1, 1", "assert_equal(x, x)"],
                &["assert x", "assert_equal 1, x", "puts 'assert true'"],
            ),
            (
                "ATest.kt",
                ("class A { @Test fun a() {", "} }"),
                &["assertTrue(true)", "assertEquals(1, 1)"],
                &["assertTrue(x)", "assertEquals(1, x)", "// assertTrue(true)"],
            ),
            (
                "ATests.swift",
                ("class A: XCTestCase { func testA() {", "} }"),
                &["XCTAssertTrue(true)", "XCTAssertEqual(1, 1)"],
                &["XCTAssertTrue(x)", "XCTAssertEqual(1, x)", "// XCTAssert(true)"],
            ),
        ];
        for (path, around, trivial, fine) in cases {
            all(path, *around, trivial, true);
            all(path, *around, fine, false);
        }
    }
}
