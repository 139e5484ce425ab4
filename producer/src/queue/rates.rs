//! How fast tasks are answered, by class and project.

use std::time::Duration;

use broker::Store;
use broker::error::StoreError;
use broker::store::rates::Answered;

use super::PaceReport;

/// What a rate is the mean of: long enough to be steady, short enough to be now.
const WINDOW: Duration = Duration::from_secs(60);

/// Answers looked at for one report, about: the window is shorter where that many come faster, so that a look at the queue
/// never costs more than a fraction of a second.
const ANSWERS_MAX: f64 = 200_000.0;

/// Tasks answered within a window.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    window: Duration,
    answered: Vec<Answered>,
}

impl Rates {
    pub(super) async fn read(store: &Store, pace: Option<PaceReport>) -> Result<Self, StoreError> {
        let window = window(pace.map_or(0.0, |pace| pace.tasks_per_sec));
        Ok(Self { window, answered: store.answered_tasks(window).await? })
    }

    /// Seconds that the rates are a mean of.
    pub(super) fn window_secs(&self) -> f64 {
        self.window.as_secs_f64()
    }

    /// What was answered, by project and class.
    pub(super) fn answered(&self) -> &[Answered] {
        &self.answered
    }

    /// Tasks answered in a second, of those that are counted.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
    pub(super) fn of(&self, is_counted: impl Fn(&Answered) -> bool) -> f64 {
        let tasks: i64 = self.answered.iter().filter(|row| is_counted(row)).map(|row| row.tasks).sum();
        if self.window.is_zero() { 0.0 } else { tasks as f64 / self.window.as_secs_f64() }
    }
}

/// The window at a pace, in tasks a second.
fn window(pace: f64) -> Duration {
    if pace * WINDOW.as_secs_f64() <= ANSWERS_MAX { WINDOW } else { Duration::from_secs_f64(ANSWERS_MAX / pace) }
}

#[cfg(test)]
mod tests {
    use schemas::request::Priority;

    use super::*;

    #[test]
    fn a_rate_is_the_mean_over_the_window_of_what_is_counted() {
        let row = |project: &str, priority, tasks| {
            let project = project.parse().unwrap();
            Answered { project, team: None, priority, tasks }
        };
        let answered =
            vec![row("shop", Priority::High, 60), row("shop", Priority::Low, 30), row("till", Priority::High, 120)];
        let rates = Rates { window: WINDOW, answered };
        assert_eq!(rates.of(|row| row.priority == Priority::High), 3.0);
        assert_eq!(rates.of(|row| row.project.as_str() == "shop"), 1.5);
        assert_eq!(Rates::default().of(|_| true), 0.0);
    }

    #[test]
    fn the_faster_the_queue_is_the_shorter_is_the_window() {
        assert_eq!(window(0.0), WINDOW);
        assert_eq!(window(3_000.0), WINDOW);
        assert_eq!(window(20_000.0), Duration::from_secs(10));
    }
}
