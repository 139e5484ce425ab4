//! The invariants that hold after any run: nothing lost, nothing twice, and each finding where the oracle has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use schemas::bundle::Manifest;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::audits::deliver;
use crate::github::Push;
use crate::ledger::LAWS;
use crate::stack::Stack;
use crate::workload::{Found, Version};

/// Deliveries repeated at the same time.
const REPEATED_AT_ONCE: usize = 8;

/// A push that was answered with 2xx, and what must become of it.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The project.
    pub slug: String,
    /// The delivery.
    pub push: Push,
    /// What was pushed.
    pub version: Arc<Version>,
    /// The audit that the answer named.
    pub audit: String,
}

/// What was counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Audits, one for each push.
    pub audits: usize,
    /// Tasks with exactly one answer each.
    pub tasks: usize,
    /// Of these, tasks that were given up: each has a dead letter, and its files are not in the findings.
    pub given_up: usize,
    /// Findings, each as the oracle has it.
    pub findings: usize,
    /// Dead letters.
    pub letters: usize,
    /// Messages that a damaged store still has and will deliver to nobody.
    pub orphans: u64,
}

/// A task: its shard and its magic.
type TaskOf = (i32, String);

impl Stack {
    /// Asserts every invariant over what was accepted. Everything must have ended, see [`Stack::settles`].
    pub async fn is_exact(&self, accepted: &[Accepted]) -> Count {
        self.assert_one_audit_each(accepted).await;
        self.settles().await;
        self.keeps(LAWS).await;
        let mut record = self.record().await;
        let mut count = Count { audits: accepted.len(), ..Count::default() };
        let mut wrong = Vec::new();
        let mut trees = worker::catalogue().rules;
        trees.retain(|rule| rule.judges_tree);
        for one in accepted {
            let audit: Uuid = one.audit.parse().expect("an audit id is a UUID");
            let given_up = given_up(&mut record, audit).await;
            let unread = unread(&mut record, audit, &given_up).await;
            let unjudged = unjudged(&mut record, audit).await;
            let is_expected = |(rule, _, place, ..): &&Found| {
                let magic = rule.split('/').next().unwrap_or_default().to_owned();
                let is_judged = !unjudged.contains(&magic) || !trees.iter().any(|other| other.id.as_str() == rule);
                is_judged && !unread.contains(&(magic, place.clone()))
            };
            let expected: Vec<Found> = one.version.expected.iter().filter(is_expected).cloned().collect();
            let found = findings(&mut record, audit).await;
            count.findings += found.len();
            count.given_up += given_up.len();
            if found != expected {
                wrong.push(difference(one, &found, &expected));
            }
        }
        assert_eq!(wrong, [""; 0], "findings that differ from the oracle's");
        count.tasks = number(&mut record, "SELECT count(*) FROM tasks WHERE state = 'done'").await;
        count.orphans = self.queued().await;
        count.letters = number(&mut record, "SELECT count(*) FROM dead_letters").await;
        count
    }

    /// Each push, delivered once more, is still the audit that its first answer named; and there are no other audits.
    async fn assert_one_audit_each(&self, accepted: &[Accepted]) {
        let again = accepted.iter().map(|one| deliver(self.api().clone(), one.slug.clone(), one.push.clone()));
        let again: Vec<String> = futures::stream::iter(again).buffered(REPEATED_AT_ONCE).collect().await;
        let moved: Vec<_> = accepted.iter().zip(&again).filter(|(one, audit)| one.audit != **audit).collect();
        assert!(moved.is_empty(), "deliveries that became another audit: {moved:#?}");
        let distinct: BTreeSet<&String> = again.iter().collect();
        assert_eq!(distinct.len(), accepted.len(), "every push has its own audit");
        let audits = number(&mut self.record().await, "SELECT count(*) FROM audits").await;
        assert_eq!(audits, accepted.len(), "audits that nobody asked for");
    }
}

async fn number(record: &mut PgConnection, sql: &'static str) -> usize {
    let number: i64 = sqlx::query_scalar(sql).fetch_one(record).await.expect("the query is right");
    usize::try_from(number).expect("a count is not negative")
}

/// Tasks that nobody could do. That none of them is without a dead letter is one of the laws.
async fn given_up(record: &mut PgConnection, audit: Uuid) -> BTreeSet<TaskOf> {
    let rows = sqlx::query_as(
        "SELECT shard, magic FROM results
         WHERE audit_id = $1 AND shard > 0
           AND ((tally -> 'failures' ->> 'count')::bigint > 0 OR tally -> 'skipped' ? 'analyzer_failed')",
    );
    rows.bind(audit).fetch_all(record).await.expect("results can be read").into_iter().collect()
}

/// What those tasks would have read, by magic.
async fn unread(record: &mut PgConnection, audit: Uuid, tasks: &BTreeSet<TaskOf>) -> BTreeSet<(String, String)> {
    if tasks.is_empty() {
        return BTreeSet::new();
    }
    let rows = sqlx::query("SELECT shard, manifest FROM shards WHERE audit_id = $1")
        .bind(audit)
        .fetch_all(record)
        .await
        .expect("shards can be read");
    let mut places: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for row in rows {
        let manifest: Manifest = serde_json::from_value(row.get("manifest")).expect("a manifest is JSON of ours");
        let files = manifest.files.into_iter().map(|file| file.path);
        let items = files.chain(manifest.commits.into_iter().map(|commit| commit.sha.to_string()));
        places.insert(row.get("shard"), items.collect());
    }
    let of_task = |(shard, magic): &TaskOf| {
        let items = places.get(shard).cloned().unwrap_or_default();
        items.into_iter().map(|item| (magic.clone(), item)).collect::<Vec<_>>()
    };
    tasks.iter().flat_map(of_task).collect()
}

/// Magics that did not judge the whole repository: nobody could, or not all of it was read.
async fn unjudged(record: &mut PgConnection, audit: Uuid) -> BTreeSet<String> {
    let rows = sqlx::query_scalar(
        "SELECT r.magic FROM results r LEFT JOIN shards s USING (audit_id, shard)
         WHERE audit_id = $1
           AND (tally -> 'skipped' ? 'facts_missing'
                OR (s.is_tree AND ((tally -> 'failures' ->> 'count')::bigint > 0 OR tally -> 'skipped' ? 'analyzer_failed')))",
    );
    rows.bind(audit).fetch_all(record).await.expect("results can be read").into_iter().collect()
}

async fn findings(record: &mut PgConnection, audit: Uuid) -> Vec<Found> {
    let rows = sqlx::query_as(
        "SELECT rule, severity, coalesce(path, commit_sha), coalesce(line, 0), fingerprint FROM findings
         WHERE audit_id = $1",
    );
    let mut found: Vec<Found> = rows.bind(audit).fetch_all(record).await.expect("findings can be read");
    found.sort();
    found
}

fn difference(one: &Accepted, found: &[Found], expected: &[Found]) -> String {
    let (has, wants): (BTreeSet<&Found>, BTreeSet<&Found>) = (found.iter().collect(), expected.iter().collect());
    let (more, less): (Vec<_>, Vec<_>) = (has.difference(&wants).collect(), wants.difference(&has).collect());
    format!("audit {} of {} has too many: {more:?}, too few: {less:?}", one.audit, one.slug)
}
