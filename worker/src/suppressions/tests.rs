//! What comments allow: the line, the next, the file, and nothing else.

use proptest::prelude::*;

use super::*;
use crate::pass;
use crate::rules::testing::file;

/// The mark, put together so that this file holds none.
const ALLOW: &str = concat!("elder", ":allow");

const TODO_RULE: &str = "integrity/todo-marker";

/// Lines, from 1, on which `rule` is allowed in `text`, where `@` stands for the mark.
fn allowed_on(path: &str, text: &str, rule: &'static str, day: Option<&str>) -> Vec<u32> {
    let source = file(path, text.replace('@', ALLOW));
    let day = day.map(|day| day.parse().unwrap());
    let view = pass::read(&source, day).unwrap();
    let lines = u32::try_from(view.source.line_count()).unwrap() + 2;
    (1..=lines).filter(|line| view.suppressions.allows(rule, *line, day)).collect()
}

fn allowed(path: &str, text: &str) -> Vec<u32> {
    allowed_on(path, text, TODO_RULE, None)
}

#[test]
fn a_comment_behind_code_counts_for_its_line_and_one_alone_for_the_next_too() {
    for (path, open) in
        [("a.rs", "//"), ("a.py", "#"), ("a.go", "//"), ("a.js", "//"), ("a.sql", "--"), ("a.toml", "#")]
    {
        let comment = format!("{open} @({TODO_RULE}) reason: x");
        assert_eq!(allowed(path, &format!("a\nb {comment}\nc\n")), [2], "{path}");
        assert_eq!(allowed(path, &format!("a\n  {comment}\nc\nd\n")), [2, 3], "{path}");
    }
    assert_eq!(allowed("a.c", "/*\n * @(integrity/todo-marker) reason: x\n */\na\nb\n"), [2, 4]);
    assert_eq!(allowed("a.html", "<!-- @(integrity/todo-marker) reason: x -->\n<p>\n"), [1, 2]);
    assert_eq!(allowed("a.py", "x = 1  # noqa  # @(integrity/todo-marker) reason: x\n"), [1]);
}

#[test]
fn several_comments_above_a_line_all_count_for_it() {
    let text = "// @(tdd/skipped-test) reason: x\n// @(integrity/todo-marker) reason: x\ncode\nmore\n";
    assert_eq!(allowed("a.rs", text), [2, 3]);
    assert_eq!(allowed_on("a.rs", text, "tdd/skipped-test", None), [1, 3]);
    let both = "// @(tdd/skipped-test, integrity/todo-marker) reason: x\ncode\n";
    assert_eq!(allowed("a.rs", both), [1, 2]);
}

#[test]
fn a_comment_for_the_file_counts_everywhere_if_it_is_near_the_top() {
    let comment = "// @-file(integrity/todo-marker) reason: x\n";
    assert_eq!(allowed("a.rs", &format!("a\n{comment}b\n")), [1, 2, 3, 4, 5]);
    let last = "\n".repeat(FILE_LINES_MAX - 1);
    assert!(!allowed("a.rs", &format!("{last}{comment}")).is_empty());
    assert_eq!(allowed("a.rs", &format!("{last}\n{comment}")), [0; 0]);
}

#[test]
fn strings_and_documentation_allow_nothing() {
    for (path, text) in [
        ("a.rs", "const A: &str = \"// @(integrity/todo-marker) reason: x\";"),
        ("a.rs", "/// @(integrity/todo-marker) reason: x"),
        ("a.rs", "/// // @(integrity/todo-marker) reason: x"),
        ("a.py", "x = '# @(integrity/todo-marker) reason: x'"),
        ("a.py", "def f():\n    \"\"\"# @(integrity/todo-marker) reason: x\"\"\"\n"),
        ("a.js", "const a = `// @(integrity/todo-marker) reason: x`"),
        ("a.go", "package a\n// see @(integrity/todo-marker) reason: x"),
        ("a.md", "@(integrity/todo-marker) reason: x"),
    ] {
        assert_eq!(allowed(path, text), [0; 0], "{text}");
    }
}

#[test]
fn without_a_reason_nothing_is_allowed_and_known_rules_hold_beside_unknown_ones() {
    assert_eq!(allowed("a.py", "# @(integrity/todo-marker)\n"), [0; 0]);
    assert_eq!(allowed("a.py", "# @(integrity/todo-marker) reason: until: 2030-01-01\n"), [0; 0]);
    assert_eq!(allowed("a.py", "x # @(integrity/no-such, integrity/todo-marker) reason: x\n"), [1]);
}

#[test]
fn what_is_allowed_until_a_day_is_allowed_on_that_day_and_not_after() {
    let text = "x # @(integrity/todo-marker) until: 2026-03-31 reason: x\n";
    assert_eq!(allowed_on("a.py", text, TODO_RULE, Some("2026-03-31")), [1]);
    assert_eq!(allowed_on("a.py", text, TODO_RULE, Some("2026-04-01")), [0; 0]);
    let twice = format!("# @(integrity/todo-marker) reason: x until: 2026-12-31\n{text}");
    assert_eq!(allowed_on("a.py", &twice, TODO_RULE, Some("2026-04-01")), [1, 2], "the longer one counts");
}

proptest! {
    /// Whatever the lines of a file say, what one comment allows is its rule on its line and the next.
    #[test]
    fn no_comment_allows_another_rule_or_line(
        before in 0..5_usize, after in 0..5_usize, rule in 0..ALL.len(), behind_code: bool,
    ) {
        let rule = ALL[rule].id;
        prop_assume!(rule != FIXED_RULE);
        let code = if behind_code { "code " } else { "" };
        let text = format!("{}{code}# @({rule}) reason: x\n{}", "code\n".repeat(before), "code\n".repeat(after));
        let own = u32::try_from(before + 1).unwrap();
        for other in ALL.iter().map(|other| other.id) {
            let expected = match other == rule {
                true if behind_code => vec![own],
                true => vec![own, own + 1],
                false => Vec::new(),
            };
            prop_assert_eq!(allowed_on("a.py", &text, other, None), expected);
        }
    }

    #[test]
    fn arbitrary_comments_are_read(
        text in "(# |// |code |\n|@|@-file|\\(|\\)|,|integrity/todo-marker|reason: |until: |2026-03-31|[\\PC]){0,40}",
        path in prop_oneof![Just("a.py"), Just("a.rs"), Just("a.c")],
    ) {
        allowed(path, &text);
    }
}
