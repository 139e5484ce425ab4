//! The names by which tests and modules know each other. `load_all`, `loadAll` and `load-all` are one name.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use crate::names::words;
use crate::paths;
use crate::rules::File;
use crate::tokens;

/// Letters of the shortest name that says something: `get` and `run` are everywhere.
const LETTERS_MIN: usize = 4;

/// Longest string that may name a module.
const STRING_BYTES_MAX: usize = 120;

/// File names that only say that a folder has a file of its own.
const FOLDER_FILES: &[&str] = &["__init__", "index", "lib", "mod"];

/// Words in the names of tests that say that they are tests.
const TEST_WORDS: &[&str] = &["cy", "e2e", "fixture", "it", "spec", "specs", "test", "tests", "testcase", "unittest"];

/// Folders whose folders are tests of one thing each, in whatever language they are written.
const FOLDERS_OF_TESTS: &[&str] = &["e2e", "functional", "scenarios", "targets"];

/// Last words of files that are one way to do what their name says: an implementation, or one for a system.
const WAYS: &[&str] = &[
    "android", "browser", "bsd", "c", "darwin", "generic", "impl", "ios", "linux", "macos", "native", "node", "other",
    "posix", "py", "unix", "web", "win32", "windows",
];

/// Letters of the shortest beginning of a name that a test may be named after.
const BEGINNING_LETTERS_MIN: usize = 5;

/// Letters of the longest name of which beginnings are taken.
const NAME_LETTERS_MAX: usize = 60;

/// Extensions of languages whose files use types of their own package without an import.
const BY_TYPE: &[&str] = &["cs", "groovy", "java", "kt", "kts", "php", "rb", "scala", "swift"];

/// A name as it is compared: its words in lower case, in one.
fn hash(name: &str) -> u32 {
    let joined: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // The low half: names are packed as 32 bits.
    (xxh3_64(joined.as_bytes()) & u64::from(u32::MAX)).try_into().unwrap_or_default()
}

/// The name of a module by its path.
pub(super) fn stem(path: &str) -> u32 {
    let name = paths::file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    let folder = path.rsplit('/').nth(1).filter(|_| FOLDER_FILES.contains(&stem));
    hash(folder.unwrap_or(stem))
}

/// The name of a package by its folder, where it is long enough to say something.
pub(super) fn package(folder: &str) -> Option<u32> {
    let name = paths::file_name(folder);
    (name.chars().count() >= LETTERS_MIN).then(|| hash(name))
}

/// The name of what the module is a way to do: `cart` of `CartImpl.java` and `cart_linux.go`.
pub(super) fn stem_of_way(path: &str) -> Option<u32> {
    let name = paths::file_name(path);
    let mut words = words(name.split('.').next().unwrap_or(name));
    let way = words.pop()?;
    (WAYS.contains(&way.as_str()) && !words.is_empty()).then(|| hash(&words.concat()))
}

/// The names of modules that a test may be about by its own path: `cart_total_test.go` is about `cart_total` or about `cart`.
pub(super) fn tested_by(path: &str) -> Vec<u32> {
    let name = paths::file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    let of = |name: &str| -> Vec<String> {
        let words = words(name);
        words.into_iter().filter(|word| !TEST_WORDS.contains(&word.as_str())).collect()
    };
    let mut own = of(stem);
    if FOLDER_FILES.contains(&own.concat().as_str()) || own.is_empty() {
        // `cart/tests.rs`, `cart/__tests__/index.js`
        own = path.rsplit('/').skip(1).map(of).find(|words| !words.is_empty()).unwrap_or_default();
    }
    // Its first words may be those of a folder: `test_command_genspider.py` is about `commands/genspider.py`.
    let ends = (1..own.len()).map(|count| hash(&own[count..].concat()));
    (1..=own.len()).map(|count| hash(&own[..count].concat())).chain(ends).collect()
}

/// The names of modules that a folder of tests is about: `lookup_cart` of `test/integration/targets/lookup_cart/tasks/main.yml`.
pub(super) fn tested_by_folder(path: &str) -> Vec<u32> {
    let mut parts = path.split('/').rev().skip(1).peekable();
    let mut name = None;
    while let Some(part) = parts.next() {
        if parts.peek().is_some_and(|above| FOLDERS_OF_TESTS.contains(above)) {
            name = Some(words(part));
        }
    }
    let own = name.unwrap_or_default();
    let ends = (1..own.len()).map(|count| hash(&own[count..].concat()));
    ends.chain((!own.is_empty()).then(|| hash(&own.concat()))).collect()
}

/// Beginnings of the name of the module: a test may be named after one, as `redact` is of `redaction`.
pub(super) fn beginnings(path: &str) -> Vec<u32> {
    let name = paths::file_name(path);
    let letters: Vec<char> = name.split('.').next().unwrap_or(name).chars().filter(|c| c.is_alphanumeric()).collect();
    let longest = letters.len().min(NAME_LETTERS_MAX);
    (BEGINNING_LETTERS_MIN..longest).map(|count| hash(&letters[..count].iter().collect::<String>())).collect()
}

