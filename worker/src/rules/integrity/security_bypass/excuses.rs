//! Protections that are off for a reason, by what stands around them.

use super::{CERTIFICATE, ENCLOSING_LINES, HOST_KEY, enclosing, indent};
use crate::names::words;
use crate::paths;
use crate::rules::File;

/// Words of a comment that only says again what the switch does.
const RESTATING_WORDS: &[&str] = &[
    "a",
    "all",
    "allow",
    "and",
    "any",
    "are",
    "cert",
    "certificate",
    "certificates",
    "certs",
    "check",
    "checking",
    "checks",
    "disable",
    "disabled",
    "do",
    "don",
    "errors",
    "for",
    "gosec",
    "host",
    "hostname",
    "https",
    "ignore",
    "insecure",
    "is",
    "key",
    "keys",
    "lint",
    "no",
    "nolint",
    "noqa",
    "nosec",
    "not",
    "now",
    "of",
    "off",
    "on",
    "security",
    "skip",
    "ssl",
    "t",
    "the",
    "this",
    "tls",
    "to",
    "turn",
    "unverified",
    "validate",
    "validation",
    "verification",
    "verify",
    "warning",
    "warnings",
    "we",
];

/// Marks of work that is still to be done: a comment with one gives no reason.
const UNFINISHED: &[&str] = &["FIXME", "HACK", "TODO", "XXX"];

/// Comment lines above a switch that are read.
const COMMENT_LINES: usize = 4;

/// Parts of comments that speak of the protection: above what a switch stands in, others speak of something else.
const SUBJECTS: &[&str] = &["cert", "host key", "insecure", "mitm", "ssl", "tls", "trust", "verif"];

/// Most functions above a switch among which the one around it is looked for.
const FUNCTIONS_MAX: usize = 32;

/// Words that a comment has beyond those that only say again what is done, if it gives a reason.
const REASON_WORDS_MIN: usize = 1;

/// Lines around a switch in which the way to the host is looked for.
const HOST_LINES: usize = 8;

/// Words in paths of what only tests use.
const TRIAL_WORDS: &[&str] =
    &["benchmark", "benchmarks", "e2e", "fake", "mock", "test", "testing", "tests", "testutil"];

/// Parts of conditions on the same level under which a user wants the protection, or not.
const CHOOSING_WORDS: &[&str] = &["insecure", "skip_tls", "ssl", "tls", "verif"];

/// What `verify=False` belongs to if it is about certificates.
const CLIENT_MARKS: &[&str] = &["http", "requests", "urllib"];

/// What has a `verify` of another kind: signatures of tokens, and images.
const OTHER_VERIFIERS: &[&str] = &["decode(", "jwt", "Image."];

/// Whether the switch `packed`, on line `index`, which is `text`, is no bypass or has a reason.
pub(super) fn is_left_alone(file: &File<'_>, index: usize, what: &str, text: &str, packed: &str) -> bool {
    let is_trial = words(file.source.path).iter().any(|word| TRIAL_WORDS.contains(&word.as_str()));
    let is_other = packed.starts_with("verify=False")
        && (OTHER_VERIFIERS.iter().any(|mark| text.contains(mark))
            || !CLIENT_MARKS.iter().any(|mark| file.source.text.contains(mark)));
    is_trial
        || is_other
        || (what == HOST_KEY && is_tunnelled(file, index))
        || (what == CERTIFICATE && is_chosen(file, index))
        || is_explained(file, index)
}

/// Whether the host is reached through a command that knows it.
fn is_tunnelled(file: &File<'_>, index: usize) -> bool {
    let near = index.saturating_sub(HOST_LINES)..=index + HOST_LINES;
    near.map(|line| file.text(&file.source.line_span(line))).any(|text| text.contains("ProxyCommand"))
}

/// Whether a condition above, on the same level or further out, asks what the user wants: here is one of the two answers.
fn is_chosen(file: &File<'_>, index: usize) -> bool {
    let own = indent(file.text(&file.source.line_span(index)));
    let above =
        (index.saturating_sub(ENCLOSING_LINES)..index).rev().map(|line| file.text(&file.source.line_span(line)));
    let mut above = above.take_while(|text| {
        !["def ", "fn ", "func ", "function "].iter().any(|word| text.trim_start().starts_with(word))
    });
    above.any(|text| {
        let lower = text.trim_start().to_ascii_lowercase();
        let is_condition = ["if ", "if(", "elif ", "} else if", "unless "].iter().any(|open| lower.starts_with(open));
        is_condition && indent(text) <= own && CHOOSING_WORDS.iter().any(|word| lower.contains(word))
    })
}

/// Whether a comment on line `index`, or comments right above it or above what it stands in within its function, give a reason.
fn is_explained(file: &File<'_>, index: usize) -> bool {
    let at = file.source.line_span(index).start;
    let functions = &file.outline.functions;
    let before = functions.partition_point(|one| one.span.start <= at);
    let mut near = functions[..before].iter().rev().take(FUNCTIONS_MAX);
    // What documents a function is no reason for what it does.
    let first = near.find(|one| at < one.span.end).map_or(0, |one| file.source.line_of(one.name.start) + 1);
    gives_reason(file, index, false)
        || enclosing(file, index).take_while(|line| *line >= first).any(|line| gives_reason(file, line, true))
}

