//! Marks that switch tests off, in each language.

use schemas::severity::Severity::{Low, Medium};

use super::RULE;
use crate::rules::testing::check;

#[test]
fn rust() {
    let run = |text: &str, expected: &[_]| check(&RULE, "a.rs", text, expected);
    run("#[test]\n#[ignore]\nfn a() {}\n", &[(2, Medium)]);
    run("#[ignore]\n#[test]\nfn a() {}\n", &[(1, Medium)]);
    run("#[test]\n#[ignore = \"needs a mailer\"]\nfn a() {}\n", &[(2, Low)]);
    run("#[test]\n#[ignore] // slow on laptops\nfn a() {}\n", &[(2, Low)]);
    run("/// Sends mail.\n#[ignore]\n#[test]\nfn a() {}\n", &[(2, Medium)]);
    run("#[test]\n#[cfg_attr(windows, ignore)]\nfn a() {}\n", &[]);
    run("#[ignore]\nfn a() {}\n", &[]);
    run("#[ignore] // only compilation is checked\n#[test]\nfn a() {}\n", &[]);
    run("#[test]\n#[ignore = \"requires a database\"]\nfn a() {}\n", &[]);
    run("#[ignore] // does not compile\n#[test]\nfn a() {}\n", &[(1, Low)]);
    run("// #[ignore]\n#[test]\nfn ignore() { let a = \"#[ignore]\"; }\n", &[]);
}

#[test]
fn python() {
    let run = |text: &str, expected: &[_]| check(&RULE, "tests/test_a.py", text, expected);
    run("@pytest.mark.skip\ndef test_a():\n    pass\n", &[(1, Medium)]);
    run("@unittest.expectedFailure\ndef test_a():\n    pass\n", &[(1, Medium)]);
    run("@pytest.mark.xfail(strict=True)\ndef test_a():\n    pass\n", &[(1, Medium)]);
    run("@pytest.mark.skip(reason='no mailer')\ndef test_a():\n    pass\n", &[(1, Low)]);
    run("@unittest.skip('no mailer')\nclass TestA(TestCase):\n    pass\n", &[(1, Low)]);
    run("# waits for the new mailer\n@pytest.mark.skip\ndef test_a():\n    pass\n", &[(2, Low)]);
    run("def test_a():\n    pytest.skip('no mailer')\n", &[(2, Low)]);
    run("def test_a(self):\n    self.skipTest('no mailer')\n", &[(2, Low)]);
    run("@pytest.mark.skipif(WINDOWS, reason='x')\ndef test_a():\n    pass\n", &[]);
    run("@unittest.skipUnless(LINUX, 'x')\ndef test_a():\n    pass\n", &[]);
    run("@pytest.mark.xfail(WINDOWS, reason='x')\ndef test_a():\n    pass\n", &[]);
    run("def test_a():\n    if WINDOWS:\n        pytest.skip('x')\n    assert 1\n", &[]);
    run("try:\n    import x\nexcept ImportError:\n    pytest.skip('x', allow_module_level=True)\n", &[]);
    check(&RULE, "src/loader.py", "@case.skip(str(error))\ndef load():\n    pass\n", &[]);
    run("@unittest.skip(WHY)\ndef test_a():\n    pass\n", &[(1, Low)]);
    run("@pytest.mark.xfail(run=False, reason=why)\ndef test_a():\n    pass\n", &[(1, Low)]);
    run("@SKIP('abstract class')\ndef test_a():\n    pass\n", &[]);
    run("@SKIP('too slow')\ndef test_a():\n    pass\n", &[(1, Low)]);
    run("def test_a(self):\n    pytest.skip('Not applicable: no sequence')\n", &[]);
    run(
        "def test_a():\n    class A(TestCase):\n        @unittest.skip('x')\n        def test_b(self):\n            pass\n",
        &[],
    );
    run("def test_a():\n    # pytest.skip('x')\n    row.skip()\n", &[]);
    run("def test_skipping():\n    pytest.skip('x')\n", &[]);
    run("def needs_mailer():\n    pytest.skip('no mailer')\n", &[]);
    run("class A(TestCase):\n    def setUp(self):\n        self.skipTest('no mailer')\n", &[(3, Low)]);
    let derived = |base: &str, rest: &str| {
        format!("class TestA({base}):\n    def test_a(self):\n        pytest.skip('no mailer')\n{rest}")
    };
    run(&derived("TestCart", ""), &[]);
    run(&derived("TestCart", "        assert a()\n"), &[(3, Low)]);
    run(&derived("TestCase", ""), &[(3, Low)]);
    run("def test_a():\n    pytest.skip('only for the new mailer')\n", &[]);
    run("def test_a():\n    pytest.skip('a live test')\n", &[]);
    check(&RULE, "tests/test_skipping.py", "@pytest.mark.skip\ndef test_a():\n    pass\n", &[]);
    check(&RULE, "tests/scripts/test_a.py", "@pytest.mark.skip\ndef test_a():\n    pass\n", &[(1, Medium)]);
    check(&RULE, "tests/example_scripts/a.py", "@pytest.mark.skip\ndef test_a():\n    pass\n", &[]);
}

