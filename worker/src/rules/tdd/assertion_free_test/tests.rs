//! Tests that assert, and tests that do not, in every language.

use super::trying::check;
use schemas::severity::Severity::Low;

#[test]
fn rust() {
    let run = |text: &str, expected: &[_]| check("src/a.rs", text, expected);
    run("#[test]\nfn a() { run(); }\n", &[(2, Low)]);
    run("#[tokio::test(flavor = \"x\")]\nasync fn a() {\n let b = 1;\n}\n", &[(2, Low)]);
    run("#[test]\n// why\nfn a() { run(); }\n", &[(3, Low)]);
    run("#[test]\nfn a() {}\n", &[]);
    run("#[test]\nfn a() -> Result<(), E> { run(); Ok(()) }\n", &[(2, Low)]);
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
    run("#[test]\nfn a() { checkout(); }\n", &[(2, Low)]);
    run("#[test]\nfn a_send_sync() { fn is<T: Send>(_: T) {} is(A::new()); }\n", &[]);
    run("// without a regression this comes to its end, else it hangs\n#[test]\nfn a() { run(); }\n", &[]);
    run("#[test]\nfn no_panic_at_max() { let _ = A::new(9); }\n", &[]);
    run("#[test]\nasync fn a() { spawn(b); tx.closed().await; }\n", &[]);
    run("#[test]\nfn a() { Test::new().args([\"x\"]).stdout(\"y\").run(); }\n", &[]);
    run("#[test]\nfn a() { Command::new(\"x\").stdout(Stdio::piped()).run(); }\n", &[(2, Low)]);
}

#[test]
fn python() {
    let run = |text: &str, expected: &[_]| check("tests/test_a.py", text, expected);
    run("def test_a():\n    run()\n", &[(1, Low)]);
    run("class TestA:\n    async def test_a(self):\n        '''Why.'''\n        run()\n", &[(2, Low)]);
    run("class A(unittest.TestCase):\n    def testIt(self):\n        run()\n", &[(2, Low)]);
    for body in [
        "assert run()",
        "with pytest.raises(E):\n        run()",
        "self.assertEqual(1, 1)",
        "mock.assert_called_once()",
        "raise AssertionError()",
        "verify_all()",
        "with warns_deprecated():\n        run()",
        "pytest.fail('x')",
        "with raises(E): run()",
        "assert_that(x)",
    ] {
        run(&format!("def test_a(self):\n    {body}\n"), &[]);
    }
    run("@given(st.text())\ndef test_a(x):\n    run(x)\n", &[]);
    run("@pytest.fixture\ndef test_data():\n    return 1\n", &[]);
    run("@pytest.mark.usefixtures('db')\ndef test_a():\n    run()\n", &[(2, Low)]);
    run("def test_a():\n    helper()\ndef helper():\n    assert 1\n", &[]);
    run("def test_issue_22684():\n    run()\n", &[]);
    run("def test_a(pytester):\n    pytester.run().stdout.fnmatch_lines(['x'])\n", &[]);
    run("def test_a(pytester):\n    pytester.run().stdout.get_lines_after('x')\n", &[(1, Low)]);
    run("def test_a():\n    \"\"\"Strings are accepted too.\"\"\"\n    run('a')\n", &[]);
    run("def test_a():\n    \"\"\"Strings are tried too.\"\"\"\n    run('a')\n", &[(1, Low)]);
    run("def test_a(benchmark):\n    \"\"\"Benchmark it.\"\"\"\n    run('a')\n", &[]);
    run("def test_stop_twice():\n    run()\ndef test_survives():\n    run()\n", &[]);
    run("def test_issues():\n    run()\n", &[(1, Low)]);
    run("class A(TestCase):\n    def tearDown(self):\n        assert x\n    def test_a(self):\n        run()\n", &[]);
    run("def testify():\n    run()\n", &[]);
    run("def test_a():\n    # see that they don't fail\n    run()\n", &[]);
    run("def test_a():\n    # the first change\n    run()\n", &[(1, Low)]);
    run("def test_a(xp):\n    xp_assert_equal(run(), 1)\n", &[]);
    run("@XFAIL\ndef test_a():\n    run()\n", &[]);
    check("app/test/runner.py", "def test_tags(test):\n    run()\n", &[]);
    check("app/test/runner.py", "class R(TestResult):\n    def test_index(self):\n        run()\n", &[]);
    let class = "class A(TestCase):\n def test_a(self): run()\n def test_b(self): assert x\n";
    check("app/test/cart_test.py", class, &[(2, Low)]);
    run("class A(TestCase):\n    def test_a(self):\n        self.run_it()\n", &[]);
    run("class TestA:\n    def test_a(self):\n        self.run_it()\n", &[]);
    run("class TestA:\n    def test_a(self):\n        self.client.run()\n", &[(2, Low)]);
    check("src/a.py", "def test_connection():\n    run()\n", &[]);
    check("tests/conftest.py", "def test_connection():\n    run()\n", &[]);
}

