//! Watching one pass: what does not end by itself is cut off.

use std::time::{Duration, Instant};

use broker::pulse::{self, Pulse};

/// How often it is looked whether a pass still moves.
const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// How long a pass may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// One step of it, e.g. one file.
    pub(crate) step: Duration,
    /// All of it.
    pub(crate) whole: Duration,
}

/// Why a pass was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// One step took longer than it may: its thread will not come back.
    Hung,
    /// The whole took longer than it may.
    Late,
    /// Its audit was stopped.
    Stopped,
    /// The worker has no time left.
    Hurried,
}

/// Waits for a pass, which ends before its next step if it is cut off: when `called_off` says so, or by a limit.
pub(crate) async fn watch<T>(
    pass: impl Future<Output = T>,
    pulse: &Pulse,
    limits: TimeLimits,
    called_off: impl Future<Output = Cut>,
) -> Result<T, Cut> {
    let cut = tokio::select! {
        biased;
        done = pass => return Ok(done),
        cut = called_off => cut,
        () = hangs(pulse, limits.step) => Cut::Hung,
        () = tokio::time::sleep(limits.whole) => Cut::Late,
    };
    pulse.stop();
    Err(cut)
}

/// Waits until one step takes longer than it may.
async fn hangs(pulse: &Pulse, step_time_max: Duration) {
    let mut watch = pulse::Watch::new(Instant::now());
    while watch.stalled(pulse, Instant::now()) < step_time_max {
        tokio::time::sleep(LOOK_PERIOD.min(step_time_max)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::{Arc, mpsc};

    use super::*;
    use crate::cpu;

    const LIMITS: TimeLimits = TimeLimits { step: Duration::from_millis(50), whole: Duration::from_secs(60) };

    /// A pass of one step that takes as long as the sender lives.
    fn hanging(pulse: &Arc<Pulse>) -> (mpsc::Sender<()>, impl Future<Output = Result<(), cpu::Panicked>>) {
        let (end, hang) = mpsc::channel::<()>();
        let pulse = Arc::clone(pulse);
        let pass = cpu::run(move || pulse.step(|| assert!(hang.recv().is_err())));
        (end, pass)
    }

    #[tokio::test]
    async fn a_pass_that_ends_is_not_cut_off() {
        let pulse = Pulse::default();
        assert_eq!(watch(async { 7 }, &pulse, LIMITS, pending()).await, Ok(7));
        assert!(!pulse.is_stopped());
    }

    #[tokio::test]
    async fn a_step_that_does_not_end_is_a_hang() {
        let pulse = Arc::default();
        let (_end, pass) = hanging(&pulse);
        assert_eq!(watch(pass, &pulse, LIMITS, pending()).await, Err(Cut::Hung));
        assert!(pulse.is_stopped(), "if it comes back it is to end");
    }

    #[tokio::test]
    async fn a_pass_that_waits_for_a_thread_does_not_hang_but_has_its_limit() {
        let pulse = Pulse::default();
        let limits = TimeLimits { whole: 5 * LIMITS.step, ..LIMITS };
        assert_eq!(watch(pending::<()>(), &pulse, limits, pending()).await, Err(Cut::Late));
    }

    #[tokio::test]
    async fn a_pass_that_is_called_off_is_not_waited_for() {
        let pulse = Arc::default();
        let (_end, pass) = hanging(&pulse);
        let limits = TimeLimits { step: LIMITS.whole, ..LIMITS };
        assert_eq!(watch(pass, &pulse, limits, async { Cut::Stopped }).await, Err(Cut::Stopped));
        assert!(pulse.is_stopped());
    }
}
