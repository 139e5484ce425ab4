//! The async runtime and the signals that end it.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs `main` to its end; SIGINT and SIGTERM cancel the token that it is given, a second one ends the process at once.
pub(crate) fn run<T>(main: impl AsyncFnOnce(CancellationToken) -> Result<T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the async runtime")?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let signalled = stop.clone();
        tokio::spawn(async move {
            next_of(&mut interrupt, &mut terminate).await;
            tracing::info!("stopping; once more to stop at once");
            signalled.cancel();
            next_of(&mut interrupt, &mut terminate).await;
            #[expect(clippy::exit, reason = "the operator insists: whatever is under way is redelivered")]
            std::process::exit(130);
        });
        main(stop).await
    })
}

async fn next_of(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