#[test]
fn go() {
    let run = |body: &str, expected: &[_]| check("a_test.go", &format!("package a\n{body}\n"), expected);
    run("func TestA(t *testing.T) { run() }", &[(2, Low)]);
    run("func TestA(t *testing.T) { err := run(); fmt.Println(err.Error()) }", &[(2, Low)]);
    run("func TestA(t *testing.T) { t.Run(\"x\", func(t *testing.T) { run() }) }", &[(2, Low)]);
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
    run("func TestA(t *testing.T) { runCase(t, 1) }", &[]);
    run("func TestA(t *testing.T) { t.Run(\"x\", testB) }", &[]);
    run("func TestA(t *testing.T) { helper(t) }\nfunc helper(t *testing.T) { t.Fatal() }", &[]);
    run("func TestA(t *testing.T) { go run(done)\n<-done }", &[]);
    check("tests/fixtures/a.rs", "#[test]\nfn a() { run(); }\n", &[]);
    check("race/testdata/a_test.go", "package a\nfunc TestA(t *testing.T) { run() }\n", &[]);
    run("func TestMain(m *testing.M) { run() }", &[]);
    run("func Testify(t *testing.T) { run() }", &[]);
    run("func FuzzA(f *testing.F) { f.Fuzz(func(t *testing.T, x int) { run(x) }) }", &[]);
    run("func ExampleA() {\n run()\n // Output: 1\n}", &[]);
    run("func BenchmarkA(b *testing.B) { run() }", &[]);
    check("a.go", "package a\nfunc TestA(t *testing.T) { run() }\n", &[]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.test.js", "a.spec.ts", "src/__tests__/a.tsx", "a.test.mjs"] {
        let run = |text: &str, expected: &[_]| check(path, text, expected);
        run("it('a', () => { run() })\n", &[(1, Low)]);
        run("describe('g', () => {\n test.each([1])('a', async function () { await run() })\n})\n", &[(2, Low)]);
        run("it('a', () => run(require('x')))\n", &[(1, Low)]);
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
        run("test('a', (t) => { runCase(t) })\n", &[]);
        run("it.failing('a', () => { run() })\n", &[]);
        run("it.todo('a')\n", &[]);
        run("test('g', t => { test('a', t => { t.is(1, 1) }) })\n", &[]);
        run("it('a', () => { same(1) })\nfunction same(x) { expect(x) }\n", &[]);
        run("const same = (x) => { expect(x) }\nit('a', () => { same(1) })\n", &[]);
        run("if (/x/.test('a', () => {})) { run() }\n", &[]);
    }
    check("src/a.js", "test('a', () => { run() })\n", &[]);
}

#[test]
fn java() {
    let run = |text: &str, expected: &[_]| check("ATest.java", text, expected);
    let class = |body: &str| format!("class ATest {{\n{body}\n}}\n");
    run(&class("@Test public void a() { new Cart().total(); }"), &[(2, Low)]);
    run(&class("@org.junit.jupiter.api.Test\nvoid a() throws Exception { new Cart().total(); }"), &[(3, Low)]);
    run(&class("@ParameterizedTest\n@ValueSource(ints = 1)\nvoid a(int x) { cart.add(x); }"), &[(4, Low)]);
    run("class A extends TestCase {\npublic void testA() { cart.total(); }\n}\n", &[(2, Low)]);
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
    run(&class("@Test void a() { runCase(); }"), &[]);
    run(&class("@Test void a() { cases.run(this); }"), &[]);
    run(&class("@Disabled @Test void a() { cart.total(); }"), &[]);
    run(&class("@BeforeEach void a() { cart.total(); }\nvoid testA() { cart.total(); }"), &[]);
    run(&class("// @Test\nvoid a() { cart.total(\"@Test\"); }"), &[]);
}

