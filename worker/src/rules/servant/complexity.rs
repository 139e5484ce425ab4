//! Functions with too many paths through them.

use schemas::severity::Severity;

use crate::names::words;
use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Functions with more than 10 independent paths (low), 20 (medium) or 40 (high): cyclomatic complexity, which is 1 and 1
    /// for each branch, loop, handler, guard and `and` or `or`. A `match`, `switch` or `select` counts once, however many
    /// cases it has. Functions that parse or decode, as their names say, and tests may have twice as many. Copies of
    /// libraries and what tests read are left alone.
    ///
    /// ## Why it matters
    /// Each path wants a test, and a reader who keeps in mind how one got there. Faults gather where nobody does either.
    ///
    /// ## Example
    /// ```text
    /// if (a && b || c) { for (..) { if (d) { .. } else if (e && f) { .. } } } else if (..) { .. }
    /// ```
    ///
    /// ## How to fix
    /// Give conditions names, return early, and move what a branch does into functions.
    "servant/complexity", Servant, High, version: 4, thresholds: &[&PATHS_MAX], Check::Code(check)
);

/// The limit that the measure was published with.
const PATHS_MAX: Threshold = Threshold {
    name: "paths_max",
    default: 10,
    min: 1,
    max: 1_000,
    doc: "most independent paths through a function; twice as many are medium, four times as many high",
};

/// From this many times the limit on it is worse.
const GRAVE_TIMES: u64 = 2;

/// From this many times the limit on nobody has tested all of it.
const GRAVEST_TIMES: u64 = 4;

/// What parsers and tests may have more: the former branch by trade, the latter to compare.
const LENIENT_TIMES: u64 = 2;

