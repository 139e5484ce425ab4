//! A pipeline as every continuous integration system has it: jobs of steps that run commands or call actions.

use crate::automation::shell::Command;
use crate::automation::yaml::At;
use crate::outline::Span;

/// Whose pipeline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// A workflow of GitHub, or of a forge that reads the same.
    Workflow,
    /// A composite action: steps that workflows call.
    Action,
    /// GitLab CI.
    GitLab,
}

/// A pipeline.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Whose it is.
    pub(crate) system: System,
    /// Its name as people read it, lower case.
    pub(crate) name: String,
    /// What starts it.
    pub(crate) triggers: Vec<String>,
    /// Whether it runs only for changes of some paths.
    pub(crate) has_path_filter: bool,
    /// What its jobs may do where they say nothing.
    pub(crate) grant: Option<Grant>,
    /// The key that its jobs are under; empty if they are at the top.
    pub(crate) jobs_key: Span,
    /// Its jobs.
    pub(crate) jobs: Vec<Job>,
    /// Pipelines of others that become part of it.
    pub(crate) includes: Vec<Span>,
    /// Whether it gives a secret to every job.
    pub(crate) names_secrets_for_all: bool,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its key.
    pub(crate) key: Span,
    /// Its key and its name, lower case.
    pub(crate) name: String,
    /// All of it.
    pub(crate) span: Span,
    /// The pipeline that it calls instead of having steps.
    pub(crate) calls: Option<Span>,
    /// Whether its steps may be somewhere else: called, inherited, made up.
    pub(crate) is_elsewhere: bool,
    /// Whether others inherit it and it never runs itself.
    pub(crate) is_template: bool,
    /// Whether somebody must start it.
    pub(crate) is_manual: bool,
    /// What it may do.
    pub(crate) grant: Option<Grant>,
    /// When it runs.
    pub(crate) condition: Option<String>,
    /// Whether it waits for others.
    pub(crate) has_needs: bool,
    /// Whether it ends by itself.
    pub(crate) has_timeout: bool,
    /// The key that lets it fail without notice.
    pub(crate) may_fail: Option<Span>,
    /// Its steps.
    pub(crate) steps: Vec<Step>,
}

/// A step.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its name, lower case.
    pub(crate) name: String,
    /// All of it.
    pub(crate) span: Span,
    /// The action that it calls.
    pub(crate) uses: Option<Span>,
    /// What it gives to the action: key, value.
    pub(crate) inputs: Vec<(Span, Span)>,
    /// The shell text that it runs.
    pub(crate) scripts: Vec<Span>,
    /// The commands in it.
    pub(crate) commands: Vec<Command>,
    /// Whether it ends by itself.
    pub(crate) has_timeout: bool,
    /// The key that lets it fail without notice.
    pub(crate) may_fail: Option<Span>,
}

/// What a job may do to the repository.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Where it says so.
    pub(crate) span: Span,
    /// How much.
    pub(crate) access: Access,
}

/// How much a job may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Look, at most.
    Read,
    /// Change some kinds of things.
    Write,
    /// Change everything.
    WriteAll,
}

impl Pipeline {
    /// Every step of every job.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (&Job, &Step)> {
        self.jobs.iter().flat_map(|job| job.steps.iter().map(move |step| (job, step)))
    }

    /// Whether one of `names` starts it.
    pub(crate) fn is_started_by(&self, names: &[&str]) -> bool {
        self.triggers.iter().any(|trigger| names.contains(&trigger.as_str()))
    }

    /// What `job` may do, as far as the file says.
    pub(crate) fn access(&self, job: &Job) -> Option<Access> {
        job.grant.as_ref().or(self.grant.as_ref()).map(|grant| grant.access)
    }
}

impl Step {
    /// A step that does nothing yet.
    pub(super) fn new(name: &str, span: Span) -> Self {
        Self {
            name: name.to_lowercase(),
            span,
            uses: None,
            inputs: Vec::new(),
            scripts: Vec::new(),
            commands: Vec::new(),
            has_timeout: false,
            may_fail: None,
        }
    }

    /// Adds the shell text of `value`.
    pub(super) fn run(&mut self, text: &str, value: At<'_>) {
        if value.text().is_some() {
            self.scripts.push(value.span());
            self.commands.extend(super::shell::commands(text, value.span(), value.is_folded()));
        }
    }
}

/// The key `name` of `map`, if its value is just `true`: what depends on something is somebody's thought.
pub(super) fn flag(map: At<'_>, name: &str) -> Option<Span> {
    let (key, value) = map.entry(name)?;
    (value.text()? == "true").then(|| key.span().start..value.span().end)
}
