//! Modules that no test is about.

mod known;
mod names;

use schemas::facts::{FileFacts, Testing, Tree};
use schemas::packed::Names;
use schemas::severity::Severity;

use known::{Known, Through};

use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};

rule!(
    /// ## What it finds
    /// Files whose functions decide something, and which no test is about: they hold no tests, no test or folder below
    /// `targets`, `scenarios` or `e2e` of tests has their name, no test
    /// mentions them or what only they offer, and nothing that is tested, nor a program, uses them. All are for information: a test
    /// may come to a file by ways that names do not show.
    ///
    /// In Go the tests of a package are about all of its files, in Rust those beside a crate about all of it and the tests in
    /// `a.rs` about what is in `a/`, and those of `Cart` about `CartImpl`, `CartController` and `cart_linux`. Programs, scripts,
    /// examples, settings, generated files, copies of libraries, base classes, and files of types, constants and re-exports are
    /// left alone. Nothing is said where no test is written in the language of a file, nor where more than 30 % of the files have
    /// none: tests do not go by names there.
    ///
    /// ## Why it matters
    /// Nobody notices when it breaks. Each change to it is a guess, and so the code around it grows instead of being mended.
    ///
    /// ## Example
    /// ```text
    /// src/prices.py    discounts, taxes, rounding
    /// tests/           nothing about prices
    /// ```
    ///
    /// ## How to fix
    /// Begin with a test of what it decides most often. What is tested through another module is left alone once a test mentions
    /// it.
    "tdd/module-without-test", Tdd, Info, version: 3, thresholds: &[&DECISIONS_MIN, &SHARE_PERCENT_MAX],
    Check::Tree { facts_version: 3, collect, judge }
);

/// Code that only passes things on has little to be tested.
const DECISIONS_MIN: Threshold = Threshold {
    name: "decisions_min",
    default: 5,
    min: 1,
    max: 1_000,
    doc: "fewest decisions of the functions of a file that needs a test",
};

/// Where many are without a test by name, names say nothing about what is tested.
const SHARE_PERCENT_MAX: Threshold = Threshold {
    name: "share_percent_max",
    default: 30,
    min: 0,
    max: 100,
    doc: "largest share of files without a test by name, in per cent, at which they are listed",
};

/// Names of one file that are kept: generated tables of names go on for ever.
const NAMES_MAX: usize = 5_000;

/// Names of what one file uses that are kept.
const USES_MAX: usize = 500;

/// Steps from a test by way of files that use each other: longer ways are rare, and each step looks at all files.
const STEPS_MAX: usize = 8;

/// Directories of programs and of what helps to build and show something.
const APART: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "bin",
    "ci",
    "cmd",
    "contrib",
    "demo",
    "demos",
    "doc",
    "docs",
    "example",
    "examples",
    "extras",
    "hack",
    "migrations",
    "packaging",
    "playground",
    "sample",
    "samples",
    "script",
    "scripts",
    "stories",
    "template",
    "templates",
    "tool",
    "tooling",
    "tools",
];

/// Words in names of directories and files of what helps tests, and of classes for others to extend.
const HELPERS: &[&str] = &[
    "abstract",
    "base",
    "fake",
    "fakes",
    "fixtures",
    "mock",
    "mocks",
    "stub",
    "stubs",
    "test",
    "testing",
    "tests",
    "testutil",
    "testutils",
];

/// Extensions of scripts of shells.
const SHELLS: &[&str] = &["bash", "bats", "ksh", "sh", "zsh"];

