//! `elder audit`: the same plan, rules and scores in one process, without any service.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use producer::config::AccessArgs;
use producer::local;
use producer::repository_url::{Access, RepositoryUrl};
use schemas::bundle::Shard;
use schemas::day::Day;
use schemas::finding::Finding;
use schemas::ids::{AuditId, ObjectId, Revision};
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::request::{AuditKind, AuditRequest, Priority};
use schemas::score;
use schemas::tally::Tally;
use schemas::verdict::{Status, Verdict};
use serde::Serialize;
use time::OffsetDateTime;

use crate::report;
use crate::roles::catalogue;

/// Options of `elder audit`.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// Folder of a git repository, or its https or ssh address
    #[arg(value_name = "PATH|URL", default_value = ".")]
    repository: String,
    /// Branch, tag or commit; what is committed counts, not what lies in the folder
    #[arg(long, value_name = "REVISION")]
    revision: Option<Revision>,
    /// Look only at what is new since this commit
    #[arg(long, value_name = "COMMIT")]
    base: Option<ObjectId>,
    /// Run only this magic; may be given several times
    #[arg(long = "magic", value_name = "MAGIC")]
    magics: Vec<Magic>,
    /// Shape of the answer on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Findings listed in the text report
    #[arg(long, default_value_t = 20, value_name = "N")]
    findings: usize,
    #[command(flatten)]
    access: AccessArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object with verdict and all findings.
    Json,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Outcome {
    repository: String,
    commit: ObjectId,
    verdict: Verdict,
    findings: Vec<Finding>,
}

/// Audits and prints. 0: passed (warnings included), 1: failed, 2: could not run.
pub fn run(args: AuditArgs) -> ExitCode {
    let (format, findings_max) = (args.format, args.findings);
    let printed = audit(args).and_then(|outcome| {
        print(&outcome, format, findings_max)?;
        Ok(outcome.verdict.status)
    });
    match printed {
        Ok(Status::Failed) => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error leaves nobody to tell; the exit code still says it.
            drop(writeln!(std::io::stderr(), "elder: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn audit(args: AuditArgs) -> Result<Outcome> {
    let AuditArgs { repository, revision, base, magics, access, .. } = args;
    let catalogue = catalogue();
    let rulesets = catalogue.rulesets();
    if let Some(magic) = magics.iter().find(|magic| !rulesets.contains_key(magic)) {
        let available: Vec<&str> = rulesets.keys().map(|magic| magic.as_str()).collect();
        bail!("magic `{magic}` has no rules in this build; use {}", available.join(", "));
    }
    let magics: Vec<Magic> =
        rulesets.keys().copied().filter(|magic| magics.is_empty() || magics.contains(magic)).collect();
    let url = address(&repository, access.allow_local)?;
    let request = AuditRequest {
        audit: Some(AuditId::random()),
        project: "local".parse()?,
        revision,
        kind: if base.is_some() { AuditKind::Incremental } else { AuditKind::Full },
        base,
        magics: magics.clone(),
        priority: Priority::Normal,
    };
    let spinner = ProgressBar::new_spinner().with_message("fetching");
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    let plan = local::plan(&url, &request, &magics, &catalogue, Day::of(OffsetDateTime::now_utc()))
        .with_context(|| format!("cannot audit `{repository}`"))?;
    spinner.finish_and_clear();
    let (commit, partials) = analyze(&plan)?;
    let mut tallies: BTreeMap<Magic, Tally> = magics.iter().map(|magic| (*magic, Tally::default())).collect();
    let mut findings = Vec::new();
    for (magic, partial) in partials {
        tallies.entry(magic).or_default().merge(Tally::of(&partial));
        findings.extend(partial.items.into_iter().flat_map(|item| item.findings));
    }
    findings.sort_by(|a, b| {
        (b.severity, &a.location, &a.rule, &a.fingerprint).cmp(&(a.severity, &b.location, &b.rule, &b.fingerprint))
    });
    Ok(Outcome { repository: url.as_str().to_owned(), commit, verdict: score::judge(tallies), findings })
}

/// The address of what the user named: a folder that is there, or else an address.
fn address(repository: &str, allow_local: bool) -> Result<RepositoryUrl> {
    let path = Path::new(repository);
    if path.exists() {
        let root = local::repository_root(path)?;
        return Ok(RepositoryUrl::from_directory(&root, Access { allow_local: true })?);
    }
    if !repository.contains(':') {
        bail!("there is no folder `{repository}`, and it is no address either");
    }
    Ok(RepositoryUrl::parse(repository, Access { allow_local })?)
}

/// Runs every shard, and then what judges all of them together. Rules use all cores within one; the next is read meanwhile by nobody, which keeps memory flat.
fn analyze(plan: &local::LocalPlan) -> Result<(ObjectId, Vec<(Magic, PartialResult)>)> {
    let mut partials: Vec<(Magic, PartialResult)> =
        plan.work.known.iter().map(|(magic, partial)| (*magic, partial.clone())).collect();
    let bar = progress(plan.work.cuts.len() as u64);
    for cut in &plan.work.cuts {
        let shard = plan.load(&cut.manifest)?;
        let magics = cut.magics.iter().copied().collect();
        for (magic, items) in worker::analyze(&shard, &magics) {
            partials.push((magic, PartialResult { items, ..PartialResult::default() }));
        }
        bar.inc(1);
    }
    for magic in &plan.work.trees {
        let of_magic = partials.iter().filter(|(other, _)| other == magic);
        let tree = plan.tree(of_magic.flat_map(|(_, partial)| &partial.items))?;
        let config = plan.survey.wishes.config.clone();
        let shard = Shard { tree: Some(tree), config, day: Some(plan.survey.day), ..Shard::default() };
        for (magic, items) in worker::analyze(&shard, &BTreeSet::from([*magic])) {
            partials.push((magic, PartialResult { items, ..PartialResult::default() }));
        }
    }
    bar.finish_and_clear();
    Ok((plan.survey.commit.clone(), partials))
}

/// A bar on a terminal, nothing elsewhere.
fn progress(shards: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} shards  {elapsed}");
    ProgressBar::new(shards).with_style(style.unwrap_or_else(|_bad_template| ProgressStyle::default_bar()))
}

fn print(outcome: &Outcome, format: Format, findings_max: usize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, outcome)?;
            writeln!(out)?;
        }
        Format::Text => {
            writeln!(out, "{} at commit {}\n", outcome.repository, outcome.commit.short())?;
            write!(out, "{}", report::text(&outcome.verdict, &outcome.findings, findings_max))?;
        }
    }
    Ok(out.flush()?)
}
