//! Tests that leave the asserting to what they call, by a name that says so or by what they hand to it.

use std::collections::HashSet;

use crate::outline::Function;
use crate::paths;
use crate::rules::File;
use crate::rules::calls::last_name;

/// What `pytester`, which tests plugins of pytest, has in the place of assertions.
const PYTESTER: &[&str] =
    &["fnmatch_lines", "fnmatch_lines_random", "no_fnmatch_line", "no_re_match_line", "re_match_lines"];

/// What a builder of a run calls the output that it is told to expect.
const OUTPUTS: &[&str] = &["stderr", "stderr_regex", "stdout", "stdout_regex"];

/// What a test is handed beside assertions.
const NO_ASSERTIONS: &[&str] = &["after", "comment", "end", "teardown"];

/// Extensions of languages in which a parameter can be taken apart where it is declared.
const SCRIPTS: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"];

/// The functions, by index, that tell what runs a program which output is expected of it.
pub(super) fn expecting_output(file: &File<'_>) -> HashSet<usize> {
    let calls = file.outline.calls.iter().filter(|call| OUTPUTS.contains(&last_name(file.text(&call.callee))));
    // Where it goes (`Stdio::piped()`) is no text.
    calls.filter(|call| file.text(&call.arguments).contains('"')).filter_map(|call| call.function).collect()
}

/// Whether what `function` calls fails it, though it is no assertion by name.
pub(super) fn asserts_elsewhere(file: &File<'_>, function: &Function) -> bool {
    let is_one = |name: &str| PYTESTER.contains(&name) || name.starts_with("validate");
    function.calls.iter().any(|name| is_one(file.text(name))) || calls_a_parameter(file, function)
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
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Medium;

    #[test]
    fn assertions_may_be_handed_to_a_test() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.test.js", text, expected);
        run("test('a', async ({ same, end }) => {\n  same(run(), 1)\n  end()\n})\n", &[]);
        run("test('a', ({ equal: is }) => { run(x => is(x, 1)) })\n", &[]);
        run("test('a', async function ({ match }) { match(run(), /a/) })\n", &[]);
        run("test('a', ({ same, end }) => {\n  run()\n  end()\n})\n", &[(1, Medium)]);
        run("test('a', async ({ page }) => { await page.open(); run.page(1); homepage(2) })\n", &[(1, Medium)]);
    }
}