#[test]
fn go() {
    let run = |body: &str, expected: &[_]| {
        check(&RULE, "a_test.go", &format!("package a\nfunc TestA(t *testing.T) {{\n{body}\n}}\n"), expected);
    };
    run("t.SkipNow()", &[(3, Medium)]);
    run("t.Skip()", &[(3, Medium)]);
    run("t.Skip(\"no mailer\")", &[(3, Low)]);
    run("// waits for the mailer\nt.SkipNow()", &[(4, Low)]);
    run("t.Run(\"x\", func(t *testing.T) { t.Skip() })", &[(3, Medium)]);
    run("if testing.Short() { t.Skip() }", &[]);
    run("if err := run(); err == nil { return }\nt.Skip(\"no debugger\")", &[]);
    run("switch runtime.GOOS { case \"windows\": t.Skip() }", &[]);
    run("rows.Skip()", &[]);
    check(&RULE, "a_test.go", "package a\nfunc BenchmarkA(b *testing.B) {\n\tb.Skip()\n}\n", &[]);
    check(&RULE, "a_test.go", "package a\nfunc skip(t *testing.T) {\n\tt.Skip()\n}\n", &[]);
    run("t.Log(\"t.Skip()\")", &[]);
    let ginkgo = "package a\nimport . \"github.com/onsi/ginkgo/v2\"\nvar _ = PDescribe(\"a\", func() {})\n";
    check(&RULE, "a_test.go", ginkgo, &[(3, Medium)]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.test.js", "a.spec.ts", "a.test.tsx"] {
        let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
        for mark in ["it.skip", "test.skip", "describe.skip", "xit", "xdescribe", "xtest", "it.skip.each([1])"] {
            run(&format!("\n{mark}('a', () => {{}})\n"), &[(2, Medium)]);
        }
        run("it.todo('a')\n", &[(1, Low)]);
        run("it.skip('a #12', () => {})\n", &[(1, Low)]);
        run("it.skip('a', () => {}) // waits for the mailer\n", &[(1, Low)]);
        run("it('a', function () {\n this.skip()\n})\n", &[(2, Medium)]);
        run("if (WINDOWS) {\n it.skip('a', () => {})\n}\n", &[]);
        run("it.skipIf(WINDOWS)('a', () => { expect(1) })\n", &[]);
        run("test.skip(isFirefox, 'a')\n", &[]);
        run("it('it.skip(1)', () => { rows.skip(1); expect(1) })\n", &[]);
        run("const run = WINDOWS ? it.skip : it\n", &[]);
        run("const test = require('../')\ntest.skip('a', () => {})\n", &[]);
        run("const test = require('../fixtures')\ntest.skip('a', () => {})\n", &[(2, Medium)]);
    }
}

