//! What a command checks: the gates that a change has to pass.

use super::shell::Command;

/// What a command checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Runs tests.
    Test,
    /// Lints, checks types, audits, builds.
    Other,
}

/// Words in front that run what follows them.
const RUNNERS: &[&str] = &[
    "bundle", "bunx", "command", "coverage", "dlx", "env", "exec", "nice", "npx", "pdm", "pipenv", "pipx", "poetry",
    "run", "sudo", "time", "timeout", "uv", "uvx", "xvfb-run",
];

/// Programs that test whatever their arguments are.
const TESTERS: &[&str] = &[
    "ava",
    "bats",
    "ctest",
    "cypress",
    "jest",
    "karma",
    "mocha",
    "nosetests",
    "nox",
    "phpunit",
    "playwright",
    "py.test",
    "pytest",
    "rspec",
    "tox",
    "vitest",
];

/// Programs that lint, check types or audit whatever their arguments are.
const CHECKERS: &[&str] = &[
    "actionlint",
    "bandit",
    "biome",
    "clang-tidy",
    "eslint",
    "flake8",
    "golangci-lint",
    "hadolint",
    "mypy",
    "phpstan",
    "pip-audit",
    "pylint",
    "pyright",
    "rubocop",
    "ruff",
    "semgrep",
    "shellcheck",
    "standard",
    "staticcheck",
    "stylelint",
    "trivy",
    "tsc",
    "yamllint",
];

/// Programs that check what they are told to.
struct Told {
    names: &'static [&'static str],
    /// Words that make it test.
    tests: &'static [&'static str],
    /// Words that make it check otherwise.
    others: &'static [&'static str],
    /// Whether it is told several things at once.
    is_told_several: bool,
}

const TOLD: &[Told] = &[
    Told {
        names: &["cargo", "cross"],
        tests: &["hack", "llvm-cov", "miri", "nextest", "t", "tarpaulin", "test"],
        others: &[
            "audit",
            "b",
            "build",
            "c",
            "check",
            "clippy",
            "deny",
            "doc",
            "fmt",
            "machete",
            "semver-checks",
            "vet",
        ],
        is_told_several: false,
    },
    Told { names: &["go"], tests: &["test"], others: &["build", "vet"], is_told_several: false },
    Told {
        names: &["bun", "deno", "npm", "pnpm", "yarn"],
        tests: &["coverage", "t", "test"],
        others: &["audit", "build", "check", "lint", "tsc", "typecheck"],
        is_told_several: false,
    },
    Told {
        names: &["just", "make", "ninja", "rake", "task"],
        tests: &["check", "test", "tests"],
        others: &["lint"],
        is_told_several: true,
    },
    Told {
        names: &["gradle", "gradlew", "mvn", "mvnw", "sbt"],
        tests: &["check", "integrationTest", "test", "verify"],
        others: &["build", "compile", "lint", "package"],
        is_told_several: true,
    },
    Told {
        names: &["cabal", "dart", "dotnet", "flutter", "mix", "stack", "swift"],
        tests: &["test"],
        others: &["analyze", "build", "credo", "format"],
        is_told_several: false,
    },
    Told {
        names: &["black", "isort", "prettier", "rustfmt"],
        tests: &[],
        others: &["--check", "--check-only", "-c"],
        is_told_several: true,
    },
];

/// What `command` checks, if it is a gate.
pub(crate) fn gate(command: &Command) -> Option<Gate> {
    let mut words = command.texts().skip_while(|word| is_prefix(word)).peekable();
    let first = words.next()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    // `python -m pytest` is pytest.
    let is_python = program.starts_with("python") || program == "py";
    let program = match words.peek() {
        Some(&"-m") if is_python => words.nth(1)?,
        _ => program,
    };
    if TESTERS.contains(&program) || program == "unittest" {
        return Some(Gate::Test);
    }
    if CHECKERS.contains(&program) {
        return Some(Gate::Other);
    }
    let told = TOLD.iter().find(|told| told.names.contains(&program))?;
    let gate = |word: &str| {
        // `test:unit` is `test`.
        let word = word.split(':').next().unwrap_or(word);
        let is_other = told.others.contains(&word).then_some(Gate::Other);
        told.tests.contains(&word).then_some(Gate::Test).or(is_other)
    };
    if told.is_told_several {
        return words.find_map(gate);
    }
    words.find(|word| !is_prefix(word) && !word.starts_with('+')).and_then(gate)
}

/// Whether `word` only runs what follows it, or is an option or a number given to such a word.
fn is_prefix(word: &str) -> bool {
    let is_given =
        word.starts_with('-') || word.starts_with(|first: char| first.is_ascii_digit()) || word.contains('=');
    is_given || RUNNERS.contains(&word)
}

/// Words in the name of a job or a step that say what it is for.
const TEST_NAMES: &[&str] = &["e2e", "integration", "pytest", "spec", "test", "tests", "testing", "unit", "unittest"];

/// The same for other gates.
const OTHER_NAMES: &[&str] = &[
    "audit",
    "check",
    "checks",
    "clippy",
    "coverage",
    "eslint",
    "gate",
    "lint",
    "linter",
    "linting",
    "mypy",
    "typecheck",
    "verify",
];

/// What something called `name`, lower case, is a gate for.
pub(crate) fn named_gate(name: &str) -> Option<Gate> {
    let has = |known: &[&str]| words(name).any(|word| known.contains(&word));
    if has(TEST_NAMES) { Some(Gate::Test) } else { has(OTHER_NAMES).then_some(Gate::Other) }
}

/// Words in names of what need not pass.
const OPTIONAL_NAMES: &[&str] = &[
    "allow",
    "allowed",
    "beta",
    "canary",
    "experimental",
    "failing",
    "head",
    "informational",
    "nightly",
    "optional",
    "preview",
    "unstable",
];

/// Whether something called `name`, lower case, says that it need not pass.
pub(crate) fn is_optional(name: &str) -> bool {
    words(name).any(|word| OPTIONAL_NAMES.contains(&word))
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automation::shell::commands;

    fn gate_of(text: &str) -> Option<Gate> {
        gate(&commands(text, 0..text.len(), false)[0])
    }

    #[test]
    fn gates_are_known_by_program_and_by_what_it_is_told() {
        for text in [
            "cargo test",
            "cargo +nightly nextest run",
            "pytest -q",
            "python3 -m pytest",
            "python -m unittest a",
            "npx jest",
            "npm run test:unit",
            "A=1 ./gradlew check",
            "sudo timeout 60 go test ./...",
            "bundle exec rspec",
            "yarn test",
            "./node_modules/.bin/mocha",
            "make -j2 check",
            "uv run pytest",
        ] {
            assert_eq!(gate_of(text), Some(Gate::Test), "{text}");
        }
        for text in
            ["cargo clippy", "npm run lint", "black --check .", "mypy a", "go vet ./...", "npm audit", "npx tsc"]
        {
            assert_eq!(gate_of(text), Some(Gate::Other), "{text}");
        }
        for text in [
            "rm -rf test",
            "cargo install cargo-nextest",
            "npm ci",
            "make",
            "test -f a",
            "git diff",
            "echo test",
            "black .",
        ] {
            assert_eq!(gate_of(text), None, "{text}");
        }
    }

    #[test]
    fn names_tell_gates_by_whole_words() {
        assert_eq!(named_gate("unit-tests"), Some(Gate::Test));
        assert_eq!(named_gate("lint_and_format"), Some(Gate::Other));
        assert_eq!(named_gate("latest contest"), None);
        assert!(is_optional("test (nightly)") && !is_optional("tests"));
    }
}
