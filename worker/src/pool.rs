//! The threads that analyze.

use std::sync::{LazyLock, OnceLock};

use rayon::{ThreadPool, ThreadPoolBuilder};
use schemas::bundle::FILE_BYTES_MAX;

/// Stack that the parser may need for each byte of a file: when it gives up on an ambiguous text it frees its own stack
/// by recursion, one frame of some 112 bytes (150 without optimisation) for each symbol, and a symbol has a byte at least.
const STACK_BYTES_PER_BYTE: u64 = 192;

/// Reserved for each thread and touched by hostile files only; with the usual 2 MiB such a file would end the process.
const STACK_BYTES: u64 = FILE_BYTES_MAX * STACK_BYTES_PER_BYTE;

/// What the names of the threads that analyze begin with.
pub const THREAD_NAME: &str = "analyze-";

/// How many threads there are to be; one per core if nobody says.
static THREADS: OnceLock<usize> = OnceLock::new();

static POOL: LazyLock<ThreadPool> = LazyLock::new(|| {
    let stack = usize::try_from(STACK_BYTES).unwrap_or(usize::MAX);
    let threads = THREADS.get().copied().unwrap_or(0);
    let builder = ThreadPoolBuilder::new().num_threads(threads).stack_size(stack);
    let pool = builder.thread_name(|index| format!("{THREAD_NAME}{index}")).build();
    pool.expect("a worker that cannot start threads cannot work")
});

/// Says how many threads there are to be, 0 meaning one per core. Counts only before the first use: there is one pool per
/// process, since threads of a second one would only take the cores from the first.
pub(crate) fn set_threads(threads: usize) {
    if THREADS.set(threads).is_err() {
        tracing::debug!("the analyzing threads were counted before");
    }
}

/// Starts `work` there and does not wait for it.
pub(crate) fn spawn(work: impl FnOnce() + Send + 'static) {
    POOL.spawn(work);
}

/// Runs `work`, and whatever it does in parallel, on the threads that analyze.
pub(crate) fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    POOL.install(work)
}