#[test]
fn c() {
    let run = |text: &str, expected: &[_]| check("tests/a.c", text, expected);
    let unity = |body: &str| format!("#include \"unity.h\"\n{body}\n");
    run(&unity("void test_a(void) { run(); }"), &[(2, Low)]);
    run(&unity("static void test_a(void **s) { run(); }"), &[(2, Low)]);
    run("TEST(Group, a) { run(); }\n", &[(1, Low)]);
    run("START_TEST(a)\n{ run(); }\nEND_TEST\n", &[(1, Low)]);
    run("Test(suite, a, .init = start) { run(); }\n", &[(1, Low)]);
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
    run(&unity("void test_a(void **state) { run_case(state); }"), &[]);
    run(&unity("int test_a(void) { return run(); }"), &[]);
    run(&unity("void test_a(struct table *table) { run(); }"), &[]);
    run(&unity("void tester(void) { run(); }"), &[]);
    run("void test_a(void) { run(); }\n", &[]);
    run("IGNORE_TEST(Group, a) { run(); }\n", &[]);
    run("Test(suite, a, .signal = SIGSEGV) { run(); }\n", &[]);
    check("src/a.c", &unity("void test_memory(void) { run(); }"), &[]);
    check("src/a.c", "TEST(Group, a) { run(); }\n", &[]);
}

#[test]
fn cpp() {
    for path in ["a_test.cc", "tests/a.cpp", "ATest.cxx"] {
        let run = |text: &str, expected: &[_]| check(path, text, expected);
        run("namespace a {\nTEST(Suite, a) { run(); }\n}\n", &[(2, Low)]);
        run("TEST_F(Suite, a) { run(); }\nTEST_F(Suite, b) {}\n", &[(1, Low)]);
        run("TYPED_TEST(Suite, a) { auto x = run(); }\n", &[(1, Low)]);
        run("TEST_CASE(\"a\", \"[x]\") {\n SECTION(\"b\") { run(); }\n}\n", &[(1, Low)]);
        run("BOOST_AUTO_TEST_CASE(a) { run(); }\n", &[(1, Low)]);
        for body in [
            "EXPECT_EQ(1, 1) << \"no\";",
            "ASSERT_THAT(x, Eq(1));",
            "EXPECT_DEATH(run(), \"no\");",
            "EXPECT_CALL(mock, run());",
            "REQUIRE_NOTHROW(run());",
            "for (int x : xs) { CHECK(x); }",
            "BOOST_CHECK_EQUAL(1, 1);",
            "native_assert(run());",
            "if (!run()) throw std::runtime_error(\"no\");",
            "FAIL() << \"no\";",
            "a::same(1);",
        ] {
            let helper = "namespace a { void same(int x) { ASSERT_TRUE(x); } }";
            run(&format!("{helper}\nTEST(Suite, a) {{ {body} }}\n"), &[]);
            run(&format!("{helper}\nTEST_CASE(\"a\") {{ {body} }}\n"), &[]);
        }
        run("TEST(Suite, a) { run_case(this); }\n", &[]);
        run("TEST(Suite, DISABLED_a) { run(); }\n", &[]);
        run("TEST(Suite, a) { GTEST_SKIP(); }\n", &[]);
        run("TEST_CASE(\"a\", \"[!shouldfail]\") { run(); }\n", &[]);
        run("// TEST(Suite, a) { run(); }\nauto s = \"TEST(Suite, a) {}\";\n", &[]);
        run("int main() { TEST(a, b); { run(); } }\n", &[]);
    }
    check("src/a.cc", "TEST(Suite, a) { run(); }\n", &[]);
    check("src/a.cc", "#include <gtest/gtest.h>\nTEST(Suite, a) { run(); }\n", &[(2, Low)]);
}

