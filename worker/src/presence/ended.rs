//! How many tasks were done with lately, second by second.

use std::collections::VecDeque;

use schemas::presence::ENDED_WINDOW_SECS;

/// Counts of the seconds in which anything ended, oldest first; never more of them than the window has.
#[derive(Debug, Default)]
pub(super) struct Ended(VecDeque<(u64, u32)>);

impl Ended {
    /// Notes that so many ended in this second, counted from any moment.
    pub(super) fn note(&mut self, second: u64, tasks: u32) {
        self.forget(second);
        match self.0.back_mut() {
            Some((last, count)) if *last == second => *count = count.saturating_add(tasks),
            _ => self.0.push_back((second, tasks)),
        }
    }

    /// How many ended in the seconds of the window before the end of this one.
    pub(super) fn lately(&mut self, second: u64) -> u32 {
        self.forget(second);
        self.0.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    fn forget(&mut self, second: u64) {
        while self.0.front().is_some_and(|(old, _)| old + u64::from(ENDED_WINDOW_SECS) <= second) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_is_forgotten_and_no_second_is_kept_twice() {
        let mut ended = Ended::default();
        ended.note(0, 2);
        ended.note(0, 3);
        ended.note(30, 1);
        assert_eq!((ended.0.len(), ended.lately(59)), (2, 6));
        assert_eq!(ended.lately(60), 1);
        assert_eq!((ended.lately(90), ended.0.len()), (0, 0));
    }
}
