//! Code in comments, and comments that only look like code.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{self, Low};

const RUST: &str = "let rows = load(path)?;\nfor row in &rows {\n    if row.is_open() {\n        close(row)?;\n    }\n}\nlog(rows.len());\nOk(());";
const PYTHON: &str =
    "rows = load(path)\nfor row in rows:\n    if row.is_open:\n        row.close()\nlog.info(rows)\nreturn rows";
const GO: &str = "rows, err := load(path)\nif err != nil {\n\treturn err\n}\nfor _, row := range rows {\n\trow.Close()\n}\nreturn nil";
const SCRIPT: &str = "const rows = load(path)\nfor (const row of rows) {\n  row.close()\n}\nif (rows.length) {\n  log(rows)\n}\nreturn rows";

const SHARP: &str = "var rows = Load(path);\nforeach (var row in rows) {\n    if (row.IsOpen) {\n        row.Close();\n    }\n}\nLog(rows.Count);\nreturn rows;";
const PHP: &str = "$rows = load($path);\nforeach ($rows as $row) {\n    if ($row->isOpen()) {\n        $row->close();\n    }\n}\nlog($rows);\nreturn $rows;";
const RUBY: &str = "rows = load(path)\nrows.each(&close)\nlog(rows)\nrow = rows.first\nrow.close()\nreturn rows";
const KOTLIN: &str =
    "val rows = load(path)\nfor (row in rows) {\n    row.close()\n}\nlog(rows)\nval last = rows.last()\nreturn last";
const SWIFT: &str =
    "let rows = load(path)\nfor row in rows {\n    row.close()\n}\nlog(rows)\nlet last = rows.last\nreturn last";

/// `code` behind `mark`, with real code above and below.
fn commented(around: &str, before: &str, mark: &str, code: &str) -> String {
    let lines: String = before.lines().chain(code.lines()).map(|line| format!("{mark}{line}\n")).collect();
    format!("{around}\n{lines}{around}\n")
}

/// The languages with their marks, a line of code, and a piece of code.
const LANGUAGES: &[(&str, &str, &str, &str)] = &[
    ("a.rs", "// ", "const A: u8 = 1;", RUST),
    ("a.py", "# ", "a = 1", PYTHON),
    ("a.go", "// ", "var a = 1", GO),
    ("a.js", "// ", "let a = 1", SCRIPT),
    ("a.ts", "//", "let a = 1", SCRIPT),
    ("a.tsx", "// ", "let a = 1;", RUST),
    ("A.cs", "// ", "using A;", SHARP),
    ("a.php", "# ", "?><?php $a = 1;", PHP),
    ("a.rb", "# ", "a = 1", RUBY),
    ("A.kt", "// ", "val a = 1", KOTLIN),
    ("a.swift", "// ", "let a = 1", SWIFT),
];

#[track_caller]
fn all(before: &str, expected: &[(u32, Severity)]) {
    for (path, mark, around, code) in LANGUAGES {
        check(&RULE, path, &commented(around, before, mark, code), expected);
    }
}

#[test]
fn code_in_comments_is_found_in_every_language() {
    all("", &[(2, Low)]);
    all("This waits for the new loader to come.", &[(3, Low)]);
}

#[test]
fn comments_with_empty_lines_between_them_are_one() {
    let function = "// fn f() {\n//     g(1);\n//     h(2);\n// }\n\n";
    check(&RULE, "a.rs", &function.repeat(6), &[(1, Low)]);
    check(&RULE, "a.rs", &function.replace("\n\n", "\nconst A: u8 = 1;\n").repeat(6), &[]);
}

#[test]
fn code_in_one_block_comment_is_found() {
    check(&RULE, "a.js", &format!("let a = 1\n/*\n{SCRIPT}\n*/\n"), &[(3, Low)]);
    check(&RULE, "a.rs", &format!("const A: u8 = 1;\n/*\n{RUST}\n*/\n"), &[(3, Low)]);
    check(&RULE, "a.go", &format!("package a\n/*\n{GO}\n*/\n"), &[(3, Low)]);
}

#[test]
fn samples_and_licences_are_left_alone() {
    all("It is used as follows:", &[]);
    all("An example of what that looks like", &[]);
    all("Copyright 2020 Somebody", &[]);
}

#[test]
fn code_indented_below_a_sentence_is_a_sample() {
    for (path, mark, around, code) in LANGUAGES {
        let indented: String = code.lines().map(|line| format!("    {line}\n")).collect();
        check(&RULE, path, &commented(around, "Loads all rows of the table at once.", mark, &indented), &[]);
    }
}

