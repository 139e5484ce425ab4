//! Functions that are too long.

use std::collections::HashMap;

use schemas::severity::Severity;

use crate::outline::{Function, Span};
use crate::rules::calls::arguments;
use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Functions with more than 70 lines of code (low) or 140 (medium). Blank lines, comments and documentation do not count;
    /// functions inside count for themselves; a list, map, `match` or `switch` without anything that branches in it counts
    /// as one line, however many cases it has. So do parameters and arguments that are wrapped, and one call with several
    /// arguments many times over, as in a registration, and a text over several lines. Tests may be twice as long.
    /// Copies of libraries and what tests read are left alone.
    ///
    /// ## Why it matters
    /// Nobody holds a hundred lines in mind at once. What such a function does can be neither named nor tested piece by piece.
    ///
    /// ## Example
    /// ```text
    /// def import_orders(path):
    ///     ...  # reads, checks, converts, stores and reports, in 160 lines
    /// ```
    ///
    /// ## How to fix
    /// Find the steps in it, and give each a function with a name.
    "servant/function-too-long", Servant, Medium, version: 5, thresholds: &[&LINES_MAX], Check::Code(check)
);

/// A screen and a half. Half of the functions between 50 and 70 are plain sequences.
const LINES_MAX: Threshold = Threshold {
    name: "lines_max",
    default: 70,
    min: 1,
    max: 10_000,
    doc: "most lines of code of a function; twice as many are medium, and tests may have twice as many",
};

/// From this many times the limit on it is worse.
const GRAVE_TIMES: u64 = 2;

/// Calls of one function with several arguments from which on they are a table.
const RUN_MIN: usize = 8;

/// Signs that something is done among arguments.
const WORK: &[&str] = &["=>", "do |", "for ", "fn ", "func", "if ", "lambda", "return", "while ", "{ |"];

/// Tests are long because they set up and compare, which hides little.
const TEST_TIMES: u64 = 2;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if file.is_foreign() || file.is_test_input() {
        return;
    }
    let plain = found.threshold(&LINES_MAX);
    for (index, (function, lines)) in file.outline.functions.iter().zip(own_lines(file)).enumerate() {
        let times = if file.is_test_code(function.span.start) { TEST_TIMES } else { 1 };
        let (lines, limit) = (lines as u64, plain * times);
        // A macro has no body of its own: it is written where it is used.
        if lines <= limit || function.body.is_none() {
            continue;
        }
        let lines = lines.saturating_sub(wrapped_lines(file, index, function) as u64);
        if lines <= limit {
            continue;
        }
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: if lines > limit * GRAVE_TIMES { Severity::Medium } else { Severity::Low },
            confidence_permille: 900,
            message: format!("function has {lines} lines of code, more than {limit}"),
            suggestion: "find the steps in it, and give each a function with a name",
        });
    }
}

/// Lines of the function at `index` that hold no step of their own: of parameters and arguments that are wrapped, and of one call
/// many times over.
fn wrapped_lines(file: &File<'_>, index: usize, function: &Function) -> usize {
    let head = function.body.as_ref().map_or(0, |body| {
        let head = file.text(&(function.name.start..body.start.max(function.name.start)));
        head.trim_end().lines().filter(|line| !line.trim().is_empty()).count().saturating_sub(1)
    });
    let (mut end, mut wrapped, mut folded) = (0, 0, Vec::new());
    // Of each callee how often it is called with several arguments, and in how many lines after wrapping.
    let mut runs: HashMap<&str, usize> = HashMap::new();
    for call in file.outline.calls.iter().filter(|call| call.function == Some(index)) {
        if call.arguments.start < end || does_work(file, &call.arguments) {
            continue;
        }
        end = call.arguments.end;
        folded.push(&call.arguments);
        wrapped += file.code_lines(&call.arguments).saturating_sub(1);
        if arguments(file, &call.arguments).len() > 1 {
            *runs.entry(file.text(&call.callee)).or_default() += 1;
        }
    }
    let runs = runs.values().filter(|count| **count >= RUN_MIN).map(|count| count - 1).sum::<usize>();
    head + wrapped + text_lines(file, index, function, folded) + runs
}

/// Whether something is done in `span` beside what its texts say.
fn does_work(file: &File<'_>, span: &Span) -> bool {
    let given = file.text(span);
    let is_code = |(at, _): (usize, &str)| !file.outline.is_quoted(span.start + at);
    WORK.iter().any(|sign| given.match_indices(sign).any(is_code))
}

