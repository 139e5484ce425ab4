//! What a path alone says about a file.

use std::collections::BTreeSet;

use crate::names::words;

/// Directories whose files exist for tests.
const TEST_DIRECTORIES: &[&str] = &[
    "__fixtures__",
    "__mocks__",
    "__tests__",
    "cypress",
    "e2e",
    "fixture",
    "fixtures",
    "mock",
    "mocks",
    "spec",
    "specs",
    "test",
    "test-data",
    "test_data",
    "testdata",
    "testing",
    "tests",
];

/// Directories of what tests read, wherever they are.
const TEST_INPUT_DIRECTORIES: &[&str] = &[
    "__fixtures__",
    "__testfixtures__",
    "_files",
    "_fixtures",
    "fixture",
    "fixtures",
    "test-data",
    "test-files",
    "test-fixtures",
    "test_data",
    "test_files",
    "test_fixtures",
    "testdata",
    "testfiles",
    "testfixtures",
];

/// Directories that hold such files where they are among tests.
const INPUT_DIRECTORIES: &[&str] = &["data", "inputs", "samples"];

/// Directories of inputs among tests that may be tests themselves, for a runner to run.
const SCRIPT_DIRECTORIES: &[&str] = &["example_scripts", "example_tests", "test_scripts"];

/// Directories of what shows how something is used.
const EXAMPLE_DIRECTORIES: &[&str] =
    &["demo", "demos", "doc", "docs", "documentation", "example", "examples", "tutorial", "tutorials"];

/// Extensions of languages whose packages are directories: one may be named `com.example`.
const PACKAGED_EXTENSIONS: &[&str] = &["groovy", "java", "kt", "kts", "scala"];

/// Directories of other people's code and of build output.
const VENDOR_DIRECTORIES: &[&str] = &[
    ".venv",
    "3rdparty",
    "Godeps",
    "_vendor",
    "_vendored",
    "bower_components",
    "deps",
    "dist",
    "external",
    "extern",
    "node_modules",
    "site-packages",
    "target",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "vendored",
    "venv",
];

