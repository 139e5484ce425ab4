//! Random-looking values given to names that promise a secret: likely, never certain.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::randomness::{entropy, is_placeholder};
use super::{RUN_BYTES_MIN, Secret, is_plain};
use crate::outline::Span;

/// Confidence of a guess by name and looks; under 700, so that it never fails an audit.
const CONFIDENCE: u16 = 600;

/// Names that promise a secret.
const NAMES: &[&str] = &[
    "access_key",
    "accesskey",
    "account_key",
    "api-key",
    "api_key",
    "apikey",
    "auth_key",
    "credential",
    "encryption_key",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "secret",
    "signing_key",
    "token",
];

/// What follows such a name when the value only describes the secret.
const DESCRIPTIONS: &[&str] = &[
    "algorithm",
    "arn",
    "checksum",
    "count",
    "digest",
    "endpoint",
    "env",
    "expiry",
    "field",
    "file",
    "fingerprint",
    "format",
    "hash",
    "header",
    "hint",
    "id",
    "kind",
    "label",
    "length",
    "name",
    "param",
    "path",
    "pattern",
    "prefix",
    "public",
    "ref",
    "regex",
    "type",
    "uri",
    "url",
    "version",
];

/// Words in front of such a name with which it promises none.
const HARMLESS: &[&str] = &["continuation", "csrf", "cursor", "next", "page", "public", "starting", "sync"];

/// What opens a hash that is written with its algorithm.
const HASHES: &[&str] = &["md5-", "pbkdf2_", "scrypt", "sha1-", "sha256-", "sha384-", "sha512-"];

/// Shortest and longest value: below it is a word, above it is data.
const VALUE_BYTES: std::ops::RangeInclusive<usize> = RUN_BYTES_MIN..=200;

/// Bits per byte that a drawn value of sixteen characters has nearly always, and a name nearly never.
const ENTROPY_MIN: f64 = 3.3;

/// Longest declaration between name and value, such as a type.
const DECLARATION_BYTES_MAX: usize = 48;

static NAME_FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let built = AhoCorasick::builder().ascii_case_insensitive(true).build(NAMES);
    built.expect("a dozen short names fit every limit of the automaton")
});

/// The likely secrets of `text`, in order. Values without quotes count where the format writes them so. A value is a part of
/// one of `runs`, and its name stands on the same line.
pub(super) fn find(text: &str, runs: &[Span], allows_bare_values: bool) -> Vec<Secret> {
    let (mut found, mut searched) = (Vec::new(), 0);
    for run in runs.iter().filter(|run| has_drawn_bytes(&text[(*run).clone()])) {
        if run.start < searched {
            continue;
        }
        let start = text[..run.start].rfind('\n').map_or(0, |end| end + 1);
        searched = text[run.end..].find('\n').map_or(text.len(), |length| run.end + length);
        let names = NAME_FINDER.find_iter(&text[start..searched]);
        let names = names.filter(|name| !points_elsewhere(&text[start..start + name.start()]));
        found.extend(names.filter_map(|name| read(text, start + name.end(), allows_bare_values)));
    }
    found
}

/// Whether `text` has as many digits and letters as every value that looks drawn.
fn has_drawn_bytes(text: &str) -> bool {
    let has_two = |kind: fn(&u8) -> bool| text.bytes().filter(kind).nth(1).is_some();
    has_two(u8::is_ascii_digit) && has_two(u8::is_ascii_alphabetic)
}

/// Whether the word in front of a name says that it is no secret: `nextToken` only turns a page.
fn points_elsewhere(before: &str) -> bool {
    let word = &before[before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '-').len()..];
    let word = word.trim_end_matches(['_', '-']).to_ascii_lowercase();
    HARMLESS.iter().any(|harmless| word.ends_with(harmless))
}

