//! Files with tests that no runner of the project runs as its tests: what a library of tests is tried on.

use super::File;
use super::calls::last_name;
use crate::lines::indent;
use crate::outline::Function;
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

/// Directories in which runners of Python look for tests by the names of files.
const TEST_DIRECTORIES: &[&str] = &["test", "testing", "tests", "unittests"];

/// Signs that a file of Python runs its tests itself, or says which they are.
const RUNS_ITSELF: &[&str] = &["__main__", "def load_tests(", "unittest.main("];

/// How many lines above a test what stands around it is looked for.
const AROUND_LINES_MAX: usize = 2_000;

/// What begins a block of Python.
const BLOCK_HEADS: &[&str] =
    &["async", "class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"];

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
    !name.ends_with(".py")
        || (!is_unnamed_among_tests(file) && (name.contains("test") || file.source.text.contains("TestCase")))
}

/// Whether a file of Python stands among tests, is named as none of them, and does not run by itself: other tests run those
/// that are in it.
fn is_unnamed_among_tests(file: &File<'_>) -> bool {
    let path = file.source.path;
    let Some(stem) = paths::file_name(path).strip_suffix(".py") else { return false };
    let lower = stem.to_ascii_lowercase();
    let ends = ["_test", "_tests", "-test", "-tests", "unittest", "unittests"];
    let is_named = lower.starts_with("test")
        || ["Test", "Tests", "TestCase"].iter().any(|end| stem.ends_with(end))
        || ends.iter().any(|end| lower.ends_with(end))
        || lower.contains("_test_");
    !is_named
        && paths::has_directory(path, TEST_DIRECTORIES)
        && !RUNS_ITSELF.iter().any(|sign| file.source.text.contains(sign))
}

/// Whether classes of tests in a file of Python are what other tests run, as runners go by names and this one has none of
/// theirs. Where `pytest` marks its tests, the project may have told it other names.
pub(crate) fn is_run_by_others(file: &File<'_>) -> bool {
    let text = &file.source.text;
    is_unnamed_among_tests(file) && text.contains("TestCase") && !text.contains("pytest")
}

/// Whether the test `function` of Python is in a class that no runner finds: it is made in a function, or stands in a class
/// that is none of tests. Other tests run it, or hide it so.
pub(crate) fn is_hidden(file: &File<'_>, function: &Function) -> bool {
    if !file.source.path.ends_with(".py") || !file.text(&function.name).to_ascii_lowercase().starts_with("test") {
        return false;
    }
    let around = around(file, function.name.start);
    let is_class = |head: &&str| head.starts_with("class ");
    let Some(class) = around.iter().position(is_class) else { return false };
    let is_of_tests = |head: &str| head.contains("Test") || head.contains("Spec") || head.contains("Suite");
    around[class + 1..].iter().any(|head| !is_class(head)) || around.get(class + 1).is_some_and(|one| !is_of_tests(one))
}

/// The heads of the classes and functions of Python around what stands on the line of byte `at`, inner ones first.
fn around<'f>(file: &'f File<'_>, at: usize) -> Vec<&'f str> {
    let own = file.source.line_of(at);
    let text = |line: usize| file.text(&file.source.line_span(line));
    let mut depth = indent(text(own));
    let mut heads = Vec::new();
    for line in (own.saturating_sub(AROUND_LINES_MAX)..own).rev().map(text) {
        if depth == 0 {
            break;
        }
        let head = line.trim();
        let word = head.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if indent(line) >= depth || !BLOCK_HEADS.contains(&word) {
            continue;
        }
        depth = indent(line);
        if ["class ", "def ", "async def "].iter().any(|kind| head.starts_with(kind)) {
            heads.push(head);
        }
    }
    heads
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
        let case = "class A(TestCase):\n    def test_a(self):\n        pass\n";
        check("app/test/cart.py", case, true);
        check("app/test/cart.py", &format!("{case}unittest.main()\n"), false);
        for name in ["test_cart", "cart_test", "cart_tests", "tests", "testcart", "CartTest", "unittests"] {
            check(&format!("app/test/{name}.py"), case, false);
        }
        check("app/test/ordertests.py", case, true);
        check("app/cart.py", case, false);
        check("docs/test_a.py", text, true);
        check("tests/fixtures/test_a.py", text, true);
    }

    #[test]
    fn what_a_test_makes_or_hides_is_found_by_no_runner() {
        let is_found = |text: &str, expected: bool| {
            let source = testing::file("tests/test_a.py", text);
            let outline = pass::read(&source, None).unwrap();
            let (test, _) = outline.outline.tests().last().unwrap();
            assert_eq!(!is_hidden(&outline, test), expected, "{text}");
        };
        let of = |head: &str| format!("{head}class B(TestCase):\n        def test_a(self):\n            run()\n");
        is_found(&of("class Mask:\n    "), false);
        is_found(&of("class TestCart:\n    "), true);
        is_found(&of("def make():\n    pass\nif two:\n    "), true);
        is_found(&of("class Cart:\n    def make():\n        pass\nclass TestAll:\n    "), true);
        is_found(&of("def make():\n    a = \"\"\"\ntwo\n\"\"\"\n    "), false);
        is_found(
            "class TestCart:\n    def make(self):\n        class B(TestCase):\n            def test_a(self):\n                run()\n",
            false,
        );
    }
}
