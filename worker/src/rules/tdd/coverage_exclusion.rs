//! Code that is taken out of the coverage report.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use schemas::facts::{FileFacts, Repeated, Tree};
use schemas::severity::Severity;

use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};

rule!(
    /// ## What it finds
    /// Marks that take code out of the coverage report, such as `# pragma: no cover`, `istanbul ignore next`,
    /// `#[coverage(off)]`, `LCOV_EXCL_LINE` and `//coverage:ignore`: five or more of them in one file (medium), and more than
    /// fifty in the whole repository (medium, reported once, at the file that has most of them).
    ///
    /// Marks on main guards, on code for type checkers, on abstract methods and on debug output are left alone, and so are
    /// those on functions that are there for their types (`_A: (_: never) => _`) and those that say why they are there.
    /// Copies of libraries and generated files are left alone too.
    ///
    /// ## Why it matters
    /// A coverage figure is worth what it leaves out. Each mark looks harmless where it stands; together they make the figure
    /// say what its authors wish.
    ///
    /// ## Example
    /// ```text
    /// def refund(order):  # pragma: no cover
    ///     return gateway.send(order)
    /// ```
    ///
    /// ## How to fix
    /// Test the code, or delete it. Where neither can be done, leave it in the report: a low figure is honest.
    "tdd/coverage-exclusion", Tdd, Medium, version: 3, thresholds: &[&FILE_MARKS_MIN, &TREE_MARKS_MAX],
    Check::Tree { facts_version: 1, collect, judge }
);

/// Fewer are exceptions.
const FILE_MARKS_MIN: Threshold = Threshold {
    name: "file_marks_min",
    default: 5,
    min: 1,
    max: 10_000,
    doc: "fewest marks in one file that are too many",
};

/// Beyond this the figure of a repository means little.
const TREE_MARKS_MAX: Threshold =
    Threshold { name: "tree_marks_max", default: 50, min: 0, max: 100_000, doc: "most marks in the whole repository" };

/// Marks in comments, lower case.
const COMMENT_MARKS: &[&str] = &[
    "pragma: no cover",
    "pragma: no branch",
    "istanbul ignore",
    "c8 ignore",
    "v8 ignore",
    "node:coverage ignore",
    "node:coverage disable",
    "coverage:ignore",
    "lcov_excl_line",
    "lcov_excl_start",
    "gcov_excl_line",
    "gcov_excl_start",
    "grcov-excl-line",
    "grcov-excl-start",
];

/// Marks in attributes of Rust.
const ATTRIBUTE_MARKS: &[&str] = &["coverage(off)", "no_coverage", "not(tarpaulin_include)"];

/// What may stand on the line of a mark, or on the one after it: nobody expects that code to be tested.
const EXPECTED: &[&str] = &[
    "__main__",
    "TYPE_CHECKING",
    "__repr__",
    "__str__",
    "NotImplementedError",
    "abstractmethod",
    "@overload",
    "Debug for",
    "Display for",
    "fn fmt(",
    "func main(",
    "unreachable!",
    "(_: never) =>",
    "(_: unknown) =>",
    "(_: any) =>",
];

/// Fewest letters behind a mark that say why it is there.
const REASON_LETTERS_MIN: usize = 12;

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    let is_rust = file.source.path.ends_with(".rs");
    if file.is_foreign() {
        return file.outline.gap.is_none();
    }
    let comments = file.outline.comments.iter().filter(|span| is_unexplained_mark(file.text(span)));
    let attributes = file.source.lines().filter(|line| is_rust && is_attribute_mark(file, line));
    let mut marks: Vec<Span> = comments.cloned().chain(attributes).filter(|span| !is_expected(file, span)).collect();
    marks.sort_by_key(|span| span.start);
    told.facts.coverage_exclusions = marks.first().map(|first| Repeated {
        count: u32::try_from(marks.len()).unwrap_or(u32::MAX),
        first: file.spot(first.clone()),
    });
    file.outline.gap.is_none()
}

