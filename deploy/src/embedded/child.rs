//! A child process that outlives the tokio runtime that asked for it, and nothing else.

use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{io, thread};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tokio::sync::{mpsc, oneshot, watch};

/// Children asked for and not started yet; there are two services, so more only wait a moment.
const ORDERS_MAX: usize = 8;

/// A running child. Dropping it sends its last signal and waits for the end, so that its files can be removed.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    last_signal: Signal,
    /// Whether the pid still names our child. Held while signalling, so that a reused pid is never hit.
    is_ours: Arc<Mutex<bool>>,
    exit: watch::Receiver<Option<ExitStatus>>,
    waiter: Option<thread::JoinHandle<()>>,
}

struct Order {
    command: Command,
    last_signal: Signal,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Child {
    /// Starts `command`. A child that is dropped unstopped gets `last_signal`.
    pub async fn start(command: Command, last_signal: Signal) -> io::Result<Self> {
        let (reply, answer) = oneshot::channel();
        let order = Order { command, last_signal, reply };
        starter().send(order).await.map_err(|_closed| no_starter())?;
        answer.await.map_err(|_closed| no_starter())?
    }

    fn start_here(mut command: Command, last_signal: Signal) -> io::Result<Self> {
        let mut process = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(process.id()).map_err(io::Error::other)?);
        // Closes our copy of the child's lock (see `launch`), which from now on only the child holds.
        drop(command);
        let is_ours = Arc::new(Mutex::new(true));
        let held = Arc::clone(&is_ours);
        let (announce, exit) = watch::channel(None);
        let waiter = thread::Builder::new().name(format!("wait-{pid}")).spawn(move || {
            // Waits without reaping, so that the pid stays taken until nobody can signal it any more.
            while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
            let mut is_ours = held.lock().unwrap_or_else(PoisonError::into_inner);
            *is_ours = false;
            announce.send_replace(process.wait().ok());
        })?;
        Ok(Self { pid, last_signal, is_ours, exit, waiter: Some(waiter) })
    }

    /// The child's process number.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Sends a signal; a child that has ended already gets none.
    pub fn signal(&self, signal: Signal) {
        let is_ours = self.is_ours.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_ours && let Err(error) = kill(self.pid, signal) {
            tracing::warn!(pid = self.pid(), %signal, %error, "failed to signal a child");
        }
    }

    /// Resolves when the child has ended.
    pub async fn exited(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => status,
            // The waiter is gone without a status, which only happens if somebody else reaped the child.
            _ => ExitStatus::default(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(self.last_signal);
        if let Some(waiter) = self.waiter.take() {
            drop(waiter.join());
        }
    }
}

/// The thread that starts every child of this process, and never ends.
///
/// Linux sends the death signal that a child asked for (see `guard`) when the *thread* that started it ends, not the
/// process. A tokio worker or blocking thread may end long before the process does, so none of them starts a service.
fn starter() -> &'static mpsc::Sender<Order> {
    // The sender is never dropped, so the loop below ends only with the process: this is what keeps the children.
    static STARTER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    STARTER.get_or_init(|| {
        let (sender, mut orders) = mpsc::channel::<Order>(ORDERS_MAX);
        let started = thread::Builder::new().name("start-children".to_owned()).spawn(move || {
            while let Some(Order { command, last_signal, reply }) = orders.blocking_recv() {
                // If the asker has gone, the child comes back here and is dropped, that is, ended.
                drop(reply.send(Child::start_here(command, last_signal)));
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "failed to start the thread that starts children");
        }
        sender
    })
}

fn no_starter() -> io::Error {
    io::Error::other("the thread that starts child processes is not running")
}
