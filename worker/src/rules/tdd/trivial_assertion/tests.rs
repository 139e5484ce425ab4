//! Assertions that hold whatever the code does, and those that only look so.

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
    all("src/a.rs", around, &["assert!(x);", "assert_eq!(x, y);", "assert_eq!(f(), f());", "assert!(false);"], false);
    all("src/a.rs", ("#[test] fn is_reflexive() {", "}"), &["assert_eq!(x, x);"], false);
    all("src/a.rs", around, &["// assert!(true);", "let a = \"assert!(true)\";", "assert!(x.is_nan() != x);"], false);
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
        "    assert x.y is x.y",
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
    check(&RULE, "test_a.py", &format!("def test_a():\n{caught}assert True\n    else:\n        assert False\n"), &[]);
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
    let fine = ["EXPECT_TRUE(x);", "EXPECT_EQ(x, 1);", "EXPECT_EQ(f(), f());", "// EXPECT_TRUE(true);", "CHECK(x);"];
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
            "spec/a_spec.rb",
            ("describe 'a' do; it 'b' do", "end; end"),
            &["expect(1).to eq(1)", "expect(1).to(eq(1))", "expect(true).to be true", "expect('a').to eql('a')"],
            &[
                "expect(x).to eq(1)",
                "expect(x).to eq(x)",
                "expect(1).not_to eq(1)",
                "expect(1).to eq(1).or eq(x)",
                "expect(1).to eq(1) & eq(x)",
                "expect(1).to !eq(1)",
                "expect(1).to be_at_most(1)",
                "expect(1).to eq(1 + x)",
                "expect(1).to be < 1",
                "# expect(1).to eq(1)",
                "expect { 1 }.to eq(1)",
            ],
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

#[test]
fn what_a_property_gives_may_be_another_object_at_each_look() {
    let script = ("it('a', () => {", "})");
    all("a.test.js", script, &["expect(a.b).toBe(a.b)", "assert.strictEqual(a.b, a.b)", "assert(a.b === a.b)"], false);
    all("a.test.js", script, &["expect(a).toBe(a)", "expect(a.b).toEqual(a.b)", "expect('a.b').toBe('a.b')"], true);
    all("test_a.py", ("def test_a(self):", "    run()"), &["    self.assertIs(x.y, x.y)"], false);
    all("a_test.go", ("func TestA(t *testing.T) {", "}"), &["assert.Same(t, x.y, x.y)"], true);
}

#[test]
fn types_are_compared_by_the_compiler() {
    let around = ("it('a', () => {", "})");
    all("a.test.ts", around, &["assert<Equal<A, B>>(true)"], false);
    all("a.test.ts", around, &["assert(true)"], true);
}

#[test]
fn what_assertions_and_runners_are_tried_on_is_no_part_of_the_tests() {
    let (around, line) = (("test('a', function (t) {", "});"), ["t.ok(true);"]);
    all("test/a.js", around, &line, true);
    all("test/assertion.js", around, &line, false);
    all("example/a.test.js", around, &line, false);
    let of = |root: &str| format!("const {{ expect }} = require('{root}');\nit('a', () => expect(1).toBe(1));\n");
    check(&RULE, "test/a.js", &of("chai"), &[(2, High)]);
    check(&RULE, "test/a.js", &of(".."), &[]);
    let own = "const test = require('../..');\ntest('a', function (t) { t.ok(true); });\n";
    check(&RULE, "test/a.js", own, &[]);
    let inner =
        "def test_a():\n    class T(TestCase):\n        def test_b(self):\n            assert True\n    run(T)\n";
    check(&RULE, "test_a.py", inner, &[]);
    check(&RULE, "test_a.py", &inner.replace("test_a", "make_a"), &[(4, High)]);
    check(&RULE, "tests/simple.py", "def test_a():\n    assert True\n", &[]);
}

#[test]
fn a_callback_that_ends_the_test_is_waited_for() {
    let of = |end: &str| format!("it('a', (done) => {{\n  run(() => {{\n    assert.ok(true)\n    {end}\n  }})\n}})\n");
    check(&RULE, "a.test.js", &of("done()"), &[]);
    check(&RULE, "a.test.js", &of("run()"), &[(3, High)]);
    check(&RULE, "a.test.js", "it('a', (done) => {\n  assert.ok(true)\n  done()\n})\n", &[(2, High)]);
    let caught = |other: &str| {
        format!(
            "class ATests {{\n[Fact] public void T() {{\ntry {{ Run(); {other} }} catch (E) {{\nAssert.True(true); }}\n}}\n}}\n"
        )
    };
    check(&RULE, "ATests.cs", &caught("Assert.Fail();"), &[]);
    check(&RULE, "ATests.cs", &caught("Other();"), &[(4, High)]);
}

#[test]
fn coming_there_is_what_is_tested() {
    let run = |text: &str, expected: &[_]| check(&RULE, "test_a.py", text, expected);
    let of = |name: &str, body: &str| format!("def test_{name}(self):\n    {body}\n");
    run(&of("should_always_pass", "assert True"), &[]);
    run(&of("should_pass_cart", "assert True"), &[(2, High)]);
    run(&of("cart", "self.assertTrue(True, 'it should run')"), &[]);
    run(&format!("@skipIf(False, 'x')\n{}", of("cart", "assert True")), &[]);
    run(&format!("@skipIf(TWO, 'x')\n{}", of("cart", "assert True")), &[(3, High)]);
    run(&of("cart", "# it just doesn't stack trace\n    pay()\n    assert True"), &[]);
    run(&of("cart", "# it just pays\n    pay()\n    assert True"), &[(4, High)]);
    let fails =
        "try:\n        pay()\n        self.assertFalse(VALUE, 'x')\n    except E:\n        self.assertTrue(True)";
    run(&of("cart", &fails.replace("VALUE", "True")), &[]);
    run(&of("cart", &fails.replace("VALUE", "paid")), &[(6, High)]);
}
