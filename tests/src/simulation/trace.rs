//! The trace of a run: every event in order, folded into a hash, and shown where somebody asks for it.

use std::fmt::Write as _;

/// FNV-1a over all events.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    hash: u64,
    events: u64,
    is_shown: bool,
}

impl Trace {
    /// An empty one; `is_shown` prints each event as it happens.
    pub(super) fn new(is_shown: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, events: 0, is_shown }
    }

    /// Notes one event.
    #[expect(clippy::print_stdout, reason = "only where somebody asks for the trace of a seed")]
    pub(super) fn note(&mut self, now_ms: u64, what: &'static str, numbers: &[u64]) {
        self.events += 1;
        self.fold(now_ms);
        what.bytes().for_each(|byte| self.fold(u64::from(byte)));
        numbers.iter().for_each(|number| self.fold(*number));
        if self.is_shown {
            let mut line = format!("{:>9}.{:03} {what}", now_ms / 1_000, now_ms % 1_000);
            for number in numbers {
                let _cannot_fail = write!(line, " {number}");
            }
            println!("{line}");
        }
    }

    fn fold(&mut self, number: u64) {
        for half in [number & 0xffff_ffff, number >> 32] {
            self.hash = (self.hash ^ half).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// What tells this run from others.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    pub(super) fn events(&self) -> u64 {
        self.events
    }
}
