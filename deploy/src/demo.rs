//! `elder demo`: the whole way once, as a forge and a person would see it: over HTTP, with a signed push.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use broker::store::findings::by_hand;
use clap::Args;
use hmac::{Hmac, KeyInit as _, Mac as _};
use indicatif::{ProgressBar, ProgressStyle};
use producer::config::AccessArgs;
use producer::local;
use producer::repository_url::{Access, RepositoryUrl};
use schemas::finding::Finding;
use schemas::ids::{AuditId, ObjectId};
use schemas::verdict::Verdict;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use crate::platform::{Platform, PlatformArgs};
use crate::{report, runtime};

/// How often the audit is asked how far it is.
const POLL_PERIOD: Duration = Duration::from_millis(100);

/// How long the demo waits for a verdict: a large repository of 100,000 files takes minutes on two cores.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Findings shown.
const FINDINGS_SHOWN: usize = 15;

/// Options of `elder demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    platform: PlatformArgs,
    /// Repository to push: a folder, or an https or ssh address
    #[arg(long, default_value = ".", value_name = "PATH|URL")]
    repository: String,
}

/// Starts the platform, pushes, follows, prints the verdict, stops the platform.
pub fn run(args: DemoArgs) -> Result<()> {
    let DemoArgs { mut platform, repository } = args;
    let is_folder = Path::new(&repository).exists();
    platform.access = AccessArgs { allow_local: platform.access.allow_local || is_folder };
    let access = Access { allow_local: platform.access.allow_local };
    let url = if is_folder {
        RepositoryUrl::from_directory(&local::repository_root(Path::new(&repository))?, access)?
    } else {
        RepositoryUrl::parse(&repository, access)?
    };
    runtime::run(async |stop| {
        say("Starting NATS, Postgres and the roles ...")?;
        let starting = Box::pin(Platform::start(platform, ([127, 0, 0, 1], 0).into(), stop.clone()));
        let Some(platform) = stop.run_until_cancelled(starting).await else {
            bail!("interrupted");
        };
        let platform = platform?;
        let outcome = stop.run_until_cancelled(Box::pin(push_and_follow(&platform, &url))).await;
        let stopped = platform.stop().await;
        outcome.unwrap_or_else(|| bail!("interrupted")).and(stopped)
    })
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

#[derive(Deserialize)]
struct Registered {
    webhook_path: String,
    webhook_secret: String,
}

#[derive(Deserialize)]
struct Accepted {
    audit_id: AuditId,
}

#[derive(Deserialize)]
struct AuditPage {
    audit: AuditView,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct AuditView {
    state: String,
    tasks_done: u64,
    tasks_total: u64,
    files_analyzed: u64,
    files_cached: u64,
    commits_analyzed: u64,
    commits_cached: u64,
    reason: Option<String>,
    verdict: Option<Verdict>,
    trace_id: String,
}

async fn push_and_follow(platform: &Platform, url: &RepositoryUrl) -> Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let source = url.clone();
    let (branch, commit) = tokio::task::spawn_blocking(move || local::head(&source)).await??;
    let (slug, registered) = register(platform, &client, url).await?;
    say(&format!("Registered {} as project `{slug}`", url.as_str()))?;
    let delivery = push(platform, &client, &registered, &branch, &commit).await?;
    let audit = &delivery.audit_id;
    say(&format!(
        "Sent a signed push of {branch} at {} to {}; audit {audit}",
        commit.short(),
        registered.webhook_path
    ))?;
    let page = follow(platform, &client, audit).await?;
    let AuditView { files_analyzed, files_cached, commits_analyzed, commits_cached, trace_id, verdict, .. } =
        page.audit;
    let verdict = verdict.context("the audit ended without a verdict")?;
    let (files, commits) = (files_analyzed + files_cached, commits_analyzed + commits_cached);
    say(&format!(
        "Looked at {files} files and {commits} commits, {files_cached} and {commits_cached} of them known from before; \
         trace {trace_id}\n"
    ))?;
    write!(std::io::stdout(), "{}", report::text(&verdict, &page.findings, FINDINGS_SHOWN))?;
    say("\nThe rows stay in Postgres until the folder .elder is removed. With `make up` running, in psql:")?;
    for statement in by_hand(delivery.audit_id) {
        say(&format!("  {statement}"))?;
    }
    Ok(())
}

/// Registers under a fresh name: the same repository may have been registered by an earlier demo.
async fn register(platform: &Platform, client: &reqwest::Client, url: &RepositoryUrl) -> Result<(String, Registered)> {
    let name = url.as_str().trim_end_matches('/').trim_end_matches(".git").rsplit('/').next().unwrap_or("repository");
    let name: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let slug = format!("demo-{}", name.trim_matches('-').chars().take(40).collect::<String>().trim_matches('-'));
    let slug = slug.trim_end_matches('-').to_owned();
    // Kept so that a second demo of the same repository can sign its push too.
    let secret = webhook_secret(platform, &slug);
    let request = client
        .post(format!("{}/api/v1/projects", platform.url))
        .bearer_auth(platform.api_token.expose_secret())
        .json(&json!({"project_id": slug, "repository_url": url.as_str(), "webhook_secret": secret}));
    let answer = request.send().await.context("cannot register the project")?;
    match answer.status().as_u16() {
        201 => Ok((slug, answer.json().await?)),
        409 => {
            let text = answer.text().await?;
            if !text.contains(&format!("`{slug}`")) {
                bail!("cannot register the project: {text}");
            }
            let registered = Registered { webhook_path: format!("/webhooks/github/{slug}"), webhook_secret: secret };
            Ok((slug, registered))
        }
        _ => bail!("cannot register the project: {}", answer.text().await?),
    }
}

/// The same for the same platform and project, so that it need not be stored a second time.
fn webhook_secret(platform: &Platform, slug: &str) -> String {
    sign(platform.api_token.expose_secret().as_bytes(), slug.as_bytes())
}

/// HMAC-SHA256 in hex. Keys of any length are valid for HMAC.
fn sign(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_any_length| unreachable!());
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

async fn push(
    platform: &Platform,
    client: &reqwest::Client,
    registered: &Registered,
    branch: &str,
    commit: &ObjectId,
) -> Result<Accepted> {
    let payload = json!({
        "ref": format!("refs/heads/{branch}"),
        "before": "0".repeat(commit.as_str().len()),
        "after": commit.as_str(),
        "created": true,
        "deleted": false,
        "commits": [{"id": commit.as_str()}],
        "head_commit": {"id": commit.as_str()},
        "repository": {"full_name": "demo/demo", "default_branch": branch},
    });
    let body = serde_json::to_vec(&payload)?;
    let request = client
        .post(format!("{}{}", platform.url, registered.webhook_path))
        .header("content-type", "application/json")
        .header("x-github-event", "push")
        .header("x-github-delivery", Uuid::new_v4().to_string())
        .header("x-hub-signature-256", format!("sha256={}", sign(registered.webhook_secret.as_bytes(), &body)))
        .body(body);
    let answer = request.send().await.context("cannot send the push")?;
    if answer.status().as_u16() != 202 {
        bail!("the push was not accepted: {} {}", answer.status(), answer.text().await?);
    }
    Ok(answer.json().await?)
}

async fn follow(platform: &Platform, client: &reqwest::Client, audit: &AuditId) -> Result<AuditPage> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} tasks  {msg}  {elapsed}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let polling = async {
        loop {
            let request = client
                .get(format!("{}/api/v1/audits/{audit}", platform.url))
                .bearer_auth(platform.api_token.expose_secret());
            let page: AuditPage = request.send().await?.error_for_status()?.json().await?;
            bar.set_length(page.audit.tasks_total);
            bar.set_position(page.audit.tasks_done);
            bar.set_message(page.audit.state.clone());
            match page.audit.state.as_str() {
                "completed" | "partial" => return Ok(page),
                "failed" => bail!("the audit failed: {}", page.audit.reason.unwrap_or_default()),
                _ => tokio::time::sleep(POLL_PERIOD).await,
            }
        }
    };
    let followed = tokio::time::timeout(PATIENCE, polling).await;
    bar.finish_and_clear();
    followed.with_context(|| format!("no verdict within {} minutes", PATIENCE.as_secs() / 60))?
}
