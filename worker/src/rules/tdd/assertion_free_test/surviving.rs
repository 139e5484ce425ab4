//! Tests that are done when they come to their end, as they say themselves, or when they are compiled.

use crate::names;
use crate::outline::{Function, Span};
use crate::rules::File;

/// How many lines above a test a comment on it may end: attributes stand between.
const COMMENT_LINES_MAX: usize = 3;

/// Words that a number follows which names a fault: the test is done when the fault does not come back.
const ISSUE_WORDS: &[&str] = &["bug", "bugs", "gh", "issue", "issues", "pr", "pull", "regression", "ticket"];

/// Fewest letters and digits of the key of an issue.
const KEY_LETTERS_MIN: usize = 2;
const KEY_DIGITS_MIN: usize = 3;

/// What is named like the key of an issue and is none.
const STANDARDS: &[&str] = &["AES", "CRC", "HTTP", "IEEE", "IP", "ISO", "RFC", "SHA", "UTF"];

/// Beginnings of words that say that coming to the end is what is tested.
const SURVIVAL_WORDS: &[&str] = &[
    "accept",
    "allow",
    "benchmark",
    "choke",
    "circular",
    "compat",
    "compil",
    "concurren",
    "corrupt",
    "crash",
    "cyclic",
    "deadlock",
    "deallocat",
    "ensur",
    "graceful",
    "hang",
    "harmless",
    "hashable",
    "hygien",
    "idempotent",
    "ignor",
    "infinit",
    "leak",
    "malform",
    "multithread",
    "overflow",
    "panic",
    "permit",
    "race",
    "recurs",
    "reentran",
    "regress",
    "segfault",
    "segv",
    "smoke",
    "stress",
    "succe",
    "surviv",
    "terminat",
    "toler",
    "tolera",
    "twice",
    "typecheck",
    "underflow",
];

/// The same as whole words.
const WHOLE_WORDS: &[&str] = &[
    "alive",
    "bench",
    "cloneable",
    "constructable",
    "constructor",
    "copyable",
    "double",
    "enforce",
    "exist",
    "exists",
    "fuzz",
    "garbage",
    "gc",
    "importable",
    "live",
    "loadable",
    "loop",
    "loops",
    "manual",
    "must",
    "noop",
    "ok",
    "pass",
    "passes",
    "perf",
    "performance",
    "picklable",
    "possible",
    "renders",
    "safe",
    "safely",
    "safety",
    "serializable",
    "unhandled",
    "valid",
    "writable",
];

/// The same in names alone, where they stand for what is tried: comments use them for much else.
#[rustfmt::skip]
const NAME_WORDS: &[&str] = &[
    "asan", "debuggable", "demo", "drop", "drops", "example", "examples", "handles", "hung", "miri", "missing", "nil", "null", "plot",
    "plots", "printable", "readme", "stuck", "supported", "supports", "timeout", "timeouts", "tutorial", "works",
];

/// What names say where something that others may replace only has to be there.
const DEFAULT: &str = "default impl";

/// Words that begin like one of those and say something else.
const OTHER_WORDS: &[&str] = &["hanging", "racer"];

/// The same in several words.
const SURVIVAL_PHRASES: &[&str] = &[
    "an exception",
    "argument of type",
    "assignable to",
    "can be",
    "can debug",
    "can display",
    "can format",
    "can print",
    "can take",
    "compile error",
    "did fail",
    "do nothing",
    "does nothing",
    "earlier version",
    "failed before",
    "failed in",
    "impl debug",
    "implements",
    "is clone",
    "is copy",
    "is debug",
    "is display",
    "is send",
    "is sync",
    "is typed",
    "just call",
    "just check",
    "just make",
    "just run",
    "make sure",
    "makes sure",
    "making sure",
    "much to assert",
    "no assert",
    "no crash",
    "no error",
    "no exception",
    "no op",
    "no segfault",
    "no timeout",
    "no warning",
    "not emit",
    "not error",
    "not fail",
    "not raise",
    "not throw",
    "nothing happens",
    "nothing to assert",
    "nothing to check",
    "only check",
    "out of bounds",
    "previously",
    "raise errors",
    "sanity check",
    "should be able",
    "should be fine",
    "should be possible",
    "should not",
    "should work",
    "t error",
    "t fail",
    "t raise",
    "t throw",
    "throw an error",
    "time out",
    "to make sure",
    "to trigger",
    "type error",
    "used to",
    "validate creation",
    "without error",
    "without exception",
    "without fail",
    "without raising",
    "without throwing",
];

/// Signs that a test in Rust is about the traits of a type, which its compiler checks.
const BOUNDS: &[&str] = &[": Send", ": Sync", ": Unpin", ">();"];

