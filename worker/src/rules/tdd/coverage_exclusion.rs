//! Code that is taken out of the coverage report.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use schemas::facts::{FileFacts, Repeated, Tree};
use schemas::severity::Severity;

use crate::lines::indent;
use crate::names;
use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};

rule!(
    /// ## What it finds
    /// Marks that take code out of the coverage report, such as `# pragma: no cover`, `istanbul ignore next`,
    /// `#[coverage(off)]`, `LCOV_EXCL_LINE` and `//coverage:ignore`: five or more of them in one file (medium), and more than
    /// fifty in the whole repository (medium, reported once, at the file that has most of them).
    ///
    /// Marks on main guards, on code for type checkers, on abstract methods and on debug output are left alone, and so are
    /// those on functions that are there for their types (`_A: (_: never) => _`), on code that is deprecated, for another
    /// platform or version, or for a dependency that is missing
    /// (`else` of such a condition, too), on branches that cannot be reached, and those that say why they
    /// are there, behind the mark or in a comment on the line above. So are functions and conditions that name a platform, or
    /// say that they are for benchmarks. `no branch` takes no code out. Tests, modules named `testing`, copies of libraries
    /// and generated files are left alone too.
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
    "tdd/coverage-exclusion", Tdd, Medium, version: 5, thresholds: &[&FILE_MARKS_MIN, &TREE_MARKS_MAX],
    Check::Tree { facts_version: 3, collect, judge }
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
    "(_: any) =>",
    "(_: never) =>",
    "(_: unknown) =>",
    "@overload",
    "@typing.overload",
    "DEBUG",
    "Debug for",
    "Display for",
    "HAS_",
    "HAVE_",
    "ImportError",
    "LoadError",
    "ModuleNotFoundError",
    "NotImplemented",
    "TYPE_CHECKING",
    "UnsupportedOperation",
    "__main__",
    "__repr__",
    "__str__",
    "abstract",
    "assert False",
    "assertNever",
    "assert_never",
    "assert_unreachable",
    "cfg!(",
    "fn fmt(",
    "func main(",
    "hasattr(",
    "impossible",
    "is_available",
    "is_jython",
    "is_pypy",
    "os.name",
    "os.platform",
    "platform.",
    "process.platform",
    "python_implementation",
    "sys.platform",
    "sys.version",
    "typeof document",
    "typeof globalThis",
    "typeof process",
    "typeof self",
    "typeof window",
    "unreachable",
    "win32",
];

/// Beginnings of such code in the rest of what a mark stands on: a function that only warns that it will go.
const DEPRECATED: &[&str] = &["deprecat", "warnings.warn(", "warn_deprecated"];

/// Lines of a function after its mark that show whether it is deprecated: its documentation may stand first.
const DEPRECATED_LINES_MAX: usize = 10;

/// Fewest letters behind a mark that say why it is there.
const REASON_LETTERS_MIN: usize = 6;

/// Fewest letters of a comment above a mark that say why it is there.
const COMMENT_LETTERS_MIN: usize = 12;

/// Words of a mark that ends what another one began.
const ENDS: &[&str] = &["end", "stop"];

/// Words that belong to a mark.
const MARK_WORDS: &[&str] = &["all", "br", "else", "end", "file", "if", "line", "lines", "next", "start", "stop"];

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    let is_rust = file.source.path.ends_with(".rs");
    if file.is_foreign() || file.is_test() || crate::paths::file_name(file.source.path) == "testing.py" {
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
    rest.is_some_and(|rest| {
        let words = || rest.split(|c: char| !c.is_alphabetic());
        let letters = words().filter(|word| !MARK_WORDS.contains(word)).map(str::len).sum::<usize>();
        letters < REASON_LETTERS_MIN && !words().any(|word| ENDS.contains(&word))
    })
}

fn is_attribute_mark(file: &File<'_>, line: &Span) -> bool {
    let text = file.text(line).trim_start();
    (text.starts_with("#[") || text.starts_with("#!["))
        && ATTRIBUTE_MARKS.iter().any(|mark| text.contains(mark))
        && !file.outline.is_quoted(line.end - text.len())
}

/// Whether nobody expects the marked code to be tested: by the line of the mark or the next one with code, by a comment above,
/// or because it is a part of tests or deprecated.
fn is_expected(file: &File<'_>, mark: &Span) -> bool {
    let line = file.source.line_of(mark.start);
    let text = |index: usize| file.text(&file.source.line_span(index));
    let shows = |index| EXPECTED.iter().any(|word| text(index).contains(word));
    shows(line)
        || shows(line + 1)
        || names_platform(text(line))
        || is_for_measuring(file, line)
        || file.outline.is_test_code(mark.start)
        || is_explained_above(file, line)
        || is_deprecated(file, line)
        || (file.source.path.ends_with(".py") && (is_other_branch(file, line) || is_without_module(file, line)))
}

