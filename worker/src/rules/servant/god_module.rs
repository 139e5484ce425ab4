//! Files that hold too much.

use std::collections::{HashMap, HashSet};

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::{Function, Span};
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Files with more than 1,000 lines of code (low) or 2,000 (medium), or with more than 60 things that can be used from
    /// outside (low): functions, types and constants. Code for tests and data written out do not count, nor do files of
    /// declarations or constants only, a function that many classes have more than once and the classes that have no other,
    /// what only hands on a member of an import under its name,
    /// methods that an interface or a base class dictates, that others fill in or that only get or set a value, copies of
    /// libraries, and amalgamations, which say so in their names.
    ///
    /// ## Why it matters
    /// Everything in such a file seems to belong together, so nobody sees what really does. Every change goes through it.
    ///
    /// ## Example
    /// ```text
    /// utils.py: 2,400 lines about dates, mail, users and prices
    /// ```
    ///
    /// ## How to fix
    /// Find the groups that are used together, and give each a file with a name that says what it is about.
    "servant/god-module", Servant, Medium, version: 5, thresholds: &[&LINES_MAX, &SYMBOLS_MAX], Check::Code(check)
);

/// More than anybody reads at once.
const LINES_MAX: Threshold = Threshold {
    name: "lines_max",
    default: 1_000,
    min: 1,
    max: 1_000_000,
    doc: "most lines of code of a file; twice as many are medium",
};

/// More than belong together.
const SYMBOLS_MAX: Threshold = Threshold {
    name: "symbols_max",
    default: 60,
    min: 1,
    max: 10_000,
    doc: "most functions, types and constants of a file that can be used from outside",
};

/// From this many times the limit of lines on it is worse.
const GRAVE_TIMES: u64 = 2;

/// Things beside constants that files of constants have: the type that holds them, and its constructor.
const OTHERS_MAX: usize = 2;

/// The word in front of the name of a class.
const CLASS: &str = "class ";

/// First words of the names of methods that get or set a value.
const ACCESSORS: &[&str] = &["get", "has", "is", "set", "with"];

/// Lines of the body of such a method.
const ACCESSOR_LINES_MAX: usize = 4;

/// Ends of the names of files that only declare.
const STUB_ENDS: &[&str] = &[".d.cts", ".d.mts", ".d.ts", ".pyi"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path;
    let is_amalgamation = paths::file_name(path).to_ascii_lowercase().contains("amalgam");
    let is_stub = STUB_ENDS.iter().any(|end| path.ends_with(end));
    if file.is_foreign() || paths::is_test(path) || is_amalgamation || is_stub || declares_only(&file.outline.functions)
    {
        return;
    }
    let in_tests: usize = file.outline.test_code.iter().map(|span| file.code_lines(span)).sum();
    let lines = file.code_lines(&(0..file.source.text.len())).saturating_sub(in_tests + lines_of_data(file));
    let is_own = |at: usize| !file.outline.is_test_code(at);
    let (lines_max, symbols_max) = (found.threshold(&LINES_MAX), found.threshold(&SYMBOLS_MAX));
    let names: Vec<&Span> =
        file.outline.symbols.iter().map(|symbol| &symbol.name).filter(|name| is_own(name.start)).collect();
    let is_within = names.len() as u64 <= symbols_max;
    let (lines, symbols) = (lines as u64, if is_within { 0 } else { offered(file, &names) as u64 });
    let message = match (lines > lines_max, symbols > symbols_max) {
        (true, _) => format!("file has {lines} lines of code, more than {lines_max}"),
        (_, true) => format!("file offers {symbols} things to others, more than {symbols_max}"),
        _ => return,
    };
    found.push(Hit {
        place: file.place(0..0),
        severity: if lines > lines_max * GRAVE_TIMES { Severity::Medium } else { Severity::Low },
        confidence_permille: 900,
        message,
        suggestion: "find the groups that are used together, and give each a file of its own",
    });
}

