//! Checks that look at nothing, and those that may.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::Medium;

#[test]
fn rust() {
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.rs", text, expected);
    run("fn verify(a: &str) -> bool { true }\n", &[(1, Medium)]);
    run("fn validate_row(a: &Row) -> Result<(), Error> {\n    return Ok(());\n}\n", &[(1, Medium)]);
    run("fn is_valid(a: &str) -> bool { true }\n", &[(1, Medium)]);
    run("fn is_valid(a: &str) -> bool { false }\n", &[]);
    run("impl A for B { fn check(&self, a: u8) -> bool { true } }\n", &[]);
    run("trait A { fn check(&self, a: u8) -> bool { true } }\n", &[]);
    run("#[cfg(not(feature = \"tls\"))]\nfn check(a: u8) -> bool { true }\n", &[]);
    run("#[cfg(not(windows))]\nmod imp {\n    fn check(a: u8) -> bool { true }\n}\n", &[]);
    run("fn verify(a: &str) -> bool { b(a); true }\n", &[]);
    run("fn is_file(&self) -> bool { true }\n", &[]);
    run("fn checkout(a: u8) -> bool { true }\nfn enabled(a: u8) -> bool { true }\n", &[]);
    run("fn verify(a: &str) -> bool {\n    // The kernel did.\n    true\n}\n", &[]);
    check(&RULE, "tests/a.rs", "fn verify(a: &str) -> bool { true }\n", &[]);
}

#[test]
fn python() {
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.py", text, expected);
    run("def verify_signature(a, b):\n    '''Verifies.'''\n    return True\n", &[(1, Medium)]);
    run("class A:\n    def validate(self, a):\n        return None\n", &[]);
    run("def check_order(a, b):\n    '''Hook for plugins.'''\n    return True\n", &[]);
    run("class A(B):\n    def validate(self, a):\n        return True\n", &[]);
    run("class A(Protocol):\n    def validate(self, a):\n        return True\n", &[]);
    run("def check_order(a, b):\n    return None\n", &[]);
    run("def check_order(a, b):\n    return True\n", &[(1, Medium)]);
    run("@check\ndef validate(a):\n    return True\n", &[]);
    run("def is_ready(a):\n    return None\n", &[]);
    run("def verify(a):\n    return a == 1\n", &[]);
    run("def load(a):\n    return True\n", &[]);
    check(&RULE, "src/auth_null.py", "def check(a):\n    return True\n", &[]);
    check(&RULE, "tests/test_a.py", "def check(a):\n    return True\n", &[]);
}

#[test]
fn go() {
    let run = |text: &str, expected: &[_]| check(&RULE, "a.go", &format!("package a\n{text}"), expected);
    run("func VerifyToken(a string) bool { return true }\n", &[(2, Medium)]);
    run("func (s *S) Validate(a int) error { return nil }\n", &[(2, Medium)]);
    run("func (s *S) Validate() error { return nil }\n", &[]);
    run("func (s *S) Validate(_ int) error { return nil }\n", &[]);
    run("func (s *nullStore) Validate(a int) error { return nil }\n", &[]);
    run("// IsAllowed is always the case here.\nfunc IsAllowed(a int) bool { return true }\n", &[]);
    run("func IsAbs(a string) bool { return true }\n", &[]);
    run("func IsAllowed(a string) bool { return true }\n", &[(2, Medium)]);
    run("func (S) Validate() error { return nil }\n", &[]);
    run("func (s *S) Close() error { return nil }\n", &[]);
    run("func Validate(a int) error { return b(a) }\n", &[]);
    run("func isValid(a int) bool { return false }\n", &[]);
    let body = "package a\n\nfunc check(a int) error { return nil }\n";
    check(&RULE, "a.go", &format!("//go:build windows\n\n{body}"), &[]);
    check(&RULE, "a_windows.go", body, &[]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.js", "a.ts", "a.tsx"] {
        let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
        run("function validateForm(a) { return true; }\n", &[(1, Medium)]);
        run("const isAllowed = (a) => true;\n", &[(1, Medium)]);
        run("class A { authorize(a) { return true; } }\n", &[]);
        run("function authorize(user) { return true; }\n", &[(1, Medium)]);
        run("/** Subclasses may look closer. */\nfunction authorize(a) { return true; }\n", &[]);
        run("/** Looks at the user. */\nfunction authorize(a) { return true; }\n", &[(2, Medium)]);
        run("class A extends B { authorize(a) { return true; } }\n", &[]);
        run("run({ validate: () => true, check(a) { return true; } });\n", &[]);
        run("function isAllowed(a) { return false; }\n", &[]);
        run("const isAlwaysEqual = (a, b) => true;\nconst isUnknown = (a) => true;\n", &[]);
        run("function island(a) { return true; }\n", &[]);
        run("function validate(a) { return a.length > 0; }\n", &[]);
    }
    check(&RULE, "a.test.js", "function validate(a) { return true; }\n", &[]);
}

