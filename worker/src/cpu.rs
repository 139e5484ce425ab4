//! The one bridge from async to the analyzing threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::pool;

/// Work that ended without an answer: it panicked, and the log has said where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the analyzer panicked")]
pub(crate) struct Panicked;

/// Work that no thread has begun yet. Whoever takes it out runs it.
type Waiting = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// Runs `work` on the analyzing threads, within the caller's span. Work whose caller has gone is not begun; work that was
/// not begun when the threads were replaced is begun by the new ones.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Panicked> {
    let (sender, mut receiver) = oneshot::channel();
    let span = tracing::Span::current();
    let work = move || {
        if sender.is_closed() {
            return;
        }
        let outcome = span.in_scope(|| catch_unwind(AssertUnwindSafe(work)));
        if let Ok(answer) = outcome
            && sender.send(answer).is_err()
        {
            tracing::debug!("nobody waits for this analysis any more");
        }
    };
    let waiting: Waiting = Arc::new(Mutex::new(Some(Box::new(work))));
    let mut replacements = pool::replacements();
    loop {
        let next = Arc::clone(&waiting);
        pool::spawn(move || {
            if let Some(work) = take(&next) {
                work();
            }
        });
        tokio::select! {
            answer = &mut receiver => return answer.map_err(|_dropped| Panicked),
            Ok(()) = replacements.changed() => {}
        }
    }
}

fn take(waiting: &Waiting) -> Option<Box<dyn FnOnce() + Send>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn answers_come_back_and_panics_are_errors() {
        assert_eq!(run(|| 7).await, Ok(7));
        assert_eq!(run(|| -> u8 { panic!("on purpose") }).await, Err(Panicked));
    }

    #[tokio::test]
    async fn what_waits_behind_hung_threads_is_begun_by_new_ones() {
        let seen = *pool::replacements().borrow();
        let (begun, has_begun) = mpsc::channel();
        let mut ends = Vec::new();
        for _ in 0..pool::threads() {
            let (end, hang) = mpsc::channel::<()>();
            let begun = begun.clone();
            ends.push(end);
            pool::spawn(move || {
                begun.send(()).unwrap();
                assert!(hang.recv().is_err(), "it hangs until the test ends");
            });
        }
        for _ in 0..ends.len() {
            has_begun.recv().unwrap();
        }
        let behind = tokio::spawn(run(|| 7));
        tokio::task::yield_now().await;
        assert!(!behind.is_finished());
        assert!(pool::replace(seen));
        assert_eq!(behind.await.unwrap(), Ok(7));
    }
}
