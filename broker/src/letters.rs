//! Dead letters on their way from the queue to the record.

use schemas::dead_letter::{Cause, DeadLetter};
use schemas::retry::ErrorClass;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::{StoreError, chain};
use crate::failpoint::{self, Step};
use crate::lease::Lease;
use crate::store::Store;
use crate::subscription::Subscription;
use crate::topology;

/// Letters taken at once.
const BATCH: usize = 64;

/// Copies letters until `stop` is cancelled.
pub async fn run(store: Store, bus: Bus, stop: CancellationToken) {
    let mut letters = Subscription::new(bus, topology::LETTERS);
    while let Some(leases) = letters.next(BATCH, &stop).await {
        for lease in leases {
            let kept = keep(&store, &lease).await;
            let ended = match kept {
                Ok(()) => lease.done_unconfirmed().await,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "a dead letter waits");
                    lease.retry(ErrorClass::Transient).await
                }
            };
            if let Err(error) = ended {
                tracing::warn!(error = %chain(&error), "a dead letter will come again");
            }
        }
    }
}

async fn keep(store: &Store, lease: &Lease) -> Result<(), StoreError> {
    failpoint::reach_store(Step::LettersBeforeKeep).await?;
    store.keep_dead_letter(&letter(lease), lease.trace()).await?;
    failpoint::reach_store(Step::LettersAfterKeep).await
}

/// The letter; whatever else somebody published there is a dead letter about itself.
fn letter(lease: &Lease) -> DeadLetter {
    serde_json::from_slice(lease.body()).unwrap_or_else(|error| {
        let reason = format!("this is not a dead letter: {error}");
        DeadLetter::new(lease.subject_text(), Cause::Undecodable, reason, lease.attempts(), lease.body())
    })
}