#[test]
fn java() {
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.java", &format!("class A {{\n{text}\n}}\n"), expected);
    run("boolean verify(String a) { return true; }", &[(2, Medium)]);
    run("static boolean isValid(String a) { return true; }", &[(2, Medium)]);
    run("@Override public boolean verify(String a) { return true; }", &[]);
    run("boolean isValid(String a) { return false; }", &[]);
    run("boolean isFile() { return true; }", &[]);
    run("boolean verify(String a) { return a.isEmpty(); }", &[]);
    run("interface B { default boolean verify(String a) { return b(a); } boolean check(int a); }", &[]);
    check(&RULE, "src/test/java/A.java", "class A { boolean verify(int a) { return true; } }\n", &[]);
}

#[test]
fn c_and_cpp() {
    for path in ["src/a.c", "src/a.cc"] {
        let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
        run("int verify_row(struct row *row) { return 0; }\n", &[(1, Medium)]);
        run("static bool is_valid(int a) { return true; }\n", &[(1, Medium)]);
        run("bool is_valid(int a) { return false; }\n", &[]);
        run("int checkout(int a) { return 0; }\n", &[]);
        run("int verify(int a) { return a; }\n", &[]);
        run("int verify(int a) { /* the kernel did */ return 0; }\n", &[]);
    }
    let overloads = "bool check(int a) { return true; }\nbool check(char a) { return a > 1; }\n";
    check(&RULE, "src/a.cc", overloads, &[]);
    check(&RULE, "src/a.cc", "struct A { bool verify(int a) override { return true; } };\n", &[]);
}

/// Checks functions that are found, and others, each below `open`.
#[track_caller]
fn all(path: &str, (open, close): (&str, &str), found: &[&str], fine: &[&str]) {
    let expected: [&[_]; 2] = [&[(2, Medium)], &[]];
    for (texts, expected) in [found, fine].into_iter().zip(expected) {
        for text in texts {
            check(&RULE, path, &format!("{open}\n{text}\n{close}\n"), expected);
        }
    }
}

#[test]
fn c_sharp() {
    let found = ["bool Verify(string a) { return true; }", "static bool IsValid(string a) => true;"];
    let fine = [
        "bool Verify(string a) => a == \"\";",
        "public override bool Verify(string a) => true;",
        "virtual bool Verify(string a) => true;",
        "bool Verify(string a) { /* the kernel did */ return true; }",
        "class B : IVerifier { public bool Verify(string a) => true; }",
        "bool IsFile() => true;",
    ];
    all("src/A.cs", ("class A {", "}"), &found, &fine);
}

#[test]
fn php() {
    let found =
        ["function verify_nonce($a) { return true; }", "class A { private function isValid($a) { return TRUE; } }"];
    let fine = [
        "function verify_nonce($a) { return $a; }",
        "function is_valid($a) { return false; }",
        "class A { function isValid($a) { return true; } }",
        "class A extends B { function verify($a) { return true; } }",
        "class A implements B { function verify($a) { return true; } }",
        "if (!function_exists('verify')) { function verify($a) { return true; } }",
        "function checkout($a) { return true; }",
    ];
    all("src/A.php", ("<?php", ""), &found, &fine);
}

#[test]
fn ruby() {
    let found = ["def verify(a) = true", "def is_valid(a); return true; end"];
    let fine = [
        "def verify(a); a; end",
        "class A; def is_valid(a); return true; end; end",
        "class A < B; def verify(a); true; end; end",
        "module A; def verify(a); true; end; end",
        "class A\n  include B\n  def verify(a); true; end\nend",
        "def verify(a); nil; end",
        "def checkout(a); true; end",
    ];
    all("lib/a.rb", ("", ""), &found, &fine);
}

#[test]
fn kotlin() {
    let found =
        ["fun verify(a: String): Boolean = true", "class A { fun isValid(a: String): Boolean { return true } }"];
    let fine = [
        "fun verify(a: String): Boolean = a.isEmpty()",
        "class A : B { override fun verify(a: String) = true }",
        "open class A { open fun verify(a: String) = true }",
        "interface A { fun verify(a: String) = true }",
        "fun isValid(a: String) = false",
        "fun checkout(a: String) = true",
    ];
    all("src/A.kt", ("", ""), &found, &fine);
}

#[test]
fn swift() {
    let found =
        ["func verify(_ a: String) -> Bool { true }", "struct A { func isValid(_ a: Int) -> Bool { return true } }"];
    let fine = [
        "func verify(_ a: String) -> Bool { a.isEmpty }",
        "class A: B { func verify(_ a: String) -> Bool { true } }",
        "extension A { func verify(_ a: String) -> Bool { true } }",
        "open class A { open func verify(_ a: String) -> Bool { true } }",
        "func isValid(_ a: String) -> Bool { false }",
        "func checkout(_ a: String) -> Bool { true }",
    ];
    all("Sources/A.swift", ("", ""), &found, &fine);
}

#[test]
fn bash() {
    let found = ["verify_sum() { return 0; }", "check_disk() {\n  true\n}"];
    let fine = [
        "verify_sum() { return 1; }",
        "verify_sum() { a; return 0; }",
        "if a; then\nverify_sum() { true; }\nfi",
        "check_disk() {\n  # the kernel did\n  true\n}",
        "checkout() { true; }",
    ];
    all("a.sh", ("", ""), &found, &fine);
}
