//! What processes used: processor time and peak memory, from /proc.

use std::fs;
use std::time::Duration;

use tests::process::descendants_of;

/// Length of a tick in /proc/PID/stat: 1/100 s on every Linux, whatever the kernel counts in.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of a process, those below it and those below it that have ended.
pub fn cpu(pid: u32) -> Duration {
    let below = descendants_of(pid);
    std::iter::once(pid).chain(below).map(of_one).sum()
}

/// Processor time of this process.
pub fn own_cpu() -> Duration {
    of_one(std::process::id())
}

/// Its own and that of its children that it has waited for; zero if it is gone.
fn of_one(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything, so fields count from behind it; utime is the 12th there.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u32 = fields.skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// Processor time of named processes over a stretch of work.
#[derive(Debug)]
pub struct Meter(Vec<(&'static str, u32, Duration)>);

impl Meter {
    /// Begins with what each has used so far.
    pub fn start(processes: impl IntoIterator<Item = (&'static str, u32)>) -> Self {
        Self(processes.into_iter().map(|(name, pid)| (name, pid, cpu(pid))).collect())
    }

    /// What each has used since, in the same order.
    pub fn stop(&self) -> Vec<(&'static str, Duration)> {
        self.0.iter().map(|&(name, pid, before)| (name, cpu(pid).saturating_sub(before))).collect()
    }
}

/// Forgets the peak so far, so that [`peak_mib`] is that of what follows.
pub fn reset_peak() {
    // A kernel that refuses leaves a peak that is too high, never too low.
    drop(fs::write("/proc/self/clear_refs", "5"));
}

/// Most memory that this process held at once, in MiB.
pub fn peak_mib() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1_024.0
}
