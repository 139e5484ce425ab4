//! Tests that leave the asserting to what they call, by a name that says so or by what they hand to it.

use std::collections::HashSet;

use crate::names;
use crate::outline::{Call, Function};
use crate::paths;
use crate::rules::File;
use crate::rules::calls::last_name;

/// What `pytester`, which tests plugins of pytest, has in the place of assertions.
const PYTESTER: &[&str] =
    &["fnmatch_lines", "fnmatch_lines_random", "no_fnmatch_line", "no_re_match_line", "re_match_lines"];

/// Beginnings of words, in names of what a test calls, of things that fail it or hang.
const CHECKING_HEADS: &[&str] = &[
    "approv",
    "assert",
    "await",
    "baseline",
    "check",
    "compar",
    "conform",
    "expect",
    "gradcheck",
    "match",
    "scenario",
    "screenshot",
    "sleep",
    "snapshot",
    "valid",
    "verif",
    "wait",
];

/// Words that begin like one of those and say something else.
const OTHER_WORDS: &[&str] = &["awaitable", "checked", "checkout", "checkpoint", "checksum"];

/// The same as whole words.
const CHECKING_WORDS: &[&str] = &[
    "diff",
    "ensure",
    "ensures",
    "equal",
    "equals",
    "eventually",
    "fail",
    "fails",
    "golden",
    "poll",
    "same",
    "should",
    "succeed",
    "test",
    "tests",
    "until",
];

/// What runs a test and is named after that.
const STARTERS: &[&str] = &["runTest", "runBlockingTest", "runTestOnDispatcher"];

/// Words in names of types that run a test or check something.
const CHECKING_TYPES: &[&str] = &[
    "case",
    "checker",
    "expectations",
    "fixture",
    "harness",
    "helper",
    "helpers",
    "robot",
    "scenario",
    "suite",
    "test",
    "testcase",
    "tester",
    "tests",
    "verifications",
    "verifier",
];

/// What a builder of a run calls the output that it is told to expect.
const OUTPUTS: &[&str] = &["stderr", "stderr_regex", "stdout", "stdout_regex"];

/// Words of arguments that say where output goes, and not what it is.
const PIPES: &[&str] = &["PIPE", "Stdio"];

/// How many helpers may stand between a test and what it expects.
const HELPERS_DEEP: usize = 2;

/// What a test is handed beside assertions.
const NO_ASSERTIONS: &[&str] = &["after", "comment", "end", "teardown"];

/// Extensions of languages in which a parameter can be taken apart where it is declared.
pub(super) const SCRIPTS: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"];

/// The functions, by index, that tell what runs a program which output is expected of it, and those that call them.
pub(super) fn expecting_output(file: &File<'_>) -> HashSet<usize> {
    let calls = file.outline.calls.iter().filter(|call| OUTPUTS.contains(&last_name(file.text(&call.callee))));
    // Where it goes (`Stdio::piped()`) is no text; what a helper expects is in a variable.
    let calls = calls.filter(|call| {
        let told = file.text(&call.arguments);
        told != "()" && !PIPES.iter().any(|word| told.contains(word))
    });
    let mut known: HashSet<usize> = calls.filter_map(|call| call.function).collect();
    for _round in 0..HELPERS_DEEP {
        let functions = file.outline.functions.iter().enumerate();
        let helpers = functions.clone().filter(|(index, one)| known.contains(index) && one.test.is_none());
        let names: HashSet<&str> = helpers.map(|(_, one)| file.text(&one.name)).collect();
        let calls_one = |one: &Function| one.calls.iter().any(|name| names.contains(file.text(name)));
        known.extend(functions.filter(|(_, one)| !names.is_empty() && calls_one(one)).map(|(index, _)| index));
    }
    known
}