/// Names, without extension, of files that start a program or set it up.
const ENTRIES: &[&str] = &[
    "__main__",
    "app",
    "build",
    "cli",
    "config",
    "conftest",
    "constants",
    "gulpfile",
    "layout",
    "main",
    "manage",
    "page",
    "program",
    "route",
    "routes",
    "server",
    "settings",
    "setup",
    "startup",
    "types",
    "urls",
    "wsgi",
    "asgi",
];

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    let is_test = file.is_test();
    let (mut offers, mut decisions, mut place) = (Vec::new(), 0, None);
    let is_program = file.outline.functions.iter().any(|one| file.text(&one.name) == "main");
    // What extends such a class is tested, and the class through it.
    let is_base = file.source.text.contains("abstract class ");
    let is_left_out =
        is_test || is_program || is_base || is_apart(file.source.path) || is_shell(file) || file.is_foreign();
    if !is_left_out {
        let own = file.outline.functions.iter().filter(|one| one.test.is_none() && !file.is_test_code(one.span.start));
        for function in own.filter(|one| one.body.is_some() && file.text(&one.name) != "main") {
            decisions += function.complexity.saturating_sub(1);
            if place.is_none() && function.complexity > 1 {
                place = Some(function.name.clone());
            }
        }
        offers = if decisions > 0 { names::offered(file) } else { Vec::new() };
    }
    let offers = Names(told.at_most(NAMES_MAX, offers, "names that tests could mention"));
    let mut mentions = told.at_most(NAMES_MAX, names::mentioned(file, is_test), "names in tests");
    if !is_test {
        mentions.extend(names::used(file).into_iter().take(USES_MAX));
        mentions.sort_unstable();
        mentions.dedup();
    }
    let mentions = Names(mentions);
    let has_tests = !is_test && (!file.outline.test_code.is_empty() || file.outline.tests().next().is_some());
    let place = place.map(|span| file.spot(span));
    let testing = Testing { decisions, has_tests, place, offers, mentions };
    told.facts.testing = (testing != Testing::default()).then_some(testing);
    true
}

/// Whether the file is a script of a shell, by its name or its first line.
fn is_shell(file: &File<'_>) -> bool {
    let first = file.source.text.lines().next().unwrap_or_default();
    let is_named = paths::extension(file.source.path).is_some_and(|extension| SHELLS.contains(&extension));
    is_named || (first.starts_with("#!") && first.split(['/', ' ']).any(|word| SHELLS.contains(&word)))
}

fn is_apart(path: &str) -> bool {
    let name = paths::file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    let is_declaration = [".d.ts", ".d.mts", ".d.cts", ".pyi"].iter().any(|end| name.ends_with(end));
    let is_setting = name.contains(".config.") || name.contains(".stories.");
    paths::has_directory(path, APART)
        || paths::is_stand_in(path)
        || path.split('/').any(|part| names::has_word(part, HELPERS))
        || is_declaration
        || is_setting
        || ENTRIES.iter().any(|entry| stem.eq_ignore_ascii_case(entry))
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    let known = Known::of(tree);
    if !known.has_tests {
        return;
    }
    let least = found.threshold(&DECISIONS_MIN);
    let decisions = |file: &FileFacts| file.facts.testing.as_ref().map_or(0, |testing| testing.decisions);
    let modules: Vec<&FileFacts> = tree.files.iter().filter(|file| u64::from(decisions(file)) >= least).collect();
    let untested: Vec<&FileFacts> = modules.iter().copied().filter(|file| !known.is_tested(file)).collect();
    let share = untested.len() as u64 * 100;
    if share > modules.len() as u64 * found.threshold(&SHARE_PERCENT_MAX) {
        return;
    }
    let through = Through::of(tree, &known);
    for file in untested.into_iter().filter(|file| !through.reaches(file) && tree.is_asked(&file.path)) {
        let message = format!("no test is about this file, whose functions make {} decisions", decisions(file));
        push(found, file, message);
    }
}

fn push(found: &mut Findings<'_>, file: &FileFacts, message: String) {
    let Some(place) = file.facts.testing.as_ref().and_then(|testing| testing.place.as_ref()) else { return };
    found.push(Hit {
        place: Place::of_spot(&file.path, place).marked("file"),
        severity: Severity::Info,
        // A test may come to it by ways that names do not show.
        confidence_permille: 600,
        message,
        suggestion: "begin with a test of what it decides most often",
    });
}

#[cfg(test)]
#[path = "module_without_test/tests.rs"]
mod tests;
