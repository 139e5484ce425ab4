//! Stops and stray prints, and prints that are meant.

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
    all("src/a.rs", around, &["let a = dbg!(b);", "dbg!();", "println!(\"{a:?}\");", "print!(\"here\");"], Some(Low));
    all(
        "src/a.rs",
        around,
        &["eprintln!(\"a\");", "// dbg!(a)", "let a = \"dbg!(a)\";", "writeln!(out, \"a\");"],
        None,
    );
    all("src/a.rs", ("fn print_all() {", "}"), &["println!(\"{a:?}\");"], None);
    all("src/main.rs", around, &["println!(\"{a:?}\");"], None);
    all("examples/a.rs", around, &["println!(\"{a:?}\");"], None);
    all("tests/a.rs", around, &["println!(\"{a:?}\");"], None);
    check(&RULE, "src/a.rs", &format!("fn f() {{\n{}}}\n", "println!(\"here\");\n".repeat(4)), &[]);
}

#[test]
fn python() {
    let around = ("def f():", "");
    all("a.py", around, &["    breakpoint()", "    pdb.set_trace()", "    import pdb; pdb.set_trace()"], Some(Medium));
    all("a.py", around, &["    print('a', a)", "    print('here')"], Some(Low));
    all(
        "a.py",
        around,
        &["    # breakpoint()", "    a = 'print(a)'", "    a.print(b)", "    print(a, file=out)"],
        None,
    );
    all("a.py", ("if DEBUG:", ""), &["    print('here')"], None);
    all("a.py", ("def f():\n  if verbosity > 1:\n    for b in c:", ""), &["        print('here')"], None);
    all("a.py", ("a = 1", ""), &["print('here')"], None);
    check(&RULE, "a.py", "def f():\n    if self.disp:\n        print('here')\n", &[]);
    check(&RULE, "a.py", "def f():\n    if self.rows:\n        print('here')\n", &[(3, Low)]);
    all("a.py", ("def f():", "    raise Broken"), &["    print('here')"], None);
    check(&RULE, "a.py", "def f():\n    '''Print the rows.'''\n    print('here')\n", &[]);
    check(&RULE, "a.py", "def f():\n    '''Sums the rows.'''\n    print('here')\n", &[(3, Low)]);
    all("scripts/a.py", around, &["    print('here')"], None);
    all("a.py", ("#!/usr/bin/env python", ""), &["print(a)"], None);
    all("tests/test_a.py", around, &["    print('here')"], None);
}

#[test]
fn go() {
    let around = ("package a; func f() {", "}");
    all("a.go", around, &["runtime.Breakpoint()"], Some(Medium));
    all("a.go", around, &["fmt.Println(\"a\", a)", "fmt.Print(\"here\")"], Some(Low));
    all("a.go", around, &["println(a)", "print(a)"], None);
    all("a.go", ("package a; func Breakpoint() {", "}"), &["runtime.Breakpoint()"], None);
    all(
        "a.go",
        around,
        &["fmt.Fprintln(w, a)", "// fmt.Println(a)", "a := \"fmt.Println(a)\"", "log.Println(a)"],
        None,
    );
    all("a.go", ("package a; func f() {", "panic(b) }"), &["fmt.Println(\"a\", a)"], None);
    all("a.go", ("package a; func f() {", "} \nfunc g() { panic(b) }"), &["fmt.Println(\"a\", a)"], Some(Low));
    all("cmd/a/a.go", around, &["fmt.Println(\"here\")"], None);
    all("a.go", around, &["debugPrint(a)"], None);
    all("a.go", ("package a; import \"testing\"; func f(t *testing.T) {", "}"), &["fmt.Println(\"here\")"], None);
    all("a.go", ("package main; func main() {", "}"), &["fmt.Println(\"here\")"], None);
    all("a_test.go", around, &["fmt.Println(\"here\")"], None);
}

#[test]
fn javascript_and_typescript() {
    for path in ["src/a.js", "src/a.ts", "src/a.tsx"] {
        let around = ("function f() {", "}");
        all(path, around, &["debugger", "  debugger;"], Some(Medium));
        all(path, around, &["console.log('a', a)", "console.table(a);"], Some(Low));
        all(path, around, &["console.error(a)", "// console.log(a)", "a = 'debugger'", "debuggers(a)"], None);
        all(path, around, &["print(a)", "println(a)"], None);
        all(path, ("function logAll() {", "}"), &["console.table(a)"], None);
    }
    all("bin/a.js", ("function f() {", "}"), &["console.table(a)"], None);
    all("src/a.test.js", ("function f() {", "}"), &["console.table(a)"], None);
}