static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let built = AhoCorasick::builder().ascii_case_insensitive(true).build(COMMENT_MARKS);
    built.expect("a dozen short marks fit every limit of the automaton")
});

/// Whether `comment` is a mark and says nothing else behind it.
fn is_unexplained_mark(comment: &str) -> bool {
    if !MARKS.is_match(comment) {
        return false;
    }
    let text = comment.to_ascii_lowercase();
    let rest = COMMENT_MARKS.iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest);
    // `next`, `if`, `else` and `start` belong to the mark.
    rest.is_some_and(|rest| rest.chars().filter(|c| c.is_alphabetic()).count() < REASON_LETTERS_MIN)
}

fn is_attribute_mark(file: &File<'_>, line: &Span) -> bool {
    let text = file.text(line).trim_start();
    (text.starts_with("#[") || text.starts_with("#!["))
        && ATTRIBUTE_MARKS.iter().any(|mark| text.contains(mark))
        && !file.outline.is_quoted(line.end - text.len())
}

/// Whether nobody expects the marked code to be tested: by the line of the mark, or the next one with code.
fn is_expected(file: &File<'_>, mark: &Span) -> bool {
    let line = file.source.line_of(mark.start);
    let shows = |index| {
        let text = file.text(&file.source.line_span(index));
        EXPECTED.iter().any(|word| text.contains(word))
    };
    shows(line) || shows(line + 1)
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    let marks = |file: &FileFacts| file.facts.coverage_exclusions.as_ref().map_or(0, |marks| u64::from(marks.count));
    let least = found.threshold(&FILE_MARKS_MIN);
    let asked: Vec<&FileFacts> =
        tree.files.iter().filter(|file| marks(file) > 0 && tree.is_asked(&file.path)).collect();
    for file in asked.iter().filter(|file| marks(file) >= least) {
        let message = format!("{} marks in this file take code out of the coverage report", marks(file));
        push(found, file, Severity::Medium, message, "file");
    }
    let sum = tree.files.iter().map(marks).fold(0, u64::saturating_add);
    if sum <= found.threshold(&TREE_MARKS_MAX) {
        return;
    }
    // The first of those that have most, so that it is the same one whatever the order.
    let most = asked.iter().max_by(|a, b| marks(a).cmp(&marks(b)).then_with(|| b.path.cmp(&a.path)));
    if let Some(file) = most {
        let message =
            format!("{sum} marks in this repository take code out of the coverage report; {} are here", marks(file));
        push(found, file, Severity::Medium, message, "repository");
    }
}