/// Whether what `function` calls fails it, though it is no assertion by name.
pub(super) fn asserts_elsewhere(file: &File<'_>, function: &Function, calls: &[&Call]) -> bool {
    let is_one = |name: &str| {
        PYTESTER.contains(&name) || name == "intercept" || name.starts_with("assert") || name.starts_with("validate")
    };
    let says = |name: &str| is_one(name) || (!STARTERS.contains(&name) && says_to_check(name));
    let is_helper = |one: &&Function| one.test.is_none() && one.body.is_some();
    let helper = |name: &str| file.outline.functions.iter().filter(is_helper).find(|one| file.text(&one.name) == name);
    let helps = |name: &str| helper(name).is_some_and(|one| one.calls.iter().any(|call| says(file.text(call))));
    function.calls.iter().map(|name| file.text(name)).any(|name| says(name) || helps(name))
        || hands_on_a_check(file, calls, |name| says(name) || helps(name))
        || returns_a_value(file, function)
        || calls_a_parameter(file, function)
        || uses_a_checker(file, function, calls)
}

/// Whether a call is handed a method of the test's own that `checks`: `done.addCallback(self.check)`.
fn hands_on_a_check(file: &File<'_>, calls: &[&Call], checks: impl Fn(&str) -> bool) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let handed = calls.iter().flat_map(|call| {
        let given = file.text(&call.arguments);
        ["self.", "this.", "this::"].iter().flat_map(move |own| given.split(own).skip(1))
    });
    handed
        .filter(|rest| rest.trim_start_matches(is_part).trim_start().starts_with([',', ')']))
        .filter_map(|rest| rest.split(|c| !is_part(c)).next())
        .any(checks)
}

/// Whether the test of Python ends in a value that its runner waits for, and that may hold a failure.
fn returns_a_value(file: &File<'_>, function: &Function) -> bool {
    let body = function.body.as_ref().map_or("", |body| file.text(body));
    let last = body.trim_end().lines().last().unwrap_or_default().trim();
    let value = last.strip_prefix("return ").map(str::trim);
    file.source.path.ends_with(".py") && value.is_some_and(|value| !["None", "True", "False"].contains(&value))
}

fn is_checking(word: &str) -> bool {
    let is_head = CHECKING_HEADS.iter().any(|head| word.starts_with(head)) && !OTHER_WORDS.contains(&word);
    is_head || CHECKING_WORDS.contains(&word)
}

/// Whether the test makes or asks a type whose name says that it checks something: `new CartChecker()`, `Test::new()`.
fn uses_a_checker(file: &File<'_>, function: &Function, calls: &[&Call]) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let called = calls.iter().flat_map(|call| file.text(&call.callee).split(|c| !is_part(c)));
    // What is made of a generic type is no plain call.
    let body = function.body.as_ref().map_or("", |body| file.text(body));
    let made = body.split("new ").skip(1).filter_map(|rest| rest.split(|c| !is_part(c)).next());
    let mut types = called.chain(made);
    let is_one = |name: &str| names::words(name).iter().any(|word| CHECKING_TYPES.contains(&word.as_str()));
    // In Go nothing but what is handed `t` fails a test.
    paths::extension(file.source.path) != Some("go")
        && types.any(|name| name.starts_with(char::is_uppercase) && is_one(name))
}

/// Whether the name of what is called says that it checks something.
pub(super) fn says_to_check(name: &str) -> bool {
    names::words(name).iter().any(|word| is_checking(word))
}

