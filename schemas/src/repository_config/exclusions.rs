//! Which files are left out: `.elderignore` in gitignore's syntax, and what `.gitattributes` says nobody here wrote.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::problems::shown;
use super::{GLOB_CHARS_MAX, PROBLEMS_MAX, Problem};
use crate::item::SkipReason;

/// Where files to leave out are listed, from the root of the repository.
pub const IGNORE_PATH: &str = ".elderignore";

/// Where git keeps what it knows of files. Only the one at the root is read.
pub const ATTRIBUTES_PATH: &str = ".gitattributes";

/// Largest of these files that is read, in bytes.
pub const EXCLUSIONS_BYTES_MAX: usize = 64 * 1024;

/// Most patterns of one of these files: each may be tried for each file of the repository.
const PATTERNS_MAX: usize = 1_000;

/// Attribute of other people's code.
const VENDORED: &str = "linguist-vendored";

/// Attribute of what a program wrote.
const GENERATED: &str = "linguist-generated";

/// Patterns of files to leave out.
#[derive(Debug, Clone)]
pub struct Exclusions {
    ignored: Gitignore,
    vendored: Gitignore,
    generated: Gitignore,
}

impl Default for Exclusions {
    fn default() -> Self {
        Self { ignored: Gitignore::empty(), vendored: Gitignore::empty(), generated: Gitignore::empty() }
    }
}

impl Exclusions {
    /// What both files say, where they are there. Lines that say nothing valid are passed over;
    /// [`ignore_problems`] tells which.
    pub fn of(elderignore: &str, gitattributes: &str) -> Self {
        let (vendored, generated) =
            (attribute_patterns(gitattributes, VENDORED), attribute_patterns(gitattributes, GENERATED));
        Self {
            ignored: matcher(&lines(elderignore)).0,
            vendored: matcher(&vendored).0,
            generated: matcher(&generated).0,
        }
    }

    /// Why the file at `path` is left out, if it is.
    pub fn reason(&self, path: &str) -> Option<SkipReason> {
        // No repository that git made has such a path, and the library does not take it.
        if path.starts_with('/') {
            return None;
        }
        if self.ignored.matched_path_or_any_parents(path, false).is_ignore() {
            return Some(SkipReason::Ignored);
        }
        // Attributes do not go from a folder to what is in it.
        if self.vendored.matched(path, false).is_ignore() {
            return Some(SkipReason::Vendored);
        }
        self.generated.matched(path, false).is_ignore().then_some(SkipReason::Generated)
    }
}

/// What is wrong with an `.elderignore`.
pub fn ignore_problems(text: &str) -> Vec<Problem> {
    matcher(&lines(text)).1
}

/// A pattern with the line, from 0, that it stands in.
type Pattern = (usize, String);

fn lines(text: &str) -> Vec<Pattern> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| (number, line.to_owned())).collect()
}

/// The patterns of `.gitattributes` that set `attribute`, and those that take it back as exceptions: the last one counts,
/// in both kinds of file.
fn attribute_patterns(text: &str, attribute: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // A pattern may not be negative there, and one in quotes has spaces, which nobody's generated files have.
        let Some((pattern, attributes)) = line.trim_start().split_once([' ', '\t']) else { continue };
        if pattern.starts_with(['#', '!', '"', '[']) {
            continue;
        }
        let value = |word: &str| match word.strip_prefix(attribute) {
            Some("" | "=true" | "=1") => Some(true),
            Some("=false" | "=0") => Some(false),
            _ => word.strip_prefix(['-', '!']).filter(|name| *name == attribute).map(|_| false),
        };
        match attributes.split_whitespace().filter_map(value).next_back() {
            Some(true) => patterns.push((number, pattern.to_owned())),
            Some(false) => patterns.push((number, format!("!{pattern}"))),
            None => {}
        }
    }
    patterns
}

