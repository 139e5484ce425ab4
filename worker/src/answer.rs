//! Answering a task: the result is stored first, the task is acknowledged after.

use broker::error::{BusError, chain};
use broker::failpoint::{self, Step};
use broker::subject::Subject;
use broker::{Bus, headers};
use schemas::ids::Digest;
use schemas::item::ItemResult;
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;

use crate::accept::Held;
use crate::ending::log_lost;
use crate::run::Worker;

/// Largest result sent as a message, in bytes: servers take 1 MiB, headers and subject included.
const MESSAGE_BYTES_MAX: usize = 900 * 1024;

/// Most findings in one result. One of them takes about half a KiB, so the list stays within one object.
const FINDINGS_MAX: usize = 20_000;

/// Publishes the answer to a task and acknowledges it. A result that could not be stored brings the task back. Whether the
/// acknowledgement arrives is not waited for: if it gets lost, the task is answered twice, the same.
pub(crate) async fn answer(worker: &Worker, held: Held, mut partial: PartialResult) {
    cut(&mut partial.items);
    match publish(&worker.bus, &held, partial).await {
        Ok(()) => {
            failpoint::reach(Step::WorkerAfterResult).await;
            log_lost(held.lease.done_unconfirmed().await);
        }
        Err(error) => {
            tracing::warn!(error = %chain(&error), "a result could not be stored; the task comes again");
            worker.put_back(held, ErrorClass::Transient).await;
        }
    }
}

async fn publish(bus: &Bus, held: &Held, mut partial: PartialResult) -> Result<(), BusError> {
    let key = &held.key;
    let subject = Subject::Result(key.clone());
    let items = serde_json::to_vec(&partial.items)
        .map_err(|source| BusError::Encode { subject: subject.to_string(), source })?;
    if items.len() > MESSAGE_BYTES_MAX {
        let digest = Digest::of(&items);
        bus.put_object(&digest, &items).await?;
        partial = PartialResult { items: Vec::new(), items_object: Some(digest), ..partial };
    }
    // The digest makes a second, different answer a second message: the aggregator must see it to report it. So does the
    // generation: a task that was published again has lost its first answer, which the queue may still remember.
    let generation = held.lease.header(headers::GENERATION).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let id = format!("A:{}:{}:{}:{}:{generation}", key.audit, key.magic, key.shard, partial_digest(&partial));
    bus.publish(&subject, &id, held.lease.trace(), &partial).await.map(|_| ())
}

fn partial_digest(partial: &PartialResult) -> String {
    partial.items_object.as_ref().map_or_else(|| partial.digest().to_string(), ToString::to_string)
}

/// Drops findings beyond the limit, from the last items on, and says so where it does.
fn cut(items: &mut [ItemResult]) {
    let mut room = FINDINGS_MAX;
    for item in items {
        if item.findings.len() > room {
            let dropped = item.findings.len() - room;
            item.findings.truncate(room);
            item.notes.push(format!("{dropped} findings beyond the limit of {FINDINGS_MAX} per task are not listed"));
        }
        room -= item.findings.len();
    }
}