#[test]
fn java() {
    let run = |body: &str, expected: &[_]| {
        check(&RULE, "ATest.java", &format!("class ATest {{\n{body}\n}}\n"), expected);
    };
    run("@Disabled\n@Test\nvoid a() {}", &[(2, Medium)]);
    run("@Test\n@Ignore\npublic void a() {}", &[(3, Medium)]);
    run("@Test(enabled = false) void a() {}", &[(2, Medium)]);
    run("@Test void a() { assumeTrue(false); }", &[(2, Medium)]);
    run("@Disabled(\"no mailer\") @Test void a() {}", &[(2, Low)]);
    run("@Ignore(\"no mailer\") static class In {}", &[(2, Low)]);
    run("@Disabled @Test void a() {} // waits for the mailer", &[(2, Low)]);
    run("@DisabledOnOs(OS.MAC) @Test void a() {}", &[]);
    run("@Ignore static abstract class In {}", &[]);
    run("@Ignore @Override @Test public void a() {}", &[]);
    run("@Disabled(\"streams don't support it\") @Test void a() {}", &[]);
    run("@EnabledIfEnvironmentVariable(named = \"CI\", matches = \"1\") @Test void a() {}", &[]);
    run("@Test void a() { assumeTrue(isLinux()); assertTrue(x); }", &[]);
    run("@Ignore int cached;\n// @Disabled\nString s = \"@Disabled\";", &[]);
    check(&RULE, "src/A.java", "@Ignore class A {\n@Ignore A() {}\n@Disabled void a() {}\n}\n", &[]);
}

#[test]
fn c_and_cpp() {
    for path in ["tests/a.cpp", "a_test.cc"] {
        let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
        run("TEST(Suite, DISABLED_a) { run(); }\n", &[(1, Medium)]);
        run("TEST(DISABLED_Suite, a) { run(); }\n", &[(1, Medium)]);
        run("TEST(Suite, a) {\n GTEST_SKIP();\n}\n", &[(2, Medium)]);
        run("TEST(Suite, a) { GTEST_SKIP() << \"no mailer\"; }\n", &[(1, Low)]);
        run("TEST_CASE(\"a\", \"[.]\") { run(); }\n", &[(1, Medium)]);
        run("TEST_CASE(\"a\" * doctest::skip()) { run(); }\n", &[(1, Medium)]);
        run("// waits for the mailer\nTEST(Suite, DISABLED_a) { run(); }\n", &[(2, Low)]);
        run("TEST(Suite, a) { if (windows) GTEST_SKIP(); EXPECT_TRUE(x); }\n", &[]);
        run("TEST(Suite, a) {\n#ifdef _WIN32\n GTEST_SKIP();\n#endif\n EXPECT_TRUE(x);\n}\n", &[]);
        run("#ifdef _WIN32\nTEST(Suite, DISABLED_a) { run(); }\n#endif\n", &[]);
        run("TEST_CASE(\"DISABLED\", \"[.slow]\") { CHECK(x); }\n", &[]);
        run("int DISABLED_a() { return 1; }\n// DISABLED_b\nauto s = \"GTEST_SKIP()\";\n", &[]);
    }
    let run = |body: &str, expected: &[_]| {
        let text = format!("#include \"unity.h\"\nvoid test_a(void) {{\n{body}\n}}\n");
        check(&RULE, "tests/a.c", &text, expected);
    };
    run("TEST_IGNORE();", &[(3, Medium)]);
    run("skip();", &[(3, Medium)]);
    run("TEST_IGNORE_MESSAGE(\"no mailer\");", &[(3, Low)]);
    check(&RULE, "tests/a.c", "IGNORE_TEST(Group, a) { run(); }\n", &[(1, Medium)]);
    run("if (windows) skip();", &[]);
    run("#if WINDOWS\nskip();\n#endif", &[]);
    run("rows_skip(); puts(\"TEST_IGNORE()\");", &[]);
}

