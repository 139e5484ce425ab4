//! What each language tells of the same things.

use schemas::bundle::SourceFile;

use super::*;

fn read(path: &str, text: &str) -> (String, Outline) {
    let file = SourceFile { path: path.into(), blob: "0".repeat(40).parse().unwrap(), bytes: text.as_bytes().to_vec() };
    let source = Source::read(&file).unwrap();
    (source.text.to_string(), outline(&source))
}

#[test]
fn a_file_is_known_by_name_extension_or_first_line() {
    let comments = |path: &str, text: &str| read(path, text).1.comments.len();
    assert_eq!(comments("Dockerfile", "# a"), 1);
    assert_eq!(comments("a.YAML", "# a"), 1);
    assert_eq!(comments("run", "#!/usr/bin/env -S python3.12 -u\n# a"), 2);
    assert_eq!(comments("run", "#!/bin/sh\n# a"), 2);
    assert_eq!(comments("README.md", "# a"), 0);
    assert_eq!(comments("run", "# a"), 0);
}

#[test]
fn every_parsed_language_gives_comments_strings_functions_and_tests() {
    let cases = [
        ("a.rs", "// c\nfn f() { g(\"s\"); }\n#[test]\nfn t() { assert!(f()); }\n", (1, 1, 2, 1)),
        ("test_a.py", "# c\ndef f():\n    g('s')\ndef test_t():\n    assert f()\n", (1, 1, 2, 1)),
        ("a_test.go", "package a\n// c\nfunc f() { g(\"s\") }\nfunc TestT(t *testing.T) { t.Fatal() }\n", (1, 1, 2, 1)),
        ("a.test.js", "// c\nfunction f() { g(2) }\nit('s', () => { expect(f()) })\n", (1, 1, 2, 1)),
        ("a.test.ts", "// c\nconst f = (x: number) => g(x)\nit('s', () => { expect(f(1)) })\n", (1, 1, 2, 1)),
        ("a.test.tsx", "// c\nconst f = () => <b>x</b>\nit('s', () => { expect(f()) })\n", (1, 1, 2, 1)),
    ];
    for (path, text, expected) in cases {
        let (_, outline) = read(path, text);
        let found = (outline.comments.len(), outline.strings.len(), outline.functions.len(), outline.tests().count());
        assert_eq!(found, expected, "{path}");
        assert_eq!((outline.gap, outline.first_error), (None, None), "{path}");
        assert!(outline.tests().all(|(function, _)| function.assertions == 1), "{path}");
    }
}

#[test]
fn assertions_of_helpers_in_the_same_file_count_for_their_callers() {
    let text =
        "fn a() { b(); }\nfn b() { assert!(true); }\nfn c() {}\n#[test]\nfn t() { a(); }\n#[test]\nfn u() { c(); }\n";
    let (text, outline) = read("a.rs", text);
    let tests: Vec<_> = outline.tests().map(|(one, _)| (&text[one.name.clone()], one.assertions)).collect();
    assert_eq!(tests, [("t", 1), ("u", 0)]);
}

#[test]
fn syntax_that_is_not_understood_is_placed_and_the_rest_still_read() {
    let (text, outline) = read("a.rs", "fn a() {}\nfn b() { % }\n#[test]\nfn t() { assert!(true); }\n");
    let at = outline.first_error.unwrap();
    assert_eq!(text[..at].matches('\n').count(), 1, "error at {at}");
    assert_eq!(outline.tests().count(), 1);
}

#[test]
fn comments_inside_macros_are_comments() {
    let (text, outline) = read("a.rs", "fn a() { vec![\n// c\n1]; }\n");
    assert_eq!(outline.comments.iter().map(|span| text[span.clone()].trim()).collect::<Vec<_>>(), ["// c"]);
}

#[test]
fn only_endless_mixed_operators_are_not_parsed() {
    let gap = |text: String| read("a.py", &text).1.gap;
    assert_eq!(gap(format!("# {}\n", "-".repeat(2_000))), None);
    assert_eq!(gap(format!("a = {}1{}\n", "[".repeat(600), "]".repeat(600))), None);
    assert_eq!(gap(format!("a = [{}]\n", "[1],".repeat(600))), None);
    assert_eq!(gap("/*".repeat(300)), Some(SkipReason::ParseBudget));
    assert_eq!(gap("/ *\n".repeat(300)), Some(SkipReason::ParseBudget));
}
