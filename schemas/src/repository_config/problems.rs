//! What is wrong with a configuration, where, and what would be right.

use std::fmt;

/// Longest piece of the file that a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// Longest word for which a similar one is looked for, in characters: the comparison takes its square.
const SIMILAR_CHARS_MAX: usize = 64;

/// How alike two names must be, from 0 to 1, for one to be taken for the other misspelt.
const SIMILAR_MIN: f64 = 0.6;

/// Something wrong in a file, by line and column from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it starts.
    pub line: u32,
    /// Where it starts in that line.
    pub column: u32,
    /// What is wrong, what holds instead and what to do.
    pub message: String,
}

impl Problem {
    /// A problem at byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, message: String) -> Self {
        let before = &text.as_bytes()[..at.min(text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count();
        let from_one = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
        Self { line: from_one(line), column: from_one(column), message }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, message } = self;
        write!(f, "line {line}, column {column}: {message}")
    }
}

/// A piece of the file, clipped and without anything that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect()
}

/// `; did you mean …` where one of `names` is nearly `word`.
pub fn did_you_mean<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    if word.chars().count() > SIMILAR_CHARS_MAX {
        return String::new();
    }
    let alike = names.into_iter().map(|name| (strsim::normalized_damerau_levenshtein(word, name), name));
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(alike, _)| *alike >= SIMILAR_MIN);
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters_from_one() {
        let place = |at| {
            let Problem { line, column, .. } = Problem::at("é = 1\nab = 2\n", at, String::new());
            (line, column)
        };
        assert_eq!([place(0), place(2), place(7), place(9), place(999)], [(1, 1), (1, 2), (2, 1), (2, 3), (3, 1)]);
    }

    #[test]
    fn a_misspelt_name_is_told_from_another_word() {
        let names = ["lines_max", "files_max"];
        assert_eq!(did_you_mean("line_max", names), "; did you mean `lines_max`?");
        assert_eq!(did_you_mean("colour", names), "");
        assert_eq!(did_you_mean(&"x".repeat(100_000), names), "");
    }

    #[test]
    fn what_is_shown_of_a_file_is_short_and_harmless() {
        assert_eq!(shown("a\u{1b}[2J\n"), "a\\u{1b}[2J\\n");
        assert_eq!(shown(&"x".repeat(999)).len(), SHOWN_CHARS_MAX);
    }
}
