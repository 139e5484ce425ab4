//! How many tasks are pulled at once: about half a second's work, so that none lies here while another worker is idle.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use schemas::magic::Magic;

/// Tasks pulled at once where they take next to no time: beyond this a larger batch saves little.
const MOST: usize = 32;

/// Tasks pulled at once where they take long: one shard's, a task for each magic, since neighbours in the queue are read
/// together then.
const LEAST: usize = Magic::ALL.len();

/// How long a batch should take.
const BATCH_MICROS: u64 = 500_000;

/// The size of the next batch, from how long tasks took lately.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Microseconds for each task; nothing is known while it is zero.
    task_micros: AtomicU64,
}

impl Batch {
    /// Notes how long a batch took.
    pub(crate) fn note(&self, tasks: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) / (tasks.max(1) as u64);
        let before = self.task_micros.load(Ordering::Relaxed);
        // Half of it is news: a few batches are enough to follow. Two at the same moment may lose one of them, no more.
        let now = if before == 0 { micros } else { before / 2 + micros / 2 };
        self.task_micros.store(now.max(1), Ordering::Relaxed);
    }

    /// How many tasks to pull next.
    pub(crate) fn size(&self) -> usize {
        match self.task_micros.load(Ordering::Relaxed) {
            0 => LEAST,
            micros => usize::try_from(BATCH_MICROS / micros).unwrap_or(MOST).clamp(LEAST, MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_pace_within_its_limits() {
        let batch = Batch::default();
        assert_eq!(batch.size(), LEAST, "nothing is known yet");
        let settle = |task_ms: u64| {
            for _ in 0..20 {
                batch.note(batch.size(), Duration::from_millis(task_ms) * u32::try_from(batch.size()).unwrap());
            }
            batch.size()
        };
        assert_eq!([settle(0), settle(50), settle(10_000), settle(1)], [MOST, 10, LEAST, MOST]);
    }
}
