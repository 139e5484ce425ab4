//! Traces of somebody looking for a mistake.

use schemas::severity::Severity;

use crate::outline::{Call, Span};
use crate::paths;
use crate::rules::calls::{arguments, is_in_tests, is_whole};
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Stops for a debugger: `breakpoint()`, `pdb.set_trace()`, `debugger`, `runtime.Breakpoint()`, `binding.pry`,
    /// `Debugger.Break()` (medium); `dbg!`, `var_dump`, `dd` and, in library code, a stray `print`, `println!`,
    /// `fmt.Println`, `Console.WriteLine` or `console.log` (low).
    ///
    /// Programs, examples, scripts and tests may print; so may functions whose name says that they print, log or report, and
    /// files that print often: there it is what they are for.
    ///
    /// ## Why it matters
    /// A stop halts whatever runs the code. What a library prints ends up between the output of the program that uses it.
    ///
    /// ## Example
    /// ```text
    /// let total = dbg!(sum(&rows));
    /// ```
    ///
    /// ## How to fix
    /// Take it out. What is worth knowing goes to the log.
    "integrity/debug-leftover", Integrity, Medium, version: 2, Check::Code(check)
);

/// Stops for a debugger.
const STOPS: &[&str] = &[
    "Debugger.Break",
    "Debugger.Launch",
    "System.Diagnostics.Debugger.Break",
    "System.Diagnostics.Debugger.Launch",
    "breakpoint",
    "ipdb.set_trace",
    "pdb.set_trace",
    "pudb.set_trace",
    "runtime.Breakpoint",
    "xdebug_break",
];

/// Stops for a debugger that are a line of their own: in JavaScript, and in Ruby.
const STOP_LINES: &[&str] = &["binding.break", "binding.irb", "binding.pry", "byebug", "debugger"];

/// Calls that show a value to whoever debugs, and are for nothing else.
const SHOWS: &[&str] = &["dbg!", "dd", "var_dump"];

/// What prints to the output of the program.
const PRINTS: &[&str] = &[
    "Console.WriteLine",
    "System.out.println",
    "console.debug",
    "console.dir",
    "console.log",
    "console.table",
    "console.trace",
    "debugPrint",
    "fmt.Print",
    "fmt.Printf",
    "fmt.Println",
    "print",
    "print!",
    "print_r",
    "println",
    "println!",
];

/// Prints of a file up to which they are stray.
const STRAY_MAX: usize = 3;

/// Directories whose files are programs, and may print.
const PROGRAM_DIRECTORIES: &[&str] = &[
    "bench",
    "benches",
    "benchmarks",
    "bin",
    "cli",
    "cmd",
    "command",
    "commands",
    "demo",
    "demos",
    "example",
    "examples",
    "scripts",
    "tasks",
    "tools",
    "xtask",
];

/// Words in names of files and functions that print on purpose.
const PRINTING_WORDS: &[&str] = &[
    "build", "cli", "config", "console", "debug", "display", "dump", "echo", "help", "log", "main", "manage", "print",
    "report", "setup", "show", "trace", "usage", "verbose", "version", "warn", "write",
];

/// Lines above a print in which the condition stands that it is asked for.
const CONDITION_LINES: usize = 3;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    for call in &file.outline.calls {
        let callee = file.text(&call.callee);
        if STOPS.contains(&callee) && is_whole(file, call) {
            report(file, call.callee.clone(), Severity::Medium, 950, found);
        } else if is_show(file, call) {
            report(file, call.callee.clone(), Severity::Low, 950, found);
        }
    }
    for line in file.source.lines() {
        let text = file.text(&line);
        let word = text.trim_start().trim_end().trim_end_matches(';');
        let start = line.start + (text.len() - text.trim_start().len());
        if STOP_LINES.contains(&word) && !file.outline.is_quoted(start) {
            report(file, start..start + word.len(), Severity::Medium, 900, found);
        }
    }
    let prints: Vec<&Call> = file.outline.calls.iter().filter(|call| is_print(file, call)).collect();
    if prints.len() <= STRAY_MAX && !is_program(file) {
        for call in prints.into_iter().filter(|call| !prints_on_purpose(file, call)) {
            report(file, call.callee.clone(), Severity::Low, 600, found);
        }
    }
}

fn report(file: &File<'_>, span: Span, severity: Severity, confidence_permille: u16, found: &mut Findings<'_>) {
    found.push(Hit {
        message: format!("`{}` was left here", file.text(&span)),
        place: file.place(span),
        severity,
        confidence_permille,
        suggestion: "take it out; what is worth knowing goes to the log",
    });
}

