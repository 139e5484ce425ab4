//! Files that are mostly plans.

use std::collections::HashSet;

use schemas::severity::Severity;

use crate::paths;
use crate::rules::integrity::todo_marker::markers;
use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Files in which one line of twenty (low) or of ten (medium) holds a mark such as `TODO` or `FIXME`, as
    /// `integrity/todo-marker` finds them. Files of fewer than fifty lines are left alone: there a few marks are a large share.
    /// So are fewer than five marks, and files of texts in a language. The same words many times over are one note.
    ///
    /// ## Why it matters
    /// One note is a plan; a file full of them is a draft that others already build on.
    ///
    /// ## Example
    /// ```text
    /// fn sync() {
    ///     // TODO: lock            one such line in every ten
    /// ```
    ///
    /// ## How to fix
    /// Finish the file before others depend on it, or take out what is not going to be done.
    "servant/todo-density", Servant, Medium, version: 3, thresholds: &[&LINES_MIN, &MARKS_PERCENT_MAX], Check::Text(check)
);

/// In a shorter file a few marks are a large share.
const LINES_MIN: Threshold =
    Threshold { name: "lines_min", default: 50, min: 1, max: 10_000, doc: "fewest lines of a file that is judged" };

/// A few notes are plans.
const MARKS_PERCENT_MAX: Threshold = Threshold {
    name: "marks_percent_max",
    default: 5,
    min: 0,
    max: 100,
    doc: "largest share of lines with a mark, in per cent; twice as large is medium",
};

/// Fewer are a few notes, however short the file.
const MARKS_MIN: u64 = 5;

/// Directories of texts in several languages, where a mark is a word that is still to be translated.
const LANGUAGES: &[&str] = &["i18n", "l10n", "lang", "langs", "languages", "locale", "locales", "translations"];

/// From this many times the limit on it is worse.
const GRAVE_TIMES: u64 = 2;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let total = file.source.line_count() as u64;
    if total < found.threshold(&LINES_MIN) {
        return;
    }
    let mut lines: Vec<usize> = markers(file).map(|marker| file.source.line_of(marker.span.start)).collect();
    lines.dedup();
    let mut said = HashSet::new();
    lines.retain(|line| said.insert(file.text(&file.source.line_span(*line)).trim()));
    let (marked, limit) = (lines.len() as u64, found.threshold(&MARKS_PERCENT_MAX));
    if marked < MARKS_MIN || marked * 100 <= total * limit || paths::has_directory(file.source.path, LANGUAGES) {
        return;
    }
    let first = lines.first().copied().unwrap_or_default();
    found.push(Hit {
        place: file.place(file.source.line_span(first)),
        severity: if marked * 100 > total * limit * GRAVE_TIMES { Severity::Medium } else { Severity::Low },
        confidence_permille: 900,
        message: format!("{marked} of {total} lines say that something is not done"),
        suggestion: "finish the file before others depend on it",
    });
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{self, Low, Medium};

    /// The mark, put together so that this file holds none.
    const MARK: &str = concat!("TO", "DO: x");

    /// `marked` marks in a file of `total` lines, and what is expected there.
    fn run(path: &str, open: &str, marked: usize, total: usize, expected: &[(u32, Severity)]) {
        let plain = "x\n".repeat(total - marked);
        let notes: String = (0..marked).map(|number| format!("{open} {MARK} {number}\n")).collect();
        check(&RULE, path, &format!("{notes}{plain}"), expected);
    }

    #[test]
    fn the_share_decides_in_every_language() {
        for (path, open) in [
            ("a.rs", "//"),
            ("a.py", "#"),
            ("a.go", "//"),
            ("a.js", "//"),
            ("a.ts", "//"),
            ("a.java", "//"),
            ("a.sh", "#"),
        ] {
            run(path, open, 6, 100, &[(1, Low)]);
            run(path, open, 11, 100, &[(1, Medium)]);
            run(path, open, 5, 100, &[]);
            run(path, open, 10, 100, &[(1, Low)]);
        }
    }

    #[test]
    fn small_files_are_left_alone() {
        run("a.rs", "//", 10, 49, &[]);
        run("a.rs", "//", 10, 50, &[(1, Medium)]);
        run("a.rs", "//", 4, 50, &[]);
        run("a.rs", "//", 5, 50, &[(1, Low)]);
        run("lang/de/a.rs", "//", 10, 50, &[]);
    }

    #[test]
    fn words_outside_comments_and_files_without_comments_have_no_marks() {
        run("a.rs", "let x =", 20, 100, &[]);
        run("a.md", "#", 20, 100, &[]);
        check(&RULE, "a.py", &format!("x = '# {MARK}'\n").repeat(60), &[]);
    }

    #[test]
    fn the_same_words_are_one_note() {
        check(&RULE, "a.rs", &format!("{}{}", format!("// {MARK}\n").repeat(20), "x\n".repeat(80)), &[]);
    }

    #[test]
    fn two_marks_on_a_line_are_one_line() {
        let text = format!("// {MARK}\n/* {MARK} */ /* {MARK} */ x\n{}", "x\n".repeat(48));
        check(&RULE, "a.js", &text, &[]);
    }
}
