//! Test doubles in code that is not a test.

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::Import;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Libraries of test doubles that code other than tests imports: `unittest.mock`, `mockall`, `wiremock`, `testify/mock`,
    /// `gomock`, `sinon`, `nock`, `msw` and their kin.
    ///
    /// A file is reported once. Tests, code that exists for tests only, files that say by their path that they help
    /// tests (`testing`, `mocks`, `fakes`, `stories`, `conftest`), that import a library for tests besides, or that offer
    /// doubles by name (`FakeClock`) are left alone, and so are such libraries themselves. So is an import inside a
    /// function or condition, which may be meant for development.
    ///
    /// ## Why it matters
    /// What is delivered may answer with made-up data. At the least it drags a library along that nobody needs there.
    ///
    /// ## Example
    /// ```text
    /// from unittest.mock import MagicMock
    /// payments = MagicMock()
    /// ```
    ///
    /// ## How to fix
    /// Move the double to the tests, and hand the real thing in where the code runs.
    "integrity/mock-in-production", Integrity, High, version: 4, Check::Code(check)
);

/// Modules of test doubles, as they are imported; what is below them counts too.
const LIBRARIES: &[&str] = &[
    "@golevelup/ts-jest",
    "FakeItEasy",
    "Mockery",
    "Moq",
    "NSubstitute",
    "PHPUnit\\Framework\\MockObject",
    "aws-sdk-client-mock",
    "freezegun",
    "github.com/DATA-DOG/go-sqlmock",
    "github.com/golang/mock/gomock",
    "github.com/jarcoal/httpmock",
    "github.com/stretchr/testify/mock",
    "go.uber.org/mock/gomock",
    "httpmock",
    "io.mockk",
    "jest-mock",
    "jest-mock-extended",
    "mock",
    "mockall",
    "mockito",
    "moto",
    "msw",
    "nock",
    "org.easymock",
    "org.mockito",
    "org.powermock",
    "pytest_mock",
    "requests_mock",
    "sinon",
    "testdouble",
    "ts-mockito",
    "unittest.mock",
    "wiremock",
];

/// Parts of paths of files that help tests.
const TEST_HELPERS: &[&str] = &[
    "bench",
    "conftest",
    "demo",
    "dev",
    "double",
    "e2e",
    "example",
    "fake",
    "fixture",
    "harness",
    "mock",
    "playground",
    "sandbox",
    "setup",
    "spec",
    "spies",
    "spy",
    "stories",
    "storybook",
    "stub",
    "test",
];

/// Directories of tests that are too short to be looked for as parts.
const TEST_DIRECTORIES: &[&str] = &["qa", "t", "xt"];

/// Beginnings of modules that only tests and what helps them import.
const TEST_LIBRARIES: &[&str] = &[
    "@jest/",
    "@playwright/test",
    "@testing-library/",
    "NUnit.",
    "PHPUnit\\",
    "Xunit",
    "XCTest",
    "ava",
    "github.com/onsi/ginkgo",
    "github.com/stretchr/testify/assert",
    "github.com/stretchr/testify/require",
    "io.kotest",
    "jest",
    "kotlin.test",
    "mocha",
    "node:test",
    "org.junit",
    "org.testng",
    "pytest",
    "testing",
    "unittest",
    "vitest",
];

/// Words in names of what a file offers that make it one of doubles.
const DOUBLE_WORDS: &[&str] = &["dummy", "fake", "mock", "mocked", "mocks", "spy", "stub", "test", "testing", "tests"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path.to_ascii_lowercase();
    if TEST_HELPERS.iter().any(|part| path.contains(part)) || paths::has_directory(&path, TEST_DIRECTORIES) {
        return;
    }
    let imports = file.outline.imports.iter().filter(|import| is_double(file.text(&import.module)));
    let mut imports = imports.filter(|import| {
        !is_own(file, import)
            && !is_inside(file, import)
            && !file.is_test_code(import.span.start)
            && !is_for_tests(file, import)
    });
    // One is enough to see what has to move.
    let Some(import) = imports.next().filter(|_| !helps_tests(file)) else { return };
    found.push(Hit {
        place: file.place(import.span.clone()),
        severity: Severity::High,
        confidence_permille: 900,
        message: format!("`{}` is for tests", file.text(&import.module)),
        suggestion: "move the double to the tests, and hand the real thing in where the code runs",
    });
}