/// Lines but the first of texts in the function at `index` that do not stand in what is `folded` anyway.
fn text_lines<'f>(file: &'f File<'_>, index: usize, function: &Function, mut folded: Vec<&'f Span>) -> usize {
    let (strings, functions) = (&file.outline.strings, &file.outline.functions);
    let tables = file.outline.tables.iter().filter(|table| table.function == Some(index));
    let inner = functions.iter().skip(index + 1).take_while(|inner| inner.span.start < function.span.end);
    folded.extend(tables.map(|table| &table.span).chain(inner.map(|inner| &inner.span)));
    folded.sort_unstable_by_key(|span| span.start);
    let mut end = 0;
    folded.retain(|span| {
        span.end > end && {
            end = span.end;
            true
        }
    });
    let is_folded = |string: &Span| {
        let after = folded.partition_point(|span| span.start <= string.start);
        folded[..after].last().is_some_and(|span| string.end <= span.end)
    };
    let from = strings.partition_point(|string| string.start < function.span.start);
    let inside = strings[from..].iter().take_while(|string| string.end <= function.span.end);
    let lines = inside.map(|string| (string, file.code_lines(string).saturating_sub(1)));
    lines.filter(|(string, lines)| *lines > 0 && !is_folded(string)).map(|(_, lines)| lines).sum()
}

