//! Which names check something, in any language.

use crate::names;

/// Words that open the name of a function that fails a test: `assert_eq`, `expectStatus`, `check_row`, `RequireNoError`.
const HEADS: &[&str] = &[
    "assert",
    "check",
    "debug_assert",
    "ensure",
    "expect",
    "fail",
    "prop_assert",
    "require",
    "should",
    "snapshot",
    "verify",
];

/// Whether `name` opens with such a word, as a word of its own: `check_row` and `checkRow`, not `checkout`; `assert` may stand
/// anywhere in it, as in `xp_assert_equal`.
pub(super) fn is_assertion(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    HEADS.iter().any(|head| {
        let opens = name.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head));
        opens && name[head.len()..].chars().next().is_none_or(|next| !next.is_lowercase())
    }) || names::parts(name).any(|part| part.eq_ignore_ascii_case("assert"))
}

/// Whether one of the words of `code` is an assertion.
pub(super) fn holds_assertion(code: &str) -> bool {
    words(code).any(is_assertion)
}

/// The identifiers and numbers of `code`.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_must_be_a_word_of_its_own() {
        for name in ["assert_eq", "assertEquals", "expect", "checkRow", "_verify_it", "EXPECT_EQ", "Require", "check2"]
            .into_iter()
            .chain(["xp_assert_equal", "nativeAssert", "my_assert"])
        {
            assert!(is_assertion(name), "{name}");
        }
        for name in ["checkout", "expected", "failover", "requirements", "recheck", "reassertion", "", "é"] {
            assert!(!is_assertion(name), "{name}");
        }
    }
}