#[test]
fn c_sharp() {
    let run = |text: &str, expected: &[_]| check(&RULE, "ATests.cs", &format!("class A {{\n{text}\n}}\n"), expected);
    run("[Test, Ignore] public void T() {}", &[(2, Medium)]);
    run("[TestMethod]\n[Ignore]\npublic void T() {}", &[(3, Medium)]);
    run("[Fact(Skip = \"no mailer\")] public void T() {}", &[(2, Low)]);
    run("[Test, Ignore(\"no mailer\")] public void T() {}", &[(2, Low)]);
    run("[Test] public void T() { if (IsWindows) { Assert.Ignore(); } Assert.Pass(); }", &[]);
    run("[JsonIgnore] public int P;\n[Ignore] public void T() {}", &[]);
    run("[Test] public void T() { Assert.True(x, \"[Ignore]\"); } // [Ignore]", &[]);
}

#[test]
fn ruby() {
    let run = |text: &str, expected: &[_]| check(&RULE, "spec/a_spec.rb", text, expected);
    run("\nxit 'adds' do\nend\n", &[(2, Medium)]);
    run("it 'adds' do\n  skip\n  expect(a).to be\nend\n", &[(2, Medium)]);
    run("it 'adds', :skip do\nend\n", &[(1, Medium)]);
    run("xdescribe 'a' do\nend\n", &[(1, Medium)]);
    run("it 'adds' do\n  skip 'no mailer'\nend\n", &[(2, Low)]);
    run("it 'adds', pending: 'no mailer' do\nend\n", &[(1, Low)]);
    run("it 'adds' do\n  skip if windows\n  expect(a).to be\nend\n", &[]);
    run("it 'adds', skip: false do\n  expect(a).to be\nend\n", &[]);
    run("it 'adds' do\n  expect(row.skip).to be\n  rows.skip(1)\n  x = skip\nend\n", &[]);
    check(&RULE, "lib/a.rb", "xit 'adds' do\n  skip\nend\n", &[]);
}

#[test]
fn php() {
    let run = |text: &str, expected: &[_]| check(&RULE, "tests/ATest.php", &format!("<?php\n{text}\n"), expected);
    let class = |body: &str| format!("class ATest extends TestCase {{\nfunction testA() {{ {body} }}\n}}");
    run(&class("$this->markTestSkipped();"), &[(3, Medium)]);
    run("test('adds', function () { run(); })->skip();", &[(2, Medium)]);
    run(&class("self::markTestIncomplete('no mailer');"), &[(3, Low)]);
    run("it('adds', fn () => run())->skip('no mailer');", &[(2, Low)]);
    run(&class("if (WINDOWS) { $this->markTestSkipped(); } $this->assertTrue($a);"), &[]);
    run("it('adds', fn () => expect(1)->toBe(1))->skip(fn () => WINDOWS);", &[]);
    check(&RULE, "tests/SkippedTestCase.php", &format!("<?php\n{}\n", class("$this->markTestSkipped();")), &[]);
    run("class ATestCase {\nfunction runTest() { $this->markTestSkipped($this->why); }\n}", &[]);
    run(&class("$rows->skip(1); $this->assertSame('markTestSkipped()', $a);"), &[]);
}

#[test]
fn kotlin() {
    let run = |text: &str, expected: &[_]| check(&RULE, "ATest.kt", &format!("class ATest {{\n{text}\n}}\n"), expected);
    run("@Ignore @Test fun a() {}", &[(2, Medium)]);
    run("@Disabled\n@Nested inner class In {}", &[(2, Medium)]);
    run("@Test @Disabled(\"no mailer\") fun a() {}", &[(2, Low)]);
    run("@Test @DisabledOnOs(OS.MAC) fun a() { check(x) }", &[]);
    run("@Ignore val cached = 1 // @Disabled", &[]);
    check(&RULE, "src/A.kt", "@Ignore class A { @Ignore fun a() {} }\n", &[]);
}

