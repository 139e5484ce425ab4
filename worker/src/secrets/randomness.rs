//! Whether text looks drawn at random, or made up by a person.

/// Words of values that stand for a secret; no random value of the lengths looked at holds one but by bad luck.
const PLACEHOLDERS: &[&str] = &[
    "0123456789",
    "123456",
    "abcdef",
    "abcdefgh",
    "change",
    "deadbeef",
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
    "qwerty",
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

/// Longest run of one byte, or of bytes of which each follows the one before in the alphabet, in a drawn value.
const RUN_MAX: usize = 4;

/// How far a value is judged: in a thousand drawn letters some short word stands by chance.
const JUDGED_BYTES_MAX: usize = 100;

/// Longest piece that is looked for again and again.
const PERIOD_MAX: usize = 16;

/// Whether `value` names itself a placeholder, repeats itself or counts.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = &value[..value.floor_char_boundary(JUDGED_BYTES_MAX)];
    let lower = value.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || longest_run(value, 0) > RUN_MAX
        || longest_run(&lower, 1) > RUN_MAX + 1
        || is_periodic(value)
}

/// Bytes in the longest stretch in which each is the one before and `step`.
fn longest_run(value: &str, step: u8) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, None);
    for byte in value.bytes() {
        run = if last == Some(byte.wrapping_sub(step)) { run + 1 } else { 1 };
        last = Some(byte);
        longest = longest.max(run);
    }
    longest
}

/// Whether `value` is one short piece, twice or more.
fn is_periodic(value: &str) -> bool {
    let bytes = value.as_bytes();
    let longest = PERIOD_MAX.min(bytes.len() / 2);
    (1..=longest).any(|period| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b))
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
        for value in ["YOUR_TOKEN_HERE", "AKIAIOSFODNN7EXAMPLE", "aaaaa", "kXXXXk", "k9ghijklq2", "Zk3vQ9Zk3vQ9Zk3v"] {
            assert!(is_placeholder(value), "{value}");
        }
        assert!(!is_placeholder("Zk3vQ9xLr7TbWm2NcYdH"));
    }
}
