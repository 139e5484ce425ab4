//! Tests of a test runner by itself: what they switch off or make wait is what they are about.

use crate::rules::File;

/// Names by which such a project imports itself.
const RUNNERS: &[&str] = &["describe", "it", "suite", "tape", "test"];

/// Whether the file takes the function that makes a test from the root of its own project: `var test = require('../');`.
pub(in crate::rules) fn is_own(file: &File<'_>) -> bool {
    file.outline.imports.iter().any(|import| {
        let module = file.text(&import.module).trim_matches(['"', '\'', '`']);
        let way = module.trim_end_matches(".js").trim_end_matches("index");
        let line = file.source.line_span(file.source.line_of(import.span.start));
        let mut words = file.text(&line).split(|c: char| !c.is_alphanumeric() && c != '_');
        way.starts_with("..")
            && way.chars().all(|c| matches!(c, '.' | '/'))
            && words.any(|word| RUNNERS.contains(&word))
    })
}