/// Files that a package manager writes.
const LOCK_FILES: &[&str] = &[
    "Cargo.lock",
    "Gemfile.lock",
    "Pipfile.lock",
    "bun.lock",
    "composer.lock",
    "flake.lock",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// Parts of paths of editors for pages, which come with plugins of their own and are copied as a whole.
const BUNDLES: &[&str] =
    &["ckeditor/plugins/", "codemirror/mode/", "tinymce/plugins/", "tinymce/skins/", "tinymce/themes/"];

/// Ends of the names of files that tools write.
const GENERATED_ENDS: &[&str] =
    &[".Designer.cs", ".bundle.js", ".g.cs", ".pb.go", ".pb.swift", ".snap", "_pb.php", "_pb.rb", "_pb2.py"];

/// Extensions of text written for people.
const PROSE_EXTENSIONS: &[&str] = &["adoc", "asciidoc", "markdown", "md", "mdx", "org", "rst", "text", "txt"];

/// Directories of text written for people.
const DOCS_DIRECTORIES: &[&str] = &["doc", "docs", "documentation"];

/// Words in the names of files that stand in for others.
const STAND_IN_WORDS: &[&str] =
    &["dummy", "fake", "mock", "mocks", "noop", "null", "stub", "stubs", "unimplemented", "unsupported"];

/// The last component. Rules ask for it at every call, and paths are too short for a search made for texts.
pub(crate) fn file_name(path: &str) -> &str {
    path.bytes().rposition(|byte| byte == b'/').map_or(path, |at| &path[at + 1..])
}

/// What follows the last dot of the file name, unless the name starts with that dot.
pub(crate) fn extension(path: &str) -> Option<&str> {
    let name = file_name(path);
    let dot = name.bytes().rposition(|byte| byte == b'.').filter(|dot| *dot > 0)?;
    Some(&name[dot + 1..])
}

/// Whether the file is in C or C++.
pub(crate) fn is_c(path: &str) -> bool {
    matches!(extension(path), Some("c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx"))
}

/// Whether one of the directories on the way to the file has one of `names`.
pub(crate) fn has_directory(path: &str, names: &[&str]) -> bool {
    path.rsplit('/').skip(1).any(|part| names.iter().any(|name| part.eq_ignore_ascii_case(name)))
}

/// Whether the file is in one of `folders`, each of which ends with a `/`.
pub(crate) fn is_below(path: &str, folders: &BTreeSet<&str>) -> bool {
    path.match_indices('/').any(|(at, _)| folders.contains(&path[..=at]))
}

/// Whether the file is there for tests: by its directory or by the conventions of common languages.
pub(crate) fn is_test(path: &str) -> bool {
    has_directory(path, TEST_DIRECTORIES) || is_named_as_test(path)
}

/// Whether tests read the file, such as what a formatter is tried on: it is as odd as the test wants it.
pub(crate) fn is_test_input(path: &str) -> bool {
    let is_among_tests = |names| has_directory(path, TEST_DIRECTORIES) && has_directory(path, names);
    has_directory(path, TEST_INPUT_DIRECTORIES)
        || path.starts_with("src/test/resources/")
        || path.contains("/src/test/resources/")
        || is_among_tests(SCRIPT_DIRECTORIES)
        || (is_among_tests(INPUT_DIRECTORIES) && !is_named_as_test(path))
        || is_in_project_among_tests(path)
        || is_in_sources_among_tests(path)
}

/// Fewest directories between the tests of a project and those of another project that they work on; fewer are a grouping.
const INNER_TESTS_STEPS: usize = 3;

/// Whether the file is a test of a whole project that lies deep among the tests of another.
fn is_in_project_among_tests(path: &str) -> bool {
    // Their directories are packages, which may be named so at any depth.
    if extension(path).is_some_and(|found| PACKAGED_EXTENSIONS.contains(&found)) {
        return false;
    }
    let is_root = |part: &str| matches!(part, "test" | "tests");
    let parts = || path.split('/');
    let directories = parts().count().saturating_sub(1);
    let first = parts().take(directories).position(is_root);
    let last = parts().take(directories).enumerate().filter(|(_, part)| is_root(part)).last();
    first.zip(last).is_some_and(|(first, (last, _))| last - first > INNER_TESTS_STEPS)
}

/// Whether the file is in a directory among tests that says to hold sources: `tests/benchmarks/parsing-src/`.
fn is_in_sources_among_tests(path: &str) -> bool {
    let is_sources = |part: &str| ["-src", "_src", "-source", "-sources"].iter().any(|end| part.ends_with(end));
    path.rsplit('/').skip(1).any(is_sources) && has_directory(path, TEST_DIRECTORIES)
}

/// Whether the file shows how something is used: its tests are examples of tests.
pub(crate) fn is_example(path: &str) -> bool {
    let is_packaged = extension(path).is_some_and(|found| PACKAGED_EXTENSIONS.contains(&found));
    let sources = if path.starts_with("src/") { Some(0) } else { path.find("/src/").map(|at| at + 1) };
    let above = sources.filter(|_| is_packaged).map_or(path, |at| &path[..at]);
    has_directory(above, EXAMPLE_DIRECTORIES)
}

fn is_named_as_test(path: &str) -> bool {
    let name = file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    // Neither the first nor the last part of the name.
    let mut marks = name.rsplit('.').skip(1).take(name.matches('.').count().saturating_sub(1));
    marks.any(|mark| ["test", "spec", "fixture", "cy", "e2e"].contains(&mark))
        || stem.starts_with("test_")
        || ["_test", "-test", "_spec", "-spec", "_tests", "_unittest"].into_iter().any(|end| stem.ends_with(end))
        || (names_files_after_classes(path)
            && ["Test", "Tests", "TestCase", "IT"].iter().any(|end| stem.ends_with(end)))
        || matches!(stem, "conftest" | "test" | "tests")
        || extension(path) == Some("bats")
}

fn names_files_after_classes(path: &str) -> bool {
    const EXTENSIONS: &[&str] =
        &["cc", "cpp", "cs", "cxx", "groovy", "h", "hpp", "java", "kt", "kts", "m", "mm", "php", "scala", "swift"];
    extension(path).is_some_and(|found| EXTENSIONS.contains(&found))
}

/// Whether the file is text for people, not for machines.
pub(crate) fn is_prose(path: &str) -> bool {
    extension(path).is_some_and(|found| PROSE_EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// Whether the file documents something.
pub(crate) fn is_documentation(path: &str) -> bool {
    is_prose(path) || has_directory(path, DOCS_DIRECTORIES)
}

/// Whether the file stands in for another that does the work, as its name says.
pub(crate) fn is_stand_in(path: &str) -> bool {
    let stem = file_name(path).split('.').next().unwrap_or_default();
    words(stem).iter().any(|word| STAND_IN_WORDS.contains(&word.as_str()))
}

/// Whether nobody of the team wrote the file by hand.
pub(crate) fn is_foreign(path: &str) -> bool {
    let name = file_name(path);
    has_directory(path, VENDOR_DIRECTORIES)
        || LOCK_FILES.contains(&name)
        || is_minified(path)
        || BUNDLES.iter().any(|bundle| path.contains(bundle))
        || name.contains(".generated.")
        || name.starts_with("zz_generated")
        || names_a_release(name)
        || GENERATED_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether the name of a script or style sheet ends in the number of a release, as copies of libraries do: `jquery-3.5.1.js`.
fn names_a_release(name: &str) -> bool {
    let stem = [".js", ".mjs", ".cjs", ".css"].iter().find_map(|end| name.strip_suffix(end));
    let release = stem.and_then(|stem| stem.rsplit_once(['-', '_'])).map(|(_, release)| release);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    release.is_some_and(|release| release.contains('.') && release.split('.').all(is_number))
}

/// Whether the name says that a program shortened the file.
pub(crate) fn is_minified(path: &str) -> bool {
    file_name(path).contains(".min.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_read_is_told_from_tests() {
        for path in [
            "testdata/a.go",
            "src/__fixtures__/a.js",
            "tests/data/cases/a.py",
            "test/inputs/b/c.rs",
            "testing/example_scripts/test_a.py",
            "core/src/test/resources/ATest.java",
            "tests/_files/ATest.php",
            "test/system/targets/a/b/tests/unit/test_a.py",
            "tests/benchmarks/parsing-src/test_a.py",
        ] {
            assert!(is_test_input(path), "{path}");
        }
        for path in [
            "data/a.py",
            "tests/a.py",
            "tests/data/test_a.py",
            "tests/database/a.py",
            "src/samples/a.rs",
            "example_scripts/test_a.py",
            "tests/resources/test_a.py",
            "tests/views/tests/test_a.py",
            "tests/system/targets/a/test_a.py",
            "src/test/java/org/a/b/c/tests/ATest.java",
            "parsing-src/test_a.py",
            "tests/parsing/src/test_a.py",
        ] {
            assert!(!is_test_input(path), "{path}");
        }
    }

    #[test]
    fn examples_are_known_by_directory_but_not_by_package() {
        for path in ["example/test/a.js", "a/docs/b/test_a.py", "examples/a/src/test/java/b/ATest.java"] {
            assert!(is_example(path), "{path}");
        }
        for path in
            ["src/test/java/com/example/demo/ATest.java", "a/src/test/kotlin/com/example/ATest.kt", "test/example.js"]
        {
            assert!(!is_example(path), "{path}");
        }
    }

    #[test]
    fn tests_are_known_by_directory_or_name() {
        for path in [
            "tests/a.rs",
            "src/a.test.ts",
            "pkg/a_test.go",
            "test_a.py",
            "src/test/java/A.java",
            "ATest.java",
            "ATest.php",
            "a_unittest.cc",
            "a.bats",
        ] {
            assert!(is_test(path), "{path}");
        }
        for path in ["src/latest.rs", "contest/a.py", "src/attest.go", "src/testify.rs", "LATEST.md"] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn stand_ins_are_known_by_a_word_of_their_name() {
        for path in ["src/metrics/mock.rs", "math/stubs.go", "trans_null.py", "sysUnimplemented.go"] {
            assert!(is_stand_in(path), "{path}");
        }
        for path in ["mock/a.rs", "src/stubborn.rs", "src/nullable.ts"] {
            assert!(!is_stand_in(path), "{path}");
        }
    }

    #[test]
    fn extensions_are_of_the_name_and_not_of_the_directory() {
        assert_eq!(extension("a.b/c"), None);
        assert_eq!(extension("a/.bashrc"), None);
        assert_eq!(extension("a/b.tar.gz"), Some("gz"));
    }

    #[test]
    fn foreign_files_are_known_by_directory_or_name() {
        for path in [
            "web/node_modules/a/b.js",
            "go.sum",
            "js/app.min.js",
            "api/v1.pb.go",
            "a/b_pb.php",
            "Form.Designer.cs",
            "js/cart.bundle.js",
            "deps/pcre/a.c",
            "pip/_vendor/a.py",
            "js/tinymce/skins/ui/skin.css",
            "web/jquery-3.5.1.js",
            "api/zz_generated.deepcopy.go",
        ] {
            assert!(is_foreign(path), "{path}");
        }
        for path in ["pkg/pods/a.go", "web/step-2.js", "web/a-1.b.js", "docs/notes-1.2.md"] {
            assert!(!is_foreign(path), "{path}");
        }
        for path in ["src/distance.rs", "vendors.md", "src/lock.rs", "src/Designer.cs", "src/bundle.js"] {
            assert!(!is_foreign(path), "{path}");
        }
    }
}
