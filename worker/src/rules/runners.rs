//! Files with tests that no runner of the project runs as its tests: what a library of tests is tried on.

use super::File;
use super::calls::last_name;
use crate::paths;

/// Extensions of languages whose tests are calls of what a file takes from elsewhere.
const SCRIPTS: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"];

/// Names of what declares tests there.
const BLOCKS: &[&str] = &["context", "describe", "it", "specify", "suite", "test"];

/// How many names a file declares tests by at most; more than two are rare.
const DECLARING_MAX: usize = 8;

/// How far in front of a call of `require` the name that it is given may stand.
const NAMES_BYTES_MAX: usize = 200;

/// What a package hands out as a whole, as a path from its root without the extension.
const ENTRIES: &[&str] = &["", "dist", "dist/index", "index", "lib", "lib/index", "src", "src/index"];

/// Whether tests of the file are none of the project: they are read by other tests, show how tests are written, are declared
/// by a runner that is tested here, or are in a file of Python that runners do not look into.
pub(crate) fn is_tried_on(file: &File<'_>) -> bool {
    is_of_others(file) || paths::is_example(file.source.path) || !is_collected(file) || tests_a_runner(file)
}

/// Whether tests of the file are none of the project, as they are read by other tests or copied from another project.
pub(crate) fn is_of_others(file: &File<'_>) -> bool {
    file.is_test_input() || file.is_foreign()
}

/// Whether runners of Python take tests from a file of this name; other languages have no such rule.
fn is_collected(file: &File<'_>) -> bool {
    let name = paths::file_name(file.source.path).to_ascii_lowercase();
    !name.ends_with(".py") || name.contains("test") || file.source.text.contains("TestCase")
}

/// Whether what declares the tests of a script is taken from the project's own root, or made in the script.
fn tests_a_runner(file: &File<'_>) -> bool {
    if !paths::extension(file.source.path).is_some_and(|extension| SCRIPTS.contains(&extension)) {
        return false;
    }
    let mut declaring: Vec<&str> = Vec::new();
    for call in &file.outline.calls {
        let callee = file.text(&call.callee);
        let Some(first) = callee.split('.').next().filter(|first| !declaring.contains(first)) else { continue };
        if declaring.len() < DECLARING_MAX && callee.split('.').any(|name| BLOCKS.contains(&name)) {
            declaring.push(first);
        }
    }
    declaring.iter().any(|name| is_from_root(file, name) || is_made_here(file, name))
}

/// Whether the script takes `name` from what the package around it hands out: `const test = require("..")`.
pub(crate) fn is_from_root(file: &File<'_>, name: &str) -> bool {
    let text = &file.source.text;
    file.outline.imports.iter().filter(|import| is_root(file.text(&import.module))).any(|import| {
        let from = text.floor_char_boundary(import.span.start.saturating_sub(NAMES_BYTES_MAX));
        let before = &text[from..import.span.start];
        let start = ["const ", "let ", "var "].iter().filter_map(|word| before.rfind(word)).max();
        let before = start.map_or("", |at| &before[at..]);
        let mut words = [before, file.text(&import.span)].into_iter().flat_map(|part| part.split(|c| !is_part(c)));
        words.any(|word| word == name)
    })
}

/// Whether `module` is the root of the package, or what stands for it, seen from below.
fn is_root(module: &str) -> bool {
    let rest = module.trim_start_matches("./").trim_start_matches("../");
    let rest = if rest == ".." { "" } else { rest };
    let stem = [".js", ".cjs", ".mjs", ".ts"].iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
    module.starts_with("..") && ENTRIES.contains(&stem.trim_end_matches('/'))
}

/// Whether the script makes what it calls `name`: `const test = tap.createHarness()`.
fn is_made_here(file: &File<'_>, name: &str) -> bool {
    file.outline.calls.iter().any(|call| {
        let made = last_name(file.text(&call.callee));
        let before = || file.source.text[..call.callee.start].trim_end().strip_suffix('=').map(str::trim_end);
        (made.starts_with("create") || made.contains("arness"))
            && before().is_some_and(|before| before.rsplit(|c| !is_part(c)).next() == Some(name))
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass;
    use crate::rules::testing;

    #[track_caller]
    fn check(path: &str, text: &str, expected: bool) {
        let source = testing::file(path, text);
        assert_eq!(is_tried_on(&pass::read(&source, None).unwrap()), expected, "{path}: {text}");
    }

    #[test]
    fn what_a_runner_is_tried_on_is_no_test_of_the_project() {
        for root in ["..", "../", "../../", "../..", "../src", "../../lib/index.js"] {
            check("test/a.js", &format!("var test = require('{root}');\ntest('a', function () {{}});\n"), true);
        }
        check("test/a.js", "import { it as only, it } from '../src/index.ts';\nit('a', () => {});\n", true);
        check("test/a.js", "const own = require('../');\nown.test.only('a', () => {});\n", true);
        check("test/a.js", "const run = require('../');\nconst test = require('tap');\ntest('a', () => {});\n", false);
        for other in ["./fixtures", "../fixtures", "tap", "../lib/server", "./"] {
            check("test/a.js", &format!("const {{ test }} = require('{other}');\ntest('a', () => {{}});\n"), false);
        }
    }

    #[test]
    fn what_a_runner_made_in_a_test_runs_is_no_test_of_the_project() {
        let of = |made: &str| format!("var test = {made};\ntest('a', function () {{}});\n");
        check("test/a.js", &of("tap.createHarness({ exit: false })"), true);
        check("test/a.js", &of("base.extend({})"), false);
        check("test/a.js", "var app = createServer();\ntest('a', function () {});\n", false);
    }

    #[test]
    fn copies_of_tests_of_others_are_no_tests_of_the_project() {
        let of = |by: &str, module: &str| {
            format!(
                "// Copyright 2011 {by}. All rights reserved.\n\npackage a\n\nimport \"{module}\"\n\nfunc TestA(t *testing.T) {{}}\n"
            )
        };
        let (authors, elsewhere) = ("The Go Authors", "example.com/cart/internal/templates");
        check("a/a_test.go", &of(authors, elsewhere), true);
        check("a/a_test.go", &of("The Cart Authors", elsewhere), false);
        check("a/a_test.go", &of(authors, "golang.org/x/tools/internal"), false);
        check("a/a_test.go", &of(authors, "internal/testenv"), false);
        check("deps/table/table-1.20/a_test.cc", "TEST(A, b) {}\n", true);
        check("table/a_test.cc", "TEST(A, b) {}\n", false);
    }

    #[test]
    fn runners_of_python_go_by_the_name_of_a_file() {
        let text = "def test_a():\n    pass\n";
        check("tests/plugin/simple.py", text, true);
        check("tests/plugin/test_simple.py", text, false);
        check("app/tests.py", text, false);
        check("app/test/cart.py", "class A(TestCase):\n    def test_a(self):\n        pass\n", false);
        check("docs/test_a.py", text, true);
        check("tests/fixtures/test_a.py", text, true);
    }
}