#[test]
fn documentation_is_left_alone() {
    check(&RULE, "a.rs", &commented("const A: u8 = 1;", "", "/// ", RUST), &[]);
    check(&RULE, "a.js", &format!("/**\n{SCRIPT}\n*/\nlet a = 1\n"), &[]);
    check(&RULE, "a.py", &format!("def f():\n    \"\"\"\n{PYTHON}\n    \"\"\"\n"), &[]);
}

#[test]
fn five_statements_are_few() {
    for (path, mark, around, _) in LANGUAGES {
        check(&RULE, path, &commented(around, "", mark, "a = f(1);\n".repeat(5).as_str()), &[]);
        check(&RULE, path, &commented(around, "", mark, "a = f(1);\n".repeat(6).as_str()), &[(2, Low)]);
    }
}

#[test]
fn prose_tables_and_drawings_are_no_code() {
    let texts = [
        "If the rows are open they are closed first;\n".repeat(8),
        "+------+------+\n| a    | b    |\n".repeat(6),
        "  /\\_/\\   ( o.o )\n   > ^ <\n".repeat(6),
        "- first item, with a word or two\n- second\n".repeat(6),
        "0x00 = none   0x01 = some\n".repeat(8),
    ];
    for (path, mark, around, _) in LANGUAGES {
        for text in &texts {
            check(&RULE, path, &commented(around, "", mark, text), &[]);
        }
    }
}

#[test]
fn comments_behind_code_are_notes() {
    check(&RULE, "a.rs", &"f(1); // g = h(2);\n".repeat(8), &[]);
    check(&RULE, "a.py", &"f(1)  # g = h(2)\n".repeat(8), &[]);
}

#[test]
fn settings_of_shell_scripts_are_no_code() {
    check(&RULE, "a.sh", &format!("a=1\n{}b=2\n", "# HOME_OF_IT=/srv/it\n".repeat(8)), &[]);
    check(&RULE, "run", &format!("#!/bin/sh\n{}b=2\n", "# f=g\n".repeat(8)), &[]);
}

#[test]
fn where_values_come_from_is_no_code_left_behind() {
    let code = format!("from mpmath import mp\nimport numpy as np\n{PYTHON}");
    let run = |before: &str, expected: &[_]| check(&RULE, "a.py", &commented("a = 1", before, "# ", &code), expected);
    run("The values were calculated with mpmath:", &[]);
    run("The values were calculated with mpmath", &[]);
    run("Waits for the new loader to come", &[]);
    let code = code.replace("mpmath", "shop");
    let run = |before: &str, expected: &[_]| check(&RULE, "a.py", &commented("a = 1", before, "# ", &code), expected);
    run("Waits for the new loader to come", &[(3, Low)]);
}

#[test]
fn samples_go_on_below_sentences_in_them() {
    let before = "An example of loading:\nrows = load(path)\nThese are all the rows there are.";
    all(before, &[]);
    all("Example:", &[]);
    all("You may uncomment this on your own machine to look at it.", &[]);
}

#[test]
fn c_above_its_import_is_code_of_its_own() {
    let c = "static int f(int a) {\n  int b = g(a);\n  int c = h(b);\n  if (c) {\n    b = h(c);\n  }\n  i(b);\n  return b;\n}";
    check(&RULE, "a.go", &format!("package a\n\n/*\n{c}\n*/\nimport \"C\"\n"), &[]);
    check(&RULE, "a.go", &format!("package a\n\n/*\n{c}\n*/\nimport \"D\"\n"), &[(4, Low)]);
}

#[test]
fn code_that_a_tool_reads_and_copies_of_libraries_are_no_code_left_behind() {
    for (mark, expected) in [("/*JNI", &[][..]), ("/*", &[(4, Low)])] {
        check(&RULE, "A.cs", &format!("using A;\n\n{mark}\n{SHARP}\n*/\n"), expected);
    }
    for (notice, expected) in [("public domain", &[][..]), ("public", &[(3, Low)])] {
        check(
            &RULE,
            "A.cs",
            &format!("// Was put in the {notice}\n{}", commented("using A;", "", "// ", SHARP)),
            expected,
        );
    }
}

#[test]
fn records_of_a_protocol_are_no_code_outside_of_c() {
    let of = |last: &str| {
        let fields: String = (0..7).map(|number| format!("     *     uint8 field_{number}[4];\n")).collect();
        format!("void f() {{\n    /*\n     * struct {{\n{fields}     * {last}\n     */\n    g();\n}}\n")
    };
    check(&RULE, "A.cs", &of("} Cart;"), &[]);
    check(&RULE, "a.c", &of("} Cart;"), &[(3, Low)]);
    check(&RULE, "A.cs", &of("}"), &[(3, Low)]);
}

