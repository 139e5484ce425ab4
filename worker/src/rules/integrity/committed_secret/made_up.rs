//! Secrets that protect nothing: shown, made for a test, or meant to be public.

use crate::names::words;
use crate::outline::Span;
use crate::paths;
use crate::rules::File;

/// Directories of what only shows how, or is there to be filled in.
const SAMPLE_DIRECTORIES: &[&str] =
    &["demo", "demos", "example", "examples", "sample", "samples", "t", "templates", "xt"];

/// Parts of the names of files that are copied before they are filled in.
const SAMPLE_NAMES: &[&str] = &["dist", "example", "sample", "template", "tmpl", "tpl"];

/// Parts of paths of keys that were made for a test.
const TRIAL_PARTS: &[&str] = &[
    "benchmark",
    "demo",
    "dummy",
    "example",
    "fake",
    "fixture",
    "insecure",
    "localhost",
    "mock",
    "sample",
    "selfsigned",
    "snakeoil",
    "test",
    // Virtual machines for working on a project, whose first key everybody knows.
    "vagrant",
];

/// What a comment says of a value that protects nothing.
const HARMLESS_PHRASES: &[&str] = &[
    "bad content",
    "demo",
    "dummy",
    "example",
    "fake",
    "for local",
    "insecure",
    "invalid",
    "made up",
    "made-up",
    "not a secret",
    "not secret",
    "not sensitive",
    "placeholder",
    "public",
    "safe to",
    "sandbox",
    "test",
];

/// What a comment says of a private key that was made to try something.
const TRIAL_PHRASES: &[&str] = &[
    "bad content",
    "dummy",
    "example",
    "fake",
    "for test",
    "insecure",
    "invalid",
    "made up",
    "made-up",
    "not a secret",
    "placeholder",
    "test key",
    "testing",
];

/// Beginnings of words in names of values that protect nothing.
const TRIAL_WORDS: &[&str] = &["dummy", "example", "fake", "insecure", "localhost", "mock", "sample", "test"];

/// Prefixes of names of settings that are built into what every visitor gets.
const SHIPPED_PREFIXES: &[&str] =
    &["EXPO_PUBLIC_", "GATSBY_", "NEXT_PUBLIC_", "NUXT_PUBLIC_", "REACT_APP_", "VITE_", "VUE_APP_"];

/// Beginnings of keys that their provider tells to publish.
const PUBLISHED_PREFIXES: &[&str] = &["pk.", "pk_", "phc_", "pub_", "pubkey", "sb_publishable_"];

/// What stands near keys of services that browsers and telephones call by themselves.
const CLIENT_MARKS: &[&str] =
    &["algolia", "appId", "authDomain", "docsearch", "indexName", "messagingSenderId", "mobilesdk_app_id"];

/// What the providers of such keys call them here.
const CLIENT_KINDS: &[&str] = &["Google API key", super::GUESS];

/// What stands before and behind the name of a key in a request that was signed with its other half.
const SIGNATURE_MARKS: &[(&str, &[&str])] = &[("Credential=", &["/", "%2F", "%2f"]), ("q-ak=", &["&"])];

/// Lines around a key in which such a mark is looked for.
const CLIENT_LINES: usize = 8;

/// Lines of comments above a value that are read.
const COMMENT_LINES: usize = 3;

/// What opens a comment behind a value.
const COMMENT_OPENINGS: &[&str] = &[" //", " #", "/*", "<!--"];

/// Longest line that is searched: longer ones are data.
const LINE_BYTES_MAX: usize = 400;

/// Pieces from which on words joined by signs were typed by a person.
const TYPED_PIECES_MIN: usize = 3;

/// Whether the file shows how something is done, or is there to be copied and filled in.
pub(super) fn is_sample(path: &str) -> bool {
    let name = paths::file_name(path).to_ascii_lowercase();
    let is_named = name.split(['.', '-', '_']).any(|part| SAMPLE_NAMES.contains(&part));
    is_named || paths::is_documentation(path) || paths::has_directory(path, SAMPLE_DIRECTORIES)
}

/// Whether the path says that the keys in the file were made to try something.
pub(super) fn is_trial(path: &str) -> bool {
    let lower = path.to_ascii_lowercase().replace(['-', '_'], "");
    is_sample(path) || TRIAL_PARTS.iter().any(|part| lower.contains(part))
}

/// Whether a guess at `span` is a value that protects nothing, as its file, a comment or the value itself says.
pub(super) fn is_harmless(file: &File<'_>, span: &Span) -> bool {
    is_sample(file.source.path)
        || is_trial(file.source.path)
        || file.outline.comment_around(span.start).is_some()
        || is_in_docstring(file, span.start)
        || is_typed(file.text(span))
        || is_shipped(file, span)
        || is_said_to_be_harmless(file, span)
}

