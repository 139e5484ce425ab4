//! Where a text holds secrets: found once per file, reported by one rule, masked in the snippets of all.

mod addresses;
mod assignments;
mod checksums;
mod format;
mod private_keys;
mod providers;
mod randomness;
#[cfg(test)]
pub(crate) mod samples;

use crate::outline::Span;
use crate::runs::runs;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    /// All of it.
    pub(crate) span: Span,
    /// How many bytes of it may be shown: the part that only says what it is.
    pub(crate) shown: usize,
    /// What it is, for people.
    pub(crate) what: &'static str,
    /// How sure that is, in permille.
    pub(crate) confidence_permille: u16,
}

/// Shortest run of bytes in which a secret is looked for: values that are given to names are as long, tokens longer. Most of a
/// text is shorter words, so that most of it is not searched.
const RUN_BYTES_MIN: usize = 16;

/// Whether secrets hold `byte`, other than passwords in addresses and private keys. What notations put around them is none.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'$' | b'{' | b'}' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'%' | b'\\' | b',' | b'|' | b'&' | b'*'
        )
}

/// Where secrets may be in `text`.
fn plain_runs(text: &str) -> Vec<Span> {
    runs(text.as_bytes(), RUN_BYTES_MIN, is_plain)
}

/// The secrets of `text`, sorted and disjoint; of two that overlap the surer one stays.
pub(crate) fn find(text: &str, allows_bare_values: bool) -> Vec<Secret> {
    let runs = plain_runs(text);
    let mut found = providers::find(text, &runs);
    found.extend(private_keys::find(text));
    found.extend(addresses::find(text));
    found.extend(assignments::find(text, &runs, allows_bare_values));
    found.sort_by_key(|secret| (secret.span.start, std::cmp::Reverse(secret.confidence_permille)));
    let mut kept: Vec<Secret> = Vec::new();
    for secret in found {
        match kept.last_mut() {
            Some(last) if last.span.end > secret.span.start => {
                if last.confidence_permille < secret.confidence_permille {
                    *last = secret;
                }
            }
            _ => kept.push(secret),
        }
    }
    kept
}

/// The part `window` of `text` with every one of `secrets` replaced by what may be shown of it and `***`.
pub(crate) fn mask(text: &str, window: &Span, secrets: &[Secret]) -> String {
    let mut masked = String::new();
    let mut at = window.start;
    let first = secrets.partition_point(|secret| secret.span.end <= window.start);
    for secret in secrets[first..].iter().take_while(|secret| secret.span.start < window.end) {
        if secret.span.start >= at {
            let shown = (secret.span.start + secret.shown).min(window.end);
            masked.push_str(text.get(at..shown).unwrap_or_default());
        }
        masked.push_str("***");
        at = secret.span.end;
    }
    masked.push_str(text.get(at..window.end).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_shows_the_kind_and_nothing_of_the_secret() {
        let token = concat!("glp", "at-", "Zk3vQ9xLr7TbWm2NcYdH");
        let text = format!("a {token} b {token} c");
        let secrets = find(&text, false);
        assert_eq!(secrets.len(), 2);
        assert_eq!(mask(&text, &(0..text.len()), &secrets), "a glpat-*** b glpat-*** c");
        let inside = secrets[0].span.start + 10;
        assert_eq!(mask(&text, &(inside..text.len()), &secrets), "*** b glpat-*** c");
    }

    #[test]
    fn a_window_that_ends_inside_a_secret_shows_none_of_it() {
        let text = format!("a {}", concat!("glp", "at-", "Zk3vQ9xLr7TbWm2NcYdH"));
        assert_eq!(mask(&text, &(0..15), &find(&text, false)), "a glpat-***");
    }
}
