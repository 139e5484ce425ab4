//! Whether text looks drawn at random, or made up by a person.

/// Words of values that stand for a secret; no random value of the lengths looked at holds one but by bad luck.
const PLACEHOLDERS: &[&str] = &[
    "0123456789",
    "123456",
    "abcdef",
    "abcdefgh",
    "change",
    "default",
    "demo",
    "dummy",
    "example",
    "fake",
    "foobar",
    "insert",
    "invalid",
    "lorem",
    "notreal",
    "password",
    "placeholder",
    "redacted",
    "replace",
    "sample",
    "secret",
    "test",
    "todo",
    "xxxx",
    "your",
    "zzzz",
];

/// Whether `value` names itself a placeholder or repeats itself.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.contains(word)) || longest_run(value) >= 5
}

fn longest_run(value: &str) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, None);
    for byte in value.bytes() {
        run = if last == Some(byte) { run + 1 } else { 1 };
        last = Some(byte);
        longest = longest.max(run);
    }
    longest
}

/// Shannon entropy in bits per byte.
#[expect(clippy::cast_precision_loss, reason = "values of some hundred bytes")]
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_has_more_entropy_than_words() {
        assert!(entropy("Zk3vQ9xLr7TbWm2NcYdH") > 4.0);
        assert!(entropy("aaaaaaaaaaaaaaaaaaaa") < 0.1);
        assert_eq!(entropy(""), 0.0);
    }

    #[test]
    fn placeholders_are_known_in_any_case() {
        for value in ["YOUR_TOKEN_HERE", "AKIAIOSFODNN7EXAMPLE", "aaaaa", "kXXXXk"] {
            assert!(is_placeholder(value), "{value}");
        }
        assert!(!is_placeholder("Zk3vQ9xLr7TbWm2NcYdH"));
    }
}