fn is_in_docstring(file: &File<'_>, at: usize) -> bool {
    let after = file.outline.docstrings.partition_point(|string| string.start <= at);
    file.outline.docstrings[..after].last().is_some_and(|string| string.contains(&at))
}

/// Whether the key at `span` is of a kind that every visitor may read, and stands where such keys do.
pub(super) fn is_for_clients(file: &File<'_>, span: &Span, what: &str) -> bool {
    if !CLIENT_KINDS.contains(&what) {
        return false;
    }
    let line = file.source.line_of(span.start);
    let near = line.saturating_sub(CLIENT_LINES)..=line + CLIENT_LINES;
    let mut lines = near.map(|line| shown(file, line));
    lines.any(|text| CLIENT_MARKS.iter().any(|mark| text.contains(mark)))
}

/// Whether `span` is the name of a key in a request that was signed: whoever reads the request may know it.
pub(super) fn is_name_of_signature(file: &File<'_>, span: &Span) -> bool {
    let text = file.source.text.as_ref();
    let (before, after) = (&text[..span.start], &text[span.end..]);
    let stands =
        |(open, ends): &(&str, &[&str])| before.ends_with(open) && ends.iter().any(|end| after.starts_with(end));
    SIGNATURE_MARKS.iter().any(stands)
}

/// Whether a person typed `value`: words and short numbers with signs between them.
fn is_typed(value: &str) -> bool {
    let pieces: Vec<&str> = value.split(['-', '_', '.', '!', '@', '#']).filter(|piece| !piece.is_empty()).collect();
    let is_word = |piece: &&str| piece.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |piece: &&str| piece.len() <= 4 && piece.bytes().all(|byte| byte.is_ascii_digit());
    pieces.len() >= TYPED_PIECES_MIN && pieces.iter().all(|piece| is_word(piece) || is_number(piece))
}

/// Whether the value at `span` is built into what every visitor gets.
fn is_shipped(file: &File<'_>, span: &Span) -> bool {
    let line = shown(file, file.source.line_of(span.start));
    let value = file.text(span);
    SHIPPED_PREFIXES.iter().any(|prefix| line.contains(prefix))
        || PUBLISHED_PREFIXES.iter().any(|prefix| value.starts_with(prefix))
        || line.to_ascii_lowercase().contains("publishable")
}

/// Whether a comment beside the value, or one that ends right above it, or its name says that it protects nothing.
fn is_said_to_be_harmless(file: &File<'_>, span: &Span) -> bool {
    is_named_for_trial(file, span) || is_said(file, span, HARMLESS_PHRASES)
}

/// Whether a comment or its name says that the private key at `span` is one to try something with.
pub(super) fn is_said_to_be_for_trial(file: &File<'_>, span: &Span) -> bool {
    is_named_for_trial(file, span) || is_said(file, span, TRIAL_PHRASES)
}

/// Whether what stands in front of the value on its line says that it is there to try something.
fn is_named_for_trial(file: &File<'_>, span: &Span) -> bool {
    let line = file.source.line_span(file.source.line_of(span.start));
    let name = words(file.text(&(line.start..span.start)));
    name.iter().any(|word| TRIAL_WORDS.iter().any(|trial| word.starts_with(trial)))
}

/// Whether a comment beside the value, or one that ends right above it, has one of `phrases`.
fn is_said(file: &File<'_>, span: &Span, phrases: &[&str]) -> bool {
    let own = file.source.line_of(span.start);
    let is_alone = |line: &usize| shown(file, *line).trim_start().starts_with(['#', '/', '*', ';']);
    let above = (own.saturating_sub(COMMENT_LINES)..own).rev().take_while(is_alone);
    let above = above.map(|line| shown(file, line).to_ascii_lowercase());
    // What stands in front of the value on its line is its name, which may well be `test_key`: that is no comment.
    let beside = file.text(&(span.end..file.source.line_span(own).end.max(span.end)));
    let beside =
        COMMENT_OPENINGS.iter().find_map(|mark| beside.split_once(mark)).map(|(_, text)| text.to_ascii_lowercase());
    above.chain(beside).any(|text| phrases.iter().any(|phrase| text.contains(phrase)))
}

