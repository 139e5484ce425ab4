//! Decorators of Python, read as text, and where those of tests count.

use ruff_python_ast::Decorator;

use super::super::draft::{Draft, Place};
use crate::paths;

/// Whether runners take functions named `test…` in the file for tests, whatever is around them.
pub(super) fn is_named_for_tests(path: &str) -> bool {
    let stem = paths::file_name(path).trim_end_matches(".py");
    stem.starts_with("test_") || stem.ends_with("_test") || stem.ends_with("_tests") || matches!(stem, "test" | "tests")
}

/// Whether test runners look into the file.
pub(super) fn is_test_file(path: &str) -> bool {
    let name = paths::file_name(path);
    name.starts_with("test_")
        || name.ends_with("_test.py")
        || (paths::has_directory(path, &["test", "tests"]) && name != "conftest.py")
}

/// The last segment of the name of `mark`.
pub(super) fn name<'t>(draft: &Draft<'t>, mark: &Decorator) -> &'t str {
    parts(draft.text_of(mark.range)).0
}

/// Notes those of `marks` that switch tests off. Outside test files the same names decorate other things.
pub(super) fn skip_by(draft: &mut Draft<'_>, marks: &[Decorator]) {
    if marks.is_empty() || !is_test_file(draft.path) {
        return;
    }
    for mark in marks {
        if let Some(skip) = skip_mark(draft.text_of(mark.range)) {
            draft.skip(mark.range.place(), skip.has_reason, skip.is_conditional);
        }
    }
}

struct SkipMark {
    has_reason: bool,
    is_conditional: bool,
}

/// The last segment of a decorator's name, and its arguments.
fn parts(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches('@').trim();
    let (path, arguments) = text.split_once('(').unwrap_or((text, ""));
    (path.trim().rsplit('.').next().unwrap_or(path), arguments)
}

fn skip_mark(text: &str) -> Option<SkipMark> {
    let (name, arguments) = parts(text);
    let is_conditional = match name {
        "skip" | "SKIP" => false,
        "skipif" | "skipIf" | "skipUnless" => true,
        "expectedFailure" => false,
        // A first argument without a name is the condition.
        "xfail" => !matches!(
            arguments.trim_start().split(['=', ')', '"', '\'']).next(),
            Some("" | "reason" | "strict" | "raises" | "run")
        ),
        _ => return None,
    };
    Some(SkipMark {
        has_reason: has_text(arguments)
            || arguments.contains("reason=")
            || (name == "skip" && !arguments.trim_start_matches(')').is_empty()),
        is_conditional,
    })
}

/// Whether one of the arguments is a string that says something.
fn has_text(arguments: &str) -> bool {
    arguments.split_once(['"', '\'']).is_some_and(|(_, text)| !text.starts_with(['"', '\'']))
}