#[test]
fn swift() {
    let run = |text: &str, expected: &[_]| {
        check(&RULE, "ATests.swift", &format!("class ATests: XCTestCase {{\n{text}\n}}\n"), expected);
    };
    run("func testA() throws { throw XCTSkip() }", &[(2, Medium)]);
    run("@Test(.disabled()) func a() {}", &[(2, Medium)]);
    run("func testA() throws { throw XCTSkip(\"no mailer\") }", &[(2, Low)]);
    run("@Test(.disabled(\"no mailer\")) func a() {}", &[(2, Low)]);
    run("func testA() throws { if windows { throw XCTSkip() }\nXCTAssert(a) }", &[]);
    run("func testA() throws { try XCTSkipIf(windows)\nXCTAssert(a) }", &[]);
    run("@Test(.disabled(if: windows)) func a() { #expect(a) }", &[]);
}

#[test]
fn bash() {
    let run = |body: &str, expected: &[_]| check(&RULE, "a.bats", &format!("@test 'a' {{\n{body}\n}}\n"), expected);
    run("  skip", &[(2, Medium)]);
    run("  skip\n  run add", &[(2, Medium)]);
    run("  skip \"no mailer\"", &[(2, Low)]);
    run("  if windows; then skip; fi\n  [ 1 ]", &[]);
    run("  echo skip\n  # skip\n  [ 1 ]", &[]);
    check(&RULE, "a.sh", "skip\nskip() { :; }\n", &[]);
}

#[test]
fn a_reason_may_stand_above_all_marks_of_a_test_or_in_its_docstring() {
    check(&RULE, "a.rs", "// waits for the new mailer\n#[test]\n#[ignore]\nfn a() {}\n", &[(3, Low)]);
    check(&RULE, "a.rs", "// use `cargo test -- --ignored`\n#[test]\n#[ignore]\nfn a() {}\n", &[]);
    check(&RULE, "a.rs", "// waits for the new mailer\nfn b() {}\n#[test]\n#[ignore]\nfn a() {}\n", &[(4, Medium)]);
    let of = |said: &str| format!("@pytest.mark.skip\ndef test_a():\n    \"\"\"{said}\"\"\"\n    run()\n");
    check(&RULE, "test_a.py", &of("The cart is not safe to share."), &[(1, Low)]);
    check(&RULE, "test_a.py", &of("Shares the cart."), &[(1, Medium)]);
    check(&RULE, "test_a.py", &of("The cart is not safe to share.").replace("skip", "xfail"), &[]);
    check(&RULE, "test_a.py", &of("Shares the cart.").replace("skip", "xfail"), &[(1, Medium)]);
    let class =
        "@pytest.mark.skip\nclass TestA:\n    def test_a(self):\n        \"\"\"It is not safe.\"\"\"\n        run()\n";
    check(&RULE, "test_a.py", class, &[(1, Medium)]);
}

#[test]
fn a_reason_may_stand_in_the_test() {
    let python =
        |said: &str| format!("@mark.skip\ndef test_a(\n    cart,\n):\n    # {said}\n    # and more\n    run(cart)\n");
    check(&RULE, "test_a.py", &python("off until the mailer is there"), &[(1, Low)]);
    check(&RULE, "test_a.py", &python("two people and a cart"), &[(1, Medium)]);
    let script = |said: &str| format!("it.skip('a', () => {{\n  // {said}\n  run()\n}})\n");
    check(&RULE, "a.test.js", &script("off until the mailer is there"), &[(1, Low)]);
    check(&RULE, "a.test.js", &script("two people and a cart"), &[(1, Medium)]);
    let rust = |said: &str| format!("#[test]\n#[ignore]\nfn a() {{\n    {said}\n    run();\n}}\n");
    check(&RULE, "a.rs", &rust("// off until the mailer is there"), &[(2, Low)]);
    check(&RULE, "a.rs", &rust("let a = 1; // off until the mailer is there"), &[(2, Medium)]);
}

