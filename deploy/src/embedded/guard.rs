//! `elder child-guard`: the moment between fork and exec, as a program of its own, since `unsafe` is forbidden here.
//!
//! A service must not outlive the elder that started it, even when that one gets SIGKILL. Linux sends a process the
//! signal that it chose when its parent dies; it can only be chosen from inside. So the child first is this guard, which
//! chooses and then becomes the service: same process, same pid.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

pub use nix::sys::signal::Signal;

use super::account::Account;

/// The guard could not be set up: no such user, no such signal, or the parent is already gone.
const EXIT_SETUP: u8 = 120;
/// The directory cannot be entered by the user that the program would run as.
pub(super) const EXIT_DIRECTORY: u8 = 121;
/// The program cannot be executed by the user that it would run as.
pub(super) const EXIT_PROGRAM: u8 = 122;

/// Options of `elder child-guard`.
#[derive(Debug, clap::Args)]
pub struct GuardArgs {
    /// Process that must still be the parent.
    #[arg(long)]
    parent_pid: u32,
    /// Signal that the program gets when the parent dies, e.g. SIGQUIT.
    #[arg(long)]
    signal: Signal,
    /// Numeric user to become; only root can.
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// Numeric group to become.
    #[arg(long, requires = "uid")]
    gid: Option<u32>,
    /// Working directory, entered as that user.
    #[arg(long)]
    directory: PathBuf,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl GuardArgs {
    /// Becomes the program; returns only when it cannot.
    pub fn run(self) -> ExitCode {
        let (code, error) = match self.prepare() {
            Err(error) => (EXIT_SETUP, error),
            Ok(()) => self.become_program(),
        };
        // Standard error is the service's log; without it the exit code alone has to do.
        drop(writeln!(std::io::stderr(), "elder child-guard: {error:#}"));
        ExitCode::from(code)
    }

    fn prepare(&self) -> Result<()> {
        // The order matters: a change of credentials clears the death signal, so the signal is chosen after it.
        if let (Some(uid), Some(gid)) = (self.uid, self.gid) {
            drop_to(Uid::from_raw(uid), Gid::from_raw(gid))
                .with_context(|| format!("failed to become user {uid}, group {gid}"))?;
        }
        prctl::set_pdeathsig(self.signal).with_context(|| format!("failed to ask for {}", self.signal))?;
        // A parent that died before the line above sent nothing; then somebody else is the parent by now.
        anyhow::ensure!(parent_id() == self.parent_pid, "process {} has ended already", self.parent_pid);
        Ok(())
    }

    fn become_program(&self) -> (u8, anyhow::Error) {
        if let Err(error) = std::env::set_current_dir(&self.directory) {
            let place = self.directory.display();
            return (EXIT_DIRECTORY, anyhow::Error::new(error).context(format!("failed to enter {place}")));
        }
        let Some((program, arguments)) = self.command.split_first() else {
            return (EXIT_SETUP, anyhow::anyhow!("no program given"));
        };
        let error = Command::new(program).args(arguments).exec();
        (EXIT_PROGRAM, anyhow::Error::new(error).context(format!("failed to execute {}", program.to_string_lossy())))
    }
}

fn drop_to(uid: Uid, gid: Gid) -> nix::Result<()> {
    // Groups while still root; the user last, since after that nothing more can be given up.
    setgroups(&[gid])?;
    setgid(gid)?;
    setuid(uid)
}

/// A command line that runs `program` under the guard `elder`, in `directory`, as `account`.
pub fn command(elder: &Path, account: Option<&Account>, signal: Signal, directory: &Path, program: &Path) -> Command {
    let mut command = Command::new(elder);
    command.arg("child-guard").arg("--parent-pid").arg(std::process::id().to_string());
    command.arg("--signal").arg(signal.as_str()).arg("--directory").arg(directory);
    if let Some(account) = account {
        command.arg("--uid").arg(account.uid().to_string()).arg("--gid").arg(account.gid().to_string());
    }
    command.arg("--").arg(program);
    // What the person has set for other servers (PGDATA, PGOPTIONS, NATS_*) must not reach these.
    command.env_clear().envs(kept_environment()).env("LC_ALL", "C").env("TZ", "UTC");
    // Its own process group: Ctrl-C is for elder, which stops the services last.
    command.process_group(0);
    command
}

fn kept_environment() -> impl Iterator<Item = (OsString, OsString)> {
    const KEPT: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];
    std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept))
}