/// Whether `call` shows a value; what the file or its framework calls `dd` in another language is something else.
fn is_show(file: &File<'_>, call: &Call) -> bool {
    let is_php = matches!(paths::extension(file.source.path), Some("php" | "phtml"));
    match file.text(&call.callee) {
        "dbg!" => true,
        callee => is_php && SHOWS.contains(&callee) && is_whole(file, call) && !is_in_tests(file, call.callee.start),
    }
}

fn is_print(file: &File<'_>, call: &Call) -> bool {
    let callee = file.text(&call.callee);
    // With a second argument it hands the text back.
    let is_value = callee == "print_r" && arguments(file, &call.arguments).len() > 1;
    PRINTS.contains(&callee)
        && !is_value
        && !prints_for_a_living(file)
        && is_whole(file, call)
        && !is_in_tests(file, call.callee.start)
}

/// Whether the file is in a language whose programs talk by printing.
fn prints_for_a_living(file: &File<'_>) -> bool {
    let extension = paths::extension(file.source.path);
    matches!(extension, Some("bash" | "bats" | "csx" | "ksh" | "kts" | "sh" | "zsh"))
}

/// Whether the file is a program, or part of one that talks to a person.
fn is_program(file: &File<'_>) -> bool {
    let path = file.source.path;
    let name = paths::file_name(path).to_ascii_lowercase();
    let has_main = file.outline.functions.iter().any(|function| file.text(&function.name) == "main");
    paths::has_directory(path, PROGRAM_DIRECTORIES)
        || paths::is_documentation(path)
        || PRINTING_WORDS.iter().any(|word| name.contains(word))
        || has_main
        || file.source.text.starts_with("#!")
        || file.source.text.contains("__main__")
}

