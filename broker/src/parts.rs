//! The parts of a role: tasks beside its own work, without which it would look alive and do half of what it is for.

use std::pin::pin;

use tokio::task::{JoinError, JoinSet};

/// Waits for `work`; fails at once if one of `parts` panics. They end in no other way before they are told to, and then
/// `work` is still waited for: a question to the queue that is dropped may be answered, and its message would lie.
///
/// # Errors
/// The panic.
pub async fn while_whole<T>(work: impl Future<Output = T>, parts: &mut JoinSet<()>) -> Result<T, JoinError> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            Some(ended) = parts.join_next() => ended?,
        }
    }
}

/// Waits until all have ended as they were told.
///
/// # Errors
/// The first panic.
pub async fn all(mut parts: JoinSet<()>) -> Result<(), JoinError> {
    while let Some(ended) = parts.join_next().await {
        ended?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_part_ends_the_work_and_a_good_end_does_not() {
        let mut parts = JoinSet::new();
        parts.spawn(async {});
        let work = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(while_whole(work, &mut parts).await.unwrap(), 7);
        parts.spawn(async { panic!("on purpose") });
        assert!(while_whole(std::future::pending::<()>(), &mut parts).await.unwrap_err().is_panic());
        assert!(all(parts).await.is_ok());
    }
}
