//! One run of the `elder` program: its log, its end, the processes below it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use deploy::embedded::account::Account;
use deploy::embedded::child::Child;
use deploy::embedded::guard::{self, Signal};
use futures::FutureExt as _;

use crate::elder;
use crate::wait::{LONG, wait_blocking, wait_for};

/// How much of a log is shown when a test fails.
const SHOWN_BYTES_MAX: usize = 4 * 1024;

/// What to run and how.
#[derive(Debug, Clone)]
pub struct Run {
    /// The `elder` program, if not the one just built.
    pub program: PathBuf,
    /// Arguments.
    pub arguments: Vec<OsString>,
    /// Environment, beside PATH.
    pub environment: Vec<(OsString, OsString)>,
    /// Working directory.
    pub directory: PathBuf,
    /// File for both outputs, appended to.
    pub log: PathBuf,
    /// Another user to run as; only root can.
    pub account: Option<Account>,
}

impl Run {
    /// `elder ARGUMENTS...` in `directory`, logging to `NAME.log` there.
    pub fn new<A: Into<OsString>>(directory: &Path, name: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            program: elder::program().to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            directory: directory.to_owned(),
            log: directory.join(format!("{name}.log")),
            account: None,
        }
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets one environment variable anew.
    pub fn set_env(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let name = name.into();
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value.into()));
    }

    /// Starts it. It ends with the test program, however that ends.
    pub async fn start(&self) -> Process {
        let Self { program, arguments, environment, directory, log, account } = self;
        let mut command = guard::command(elder::program(), account.as_ref(), Signal::SIGKILL, directory, program);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        let file = File::options().create(true).append(true).open(log).expect("the test's folder can be written to");
        let second = file.try_clone().expect("a file can be shared");
        command.stdin(Stdio::null()).stdout(file).stderr(second);
        let child = Child::start(command, Signal::SIGKILL).await.expect("elder can be started");
        Process { child, log: log.clone() }
    }
}

/// A started [`Run`]; dropping it kills it, and shows its log if the test is failing.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Everything that it has written so far.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.child.signal(signal);
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child.exited().now_or_never()
    }

    /// Waits for the end.
    pub async fn exited(&self) -> ExitStatus {
        self.child.exited().await
    }

    /// SIGKILL, and waits for the end.
    pub async fn kill(&self) {
        self.signal(Signal::SIGKILL);
        self.exited().await;
    }

    /// SIGTERM, and waits for the end that must be a good one. A program that has only just been started gets it once it
    /// listens: before that it has begun nothing that it could end well.
    pub async fn stop(&self) {
        wait_for("elder to listen to SIGTERM", LONG, async || {
            (!is_running(self.pid()) || catches(self.pid(), Signal::SIGTERM)).then_some(())
        })
        .await;
        self.signal(Signal::SIGTERM);
        let status = self.exited().await;
        assert!(status.success(), "elder ended with {status} after SIGTERM:\n{}", self.log());
    }

    /// Waits until the log has a line that begins with `start`, and returns the rest of that line.
    pub async fn line(&self, start: &str) -> String {
        let what = format!("a line `{start}` in {}", self.log.display());
        wait_for(&what, LONG, async || {
            let log = self.log();
            let found = log.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned));
            if found.is_none() && !is_running(self.pid()) {
                panic!("elder ended before it wrote `{start}`:\n{log}");
            }
            found
        })
        .await
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the test runner shows it beside the test that failed")]
    fn drop(&mut self) {
        // What elder has started ends by itself, a moment later; until then it writes to the test's folder.
        let below = descendants_of(self.pid());
        self.signal(Signal::SIGKILL);
        let are_gone = wait_blocking(LONG, || !below.iter().any(|&pid| is_running(pid)));
        if !are_gone {
            eprintln!("elder was killed and still one of its children runs: {below:?}");
        }
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(SHOWN_BYTES_MAX);
            let from = log.ceil_char_boundary(from);
            eprintln!("--- the end of {}:\n{}", self.log.display(), &log[from..]);
        }
    }
}

/// Whether a process is there and not just waiting to be reaped.
pub fn is_running(pid: u32) -> bool {
    status_of(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// Whether a process has a handler for a signal.
fn catches(pid: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim);
    let mask = mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or_default();
    // Signals are counted from one, bits from zero.
    mask & (1 << (signal as u32 - 1)) != 0
}

/// The running processes whose parent is `pid`.
pub fn children_of(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("the test runs on Linux").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&child| status_of(child).is_some_and(|(_, parent)| parent == pid) && is_running(child))
        .collect()
}

/// The same with their children, and so on.
pub fn descendants_of(pid: u32) -> Vec<u32> {
    let children = children_of(pid);
    let below: Vec<u32> = children.iter().flat_map(|&child| descendants_of(child)).collect();
    [children, below].concat()
}

/// Name of the program that a process runs.
pub fn name_of(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// State and parent.
fn status_of(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so everything counts from the last parenthesis.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