/// Whether the test says by its name, documentation or comments that coming to its end is what it tests.
pub(super) fn is_about_surviving(file: &File<'_>, function: &Function) -> bool {
    let within = |span: &&Span| function.span.start <= span.start && span.start < function.span.end;
    let outline = &file.outline;
    let said = outline.comments.iter().chain(&outline.docstrings).filter(within).map(|span| file.text(span));
    let line = file.source.line_of(function.span.start);
    let is_above = |span: &&Span| {
        let end = file.source.line_of(span.end.saturating_sub(1));
        end < line && end + COMMENT_LINES_MAX >= line
    };
    let above = outline.comments.iter().filter(is_above).map(|span| file.text(span));
    let name = file.text(&function.name);
    let is_named_so = || {
        let words = names::words(name);
        words.join(" ").contains(DEFAULT) || words.iter().any(|word| NAME_WORDS.contains(&word.as_str()))
    };
    if names_an_issue(name) || is_of_nothing(name) || is_named_so() {
        return true;
    }
    let mut said = said.chain(above).chain([name]);
    said.any(|text| {
        let words = names::words(text);
        let starts_so = |word: &String| SURVIVAL_WORDS.iter().any(|one| word.starts_with(one));
        let is_one = |word: &String| starts_so(word) && !OTHER_WORDS.contains(&word.as_str());
        let is_issue = |pair: &[String]| {
            let [word, number] = pair else { return false };
            ISSUE_WORDS.contains(&word.as_str()) && number.starts_with(|c: char| c.is_ascii_digit())
        };
        let is_joined = |word: &String| {
            let head = word.trim_end_matches(|c: char| c.is_ascii_digit());
            head.len() < word.len() && ISSUE_WORDS.contains(&head)
        };
        let text = format!(" {} ", words.join(" "));
        let says = |phrase: &&str| text.contains(&format!(" {phrase}"));
        let is_whole = |word: &String| WHOLE_WORDS.contains(&word.as_str());
        words.iter().any(|word| is_one(word) || is_whole(word) || is_joined(word))
            || words.windows(2).any(is_issue)
            || SURVIVAL_PHRASES.iter().any(says)
    })
}

/// Whether `name` says no more than that something is empty: making it and taking it down is what is tested.
fn is_of_nothing(name: &str) -> bool {
    let last = name.rsplit(',').next().unwrap_or(name);
    let words = names::words(last);
    words.iter().filter(|word| !matches!(word.as_str(), "test" | "tests")).eq(["empty"].iter())
}

/// Whether `name` holds the key of an issue, as trackers write it: `testCART799`, `CART_1234`.
fn names_an_issue(name: &str) -> bool {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).count();
    name.char_indices().any(|(at, c)| {
        let rest = &name[at..];
        let letters = rest.chars().take_while(char::is_ascii_uppercase).count();
        let is_start = !name[..at].ends_with(|before: char| before.is_ascii_uppercase());
        let after = rest.get(letters..).unwrap_or_default().trim_start_matches(['_', '-']);
        c.is_ascii_uppercase()
            && is_start
            && letters >= KEY_LETTERS_MIN
            && digits(after) >= KEY_DIGITS_MIN
            && !STANDARDS.contains(&&rest[..letters])
    })
}

/// Whether the test is about traits of types in Rust: it is done when it is compiled.
pub(super) fn is_about_bounds(file: &File<'_>, function: &Function) -> bool {
    let body = function.body.as_ref().map_or("", |body| file.text(body));
    file.source.path.ends_with(".rs") && BOUNDS.iter().any(|sign| body.contains(sign)) && body.contains('<')
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn a_name_may_say_that_coming_to_the_end_is_enough() {
        let run = |name: &str, expected: &[_]| {
            check("tests/test_a.py", &format!("def test_{name}():\n    run()\n"), expected)
        };
        for name in [
            "is_accepted",
            "cart_must_pay",
            "empty_passes",
            "issue368",
            "LANG799",
            "CART_1234",
            "type_exists",
            "is_loadable",
            "can_print_cart",
            "cart_is_debug",
            "concurrent_carts",
            "drop_cart",
            "time_out_carts",
            "hung_cart",
            "cart_can_take_items",
            "cart_has_default_impl_for_pay",
            "empty",
        ] {
            run(name, &[]);
        }
        for name in [
            "cart",
            "mustard",
            "passive",
            "SHA256",
            "UTF8",
            "issuer",
            "dropped_cart",
            "nilpotent",
            "payable",
            "print_cart",
            "can_clone",
            "cart_has_default_for_pay",
            "empty_cart",
        ] {
            run(name, &[(1, Low)]);
        }
    }

    #[test]
    fn a_comment_may_say_so() {
        let run = |said: &str, expected: &[_]| {
            check("tests/test_a.py", &format!("def test_a():\n    # {said}\n    run()\n"), expected);
        };
        for said in [
            "This failed in earlier versions",
            "Make sure that it can be had",
            "There is not much to assert",
            "see github.com/a/b/issues/12",
        ] {
            run(said, &[]);
        }
        for said in ["A cart of earlier", "a canned can", "the sure way", "to drop a cart", "the default impl"] {
            run(said, &[(1, Low)]);
        }
    }
}