/// Whether one of the words of `part` of a path is one of `wanted`.
pub(super) fn has_word(part: &str, wanted: &[&str]) -> bool {
    words(part.split('.').next().unwrap_or(part)).iter().any(|word| wanted.contains(&word.as_str()))
}

/// What the file uses of others: names in its imports, and types where none are needed for that. Sorted.
pub(super) fn used(file: &File<'_>) -> Vec<u32> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let imports = file.outline.imports.iter().map(|import| file.text(&import.span));
    let imported = imports.flat_map(|text| text.split(move |c| !is_part(c)).filter(|part| !part.is_empty()));
    let is_by_type = paths::extension(file.source.path).is_some_and(|extension| BY_TYPE.contains(&extension));
    let tokens = if is_by_type { tokens::of_code(file) } else { Vec::new() };
    let types = tokens.iter().filter(|token| token.text.starts_with(char::is_uppercase)).map(|token| token.text);
    let own = stem(file.source.path);
    let all: HashSet<&str> = imported.chain(types).collect();
    sorted(all.into_iter().map(hash).filter(|name| *name != own).collect())
}

/// What the module offers to others, sorted.
pub(super) fn offered(file: &File<'_>) -> Vec<u32> {
    let functions = file.outline.functions.iter().filter(|one| one.is_public && one.test.is_none());
    let names = functions.map(|function| &function.name).chain(file.outline.symbols.iter().map(|symbol| &symbol.name));
    let own = names.filter(|name| !file.outline.is_test_code(name.start)).map(|name| file.text(name));
    sorted(own.filter(|name| name.chars().count() >= LETTERS_MIN).map(hash).collect())
}

/// What tests in the file mention: every name in their code, and paths in their strings. Sorted.
pub(super) fn mentioned(file: &File<'_>, is_test: bool) -> Vec<u32> {
    let outline = &file.outline;
    let in_tests = |at: usize| is_test || outline.is_test_code(at);
    if !is_test && outline.test_code.is_empty() {
        return Vec::new();
    }
    let tokens = tokens::of_file(file);
    let names = tokens.iter().filter(|token| token.is_word() && in_tests(token.at));
    // The same few names stand in a test again and again.
    let names: HashSet<&str> = names.map(|token| token.text).collect();
    let strings = outline.strings.iter().filter(|span| in_tests(span.start)).map(|span| file.text(span));
    let paths =
        strings.filter(|text| text.len() <= STRING_BYTES_MAX && text.contains(['/', '.']) && !text.contains(' '));
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let parts = paths.flat_map(|text| text.split(move |c| !is_part(c)).filter(|part| !part.is_empty()));
    sorted(names.into_iter().chain(parts).map(hash).collect())
}

fn sorted(mut names: Vec<u32>) -> Vec<u32> {
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_named_by_their_file_or_folder() {
        assert_eq!(stem("src/cart_total.rs"), hash("CartTotal"));
        assert_eq!(stem("src/cart/mod.rs"), hash("cart"));
        assert_eq!(stem("src/cart/index.test-helper.ts"), hash("cart"));
        assert_ne!(stem("src/cart.rs"), hash("card"));
    }

    #[test]
    fn ways_to_do_something_are_named_after_it() {
        for path in ["src/CartImpl.java", "cart_linux.go", "src/cart_impl.rs"] {
            assert_eq!(stem_of_way(path), Some(hash("cart")), "{path}");
        }
        for path in ["src/cart.rs", "src/windows.rs", "src/impl_cart.rs"] {
            assert_eq!(stem_of_way(path), None, "{path}");
        }
    }

    #[test]
    fn folders_of_tests_are_named_after_what_they_test() {
        let found = tested_by_folder("test/integration/targets/lookup_cart/tasks/main.yml");
        assert_eq!(found, [hash("cart"), hash("lookup_cart")]);
        assert_eq!(tested_by_folder("test/integration/lookup_cart/main.yml"), Vec::<u32>::new());
        assert_eq!(tested_by_folder("test/targets/main.yml"), Vec::<u32>::new());
    }

    #[test]
    fn beginnings_of_names_are_long_enough_to_say_something() {
        assert_eq!(beginnings("src/redacts.js"), [hash("redac"), hash("redact")]);
        assert_eq!(beginnings("src/carts.js"), Vec::<u32>::new());
    }

    #[test]
    fn tests_are_named_after_what_they_test() {
        for path in
            ["test_cart.py", "cart_test.go", "cart.spec.ts", "CartTest.java", "CartIT.java", "src/cart/tests.rs"]
        {
            assert_eq!(tested_by(path), [hash("cart")], "{path}");
        }
        assert_eq!(tested_by("tests/cart-total.test.js"), [hash("cart"), hash("cartTotal"), hash("total")]);
        assert_eq!(tested_by("cart/__tests__/index.js"), [hash("cart")]);
        assert_eq!(tested_by("tests/test.py"), Vec::<u32>::new());
    }
}
