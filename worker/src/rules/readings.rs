//! How often rules were right where people read what they found, in projects that no rule was written on.

use schemas::catalogue::Reading;

/// Fewest findings that say anything of how often a rule is right.
const READ_MIN: u16 = 5;

/// Share of right findings, in permille, from which on a rule is believed as it stands.
const TRUSTED_PERMILLE: u16 = 800;

/// What a finding of any other rule is at most: below what may fail an audit.
const GUESS_PERMILLE: u16 = 690;

/// Right findings and all that were read, up to twenty a rule each time, in the last three readings that
/// `worker/docs/precision.md` tells of: each in projects that nobody had looked at, before the rule was mended by what was seen
/// there. Where that was fewer than ten, those of the reading before are counted too.
static READINGS: &[(&str, Reading)] = &[
    ("integrity/check-disabled", read(45, 55)),
    ("integrity/commented-out-code", read(36, 52)),
    ("integrity/committed-secret", read(46, 55)),
    ("integrity/conflict-marker", read(0, 3)),
    ("integrity/debug-leftover", read(6, 12)),
    ("integrity/security-bypass", read(15, 34)),
    ("integrity/stub-body", read(16, 49)),
    ("integrity/swallowed-error", read(22, 49)),
    ("integrity/todo-marker", read(35, 46)),
    ("sages/broken-doc-link", read(21, 37)),
    ("sages/undocumented-api", read(8, 15)),
    ("servant/ci-excess-permission", read(21, 21)),
    ("servant/ci-no-timeout", read(21, 21)),
    ("servant/ci-unpinned-action", read(21, 21)),
    ("servant/complexity", read(9, 13)),
    ("servant/dangerous-call", read(8, 43)),
    ("servant/deep-nesting", read(10, 13)),
    ("servant/duplicate-block", read(32, 55)),
    ("servant/function-too-long", read(9, 10)),
    ("servant/god-module", read(12, 15)),
    ("servant/image-hygiene", read(13, 24)),
    ("servant/script-unsafe", read(26, 57)),
    ("servant/todo-density", read(3, 4)),
    ("servant/too-many-params", read(11, 15)),
    ("tdd/assertion-free-test", read(33, 59)),
    ("tdd/coverage-exclusion", read(4, 13)),
    ("tdd/empty-test", read(3, 25)),
    ("tdd/excessive-mocking", read(2, 4)),
    ("tdd/module-without-test", read(4, 15)),
    ("tdd/skipped-test", read(45, 55)),
    ("tdd/sleep-in-test", read(42, 55)),
    ("tdd/trivial-assertion", read(11, 18)),
];

/// Rules that are looked at only where a repository switches them on: people found most of their findings not worth a look,
/// or none was seen that was right.
static OFF: &[&str] = &[
    "integrity/constant-success",
    "integrity/mock-in-production",
    "sages/observability-missing",
    "sages/undocumented-api",
    "servant/shallow-module",
    "tdd/excessive-mocking",
    "tdd/module-without-test",
];

const fn read(right: u16, read: u16) -> Reading {
    Reading { right, read }
}

/// What was read of `rule`, if anything was found.
pub(super) fn of(rule: &str) -> Option<Reading> {
    READINGS.iter().find(|(id, _)| *id == rule).map(|(_, reading)| *reading)
}

/// Whether `rule` is off unless a repository switches it on.
pub(super) fn is_off(rule: &str) -> bool {
    OFF.contains(&rule)
}

/// How sure a finding of `rule` can be at most, in permille: where fewer were right than can be trusted, no surer than they were.
pub(super) fn confidence_max(rule: &str) -> Option<u16> {
    let Reading { right, read } = of(rule).filter(|reading| reading.read >= READ_MIN)?;
    // One more of either kind than was seen, since so few are no proof of never and always.
    let permille = (right + 1) * 1_000 / (read + 2);
    (right * 1_000 / read < TRUSTED_PERMILLE).then_some(permille.min(GUESS_PERMILLE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ALL;

    #[test]
    fn readings_are_of_rules_that_there_are() {
        let ids = READINGS.iter().map(|(id, _)| id).chain(OFF);
        assert_eq!(ids.filter(|id| !ALL.iter().any(|rule| rule.id == **id)).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert!(READINGS.iter().all(|(_, reading)| reading.right <= reading.read && reading.read > 0));
    }

    #[test]
    fn findings_are_no_surer_than_readers_found_them() {
        assert_eq!(confidence_max("servant/ci-no-timeout"), None, "all were right");
        assert_eq!(confidence_max("integrity/conflict-marker"), None, "too few were read");
        assert_eq!(confidence_max("git/wip-commit"), None, "none was read");
        assert_eq!(confidence_max("integrity/stub-body"), Some(333));
        assert_eq!(confidence_max("integrity/todo-marker"), Some(GUESS_PERMILLE));
    }
}
