//! Merges that were committed half done.

use schemas::severity::Severity;

use crate::outline::Span;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// The three marks of a merge conflict, each at the start of a line, in their order: seven `<`, seven `=`, seven `>`.
    /// A line of `=` alone is a heading in many formats and never counts.
    ///
    /// Marks inside a string or a comment, and in documentation, are likely meant to be read: medium. In tests and fixtures
    /// low; those inside a string of a test are what it tries, and left alone.
    ///
    /// ## Why it matters
    /// Both sides of a conflict are in the file, and nobody decided between them. Where the file is code it does not
    /// compile; where it is configuration it may do something that neither side wanted.
    ///
    /// ## Example
    /// ```text
    ///   <<<<<<< HEAD
    ///   timeout = 5
    ///   =======
    ///   timeout = 50
    ///   >>>>>>> feature
    /// ```
    ///
    /// ## How to fix
    /// Decide between the two sides, and take out all three marks.
    "integrity/conflict-marker", Integrity, Critical, version: 3, Check::Text(check)
);

/// Length of each mark.
const MARK_BYTES: usize = 7;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if !file.source.text.contains(&"<".repeat(MARK_BYTES)) {
        return;
    }
    let mut opened: Option<Span> = None;
    let mut is_divided = false;
    for line in file.source.lines() {
        let text = file.text(&line);
        if is_mark(text, b'<') {
            (opened, is_divided) = (Some(line), false);
        } else if opened.is_some() && text.len() == MARK_BYTES && is_mark(text, b'=') {
            is_divided = true;
        } else if is_mark(text, b'>')
            && let Some(start) = opened.take().filter(|_| is_divided)
        {
            report(file, start.start..line.end, found);
        }
    }
}

/// Whether `line` starts with exactly seven times `byte`, followed by a space or nothing.
fn is_mark(line: &str, byte: u8) -> bool {
    let bytes = line.as_bytes();
    bytes.iter().take_while(|one| **one == byte).count() == MARK_BYTES
        && matches!(bytes.get(MARK_BYTES), None | Some(b' '))
}

fn report(file: &File<'_>, span: Span, found: &mut Findings<'_>) {
    let path = file.source.path;
    let is_test = file.is_test_code(span.start);
    if is_test && file.outline.is_quoted(span.start) {
        return;
    }
    let (severity, confidence_permille) = if is_test {
        (Severity::Low, 500)
    } else if paths::is_documentation(path) || file.outline.is_quoted(span.start) {
        (Severity::Medium, 500)
    } else {
        (Severity::Critical, 990)
    };
    found.push(Hit {
        place: file.place(span),
        severity,
        confidence_permille,
        message: "unresolved merge conflict".to_owned(),
        suggestion: "decide between the two sides and take out all three marks",
    });
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Critical, Low, Medium};

    fn conflict(before: &str, after: &str) -> String {
        let mark = |byte: &str| byte.repeat(7);
        format!("{before}\n{} HEAD\na\n{}\nb\n{} other\n{after}\n", mark("<"), mark("="), mark(">"))
    }

    #[test]
    fn a_conflict_is_critical_in_any_file() {
        for path in [
            "a.rs", "a.py", "a.go", "a.ts", "a.cs", "a.rb", "a.php", "a.kt", "a.swift", "a.sh", "a.yaml", "Makefile",
            "a.zzz",
        ] {
            check(&RULE, path, &conflict("", ""), &[(2, Critical)]);
        }
        check(&RULE, "a.toml", &(conflict("", "") + &conflict("", "")), &[(2, Critical), (9, Critical)]);
        check(&RULE, "a.toml", &conflict("", "").replace('\n', "\r\n"), &[(2, Critical)]);
    }

    #[test]
    fn marks_that_are_meant_to_be_read_weigh_less() {
        check(&RULE, "docs/merging.md", &conflict("", ""), &[(2, Medium)]);
        check(&RULE, "a.rs", &conflict("const A: &str = r\"", "\";"), &[(2, Medium)]);
        check(&RULE, "tests/a.rs", &conflict("const A: &str = r\"", "\";"), &[]);
        check(&RULE, "tests/a.rs", &conflict("", ""), &[(2, Low)]);
        check(&RULE, "tests/merge.txt", &conflict("", ""), &[(2, Low)]);
    }

    #[test]
    fn headings_and_lone_or_shifted_marks_are_no_conflict() {
        check(&RULE, "a.rst", &format!("Title\n{}\n", "=".repeat(7)), &[]);
        check(&RULE, "a.txt", &conflict("", "").replace(&"<".repeat(7), &"<".repeat(8)), &[]);
        check(&RULE, "a.txt", &conflict("", "").replace('\n', "\n "), &[]);
        check(&RULE, "a.txt", &conflict("", "").replace(&"=".repeat(7), "-------"), &[]);
        let (open, close) = ("<".repeat(7), ">".repeat(7));
        check(&RULE, "a.txt", &format!("{close} a\n{}\n{open} b\n", "=".repeat(7)), &[]);
    }
}
