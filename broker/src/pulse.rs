//! The pulse of some work: counters that move while it does, so that nothing is held for work that hangs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counts the steps of some work, e.g. the files of a shard. Work that waits for a free thread has begun no step, and
/// waits in peace.
#[derive(Debug, Default)]
pub struct Pulse {
    begun: AtomicU64,
    ended: AtomicU64,
    is_stopped: AtomicBool,
}

impl Pulse {
    /// Takes one step. A panic ends it, too.
    pub fn step<T>(&self, step: impl FnOnce() -> T) -> T {
        struct End<'a>(&'a AtomicU64);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
        let _end = End(&self.ended);
        step()
    }

    /// Asks the work to end before its next step.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Steps begun, and steps ended.
    fn count(&self) -> (u64, u64) {
        let ended = self.ended.load(Ordering::Relaxed);
        (self.begun.load(Ordering::Relaxed), ended)
    }
}

/// Looks at one pulse from time to time.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    seen: (u64, u64),
    since: Instant,
}

impl Watch {
    /// Begins to look at a pulse that has not moved yet.
    pub fn new(now: Instant) -> Self {
        Self { seen: (0, 0), since: now }
    }

    /// Looks: how long steps have been under way without one that began or ended, as far as was seen.
    pub fn stalled(&mut self, pulse: &Pulse, now: Instant) -> Duration {
        let (begun, ended) = pulse.count();
        if (begun, ended) != self.seen || begun == ended {
            *self = Self { seen: (begun, ended), since: now };
        }
        now.duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_a_step_that_does_not_end_counts_as_stalled() {
        let (pulse, start) = (Pulse::default(), Instant::now());
        let mut watch = Watch::new(start);
        assert_eq!(watch.stalled(&pulse, start + 60 * SECOND), Duration::ZERO, "it waits for a thread");
        pulse.step(|| {
            assert_eq!(watch.stalled(&pulse, start + 61 * SECOND), Duration::ZERO, "it has begun");
            pulse.step(|| ());
            assert_eq!(watch.stalled(&pulse, start + 80 * SECOND), Duration::ZERO, "another thread goes on");
            assert_eq!(watch.stalled(&pulse, start + 111 * SECOND), 31 * SECOND, "nothing moves");
        });
        assert_eq!(watch.stalled(&pulse, start + 200 * SECOND), Duration::ZERO, "it has ended");
        assert_eq!(watch.stalled(&pulse, start + 300 * SECOND), Duration::ZERO, "nothing is under way");
    }

    #[test]
    fn a_step_that_panics_has_ended() {
        let pulse = Pulse::default();
        let step = std::panic::AssertUnwindSafe(|| pulse.step(|| panic!("on purpose")));
        assert!(std::panic::catch_unwind(step).is_err());
        assert_eq!(pulse.count(), (1, 1));
    }
}
