//! What a run has seen: kills by kind, faults in order, and how long it took to go on after each.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::Plan;
use super::faults::Fault;
use crate::checker::Count;

/// How often a line is printed.
const PRINT_EVERY: Duration = Duration::from_secs(10);

/// Faults shown when a run fails; those long before the end had their chance to show.
const FAULTS_SHOWN: usize = 40;

/// Figures of one run; while the test fails it prints the seed and the faults.
#[derive(Debug, Clone)]
pub struct Report {
    plan: Plan,
    begin: Instant,
    printed: Instant,
    /// Tasks done so far.
    pub tasks_done: usize,
    /// Audits open now.
    pub open: usize,
    /// Processes killed, by kind.
    pub killed: BTreeMap<String, usize>,
    /// Processes that ended by themselves with an error, by role: a part of them panicked, or a server was away at
    /// their start. They are no kills.
    pub ended: BTreeMap<String, usize>,
    /// Other faults, by name.
    pub faults: BTreeMap<&'static str, usize>,
    /// Longest time from a kill until the next task was done, by who was killed.
    pub recovery: BTreeMap<String, Duration>,
    /// How long after the last fault the last audit ended.
    pub last_ended: Duration,
    /// How long all of it took, the check included.
    pub took: Duration,
    /// What the checker counted.
    pub count: Option<Count>,
    waiting: Vec<(String, Instant)>,
    happened: Vec<(Duration, String)>,
}

impl Report {
    pub(super) fn new(plan: Plan) -> Self {
        let now = Instant::now();
        Self {
            plan,
            begin: now,
            printed: now,
            tasks_done: 0,
            open: 0,
            killed: BTreeMap::new(),
            ended: BTreeMap::new(),
            faults: BTreeMap::new(),
            recovery: BTreeMap::new(),
            last_ended: Duration::ZERO,
            took: Duration::ZERO,
            count: None,
            waiting: Vec::new(),
            happened: Vec::new(),
        }
    }

    /// Kills of every kind.
    pub fn kills(&self) -> usize {
        self.killed.values().sum()
    }

    /// Faults from outside.
    pub(super) fn struck(&self) -> usize {
        self.faults.values().sum()
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
        self.note(format!("{fault:?}"));
    }

    /// Something that who reads of a failed run should know.
    pub(super) fn note(&mut self, what: String) {
        self.happened.push((self.begin.elapsed(), what));
    }

    /// `whom` is a role or a server, `how` what it died of.
    pub(super) fn kill(&mut self, whom: &str, how: &str) {
        *self.killed.entry(format!("{whom} {how}")).or_default() += 1;
        self.note(format!("{whom}: {how}"));
        self.waiting.push((whom.to_owned(), Instant::now()));
    }

    /// A process ended by itself with an error.
    pub(super) fn end(&mut self, whom: &str) {
        *self.ended.entry(whom.to_owned()).or_default() += 1;
        self.note(format!("{whom}: ended with an error"));
    }

    pub(super) fn progress(&mut self, tasks: usize, open: usize) {
        if tasks > self.tasks_done {
            for (whom, since) in self.waiting.drain(..) {
                let worst = self.recovery.entry(whom).or_default();
                *worst = since.elapsed().max(*worst);
            }
        } else if open == 0 {
            // Nobody had anything to do.
            self.waiting.clear();
        }
        (self.tasks_done, self.open) = (tasks, open);
        if self.plan.is_verbose && self.printed.elapsed() > PRINT_EVERY {
            self.printed = Instant::now();
            self.print_line();
        }
    }

    #[expect(clippy::print_stdout, reason = "somebody watches a run of hours")]
    fn print_line(&self) {
        let Self { tasks_done, open, begin, .. } = self;
        let (seconds, kills) = (begin.elapsed().as_secs(), self.kills());
        println!("{seconds:>6} s  {tasks_done:>8} tasks  {kills:>6} kills  {open:>3} audits open");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { audits, tasks, given_up, findings, letters, orphans } = self.count.unwrap_or_default();
        writeln!(f, "seed {}, {} s", self.plan.seed, self.took.as_secs())?;
        writeln!(f, "\n| what | count |\n|---|---:|")?;
        writeln!(f, "| pushes accepted, each one audit | {audits} |")?;
        writeln!(f, "| tasks, each answered once | {tasks} |")?;
        writeln!(f, "| given up by workers, each with a dead letter | {given_up} |")?;
        writeln!(f, "| findings, each as the oracle has it | {findings} |")?;
        writeln!(f, "| dead letters | {letters} |")?;
        writeln!(f, "| messages that a damaged store delivers to nobody | {orphans} |")?;
        // The checker has asserted both; a run that lost something ends before this line.
        writeln!(f, "| lost | 0 |\n| double | 0 |")?;
        writeln!(f, "| kills | {} |", self.kills())?;
        writeln!(f, "\n| killed | times |\n|---|---:|")?;
        self.killed.iter().try_for_each(|(kind, times)| writeln!(f, "| {kind} | {times} |"))?;
        writeln!(f, "\n| ended by itself after a panic or without a server | times |\n|---|---:|")?;
        self.ended.iter().try_for_each(|(role, times)| writeln!(f, "| {role} | {times} |"))?;
        writeln!(f, "\n| fault | times |\n|---|---:|")?;
        self.faults.iter().try_for_each(|(name, times)| writeln!(f, "| {name} | {times} |"))?;
        writeln!(f, "\n| after a kill of | longest time until the next task was done |\n|---|---:|")?;
        self.recovery.iter().try_for_each(|(whom, time)| writeln!(f, "| {whom} | {:.1} s |", time.as_secs_f64()))?;
        writeln!(f, "| anything, until the last audit had ended | {:.1} s |", self.last_ended.as_secs_f64())
    }
}

impl Drop for Report {
    #[expect(clippy::print_stderr, reason = "the test runner shows it beside the test that failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the plan was {:?}; the last faults of {}:", self.plan, self.happened.len());
            for (when, what) in self.happened.iter().rev().take(FAULTS_SHOWN).rev() {
                eprintln!("{:>9.2} s  {what}", when.as_secs_f64());
            }
        }
    }
}
