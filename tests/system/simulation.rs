//! Dispatcher, leases and merge on a virtual clock, under everything that may go wrong: one seed, one scenario.
//!
//! `ELDER_SIMULATION_SEED=17 cargo test --package tests --test system simulation -- --nocapture` runs one seed and prints its
//! trace; `ELDER_SIMULATION_SEEDS=100000` runs so many, from 0.

use std::collections::BTreeMap;

use tests::simulation::{self, HOUR_MS};

/// Seeds of every run of the tests: about half a minute of one core.
const SEEDS: u64 = 2_000;

/// What these seeds must have seen: a law about something that never happens holds nothing.
const SEEN: [&str; 36] = [
    "a deadline passed before a worker began",
    "a dispatcher died between queue and record",
    "a dispatcher without the seat finished its round",
    "a lost request was sent again",
    "a result came again or too late",
    "a result was delivered again",
    "a result was published again within the duplicate window",
    "a task was answered differently",
    "a task was buried without an answer",
    "a task was delivered again",
    "a task was given up after its tries",
    "a task was given up after the deaths of its workers",
    "a task was given up past its deadline",
    "a task was published",
    "a task was published again within the duplicate window",
    "a task was published while it was in the queue",
    "a task was tried again",
    "a whole tree was judged once everything else was done",
    "a worker died",
    "a worker let go of a task of an audit that ended",
    "an acknowledgement from before the store was lost ended another task",
    "an acknowledgement got lost",
    "an acknowledgement of an earlier delivery ended a later one",
    "an aggregator died before its commit",
    "an aggregator died between commit and acknowledgement",
    "an audit was judged",
    "an audit was planned twice",
    "an audit was served as if it were more urgent",
    "an audit was stopped",
    "shares beside a noisy neighbour were compared",
    "tasks without news were made ready again",
    "the dispatcher's seat changed hands",
    "the queue did not take a task",
    "the store of the queue was lost",
    "two aggregators had the same result",
    "whoever packs facts died before the record knew of them",
];

#[test]
fn the_laws_hold_whatever_happens() {
    if let Some(seed) = setting("ELDER_SIMULATION_SEED") {
        println!("{:#?}", simulation::run(seed, true));
        return;
    }
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..setting("ELDER_SIMULATION_SEEDS").unwrap_or(SEEDS) {
        let outcome = simulation::run(seed, false);
        assert!(outcome.ended_ms >= HOUR_MS, "seed {seed} lasted {} ms", outcome.ended_ms);
        for (what, times) in outcome.seen {
            *seen.entry(what).or_default() += times;
        }
    }
    println!("{seen:#?}");
    let unseen: Vec<_> = SEEN.into_iter().filter(|what| !seen.contains_key(what)).collect();
    assert_eq!(unseen, [""; 0], "never happened");
}

#[test]
fn the_same_seed_has_the_same_trace_and_another_one_another() {
    let mut hashes = Vec::new();
    for seed in 0..25 {
        let (first, second) = (simulation::run(seed, false), simulation::run(seed, false));
        assert_eq!(first, second, "seed {seed}");
        assert!(first.events > 10, "seed {seed} has {} events", first.events);
        hashes.push(first.hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 25);
}

/// A number from the environment; a test has no command line of its own.
#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name} is `{text}`: {error}")))
}
