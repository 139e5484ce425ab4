//! Stopping audits: why, in words that can be kept, and the tasks of stopped ones out of the queue.

use broker::error::{StoreError, chain};
use broker::{Bus, Store};

/// Longest reason, in bytes: it travels in events and log lines.
const REASON_BYTES_MAX: usize = 500;

/// Stopped audits whose tasks are removed in one round of the dispatcher; each is a round trip to the queue.
const ROUND_MAX: i64 = 64;

/// A reason that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reason needs 1 to {REASON_BYTES_MAX} bytes without control characters")]
pub struct InvalidReason;

/// The reason that is recorded for a cancelled audit: what was said, or at least by which way it was asked.
///
/// # Errors
/// If the text is empty, too long or holds control characters.
pub fn reason(said: Option<String>, way: &str) -> Result<String, InvalidReason> {
    match said {
        None => Ok(format!("cancelled {way}")),
        Some(text) if text.is_empty() || text.len() > REASON_BYTES_MAX => Err(InvalidReason),
        Some(text) if text.chars().any(char::is_control) => Err(InvalidReason),
        Some(text) => Ok(text),
    }
}

/// Removes the tasks of stopped audits from the queue. A queue that cannot do so now is asked again in the next round;
/// workers drop what comes to them meanwhile.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn remove_tasks(store: &Store, bus: &Bus) -> Result<(), StoreError> {
    for stopped in store.stopped_audits(ROUND_MAX).await? {
        match bus.purge_tasks(&stopped.project, stopped.audit).await {
            Ok(tasks) => {
                store.mark_purged(stopped.audit).await?;
                tracing::info!(audit_id = %stopped.audit, project = %stopped.project, tasks, "stopped; its tasks left the queue");
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), audit_id = %stopped.audit, "tasks of a stopped audit wait to be removed");
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_kept_as_they_are_or_refused() {
        assert_eq!(reason(None, "over the API"), Ok("cancelled over the API".to_owned()));
        assert_eq!(reason(Some("wrong branch".to_owned()), "x"), Ok("wrong branch".to_owned()));
        for bad in [String::new(), "a\nb".to_owned(), "x".repeat(REASON_BYTES_MAX + 1)] {
            assert_eq!(reason(Some(bad), "x"), Err(InvalidReason));
        }
    }
}