/// Whether the function around `call` says that it prints, or the print goes to a file that was asked for.
fn prints_on_purpose(file: &File<'_>, call: &Call) -> bool {
    let function = call.function.and_then(|index| file.outline.functions.get(index));
    let name = function.map(|function| file.text(&function.name).to_ascii_lowercase()).unwrap_or_default();
    let line = file.source.line_of(call.callee.start);
    let above = file.source.line_span(line.saturating_sub(CONDITION_LINES)).start..call.callee.start;
    let condition = file.text(&above).to_ascii_lowercase();
    PRINTING_WORDS.iter().any(|word| name.contains(word))
        || ["debug", "verbos"].iter().any(|word| condition.contains(word))
        || file.text(&call.arguments).contains("file=")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{self, Low, Medium};

    #[track_caller]
    fn all(path: &str, around: (&str, &str), lines: &[&str], severity: Option<Severity>) {
        for line in lines {
            let expected: Vec<_> = severity.map(|severity| (2, severity)).into_iter().collect();
            check(&RULE, path, &format!("{}\n{line}\n{}\n", around.0, around.1), &expected);
        }
    }

    #[test]
    fn rust() {
        let around = ("fn f() {", "}");
        all("src/a.rs", around, &["let a = dbg!(b);", "dbg!();", "println!(\"{a}\");", "print!(\"a\");"], Some(Low));
        all(
            "src/a.rs",
            around,
            &["eprintln!(\"a\");", "// dbg!(a)", "let a = \"dbg!(a)\";", "writeln!(out, \"a\");"],
            None,
        );
        all("src/a.rs", ("fn print_all() {", "}"), &["println!(\"{a}\");"], None);
        all("src/main.rs", around, &["println!(\"{a}\");"], None);
        all("examples/a.rs", around, &["println!(\"{a}\");"], None);
        all("tests/a.rs", around, &["println!(\"{a}\");"], None);
        check(&RULE, "src/a.rs", &format!("fn f() {{\n{}}}\n", "println!(\"a\");\n".repeat(4)), &[]);
    }

    #[test]
    fn python() {
        let around = ("def f():", "");
        all(
            "a.py",
            around,
            &["    breakpoint()", "    pdb.set_trace()", "    import pdb; pdb.set_trace()"],
            Some(Medium),
        );
        all("a.py", around, &["    print(a)", "    print('here')"], Some(Low));
        all(
            "a.py",
            around,
            &["    # breakpoint()", "    a = 'print(a)'", "    a.print(b)", "    print(a, file=out)"],
            None,
        );
        all("a.py", ("if DEBUG:", ""), &["    print(a)"], None);
        all("scripts/a.py", around, &["    print(a)"], None);
        all("a.py", ("#!/usr/bin/env python", ""), &["print(a)"], None);
        all("tests/test_a.py", around, &["    print(a)"], None);
    }

    #[test]
    fn go() {
        let around = ("package a; func f() {", "}");
        all("a.go", around, &["runtime.Breakpoint()"], Some(Medium));
        all("a.go", around, &["fmt.Println(a)", "println(a)"], Some(Low));
        all(
            "a.go",
            around,
            &["fmt.Fprintln(w, a)", "// fmt.Println(a)", "a := \"fmt.Println(a)\"", "log.Println(a)"],
            None,
        );
        all("cmd/a/a.go", around, &["fmt.Println(a)"], None);
        all("a.go", ("package main; func main() {", "}"), &["fmt.Println(a)"], None);
        all("a_test.go", around, &["fmt.Println(a)"], None);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["src/a.js", "src/a.ts", "src/a.tsx"] {
            let around = ("function f() {", "}");
            all(path, around, &["debugger", "  debugger;"], Some(Medium));
            all(path, around, &["console.log(a)", "console.table(a);"], Some(Low));
            all(path, around, &["console.error(a)", "// console.log(a)", "a = 'debugger'", "debuggers(a)"], None);
            all(path, ("function logAll() {", "}"), &["console.log(a)"], None);
        }
        all("bin/a.js", ("function f() {", "}"), &["console.log(a)"], None);
        all("src/a.test.js", ("function f() {", "}"), &["console.log(a)"], None);
    }

    #[test]
    fn java() {
        let around = ("class A { void f() {", "} }");
        all("src/A.java", around, &["System.out.println(a);", "System.out.println();"], Some(Low));
        all("src/A.java", around, &["System.err.println(a);", "// System.out.println(a);", "out.println(a);"], None);
        all("src/ATest.java", around, &["System.out.println(a);"], None);
    }

    #[test]
    fn c_sharp() {
        let around = ("class A { void B() {", "} }");
        all("src/A.cs", around, &["Debugger.Break();", "System.Diagnostics.Debugger.Launch();"], Some(Medium));
        all("src/A.cs", around, &["Console.WriteLine(a);", "Console.WriteLine(\"here\");"], Some(Low));
        let fine =
            ["log.WriteLine(a);", "// Debugger.Break();", "a = \"Console.WriteLine(a)\";", "my.Debugger.Break();"];
        all("src/A.cs", around, &fine, None);
        all("src/A.cs", ("class A { void PrintAll() {", "} }"), &["Console.WriteLine(a);"], None);
        all("cli/A.cs", around, &["Console.WriteLine(a);"], None);
        all("ATests.cs", around, &["Console.WriteLine(a);"], None);
    }

    #[test]
    fn ruby_and_php() {
        let around = ("def f", "end");
        all("lib/a.rb", around, &["  binding.pry", "  byebug", "  binding.irb"], Some(Medium));
        all("lib/a.rb", around, &["  # binding.pry", "  a = 'byebug'", "  puts a", "  byebugs a"], None);
        let around = ("<?php function f() {", "}");
        all("src/a.php", around, &["xdebug_break();"], Some(Medium));
        all("src/a.php", around, &["var_dump($a);", "dd($a, $b);", "print_r($a);"], Some(Low));
        let fine = ["$a = print_r($b, true);", "// var_dump($a);", "$a = 'var_dump($a);';", "$c->dd($a);", "echo $a;"];
        all("src/a.php", around, &fine, None);
        all("tests/a.php", around, &["var_dump($a);", "print_r($a);"], None);
    }

    #[test]
    fn kotlin_and_swift() {
        let around = ("fun f() {", "}");
        all("src/a.kt", around, &["println(a)", "print(\"here\")"], Some(Low));
        all("src/a.kt", around, &["log.println(a)", "// println(a)", "val a = \"println(a)\"", "printer(a)"], None);
        all("src/a.kt", ("fun main() {", "}"), &["println(a)"], None);
        let around = ("func f() {", "}");
        all("Sources/a.swift", around, &["print(a)", "debugPrint(a)"], Some(Low));
        all("Sources/a.swift", around, &["out.print(a)", "// print(a)", "let a = \"print(a)\"", "NSLog(a)"], None);
        all("Tests/a.swift", around, &["print(a)"], None);
    }

    #[test]
    fn shells_talk_by_printing() {
        all("a.sh", ("f() {", "}"), &["  print a", "  echo a", "  debugger_of a", "  println a"], None);
    }
}
