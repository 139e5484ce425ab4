//! Functions whose control structures stand too deep in each other.

use schemas::severity::Severity;

use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Functions with control structures (`if`, `for`, `while`, `match`, `switch`, `try` and their kin) more than 4 (low) or
    /// 6 (medium) deep in each other. `else if` stands beside its `if`, not in it; all callbacks around a place count as one
    /// level together. Copies of libraries and what tests read are left alone.
    ///
    /// ## Why it matters
    /// Whoever reads the innermost line has to hold every condition around it in mind.
    ///
    /// ## Example
    /// ```text
    /// for row in rows { if row.ok { for cell in row { if cell.ok { while cell.next() { .. } } } } }
    /// ```
    ///
    /// ## How to fix
    /// Return or continue early instead of going in, and give inner loops a function of their own.
    "servant/deep-nesting", Servant, Medium, version: 4, thresholds: &[&DEPTH_MAX], Check::Code(check)
);

/// Half as deep again is worse.
const DEPTH_MAX: Threshold = Threshold {
    name: "depth_max",
    default: 4,
    min: 1,
    max: 100,
    doc: "deepest that control structures may stand in each other; half as deep again is medium",
};

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if file.is_foreign() || file.is_test_input() {
        return;
    }
    let limit = found.threshold(&DEPTH_MAX);
    for function in &file.outline.functions {
        let depth = u64::from(function.nesting);
        if depth <= limit {
            continue;
        }
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: if depth > limit + limit / 2 { Severity::Medium } else { Severity::Low },
            confidence_permille: 900,
            message: format!("control structures are {depth} deep, more than {limit}"),
            suggestion: "return or continue early instead of going in, and give inner loops a function of their own",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Low, Medium};

    fn braces(open: &str, depth: usize) -> String {
        format!("{}{}", open.repeat(depth), "}".repeat(depth))
    }

    #[test]
    fn rust() {
        let run = |body: String, expected: &[_]| check(&RULE, "a.rs", &format!("fn a() {{ {body} }}\n"), expected);
        run(braces("if b { ", 5), &[(1, Low)]);
        run(braces("if b { ", 6), &[(1, Low)]);
        run(braces("if b { ", 7), &[(1, Medium)]);
        check(&RULE, "testdata/a.rs", &format!("fn a() {{ {} }}\n", braces("if b { ", 7)), &[]);
        run("for b in c { while d { loop { match e { 1 => if f { }, _ => {} } } } }".to_owned(), &[(1, Low)]);
        run(braces("if b { ", 4), &[]);
        run(format!("if b {{}} {}", "else if c { d(); } ".repeat(9)), &[]);
        run(braces("{ ", 9), &[]);
        run(format!("{}{}", braces("if b { ", 4), braces("for b in c { ", 4)), &[]);
        run(format!("b(|| c(|| d(|| {{ {} }})));", braces("if b { ", 3)), &[]);
        run(format!("b(|| c(|| d(|| {{ {} }})));", braces("if b { ", 4)), &[(1, Low)]);
        run(format!("if b {{ if b {{ fn c() {{ {} }} }} }}", braces("if b { ", 4)), &[]);
    }

    #[test]
    fn python() {
        let nested = |lines: &[&str]| {
            let line = |(depth, line): (usize, &&str)| format!("{}{line}\n", "    ".repeat(depth));
            lines.iter().enumerate().map(line).collect::<String>()
        };
        let run = |lines: &[&str], expected: &[_]| check(&RULE, "a.py", &nested(lines), expected);
        run(&["def a():", "for b in c:", "if d:", "while e:", "if f:", "if g:", "h()"], &[(1, Low)]);
        run(&["def a():", "if b:", "if b:", "if b:", "if b:", "match b:", "case 1: c()"], &[(1, Low)]);
        run(&["def a():", "for b in c:", "if d:", "while e:", "if f:", "h()"], &[]);
        run(&["def a():", "with b:", "with b:", "with b:", "with b:", "with b:", "c()"], &[]);
        run(&["class A:", "def a():", "if b:", "if b:", "if b:", "def c():", "if b:", "if b:", "d()"], &[]);
        let chain = format!("def a():\n    if b: c()\n{}", "    elif b: c()\n".repeat(9));
        check(&RULE, "a.py", &chain, &[]);
    }

    #[test]
    fn go() {
        let run = |body: String, expected: &[_]| {
            check(&RULE, "a.go", &format!("package a\nfunc a() {{ {body} }}\n"), expected);
        };
        run(braces("if b { ", 5), &[(2, Low)]);
        run(format!("switch b {{ case 1: {} }}", braces("for b { ", 4)), &[(2, Low)]);
        run(braces("if b { ", 4), &[]);
        run(format!("if b {{}} {}", "else if c { d() } ".repeat(9)).replace("} }", "}}"), &[]);
        run(format!("b(func() {{ c(func() {{ {} }}) }})", braces("if b { ", 3)), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let run = |body: String, expected: &[_]| {
                check(&RULE, path, &format!("function a() {{ {body} }}\n"), expected);
            };
            run(braces("if (b) { ", 5), &[(1, Low)]);
            run(format!("try {{ {} }} catch (e) {{ throw e; }}", braces("for (;;) { ", 4)), &[(1, Low)]);
            run(braces("if (b) { ", 4), &[]);
            run(format!("if (b) {{}} {}", "else if (c) { d(); } ".repeat(9)), &[]);
            run(format!("b(() => c(() => d(() => {{ {} }})));", braces("if (b) { ", 3)), &[]);
            run(format!("b(() => c(() => d(() => {{ {} }})));", braces("if (b) { ", 4)), &[(1, Low)]);
        }
    }

    #[test]
    fn java_c_and_cpp() {
        for path in ["A.java", "a.c", "a.cc"] {
            let run = |body: String, expected: &[_]| {
                let text = format!("int a(int b) {{ {body} }}");
                let text = if path == "A.java" { format!("class A {{ {text} }}\n") } else { text };
                check(&RULE, path, &text, expected);
            };
            run(braces("if (b) { ", 5), &[(1, Low)]);
            run(format!("switch (b) {{ case 1: {} }}", braces("while (b) { ", 4)), &[(1, Low)]);
            run(braces("if (b) { ", 4), &[]);
            run(format!("if (b) {{}} {}", "else if (c) { d(); } ".repeat(9)), &[]);
            run(braces("{ ", 9), &[]);
        }
    }

    #[test]
    fn languages_read_by_outline() {
        // Path, head, an opening and a closing, more branches of one chain, and the end.
        let cases = [
            (
                "A.cs",
                "class A {\nvoid B() {\n",
                ("if (b) {\n", "}\n"),
                ("if (b) {}\n", "else if (b) { c(); }\n", ""),
                "}\n}\n",
            ),
            (
                "a.php",
                "<?php\nfunction b() {\n",
                ("while ($b) {\n", "}\n"),
                ("if ($b) {}\n", "else if ($b) { c(); }\n", ""),
                "}\n",
            ),
            ("a.rb", "\ndef b\n", ("while b\n", "end\n"), ("if b\n c\n", "elsif b\n c\n", "end\n"), "end\n"),
            (
                "A.kt",
                "\nfun b() {\n",
                ("try {\n", "} catch (e: E) { throw e }\n"),
                ("if (b) { c() }\n", "else if (b) { c() }\n", ""),
                "}\n",
            ),
            (
                "a.swift",
                "\nfunc b() {\n",
                ("for b in c {\n", "}\n"),
                ("if b { c() }\n", "else if b { c() }\n", ""),
                "}\n",
            ),
            (
                "a.sh",
                "\nb() {\n",
                ("while c; do\n d\n", "done\n"),
                ("if b; then c\n", "elif b; then c\n", "fi\n"),
                "}\n",
            ),
        ];
        for (path, head, (open, close), (first, more, last), end) in cases {
            let nested = |depth: usize| format!("{head}{}{}{end}", open.repeat(depth), close.repeat(depth));
            check(&RULE, path, &nested(5), &[(2, Low)]);
            check(&RULE, path, &nested(9), &[(2, Medium)]);
            check(&RULE, path, &nested(4), &[]);
            check(&RULE, path, &format!("{head}{first}{}{last}{end}", more.repeat(9)), &[]);
            check(&RULE, path, &format!("{head}{0}{0}{end}", format!("{}{}", open.repeat(3), close.repeat(3))), &[]);
        }
    }
}
