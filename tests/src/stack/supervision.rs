//! Starting again what has died by itself, as systemd or Kubernetes would.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use deploy::embedded::guard::Signal;

use super::{Role, Stack};

/// A process that ended without being asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// Whose.
    pub role: Role,
    /// Which of its processes.
    pub index: usize,
    /// How.
    pub status: ExitStatus,
}

impl Death {
    /// What killed it, if it did not end by itself.
    pub fn signal(&self) -> Option<Signal> {
        self.status.signal().and_then(|number| Signal::try_from(number).ok())
    }
}

impl Stack {
    /// Every process that was added.
    pub fn processes(&self) -> Vec<(Role, usize)> {
        self.roles.keys().copied().collect()
    }

    /// Whether a process was started and has not ended.
    pub fn runs(&self, role: Role, index: usize) -> bool {
        let process = self.roles.get(&(role, index)).and_then(|(_, process)| process.as_ref());
        process.is_some_and(|process| process.ended().is_none())
    }

    /// What a process finds in `FAILPOINTS` from its next start on.
    pub fn arm(&mut self, role: Role, index: usize, failpoints: &str) {
        let (run, _) = self.roles.get_mut(&(role, index)).expect("the role was added");
        run.set_env("FAILPOINTS", failpoints);
    }

    /// Every process that has died by itself; each stays dead until [`Stack::revive`].
    pub fn deaths(&self) -> Vec<Death> {
        let processes = self.roles.iter().filter_map(|(key, (_, process))| Some((key, process.as_ref()?)));
        processes
            .filter_map(|(&(role, index), process)| Some(Death { role, index, status: process.ended()? }))
            .collect()
    }

    /// Starts a process as it was or as it was armed since, whether it runs or not; does not wait until it is ready.
    pub async fn revive(&mut self, role: Role, index: usize) {
        let (run, process) = self.roles.get_mut(&(role, index)).expect("the role was added");
        if let Some(process) = process.take() {
            process.kill().await;
        }
        *process = Some(run.start().await);
    }
}
