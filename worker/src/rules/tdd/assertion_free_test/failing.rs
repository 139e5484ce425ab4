//! Signs that something other than an assertion fails a test, or that it would never end.

use super::raising::makes_a_raising_double;
use super::running::needs_only_to_run;
use crate::names;
use crate::outline::{Function, Span};
use crate::paths;
use crate::rules::File;

/// Signs of waiting for what another thread, a task or the collector of garbage does: the test hangs or crashes otherwise.
const WAITS: &[&str] = &[
    "<-",
    ".Wait(",
    ".acquire(",
    ".await(",
    ".changed().await",
    ".closed().await",
    ".get(timeout",
    ".join(",
    ".recv(",
    ".wait(",
    "do {",
    "loom::",
    "runtime.GC(",
    "select!",
    "select {",
    "testing.Benchmark(",
    "while ",
    "while(",
    "with_timeout",
];

/// Signs of a double that fails the test, of a fault that is made on purpose and must not come out, and of what ends a
/// test early.
const DOUBLES: &[&str] = &[
    "StrictMock",
    "abort(",
    "accepted",
    "catch_unwind",
    "check=True",
    "does_not_raise",
    "gc.collect",
    "getBean(",
    "log.Fatal",
    "measure {",
    "measureMetrics(",
    "nullcontext",
    "os.Exit(",
    "panic(",
    "raise_for",
    "recover()",
    "scope.done(",
    "side_effect",
    "skip(",
    "xfail(",
];

/// Signs in a file of C++ that a double of a fixture fails tests by calls that nobody told it to expect.
const EXPECTED_CALLS: &[&str] = &["EXPECT_CALL(", "StrictMock"];

/// Signs of tests that find what they look for in a page or a window, or fail.
const PAGES: &[&str] = &[
    ".click(",
    ".fill(",
    ".goto(",
    ".performClick(",
    ".tap()",
    "click_button",
    "click_link",
    "click_on",
    "cy.",
    "fill_in",
    "findBy",
    "findElement(",
    "find_element",
    "getAllBy",
    "getBy",
    "locator(",
    "mount(",
    "onNode",
    "onView(",
    "render(",
    "renderHook(",
    "setContent",
    "shallow(",
];

/// Functions that run after each test of a class, or after all of them.
const TEAR_DOWNS: &[&str] =
    &["after", "aftereach", "afterall", "cleanup", "teardown", "teardownclass", "teardown_method"];

/// Marks of such functions.
const TEAR_DOWN_MARKS: &[&str] = &["@After", "[ClassCleanup", "[OneTimeTearDown", "[TearDown", "[TestCleanup"];

/// How many lines above a function such a mark may stand.
const MARK_LINES_MAX: usize = 3;

/// Whether something in the file asserts when a test or all of them are done.
pub(super) fn tears_down_asserting(file: &File<'_>) -> bool {
    let is_one = |one: &Function| {
        let name = file.text(&one.name).to_ascii_lowercase();
        let checks = || one.calls.iter().any(|call| super::elsewhere::says_to_check(file.text(call)));
        one.test.is_none()
            && (TEAR_DOWNS.contains(&name.trim_start_matches("async")) || is_marked(file, one))
            && (one.assertions > 0 || checks())
    };
    let is_block = |callee: &str| TEAR_DOWNS.contains(&callee.to_ascii_lowercase().as_str());
    let asserts = |span: &Span| ["assert", "expect("].iter().any(|sign| file.text(span).contains(sign));
    file.outline.functions.iter().any(is_one)
        || file.outline.calls.iter().any(|call| is_block(file.text(&call.callee)) && asserts(&call.arguments))
}

/// Whether a mark of what runs after tests stands above `function`, or within its head.
fn is_marked(file: &File<'_>, function: &Function) -> bool {
    let start = file.source.line_span(file.source.line_of(function.span.start)).start;
    let own = file.source.text.get(start..function.name.start).unwrap_or_default();
    let above = file.source.text[..start].lines().rev().take(MARK_LINES_MAX);
    let is_fixture = above.clone().any(|line| line.contains("fixture"));
    above.chain([own]).any(|line| TEAR_DOWN_MARKS.iter().any(|mark| line.contains(mark)))
        || (is_fixture && file.text(&function.span).contains("yield"))
}

/// Whether the body of `function` shows that it can fail by something else than an assertion, or not come to its end.
pub(super) fn fails_by_itself(file: &File<'_>, function: &Function) -> bool {
    let Some(body) = function.body.as_ref().map(|body| file.text(body)) else { return false };
    let holds = |signs: &[&str]| signs.iter().any(|sign| body.contains(sign));
    let raises_warnings = (holds(&["simplefilter(", "filterwarnings("])) && holds(&["\"error\"", "'error'"]);
    holds(WAITS)
        || holds(DOUBLES)
        || PAGES.iter().any(|sign| begins(body, sign))
        || raises_warnings
        || goes_on(file, body)
        || (file.text(&function.span).starts_with("TEST_F(")
            && EXPECTED_CALLS.iter().any(|sign| file.source.text.contains(sign)))
        || is_helper_process(body)
        || ends_in_callback(file, body)
        || imports_tests(file, body)
        || repeats_base(file, function, body)
        || makes_a_raising_double(file, function)
        || needs_only_to_run(file, body)
}

/// Whether `sign` stands in `body` and does not continue a longer name: `cy.visit`, not `policy.visit`.
fn begins(body: &str, sign: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    body.match_indices(sign).any(|(at, _)| sign.starts_with('.') || !body[..at].ends_with(is_part))
}