/// Whether `import` stands in a function or a condition. In Go it stands in a list.
fn is_inside(file: &File<'_>, import: &Import) -> bool {
    let line = file.source.line_span(file.source.line_of(import.span.start));
    import.span.start > line.start && !file.source.path.ends_with(".go")
}

/// Whether the file is there for tests without saying so by its path: it imports what only tests do, or offers doubles.
fn helps_tests(file: &File<'_>) -> bool {
    let is_for_tests = |import: &Import| {
        let module = file.text(&import.module);
        let module = module.trim_matches(['"', '\'', '`']).trim_start_matches("static ");
        !is_double(module) && TEST_LIBRARIES.iter().any(|library| begins(module, library))
    };
    let symbols = file.outline.symbols.iter().map(|symbol| &symbol.name);
    let mut names = symbols.chain(file.outline.functions.iter().map(|function| &function.name));
    file.outline.imports.iter().any(is_for_tests)
        || names.any(|name| words(file.text(name)).iter().any(|word| DOUBLE_WORDS.contains(&word.as_str())))
}

/// Whether `module` is `library` or below it.
fn begins(module: &str, library: &str) -> bool {
    let rest = module.strip_prefix(library);
    rest.is_some_and(|rest| {
        rest.is_empty() || library.ends_with(['/', '.', '\\']) || rest.starts_with(['.', '/', ':', '\\'])
    })
}

/// Whether the file is a part of that library.
fn is_own(file: &File<'_>, import: &Import) -> bool {
    let root = file.text(&import.module).split('\\').next().unwrap_or_default();
    paths::extension(file.source.path) == Some("php") && file.source.text.contains(&format!("\nnamespace {root}\\"))
}

fn is_double(module: &str) -> bool {
    let module = module.trim_matches(['"', '\'', '`']);
    LIBRARIES.iter().any(|library| begins(module, library))
}

/// Whether an attribute right above `import` says that it is there for tests.
fn is_for_tests(file: &File<'_>, import: &Import) -> bool {
    let line = file.source.line_of(import.span.start);
    let above = file.text(&file.source.line_span(line.saturating_sub(1))).trim();
    line > 0 && above.starts_with("#[cfg") && (above.contains("test") || above.contains("mock"))
}

#[cfg(test)]
mod tests {
    use super::{RULE, is_double};
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    #[test]
    fn rust() {
        check(&RULE, "src/a.rs", "use mockall::automock;\n", &[(1, High)]);
        check(&RULE, "src/a.rs", "use std::fs;\nuse wiremock::{Mock, MockServer};\n", &[(2, High)]);
        check(&RULE, "src/a.rs", "#[cfg(test)]\nuse mockall::automock;\n", &[]);
        check(&RULE, "src/a.rs", "#[cfg(test)]\nmod tests {\n    use mockall::mock;\n}\n", &[]);
        check(&RULE, "tests/a.rs", "use wiremock::Mock;\n", &[]);
        check(&RULE, "src/a.rs", "use crate::mock::Clock;\nuse mockingbird::sing;\n// use mockall::mock;\n", &[]);
        check(&RULE, "src/testing.rs", "use wiremock::Mock;\n", &[]);
        check(&RULE, "src/a.rs", "use mockall_double::double;\n", &[]);
    }

    #[test]
    fn python() {
        check(&RULE, "src/a.py", "from unittest.mock import MagicMock\n", &[(1, High)]);
        check(&RULE, "src/a.py", "import os\nimport moto\n", &[(2, High)]);
        check(&RULE, "src/a.py", "def f():\n    from unittest import mock\n    from unittest.mock import Mock\n", &[]);
        check(&RULE, "src/a.py", "import moto\nfrom unittest.mock import Mock\n", &[(1, High)]);
        check(&RULE, "src/a.py", "import pytest\nimport moto\n", &[]);
        check(&RULE, "src/a.py", "import moto\nclass FakeShop:\n    pass\n", &[]);
        check(&RULE, "src/a.py", "import moto\nclass Shop:\n    pass\n", &[(1, High)]);
        check(&RULE, "t/unit/a.py", "import moto\n", &[]);
        check(&RULE, "src/spec/a.py", "import moto\n", &[]);
        check(&RULE, "tests/test_a.py", "from unittest.mock import MagicMock\n", &[]);
        check(&RULE, "src/conftest.py", "from unittest.mock import MagicMock\n", &[]);
        check(&RULE, "src/a.py", "import mocks_of_birds\n# import mock\nx = 'import mock'\n", &[]);
    }

