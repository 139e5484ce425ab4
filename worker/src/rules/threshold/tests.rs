//! What a chosen number changes, for every number that there is.

use std::collections::BTreeSet;

use schemas::bundle::CommitFacts;
use schemas::severity::Severity::{self, Info, Low, Medium};

use crate::rules::ALL;
use crate::rules::testing::Sample::{self, Commit, File, Tree};
use crate::rules::testing::{change, commit, under};

/// A rule, a number in it, what it is tried on, and what is found there by number.
type Case = (&'static str, &'static str, Sample, &'static [(u64, &'static [Severity])]);

/// The mark, put together so that this file holds none.
const MARK: &str = concat!("TO", "DO: x");

fn of_servant() -> Vec<Case> {
    let inside = |line: &str, count: usize| File("a.rs", format!("fn a() {{\n{}}}\n", line.repeat(count)));
    let deep = File("a.rs", format!("fn a() {{ {}{} }}\n", "if b { ".repeat(6), "}".repeat(6)));
    let wide = File("a.rs", format!("fn a({}) {{ b() }}\n", "a: u8, ".repeat(9)));
    let statics = |count: usize| File("a.rs", "static A: u8 = 1;\n".repeat(count));
    let noted = |marks: usize, lines: usize| {
        let notes: String = (0..marks).map(|number| format!("// {MARK} {number}\n")).collect();
        File("a.rs", format!("{notes}{}", "x\n".repeat(lines - marks)))
    };
    let copy: String =
        (0..20).map(|at| format!("    let v{at} = compute_{at}(x, other_{at}) + table_{at};\n")).collect();
    let copy = format!("fn sum(x: u32) -> u32 {{\n{copy}    x\n}}\n");
    let copies = || Tree(vec![("a.rs", copy.clone()), ("b.rs", copy.clone())]);
    let folder = |stubs: usize, plain: usize| {
        let stubs = "fn a() { todo!() }\n".repeat(stubs);
        Tree(vec![("pay/a.rs", format!("{stubs}{}", "fn b() { c(); d(); }\n".repeat(plain)))])
    };
    vec![
        (
            "servant/complexity",
            "paths_max",
            inside("if b { c(); }\n", 11),
            &[(12, &[]), (11, &[Low]), (6, &[Low]), (5, &[Medium]), (3, &[Medium]), (2, &[Medium])],
        ),
        ("servant/deep-nesting", "depth_max", deep, &[(6, &[]), (5, &[Low]), (4, &[Low]), (3, &[Medium])]),
        ("servant/duplicate-block", "lines_min", copies(), &[(10, &[Medium]), (30, &[])]),
        // Twenty lines of fourteen tokens.
        ("servant/duplicate-block", "tokens_min", copies(), &[(150, &[Medium]), (300, &[])]),
        (
            "servant/function-too-long",
            "lines_max",
            inside("b();\n", 28),
            &[(30, &[]), (29, &[Low]), (15, &[Low]), (14, &[Medium])],
        ),
        ("servant/god-module", "lines_max", statics(30), &[(30, &[]), (29, &[Low]), (15, &[Low]), (14, &[Medium])]),
        (
            "servant/god-module",
            "symbols_max",
            File("a.rs", "pub fn a() { b() }\n".repeat(10)),
            &[(10, &[]), (9, &[Low])],
        ),
        ("servant/shallow-module", "functions_min", folder(2, 2), &[(5, &[]), (4, &[Medium])]),
        ("servant/shallow-module", "stubs_percent_max", folder(4, 6), &[(40, &[]), (39, &[Medium])]),
        ("servant/todo-density", "lines_min", noted(10, 20), &[(21, &[]), (20, &[Medium])]),
        (
            "servant/todo-density",
            "marks_percent_max",
            noted(8, 100),
            &[(8, &[]), (7, &[Low]), (4, &[Low]), (3, &[Medium])],
        ),
        ("servant/too-many-params", "parameters_max", wide, &[(9, &[]), (8, &[Low]), (6, &[Low]), (5, &[Medium])]),
    ]
}

