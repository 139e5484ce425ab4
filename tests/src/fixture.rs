//! A small repository in five languages that trips each rule at least once, and the list of what must be found in it.

use crate::repository::FixtureRepository;

/// What must be found: rule, severity, and place as `path:line` or `commit: subject`. Written by hand.
pub type Expected = (&'static str, &'static str, &'static str);

/// Every finding of a full audit of [`build`], sorted.
pub const EXPECTED: [Expected; 15] = [
    ("git/commit-subject", "low", "commit: wip"),
    ("git/commit-subject", "low", "commit: fix"),
    ("git/oversized-commit", "medium", "commit: Add the table of a thousand and one primes"),
    ("git/wip-commit", "medium", "commit: wip"),
    ("integrity/committed-secret", "critical", "deploy/settings.py:2"),
    ("integrity/conflict-marker", "critical", "src/merge.py:1"),
    ("integrity/todo-marker", "low", "src/lib.rs:1"),
    ("integrity/todo-marker", "medium", "scripts/build.sh:2"),
    ("tdd/assertion-free-test", "low", "src/lib.rs:9"),
    ("tdd/assertion-free-test", "low", "tests/test_shop.py:4"),
    ("tdd/assertion-free-test", "low", "shop_test.go:5"),
    ("tdd/focused-test", "high", "web/cart.test.ts:1"),
    ("tdd/skipped-test", "medium", "src/lib.rs:14"),
    ("tdd/skipped-test", "medium", "tests/test_shop.py:8"),
    ("tdd/skipped-test", "medium", "web/price.test.js:1"),
];

const LIB_RS: &str = "// TODO: round half to even
pub fn price(cents: u64) -> u64 {
    cents
}

#[cfg(test)]
mod tests {
    #[test]
    fn runs() {
        super::price(1);
    }

    #[test]
    #[ignore]
    fn rounds() {
        assert_eq!(super::price(1), 1);
    }

    #[test]
    fn keeps() {
        assert_eq!(super::price(2), 2);
    }
}
";

const TEST_SHOP_PY: &str = "import pytest
from shop import price

def test_runs():
    price(1)


@pytest.mark.skip
def test_rounds():
    assert price(1) == 1


def test_keeps():
    assert price(2) == 2
";

const SHOP_TEST_GO: &str = "package shop

import \"testing\"

func TestRuns(t *testing.T) {
\tPrice(1)
}

func TestKeeps(t *testing.T) {
\tif Price(2) != 2 {
\t\tt.Fatal(\"price changed\")
\t}
}
";

const CART_TEST_TS: &str = "it.only('adds', () => {
  expect(add(1, 2)).toBe(3);
});

it('keeps', () => {
  expect(add(2, 2)).toBe(4);
});
";

const PRICE_TEST_JS: &str = "it.skip('rounds', () => {
  expect(price(1)).toBe(1);
});
";

/// Commits on [`build`]'s only branch.
pub const COMMITS: usize = 5;

/// Files of [`build`] that are read; one more is a lock file and one a symlink.
pub const FILES: usize = 11;

/// Builds the repository; returns the tip of `main`.
pub fn build(repository: &mut FixtureRepository) -> String {
    repository.file("README.md", "# Shop\n\nTODO is only a word here.\n");
    repository.file("Cargo.lock", "version = 4\n");
    repository.file("src/lib.rs", LIB_RS);
    repository.commit("Start the shop");
    repository.file("shop.py", "def price(cents):\n    return cents\n");
    repository.file("tests/test_shop.py", TEST_SHOP_PY);
    repository.file("shop_test.go", SHOP_TEST_GO);
    repository.file("web/cart.test.ts", CART_TEST_TS);
    repository.file("web/price.test.js", PRICE_TEST_JS);
    repository.commit("fix");
    repository.file("scripts/build.sh", "#!/bin/sh\n# FIXME: stop on errors\nmake\n");
    // In pieces, so that no scanner takes this file for one that holds a secret or a conflict.
    let key = ["AKIA", "Z7Q4M2X6", "T5W3N2KD"].concat();
    repository.file("deploy/settings.py", format!("REGION = \"eu-central-1\"\nACCESS_KEY = \"{key}\"\n"));
    let [ours, between, theirs] = ["<", "=", ">"].map(|mark| mark.repeat(7));
    repository.file("src/merge.py", format!("{ours} HEAD\na = 1\n{between}\na = 2\n{theirs} other\n"));
    repository.symlink("latest", "README.md");
    repository.commit("wip");
    let primes: String = (0..1_001).map(|n| format!("{n}\n")).collect();
    repository.file("data/primes.txt", primes);
    repository.commit("Add the table of a thousand and one primes");
    repository.file("shop.py", "def price(cents):\n    return int(cents)\n");
    repository.commit("Count money in whole cents")
}
