//! A configuration of this service that does not say what somebody meant.

use schemas::repository_config::{CONFIG_PATH, IGNORE_PATH, Problem, ignore_problems, read};
use schemas::severity::Severity;

use crate::outline::Span;
use crate::rules::{CATALOGUE, Check, File, Findings, Hit, rule};
use crate::secrets;
use crate::source::Source;

rule!(
    /// ## What it finds
    /// Mistakes in `.elder.toml` and `.elderignore` at the root of the repository, each with line and column: what is not
    /// TOML, unknown settings, rules, magics and presets, values out of range, patterns that are none, and files that are
    /// too large, are links or are no files.
    ///
    /// For what is wrong the default holds; of a file that is not TOML nothing holds. No setting and no comment changes
    /// this rule.
    ///
    /// ## Why it matters
    /// Somebody relies on a setting that does not hold: a rule they believe to be on is off, or the other way round.
    ///
    /// ## Example
    /// ```text
    /// [rules."integrity/todo-markers"]
    /// ```
    ///
    /// ## How to fix
    /// The message says what is known there. `elder rules` lists the rules, with what may be chosen for each.
    "integrity/config-invalid", Integrity, Medium, version: 1, Check::Text(check)
);

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let text = &file.source.text;
    let problems = match file.source.path {
        CONFIG_PATH => read(text, &CATALOGUE).1,
        IGNORE_PATH => ignore_problems(text),
        _ => return,
    };
    for problem in problems {
        let message = problem.message.as_str();
        let masked = secrets::mask(message, &(0..message.len()), &secrets::find(message, false));
        found.push(Hit {
            place: file.place(span(&file.source, &problem)),
            severity: Severity::Medium,
            confidence_permille: 1_000,
            message: format!("{masked}; the default holds instead"),
            suggestion: "mend the line; until then the audit does not do what it says",
        });
    }
}

/// From the place of `problem` to the end of its line.
fn span(source: &Source<'_>, problem: &Problem) -> Span {
    let from_zero = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let line = source.line_span(from_zero(problem.line));
    let text = source.text.get(line.clone()).unwrap_or_default();
    let before = text.char_indices().nth(from_zero(problem.column)).map_or(text.len(), |(at, _)| at);
    line.start + before..line.end
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{check, findings};
    use schemas::finding::Location;
    use schemas::severity::Severity::Medium;

    #[test]
    fn every_mistake_is_found_at_its_place() {
        let text = "preset = \"start-up\"\n\n[rules.\"git/oversized-commit\"]\nlines_max = 0\n";
        check(&RULE, ".elder.toml", text, &[(1, Medium), (4, Medium)]);
        let found = findings(&RULE, ".elder.toml", text);
        assert!(matches!(found[1].location, Location::File { line: 4, column: 13, end_column: 14, .. }), "{found:?}");
        assert_eq!(found[1].message, "`lines_max` is out of range: use 1 to 1000000; the default holds instead");
        check(&RULE, ".elder.toml", "preset =\n", &[(1, Medium)]);
        check(&RULE, ".elderignore", "*.snap\n[z-a]\n", &[(2, Medium)]);
    }

    #[test]
    fn good_files_and_files_of_others_are_fine() {
        for (path, text) in [
            (".elder.toml", ""),
            (".elder.toml", "# nothing yet\n"),
            (".elder.toml", "preset = \"startup\"\n[magics.git]\nenabled = false\n"),
            (".elderignore", "# all\n*.snap\n!keep.snap\n/docs/\n"),
            ("sub/.elder.toml", "preset = 7\n"),
            ("elder.toml", "preset = 7\n"),
            ("sub/.elderignore", "[z-a]\n"),
        ] {
            check(&RULE, path, text, &[]);
        }
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let token = concat!("gh", "p_", "Zk3vQ9xLr7TbWm2NcYdHpKs8GfJ4Ve", "01a2B3");
        for text in [format!("{token} = 1\n"), format!("preset = \"{token}\"\n"), format!("ignore = [\"{token}[\"]\n")]
        {
            let found = findings(&RULE, ".elder.toml", &text);
            assert!(!format!("{found:?}").contains("Zk3vQ9"), "{found:?}");
        }
    }
}
