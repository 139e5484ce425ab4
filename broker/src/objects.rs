//! The object store: bundles and oversized results, each named by the digest of its bytes.

use async_nats::jetstream::object_store::InfoErrorKind;
use schemas::ids::Digest;

use crate::bus::Bus;
use crate::error::BusError;
use crate::topology::BUNDLES;

/// Largest object that is read back, in bytes: a compressed bundle is smaller than its content, which is limited to
/// 16 MiB, and a list of results is cut at the same size.
pub const OBJECT_BYTES_MAX: u64 = 16 * 1024 * 1024;

impl Bus {
    /// Stores `bytes` under their digest unless they are there already.
    ///
    /// # Errors
    /// If they may not have been stored.
    pub async fn put_object(&self, digest: &Digest, bytes: &[u8]) -> Result<(), BusError> {
        let failed = |reason: String| BusError::Object { action: "write", name: digest.to_string(), reason };
        let store = match self.context().get_object_store(BUNDLES).await {
            Ok(store) => store,
            Err(_missing_or_unreachable) => {
                self.restore_topology().await?;
                self.context().get_object_store(BUNDLES).await.map_err(|error| failed(error.to_string()))?
            }
        };
        if store.info(digest.as_str()).await.is_ok() {
            return Ok(());
        }
        let mut reader = bytes;
        let stored = store.put(digest.as_str(), &mut reader).await;
        stored.map(|_| ()).map_err(|error| failed(error.to_string()))
    }

    /// Whether the object is there.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn has_object(&self, digest: &Digest) -> Result<bool, BusError> {
        let failed = |reason: String| BusError::Object { action: "read", name: digest.to_string(), reason };
        let store = self.context().get_object_store(BUNDLES).await.map_err(|error| failed(error.to_string()))?;
        match store.info(digest.as_str()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// The bytes of an object, checked against their name. Each chunk is asked for directly: the client's own reader makes a
    /// consumer for every read, which costs a server more than the bytes do, lingers, and is refused beyond a thousand.
    ///
    /// # Errors
    /// [`BusError::ObjectMissing`] if it is not there; otherwise if it cannot be read, is too large or damaged.
    pub async fn get_object(&self, digest: &Digest) -> Result<Vec<u8>, BusError> {
        let failed = |reason: String| BusError::Object { action: "read", name: digest.to_string(), reason };
        let store = self.bundles().await.map_err(|error| failed(error.to_string()))?;
        let info = match store.info(digest.as_str()).await {
            Ok(info) if info.deleted => return Err(BusError::ObjectMissing(digest.to_string())),
            Ok(info) => info,
            Err(error) if error.kind() == InfoErrorKind::NotFound => {
                return Err(BusError::ObjectMissing(digest.to_string()));
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        if info.size as u64 > OBJECT_BYTES_MAX {
            return Err(failed(format!("it is larger than {OBJECT_BYTES_MAX} bytes")));
        }
        let stream = self.context().get_stream_no_info(format!("OBJ_{BUNDLES}")).await;
        let stream = stream.map_err(|error| failed(error.to_string()))?;
        let subject = format!("$O.{BUNDLES}.C.{}", info.nuid);
        let (mut bytes, mut after) = (Vec::new(), 0);
        while bytes.len() < info.size {
            let chunk = stream.direct_get_next_for_subject(subject.as_str(), Some(after + 1)).await;
            let chunk = chunk.map_err(|error| failed(error.to_string()))?;
            if chunk.payload.is_empty() {
                return Err(failed("it has an empty chunk".to_owned()));
            }
            bytes.extend_from_slice(&chunk.payload);
            after = chunk.sequence;
        }
        if Digest::of(&bytes) != *digest {
            return Err(failed("its bytes do not match its name".to_owned()));
        }
        Ok(bytes)
    }
}