#[test]
fn c_sharp() {
    let run = |text: &str, expected: &[_]| check("ATests.cs", &format!("class A {{\n{text}\n}}\n"), expected);
    run("[Fact] public void T() { cart.Total(); }", &[(2, Low)]);
    run("[TestCase(1)]\npublic async Task T(int a) { await cart.Add(a); }", &[(3, Low)]);
    run("[TestMethodAttribute] public void T() { cart.Total(); }", &[(2, Low)]);
    for body in [
        "Assert.Equal(1, 1);",
        "CollectionAssert.Contains(a, 1);",
        "x.Should().Be(1);",
        "x.ShouldBe(1);",
        "mock.Verify(m => m.Run());",
        "mock.Received().Run();",
        "if (x) throw new Exception();",
        "Same(1);",
    ] {
        run(&format!("[Test] public void T() {{ {body} }}\nvoid Same(int a) {{ Assert.Equal(1, a); }}"), &[]);
    }
    run("[TestMethod, ExpectedException(typeof(E))] public void T() { cart.Total(); }", &[]);
    run("[TestCase(1, ExpectedResult = 2)] public int T(int a) => cart.Add(a);", &[]);
    run("[Fact] public void T() { RunCase(1); }", &[]);
    run("[Fact(Skip = \"no mailer\")] public void T() { cart.Total(); }", &[]);
    run("public void Test() { cart.Total(); }\n// [Fact]\n[SetUp] public void S() { cart.Total(); }", &[]);
}

#[test]
fn ruby() {
    let run = |text: &str, expected: &[_]| check("spec/a_spec.rb", text, expected);
    let class = |body: &str| format!("class ATest < Minitest::Test\n  def test_a\n    {body}\n  end\nend\n");
    run(&class("cart.total"), &[(2, Low)]);
    run("describe 'a' do\n  it 'adds' do\n    cart.total\n  end\nend\n", &[(2, Low)]);
    run("test 'adds' do\n  cart.total\nend\n", &[(1, Low)]);
    for body in [
        "assert_equal 1, 1",
        "refute a",
        "expect(a).to eq(1)",
        "expect { a }.not_to raise_error",
        "a.must_equal 1",
        "is_expected.to be",
        "raise 'x' if a",
        "flunk",
    ] {
        run(&class(body), &[]);
        run(&format!("it('adds') {{ {body} }}\n"), &[]);
    }
    run("it 'adds' do\n  run_case(1)\nend\n", &[]);
    run("it 'adds'\nxit 'b' do\n  cart.total\nend\n", &[]);
    run("it 'adds' do\n  skip 'no mailer'\nend\n", &[]);
    run("it 'adds' do\n  same 1\nend\ndef same(a)\n  expect(a).to eq(1)\nend\n", &[]);
    run("# it 'adds' do\nx = \"it 'a' do\"\nlist.each do |it|\n  run it\nend\n", &[]);
    check("lib/a.rb", "test 'adds' do\n  cart.total\nend\n", &[]);
}

#[test]
fn php() {
    let run = |text: &str, expected: &[_]| check("tests/ATest.php", &format!("<?php\n{text}\n"), expected);
    let class = |body: &str| format!("class ATest extends TestCase {{\n{body}\n}}");
    run(&class("public function testA(): void { $cart->total(); }"), &[(3, Low)]);
    run(&class("#[Test]\npublic function a() { $cart->total(); }"), &[(4, Low)]);
    run(&class("/** @test */\npublic function a() { $cart->total(); }"), &[(4, Low)]);
    run("it('adds', function () { $cart = new Cart(); $cart->total(); });", &[(2, Low)]);
    for body in [
        "$this->assertSame(1, 1);",
        "self::assertTrue($a);",
        "$this->expectException(E::class);",
        "$response->assertStatus(200);",
        "if ($a) { throw new E('x'); }",
        "$mock->shouldHaveBeenCalled();",
    ] {
        run(&class(&format!("function testA() {{ {body} }}")), &[]);
    }
    run("test('adds', fn () => expect(1)->toBe(1));", &[]);
    run(&class("function testA() { $this->runCase(1); }"), &[]);
    run(&class("/** @doesNotPerformAssertions */\nfunction testA() { $cart->total(); }"), &[]);
    run(&class("function testA() { $this->markTestSkipped('no mailer'); }"), &[]);
    run(&class("function setUp(): void { $cart->total(); }\n// function testA() {}"), &[]);
    check("src/A.php", "<?php\nfunction testA() { run(); }\nit('adds', function () { run(); });\n", &[]);
}

