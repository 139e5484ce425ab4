//! What each language tells of the same things.

use std::collections::BTreeSet;

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
    assert_eq!(comments("a.hpp", "// a"), 1);
    assert_eq!(comments("Gemfile", "# a"), 1);
    assert_eq!(comments("run", "#!/usr/bin/env bats\n# a"), 2);
    assert_eq!(comments("README.md", "# a"), 0);
    assert_eq!(comments("run", "# a"), 0);
}

#[test]
fn every_language_is_in_the_catalogue_once_with_its_version() {
    let versions = versions();
    let names: BTreeSet<&str> = versions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), LANGUAGES.len(), "{names:?}");
    for (meta, language) in versions.iter().zip(LANGUAGES) {
        assert_eq!((meta.name.as_str(), meta.version), (language.extensions[0], language.version));
    }
    assert!(versions.iter().any(|one| one.version > 1), "one that was raised is shown so");
}

#[test]
fn every_parsed_language_gives_comments_strings_functions_and_tests() {
    let cases = [
        ("a.rs", "// c\nfn f() { g(\"s\"); }\n#[test]\nfn t() { assert!(f()); }\n", (1, 1, 2, 1)),
        ("test_a.py", "# c\ndef f():\n    g('s')\ndef test_t():\n    assert f()\n", (1, 1, 2, 1)),
        ("a_test.go", "package a\n// c\nfunc f() { g(\"s\") }\nfunc TestT(t *testing.T) { t.Fatal() }\n", (1, 1, 2, 1)),
        (
            "ATest.java",
            "// c\nclass ATest { int f() { return g(\"s\"); } @Test void t() { assertTrue(f()); } }\n",
            (1, 1, 2, 1),
        ),
        (
            "test_a.c",
            "#include <assert.h>\n// c\nint f() { return g(\"s\"); }\nvoid test_t(void) { assert(f()); }\n",
            (1, 1, 2, 1),
        ),
        ("a_test.cc", "// c\nint f() { return g(\"s\"); }\nTEST(A, t) { EXPECT_TRUE(f()); }\n", (1, 1, 2, 1)),
        ("a_test.cpp", "// c\nint f() { return g(2); }\nTEST_CASE(\"s\") { CHECK(f()); }\n", (1, 1, 2, 1)),
        (
            "ATests.cs",
            "// c\nclass ATests { int F() { return G(\"s\"); } [Fact] public void T() { Assert.True(F()); } }\n",
            (1, 1, 2, 1),
        ),
        (
            "a_test.rb",
            "# c\ndef f\n g('s')\nend\nclass ATest < Minitest::Test\n def test_t\n  assert f\n end\nend\n",
            (1, 1, 2, 1),
        ),
        (
            "ATest.php",
            "<?php\n// c\nfunction f() { g('s'); }\nclass A extends TestCase { function testT() { $this->assertTrue(f()); } }\n",
            (1, 1, 2, 1),
        ),
        ("ATest.kt", "// c\nfun f() = g(\"s\")\nclass ATest { @Test fun t() { assertTrue(f()) } }\n", (1, 1, 2, 1)),
        (
            "ATests.swift",
            "// c\nfunc f() { g(\"s\") }\nclass A: XCTestCase { func testT() { XCTAssert(f()) } }\n",
            (1, 1, 2, 1),
        ),
        ("a.bats", "# c\nf() {\n  g 's'\n}\n@test T {\n  [ -n x ]\n}\n", (1, 1, 2, 1)),
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
fn endless_files_are_not_parsed() {
    let gap = |text: String| read("a.py", &text).1.gap;
    assert_eq!(gap(format!("a = {}1{}\n", "[".repeat(600), "]".repeat(600))), None);
    assert_eq!(gap("/*".repeat(300)), Some(SkipReason::ParseBudget));
}

#[test]
fn a_header_is_parsed_in_the_language_that_it_is_in() {
    let names = |text: &str| {
        let (text, outline) = read("a.h", text);
        assert_eq!(outline.first_error, None, "{text}");
        outline.functions.iter().map(|one| text[one.name.clone()].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("static int f(int class) { return class; }\n"), ["f"]);
    assert_eq!(names("namespace a {\nclass B { int f() { return 1; } };\n}\n"), ["f"]);
    assert_eq!(read("a.h", "#import <A/A.h>\n@interface A : B\n@end\n").1.gap, Some(SkipReason::NoLanguage));
}

#[test]
fn blocks_behind_macros_are_tests_and_no_errors() {
    let text = "TEST_CASE(\"a\") {\n int b = f();\n SECTION(\"c\") { REQUIRE(b); }\n}\nint g() { return 1; }\n";
    let (text, outline) = read("a_test.cpp", text);
    let tests: Vec<_> = outline.tests().map(|(one, test)| (&text[one.name.clone()], test.statements)).collect();
    assert_eq!(tests, [("\"a\"", 3)]);
    assert_eq!(outline.first_error, None);
    assert!(outline.is_test_code(text.find("int b").unwrap()) && !outline.is_test_code(text.find("int g").unwrap()));
    assert!(read("a.cpp", "int f() { g(1) }\n").1.first_error.is_some());
}

#[test]
fn what_imports_the_tests_of_go_is_for_tests() {
    let is_for_tests = |import: &str| {
        let text = format!("package a\n\nimport (\n\t\"fmt\"\n\t{import}\n)\n\nfunc F() {{}}\n");
        let (text, outline) = read("a.go", &text);
        outline.is_test_code(text.find("F()").unwrap())
    };
    assert!(is_for_tests("\"testing\""));
    assert!(!is_for_tests("\"testing/fstest\""));
}

#[test]
fn functions_are_named_by_their_innermost_declarator() {
    let (text, outline) =
        read("a.cc", "int *A::f(int a) { }\nint (*g(int a))(int) { }\nB& B::operator=(B b) { }\nA::~A() {}\n");
    let names: Vec<_> = outline.functions.iter().map(|one| &text[one.name.clone()]).collect();
    assert_eq!(names, ["f", "g", "operator=", "~A"]);
}
