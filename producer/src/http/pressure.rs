//! What is turned away when more is asked for than can be planned: better a clear "later" than a record that only grows.

use std::time::{Duration, Instant};

use broker::Store;
use tokio::sync::Mutex;

use super::reply::ApiError;

/// How long a count is good for: counting for each request would cost more than the request.
const COUNT_PERIOD: Duration = Duration::from_secs(1);

/// How many audits wait for their plan, and how many may.
pub(crate) struct Pressure {
    most: u32,
    counted: Mutex<Option<(Instant, i64)>>,
}

impl Pressure {
    pub(crate) fn new(most: u32) -> Self {
        Self { most, counted: Mutex::new(None) }
    }

    /// Whether one more may be asked for over the API. A fifth is kept for forges: people and programs can wait, and a
    /// push that is turned away is delivered again by hand only.
    pub(super) async fn admit_request(&self, store: &Store) -> Result<(), ApiError> {
        self.admit(store, i64::from(self.most) * 4 / 5, ApiError::TooManyRequests).await
    }

    /// Whether one more push is taken.
    pub(super) async fn admit_push(&self, store: &Store) -> Result<(), ApiError> {
        self.admit(store, i64::from(self.most), ApiError::Overloaded).await
    }

    async fn admit(&self, store: &Store, most: i64, refusal: fn(String) -> ApiError) -> Result<(), ApiError> {
        let mut counted = self.counted.lock().await;
        let waiting = match *counted {
            Some((at, waiting)) if at.elapsed() < COUNT_PERIOD => waiting,
            _ => {
                let waiting = store.waiting_audits().await?;
                *counted = Some((Instant::now(), waiting));
                waiting
            }
        };
        if waiting >= most {
            return Err(refusal(format!(
                "{waiting} audits wait for their plan, and no more are taken until there are fewer than {most}"
            )));
        }
        Ok(())
    }
}
