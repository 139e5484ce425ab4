//! Workers that live: each keeps its own entry fresh, and one that is silent is forgotten.

use schemas::presence::WorkerPresence;

use crate::bus::Bus;
use crate::error::BusError;
use crate::topology::WORKERS;

/// Workers listed at most: more than any one deployment has, and few enough to be read in a moment.
const WORKERS_MAX: usize = 1_000;

impl Bus {
    /// Says that a worker lives and what it does. Forgotten after half a minute.
    ///
    /// # Errors
    /// If it may not be known.
    pub async fn show_worker(&self, presence: &WorkerPresence) -> Result<(), BusError> {
        let text = serde_json::to_vec(presence);
        let text = text.map_err(|source| BusError::Encode { subject: presence.worker.clone(), source })?;
        self.put_value(WORKERS, &presence.worker, text).await
    }

    /// Says that a worker is gone.
    ///
    /// # Errors
    /// If it may still be listed, for half a minute.
    pub async fn hide_worker(&self, worker: &str) -> Result<(), BusError> {
        self.remove_value(WORKERS, worker).await
    }

    /// The workers that live, by name. An entry that is none of ours is left out.
    ///
    /// # Errors
    /// If the queue cannot be asked.
    pub async fn workers(&self) -> Result<Vec<WorkerPresence>, BusError> {
        let values = self.values(WORKERS, WORKERS_MAX).await?;
        let mut workers: Vec<WorkerPresence> =
            values.iter().filter_map(|value| serde_json::from_slice(value).ok()).collect();
        workers.sort_by(|a, b| a.worker.cmp(&b.worker));
        Ok(workers)
    }
}