/// Whether the test calls one of the assertions that its only parameter is taken apart into: `({ same }) => same(a, b)`.
fn calls_a_parameter(file: &File<'_>, function: &Function) -> bool {
    let Some(body) = &function.body else { return false };
    if !paths::extension(file.source.path).is_some_and(|extension| SCRIPTS.contains(&extension)) {
        return false;
    }
    let head = file.source.text.get(function.name.end..body.start).unwrap_or_default();
    let Some((_, taken)) = head.split_once("({") else { return false };
    let taken = taken.split('}').next().unwrap_or_default();
    let names = taken.split(',').map(|one| one.rsplit(':').next().unwrap_or(one).trim());
    let body = file.text(body);
    names.filter(|name| !name.is_empty() && !NO_ASSERTIONS.contains(name)).any(|name| {
        let is_call = |at: usize| {
            let is_part = |c: char| c.is_alphanumeric() || "_$.".contains(c);
            body[at + name.len()..].starts_with('(') && !body[..at].ends_with(is_part)
        };
        body.match_indices(name).any(|(at, _)| is_call(at))
    })
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn a_helper_may_expect_output() {
        let of = |expected: &str| {
            let tell = "fn told(text: &str) { Run::new(text).stdout(text.to_owned()).end() }\n";
            format!("#[test]\nfn a() {{ {expected}(\"x\") }}\nfn case(text: &str) {{ told(text) }}\n{tell}")
        };
        check("tests/a.rs", &of("case"), &[]);
        check("tests/a.rs", &of("told"), &[]);
        check("tests/a.rs", &of("Run::other"), &[(2, Low)]);
        check("tests/a.rs", &of("case").replace(".stdout(text.to_owned())", ".stdout(Stdio::null())"), &[(2, Low)]);
        check("tests/a.rs", "#[test]\nfn a() { Run::new(io::stdout()).end() }\n", &[(2, Low)]);
    }

    #[test]
    fn names_may_say_that_a_call_fails_the_test() {
        let run = |call: &str, expected: &[_]| {
            check("tests/test_a.py", &format!("def test_a():\n    cart.{call}(1)\n"), expected);
        };
        run("validate_total", &[]);
        run("assertoutcome", &[]);
        run("invalidate_total", &[(1, Low)]);
    }

    #[test]
    fn names_of_calls_and_types_say_that_they_check() {
        let run = |body: &str, expected: &[_]| {
            check("ATest.java", &format!("class ATest {{\n@Test void a() {{ {body} }}\n}}\n"), expected);
        };
        for body in [
            "new CartTotalChecker<>().of(cart).go();",
            "cart.doTotalCheck();",
            "Utils.waitForCondition(cart::isEmpty);",
            "cart.totalVerification();",
            "new Verifications() {{ cart.total(); }};",
            "approveTotal(cart);",
            "cart.compareScreenshot();",
            "TestSuite.of(cart).go();",
        ] {
            run(body, &[]);
        }
        for body in ["new CartTotal<>().of(cart).go();", "cart.checkout();", "cart.latest();"] {
            run(body, &[(2, Low)]);
        }
        check("tests/test_a.py", "def test_a():\n    go()\ndef go():\n    cart.match_lines()\n", &[]);
        check("tests/test_a.py", "def test_a():\n    def go():\n        assert x\n    cart.run(go)\n", &[]);
        check("tests/a.rs", "#[test]\nfn a() {\n    fn go() { assert!(x); }\n    Cart::run(go);\n}\n", &[]);
        let java = "new Cart() { @Override public void go() { assertTrue(x); } }.run();";
        run(java, &[]);
        run("cart.run(new Runnable() { public void run() { assertTrue(x); } });", &[]);
        check("tests/test_a.py", "def test_a():\n    go()\ndef go():\n    cart.lines()\n", &[(1, Low)]);
    }

    #[test]
    fn an_expected_exception_is_an_assertion() {
        let of = |call: &str| format!("class ATest {{\n@Test void a() {{ {call}(E.class, b); }}\n}}\n");
        check("ATest.java", &of("LambdaUtils.intercept"), &[]);
        check("ATest.java", &of("LambdaUtils.interrupt"), &[(2, Low)]);
    }

    #[test]
    fn assertions_may_be_handed_to_a_test() {
        let run = |text: &str, expected: &[_]| check("a.test.js", text, expected);
        run("test('a', async ({ same, end }) => {\n  same(run(), 1)\n  end()\n})\n", &[]);
        run("test('a', ({ equal: is }) => { run(x => is(x, 1)) })\n", &[]);
        run("test('a', async function ({ match }) { match(run(), /a/) })\n", &[]);
        run("test('a', ({ same, end }) => {\n  run()\n  end()\n})\n", &[(1, Low)]);
        run("test('a', async ({ page }) => { await page.open(); run.page(1); Homepage(2) })\n", &[(1, Low)]);
    }

    #[test]
    fn a_check_may_be_handed_on_or_a_result_waited_for() {
        let of = |body: &str| format!("class TestA:\n    def test_a(self):\n        {body}\n");
        check("test_a.py", &of("cart.total.on(self.checkTotal, 1)"), &[]);
        check("test_a.py", &of("cart.total.on(self.total, 1)"), &[(2, Low)]);
        check("test_a.py", &of("d = cart.later()\n        return d"), &[]);
        check("test_a.py", &of("cart.later()\n        return None"), &[(2, Low)]);
    }
}