fn push(found: &mut Findings<'_>, file: &FileFacts, severity: Severity, message: String, mark: &str) {
    let Some(marks) = &file.facts.coverage_exclusions else { return };
    found.push(Hit {
        place: Place::of_spot(&file.path, &marks.first).marked(mark),
        severity,
        confidence_permille: 900,
        message,
        suggestion: "test the code or delete it; a low figure is more honest than one that leaves things out",
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemas::severity::Severity::Medium;

    use super::RULE;
    use crate::rules::testing::{check_tree, tree, tree_findings};

    /// Five times `mark`.
    fn five(mark: &str) -> String {
        format!("{mark}\n").repeat(5)
    }

    #[test]
    fn rust() {
        let run = |text: &str, expected: &[_]| check_tree(&RULE, &[("src/a.rs", text)], expected);
        run(&five("#[coverage(off)]\nfn a() {}"), &[("src/a.rs", 1, Medium)]);
        run(&five("fn a() {} // LCOV_EXCL_LINE"), &[("src/a.rs", 1, Medium)]);
        run(&five("#[cfg(not(tarpaulin_include))]\nfn a() {}"), &[("src/a.rs", 1, Medium)]);
        run(&"#[coverage(off)]\nfn a() {}\n".repeat(4), &[]);
        run(&five("#[coverage(off)]\nimpl fmt::Debug for A {}"), &[]);
        run(&five("const A: &str = \"\n#[coverage(off)]\n\";"), &[]);
        run(&five("fn coverage(off: bool) {}"), &[]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check_tree(&RULE, &[("a.py", text)], expected);
        run(&five("a = 1  # pragma: no cover"), &[("a.py", 1, Medium)]);
        run(&five("if a:  # pragma: no branch\n    b()"), &[("a.py", 1, Medium)]);
        run(&five("if __name__ == '__main__':  # pragma: no cover\n    main()"), &[]);
        run(&five("def __repr__(self):  # pragma: no cover\n    return ''"), &[]);
        run(&five("a = '# pragma: no cover'"), &[]);
    }

    #[test]
    fn go() {
        let run = |text: &str, expected: &[_]| check_tree(&RULE, &[("a.go", text)], expected);
        run(&format!("package a\n{}", five("//coverage:ignore")), &[("a.go", 2, Medium)]);
        run(&format!("package a\n{}", five("var A = 1 // coverage:ignore")), &[("a.go", 2, Medium)]);
        run(&format!("package a\n{}", five("// coverage is ignored here")), &[]);
        run(&format!("package a\n{}", five("//coverage:ignore\nfunc main() {}")), &[]);
        run(&format!("package a\n{}", five("var A = \"//coverage:ignore\"")), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let run = |text: &str, expected: &[_]| check_tree(&RULE, &[(path, text)], expected);
            run(&five("/* istanbul ignore next */\na();"), &[(path, 1, Medium)]);
            run(&five("// c8 ignore next\na();"), &[(path, 1, Medium)]);
            run(&five("/* v8 ignore next */\na();"), &[(path, 1, Medium)]);
            run(&five("a('istanbul ignore next');"), &[]);
            run(&five("// see what istanbul says, and ignore it\na();"), &[]);
            run(&format!("// Code generated by a tool. DO NOT EDIT\n{}", five("/* c8 ignore next */")), &[]);
        }
    }

    #[test]
    fn more_than_fifty_in_a_repository_are_one_finding_where_most_of_them_are() {
        let four = "a = 1  # pragma: no cover\n".repeat(4);
        let names: Vec<String> = (10..22).map(|number| format!("{number}.py")).collect();
        let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), four.as_str())).collect();
        check_tree(&RULE, &files, &[]);
        let three = "a = 1  # pragma: no cover\n".repeat(3);
        files.push(("9.py", &three));
        check_tree(&RULE, &files, &[("10.py", 1, Medium)]);
    }

    #[test]
    fn an_audit_of_a_change_speaks_of_changed_files_only() {
        let text = "a = 1  # pragma: no cover\n".repeat(30);
        let mut whole = tree(&RULE, &[("a.py", &text), ("b.py", &text), ("c.py", "")]);
        assert_eq!(tree_findings(&RULE, &whole).len(), 3);
        for (changed, expected) in [("b.py", 2), ("c.py", 0)] {
            whole.changed = Some(BTreeSet::from([changed.to_owned()]));
            let found = tree_findings(&RULE, &whole);
            assert_eq!(found.len(), expected);
            assert!(found.iter().all(|finding| crate::rules::testing::path(finding) == changed));
        }
    }

    #[test]
    fn c_and_cpp() {
        for path in ["a.c", "a.cc", "a.hpp"] {
            let run = |text: &str, expected: &[_]| check_tree(&RULE, &[(path, text)], expected);
            run(&five("int a; // LCOV_EXCL_LINE"), &[(path, 1, Medium)]);
            run(&five("/* GCOV_EXCL_START */"), &[(path, 1, Medium)]);
            run(&five("// lines are excluded here"), &[]);
            run(&five("const char *a = \"// LCOV_EXCL_LINE\";"), &[]);
            run(&"int a; // LCOV_EXCL_LINE\n".repeat(4), &[]);
        }
    }
}
