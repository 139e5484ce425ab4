//! Work that was put off in a comment.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use schemas::severity::Severity;

use crate::outline::Span;
use crate::rules::marks::{self, hits_in_comments};
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// `FIXME`, `HACK`, `XXX` (medium) and `TODO` (low) in comments: upper case, a word of their own, and either the first
    /// word of their line of the comment or followed by a colon or bracket. Japanese marks too: 仮実装, 暫定対応, 要修正,
    /// 後で with what is to be done.
    ///
    /// With a ticket or an owner, as in `TODO(#12)` or `TODO(kim)`, it is tracked: info. Text that talks about the marks,
    /// and files without comments such as Markdown, are left alone.
    ///
    /// ## Why it matters
    /// The code says of itself that it is not done. Nobody searches for such notes later; a ticket has an owner and a date.
    ///
    /// ## Example
    /// ```text
    /// // FIXME: loses the last row
    /// ```
    ///
    /// ## How to fix
    /// Do it now, or open a ticket and name it: `TODO(#123)`.
    "integrity/todo-marker", Integrity, Medium, version: 3, Check::Text(check)
);

/// Marks that say more than "later": something is wrong or a makeshift.
const GRAVE: &[&str] = &["FIXME", "HACK", "XXX", "仮実装", "暫定対応", "要修正"];

/// Marks that put something off.
const LIGHT: &[&str] = &["TODO", "後で修正", "後で実装", "後で対応", "後で直す", "後で消す"];

static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(GRAVE.iter().chain(LIGHT));
    built.expect("a dozen short marks fit every limit of the automaton")
});

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    for Marker { span, is_tracked, is_grave } in markers(file) {
        if found.is_full() {
            return;
        }
        let mark = file.text(&span);
        let message = if is_tracked { "with a ticket or owner" } else { "without a ticket" };
        found.push(Hit {
            severity: match (is_tracked, is_grave) {
                (true, _) => Severity::Info,
                (false, true) => Severity::Medium,
                (false, false) => Severity::Low,
            },
            confidence_permille: 900,
            message: format!("{mark} {message}"),
            place: file.place(span),
            suggestion: "do it now, or open a ticket and name it in the comment",
        });
    }
}

/// A note that something was put off.
pub(crate) struct Marker {
    /// The mark.
    pub(crate) span: Span,
    /// Whether it names a ticket or an owner.
    is_tracked: bool,
    /// Whether it says more than "later".
    is_grave: bool,
}

/// The markers in the comments of `file`, in order.
pub(crate) fn markers<'f>(file: &'f File<'_>) -> impl Iterator<Item = Marker> + 'f {
    let text = file.source.text.as_ref();
    hits_in_comments(file, &MARKS).filter_map(move |marks::Hit { pattern, span, comment }| {
        let Span { start, end } = span;
        let line = file.source.line_span(file.source.line_of(start));
        let before = &text[line.start.max(comment.start)..start];
        let after = &text[end..line.end.min(comment.end).max(end)];
        let mark = &text[start..end];
        // Japanese writes no spaces between words; what ends such a mark is what does not list it.
        let stands =
            if mark.is_ascii() { stands_as_mark(before, after) } else { !after.starts_with([',', '、', '」']) };
        let is_grave = pattern < GRAVE.len();
        let marker = Marker { span: start..end, is_tracked: names_ticket_or_owner(after), is_grave };
        (stands && !is_sample(before)).then_some(marker)
    })
}

/// Whether a mark behind `before` is in a comment inside a comment: sample code in documentation.
fn is_sample(before: &str) -> bool {
    let before = before.trim_start();
    let documentation = ["///", "//!", "* "].iter().find_map(|open| before.strip_prefix(open)).map(str::trim_start);
    documentation.is_some_and(|text| text.starts_with("//") || text.starts_with("# "))
}