/// Words in the names of functions that branch by trade.
const PARSER_WORDS: &[&str] = &["decode", "lex", "lexer", "parse", "parser", "scan", "tokenize"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if file.is_foreign() || file.is_test_input() {
        return;
    }
    let plain = found.threshold(&PATHS_MAX);
    for function in &file.outline.functions {
        let is_parser = || words(file.text(&function.name)).iter().any(|word| PARSER_WORDS.contains(&word.as_str()));
        let paths = u64::from(function.complexity);
        if paths <= plain {
            continue;
        }
        let is_lenient = file.is_test_code(function.span.start) || is_parser();
        let limit = if is_lenient { plain * LENIENT_TIMES } else { plain };
        if paths <= limit {
            continue;
        }
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: match paths {
                _ if paths > limit * GRAVEST_TIMES => Severity::High,
                _ if paths > limit * GRAVE_TIMES => Severity::Medium,
                _ => Severity::Low,
            },
            confidence_permille: 900,
            message: format!("function has {paths} independent paths, more than {limit}"),
            suggestion: "give conditions names, return early, and move what a branch does into functions",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low, Medium};

    #[test]
    fn rust() {
        let run = |text: String, expected: &[_]| check(&RULE, "a.rs", &text, expected);
        let of = |times: usize| format!("fn a() {{ {} }}\n", "if b { c(); }\n".repeat(times));
        run(of(9), &[]);
        run(of(10), &[(1, Low)]);
        run(of(20), &[(1, Medium)]);
        run(of(40), &[(1, High)]);
        check(&RULE, "third_party/a.rs", &of(40), &[]);
        check(&RULE, "tests/bench-src/a.rs", &of(40), &[]);
        run(format!("fn a() -> bool {{ {} true }}\n", "b && c || ".repeat(5)), &[(1, Low)]);
        run(of(20).replace("fn a", "fn parse_row"), &[(1, Low)]);
        run(of(19).replace("fn a", "fn parse_row"), &[]);
        run(format!("#[test]\n{}", of(19)), &[]);
        run(format!("fn a() {{ match b {{ {} }} }}\n", "1 => 2,\n".repeat(30)), &[]);
        run(format!("fn a() {{ {} }}\n", "// if b && c\nlet d = \"if b && c\";\n".repeat(30)), &[]);
        run(format!("fn a() {{ {} }}\n", of(6).repeat(3)), &[]);
    }

    #[test]
    fn python() {
        let run = |text: String, expected: &[_]| check(&RULE, "a.py", &text, expected);
        let of = |times: usize| format!("def a():\n{}", "    if b: c()\n".repeat(times));
        run(of(10), &[(1, Low)]);
        run(of(20), &[(1, Medium)]);
        run(format!("def a():\n    return {}\n", "b and c or ".repeat(5) + "d"), &[(1, Low)]);
        run(of(9), &[]);
        run(of(19).replace("def a", "def parse"), &[]);
        run(format!("def a():\n    match b:\n{}", "        case 1: c()\n".repeat(30)), &[]);
        run(format!("class A:\n{}", "    def a(self):\n        if b: c()\n".repeat(30)), &[]);
        check(&RULE, "tests/test_a.py", &of(19), &[]);
    }

    #[test]
    fn go() {
        let run = |text: String, expected: &[_]| check(&RULE, "a.go", &format!("package a\n{text}"), expected);
        let of = |times: usize| format!("func a() {{\n{}}}\n", "if b { c() }\n".repeat(times));
        run(of(10), &[(2, Low)]);
        run(of(20), &[(2, Medium)]);
        run(of(9), &[]);
        run(of(19).replace("func a", "func scanRow"), &[]);
        run(format!("func a() {{\nswitch b {{\n{}}}\n}}\n", "case 1: c()\n".repeat(30)), &[]);
        run(of(6).repeat(3), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let run = |text: String, expected: &[_]| check(&RULE, path, &text, expected);
            let of = |times: usize| format!("function a() {{\n{}}}\n", "if (b) { c(); }\n".repeat(times));
            run(of(10), &[(1, Low)]);
            run(of(20), &[(1, Medium)]);
            run(format!("const a = () => {}d;\n", "b ? c : ".repeat(10)), &[(1, Low)]);
            run(of(9), &[]);
            run(of(19).replace("function a", "function tokenize"), &[]);
            run(format!("function a() {{\nswitch (b) {{\n{}}}\n}}\n", "case 1: c();\n".repeat(30)), &[]);
            run(format!("function a() {{\n{}}}\n", of(6).repeat(3)), &[]);
        }
    }

    #[test]
    fn java_c_and_cpp() {
        for path in ["A.java", "a.c", "a.cc"] {
            let run = |text: String, expected: &[_]| {
                let text = if path == "A.java" { format!("class A {{ {text} }}\n") } else { text };
                check(&RULE, path, &text, expected);
            };
            let of = |times: usize| format!("int a(int b) {{ {} }} ", "if (b) { c(); }\n".repeat(times));
            run(of(10), &[(1, Low)]);
            run(of(20), &[(1, Medium)]);
            run(format!("int a(int b) {{ return {} b; }}", "b && c || ".repeat(5)), &[(1, Low)]);
            run(of(9), &[]);
            run(of(19).replace("int a", "int scanRow"), &[]);
            run(format!("int a(int b) {{ switch (b) {{ {} }} }}", "case 1: c(); break;\n".repeat(30)), &[]);
            run(of(6).repeat(3), &[]);
        }
    }

    #[test]
    fn languages_read_by_outline() {
        // Path, head with a name, a branch, a choice, and the end.
        let cases = [
            (
                "A.cs",
                "class A {\nint @() {\n",
                "if (b) { c(); }\n",
                ("switch (b) {\n", "case 1: c(); break;\n", "}\n"),
                "}\n}\n",
            ),
            (
                "a.php",
                "<?php\nfunction @() {\n",
                "if ($b) { c(); }\n",
                ("switch ($b) {\n", "case 1: c();\n", "}\n"),
                "}\n",
            ),
            ("a.rb", "\ndef @\n", "c if b\n", ("case b\n", "when 1 then c\n", "end\n"), "end\n"),
            ("A.kt", "\nfun @() {\n", "if (b) { c() }\n", ("when (b) {\n", "1 -> c()\n", "}\n"), "}\n"),
            ("a.swift", "\nfunc @() {\n", "if b { c() }\n", ("switch b {\n", "case 1: c()\n", "}\n"), "}\n"),
            ("a.sh", "\n@() {\n", "if b; then c; fi\n", ("case $b in\n", "1) c ;;\n", "esac\n"), "}\n"),
        ];
        for (path, head, branch, choice, end) in cases {
            let of = |name: &str, body: &str| format!("{}{body}{end}", head.replace('@', name));
            check(&RULE, path, &of("a", &branch.repeat(10)), &[(2, Low)]);
            check(&RULE, path, &of("a", &branch.repeat(20)), &[(2, Medium)]);
            check(&RULE, path, &of("a", &branch.repeat(9)), &[]);
            check(&RULE, path, &of("scan_row", &branch.repeat(19)), &[]);
            check(&RULE, path, &of("a", &format!("{}{}{}", choice.0, choice.1.repeat(30), choice.2)), &[]);
        }
        let joined = |text: &str| text.replace('@', &"b && c || ".repeat(5));
        for (path, text) in [
            ("A.cs", "class A {\nbool A() { return @b; }\n}\n"),
            ("A.kt", "\nfun a() = @b\n"),
            ("a.swift", "\nfunc a() -> Bool { return @b }\n"),
            ("a.rb", "\ndef a\n  @b\nend\n"),
            ("a.php", "<?php\nfunction a() { return @b; }\n"),
        ] {
            check(&RULE, path, &joined(text), &[(2, Low)]);
        }
    }
}