/// Names of platforms: code for one is tested there alone.
const PLATFORMS: &[&str] = &[
    "aix",
    "android",
    "cygwin",
    "darwin",
    "emscripten",
    "freebsd",
    "hpux",
    "ios",
    "junos",
    "linux",
    "macos",
    "netbsd",
    "openbsd",
    "osx",
    "solaris",
    "sunos",
    "win32",
    "windows",
    "wasm",
];

/// Whether a function or a condition with a mark names a platform: `def _sunos_cpus():`, `if is_windows:`.
fn names_platform(line: &str) -> bool {
    let code = line.split(['#', '/']).next().unwrap_or_default();
    let is_head = ["def ", "class ", "fn ", "func ", "function ", "if ", "elif ", "if(", "else if"];
    is_head.iter().any(|head| code.contains(head))
        && [code, &code.to_ascii_lowercase()]
            .iter()
            .flat_map(|code| names::words(code))
            .any(|word| PLATFORMS.contains(&word.as_str()))
}

/// Whether the function whose head is marked on `line` says below that it is for measuring.
fn is_for_measuring(file: &File<'_>, line: usize) -> bool {
    let text = |index: usize| file.text(&file.source.line_span(index));
    let is_head = text(line).split('#').next().is_some_and(|code| code.trim_end().ends_with(':'));
    is_head && (line..=line + 2).any(|index| text(index).to_ascii_lowercase().contains("benchmark"))
}

/// Lines above a mark in which the condition of its branch is looked for.
const BRANCH_LINES_MAX: usize = 30;

/// Whether the mark is on the `else` of a condition that depends on the version, the platform or what is installed.
fn is_other_branch(file: &File<'_>, line: usize) -> bool {
    let text = |index: usize| file.text(&file.source.line_span(index));
    let own = text(line);
    if !own.trim_start().starts_with("else") {
        return false;
    }
    let mut above = (line.saturating_sub(BRANCH_LINES_MAX)..line).rev().map(text);
    let head = above.find(|head| !head.trim().is_empty() && indent(head) <= indent(own));
    head.is_some_and(|head| {
        let is_condition = ["if ", "elif "].iter().any(|word| head.trim_start().starts_with(word));
        is_condition && indent(head) == indent(own) && EXPECTED.iter().any(|word| head.contains(word))
    })
}

/// Whether the mark is on code that runs only where something that the file imports is missing: `if yaml is None:`.
fn is_without_module(file: &File<'_>, line: usize) -> bool {
    let text = |index: usize| file.text(&file.source.line_span(index));
    let own = text(line);
    let mut above = (line.saturating_sub(BRANCH_LINES_MAX)..line).rev().map(text);
    let head = above.find(|head| !head.trim().is_empty() && indent(head) < indent(own)).unwrap_or_default();
    let missing = |head: &str| Some(head.trim().strip_prefix("if ")?.split_once(" is None:")?.0.to_owned());
    let is_imported = |name: &str| {
        let mut words = file
            .outline
            .imports
            .iter()
            .flat_map(|import| file.text(&import.span).split(|c: char| !c.is_alphanumeric() && c != '_'));
        words.any(|word| word == name)
    };
    missing(own).or_else(|| missing(head)).is_some_and(|name| is_imported(&name))
}

/// Whether the line above `line` is a comment that says something.
fn is_explained_above(file: &File<'_>, line: usize) -> bool {
    let Some(above) = line.checked_sub(1).map(|above| file.source.line_span(above)) else { return false };
    let last = file.text(&above).trim_end().len().saturating_sub(1);
    let Some(comment) = file.outline.comment_around(above.start + last) else { return false };
    let text = file.text(comment);
    let is_whole = file.text(&above).trim_start().starts_with(['/', '*', '#', '-', ';']);
    is_whole && !MARKS.is_match(text) && text.chars().filter(|c| c.is_alphabetic()).count() >= COMMENT_LETTERS_MIN
}

/// Whether the function whose head is marked on `line` warns that it will go, or is marked so on the line above.
fn is_deprecated(file: &File<'_>, line: usize) -> bool {
    let text = |index: usize| file.text(&file.source.line_span(index));
    let says = |text: &str| {
        let lower = text.to_ascii_lowercase();
        DEPRECATED.iter().any(|sign| lower.contains(sign))
    };
    let is_head = text(line).split(['#', '/']).next().is_some_and(|code| code.trim_end().ends_with([':', '{']));
    let is_other = |text: &&str| !text.trim_start().starts_with("def ") && !text.trim_start().starts_with("class ");
    let mut body = (line + 1..=line + DEPRECATED_LINES_MAX).map(text).take_while(is_other);
    says(text(line.saturating_sub(1))) || says(text(line)) || (is_head && body.any(says))
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
#[path = "coverage_exclusion/tests.rs"]
mod tests;
