//! Tests that leave the asserting to what they call, by a name that says so or by what they hand to it.

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

/// Whether what `function`, the one at `index`, calls fails it, though it is no assertion by name.
pub(super) fn asserts_elsewhere(file: &File<'_>, function: &Function, index: usize) -> bool {
    let names_one = |name: &str| PYTESTER.contains(&name) || name.starts_with("validate");
    if function.calls.iter().any(|name| names_one(file.text(name))) || calls_a_parameter(file, function) {
        return true;
    }
    let own = file.outline.calls.iter().filter(|call| call.function == Some(index));
    let mut outputs = own.filter(|call| OUTPUTS.contains(&last_name(file.text(&call.callee))));
    // Where it goes (`Stdio::piped()`) is no text.
    outputs.any(|call| file.text(&call.arguments).contains('"'))
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