fn read(text: &str, name_end: usize, allows_bare_values: bool) -> Option<Secret> {
    let line = text[name_end..].split('\n').next()?;
    let rest = line.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '-');
    let suffix = line[..line.len() - rest.len()].to_ascii_lowercase();
    // `tokenizer` and `secretary` are other words; `token_url` and `tokenUrl` only point to one.
    let is_other_word = line.starts_with(|c: char| c.is_lowercase());
    if is_other_word || DESCRIPTIONS.iter().any(|word| suffix.trim_start_matches(['_', '-']).ends_with(word)) {
        return None;
    }
    let after_quote = rest.trim_start_matches(['"', '\'', ']', '`']).trim_start();
    let value_text = after_operator(after_quote)?;
    let value = match value_text.chars().next()? {
        quote @ ('"' | '\'' | '`') => value_text[1..].split(quote).next()?,
        _ if allows_bare_values => value_text.split(|c: char| c.is_whitespace() || c == '#' || c == ';').next()?,
        _ => return None,
    };
    if !looks_drawn(value) {
        return None;
    }
    let start = value.as_ptr().addr() - text.as_ptr().addr();
    Some(Secret {
        span: start..start + value.len(),
        shown: 0,
        what: "secret-like value",
        confidence_permille: CONFIDENCE,
    })
}

/// What follows `=`, `:`, `:=` or `=>`, behind a type if there is one.
fn after_operator(text: &str) -> Option<&str> {
    let value = text.strip_prefix("=>").or_else(|| text.strip_prefix(":=")).or_else(|| text.strip_prefix('='));
    if let Some(value) = value {
        return Some(value.trim_start()).filter(|value| !value.starts_with('='));
    }
    let typed = text.strip_prefix(':')?.trim_start();
    let declaration = typed.get(..typed.floor_char_boundary(DECLARATION_BYTES_MAX))?;
    match declaration.split_once("= ") {
        Some((kind, _)) if !kind.contains(['"', '\'']) || kind.contains("&'static") => {
            Some(typed[kind.len() + 2..].trim_start())
        }
        _ => Some(typed),
    }
}

fn looks_drawn(value: &str) -> bool {
    let is_address = value.contains("://") || value.starts_with(['/', '.', '~', '@']) || value.contains(':');
    let is_hash = HASHES.iter().any(|opening| value.starts_with(opening));
    let is_uuid = value.len() == 36 && value.bytes().filter(|byte| *byte == b'-').count() == 4;
    VALUE_BYTES.contains(&value.len())
        && value.bytes().all(is_plain)
        && has_drawn_bytes(value)
        && !is_address
        && !is_hash
        && !is_uuid
        && !is_placeholder(value)
        && entropy(value) >= ENTROPY_MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::plain_runs;

    const VALUE: &str = "Zk3vQ9xLr7TbWm2NcYdH";

    fn found(template: &str, allows_bare_values: bool) -> Vec<String> {
        let text = template.replace("{}", VALUE);
        find(&text, &plain_runs(&text), allows_bare_values)
            .into_iter()
            .map(|secret| text[secret.span].to_owned())
            .collect()
    }

    #[test]
    fn values_are_found_in_the_notations_of_many_languages() {
        for template in [
            "password = \"{}\"",
            "const API_KEY: &str = \"{}\";",
            "{\"client_secret\": \"{}\"}",
            "token := `{}`",
            "'apikey' => '{}'",
            "this.authToken = '{}'",
            "PASSWORD: '{}'",
            "signing_key = \"{}\"",
        ] {
            assert_eq!(found(template, false), [VALUE], "{template}");
        }
        assert_eq!(found("DB_PASSWORD={} # of the old host", true), [VALUE]);
    }

    #[test]
    fn what_only_describes_a_secret_is_not_found() {
        for template in [
            "DB_PASSWORD={}",
            "tokenizer = \"{}\"",
            "token_url = \"{}\"",
            "secret_name = \"{}\"",
            "if token == \"{}\"",
            "\"NextToken\": \"{}\"",
            "page_token = \"{}\"",
            "password = env(\"{}\")",
            "password = \"change-me-{}\"",
            "token = \"https://a/{}\"",
            "token = \"${{}}\"",
            "password = \"sha256-{}\"",
            "token_digest = \"{}\"",
        ] {
            assert_eq!(found(template, false), Vec::<String>::new(), "{template}");
        }
        assert_eq!(found("token = \"csrf-token-of-the-form\"", false), Vec::<String>::new());
        assert_eq!(found("secret: 550e8400-e29b-41d4-a716-446655440000", true), Vec::<String>::new());
    }
}
