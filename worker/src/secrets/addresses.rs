//! Passwords inside addresses: `postgres://app:***@db.internal/shop`.

use memchr::memmem::find_iter;

use super::Secret;
use super::randomness::{entropy, is_placeholder};

/// What stands between the scheme of an address and the rest.
const MARK: &str = "://";

/// Confidence of a guess by looks; under 700, so that it never fails an audit.
const CONFIDENCE: u16 = 650;

/// Longest part of an address that is looked at for a password.
const LOGIN_BYTES_MAX: usize = 256;

/// Shortest and longest password: below it is a word, above it is data.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 10..=128;

/// Bits per byte that a drawn password of ten letters has nearly always, and a word nearly never.
const ENTROPY_MIN: f64 = 2.9;

/// Hosts that nobody else can reach, and those that exist for documentation.
const HARMLESS_HOSTS: &[&str] = &["127.", "0.0.0.0", "[::1]", "example.", "host", "localhost"];

/// The likely passwords in addresses of `text`, in order.
pub(super) fn find(text: &str) -> Vec<Secret> {
    find_iter(text.as_bytes(), MARK).filter_map(|at| read(text, at + MARK.len())).collect()
}

fn read(text: &str, login: usize) -> Option<Secret> {
    let rest = &text[login..text.floor_char_boundary(login + LOGIN_BYTES_MAX)];
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>/?#\\|(){}[]$%,;".contains(c)).unwrap_or(rest.len());
    let (login_text, host) = rest[..end].split_once('@')?;
    let (_, password) = login_text.split_once(':')?;
    let is_harmless = host.is_empty() || HARMLESS_HOSTS.iter().any(|known| host.starts_with(known));
    if is_harmless || !looks_drawn(password) {
        return None;
    }
    let start = login + login_text.len() - password.len();
    let what = "password in an address";
    Some(Secret { span: start..start + password.len(), shown: 0, what, confidence_permille: CONFIDENCE })
}

fn looks_drawn(password: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| password.bytes().any(|byte| kind(&byte));
    PASSWORD_BYTES.contains(&password.len())
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !is_placeholder(password)
        && entropy(password) >= ENTROPY_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = concat!("Zk3vQ9x", "Lr7TbWm");

    fn found(template: &str) -> Vec<String> {
        let text = template.replace("{}", PASSWORD);
        find(&text).into_iter().map(|secret| text[secret.span].to_owned()).collect()
    }

    #[test]
    fn passwords_are_found_in_addresses_of_any_scheme() {
        for template in [
            "postgres://app:{}@db.internal/shop",
            "url = \"amqp://app:{}@10.0.0.7:5672\"",
            "https://kim:{}@git.shop.test/a.git and https://other",
            "redis://:{}@cache.internal",
        ] {
            assert_eq!(found(template), [PASSWORD], "{template}");
        }
    }

    #[test]
    fn what_protects_nothing_or_is_no_password_is_not_found() {
        for template in [
            "postgres://app:{}@localhost/shop",
            "postgres://app:{}@127.0.0.1/shop",
            "postgres://app:{}@example.com/shop",
            "postgres://app:secret-{}@db.internal/shop",
            "postgres://app:${PASSWORD_12345}@db.internal/shop",
            "postgres://app:<password12345>@db.internal/shop",
            "postgres://postgres:postgres@db.internal/shop",
            "https://a.test/{}:{}@b",
            "https://{}@a.test",
            "://:@",
        ] {
            assert_eq!(found(template), Vec::<String>::new(), "{template}");
        }
    }
}