#[test]
fn formulas_and_lists_are_no_assignments() {
    for line in ["x1 = A1 x1 + B1 u1\n", "type = first register\n", "N = 1  -- period 64\n"] {
        check(&RULE, "a.py", &commented("a = 1", "", "# ", &line.repeat(8)), &[]);
    }
    check(&RULE, "a.py", &commented("a = 1", "", "# ", &"a = f(b) and g(c)\n".repeat(8)), &[(2, Low)]);
}

#[test]
fn code_that_documentation_sets_off_by_a_tab_is_a_sample() {
    check(&RULE, "a.go", &commented("var a = 1", "", "//\t", GO), &[(2, Low)]);
    let code = GO.replace('\n', "\n//\t");
    check(&RULE, "a.go", &format!("package a\n\n// The reader takes all of the rows using\n//\n//\t{code}\n"), &[]);
    check(&RULE, "a.go", &commented("var a = 1", "output:", "// ", GO), &[]);
}

#[test]
fn one_comment_is_one_finding() {
    let twice = |between: &str| format!("{RUST}\n{between}\n{RUST}");
    check(&RULE, "a.rs", &commented("const A: u8 = 1;", "", "// ", &twice("This waits for the loader.")), &[(2, Low)]);
    let apart = commented("const A: u8 = 1;", "", "// ", RUST);
    check(&RULE, "a.rs", &format!("{apart}{apart}"), &[(2, Low), (12, Low)]);
}

#[test]
fn settings_and_what_tests_read_are_no_code_left_behind() {
    for (path, mark, around, code) in LANGUAGES {
        let text = commented(around, "", mark, code);
        for place in ["config/", "config.sample.", "settings.", "tests/data/cases/", "examples/"] {
            check(&RULE, &format!("{place}{path}"), &text, &[]);
        }
        check(&RULE, &format!("src/{path}"), &text, &[(2, Low)]);
    }
}

#[test]
fn a_plain_comment_above_a_definition_documents_it() {
    let of = |first: &str, below: &str| {
        let lines: String = GO.lines().map(|line| format!("// {line}\n")).collect();
        format!("package a\n\n// {first}\n{lines}{below}func f() {{\n\tg()\n}}\n")
    };
    check(&RULE, "a.go", &of("The reader takes all of the rows.", ""), &[]);
    check(&RULE, "a.go", &of("The reader takes all of the rows.", "\n"), &[(4, Low)]);
    check(&RULE, "a.go", &of("var rows []Row", ""), &[(3, Low)]);
    check(&RULE, "a.go", &of("See https://a.test/b for what that is.", "\n"), &[]);
}

#[test]
fn tags_and_pseudocode_are_no_code_of_the_file() {
    let calls = "# run(a)\n# save(b)\n# close(c)\n# stop(d)\n# wait(e)\n# a = f(b)\n";
    check(&RULE, "a.rb", &format!("x = 1\n\n{calls}\ny = 2\n"), &[(3, Low)]);
    check(&RULE, "a.rb", &format!("x = 1\n\n# @param [String] a\n{calls}\ny = 2\n"), &[]);
    check(&RULE, "benchmarks/a.rb", &format!("x = 1\n\n{calls}\ny = 2\n"), &[]);
    let told = "    //   a = f(b)\n    //   c = g(a)\n    //   d = h(c)\n    //   e = i(d)\n    //   k = l(e)\n    //   return k\n";
    let of = |head: &str| format!("fn f() {{\n    {head}\n{told}\n    g()\n}}\n");
    check(&RULE, "a.rs", &of("// def Open(b):"), &[]);
    check(&RULE, "a.rs", &of("// if b == c {"), &[(2, Low)]);
}

#[test]
fn formats_of_settings_are_no_code() {
    let of = |first: &str| {
        format!(
            "def load(path):\n    # {first}\n    # allow=a,b\n    # deny=c,d\n    # order=allow,deny\n    # [other]\n    # allow=e\n    # deny=f\n    # order=deny\n    return read(path)\n"
        )
    };
    check(&RULE, "a.py", &of("[access]"), &[]);
    check(&RULE, "a.py", &of("[access]").replace("[other]", "b = find(c)"), &[(3, Low)]);
}

#[test]
fn former_code_with_the_reason_why_it_is_gone_is_told() {
    let of = |sentence: &str| {
        format!("def load(path):\n    # {sentence}\n{}    return read(path)\n", "    # a = find(b)\n".repeat(7))
    };
    check(&RULE, "a.py", &of("This is the original code of it, but the compiler breaks the loop"), &[]);
    check(&RULE, "a.py", &of("This is the original code of it, with the whole of the loop"), &[(3, Low)]);
    check(&RULE, "a.py", &of("This is gone for now, but the compiler breaks the loop"), &[(3, Low)]);
}