/// Whether a mark between `before` and `after` on its line is one, rather than a word of a sentence about marks.
fn stands_as_mark(before: &str, after: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if before.chars().next_back().is_some_and(is_word) || after.chars().next().is_some_and(|c| is_word(c) || c == '-') {
        return false;
    }
    if after.starts_with([':', '(', '[']) {
        return !before.ends_with(['`', '"', '\'', '/', ',', '|']);
    }
    // What opens a comment or a line of one: `//`, `/*`, ` *`, `#`, `--`, `<!--`, `;`.
    let is_first = before.chars().all(|c| c.is_whitespace() || "/*#-<!;%{[@".contains(c));
    let is_listed = after.starts_with([',', '/', '|', '`', '"', '\'', ')']) || after.trim_start().starts_with("and ");
    is_first && !is_listed
}

/// Whether `after` starts with `(#12)`, `(kim)`, `[ABC-12]` or, behind a space, with one word in brackets, or names a
/// ticket or its address anywhere.
fn names_ticket_or_owner(after: &str) -> bool {
    fn in_brackets(text: &str) -> Option<&str> {
        text.strip_prefix(['(', '[']).and_then(|rest| rest.split([')', ']']).next())
    }
    let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || "_-@".contains(c));
    let names_ticket = |word: &str| {
        is_ticket(word) || word.rsplit_once('#').is_some_and(|(_, number)| is_ticket(&format!("#{number}")))
    };
    in_brackets(after).is_some_and(|owner| owner.contains(char::is_alphanumeric))
        || after.strip_prefix(' ').and_then(in_brackets).is_some_and(is_word)
        || after.split(|c: char| c.is_whitespace() || "(),.;:[]".contains(c)).any(names_ticket)
        || (after.contains("://")
            && ["/issues/", "/browse/", "/pull/", "/-/work_items/"].iter().any(|part| after.contains(part)))
}