#[test]
fn what_is_named_after_being_run_by_hand_is_off_on_purpose() {
    let of = |name: &str| format!("#[test]\n#[ignore]\nfn {name}() {{ run() }}\n");
    check(&RULE, "a.rs", &of("regenerate_carts"), &[]);
    check(&RULE, "a.rs", &of("carts_regenerated"), &[(2, Medium)]);
    check(&RULE, "a.rs", &of("carts_live"), &[]);
    check(&RULE, "a.rs", &of("live_carts"), &[(2, Medium)]);
}

#[test]
fn what_needs_an_account_is_run_by_hand() {
    let of = |said: &str| format!("package a\nfunc TestA(t *testing.T) {{\n\tt.SkipNow() // {said}\n}}\n");
    check(&RULE, "a_test.go", &of("requires a valid webhook of the shop"), &[]);
    check(&RULE, "a_test.go", &of("needs an API key"), &[]);
    check(&RULE, "a_test.go", &of("needs the key of the cart"), &[(3, Low)]);
    check(&RULE, "a_test.go", &of("the webhook comes too late"), &[(3, Low)]);
}

#[test]
fn a_mark_in_a_condition_is_conditional() {
    let of = |head: &str, before: &str| {
        let test = "def test_b(self):\n            pass\n";
        format!("class TestA:\n    {head}\n        cart = 1\n\n{before}        @unittest.skip\n        {test}")
    };
    check(&RULE, "test_a.py", &of("if WINDOWS:", ""), &[]);
    check(&RULE, "test_a.py", &of("if LINUX:\n        pass\n    else:", ""), &[]);
    check(&RULE, "test_a.py", &of("class TestB:", ""), &[(5, Medium)]);
    check(&RULE, "test_a.py", &of("class TestB:", "        if WINDOWS:\n            pass\n"), &[(7, Medium)]);
}

#[test]
fn what_is_to_fail_each_time_tries_the_runner() {
    let of = |mark: &str, body: &str| format!("@pytest.mark.xfail({mark})\ndef test_a():\n    {body}\n");
    check(&RULE, "test_a.py", &of("strict=True", "assert False"), &[]);
    check(&RULE, "test_a.py", &of("strict=True", "assert run()"), &[(1, Medium)]);
    check(&RULE, "test_a.py", &of("strict=True, reason='this should always fail'", "assert run()"), &[]);
    check(&RULE, "test_a.py", &of("reason='this should always fail'", "assert run()"), &[(1, Low)]);
}

#[test]
fn one_word_for_a_skip_of_the_project_says_where_a_test_does_not_run() {
    let of =
        |module: &str, said: &str| format!("from {module} import skip\n@skip('{said}')\ndef test_a():\n    run()\n");
    check(&RULE, "test_a.py", &of("carts.testing", "sqlite"), &[]);
    check(&RULE, "test_a.py", &of("carts.testing", "no mailer"), &[(2, Low)]);
    check(&RULE, "test_a.py", &of("unittest", "flaky"), &[(2, Low)]);
}

#[test]
fn classes_in_files_that_no_runner_looks_into_are_run_by_others() {
    let text = "class A(TestCase):\n    @unittest.skip('no mailer')\n    def test_a(self):\n        run()\n";
    check(&RULE, "app/test/cases.py", text, &[]);
    check(&RULE, "app/test/test_cases.py", text, &[(2, Low)]);
}

#[test]
fn a_reason_may_stand_in_the_whole_block_above() {
    let of = |block: &str| format!("{block}TEST(Suite, DISABLED_a) {{ run(); }}\n");
    check(&RULE, "a_test.cc", &of("// waits for the new mailer\n//\n// so.\n"), &[(4, Low)]);
    check(&RULE, "a_test.cc", &of("// waits for the new mailer\n\n// so.\n"), &[(4, Medium)]);
}