/// Line `line`; nothing of one that is too long to be read.
fn shown<'f>(file: &'f File<'_>, line: usize) -> &'f str {
    let span = file.source.line_span(line);
    if span.len() > LINE_BYTES_MAX { "" } else { file.text(&span) }
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use super::is_typed;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{self, Critical, Info, Medium};

    const PLAIN: &str = concat!("Zk3vQ9xLr7", "TbWm2NcYdH");
    const FOUND: &[(u32, Severity)] = &[(1, Medium)];

    #[test]
    fn guesses_in_what_only_shows_how_are_none() {
        let text = format!("password = \"{PLAIN}\"\n");
        check(&RULE, "src/a.py", &text, FOUND);
        for path in
            ["README.md", "docs/a.py", "examples/a.py", "a.example.py", "config.sample.py", "tests/a.py", "t/a.py"]
        {
            check(&RULE, path, &text, &[]);
        }
        check(&RULE, "src/a.py", &format!("def f():\n    '''\n    password = \"{PLAIN}\"\n    '''\n"), &[]);
        check(&RULE, "src/a.py", &format!("# password = \"{PLAIN}\"\n"), &[]);
    }

    #[test]
    fn a_comment_may_say_that_a_guess_protects_nothing() {
        let above = |comment: &str| format!("// {comment}\nvar password = \"{PLAIN}\"\n");
        check(&RULE, "a.go", &above("This value is safe to be embedded."), &[]);
        check(&RULE, "a.go", &above("The account of the sandbox."), &[]);
        check(&RULE, "a.go", &above("The account of the shop."), &[(2, Medium)]);
        check(&RULE, "a.go", &format!("var password = \"{PLAIN}\" // public\n"), &[]);
        check(&RULE, "a.go", &format!("var password = \"{PLAIN}\" // of the shop\n"), FOUND);
        check(&RULE, "a.go", &format!("var testPassword = \"{PLAIN}\"\n"), &[]);
    }

    #[test]
    fn what_every_visitor_gets_is_no_secret() {
        check(&RULE, "a.js", &format!("x = {{ NEXT_PUBLIC_API_KEY: '{PLAIN}' }}\n"), &[]);
        check(&RULE, "a.js", &format!("x = {{ SHOP_API_KEY: '{PLAIN}' }}\n"), FOUND);
        check(&RULE, "a.js", &format!("apiKey = 'pk_{PLAIN}'\n"), &[]);
        check(&RULE, "a.js", &format!("algolia = {{\n  apiKey: '{PLAIN}',\n  indexName: 'a'\n}}\n"), &[]);
        check(&RULE, "a.js", &format!("shop = {{\n  apiKey: '{PLAIN}',\n  name: 'a'\n}}\n"), &[(2, Medium)]);
    }

    #[test]
    fn signed_requests_name_the_key() {
        let key = concat!("AK", "IAZQ3DK7RLMWXP2Q7B");
        let of = |after: &str| format!("a = \"https://shop.example/b?X-Amz-Credential={key}{after}\"\n");
        check(&RULE, "a.py", &of("/20240102/eu-west-1/s3/aws4_request&c=d"), &[]);
        check(&RULE, "a.py", &of("%2F20240102%2Feu-west-1"), &[]);
        check(&RULE, "a.py", &of(""), &[(1, Critical)]);
        let key = concat!("AK", "IDZk3vQ9xLr7TbWm2NcYdHpKs8GfJ4Ve0R");
        check(&RULE, "a.py", &format!("a = \"c=sha1&q-ak={key}&q-sign-time=1\"\n"), &[]);
        check(&RULE, "a.py", &format!("a = \"c=sha1&ak={key}&q-sign-time=1\"\n"), &[(1, Critical)]);
    }

    #[test]
    fn typed_values_are_words_and_numbers() {
        assert!(is_typed("local-key-of-2024") && is_typed("my_shop_99_key"));
        assert!(!is_typed(PLAIN) && !is_typed("kim-2024") && !is_typed("a1b2-c3d4-e5f6"));
    }

    #[test]
    fn keys_that_were_made_to_try_something_are_for_information() {
        let dashes = "-".repeat(5);
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";
        let key = format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{body}\n{dashes}END PRIVATE KEY{dashes}\n");
        for path in [
            "keys/insecure_key",
            "keys/vagrant",
            "caddytest/a.key",
            "a.localhost.key",
            "examples/server.key",
            "t/unit/a.py",
            "docs/a.pem",
        ] {
            check(&RULE, path, &key, &[(1, Info)]);
        }
        check(&RULE, "deploy/server.key", &key, &[(1, Critical)]);
        let below = |line: &str| format!("{line}\n{}`\n", key.trim_end());
        check(&RULE, "a.go", &below("// An insecure key.\nvar a = `").replace("`\n-", "`-"), &[(2, Info)]);
        check(&RULE, "a.go", &below("// The key of the shop.\nvar a = `").replace("`\n-", "`-"), &[(2, Critical)]);
        check(&RULE, "a.go", &below("var testKey = `").replace("`\n-", "`-"), &[(1, Info)]);
    }
}
