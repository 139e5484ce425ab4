//! How often rules were right where people read what they found, in projects that no rule was written on.

use schemas::catalogue::Reading;

/// Fewest findings that say how often a rule is right.
const READ_MIN: u16 = 10;

/// Share of right findings, in permille, from which on a rule is believed as it stands.
const TRUSTED_PERMILLE: u16 = 800;

/// Right findings and all that were read, up to fifteen a rule, in the last 35 projects that `benches/corpus.sh` names. What was
/// mended since counts once it was read again.
static READINGS: &[(&str, Reading)] = &[
    ("integrity/check-disabled", read(10, 15)),
    ("integrity/commented-out-code", read(8, 15)),
    ("integrity/committed-secret", read(13, 15)),
    ("integrity/conflict-marker", read(0, 3)),
    ("integrity/debug-leftover", read(2, 4)),
    ("integrity/security-bypass", read(0, 15)),
    ("integrity/stub-body", read(3, 10)),
    ("integrity/swallowed-error", read(4, 15)),
    ("integrity/todo-marker", read(5, 5)),
    ("sages/broken-doc-link", read(11, 15)),
    ("sages/undocumented-api", read(8, 15)),
    ("servant/ci-excess-permission", read(14, 14)),
    ("servant/ci-no-timeout", read(15, 15)),
    ("servant/ci-unpinned-action", read(15, 15)),
    ("servant/complexity", read(3, 5)),
    ("servant/dangerous-call", read(2, 15)),
    ("servant/deep-nesting", read(3, 5)),
    ("servant/duplicate-block", read(7, 15)),
    ("servant/function-too-long", read(3, 5)),
    ("servant/god-module", read(2, 5)),
    ("servant/image-hygiene", read(4, 5)),
    ("servant/script-unsafe", read(8, 15)),
    ("servant/todo-density", read(1, 2)),
    ("servant/too-many-params", read(3, 5)),
    ("tdd/assertion-free-test", read(7, 15)),
    ("tdd/coverage-exclusion", read(4, 5)),
    ("tdd/empty-test", read(7, 15)),
    ("tdd/excessive-mocking", read(2, 4)),
    ("tdd/module-without-test", read(4, 15)),
    ("tdd/skipped-test", read(9, 15)),
    ("tdd/sleep-in-test", read(10, 15)),
    ("tdd/trivial-assertion", read(11, 11)),
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
    (right * 1_000 / read < TRUSTED_PERMILLE).then_some(permille)
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
        assert_eq!(confidence_max("servant/god-module"), None, "too few were read");
        assert_eq!(confidence_max("git/wip-commit"), None, "none was read");
        assert_eq!(confidence_max("tdd/assertion-free-test"), Some(470));
    }
}
