//! Asking a [`Stack`] for audits and reading what came of them.

use schemas::finding::Finding;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::fixture::Expected;
use crate::github::Push;
use crate::http::Api;
use crate::repository::FixtureRepository;
use crate::stack::{SECRET, Stack};
use crate::wait::{LONG, wait_for};

impl Stack {
    /// Registers `repository` as project `slug`.
    pub async fn register(&self, slug: &str, repository: &FixtureRepository) {
        self.register_url(slug, &repository.url()).await;
    }

    /// Registers an address as project `slug`.
    pub async fn register_url(&self, slug: &str, url: &str) {
        let project = json!({"project_id": slug, "repository_url": url, "webhook_secret": SECRET});
        self.api().post("/api/v1/projects", &project).await.expect(201);
    }

    /// The same where the product may be away: whether the project is registered now.
    pub async fn try_register_url(&self, slug: &str, url: &str) -> bool {
        let project = json!({"project_id": slug, "repository_url": url, "webhook_secret": SECRET});
        let answer = self.api().try_post("/api/v1/projects", &project).await;
        // A first try may have been recorded though nobody heard of it.
        answer.is_some_and(|answer| matches!(answer.status, 201 | 409))
    }

    /// Delivers a signed push of `after` to `main`, new since `before` where given; returns the audit's id.
    pub async fn push(&self, slug: &str, before: Option<&str>, after: &str) -> String {
        let push = push(before, after);
        let answer = self.api().deliver(&format!("/webhooks/github/{slug}"), push.sign(SECRET)).await;
        text(&answer.expect(202)["audit_id"])
    }

    /// Asks over the API; returns the audit's id.
    pub async fn trigger(&self, slug: &str, body: &Value) -> String {
        let answer = self.api().post(&format!("/api/v1/projects/{slug}/audit/trigger"), body).await;
        text(&answer.expect(202)["audit_id"])
    }

    /// Waits until an audit has ended, and returns it as the API shows it.
    pub async fn ended(&self, audit: &str) -> Value {
        let path = format!("/api/v1/audits/{audit}");
        wait_for(&format!("audit {audit} to end"), 3 * LONG, async || {
            let answer = self.api().get(&path).await;
            (answer.status == 200 && !answer.body["audit"]["finished_at"].is_null())
                .then(|| answer.body["audit"].clone())
        })
        .await
    }

    /// A connection to the record, for looking at rows as an operator would.
    pub async fn record(&self) -> PgConnection {
        PgConnection::connect(self.postgres.url()).await.expect("the record can be read")
    }

    /// One number out of the record.
    pub async fn number(&self, sql: &'static str, audit: &str) -> i64 {
        let id: uuid::Uuid = audit.parse().expect("an audit id is a UUID");
        let mut record = self.record().await;
        sqlx::query_scalar(sql).bind(id).fetch_one(&mut record).await.expect("the query is right")
    }

    /// Every finding row of an audit as (rule, severity, place), sorted; commits by subject.
    pub async fn findings(&self, audit: &str, repository: &FixtureRepository) -> Vec<(String, String, String)> {
        let id: uuid::Uuid = audit.parse().expect("an audit id is a UUID");
        let mut record = self.record().await;
        let rows = sqlx::query("SELECT rule, severity, path, line, commit_sha FROM findings WHERE audit_id = $1")
            .bind(id)
            .fetch_all(&mut record)
            .await
            .expect("findings can be read");
        let mut findings: Vec<_> = rows
            .iter()
            .map(|row| {
                let place = match row.get::<Option<String>, _>("commit_sha") {
                    Some(sha) => format!("commit: {}", repository.subject(&sha)),
                    None => format!("{}:{}", row.get::<String, _>("path"), row.get::<i32, _>("line")),
                };
                (row.get("rule"), row.get("severity"), place)
            })
            .collect();
        findings.sort();
        findings
    }
}

/// Delivers a push again and again until it is accepted, as a forge or its operator does; returns the audit's id.
pub async fn deliver(api: Api, slug: String, push: Push) -> String {
    let path = format!("/webhooks/github/{slug}");
    wait_for(&format!("the push to {slug} to be accepted"), 3 * LONG, async || {
        let answer = api.try_deliver(&path, push.sign(SECRET)).await?;
        assert!(matches!(answer.status, 200 | 202 | 503), "unexpected answer: {answer:?}");
        (answer.status != 503).then(|| text(&answer.body["audit_id"]))
    })
    .await
}

/// A push of `after` to `main`.
pub fn push(before: Option<&str>, after: &str) -> Push {
    let mut push = Push::new("shop/shop", "https://example.org/shop/shop.git", "main", after);
    if let Some(before) = before {
        push.payload["before"] = before.into();
    }
    push
}

/// What [`Stack::findings`] must return for `expected`.
pub fn sorted(expected: &[Expected]) -> Vec<(String, String, String)> {
    let mut findings: Vec<_> = expected
        .iter()
        .map(|(rule, severity, place)| ((*rule).to_owned(), (*severity).to_owned(), (*place).to_owned()))
        .collect();
    findings.sort();
    findings
}

/// The same of findings as `elder audit --format json` lists them.
pub fn listed(findings: &[Finding], repository: &FixtureRepository) -> Vec<(String, String, String)> {
    let mut listed: Vec<_> = findings
        .iter()
        .map(|finding| {
            let place = match &finding.location {
                schemas::finding::Location::File { path, line, .. } => format!("{path}:{line}"),
                schemas::finding::Location::Commit { sha } => format!("commit: {}", repository.subject(sha.as_str())),
            };
            (finding.rule.to_string(), finding.severity.to_string(), place)
        })
        .collect();
    listed.sort();
    listed
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
