//! Comments that allow a finding without saying why, or that allow nothing any more.

use schemas::repository_config::did_you_mean;
use schemas::severity::Severity;

use crate::outline::Span;
use crate::rules::{ALL, Check, File, Findings, Hit, rule};
use crate::suppressions::{Mistake, has_passed};

rule!(
    /// ## What it finds
    /// Comments `elder:allow(…)` that allow less than they seem to: without a reason, with a rule that is not there, with a
    /// day that is none or that has passed, or meant for the whole file and below its first 20 lines. But for rules beside
    /// the unknown one, they allow nothing.
    ///
    /// Documentation that shows such comments, strings, and files without comments such as Markdown are left alone.
    ///
    /// ## Why it matters
    /// A finding that is allowed without a reason is one that nobody can judge again. One that was allowed until spring and
    /// is still there is a promise that was not kept.
    ///
    /// ## Example
    /// ```text
    /// // elder:allow(integrity/todo-marker)
    /// ```
    ///
    /// ## How to fix
    /// Mend what is found, or say why it is fine: `elder:allow(integrity/todo-marker) reason: waits for the new parser`.
    "integrity/bare-suppression", Integrity, Low, version: 1, Check::Text(check)
);

/// Misspelt names of one file for which the right one is looked for: to compare names takes time, and a hostile file is
/// full of them.
const LOOKED_UP_MAX: usize = 20;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let mut looked_up = 0;
    for (span, mistake) in &file.suppressions.mistakes {
        if found.is_full() {
            return;
        }
        let message = match mistake {
            Mistake::NoReason => "allows nothing: it gives no `reason:`".to_owned(),
            Mistake::NoRule => "allows nothing: it names no rule".to_owned(),
            Mistake::NoDay => "allows nothing: what follows `until:` is no day such as 2026-11-25".to_owned(),
            Mistake::TooFarDown => "allows nothing: `elder:allow-file` counts in the first 20 lines only".to_owned(),
            Mistake::UnknownRule(name) => {
                looked_up += 1;
                // What it names is not repeated: it may be anything.
                let names = ALL.iter().map(|rule| rule.id).filter(|_| looked_up <= LOOKED_UP_MAX);
                format!("names a rule that is not there or cannot be allowed{}", did_you_mean(name, names))
            }
        };
        report(file, found, span, message);
    }
    for (span, until) in &file.suppressions.dated {
        if has_passed(Some(*until), file.day) {
            report(file, found, span, format!("allows nothing any more: it counted until {until}"));
        }
    }
}

fn report(file: &File<'_>, found: &mut Findings<'_>, span: &Span, message: String) {
    found.push(Hit {
        place: file.place(span.clone()),
        severity: Severity::Low,
        confidence_permille: 1_000,
        message,
        suggestion: "mend what is found there, or say which rule is allowed, why, and at most until when",
    });
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{check, findings, findings_on};
    use schemas::severity::Severity::Low;

    /// The mark, put together so that this file holds none.
    const ALLOW: &str = concat!("elder", ":allow");

    #[test]
    fn comments_that_allow_less_than_they_seem_to_are_found_in_every_language() {
        for (path, open) in [
            ("a.rs", "//"),
            ("a.py", "#"),
            ("a.go", "//"),
            ("a.ts", "//"),
            ("a.sql", "--"),
            ("a.c", "//"),
            ("a.css", "/*"),
        ] {
            for rest in [
                "(integrity/todo-marker)",
                "(integrity/todo-marker) reason:",
                "(integrity/todo-marker) reason: ... */",
                "(integrity/todo-marker) until: 2030-01-01",
                "(integrity/todo-marker) reason: until: 2030-01-01",
                "(integrity/todo-marker) reason: x until: soon",
                "() reason: x",
                "(integrity/no-such-rule) reason: x",
                "(integrity/config-invalid) reason: x",
                "-file(integrity/todo-marker)",
            ] {
                check(&RULE, path, &format!("\n{open} {ALLOW}{rest}\n"), &[(2, Low)]);
            }
        }
    }

    #[test]
    fn what_allows_with_a_reason_and_what_only_talks_about_it_is_fine() {
        for (path, text) in [
            ("a.rs", "// @(integrity/todo-marker) reason: x"),
            ("a.py", "# @(tdd/skipped-test, tdd/focused-test) until: 2030-01-01 reason: x"),
            ("a.rs", "/// @(integrity/todo-marker)"),
            ("a.rs", "//! @(integrity/todo-marker)"),
            ("a.js", "/** @(integrity/todo-marker) */"),
            ("a.rs", "const A: &str = \"// @(integrity/todo-marker)\";"),
            ("a.py", "x = '# @(integrity/todo-marker)'"),
            ("a.go", "package a\n// Write `@(rule)` to allow a rule."),
            ("a.go", "package a\n// A comment @(rule) allows a rule."),
            ("a.ts", "// @ is the mark"),
            ("a.ts", "// @s(x)"),
            ("README.md", "@(integrity/todo-marker)"),
        ] {
            check(&RULE, path, &format!("{}\n", text.replace('@', ALLOW)), &[]);
        }
    }

    #[test]
    fn what_has_run_out_is_found_from_the_next_day_on() {
        let text = format!("# {ALLOW}(integrity/todo-marker) reason: x until: 2026-03-31\n");
        let lines = |day: &str| findings_on(&RULE, "a.py", &text, Some(day.parse().unwrap())).len();
        assert_eq!([lines("2026-03-30"), lines("2026-03-31"), lines("2026-04-01")], [0, 0, 1]);
        assert_eq!(findings(&RULE, "a.py", &text).len(), 0, "without a day nothing has run out");
    }

    #[test]
    fn a_name_is_put_right_and_never_repeated() {
        let said = |name: &str| {
            let text = format!("# {ALLOW}({name}) reason: x\n");
            findings(&RULE, "a.py", &text)[0].message.clone()
        };
        assert!(said("integrity/todo-markers").ends_with("did you mean `integrity/todo-marker`?"));
        let secret = concat!("gh", "p_", "Zk3vQ9xLr7TbWm2NcYdHpKs8GfJ4Ve", "01a2B3");
        assert!(!said(secret).contains("Zk3"));
    }
}
