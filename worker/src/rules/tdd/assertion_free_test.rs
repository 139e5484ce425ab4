//! Tests that cannot fail.

use schemas::severity::Severity;

use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Test functions with nothing that could fail them: no assertion, no call of a function named `assert…`, `expect…`,
    /// `check…`, `require…` or `verify…` or of one in the same file that asserts, no expected failure, no error handed on,
    /// no generated input. In Rust, `unwrap` counts: it fails the test as an assertion would.
    ///
    /// When something else is given the means to fail the test, such as Go's `t`, it probably does: low. Tests that are
    /// switched off are left to `tdd/skipped-test`, empty ones to `tdd/empty-test`.
    ///
    /// ## Why it matters
    /// The test runs the code and looks away. It is green whatever the code does, and counts as coverage.
    ///
    /// ## Example
    /// ```text
    /// def test_total():
    ///     cart = Cart()
    ///     cart.total()
    /// ```
    ///
    /// ## How to fix
    /// Say what should come out, and assert it.
    "tdd/assertion-free-test", Tdd, High, version: 3, Check::Code(check)
);

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    for (function, test) in file.outline.tests() {
        if function.assertions > 0 || test.fails_otherwise || test.skipped || test.statements == 0 {
            continue;
        }
        let (severity, confidence_permille) =
            if test.hands_over { (Severity::Low, 400) } else { (Severity::High, 900) };
        let message = if test.hands_over { "test asserts nothing itself" } else { "test asserts nothing" };
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity,
            confidence_permille,
            message: message.to_owned(),
            suggestion: "say what should come out, and assert it",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low};

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
        run("#[test]\nfn a() { run(); }\n", &[(2, High)]);
        run("#[tokio::test(flavor = \"x\")]\nasync fn a() {\n let b = 1;\n}\n", &[(2, High)]);
        run("#[test]\n// why\nfn a() { run(); }\n", &[(3, High)]);
        run("#[test]\nfn a() {}\n", &[]);
        run("#[test]\nfn a() -> Result<(), E> { run(); Ok(()) }\n", &[(2, High)]);
        for body in [
            "assert_eq!(1, 1);",
            "run().unwrap();",
            "check_all();",
            "if x { panic!(\"no\") }",
            "insta::assert_snapshot!(x);",
            "x.assert_ok();",
            "tokio::select! { x = y => assert!(x) };",
            "proptest!(|(x in 0..9)| prop_assert!(x < 9));",
        ] {
            run(&format!("#[test]\nfn a() {{ {body} }}\n"), &[]);
        }
        run("#[test]\n#[should_panic]\nfn a() { run(); }\n", &[]);
        run("#[test]\nfn a() -> Result<(), E> { run()?; Ok(()) }\n", &[]);
        run("#[test]\nfn a() -> Result<(), E> { run() }\n", &[]);
        run("#[test]\n#[ignore]\nfn a() { run(); }\n", &[]);
        run("#[cfg(test)]\nfn a() { run(); }\n#[testing]\nfn b() {}\n", &[]);
        run("#[test]\nfn a() { same(1); }\nfn same(x: u8) { assert!(x > 0); }\n", &[]);
        run("#[test]\nfn a() { checkout(); }\n", &[(2, High)]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "tests/test_a.py", text, expected);
        run("def test_a():\n    run()\n", &[(1, High)]);
        run("class TestA:\n    async def test_a(self):\n        '''Why.'''\n        run()\n", &[(2, High)]);
        run("class A(unittest.TestCase):\n    def testIt(self):\n        run()\n", &[(2, High)]);
        for body in [
            "assert run()",
            "with pytest.raises(E):\n        run()",
            "self.assertEqual(1, 1)",
            "mock.assert_called_once()",
            "raise AssertionError()",
            "verify_all()",
            "pytest.fail('x')",
            "with raises(E): run()",
            "assert_that(x)",
        ] {
            run(&format!("def test_a(self):\n    {body}\n"), &[]);
        }
        run("@given(st.text())\ndef test_a(x):\n    run(x)\n", &[]);
        run("@pytest.fixture\ndef test_data():\n    return 1\n", &[]);
        run("@pytest.mark.usefixtures('db')\ndef test_a():\n    run()\n", &[(2, High)]);
        run("def test_a():\n    helper()\ndef helper():\n    assert 1\n", &[]);
        run("def testify():\n    run()\n", &[]);
        run("class A(TestCase):\n    def test_a(self):\n        self.run_it()\n", &[(2, Low)]);
        run("class TestA:\n    def test_a(self):\n        self.run_it()\n", &[(2, Low)]);
        run("class TestA:\n    def test_a(self):\n        self.client.run()\n", &[(2, High)]);
        check(&RULE, "src/a.py", "def test_connection():\n    run()\n", &[]);
        check(&RULE, "tests/conftest.py", "def test_connection():\n    run()\n", &[]);
    }

    #[test]
    fn go() {
        let run = |body: &str, expected: &[_]| check(&RULE, "a_test.go", &format!("package a\n{body}\n"), expected);
        run("func TestA(t *testing.T) { run() }", &[(2, High)]);
        run("func TestA(t *testing.T) { err := run(); fmt.Println(err.Error()) }", &[(2, High)]);
        run("func TestA(t *testing.T) { t.Run(\"x\", func(t *testing.T) { run() }) }", &[(2, High)]);
        for body in [
            "if x { t.Errorf(\"no\") }",
            "require.NoError(t, err)",
            "assert.Equal(t, 1, 1)",
            "checkRow(t, 1)",
            "t.FailNow()",
            "t.Run(\"x\", func(tt *testing.T) { tt.Fatal() })",
            "g.Expect(1).To(Equal(1))",
            "if d := cmp.Diff(a, b); d != \"\" {}",
        ] {
            run(&format!("func TestA(t *testing.T) {{ {body} }}"), &[]);
        }
        run("func TestA(t *testing.T) { runCase(t, 1) }", &[(2, Low)]);
        run("func TestA(t *testing.T) { t.Run(\"x\", testB) }", &[(2, Low)]);
        run("func TestA(t *testing.T) { helper(t) }\nfunc helper(t *testing.T) { t.Fatal() }", &[]);
        run("func TestMain(m *testing.M) { run() }", &[]);
        run("func Testify(t *testing.T) { run() }", &[]);
        run("func FuzzA(f *testing.F) { f.Fuzz(func(t *testing.T, x int) { run(x) }) }", &[]);
        run("func ExampleA() {\n run()\n // Output: 1\n}", &[]);
        run("func BenchmarkA(b *testing.B) { run() }", &[]);
        check(&RULE, "a.go", "package a\nfunc TestA(t *testing.T) { run() }\n", &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.test.js", "a.spec.ts", "src/__tests__/a.tsx", "a.test.mjs"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
            run("it('a', () => { run() })\n", &[(1, High)]);
            run("describe('g', () => {\n test.each([1])('a', async function () { await run() })\n})\n", &[(2, High)]);
            run("it('a', () => run(require('x')))\n", &[(1, High)]);
            for body in [
                "expect(a).toBe(1)",
                "await expect(a).rejects.toThrow()",
                "assert.equal(a, 1)",
                "a.should.equal(1)",
                "cy.get('a').should('exist')",
                "if (a) throw new Error('x')",
                "verifyAll()",
                "request(a).get('/').expect(200)",
            ] {
                run(&format!("it('a', async () => {{ {body} }})\n"), &[]);
            }
            run("test('a', t => { t.is(1, 1) })\n", &[]);
            run("test('a', (t) => { runCase(t) })\n", &[(1, Low)]);
            run("it.failing('a', () => { run() })\n", &[]);
            run("it.todo('a')\n", &[]);
            run("it('a', () => { same(1) })\nfunction same(x) { expect(x) }\n", &[]);
            run("const same = (x) => { expect(x) }\nit('a', () => { same(1) })\n", &[]);
            run("if (/x/.test('a', () => {})) { run() }\n", &[]);
        }
        check(&RULE, "src/a.js", "test('a', () => { run() })\n", &[]);
    }

    #[test]
    fn java() {
        let run = |text: &str, expected: &[_]| check(&RULE, "ATest.java", text, expected);
        let class = |body: &str| format!("class ATest {{\n{body}\n}}\n");
        run(&class("@Test public void a() { new Cart().total(); }"), &[(2, High)]);
        run(&class("@org.junit.jupiter.api.Test\nvoid a() throws Exception { new Cart().total(); }"), &[(3, High)]);
        run(&class("@ParameterizedTest\n@ValueSource(ints = 1)\nvoid a(int x) { cart.add(x); }"), &[(4, High)]);
        run("class A extends TestCase {\npublic void testA() { cart.total(); }\n}\n", &[(2, High)]);
        for body in [
            "assertEquals(1, 1);",
            "Assertions.assertThrows(E.class, () -> cart.total());",
            "assertThat(x).isTrue();",
            "verify(mock).run();",
            "Assert.that(x);",
            "assert x > 0;",
            "try { cart.total(); fail(); } catch (E e) {}",
            "if (x) throw new AssertionError();",
            "mvc.perform(get(\"/\")).andExpect(status().isOk());",
            "given().when().get(\"/\").then().statusCode(200);",
            "await().until(cart::isEmpty);",
            "thrown.expect(E.class);",
        ] {
            run(&class(&format!("@Test void a() {{ {body} }}")), &[]);
        }
        run(&class("@Test(expected = E.class) void a() { cart.total(); }"), &[]);
        run(&class("@TestFactory Stream<DynamicTest> a() { return cart.tests(); }"), &[]);
        run(&class("@Test void contextLoads() {}"), &[]);
        run(&class("@Test void a() { same(1); }\nvoid same(int x) { assertEquals(1, x); }"), &[]);
        run(&class("@Test void a() { runCase(); }"), &[(2, Low)]);
        run(&class("@Test void a() { cases.run(this); }"), &[(2, Low)]);
        run(&class("@Disabled @Test void a() { cart.total(); }"), &[]);
        run(&class("@BeforeEach void a() { cart.total(); }\nvoid testA() { cart.total(); }"), &[]);
        run(&class("// @Test\nvoid a() { cart.total(\"@Test\"); }"), &[]);
    }

    #[test]
    fn c() {
        let run = |text: &str, expected: &[_]| check(&RULE, "tests/a.c", text, expected);
        let unity = |body: &str| format!("#include \"unity.h\"\n{body}\n");
        run(&unity("void test_a(void) { run(); }"), &[(2, High)]);
        run(&unity("static void test_a(void **s) { run(); }"), &[(2, High)]);
        run("TEST(Group, a) { run(); }\n", &[(1, High)]);
        run("START_TEST(a)\n{ run(); }\nEND_TEST\n", &[(1, High)]);
        run("Test(suite, a, .init = start) { run(); }\n", &[(1, High)]);
        for body in [
            "assert(run() == 1);",
            "TEST_ASSERT_EQUAL(1, run());",
            "ck_assert_int_eq(1, 1);",
            "assert_int_equal(1, 1);",
            "if (run() != 1) abort();",
            "STRCMP_EQUAL(\"a\", b);",
            "same(1);",
        ] {
            run(&unity(&format!("void same(int x) {{ assert(x); }}\nvoid test_a(void) {{ {body} }}")), &[]);
        }
        run(&unity("void test_a(void **state) { run_case(state); }"), &[(2, Low)]);
        run(&unity("int test_a(void) { return run(); }"), &[]);
        run(&unity("void test_a(struct table *table) { run(); }"), &[]);
        run(&unity("void tester(void) { run(); }"), &[]);
        run("void test_a(void) { run(); }\n", &[]);
        run("IGNORE_TEST(Group, a) { run(); }\n", &[]);
        run("Test(suite, a, .signal = SIGSEGV) { run(); }\n", &[]);
        check(&RULE, "src/a.c", &unity("void test_memory(void) { run(); }"), &[]);
        check(&RULE, "src/a.c", "TEST(Group, a) { run(); }\n", &[]);
    }

    #[test]
    fn cpp() {
        for path in ["a_test.cc", "tests/a.cpp", "ATest.cxx"] {
            let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
            run("namespace a {\nTEST(Suite, a) { run(); }\n}\n", &[(2, High)]);
            run("TEST_F(Suite, a) { run(); }\nTEST_F(Suite, b) {}\n", &[(1, High)]);
            run("TYPED_TEST(Suite, a) { auto x = run(); }\n", &[(1, High)]);
            run("TEST_CASE(\"a\", \"[x]\") {\n SECTION(\"b\") { run(); }\n}\n", &[(1, High)]);
            run("BOOST_AUTO_TEST_CASE(a) { run(); }\n", &[(1, High)]);
            for body in [
                "EXPECT_EQ(1, 1) << \"no\";",
                "ASSERT_THAT(x, Eq(1));",
                "EXPECT_DEATH(run(), \"no\");",
                "EXPECT_CALL(mock, run());",
                "REQUIRE_NOTHROW(run());",
                "for (int x : xs) { CHECK(x); }",
                "BOOST_CHECK_EQUAL(1, 1);",
                "if (!run()) throw std::runtime_error(\"no\");",
                "FAIL() << \"no\";",
                "a::same(1);",
            ] {
                let helper = "namespace a { void same(int x) { ASSERT_TRUE(x); } }";
                run(&format!("{helper}\nTEST(Suite, a) {{ {body} }}\n"), &[]);
                run(&format!("{helper}\nTEST_CASE(\"a\") {{ {body} }}\n"), &[]);
            }
            run("TEST(Suite, a) { run_case(this); }\n", &[(1, Low)]);
            run("TEST(Suite, DISABLED_a) { run(); }\n", &[]);
            run("TEST(Suite, a) { GTEST_SKIP(); }\n", &[]);
            run("TEST_CASE(\"a\", \"[!shouldfail]\") { run(); }\n", &[]);
            run("// TEST(Suite, a) { run(); }\nauto s = \"TEST(Suite, a) {}\";\n", &[]);
            run("int main() { TEST(a, b); { run(); } }\n", &[]);
        }
        check(&RULE, "src/a.cc", "TEST(Suite, a) { run(); }\n", &[]);
        check(&RULE, "src/a.cc", "#include <gtest/gtest.h>\nTEST(Suite, a) { run(); }\n", &[(2, High)]);
    }
}
