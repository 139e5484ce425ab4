//! The one bridge from async to the analyzing threads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::pool;

/// Work that ended without an answer: it panicked, and the log has said where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the analyzer panicked")]
pub(crate) struct Panicked;

/// Runs `work` on the analyzing threads, within the caller's span. Work whose caller has gone is not begun.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Panicked> {
    let (sender, receiver) = oneshot::channel();
    let span = tracing::Span::current();
    pool::spawn(move || {
        if sender.is_closed() {
            return;
        }
        let outcome = span.in_scope(|| catch_unwind(AssertUnwindSafe(work)));
        if let Ok(answer) = outcome
            && sender.send(answer).is_err()
        {
            tracing::debug!("nobody waits for this analysis any more");
        }
    });
    receiver.await.map_err(|_dropped| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_back_and_panics_are_errors() {
        assert_eq!(run(|| 7).await, Ok(7));
        assert_eq!(run(|| -> u8 { panic!("on purpose") }).await, Err(Panicked));
    }
}
