//! Workflows and composite actions of GitHub, which other forges read too.

use super::pipeline::{Access, Grant, Job, Pipeline, Step, System, flag};
use super::yaml::At;
use crate::outline::Span;

/// The workflow in `root`, if it has jobs.
pub(super) fn workflow(text: &str, root: At<'_>) -> Option<Pipeline> {
    let (jobs_key, jobs) = root.entry("jobs").filter(|(_, jobs)| jobs.is_map())?;
    let triggers: Vec<(&str, Option<At<'_>>)> = root.get("on").map(triggers).unwrap_or_default();
    let has_paths = |on: &At<'_>| on.get("paths").or_else(|| on.get("paths-ignore")).is_some();
    Some(Pipeline {
        system: System::Workflow,
        name: root.text_of("name").unwrap_or_default().to_lowercase(),
        has_path_filter: triggers.iter().filter_map(|(_, on)| *on).any(|on| has_paths(&on)),
        triggers: triggers.into_iter().map(|(name, _)| name.to_owned()).collect(),
        grant: grant(root),
        jobs_key: jobs_key.span(),
        jobs: jobs.entries().map(|(key, job)| read_job(text, key, job)).collect(),
        includes: Vec::new(),
        names_secrets_for_all: root.get("env").is_some_and(|env| names_secrets(text, env.span())),
    })
}

/// The steps of the composite action in `root` as one job; nothing if it is an action of another kind.
pub(super) fn action(text: &str, root: At<'_>) -> Option<Pipeline> {
    let (key, runs) = root.entry("runs")?;
    runs.get("steps")?;
    Some(Pipeline {
        system: System::Action,
        name: root.text_of("name").unwrap_or_default().to_lowercase(),
        triggers: Vec::new(),
        has_path_filter: false,
        grant: None,
        jobs_key: key.span(),
        jobs: vec![read_job(text, key, runs)],
        includes: Vec::new(),
        names_secrets_for_all: false,
    })
}

/// What starts a workflow: a name, a list of names, or names with their filters.
fn triggers(on: At<'_>) -> Vec<(&str, Option<At<'_>>)> {
    let named = on.one_or_many().into_iter().filter_map(|name| Some((name.text()?, None)));
    let filtered = on.entries().filter_map(|(name, filter)| Some((name.text()?, Some(filter))));
    named.chain(filtered).collect()
}

fn read_job(text: &str, key: At<'_>, job: At<'_>) -> Job {
    let calls = job.get("uses").map(At::span);
    let steps = job.get("steps").into_iter().flat_map(At::items).map(|step| read_step(text, step)).collect();
    let name = job.text_of("name").unwrap_or_default();
    Job {
        key: key.span(),
        name: format!("{} {name}", key.text().unwrap_or_default()).to_lowercase(),
        span: job.span(),
        is_elsewhere: calls.is_some(),
        calls,
        is_template: false,
        is_manual: false,
        grant: grant(job),
        condition: job.text_of("if").map(str::to_owned),
        has_needs: job.get("needs").is_some(),
        has_timeout: job.get("timeout-minutes").is_some(),
        may_fail: flag(job, "continue-on-error"),
        steps,
    }
}

fn read_step(text: &str, step: At<'_>) -> Step {
    let with = step.get("with").into_iter().flat_map(At::entries);
    let mut read = Step {
        uses: step.get("uses").filter(|uses| uses.text().is_some()).map(At::span),
        inputs: with.map(|(key, value)| (key.span(), value.span())).collect(),
        has_timeout: step.get("timeout-minutes").is_some(),
        may_fail: flag(step, "continue-on-error"),
        ..Step::new(step.text_of("name").unwrap_or_default(), step.span())
    };
    if let Some(run) = step.get("run") {
        read.run(text, run);
    }
    read
}

/// What `permissions` of a workflow or a job grants.
fn grant(map: At<'_>) -> Option<Grant> {
    let (key, value) = map.entry("permissions")?;
    let writes = |(_, access): (At<'_>, At<'_>)| access.text() == Some("write");
    let access = match value.text() {
        Some("write-all") => Access::WriteAll,
        _ if value.entries().any(writes) => Access::Write,
        _ => Access::Read,
    };
    Some(Grant { span: key.span().start..value.span().end, access })
}

/// Whether the part `span` of `text` uses a secret other than the token that every job has.
pub(crate) fn names_secrets(text: &str, span: Span) -> bool {
    let part = text.get(span).unwrap_or_default();
    part.match_indices("secrets.").any(|(at, mark)| !part[at + mark.len()..].starts_with("GITHUB_TOKEN"))
}