#[test]
fn java() {
    let around = ("class A { void f() {", "} }");
    all("src/A.java", around, &["System.out.println(\"a: \" + a);", "System.out.println(\"here\");"], Some(Low));
    all("src/A.java", around, &["System.err.println(\"here\");", "// System.out.println(a);", "out.println(a);"], None);
    all("src/ATest.java", around, &["System.out.println(\"here\");"], None);
}

#[test]
fn c_sharp() {
    let around = ("class A { void B() {", "} }");
    all("src/A.cs", around, &["Debugger.Break();", "System.Diagnostics.Debugger.Launch();"], Some(Medium));
    all("src/A.cs", around, &["Console.WriteLine($\"a: {a}\");", "Console.WriteLine(\"here\");"], Some(Low));
    let fine = ["log.WriteLine(a);", "// Debugger.Break();", "a = \"Console.WriteLine(a)\";", "my.Debugger.Break();"];
    all("src/A.cs", around, &fine, None);
    all("src/A.cs", ("class A { void PrintAll() {", "} }"), &["Console.WriteLine(\"here\");"], None);
    all("cli/A.cs", around, &["Console.WriteLine(\"here\");"], None);
    all("ATests.cs", around, &["Console.WriteLine(\"here\");"], None);
}

#[test]
fn ruby_and_php() {
    let around = ("def f", "end");
    all("lib/a.rb", around, &["  binding.pry", "  byebug", "  binding.irb"], Some(Medium));
    all("lib/a.rb", around, &["  # binding.pry", "  a = 'byebug'", "  puts a", "  byebugs a"], None);
    all("lib/a.rb", ("=begin", "=end"), &["binding.pry"], None);
    all("lib/a.rb", ("a = <<~B", "B"), &["  byebug"], None);
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
    all("src/a.kt", around, &["println(\"a = $a\")", "print(\"here\")"], Some(Low));
    all("src/a.kt", around, &["log.println(a)", "// println(a)", "val a = \"println(a)\"", "printer(a)"], None);
    all("src/a.kt", ("fun main() {", "}"), &["println(\"here\")"], None);
    let around = ("func f() {", "}");
    all("Sources/a.swift", around, &["print(\"a: \\(a)\")", "debugPrint(a)"], Some(Low));
    all("Sources/a.swift", around, &["out.print(a)", "// print(a)", "let a = \"print(a)\"", "NSLog(a)"], None);
    all("Tests/a.swift", around, &["print(\"here\")"], None);
}

#[test]
fn shells_talk_by_printing() {
    all("a.sh", ("f() {", "}"), &["  print a", "  echo a", "  debugger_of a", "  println a"], None);
}

#[test]
fn what_is_told_to_show_values() {
    let rust = |above: &str| format!("{above}\nfn a() {{\n    let b = || dbg!(c);\n}}\n");
    check(&RULE, "src/a.rs", &rust(""), &[(3, Low)]);
    check(&RULE, "src/a.rs", &rust("#[allow(clippy::dbg_macro)]"), &[]);
    check(&RULE, "src/a.rs", &rust("#[allow(clippy::dbg_macro)] fn d() {\n}\n"), &[(5, Low)]);
    check(&RULE, "src/a.rs", &rust("#![allow(clippy::dbg_macro)] use e;"), &[]);
}

#[test]
fn stops_that_were_asked_for_are_meant() {
    let of = |above: &str, stop: &str| format!("def f():\n    {above}\n        {stop}\n");
    check(&RULE, "a.py", &of("if DEBUG_STEP == line:", "breakpoint()"), &[]);
    check(&RULE, "a.py", &of("elif config['debug']:", "pdb.set_trace()"), &[]);
    check(&RULE, "a.py", &of("if step == line:", "breakpoint()"), &[(3, Medium)]);
    check(&RULE, "a.js", "function f() {\n  if (opts.debug)\n    debugger;\n}\n", &[]);
    let handler = "signal.signal(signal.SIGINT, lambda *args: pdb.set_trace())";
    check(&RULE, "a.py", &of("if a:", handler), &[]);
    check(&RULE, "a.py", &of("if a:", &handler.replace("signal.signal(", "call(")), &[(3, Medium)]);
    let named = |name: &str| format!("def f(a, b):\n    breakpoint()\n\nsignal.signal(signal.SIGQUIT, {name})\n");
    check(&RULE, "a.py", &named("f"), &[]);
    check(&RULE, "a.py", &named("of"), &[(2, Medium)]);
    let rust =
        |word: &str| format!("fn f() {{\n    if options.{word} {{\n        println!(\"{{a:?}}\");\n    }}\n}}\n");
    for (word, expected) in
        [("emit_ir", vec![]), ("dump_rows", vec![]), ("emitter", vec![(3, Low)]), ("rows", vec![(3, Low)])]
    {
        check(&RULE, "src/a.rs", &rust(word), &expected);
    }
}
