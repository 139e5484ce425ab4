//! Blocks of private keys in text armour.

use memchr::memmem::find_iter;

use super::Secret;

const OPENING: &str = "-----BEGIN ";

/// What ends the opening line of a private key, of a certificate authority's or a person's.
const KINDS: &[&str] = &["PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"];

/// Longest opening line; the longest in use names an algorithm of a dozen letters.
const OPENING_BYTES_MAX: usize = 64;

/// Longest block that is looked at: a key of 16,384 bits takes 13 KiB.
const BLOCK_BYTES_MAX: usize = 16 * 1024;

/// Shortest run of base 64 that is a key and not prose: the shortest key in use takes 60.
const BODY_BYTES_MIN: usize = 40;

/// How far behind the opening line the body may begin: headers of encrypted keys stand between.
const HEADERS_BYTES_MAX: usize = 256;

/// Kinds of keys that are no numbers in a row.
const OTHER_BODIES: &[&str] = &["OPENSSH", "PGP", "SSH2"];

/// The header of a key that is encrypted as a whole.
const ENCRYPTED: &str = "Proc-Type";

/// How numbers in a row begin, as base 64.
const ROW: &str = "M";

/// The private keys of `text`, in order. An opening line alone is code that looks for keys, not a key.
pub(super) fn find(text: &str) -> Vec<Secret> {
    find_iter(text.as_bytes(), OPENING).filter_map(|start| read(text, start)).collect()
}

fn read(text: &str, start: usize) -> Option<Secret> {
    let line = clip(text, start, OPENING_BYTES_MAX);
    let shown = KINDS.iter().find_map(|kind| line.find(kind).map(|at| at + kind.len()))?;
    if line[..shown].contains('\n') {
        return None;
    }
    let block = clip(text, start + shown, BLOCK_BYTES_MAX);
    let end = block.find("-----END").unwrap_or(block.len());
    let body = first_of_body(&block[..end.min(block.floor_char_boundary(HEADERS_BYTES_MAX + BODY_BYTES_MIN))])?;
    // Other kinds are numbers in a row, which all begin alike; what does not was cut off or made up. Encrypted ones have headers.
    let is_row = !OTHER_BODIES.iter().any(|kind| line[..shown].contains(kind)) && !block[..end].contains(ENCRYPTED);
    if is_row && !body.starts_with(ROW) {
        return None;
    }
    let span = start..start + shown + end;
    Some(Secret { span, shown, what: "private key", confidence_permille: 950 })
}

fn clip(text: &str, from: usize, length: usize) -> &str {
    &text[from..text.floor_char_boundary(from + length)]
}

/// The run of base 64 that begins here, if one does; a line feed may be written `\n`.
fn first_of_body(text: &str) -> Option<String> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let unescaped = text.replace("\\n", "\n").replace("\\r", "");
    let mut lines =
        unescaped.split('\n').map(|line| line.trim_matches(|c: char| c.is_whitespace() || "\"'`,+\\#/*".contains(c)));
    let is_body = |line: &&str| {
        line.len() >= BODY_BYTES_MIN
            && line.bytes().all(is_base64)
            && line.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    lines.find(is_body).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";

    fn armour(kind: &str, between: &str) -> String {
        let dashes = "-".repeat(5);
        format!("{dashes}BEGIN {kind}{dashes}{between}{BODY}{between}{dashes}END {kind}{dashes}")
    }

    #[test]
    fn keys_are_found_on_lines_of_their_own_and_in_strings() {
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            for between in ["\n", "\\n", "\r\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"] {
                assert_eq!(find(&armour(kind, between)).len(), 1, "{kind} {between:?}");
            }
        }
    }

    #[test]
    fn what_is_encrypted_or_of_another_kind_begins_as_it_likes() {
        for (kind, between) in [("OPENSSH PRIVATE KEY", "\n"), ("RSA PRIVATE KEY", "\nProc-Type: 4,ENCRYPTED\n\n")] {
            assert_eq!(find(&armour(kind, between).replace("MIIE", "wihZ")).len(), 1, "{kind}");
        }
    }

    #[test]
    fn what_is_no_private_key_is_not_found() {
        assert_eq!(find(&armour("CERTIFICATE", "\n")), []);
        assert_eq!(find(&armour("PUBLIC KEY", "\n")), []);
        assert_eq!(find(&armour("RSA PRIVATE KEY", "\n").replace("MIIE", "wihZ")), []);
        let opening = armour("PRIVATE KEY", "\n").replace(BODY, "");
        assert_eq!(find(&opening), []);
        assert_eq!(
            find(&opening.replace("\n", " followed by prose that explains what a key would look like here\n")),
            []
        );
    }
}