/// How many things the `names` offer: what several classes have counts once, and so do not the classes that have nothing else;
/// constants alone are a list; what others fill in, and accessors, do little.
fn offered(file: &File<'_>, names: &[&Span]) -> usize {
    let is_constant = |name: &&&Span| {
        let name = file.text(name);
        name.len() > 1 && name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
    };
    let constants = names.iter().filter(is_constant).count();
    let decides = file.outline.functions.iter().any(|function| function.complexity > 1);
    if !decides && names.len() - constants <= OTHERS_MAX {
        return 0;
    }
    let text = file.source.text.as_ref();
    let classes: Vec<usize> = text.match_indices(CLASS).map(|(at, _)| at + CLASS.len()).collect();
    let is_class = |name: &Span| classes.binary_search(&name.start).is_ok();
    let mut last: HashMap<&str, usize> = HashMap::new();
    let is_further = |name: &&Span| {
        let before = last.insert(file.text(name), name.end);
        let next = |from: usize| classes.get(classes.partition_point(|at| *at < from + CLASS.len()));
        // The word in front of the name of a class itself begins no other class.
        before.is_some_and(|from| next(from).is_some_and(|at| *at < name.start))
    };
    let further: Vec<bool> = names.iter().map(is_further).collect();
    let is_reopened = |at: usize| {
        let after = || names[at + 1..].iter().zip(&further[at + 1..]).take_while(|(name, _)| !is_class(name));
        is_class(names[at]) && after().next().is_some() && after().all(|(_, further)| *further)
    };
    let accessors = file.outline.functions.iter().filter(|one| is_accessor(file, one));
    let accessors: HashSet<usize> = accessors.map(|one| one.name.start).collect();
    let forwards = forwarded(file, names);
    (0..names.len())
        .filter(|at| !forwards[*at] && !further[*at] && !is_reopened(*at) && !accessors.contains(&names[*at].start))
        .count()
}

/// Whether each of the `names` only hands on what an import has: `export const a = Package.a;`. Such a file is a table of contents.
fn forwarded(file: &File<'_>, names: &[&Span]) -> Vec<bool> {
    let hands_on = |name: &&Span| {
        let line = file.source.line_span(file.source.line_of(name.start));
        let (before, after) = (file.text(&(line.start..name.start)), file.text(&(name.end..line.end.max(name.end))));
        let value = after.trim_start().strip_prefix('=').unwrap_or_default().trim().trim_end_matches(';');
        let is_member = value.split_once('.').is_some_and(|(_, member)| member == file.text(name));
        before.trim_start().starts_with("export ") && is_member
    };
    names.iter().map(hands_on).collect()
}

/// Whether others fill `function` in, or it only reaches for one value: `getName`, `with_name`.
fn is_accessor(file: &File<'_>, function: &Function) -> bool {
    let is_named = || {
        let words = words(file.text(&function.name));
        words.len() > 1 && words.first().is_some_and(|word| ACCESSORS.contains(&word.as_str()))
    };
    let is_short = || function.body.as_ref().is_some_and(|body| file.code_lines(body) <= ACCESSOR_LINES_MAX);
    function.is_abstract || (function.complexity <= 1 && is_short() && is_named())
}

/// Lines of data and of texts over several lines, but for the first of each.
fn lines_of_data(file: &File<'_>) -> usize {
    let is_own = |span: &&Span| !file.outline.is_test_code(span.start);
    let tables = &file.outline.tables;
    let in_table = |text: &Span| {
        let after = tables.partition_point(|table| table.span.start <= text.start);
        tables[..after].last().is_some_and(|table| table.span.end >= text.end)
    };
    let texts = file.outline.strings.iter().filter(|text| !in_table(text));
    let data = tables.iter().map(|table| &table.span).chain(texts).filter(is_own);
    data.map(|span| file.code_lines(span).saturating_sub(1)).sum()
}

