//! Tries of the rule in files of which other tests assert, as it asks for.

use schemas::severity::Severity;

use super::RULE;
use crate::paths;
use crate::rules::testing;

/// Checks what is found in `text` where two tests that assert, and the function `run`, stand below it.
#[track_caller]
pub(super) fn check(path: &str, text: &str, expected: &[(u32, Severity)]) {
    let others: String = ["y", "z"].iter().map(|name| asserting(path, name)).collect();
    testing::check(&RULE, path, &format!("{text}\n{others}{}", run(path)), expected);
}

/// A test that asserts, in the language of `path`.
fn asserting(path: &str, name: &str) -> String {
    let class = format!("class {name}Test");
    match paths::extension(path).unwrap_or_default() {
        "rs" => format!("#[test]\nfn {name}() {{ assert!(x); }}\n"),
        "py" => format!("def test_{name}():\n    assert x\n"),
        "go" => format!("func Test_{name}(t *testing.T) {{ t.Fatal() }}\n"),
        "js" | "mjs" | "ts" | "tsx" => format!("it('{name}', () => {{ expect(x).toBe(1) }})\n"),
        "java" => format!("{class} {{ @Test void {name}() {{ assertTrue(x); }} }}\n"),
        "c" => format!("TEST(Group, {name}) {{ assert(x); }}\n"),
        "cc" | "cpp" | "cxx" => format!("TEST(Suite, {name}) {{ EXPECT_EQ(1, x); }}\n"),
        "cs" => format!("{class} {{ [Fact] public void {name}() {{ Assert.Equal(1, x); }} }}\n"),
        "rb" => format!("it '{name}' do\n  expect(x).to eq(1)\nend\n"),
        "php" => format!("it('{name}', fn () => expect(1)->toBe($x));\n"),
        "kt" => format!("{class} {{ @Test fun {name}() {{ assertEquals(1, x) }} }}\n"),
        "swift" => format!("{class}: XCTestCase {{ func test{name}() {{ XCTAssertEqual(1, x) }} }}\n"),
        "bats" => format!("@test \"{name}\" {{\n  [ -n x ]\n}}\n"),
        "sh" => format!("test_{name}() {{ assertEquals 1 x; }}\n"),
        _ => String::new(),
    }
}

/// The function `run`, where a plain function that the file does not know might assert.
fn run(path: &str) -> &'static str {
    match paths::extension(path).unwrap_or_default() {
        "rs" => "fn run() {}\nfn checkout() {}\n",
        "py" => "def run():\n    pass\n",
        "js" | "mjs" | "ts" | "tsx" => "function run() {}\n",
        "c" | "cc" | "cpp" | "cxx" => "void run(void) {}\n",
        _ => "",
    }
}