/// Whether the test of Go would go on for ever if what it calls did not stop: by a loop, or because it was told to stop before.
fn goes_on(file: &File<'_>, body: &str) -> bool {
    let is_told = |line: &str| line.trim() == "cancel()" || line.trim().starts_with("close(");
    file.source.path.ends_with(".go")
        && (["for {", "for !"].iter().any(|sign| body.contains(sign)) || body.lines().any(is_told))
}

/// Whether the test of Go is the program that another test starts: it asks for a variable of its environment first.
fn is_helper_process(body: &str) -> bool {
    let first = body.trim_start_matches('{').trim_start().lines().next().unwrap_or_default();
    first.contains("os.Getenv(") || first.contains("os.LookupEnv(")
}

/// Whether a script says in a callback or a handler that the test is done: it is waited for.
fn ends_in_callback(file: &File<'_>, body: &str) -> bool {
    let is_script = paths::extension(file.source.path).is_some_and(|one| super::elsewhere::SCRIPTS.contains(&one));
    let end = ["done()", "end()"].iter().filter_map(|sign| body.rfind(sign)).max();
    let before = end.filter(|_| is_script).map_or("", |at| &body[..at]);
    ["=>", "function", "catch"].iter().any(|sign| before.contains(sign))
}

/// Whether the test of Python imports what stands beside it, which may assert as it is loaded.
fn imports_tests(file: &File<'_>, body: &str) -> bool {
    file.source.path.ends_with(".py") && body.lines().any(|line| line.trim_start().starts_with("from ."))
}

/// Whether the test calls the test of its base class that has its name.
fn repeats_base(file: &File<'_>, function: &Function, body: &str) -> bool {
    let name = file.text(&function.name);
    let heads = ["super().", "super.", "base.", "parent::"];
    !name.is_empty()
        && heads.iter().any(|head| body.match_indices(head).any(|(at, _)| body[at + head.len()..].starts_with(name)))
}

/// Whether the file is for measuring or for pressing hard, by its name or by that of a directory.
pub(super) fn is_measuring(path: &str) -> bool {
    let is_one = |word: &String| {
        ["bench", "perf", "stress", "fuzz", "smoke", "load"].contains(&word.as_str()) || word.starts_with("benchmark")
    };
    names::words(path).iter().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn what_hangs_or_raises_otherwise_fails_by_itself() {
        let go = |body: &str, expected: &[_]| {
            check("a_test.go", &format!("package a\nfunc TestA(t *testing.T) {{\n{body}\n}}"), expected);
        };
        go("if os.Getenv(\"HELPER\") != \"1\" {\nreturn\n}\nfmt.Println(1)", &[]);
        go("fmt.Println(os.Args)\nos.Getenv(\"HELPER\")", &[(2, Low)]);
        go("ctx, cancel := with()\ncancel()\nrun(ctx)", &[]);
        go("ctx, cancel := with()\ndefer cancel()\nrun(ctx)", &[(2, Low)]);
        let python = |body: &str, expected: &[_]| {
            check("test_a.py", &format!("class TestA:\n    def test_a(self):\n        {body}\n"), expected);
        };
        python("super().test_a()", &[]);
        python("super().total()", &[(2, Low)]);
        python("from . import cart", &[]);
        python("import cart", &[(2, Low)]);
        python("cart.total.side_effect = OSError\n        cart.pay()", &[]);
        python("warnings.simplefilter('error')\n        cart.pay()", &[]);
        python("warnings.simplefilter('ignore')\n        cart.pay()", &[(2, Low)]);
    }

    #[test]
    fn what_a_script_waits_for_fails_by_itself() {
        check("a.test.js", "it('a', (done) => {\n  try { run() } catch (_) { done() }\n})\n", &[]);
        check("a.test.js", "it('a', ({ end }) => {\n  run()\n  end()\n})\n", &[(1, Low)]);
        check("a.test.js", "it('a', () => { cy.visit('/') })\n", &[]);
        check("a.test.js", "it('a', () => { policy.visit('/') })\n", &[(1, Low)]);
    }

    #[test]
    fn something_may_assert_after_the_tests() {
        let java = |mark: &str| {
            format!("class ATest {{\n@Test void a() {{ cart.total(); }}\n{mark} void b() {{ assertTrue(x); }}\n}}\n")
        };
        check("ATest.java", &java("@AfterAll static"), &[]);
        check("ATest.java", &java("static"), &[(2, Low)]);
        check("a.test.js", "afterEach(() => { expect(cart).toBe(1) })\nit('a', () => { run() })\n", &[]);
        check("a.test.js", "afterEach(() => { run(cart) })\nit('a', () => { run() })\n", &[(2, Low)]);
    }

    #[test]
    fn a_fixture_of_c_plus_plus_may_expect_calls() {
        let of =
            |kind: &str| format!("{kind}(Cart, a) {{ cart->total(); }}\nvoid b() {{ EXPECT_CALL(cart, total()); }}\n");
        check("a_test.cc", &of("TEST_F"), &[]);
        check("a_test.cc", &of("TEST"), &[(1, Low)]);
    }

    #[test]
    fn files_that_measure_assert_nothing() {
        check("tests/test_benchmarks_cart.py", "def test_a():\n    run()\n", &[]);
        check("tests/test_cart.py", "def test_a():\n    run()\n", &[(1, Low)]);
    }

    #[test]
    fn where_most_tests_assert_nothing_they_assert_otherwise() {
        let silent = |count: usize| (0..count).map(|at| format!("def test_{at}():\n    run()\n")).collect::<String>();
        check("test_a.py", &silent(2), &[(1, Low), (3, Low)]);
        check("test_a.py", &silent(3), &[]);
    }
}