/// Lines of code of each function, without what counts for other functions, and with one for each table.
fn own_lines(file: &File<'_>) -> Vec<usize> {
    let functions = &file.outline.functions;
    let mut lines: Vec<usize> = functions.iter().map(|function| file.code_lines(&function.span)).collect();
    let mut fold = |outer: usize, inner: usize| lines[outer] = (lines[outer] + 1).saturating_sub(inner.max(1));
    let mut around: Vec<usize> = Vec::new();
    for (index, function) in functions.iter().enumerate() {
        while around.last().is_some_and(|outer| functions[*outer].span.end <= function.span.start) {
            around.pop();
        }
        if let Some(&outer) = around.last() {
            fold(outer, file.code_lines(&function.span));
        }
        around.push(index);
    }
    for table in &file.outline.tables {
        if let Some(function) = table.function {
            fold(function, file.code_lines(&table.span));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity;
    use schemas::severity::Severity::{Low, Medium};

    fn run(path: &str, text: &str, expected: &[(u32, Severity)]) {
        check(&RULE, path, text, expected);
    }

    fn lines(line: &str, count: usize) -> String {
        format!("    {line}\n").repeat(count)
    }

    #[test]
    fn rust() {
        let of = |count: usize, line: &str| format!("fn a() {{\n{}}}\n", lines(line, count));
        run("a.rs", &of(69, "b();"), &[(1, Low)]);
        run("a.rs", &of(139, "b();"), &[(1, Medium)]);
        run("a.rs", &of(68, "b();"), &[]);
        run("a.rs", &of(90, "add(1, c);"), &[]);
        run("a.rs", &of(25, "b(\n        1,\n        c,\n    );"), &[]);
        run("a.rs", &of(25, "b(|| {\n        if c { d() }\n        e()\n    });"), &[(1, Low)]);
        run("a.rs", &of(139, "// b"), &[]);
        run("a.rs", &of(139, ""), &[]);
        run("a.rs", &format!("fn a() {{\n match b {{\n{}}}\n}}\n", lines("1 => 2,", 139)), &[]);
        run("a.rs", &format!("fn a() {{\n match b {{\n{}}}\n}}\n", lines("1 => if c { 2 },", 69)), &[(1, Low)]);
        run("a.rs", &format!("fn a() {{\n vec![\n{}]\n}}\n", lines("1,", 139)), &[]);
        run("a.rs", &format!("macro_rules! a {{\n{}}}\n", lines("() => { b() };", 139)), &[]);
        run("a.rs", &format!("#[test]\n{}", of(138, "b();")), &[]);
        run("a.rs", &format!("#[test]\n{}", of(139, "b();")), &[(2, Low)]);
        run("deps/a.rs", &of(139, "b();"), &[]);
        run("tests/a.rs", &of(138, "b();"), &[]);
        run("a.rs", &format!("fn a() {{\n{0}fn b() {{\n{0}}}\n}}\n", lines("c();", 60)), &[]);
    }

    #[test]
    fn python() {
        let of = |count: usize, line: &str| format!("def a():\n{}", lines(line, count));
        run("a.py", &of(70, "b()"), &[(1, Low)]);
        run("a.py", &of(140, "b()"), &[(1, Medium)]);
        run("a.py", &of(69, "b()"), &[]);
        run("a.py", &of(140, "# b"), &[]);
        run("a.py", &format!("def a():\n    '''\n{}    '''\n    b()\n", lines("b", 139)), &[]);
        run("a.py", &format!("def a():\n    return {{\n{}    }}\n", lines("'b': 1,", 139)), &[]);
        run("a.py", &format!("def a():\n    b = \"\"\"\n{}    \"\"\"\n    c(b)\n", lines("if b:", 139)), &[]);
        run("a.py", &format!("def a():\n{}", "    b(\n        'for c',\n        d\n    )\n".repeat(30)), &[]);
        run("a.py", &format!("def a():\n{}", "    b(\n        c for c in d\n    )\n".repeat(30)), &[(1, Low)]);
        run("tests/inputs/a.py", &of(300, "b()"), &[]);
        run("tests/test_a.py", &of(140, "b()"), &[(1, Low)]);
        run("tests/test_a.py", &of(139, "b()"), &[]);
    }

    #[test]
    fn go() {
        let of = |count: usize, line: &str| format!("package a\nfunc a() {{\n{}}}\n", lines(line, count));
        run("a.go", &of(69, "b()"), &[(2, Low)]);
        run("a.go", &of(139, "b()"), &[(2, Medium)]);
        run("a.go", &of(68, "b()"), &[]);
        run("a.go", &of(139, "// b"), &[]);
        run("a.go", &format!("package a\nfunc a() {{\nswitch b {{\n{}}}\n}}\n", lines("case 1: c()", 139)), &[]);
        run("a.go", &format!("package a\nfunc a() {{\nb := []int{{\n{}}}\n}}\n", lines("1,", 139)), &[]);
        let table = |cell: &str| format!("package a\nfunc a() {{\nb := []A{{\n{}}}\n}}\n", lines(cell, 139));
        run("a.go", &table("{b: func() int { return 1 }},"), &[]);
        run("a.go", &table("{b: func() int {\nreturn 1 }},"), &[(2, Medium)]);
        run("a_test.go", &of(138, "b()"), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let of = |count: usize, line: &str| format!("function a() {{\n{}}}\n", lines(line, count));
            run(path, &of(69, "b();"), &[(1, Low)]);
            run(path, &of(139, "b();"), &[(1, Medium)]);
            run(path, &format!("const a = () => {{\n{}}};\n", lines("b();", 69)), &[(1, Low)]);
            run(path, &of(68, "b();"), &[]);
            run(path, &of(139, "// b"), &[]);
            run(path, &format!("function a() {{\n return {{\n{}}};\n}}\n", lines("b: 1,", 139)), &[]);
            run(path, &format!("function a() {{\nswitch (b) {{\n{}}}\n}}\n", lines("case 1: c();", 139)), &[]);
            run(path, &format!("function a() {{\n{0}const b = () => {{\n{0}}};\n}}\n", lines("c();", 60)), &[]);
            run(path, &format!("class A {{\n b() {{\n{}}}\n}}\n", lines("c();", 60)).repeat(3), &[]);
        }
        run("a.test.js", &format!("it('a', () => {{\n{}}});\n", lines("b();", 138)), &[]);
    }

    #[test]
    fn java_c_and_cpp() {
        for path in ["A.java", "a.c", "a.cc"] {
            let run = |body: String, expected: &[_]| {
                let (open, close) = if path == "A.java" { ("class A {", "}") } else { ("int z;", "") };
                check(&RULE, path, &format!("{open}\nint a(int b) {{\n{body}}}\n{close}\n"), expected);
            };
            run(lines("b();", 69), &[(2, Low)]);
            run(lines("b();", 139), &[(2, Medium)]);
            run(lines("b();", 68), &[]);
            run(lines("// b", 139), &[]);
            run(format!("switch (b) {{\n{}}}\n", lines("case 1: c();", 139)), &[]);
            run(format!("int c[] = {{\n{}}};\n", lines("1,", 139)), &[]);
        }
    }

    #[test]
    fn languages_read_by_outline() {
        // Path, head, a line, a comment, a list of what is written out, and the end.
        let cases = [
            ("A.cs", "class A {\nint B(int b) {", "C();", "// c", ("int[] c = {", "1,", "};"), "}\n}\n"),
            ("a.php", "<?php\nfunction b() {", "c();", "# c", ("$c = [", "1,", "];"), "}\n"),
            ("a.rb", "\ndef b", "c", "# c", ("d = [", "1,", "]"), "end\n"),
            ("A.kt", "\nfun b() {", "c()", "// c", ("when (d) {", "1 -> c()", "}"), "}\n"),
            ("a.swift", "\nfunc b() {", "c()", "// c", ("switch d {", "case 1: c()", "}"), "}\n"),
            ("a.sh", "\nb() {", "c", "# c", ("d=(", "1", ")"), "}\n"),
        ];
        for (path, head, line, comment, table, end) in cases {
            let of = |body: &str| format!("{head}\n{body}{end}");
            let last = usize::from(end.ends_with("}\n}\n"));
            run(path, &of(&lines(line, 69)), &[(2, Low)]);
            run(path, &of(&lines(line, 139)), &[(2, Medium)]);
            run(path, &of(&lines(line, 68 - last)), &[]);
            run(path, &of(&lines(comment, 139)), &[]);
            run(path, &of(&format!("{}\n{}{}\n", table.0, lines(table.1, 139), table.2)), &[]);
        }
    }
}