/// `#12` or `ABC-12`.
pub(crate) fn is_ticket(word: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(number) = word.strip_prefix('#').or_else(|| word.strip_prefix("GH-")) {
        return is_number(number);
    }
    let is_project = |text: &str| {
        text.len() >= 2
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    // Names of encodings, hashes and standards have the same shape.
    let is_standard = |text: &str| matches!(text, "UTF" | "SHA" | "ISO" | "RFC" | "AES" | "CVE" | "X" | "HTTP" | "MD");
    word.split_once('-')
        .is_some_and(|(project, number)| is_project(project) && !is_standard(project) && is_number(number))
}

#[cfg(test)]
mod tests {
    use super::{RULE, is_ticket};
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Info, Low, Medium};

    /// The marks, put together so that this file holds none.
    const TODO: &str = concat!("TO", "DO");
    const FIXME: &str = concat!("FIX", "ME");

    #[test]
    fn marks_are_found_in_the_comments_of_every_language() {
        for (path, open) in [
            ("a.rs", "//"),
            ("a.rs", "///"),
            ("a.py", "#"),
            ("a.go", "//"),
            ("a.js", "//"),
            ("a.ts", "//"),
            ("a.tsx", "//"),
            ("a.sh", "#"),
            ("a.yaml", "#"),
            ("a.toml", "#"),
            ("a.sql", "--"),
            ("a.c", "//"),
            ("a.java", "/*"),
            ("a.java", "//"),
            ("a.cc", "//"),
            ("a.h", "/*"),
            ("a.hpp", "//"),
            ("a.cs", "//"),
            ("a.rb", "#"),
            ("a.kt", "//"),
            ("a.swift", "/*"),
            ("a.bats", "#"),
            ("a.lisp", ";"),
        ] {
            check(&RULE, path, &format!("\n{open} {FIXME}: this */\n"), &[(2, Medium)]);
            check(&RULE, path, &format!("\n{open} {TODO} this */\n"), &[(2, Low)]);
            check(&RULE, path, &format!("\n{open} {TODO}(#12): this */\n"), &[(2, Info)]);
        }
        check(&RULE, "a.php", &format!("<?php\n# {TODO}: x\n// {FIXME} x\n"), &[(2, Low), (3, Medium)]);
        check(&RULE, "a.html", &format!("<!--\n{TODO}: x\n-->\n"), &[(2, Low)]);
        check(&RULE, "a.rs", &format!("/*\n * a\n * {TODO}: x\n */\n"), &[(3, Low)]);
        check(&RULE, "a.js", concat!("// 後で", "修正\n// 仮", "実装\n"), &[(1, Low), (2, Medium)]);
    }

    #[test]
    fn owners_and_tickets_make_it_info() {
        for after in
            ["(kim): x", " (kim) x", "(#12)", ": see #12", ": kim/repo#12", " ABC-12 x", ": https://host/a/b/issues/3"]
        {
            check(&RULE, "a.go", &format!("package a\n// {TODO}{after}\n"), &[(2, Info)]);
        }
        check(&RULE, "a.go", &format!("package a\n// {TODO}: use SHA-256\n"), &[(2, Low)]);
        for after in ["(): x", " (): x", " (as kim said) x", "  (kim) x", " (Mondays) x"] {
            check(&RULE, "a.go", &format!("package a\n// {TODO}{after}\n"), &[(2, Low)]);
        }
    }

    #[test]
    fn code_strings_and_other_words_are_no_marks() {
        for (path, text) in [
            ("a.rs", "const A: &str = \"@: x\"; // fine"),
            ("a.py", "x = '# @: x'"),
            ("a.go", "package a\nvar @ = 1"),
            ("a.js", "let @List = `// @: x`"),
            ("a.ts", "// @S are fine"),
            ("a.ts", "// the page @-list"),
            ("a.ts", "// a@b"),
            ("a.sh", "echo '@: x'"),
            ("A.java", "class A { String @ = \"// @: x\"; String t = \"\"\"\n// @: x\n\"\"\"; }"),
            ("a.cs", "class A { string @ = @\"// @: x\"; string t = $\"// @: x {1}\"; }"),
            ("a.rb", "@ = <<~EOS\n  # @: x\nEOS\n%w[a b]\nputs '# @: x'"),
            ("a.php", "<b># @: x</b><?php\n$@ = '# @: x';\n$a = <<<EOT\n# @: x\nEOT;"),
            ("a.kt", "val @ = \"// @: x\"\nval a = \"\"\"\n// @: x\n\"\"\""),
            ("a.swift", "let @ = \"// @: x\"\nlet a = \"\"\"\n// @: x\n\"\"\""),
            ("a.bash", "cat <<EOF\n# @: x\nEOF\n@=\"# @: x\""),
            ("a.c", "char *@ = \"// @: x\";"),
            ("a.cc", "auto @ = R\"(\n// @: x\n)\";"),
            ("README.md", "@: x"),
            ("a.txt", "# @: x"),
        ] {
            check(&RULE, path, &text.replace('@', TODO), &[]);
            check(&RULE, path, &text.replace('@', FIXME), &[]);
        }
        check(&RULE, "a.js", "// todo: lower case\n", &[]);
    }

    #[test]
    fn comments_about_marks_hold_none() {
        check(&RULE, "a.rs", concat!("// 仮", "実装, 要", "修正、と\n"), &[]);
        for text in [
            "// Finds @ and others",
            "// @, FIX",
            "// `@:` is found",
            "// @ and more are found",
            "// @/XX",
            "/// // @: x",
        ] {
            check(&RULE, "a.rs", &text.replace('@', TODO), &[]);
        }
    }

    #[test]
    fn tickets_are_told_from_standards() {
        assert!(["#1", "ABC-12", "GH-3", "P2P-7"].iter().all(|word| is_ticket(word)));
        assert!(!["#", "UTF-8", "abc-12", "A-1", "ABC-", "12-12", "#a"].iter().any(|word| is_ticket(word)));
    }
}
