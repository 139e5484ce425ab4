//! How full the streams are.

use crate::bus::Bus;
use crate::error::BusError;
use crate::topology;

/// How full one stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDepth {
    /// The stream.
    pub stream: String,
    /// Messages in it.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that it may have.
    pub bytes_max: u64,
}

impl Bus {
    /// How full each stream is. One that is missing is left out: the next publish makes it again.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn stream_depths(&self) -> Result<Vec<StreamDepth>, BusError> {
        let mut depths = Vec::new();
        for name in topology::stream_names() {
            let found = tokio::time::timeout(ASK_TIME_MAX, self.context().get_stream(name)).await;
            let Ok(found) = found else {
                let reason = "the server did not answer".to_owned();
                return Err(BusError::Topology { what: "stream", name: name.to_owned(), reason });
            };
            if let Ok(stream) = found {
                let info = stream.cached_info();
                let (messages, bytes) = (info.state.messages, info.state.bytes);
                let bytes_max = u64::try_from(info.config.max_bytes).unwrap_or(u64::MAX);
                depths.push(StreamDepth { stream: name.to_owned(), messages, bytes, bytes_max });
            }
        }
        Ok(depths)
    }
}

/// How long one answer may take: whoever asks is waited for itself.
const ASK_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(2);
