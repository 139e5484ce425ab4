//! Functions that a test calls and of which its file says nothing: helpers of other files, which may assert.

use crate::names;
use crate::outline::Call;
use crate::paths;
use crate::rules::File;
use crate::rules::calls::is_whole;

/// Extensions of languages in which helpers are plain functions, and can fail a test without being handed it.
const ASKED: &[&str] =
    &["c", "cc", "cjs", "cpp", "cts", "cxx", "h", "hpp", "js", "jsx", "mjs", "mts", "py", "rs", "ts", "tsx"];

/// Functions and macros of languages themselves, which fail no test by what they find.
const BUILT_IN: &[&str] = &[
    "Array",
    "GIVEN",
    "SECTION",
    "SUBCASE",
    "THEN",
    "WHEN",
    "callback",
    "cb",
    "done",
    "end",
    "BigInt",
    "Boolean",
    "Date",
    "Error",
    "Number",
    "Object",
    "Promise",
    "String",
    "Symbol",
    "await",
    "bool",
    "bytearray",
    "bytes",
    "clearTimeout",
    "delattr",
    "dict",
    "drop",
    "enumerate",
    "eprintln!",
    "float",
    "format!",
    "free",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "import",
    "int",
    "isinstance",
    "iter",
    "len",
    "list",
    "malloc",
    "map",
    "max",
    "memset",
    "min",
    "next",
    "object",
    "open",
    "parseInt",
    "print",
    "print!",
    "printf",
    "println!",
    "range",
    "reject",
    "repr",
    "require",
    "resolve",
    "reversed",
    "set",
    "setTimeout",
    "setattr",
    "sizeof",
    "sorted",
    "str",
    "structuredClone",
    "sum",
    "super",
    "tuple",
    "type",
    "vec!",
    "zip",
];

/// Words in names of modules that hold helpers of tests.
const HELPER_WORDS: &[&str] = &[
    "assertions",
    "checker",
    "common",
    "conftest",
    "fixture",
    "fixtures",
    "harness",
    "helper",
    "helpers",
    "mock",
    "mocks",
    "setup",
    "spec",
    "support",
    "test",
    "tester",
    "testhelper",
    "testhelpers",
    "testing",
    "tests",
    "testutil",
    "testutils",
    "tools",
    "util",
    "utils",
];

/// How far in front of a call of `require` the names that it gives may stand.
const NAMES_BYTES_MAX: usize = 400;

/// Whether one of the `calls` of a test is of something that may be a helper of another file.
pub(super) fn calls_a_stranger(file: &File<'_>, calls: &[&Call]) -> bool {
    paths::extension(file.source.path).is_some_and(|extension| ASKED.contains(&extension))
        && calls.iter().any(|call| is_stranger(file, call))
}

fn is_stranger(file: &File<'_>, call: &Call) -> bool {
    let callee = file.text(&call.callee);
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '!');
    let first = callee.split(|c| !is_part(c)).next().unwrap_or_default();
    if !is_whole(file, call) || first.is_empty() {
        return false;
    }
    if first.len() < callee.len() {
        // A method of a value, unless it is a module of helpers.
        return is_helper_module(first);
    }
    let is_type = first.starts_with(char::is_uppercase) && !first.chars().all(|c| c.is_uppercase() || c == '_');
    let is_here = || file.outline.functions.iter().any(|one| file.text(&one.name) == first);
    !BUILT_IN.contains(&first) && !is_type && !is_here() && !is_taken(file, first)
}

fn is_helper_module(name: &str) -> bool {
    let words = names::words(name);
    words.iter().any(|word| HELPER_WORDS.contains(&word.as_str())) && name != "test"
}

/// Whether the file takes `name` from a module that is no module of helpers: it is what is tested, or what it needs.
fn is_taken(file: &File<'_>, name: &str) -> bool {
    let text = &file.source.text;
    let holds =
        |part: &str| part.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$')).any(|word| word == name);
    file.outline.imports.iter().any(|import| {
        let own = file.text(&import.span);
        let from = text.floor_char_boundary(import.span.start.saturating_sub(NAMES_BYTES_MAX));
        let before = if own.starts_with("require") { &text[from..import.span.start] } else { "" };
        let start = ["const ", "let ", "var "].iter().filter_map(|word| before.rfind(word)).max();
        (holds(own) || start.is_some_and(|at| holds(&before[at..]))) && !is_of_helpers(file.text(&import.module))
    })
}

/// Whether `module` stands beside the test, or is named as helpers are. What is imported by name may be a part of it.
fn is_of_helpers(module: &str) -> bool {
    let is_beside = module.starts_with("./") || (module.starts_with('.') && !module.starts_with(".."));
    is_beside || names::words(module).iter().any(|word| HELPER_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn what_a_script_calls_is_known_by_where_it_is_from() {
        let of = |from: &str| {
            format!(
                "const {{ sell }} = require('{from}')\nit('a', () => {{ sell() }})\nit('b', () => {{ expect(1) }})\n"
            )
        };
        for from in ["../lib/cart", "cart", "../../src/run"] {
            check("a.test.js", &of(from), &[(2, Low)]);
        }
        for from in ["./run", "../test/run", "../helpers", "cart/testing", "../utils"] {
            check("a.test.js", &of(from), &[]);
        }
        check("a.test.js", "it('a', () => { sell() })\nit('b', () => { expect(1) })\n", &[]);
    }

    #[test]
    fn what_python_calls_is_known_by_where_it_is_from() {
        let of =
            |from: &str| format!("from {from} import sell\ndef test_a():\n    sell()\ndef test_b():\n    assert 1\n");
        check("test_a.py", &of("cart.total"), &[(2, Low)]);
        check("test_a.py", &of(".cart"), &[]);
        check("test_a.py", &of("cart.testing"), &[]);
        check("test_a.py", &of("cart.total").replace("    sell()", "    stop()"), &[]);
        check("test_a.py", &of("cart.total").replace("    sell()", "    helpers.stop()"), &[]);
    }

    #[test]
    fn what_rust_calls_is_known_by_its_path() {
        let of =
            |call: &str| format!("#[test]\nfn a() {{ {call} }}\n#[test]\nfn b() {{ assert!(x); }}\nfn run() {{}}\n");
        for call in ["run();", "cart::run();", "Cart::new().run();", "println!(\"{}\", run());"] {
            check("tests/a.rs", &of(call), &[(2, Low)]);
        }
        for call in ["stop();", "common::stop();", "try_all!(run());"] {
            check("tests/a.rs", &of(call), &[]);
        }
    }
}