    #[test]
    fn go() {
        let run = |path: &str, module: &str, expected: &[_]| {
            check(&RULE, path, &format!("package a\n\nimport (\n\t\"{module}\"\n)\n"), expected);
        };
        run("a.go", "github.com/stretchr/testify/mock", &[(4, High)]);
        run("a.go", "go.uber.org/mock/gomock", &[(4, High)]);
        run("a.go", "github.com/stretchr/testify/mock\"\n\t\"testing", &[]);
        run("a_test.go", "go.uber.org/mock/gomock", &[]);
        run("mocks/a.go", "go.uber.org/mock/gomock", &[]);
        run("a.go", "example.com/a/mock", &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["src/a.js", "src/a.ts", "src/a.tsx"] {
            check(&RULE, path, "import sinon from 'sinon'\n", &[(1, High)]);
            check(&RULE, path, "import { setupServer } from \"msw/node\"\n", &[(1, High)]);
            check(&RULE, path, "import a from './sinon'\n", &[]);
            check(&RULE, path, "// import sinon from 'sinon'\nconst a = \"sinon\"\n", &[]);
        }
        check(&RULE, "src/a.test.js", "import sinon from 'sinon'\n", &[]);
        check(&RULE, "src/a.stories.tsx", "import { rest } from 'msw'\n", &[]);
    }

    #[test]
    fn java() {
        check(&RULE, "src/main/A.java", "package a;\nimport org.mockito.Mockito;\n", &[(2, High)]);
        check(&RULE, "src/main/A.java", "import static org.mockito.Mockito.mock;\n", &[(1, High)]);
        check(&RULE, "src/test/java/ATest.java", "import org.mockito.Mockito;\n", &[]);
        check(&RULE, "src/main/A.java", "// import org.mockito.Mockito;\nimport org.mock.Bird;\n", &[]);
    }

    #[test]
    fn modules_are_known_by_their_whole_name() {
        assert!(is_double("mockall::predicate::*") && is_double("\"nock\"") && is_double("org.mockito.Mockito"));
        assert!(!is_double("mocks") && !is_double("a.mock") && !is_double("nocks/x"));
    }

    #[test]
    fn c_sharp_kotlin_and_php() {
        check(&RULE, "src/A.cs", "using Moq;\n", &[(1, High)]);
        check(&RULE, "src/A.cs", "using System;\nusing NSubstitute.Core;\n", &[(2, High)]);
        check(&RULE, "src/A.cs", "using Moqs;\n// using Moq;\nclass A { string a = \"using Moq;\"; }\n", &[]);
        check(&RULE, "tests/A.cs", "using Moq;\n", &[]);
        check(&RULE, "src/A.kt", "import io.mockk.mockk\n", &[(1, High)]);
        check(&RULE, "src/A.kt", "package a\n\nimport org.mockito.Mockito\n", &[(3, High)]);
        check(&RULE, "src/A.kt", "import io.mockkery.a\n// import io.mockk.mockk\n", &[]);
        check(&RULE, "src/test/A.kt", "import io.mockk.mockk\n", &[]);
        check(&RULE, "src/A.php", "<?php\nuse Mockery;\n", &[(2, High)]);
        check(&RULE, "src/A.php", "<?php\nuse PHPUnit\\Framework\\MockObject\\MockObject;\n", &[(2, High)]);
        check(&RULE, "src/A.php", "<?php\nuse App\\Mockery;\n// use Mockery;\n$a = 'use Mockery;';\n", &[]);
        check(&RULE, "tests/A.php", "<?php\nuse Mockery;\n", &[]);
        let own = "<?php\nnamespace PHPUnit\\Util;\nuse PHPUnit\\Framework\\MockObject\\MockObject;\n";
        check(&RULE, "src/A.php", own, &[]);
        check(&RULE, "src/A.php", &own.replace("PHPUnit\\Util", "Shop"), &[(3, High)]);
    }
}
