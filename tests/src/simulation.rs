//! A deterministic simulation of dispatcher, leases and merge on a virtual clock: one seed, one scenario, one trace.
//!
//! ```text
//! scenario ──► world: dispatch ─► stream ─► workers ─► stream ─► aggregators ─► record
//!                        ▲                                                        │
//!                        └──────────────── reconciler ◄───────────────────────────┘    laws watch every step
//! ```
//! What is pure in the product is used as it is: turns, window, retry law, merge law, score. What the product does in SQL is
//! modelled in `record`, what JetStream does in `stream`. No threads, no clock but that of the agenda.

mod agenda;
mod answers;
mod laws;
mod record;
mod scenario;
mod stream;
mod trace;
mod world;

use std::collections::BTreeMap;

use self::scenario::Scenario;
use self::trace::Trace;
use self::world::World;
use crate::random::Random;

pub use self::scenario::{HOUR_MS, Kind};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What tells its trace from others.
    pub hash: u64,
    /// Events in it.
    pub events: u64,
    /// Simulated time, in milliseconds.
    pub ended_ms: u64,
    /// What the scenario put the weight on.
    pub kind: Kind,
    /// How often things happened that a run is made to see.
    pub seen: BTreeMap<&'static str, u64>,
}

/// Runs one seed to its end; `is_shown` prints every event.
///
/// # Panics
/// If a law is broken; the seed is printed then.
pub fn run(seed: u64, is_shown: bool) -> Outcome {
    let mut random = Random::new(seed);
    let scenario = Scenario::draw(&mut random);
    if is_shown {
        describe(&scenario);
    }
    World::new(scenario, random, Trace::new(is_shown)).run()
}

#[expect(clippy::print_stdout, reason = "only where somebody asks for the trace of a seed")]
fn describe(scenario: &Scenario) {
    println!("{scenario:#?}");
}