/// Whether a comment on line `index`, or comments right above it, give a reason, and speak of the protection if they have to.
fn gives_reason(file: &File<'_>, index: usize, has_to_name_it: bool) -> bool {
    let line = file.source.line_span(index);
    let is_comment = |line: &usize| {
        let span = file.source.line_span(*line);
        let start = span.start + indent(file.text(&span));
        start < span.end && file.outline.comment_around(start).is_some()
    };
    let first = (index.saturating_sub(COMMENT_LINES)..index).rev().take_while(is_comment).last().unwrap_or(index);
    let from = file.source.line_span(first).start;
    let comments = &file.outline.comments;
    let start = comments.partition_point(|comment| comment.end <= from);
    let near = comments[start..].iter().take_while(|comment| comment.start < line.end);
    let is_python = paths::extension(file.source.path) == Some("py");
    let texts: Vec<&str> = near.map(|comment| file.text(comment)).collect();
    let names_it = |text: &&str| {
        let lower = text.to_ascii_lowercase();
        SUBJECTS.iter().any(|subject| lower.contains(subject))
    };
    if has_to_name_it && !texts.iter().any(names_it) {
        return false;
    }
    texts.into_iter().any(|text| {
        // A mark for a linter names a check, and says nothing.
        let text = if is_python { text.split("noqa").next().unwrap_or_default() } else { text };
        let is_finished = !UNFINISHED.iter().any(|mark| text.contains(mark));
        let others = words(text).into_iter().filter(|word| word.chars().all(char::is_alphabetic));
        is_finished && others.filter(|word| !RESTATING_WORDS.contains(&word.as_str())).count() >= REASON_WORDS_MIN
    })
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    #[test]
    fn a_comment_gives_a_reason_if_it_says_more_than_the_switch() {
        let of = |above: &str, beside: &str| {
            format!("package a\n\n{above}\nvar c = tls.Config{{InsecureSkipVerify: true}} {beside}\n")
        };
        check(&RULE, "a.go", &of("", ""), &[(4, High)]);
        check(&RULE, "a.go", &of("// trust local server", ""), &[]);
        check(&RULE, "a.go", &of("", "// pinned below"), &[]);
        check(&RULE, "a.go", &of("// Do not verify the certificate.", "// nolint:gosec"), &[(4, High)]);
        check(&RULE, "a.go", &of("// TODO: use the authority of the shop", ""), &[(4, High)]);
        check(&RULE, "a.go", &of("// trust local server\n", ""), &[(5, High)]);
    }

    #[test]
    fn a_comment_may_stand_above_what_the_switch_stands_in() {
        let of = |above: &str| {
            format!(
                "import requests\n\n# {above}\nwith quiet():\n    a = requests.get(\n        b,\n        verify=False,\n    )\n"
            )
        };
        check(&RULE, "a.py", &of("Nobody would forge a certificate for verses."), &[]);
        check(&RULE, "a.py", &of("Fetches all verses."), &[(7, High)]);
        check(&RULE, "a.py", &of("Do not verify the certificate."), &[(7, High)]);
        let documented = "package a\n\n// f sends a certificate to the shop.\nfunc f() {\n\tg(tls.Config{\n\t\tInsecureSkipVerify: true,\n\t})\n}\n";
        check(&RULE, "a.go", documented, &[(6, High)]);
    }

    #[test]
    fn two_switches_for_one_connection_are_one_finding() {
        let pair = "def f():\n    c = g()\n    c.check_hostname = False\n    c.verify_mode = ssl.CERT_NONE\n";
        check(&RULE, "a.py", pair, &[(3, High)]);
        let apart = pair.replace("    c.verify", "\n\n\n    c.verify");
        check(&RULE, "a.py", &apart, &[(3, High), (7, High)]);
    }

    #[test]
    fn both_answers_to_what_the_user_wants_are_fine() {
        let early = "def f(a):\n    if a.verified:\n        return g()\n    c = h()\n    c.check_hostname = False\n";
        check(&RULE, "a.py", early, &[]);
        check(&RULE, "a.py", &early.replace("verified", "rows"), &[(5, High)]);
        let other = "def f(a):\n    if a.verify:\n        g()\n    else:\n        c.check_hostname = False\n";
        check(&RULE, "a.py", other, &[]);
        check(&RULE, "a.py", &other.replace("verify", "rows"), &[(5, High)]);
    }

    #[test]
    fn what_knows_its_host_or_is_something_else_is_left_alone() {
        let ssh = |line: &str| format!("# a\nHost b\n  {line}\n  StrictHostKeyChecking no\n");
        check(&RULE, "ssh_config.yaml", &ssh("ProxyCommand tunnel b"), &[]);
        check(&RULE, "ssh_config.yaml", &ssh("User kim"), &[(4, High)]);
        check(&RULE, "a.py", "import requests\na = jwt.decode(b, verify=False)\n", &[]);
        check(&RULE, "a.py", "a = load(b, verify=False)\n", &[]);
        check(&RULE, "a.py", "import requests\na = get(b, verify=False)\n", &[(2, High)]);
        check(&RULE, "test-server/a.py", "import requests\na = get(b, verify=False)\n", &[]);
    }
}