fn matcher(patterns: &[Pattern]) -> (Gitignore, Vec<Problem>) {
    let mut builder = GitignoreBuilder::new("");
    let mut problems = Vec::new();
    let mut problem = |line: usize, message: String| {
        if problems.len() < PROBLEMS_MAX {
            let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
            problems.push(Problem { line, column: 1, message });
        }
    };
    for (line, pattern) in patterns.iter().take(PATTERNS_MAX) {
        if pattern.chars().count() > GLOB_CHARS_MAX {
            problem(*line, format!("pattern is not read: use at most {GLOB_CHARS_MAX} characters"));
        } else if builder.add_line(None, pattern).is_err() {
            problem(*line, format!("pattern `{}` is not read: it is no pattern of gitignore", shown(pattern)));
        }
    }
    if let Some((line, _)) = patterns.get(PATTERNS_MAX) {
        problem(*line, format!("more than {PATTERNS_MAX} patterns: this one and what follows is not read"));
    }
    let matcher = builder.build().unwrap_or_else(|_too_large| {
        problem(0, "the patterns together are too much to match: use fewer or simpler ones; none is read".to_owned());
        Gitignore::empty()
    });
    (matcher, problems)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ignored<'p>(text: &str, paths: &[&'p str]) -> Vec<&'p str> {
        let exclusions = Exclusions::of(text, "");
        paths.iter().copied().filter(|path| exclusions.reason(path) == Some(SkipReason::Ignored)).collect()
    }

    #[test]
    fn elderignore_is_read_as_git_reads_its_own() {
        let paths = ["a.snap", "src/a.snap", "docs/a", "src/docs/a", "build/a/b", "build/keep.rs", "x"];
        assert_eq!(ignored("# all\n\n*.snap\n", &paths), ["a.snap", "src/a.snap"]);
        assert_eq!(ignored("/docs/\n", &paths), ["docs/a"]);
        assert_eq!(ignored("docs/\n", &paths), ["docs/a", "src/docs/a"]);
        assert_eq!(ignored("build/*\n!build/keep.rs\n", &paths), ["build/a/b"]);
        assert_eq!(ignored("", &paths), [""; 0]);
    }

    #[test]
    fn attributes_of_linguist_leave_files_out_with_their_reason() {
        let text = "*.pb.go linguist-generated\nlib/** text linguist-vendored=true\nlib/ours.c -linguist-vendored\n\
                    gen/ linguist-generated\n*.md linguist-generated=false\n# *.rs linguist-generated\n*.c diff=cpp\n";
        let exclusions = Exclusions::of("", text);
        let reasons = ["a/b.pb.go", "lib/x/a.c", "lib/ours.c", "gen/a.go", "a.md", "a.rs", "a.c"];
        let expected = [Some(SkipReason::Generated), Some(SkipReason::Vendored), None, None, None, None, None];
        assert_eq!(reasons.map(|path| exclusions.reason(path)), expected);
    }

    #[test]
    fn a_bad_pattern_is_told_and_the_others_hold() {
        let text = format!("a{{b\n*.snap\n{}\n", "x".repeat(GLOB_CHARS_MAX + 1));
        let told: Vec<String> = ignore_problems(&text).iter().map(ToString::to_string).collect();
        let expected = [
            "line 1, column 1: pattern `a{b` is not read: it is no pattern of gitignore",
            "line 3, column 1: pattern is not read: use at most 256 characters",
        ];
        assert_eq!(told, expected);
        assert_eq!(ignored(&text, &["a.snap"]), ["a.snap"]);
        let many = "a\n".repeat(PATTERNS_MAX + 1);
        assert_eq!(ignore_problems(&many).len(), 1);
    }

    proptest! {
        /// A forged tree may hold any path, and a file any pattern.
        #[test]
        fn nothing_is_too_strange(patterns in any::<String>(), lines in "([!/*a\\[\\]{}\\\\ ]{0,9}\n){0,9}", path in any::<String>()) {
            for text in [&patterns, &lines] {
                ignore_problems(text);
                let exclusions = Exclusions::of(text, text);
                exclusions.reason(&path);
                for odd in ["", "/", "//a", "./a", "../a", "a//b", "a/", "."] {
                    exclusions.reason(odd);
                }
            }
        }
    }
}
