//! What Flow writes otherwise than TypeScript, in the words of TypeScript: as many bytes as before, so that places stay.

/// What is looked at of a type that is left out; types of casts and bounds are short.
const TYPE_BYTES_MAX: usize = 2_000;

/// Writes `code` without what only Flow has: exact objects, variance, `?T` and imports of `typeof`. None of it is
/// JavaScript or TypeScript, so what is neither is left as it is, but for what is quoted, whose place is all that counts.
pub(super) fn as_typescript(code: &mut [u8]) {
    let mut last = b' ';
    for at in 0..code.len() {
        let (byte, next) = (code[at], code.get(at + 1).copied().unwrap_or(b' '));
        match (byte, next) {
            (b'{', b'|') => code[at + 1] = b' ',
            (b'|', b'}') => code[at] = b' ',
            (b'+' | b'-', _) if b"{,;|<(".contains(&last) && is_variance(last, &code[at + 1..]) => code[at] = b' ',
            (b'?', _) if b":<|(,=&[>".contains(&last) && begins_type(next) => code[at] = b' ',
            (b't', b'y') if is_import_of_types(code, at) => code[at..at + TYPEOF.len()].copy_from_slice(b"type  "),
            _ => {}
        }
        if !code[at].is_ascii_whitespace() {
            last = code[at];
        }
    }
}

const TYPEOF: &[u8] = b"typeof";

/// Whether `rest` goes on as a member or a parameter of a type behind its sign: `a: T`, `a?: T`, `[k: K]: T`, `T>`, `T = U`,
/// or `T,` where it is the first and what opens the parameters stands `before` it.
fn is_variance(before: u8, rest: &[u8]) -> bool {
    if rest.first() == Some(&b'[') {
        return true;
    }
    let behind = rest.iter().position(|byte| !is_name(*byte)).filter(|length| *length > 0);
    let Some(rest) = behind.map(|length| &rest[length..]) else { return false };
    match rest.trim_ascii_start() {
        [b'=', next, ..] => !b"=>".contains(next),
        [b',', ..] => before == b'<',
        rest => rest.starts_with(b":") || rest.starts_with(b"?:") || rest.starts_with(b">"),
    }
}

fn begins_type(byte: u8) -> bool {
    is_name(byte) || b"({['\"".contains(&byte)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// Whether `import typeof` goes on at byte `at`.
fn is_import_of_types(code: &[u8], at: usize) -> bool {
    let before = code[..at].trim_ascii_end();
    code[at..].starts_with(TYPEOF) && before.len() < at && before.ends_with(b"import")
}

/// Blanks the type that Flow has at byte `at`, where TypeScript has none: `: T` of a cast or a bound, `...T` of an object.
/// Whether there was one.
pub(super) fn blank_type(code: &mut [u8], at: usize) -> bool {
    let before = code.get(..at).unwrap_or_default().trim_ascii_end();
    let start = match code.get(at) {
        // The mistake may be what follows the dots.
        Some(_) if before.ends_with(b"...") => before.len() - "...".len(),
        Some(b':') => at,
        // A cast of a name was taken for parameters, which an arrow should follow.
        Some(_) if before.ends_with(b")") => match cast(before) {
            Some(colon) => colon,
            None => return false,
        },
        Some(b'.') if code[at..].starts_with(b"...") => at,
        _ => return false,
    };
    let Some(length) = type_length(&code[start..]) else { return false };
    // A member of an object goes with what sets it apart from the next.
    let is_member = code[start] == b'.' && matches!(code.get(start + length), Some(b',' | b';'));
    for byte in &mut code[start..start + length + usize::from(is_member)] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
    true
}

/// Where the type begins in `(name: T)`, which `code` ends in.
fn cast(code: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code.iter().enumerate().rev().take(TYPE_BYTES_MAX) {
        match byte {
            b')' => depth += 1,
            b'(' if depth == 1 => {
                let length = code[at + 1..].iter().position(|byte| !is_name(*byte) && *byte != b' ')?;
                let colon = at + 1 + length;
                return (length > 0 && code.get(colon) == Some(&b':')).then_some(colon);
            }
            b'(' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Up to what ends the type at the beginning of `code`: a bracket that closes what is around it, a comma, or a default.
fn type_length(code: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code.iter().enumerate().take(TYPE_BYTES_MAX) {
        let is_arrow = at > 0 && code[at - 1] == b'=' && *byte == b'>';
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return Some(at),
            b'>' if depth == 0 && !is_arrow => return Some(at),
            b',' | b';' if depth == 0 => return Some(at),
            b'=' if depth == 0 && code.get(at + 1) != Some(&b'>') => return Some(at),
            b')' | b']' | b'}' => depth -= 1,
            b'>' if !is_arrow => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let mut code = text.as_bytes().to_vec();
        as_typescript(&mut code);
        String::from_utf8(code).unwrap()
    }

    #[test]
    fn what_only_flow_has_is_written_as_typescript_has_it() {
        let cases = [
            ("type A = {| +a: ?B, -c?: D |};", "type A = {   a:  B,  c?: D  };"),
            ("type A<+T, -U = V, -W> = {+[K]: T};", "type A< T,  U = V,  W> = { [K]: T};"),
            ("import typeof A from 'a'", "import type   A from 'a'"),
            ("f((a: ?(b: ?C) => ?D));", "f((a:  (b:  C) =>  D));"),
        ];
        for (flow, typescript) in cases {
            assert_eq!(rewritten(flow), typescript);
        }
    }

    #[test]
    fn javascript_stays_as_it_is() {
        for text in [
            "a = b ? +c : -d;",
            "f(a, -b, +c, -d(e), -g === h, [+i]);",
            "a = [+b, -c]; d = {e: -f, g: +h};",
            "a?.b ?? c?.[d];",
            "a = typeof b; important typeof;",
            "x = a || b | c; é = {'é': -1};",
        ] {
            assert_eq!(rewritten(text), text);
        }
    }

    #[test]
    fn types_of_casts_bounds_and_spreads_are_left_out() {
        let blanked = |text: &str, at: &str| {
            let mut code = text.as_bytes().to_vec();
            let is_type = blank_type(&mut code, text.find(at).unwrap());
            is_type.then(|| String::from_utf8(code).unwrap())
        };
        assert_eq!(blanked("(a: Array<[B, C]>).d(e)", ":").unwrap(), "(a               ).d(e)");
        assert_eq!(blanked("(a: b => c)", ":").unwrap(), "(a        )");
        assert_eq!(blanked("f<T: {a: B}, U>(c)", ":").unwrap(), "f<T        , U>(c)");
        assert_eq!(blanked("f<T: A = B>(c)", ":").unwrap(), "f<T    = B>(c)");
        assert_eq!(blanked("{a: B, ...C<D>, e: F}", "...").unwrap(), "{a: B,          e: F}");
        assert_eq!(blanked("{a: B, ... }", "}").unwrap(), "{a: B,     }");
        assert_eq!(blanked("{...C}", "C}").unwrap(), "{    }");
        assert_eq!(blanked("f((a: B<() => C>), d)", ", d").unwrap(), "f((a            ), d)");
        assert_eq!(blanked("f((a), d)", ", d"), None);
        assert_eq!(blanked("f() {}", "}"), None);
        assert_eq!(blanked("(a: B", ":"), None);
    }
}
