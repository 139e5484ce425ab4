//! Pipelines of GitLab CI.

use super::pipeline::{Job, Pipeline, Step, System, flag};
use super::yaml::At;

/// Keys at the top that are no jobs.
const GLOBAL_KEYS: &[&str] = &[
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "variables",
    "workflow",
];

/// Keys by which a job gets what it runs from somewhere else.
const ELSEWHERE_KEYS: &[&str] = &["extends", "inherit", "release", "run", "trigger"];

/// Keys of shell text, in the order in which they run.
const SCRIPT_KEYS: &[&str] = &["before_script", "script", "after_script"];

/// The pipeline in `root`, if it has jobs or includes any.
pub(super) fn pipeline(text: &str, root: At<'_>) -> Option<Pipeline> {
    let is_job = |key: At<'_>, job: At<'_>| job.is_map() && key.text().is_some_and(|key| !GLOBAL_KEYS.contains(&key));
    let jobs: Vec<Job> =
        root.entries().filter(|(key, job)| is_job(*key, *job)).map(|(key, job)| read_job(text, key, job)).collect();
    let includes = root.get("include").into_iter().flat_map(At::one_or_many);
    let includes: Vec<_> = includes.filter_map(|include| Some(include.get("component")?.span())).collect();
    (!jobs.is_empty() || !includes.is_empty()).then(|| Pipeline {
        system: System::GitLab,
        name: String::new(),
        triggers: Vec::new(),
        has_path_filter: false,
        grant: None,
        jobs_key: 0..0,
        jobs,
        includes,
        names_secrets_for_all: false,
    })
}

fn read_job(text: &str, key: At<'_>, job: At<'_>) -> Job {
    let name = key.text().unwrap_or_default();
    let step = |key: &str| {
        let script = job.get(key)?;
        let mut step = Step::new("", script.span());
        for line in script.one_or_many() {
            // A list may hold lists, by anchors.
            for line in line.one_or_many() {
                step.run(text, line);
            }
        }
        Some(step)
    };
    let refers = |key: &str| job.get(key).is_some_and(|script| script.items().any(|line| line.text().is_none()));
    Job {
        key: key.span(),
        name: name.to_lowercase(),
        span: job.span(),
        calls: None,
        is_elsewhere: ELSEWHERE_KEYS.iter().any(|key| job.get(key).is_some()) || refers("script"),
        is_template: name.starts_with('.'),
        is_manual: job.text_of("when") == Some("manual"),
        grant: None,
        condition: ["rules", "only", "except"].iter().find(|key| job.get(key).is_some()).map(|key| (*key).to_owned()),
        has_needs: job.get("needs").is_some(),
        has_timeout: job.get("timeout").is_some(),
        may_fail: flag(job, "allow_failure"),
        steps: SCRIPT_KEYS.iter().filter_map(|key| step(key)).collect(),
    }
}