/// Whether `functions` are there, and all of them to be filled in elsewhere.
fn declares_only(functions: &[Function]) -> bool {
    !functions.is_empty() && functions.iter().all(|function| function.is_abstract)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Low, Medium};

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.rs", text, expected);
        run(&"static A: u8 = 1;\n".repeat(1_001), &[(1, Low)]);
        run(&"pub fn a() { b() }\n".repeat(61), &[(1, Low)]);
        run(&"static A: u8 = 1;\n".repeat(2_001), &[(1, Medium)]);
        run(&format!("static A: &[u8] = &[\n{}];\n", "1,\n".repeat(2_001)), &[]);
        run(&"static A: u8 = 1;\n\n// b\n".repeat(1_000), &[]);
        run(&"pub fn a() { b() }\nfn c() { d() }\n".repeat(60), &[]);
        run(&format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() { b() }\n".repeat(1_100)), &[]);
        run(&format!("pub trait A {{ {} }}\n", "fn a();\n".repeat(70)), &[]);
        check(&RULE, "vendor/a.rs", &"static A: u8 = 1;\n".repeat(1_001), &[]);
        check(&RULE, "tests/a.rs", &"static A: u8 = 1;\n".repeat(1_001), &[]);
    }

    #[test]
    fn exports_that_hand_on_are_a_table_of_contents() {
        let of = |value: &str| {
            let lines: String =
                (0..70).map(|at| format!("export const a{at} = {};\n", value.replace('N', &at.to_string()))).collect();
            format!("import Cart from './cart.js';\n{lines}export function b(c) {{ return c ? 1 : 2; }}\n")
        };
        check(&RULE, "a.mjs", &of("Cart.aN"), &[]);
        check(&RULE, "a.mjs", &of("Cart.bN"), &[(1, Low)]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.py", text, expected);
        run(&"a = 1\n".repeat(1_001), &[(1, Low)]);
        run(&"def a(): b()\n".repeat(61), &[(1, Low)]);
        run(&"a = 1\n# b\n\n".repeat(1_000), &[]);
        run(&"def a(): b()\ndef _c(): d()\n".repeat(60), &[]);
        run(&format!("'''\n{}'''\n", "a\n".repeat(1_100)), &[]);
        check(&RULE, "a.pyi", &"def a(): ...\n".repeat(70), &[]);
        check(&RULE, "tests/test_a.py", &"a = 1\n".repeat(1_001), &[]);
    }

    #[test]
    fn go() {
        let run = |text: String, expected: &[_]| check(&RULE, "a.go", &format!("package a\n{text}"), expected);
        run("var a = 1\n".repeat(1_000), &[(1, Low)]);
        run("func A() { b() }\n".repeat(61), &[(1, Low)]);
        run("var a = 1\n// b\n\n".repeat(999), &[]);
        run("func A() { b() }\nfunc a() { b() }\n".repeat(60), &[]);
        run(format!("const (\n{})\n", "A = 1\n".repeat(70)), &[]);
        check(&RULE, "a_test.go", &format!("package a\n{}", "var a = 1\n".repeat(1_001)), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let run = |text: String, expected: &[_]| check(&RULE, path, &text, expected);
            run("a();\n".repeat(1_001), &[(1, Low)]);
            run("export function a() { b(); }\n".repeat(61), &[(1, Low)]);
            run("a();\n// b\n\n".repeat(1_000), &[]);
            run("export function a() { b(); }\nfunction c() { d(); }\n".repeat(60), &[]);
        }
        check(&RULE, "a.d.ts", &"export function a(): void;\n".repeat(70), &[]);
        check(&RULE, "a.d.ts", &"export interface A {}\n".repeat(70), &[]);
        check(&RULE, "a-amalgamation.js", &"a();\n".repeat(1_001), &[]);
        check(&RULE, "a.test.js", &"a();\n".repeat(1_001), &[]);
    }

    #[test]
    fn java_c_and_cpp() {
        let java = |text: String| format!("public class A {{\n{text}}}\n");
        check(&RULE, "A.java", &java("int a = 1;\n".repeat(1_000)), &[(1, Low)]);
        check(&RULE, "A.java", &java("public void a() { b(); }\n".repeat(61)), &[(1, Low)]);
        check(&RULE, "A.java", &java("void a() { b(); }\n".repeat(70)), &[]);
        let constants: String = (0..70).map(|at| format!("public static final int A{at} = 1;\n")).collect();
        check(&RULE, "A.java", &java(constants.clone()), &[]);
        check(&RULE, "A.java", &java(constants + "public int a() { return b ? c() : d(); }\n"), &[(1, Low)]);
        let classes: String = (0..40).map(|at| format!("class A{at}\n  def b\n    c\n  end\nend\n")).collect();
        check(&RULE, "a.rb", &classes, &[]);
        let others: String = (0..40).map(|at| format!("class B{at}\n  def d{at}\n    c\n  end\nend\n")).collect();
        check(&RULE, "a.rb", &(classes + &others), &[(1, Low)]);
        check(&RULE, "A.java", &java("int a = 1;\n// b\n\n".repeat(900)), &[]);
        check(&RULE, "src/test/java/A.java", &java("int a = 1;\n".repeat(1_000)), &[]);
        for path in ["a.h", "a.hpp"] {
            check(&RULE, path, &"int a = 1;\n".repeat(1_001), &[(1, Low)]);
            check(&RULE, path, &"int a(int b);\n".repeat(61), &[(1, Low)]);
            check(&RULE, path, &"extern int a;\n".repeat(70), &[]);
            check(&RULE, path, &"int a = 1;\n/* b */\n\n".repeat(900), &[]);
        }
        check(&RULE, "a.c", &"int a(int b) { return c(b); }\n".repeat(70), &[]);
    }

    #[test]
    fn what_was_not_put_there_to_be_offered_does_not_count() {
        let java = |one: &str, count: usize| {
            let of = |at: usize| format!("public class B{at} {{}}\n{}", one.replace('%', &at.to_string()));
            let text: String = (0..count).map(of).collect();
            format!("public class A {{\nint z() {{ return a ? b() : c(); }}\n{text}}}\n")
        };
        check(&RULE, "A.java", &java("public int a%() { return b() + c(); }\n", 35), &[(1, Low)]);
        check(&RULE, "A.java", &java("@Override public int a%() { return b() + c(); }\n", 35), &[]);
        check(&RULE, "A.java", &java("public int getA%() { return b() + c(); }\n", 35), &[]);
        check(&RULE, "A.java", &java("public int getA%() { return b ? c() : d(); }\n", 35), &[(1, Low)]);
        check(&RULE, "A.java", &java("public abstract int a%();\n", 35), &[]);
        let reopened: String = (0..70).map(|at| format!("class A{at}\n  def b\n    c\n  end\nend\n")).collect();
        check(&RULE, "a.rb", &reopened, &[]);
        let table = format!("static A: &[u8] = &[\n{}];\n", "1,\n".repeat(1_100));
        check(&RULE, "a.rs", &format!("fn a() {{\n{table}}}\n"), &[]);
        check(&RULE, "a.rs", &format!("static A: &str = \"\n{}\";\n", "a;\n".repeat(1_100)), &[]);
    }

    #[test]
    fn languages_read_by_outline() {
        // Path, the first line, a line of code, a comment, and where such files are tests.
        for (path, first, line, comment, test) in [
            ("A.cs", "using A;", "using B;", "// b", "tests/A.cs"),
            ("a.php", "<?php", "b();", "# b", "tests/a.php"),
            ("a.rb", "b", "b", "# b", "spec/a_spec.rb"),
            ("A.kt", "val a = 1", "val b = 1", "// b", "src/test/A.kt"),
            ("a.swift", "let a = 1", "let b = 1", "// b", "Tests/a.swift"),
            ("a.sh", "b", "b", "# b", "tests/a.sh"),
        ] {
            let of = |line: &str, count: usize| format!("{first}\n{}", format!("{line}\n").repeat(count));
            check(&RULE, path, &of(line, 1_000), &[(1, Low)]);
            check(&RULE, path, &of(line, 2_200), &[(1, Medium)]);
            check(&RULE, path, &of(line, 998), &[]);
            check(&RULE, path, &of(comment, 1_200), &[]);
            check(&RULE, test, &of(line, 1_200), &[]);
        }
        check(&RULE, "A.kt", &"fun a() { b() }\n".repeat(61), &[(1, Low)]);
        check(&RULE, "A.kt", &"private fun a() { b() }\n".repeat(50), &[]);
        check(&RULE, "a.swift", &"public func a() { b() }\n".repeat(61), &[(1, Low)]);
        check(&RULE, "a.swift", &"func a() { b() }\n".repeat(50), &[]);
        check(&RULE, "A.cs", &"public class A { }\n".repeat(61), &[(1, Low)]);
        check(&RULE, "A.cs", &"class A { }\n".repeat(50), &[]);
    }
}
