//! Bundles that were read lately: the magics of one shard often come in several batches, and a task that is tried again reads
//! the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use broker::Bus;
use broker::error::BusError;
use schemas::ids::Digest;

/// Bundles kept, the latest first: a few for each slot.
const BUNDLES_MAX: usize = 16;

/// Bytes kept in all: twice the largest bundle.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Such bundles. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundles {
    latest: Arc<Mutex<VecDeque<Bundle>>>,
}

type Bundle = (Digest, Arc<Vec<u8>>);

impl Bundles {
    /// The bytes of a bundle, from here or from the object store.
    pub(crate) async fn get(&self, bus: &Bus, digest: &Digest) -> Result<Arc<Vec<u8>>, BusError> {
        if let Some(bytes) = self.find(digest) {
            return Ok(bytes);
        }
        let bytes = Arc::new(bus.get_object(digest).await?);
        self.keep(digest.clone(), Arc::clone(&bytes));
        Ok(bytes)
    }

    fn find(&self, digest: &Digest) -> Option<Arc<Vec<u8>>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().find(|(known, _)| known == digest).map(|(_, bytes)| Arc::clone(bytes))
    }

    fn keep(&self, digest: Digest, bytes: Arc<Vec<u8>>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.push_front((digest, bytes));
        let mut sum = 0;
        let fitting = latest.iter().take(BUNDLES_MAX).take_while(|(_, bytes)| {
            sum += bytes.len();
            sum <= BYTES_MAX
        });
        let fitting = fitting.count();
        latest.truncate(fitting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_within_both_limits() {
        let bundles = Bundles::default();
        let keep = |name: usize, bytes: usize| bundles.keep(Digest::of(&name.to_le_bytes()), Arc::new(vec![0; bytes]));
        let is_kept = |name: usize| bundles.find(&Digest::of(&name.to_le_bytes())).is_some();
        (0..=BUNDLES_MAX).for_each(|name| keep(name, 1));
        assert!(!is_kept(0) && is_kept(1) && is_kept(BUNDLES_MAX));
        keep(100, BYTES_MAX - 2);
        assert_eq!(
            [1, BUNDLES_MAX - 2, BUNDLES_MAX - 1, BUNDLES_MAX, 100].map(is_kept),
            [false, false, true, true, true]
        );
        keep(101, BYTES_MAX + 1);
        assert!(!is_kept(100) && !is_kept(101), "one that is too large is not kept, nor what is older");
    }
}
