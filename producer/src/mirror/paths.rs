//! What a path in a repository is called, and whether its name alone says that nobody here wrote it.

/// Directories of other people's code, or of what a build or a package manager wrote.
const VENDORED: [&[u8]; 19] = [
    b".gradle",
    b".next",
    b".nuxt",
    b".terraform",
    b".tox",
    b".venv",
    b".yarn",
    b"Carthage",
    b"Pods",
    b"__pycache__",
    b"bower_components",
    b"dist",
    b"jspm_packages",
    b"node_modules",
    b"site-packages",
    b"target",
    b"third_party",
    b"vendor",
    b"venv",
];

/// Files that package managers write: full of hashes and other people's names.
const LOCK_FILES: [&[u8]; 32] = [
    b".terraform.lock.hcl",
    b"Cargo.lock",
    b"Cartfile.resolved",
    b"Chart.lock",
    b"Gemfile.lock",
    b"MODULE.bazel.lock",
    b"Package.resolved",
    b"Pipfile.lock",
    b"Podfile.lock",
    b"bun.lock",
    b"bun.lockb",
    b"cabal.project.freeze",
    b"composer.lock",
    b"conda-lock.yml",
    b"deno.lock",
    b"flake.lock",
    b"go.sum",
    b"go.work.sum",
    b"gradle.lockfile",
    b"mix.lock",
    b"npm-shrinkwrap.json",
    b"package-lock.json",
    b"packages.lock.json",
    b"paket.lock",
    b"pdm.lock",
    b"pixi.lock",
    b"pnpm-lock.yaml",
    b"poetry.lock",
    b"pubspec.lock",
    b"stack.yaml.lock",
    b"uv.lock",
    b"yarn.lock",
];

/// Whether a directory of this name holds other people's code.
pub(super) fn is_vendored(name: &[u8]) -> bool {
    VENDORED.contains(&name)
}

/// Whether a file at this path is written by a package manager.
pub(super) fn is_lock_file(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| LOCK_FILES.contains(&name))
}

/// The path as text: bytes that are not UTF-8 and control characters as `%XX`, so that no file name can speak to a terminal
/// or break a line of a log. A `%` that would read as one of these is `%25`: no two paths have the same form.
pub(super) fn percent_form(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        let valid = chunk.valid();
        for (at, c) in valid.char_indices() {
            let rest = &valid.as_bytes()[at + 1..];
            let reads_as_escape = c == '%' && rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
            if c.is_control() || reads_as_escape {
                push_escaped(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(c);
            }
        }
        push_escaped(&mut text, chunk.invalid());
    }
    text
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push_str(&format!("%{byte:02X}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_kept_as_percent_escapes() {
        assert_eq!(percent_form("a/ä b.rs".as_bytes()), "a/ä b.rs");
        assert_eq!(percent_form(b"\xff\x0a/\xc3\x28"), "%FF%0A/%C3(");
        assert_eq!(percent_form("\u{1b}[2J\u{9b}m".as_bytes()), "%1B[2J%C2%9Bm");
    }

    #[test]
    fn no_two_paths_have_the_same_form() {
        assert_eq!(percent_form(b"100% of it, 5%.rs"), "100% of it, 5%.rs");
        let paths: [&[u8]; 5] = [b"\xff", b"%FF", b"%25FF", b"%F\xff", b"%"];
        assert_eq!(paths.map(percent_form), ["%FF", "%25FF", "%2525FF", "%F%FF", "%"]);
    }

    proptest! {
        #[test]
        fn a_form_leads_back_to_its_path(path in proptest::collection::vec(prop_oneof![Just(b'%'), Just(b'F'), any::<u8>()], 0..12)) {
            let form = percent_form(&path);
            prop_assert!(!form.chars().any(char::is_control));
            prop_assert_eq!(bytes_of(form.as_bytes()), path);
        }
    }

    fn bytes_of(form: &[u8]) -> Vec<u8> {
        match form {
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digits = [*high, *low];
                let byte = u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap();
                [vec![byte], bytes_of(rest)].concat()
            }
            [byte, rest @ ..] => [vec![*byte], bytes_of(rest)].concat(),
            [] => Vec::new(),
        }
    }

    #[test]
    fn only_whole_names_count() {
        assert!(is_vendored(b"node_modules") && !is_vendored(b"node_modules2") && !is_vendored(b"Vendor"));
        assert!(
            is_lock_file(b"go.sum")
                && is_lock_file(b"a/b/Cargo.lock")
                && !is_lock_file(b"Cargo.lock/a")
                && !is_lock_file(b"my-go.sum")
        );
    }
}