#[test]
fn kotlin() {
    let run = |text: &str, expected: &[_]| check("ATest.kt", &format!("class ATest {{\n{text}\n}}\n"), expected);
    run("@Test fun a() { cart.total() }", &[(2, Low)]);
    run("@Test\nfun `adds two`() = runTest { cart.total() }", &[(3, Low)]);
    for body in [
        "assertEquals(1, 1)",
        "x shouldBe 1",
        "assertThat(x).isTrue()",
        "assertFailsWith<E> { cart.total() }",
        "verify { mock.run() }",
        "coVerify { mock.run() }",
        "if (x) throw E()",
        "check(x)",
        "same(1)",
    ] {
        run(&format!("@Test fun a() {{ {body} }}\nfun same(x: Int) {{ assertEquals(1, x) }}"), &[]);
    }
    run("@Test(expected = E::class) fun a() { cart.total() }", &[]);
    run("@Test fun a() { runCase(1) }", &[]);
    run("@Ignore @Test fun a() { cart.total() }", &[]);
    run("@BeforeTest fun a() { cart.total() }\nfun testA() { cart.total(\"@Test\") }", &[]);
}

#[test]
fn swift() {
    let run = |text: &str, expected: &[_]| {
        check("ATests.swift", &format!("class ATests: XCTestCase {{\n{text}\n}}\n"), expected);
    };
    run("func testA() { cart.total() }", &[(2, Low)]);
    run("func testA() async { cart.total() }", &[(2, Low)]);
    run("}\n@Test(\"adds\") func a() { cart.total() }\nclass B {", &[(3, Low)]);
    for body in [
        "XCTAssertEqual(1, 1)",
        "XCTFail()",
        "let a = XCTUnwrap(b)",
        "#expect(a == 1)",
        "expect(a).to(equal(1))",
        "if a { throw E() }",
        "try cart.total()",
        "wait(for: [done], timeout: 1)",
        "same(1)",
    ] {
        run(&format!("func testA() throws {{ {body} }}\nfunc same(_ a: Int) {{ XCTAssertEqual(1, a) }}"), &[]);
    }
    run("func testA() { runCase(1) }", &[]);
    run("func testA() throws { throw XCTSkip(\"no mailer\") }", &[]);
    run("func helper() { cart.total() }\nfunc testRow(_ a: Int) { cart.add(a) }", &[]);
    check("a.swift", "class A { func testA() { run() } }\n// @Test func a() {}\n", &[]);
}

#[test]
fn bash() {
    let run = |text: &str, expected: &[_]| check("a.bats", text, expected);
    run("@test \"adds\" {\n  run add 1 2\n}\n", &[(1, Low)]);
    run("\n@test 'adds' {\n  run add\n}\n", &[(2, Low)]);
    run("@test \"adds\" {\n  run add\n  [ \"$status\" -eq 0 ]\n}\n", &[]);
    run("@test \"adds\" {\n  run add\n  assert_output 3\n}\n", &[]);
    run("@test \"adds\" {\n  add 1 2\n}\n", &[]);
    run("@test \"adds\" {\n  skip \"no mailer\"\n}\n", &[]);
    run("setup() {\n  run add\n}\n# @test \"adds\" {\n", &[]);
    let shunit = |body: &str| format!("testAdd() {{ {body}; }}\n. shunit2\n");
    check("a.sh", &shunit("add 1 2"), &[(1, Low)]);
    check("a.sh", &shunit("assertEquals 1 1"), &[]);
    check("a.sh", "test_connection() { ping; }\n", &[]);
}
