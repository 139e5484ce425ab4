//! What makes two reasons the same reason: the text without the names, ids and numbers of the one case.

/// Runs of hex digits of at least this many are ids: shorter ones are words such as `face`.
const HEX_DIGITS_MIN: usize = 8;

/// `reason` with quoted parts, ids and numbers replaced, so that what failed alike counts as one.
pub fn fingerprint(reason: &str) -> String {
    let mut shape = String::new();
    let mut rest = reason;
    // A word before it, or what stands for one, makes a quotation mark an apostrophe.
    let mut is_inside_word = false;
    while let Some(first) = rest.chars().next() {
        let word = word_length(rest);
        if let Some(length) = quoted_length(rest).filter(|_| !is_inside_word) {
            shape.push_str("<text>");
            rest = &rest[length..];
            is_inside_word = false;
        } else if word > 0 {
            shape.push_str(&word_shape(&rest[..word]));
            rest = &rest[word..];
            is_inside_word = true;
        } else {
            shape.push(first);
            rest = &rest[first.len_utf8()..];
            is_inside_word = first == '>';
        }
    }
    shape
}

/// The length in bytes of the quotation that `text` begins with, its marks included.
fn quoted_length(text: &str) -> Option<usize> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '"' | '\''))?;
    text[1..].find(mark).map(|end| end + 2)
}

/// The length in bytes of the word that `text` begins with; a UUID is one word.
fn word_length(text: &str) -> usize {
    let is_uuid = text.len() >= 36
        && text.bytes().take(36).enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_uuid {
        return 36;
    }
    text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())
}

fn word_shape(word: &str) -> String {
    let is_hex = word.len() >= HEX_DIGITS_MIN && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mixed = word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic());
    if word.contains('-') || (is_hex && is_mixed) {
        return "<id>".to_owned();
    }
    let mut shape = String::new();
    for c in word.chars() {
        match c {
            c if !c.is_numeric() => shape.push(c),
            _digit if shape.ends_with("<n>") => {}
            _digit => shape.push_str("<n>"),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_only_in_names_and_numbers_is_the_same() {
        let same = [
            ("not done in 600 s", "not done in 30 s"),
            ("file `src/a.rs` is larger than 1048576 bytes", "file `b` is larger than 7 bytes"),
            ("object 5feceb66ffc86f38d952786c6d696c79 is gone", "object 6b86b273ff34fce19d6b804eff5a3f57 is gone"),
            (
                "audit 0191c0de-0000-7000-8000-000000000000 has no task 3",
                "audit ffffc0de-aaaa-4000-8000-bbbbbbbbbbbb has no task 12",
            ),
            ("panicked at 'index 7', line 3", "panicked at 'x', line 4"),
        ];
        for (one, other) in same {
            assert_eq!(fingerprint(one), fingerprint(other));
        }
        assert_ne!(fingerprint("not done in 600 s"), fingerprint("not sent in 600 s"));
    }

    #[test]
    fn apostrophes_and_words_of_hex_letters_stay() {
        assert_eq!(fingerprint("it can't and won't face 2 defaced"), "it can't and won't face <n> defaced");
        assert_eq!(fingerprint("don't \"say\" that"), "don't <text> that");
        assert_eq!(fingerprint("an open ` stays"), "an open ` stays");
    }

    proptest! {
        #[test]
        fn no_digit_is_left_and_once_is_enough(reason in "[a-f0-9 `'\"é٣-]{0,60}|\\PC{0,60}") {
            let shape = fingerprint(&reason);
            prop_assert!(!shape.chars().any(char::is_numeric), "{shape}");
            prop_assert_eq!(fingerprint(&shape), shape);
        }

        #[test]
        fn numbers_do_not_matter(one: u32, other: u32) {
            prop_assert_eq!(fingerprint(&format!("task {one} of x{one}")), fingerprint(&format!("task {other} of x{other}")));
        }
    }
}
