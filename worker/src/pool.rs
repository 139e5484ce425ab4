//! The threads that analyze.

use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};

use rayon::{ThreadPool, ThreadPoolBuilder};
use schemas::bundle::FILE_BYTES_MAX;
use tokio::sync::watch;

/// Stack that the parser may need for each byte of a file: when it gives up on an ambiguous text it frees its own stack
/// by recursion, one frame of some 112 bytes (150 without optimisation) for each symbol, and a symbol has a byte at least.
const STACK_BYTES_PER_BYTE: u64 = 192;

/// Reserved for each thread and touched by hostile files only; with the usual 2 MiB such a file would end the process.
pub(crate) const STACK_BYTES: u64 = FILE_BYTES_MAX * STACK_BYTES_PER_BYTE;

/// What the names of the threads that analyze begin with.
pub const THREAD_NAME: &str = "analyze-";

/// How often the threads are replaced in the life of a process: those that hang cannot be ended and keep what they have.
const REPLACEMENTS_MAX: u64 = 16;

/// How many threads there are to be; one per core if nobody says.
static THREADS: OnceLock<usize> = OnceLock::new();

static POOL: LazyLock<RwLock<Arc<ThreadPool>>> = LazyLock::new(|| RwLock::new(Arc::new(start())));

/// How often the threads were replaced.
static REPLACED: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

fn start() -> ThreadPool {
    let stack = usize::try_from(STACK_BYTES).unwrap_or(usize::MAX);
    let threads = THREADS.get().copied().unwrap_or(0);
    let builder = ThreadPoolBuilder::new().num_threads(threads).stack_size(stack);
    let pool = builder.thread_name(|index| format!("{THREAD_NAME}{index}")).build();
    pool.expect("a worker that cannot start threads cannot work")
}

/// Says how many threads there are to be, 0 meaning one per core. Counts only before the first use: there is one pool per
/// process, since threads of a second one would only take the cores from the first.
pub(crate) fn set_threads(threads: usize) {
    if THREADS.set(threads).is_err() {
        tracing::debug!("the analyzing threads were counted before");
    }
}

/// How many threads there are.
pub(crate) fn threads() -> usize {
    current().current_num_threads()
}

/// Starts `work` there and does not wait for it.
pub(crate) fn spawn(work: impl FnOnce() + Send + 'static) {
    current().spawn(work);
}

/// Runs `work`, and whatever it does in parallel, on the threads that analyze: on this one if it is one of them.
pub(crate) fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if rayon::current_thread_index().is_some() { work() } else { current().install(work) }
}

/// How often the threads were replaced, now and whenever that changes: what had not begun by then may never begin.
pub(crate) fn replacements() -> watch::Receiver<u64> {
    REPLACED.subscribe()
}

/// Leaves the threads to themselves, since one of them hangs, and starts new ones, unless that was done since `seen`. No
/// thread can be ended from outside. Whether there was one more to start.
pub(crate) fn replace(seen: u64) -> bool {
    let mut pool = POOL.write().unwrap_or_else(PoisonError::into_inner);
    let replaced = *REPLACED.borrow();
    if replaced != seen {
        return true;
    }
    if replaced >= REPLACEMENTS_MAX {
        return false;
    }
    *pool = Arc::new(start());
    drop(pool);
    REPLACED.send_replace(replaced + 1);
    true
}

fn current() -> Arc<ThreadPool> {
    Arc::clone(&POOL.read().unwrap_or_else(PoisonError::into_inner))
}
