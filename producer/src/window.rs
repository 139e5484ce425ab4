//! How many tasks may be in the queue or running: about a second's work, as fast as workers were lately. Pure.
//!
//! A deep queue makes an urgent task stand behind all of it, a shallow one lets workers wait. So the depth follows what
//! was done: tasks of a minute leave few in the queue, tasks of nothing leave thousands.

/// How much work the queue should hold, in seconds: long against the pause between two rounds, short against what people
/// notice.
const HELD_SECS: f64 = 1.0;

/// Time in which the memory of an earlier pace fades to a third.
const MEMORY_SECS: f64 = 2.0;

/// Shortest stretch that says something about the pace: a few rounds.
const STRETCH_SECS_MIN: f64 = 0.05;

/// The window.
#[derive(Debug, Clone)]
pub struct Window {
    least: u64,
    most: u64,
    tasks_per_sec: f64,
    seen_secs: f64,
    seen_tasks: u64,
}

impl Window {
    /// One that never falls below `least`, so that there is always something for each worker, and never exceeds `most`.
    pub fn new(least: u64, most: u64) -> Self {
        Self { least: least.min(most), most, tasks_per_sec: 0.0, seen_secs: 0.0, seen_tasks: 0 }
    }

    /// Changes the floor, as workers come and go.
    pub fn set_least(&mut self, least: u64) {
        self.least = least.min(self.most);
    }

    /// Notes that `tasks` were done in `secs`. Pauses without anything in the queue say nothing about the pace: leave
    /// them out.
    pub fn observe(&mut self, tasks: u64, secs: f64) {
        self.seen_secs += secs;
        self.seen_tasks += tasks;
        if self.seen_secs >= STRETCH_SECS_MIN {
            let fresh = real(self.seen_tasks) / self.seen_secs;
            let weight = 1.0 - (-self.seen_secs / MEMORY_SECS).exp();
            self.tasks_per_sec += weight * (fresh - self.tasks_per_sec);
            (self.seen_secs, self.seen_tasks) = (0.0, 0);
        }
    }

    /// Most tasks in the queue or running.
    pub fn size(&self) -> u64 {
        whole(self.tasks_per_sec * HELD_SECS).clamp(self.least, self.most)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a pace needs no more than 52 bits")]
fn real(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn whole(number: f64) -> u64 {
    number.clamp(0.0, 1e9) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays workers that do `pace` tasks a second, out of a queue that is filled up every 20 ms.
    fn settled(pace: f64, least: u64, most: u64) -> u64 {
        let mut window = Window::new(least, most);
        for _ in 0..2_000 {
            let done = (pace * 0.02).min(real(window.size()));
            // Whole tasks: what is left of one is done in the next round.
            window.observe(whole(done.round()), 0.02);
        }
        window.size()
    }

    #[test]
    fn it_grows_to_a_seconds_work_and_no_further() {
        assert!((7_500..=8_500).contains(&settled(8_000.0, 64, 100_000)), "{}", settled(8_000.0, 64, 100_000));
        assert_eq!(settled(8_000.0, 64, 1_024), 1_024);
        assert_eq!(settled(1.0, 64, 1_024), 64);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_limits(
            least in 0..2_000_u64, most in 0..2_000_u64, seen in prop::collection::vec((0..10_000_u64, 0.0..10.0), 0..50),
        ) {
            let mut window = Window::new(least, most);
            for (tasks, secs) in seen {
                window.observe(tasks, secs);
                prop_assert!(window.size() <= most && window.size() >= least.min(most));
            }
        }
    }
}
