//! Waiting for a condition: the only place where a test sleeps.

use std::time::{Duration, Instant as Clock};

use tokio::time::{Instant, sleep};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Long enough for anything that happens at all on a busy machine; a test that waits this long has failed.
pub const LONG: Duration = Duration::from_secs(180);

/// Looks until `look` returns something, and returns that. Panics with `what` when that takes longer than `within`.
pub async fn wait_for<T>(what: &str, within: Duration, look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = try_for(within, look).await;
    seen.unwrap_or_else(|| panic!("waited {} s in vain for {what}", within.as_secs()))
}

/// The same; nothing when that takes longer.
pub async fn try_for<T>(within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if Instant::now() > deadline {
            return None;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The same where nothing is async, as in a `Drop`: looks until `look` says yes, and says whether it did in time.
#[expect(clippy::disallowed_methods, reason = "this is what waits for a condition")]
pub fn wait_blocking(within: Duration, look: impl Fn() -> bool) -> bool {
    let deadline = Clock::now() + within;
    while !look() {
        if Clock::now() > deadline {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}