fn of_others() -> Vec<Case> {
    let large = |files: usize, lines: u32| {
        let changes = (0..files).map(|at| change(&format!("src/{at}.rs"), lines)).collect();
        Commit(CommitFacts { changes, ..commit("Rework everything there is") })
    };
    let offers = |documented: usize, bare: usize| {
        let name = |at: usize| format!("pub fn a{at}(z: u8) {{\n{}}}\n", "b();\n".repeat(5));
        let documented: String = (0..documented).map(|at| format!("/// A.\n{}", name(at))).collect();
        let bare: String = (0..bare).map(|at| name(at + 100)).collect();
        File("src/a.rs", format!("{documented}{bare}"))
    };
    let excluded = || Tree(vec![("a.py", "b()  # pragma: no cover\n".repeat(3))]);
    let module = |name: &str, branches: usize| {
        format!("def {name}(x):\n{}    return x\n", "    if x > y():\n        return z(x)\n".repeat(branches))
    };
    let modules = |untested: &[&'static str]| {
        let tests = ("tests/test_all.py", "import a\nimport b\nimport c\n".to_owned());
        let tested = ["lib/a.py", "lib/b.py", "lib/c.py"].map(|path| (path, module("f", 9)));
        let untested = untested.iter().map(|path| (*path, module("discount", 7)));
        Tree(tested.into_iter().chain(untested).chain([tests]).collect())
    };
    vec![
        ("git/commit-subject", "characters_min", Commit(commit("add foo")), &[(7, &[]), (8, &[Low])]),
        ("git/commit-subject", "characters_min", Commit(commit("追加した")), &[(9, &[]), (10, &[Low])]),
        ("git/commit-subject", "columns_max", Commit(commit("Read the clock only once")), &[(24, &[]), (23, &[Low])]),
        ("git/oversized-commit", "files_max", large(3, 1), &[(3, &[]), (2, &[Medium])]),
        ("git/oversized-commit", "lines_max", large(3, 5), &[(15, &[]), (14, &[Medium])]),
        ("sages/undocumented-api", "bare_percent_max", offers(3, 7), &[(70, &[]), (69, &[Info])]),
        ("sages/undocumented-api", "symbols_min", offers(1, 5), &[(7, &[]), (6, &[Info])]),
        ("tdd/coverage-exclusion", "file_marks_min", excluded(), &[(4, &[]), (3, &[Low])]),
        ("tdd/coverage-exclusion", "tree_marks_max", excluded(), &[(3, &[]), (2, &[Low])]),
        ("tdd/module-without-test", "decisions_min", modules(&["lib/prices.py"]), &[(8, &[]), (7, &[Info])]),
        (
            "tdd/module-without-test",
            "share_percent_max",
            modules(&["lib/prices.py", "lib/taxes.py"]),
            &[(40, &[Info, Info]), (39, &[])],
        ),
    ]
}

#[test]
fn a_chosen_number_changes_what_is_found() {
    let cases: Vec<Case> = of_servant().into_iter().chain(of_others()).collect();
    for (id, name, sample, by_number) in &cases {
        let rule = ALL.iter().find(|rule| rule.id == *id).unwrap();
        for (number, expected) in *by_number {
            assert_eq!(under(rule, (name, *number), sample), *expected, "{id} with {name} = {number}");
        }
    }
    let tried: BTreeSet<(&str, &str)> = cases.iter().map(|(id, name, ..)| (*id, *name)).collect();
    let names = |rule: &&'static crate::rules::Rule| {
        let id = rule.id;
        rule.thresholds.iter().map(move |threshold| (id, threshold.name)).collect::<Vec<_>>()
    };
    assert_eq!(tried, ALL.iter().flat_map(names).collect(), "each number is tried");
}
