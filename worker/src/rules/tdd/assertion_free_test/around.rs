//! What stands around a test and may fail it: its marks, and what it is handed by name.

use super::elsewhere::says_to_check;
use crate::outline::Function;
use crate::paths;
use crate::rules::File;

/// How many lines above the name of a test its marks are looked for.
const MARK_LINES_MAX: usize = 8;

/// Decorators of Python that fail no test.
const PLAIN_DECORATORS: &[&str] = &[
    "asyncio",
    "classmethod",
    "defer.inlineCallbacks",
    "gen_test",
    "inlineCallbacks",
    "mock.patch",
    "override_settings",
    "parameterized",
    "patch",
    "pytest.mark.",
    "pytest.param",
    "staticmethod",
    "tag(",
    "testing.gen_test",
    "tornado.testing.gen_test",
    "unittest.mock.patch",
    "unittest.skip",
];

/// Words of marks, in lower case, by which a runner fails a test that asserts nothing.
const FAILING_MARKS: &[&str] =
    &["compare", "expect", "filterwarnings", "golden", "leak", "limit_", "snapshot", "timeout", "verif"];

/// Whether a mark above `function`, or something that it takes by name, may fail it.
pub(super) fn may_fail(file: &File<'_>, function: &Function) -> bool {
    let is_python = file.source.path.ends_with(".py");
    let line = file.source.line_of(function.name.start);
    let above =
        (line.saturating_sub(MARK_LINES_MAX)..line).rev().map(|one| file.text(&file.source.line_span(one)).trim());
    let mut marks = above
        .take_while(|text| !text.is_empty() && !text.ends_with(['{', '}', ';']) && !text.starts_with("def "))
        .filter(|text| text.starts_with(['@', '[', '#']) && !text.starts_with("# "));
    let is_one = |mark: &str| {
        let lower = mark.to_ascii_lowercase();
        let is_plain = || PLAIN_DECORATORS.iter().any(|plain| mark[1..].starts_with(plain));
        FAILING_MARKS.iter().any(|word| lower.contains(word)) || (is_python && mark.starts_with('@') && !is_plain())
    };
    marks.any(is_one) || (is_python && takes_a_check(file, function))
}

/// Whether a test of Python takes a fixture that is named after checking something: it may do so when the test is done.
fn takes_a_check(file: &File<'_>, function: &Function) -> bool {
    let Some(body) = &function.body else { return false };
    let head = file.source.text.get(function.name.end..body.start).unwrap_or_default();
    let names = head.split(',').filter_map(|one| one.split([':', '=']).next());
    names
        .map(|name| name.trim_matches(['(', ')', ' ', '\n', '*']))
        .any(|name| says_to_check(name) || ["leak", "no_"].iter().any(|sign| name.contains(sign)))
}

/// Whether the tests of a file in TypeScript are about types, which a compiler checks, as those that say so show.
pub(super) fn tests_types(file: &File<'_>) -> bool {
    const SIGNS: &[&str] = &[
        "AssertEqual<",
        "Equal<",
        "IsExact<",
        "TypeEqual<",
        "assertEqual<",
        "assertType<",
        "attest<",
        "expectAssignable<",
        "expectType<",
        "expectTypeOf",
    ];
    let is_typed = matches!(paths::extension(file.source.path), Some("ts" | "tsx" | "mts" | "cts"));
    is_typed && SIGNS.iter().any(|sign| file.source.text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn a_decorator_may_fail_what_it_runs() {
        let run =
            |mark: &str, expected: &[_]| check("test_a.py", &format!("{mark}\ndef test_a():\n    run()\n"), expected);
        run("@check_figures_equal()", &[]);
        run("@paid", &[]);
        run("@pytest.mark.mpl_image_compare", &[]);
        run("@pytest.mark.timeout(3)", &[]);
        run("@pytest.mark.slow", &[(2, Low)]);
        run("@mock.patch('cart.total')", &[(2, Low)]);
        run("# @paid", &[(2, Low)]);
    }

    #[test]
    fn a_fixture_may_check_when_the_test_is_done() {
        let run =
            |name: &str, expected: &[_]| check("test_a.py", &format!("def test_a({name}):\n    run()\n"), expected);
        run("cart, no_warnings", &[]);
        run("check_cart", &[]);
        run("cart, notes", &[(1, Low)]);
    }

    #[test]
    fn a_time_is_a_limit_that_fails_a_test() {
        let run = |mark: &str, expected: &[_]| {
            check("ATest.java", &format!("class ATest {{\n{mark}\nvoid a() {{ cart.total(); }}\n}}\n"), expected);
        };
        run("@Test(timeout = 100)", &[]);
        run("@Test\n@Timeout(3)", &[]);
        run("@Test\n@Tag(\"slow\")", &[(4, Low)]);
    }

    #[test]
    fn files_about_types_are_checked_by_a_compiler() {
        let of = |other: &str| format!("it('a', () => {{ cart.total() }})\nit('b', () => {{ {other} }})\n");
        check("a.test.ts", &of("expectTypeOf<A>().toEqualTypeOf<B>()"), &[]);
        check("a.test.ts", &of("expect(cart).toEqual(1)"), &[(1, Low)]);
        check("a.test.js", &of("expectTypeOf(cart)"), &[(1, Low)]);
    }
}
