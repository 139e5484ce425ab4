//! The merge law against a real Postgres: any order, any batches, any repetition, two aggregators at once: one outcome.

use std::collections::{BTreeMap, BTreeSet};

use broker::config::{DatabaseArgs, NatsArgs, TopologyArgs};
use broker::store::intake::NewAudit;
use broker::store::merge::{Merged, TaskResult};
use broker::store::plan::{Extent, Plan, PlannedShard};
use broker::store::projects::Project;
use broker::subject::Subject;
use broker::{Bus, Store};
use schemas::bundle::{CommitFacts, Manifest, Shard};
use schemas::finding::Finding;
use schemas::ids::{AuditId, Digest, TraceId};
use schemas::item::{Item, ItemResult, SkipReason};
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::request::{AuditKind, AuditRequest, Priority};
use schemas::retry::ErrorClass;
use schemas::score::judge;
use schemas::tally::Tally;
use schemas::task::TaskKey;
use schemas::verdict::Verdict;
use tests::fixture;
use tests::random::Random;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use uuid::Uuid;

/// Orders tried.
const SEEDS: u64 = 60;

const FILE_MAGICS: [Magic; 2] = [Magic::Integrity, Magic::Tdd];

/// Two stores, as two aggregators have them, and a plan with the answer to each of its tasks.
pub(crate) struct World {
    pub(crate) stores: [Store; 2],
    project: Project,
    plan: Plan,
    answers: BTreeMap<(u32, Magic), PartialResult>,
}

impl World {
    pub(crate) async fn new(stack: &Stack) -> Self {
        stack.set_up().await;
        let stores = [store(stack), store(stack)];
        let project = project("shop");
        stores[0].insert_project(&project).await.unwrap();
        let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
        let tip = fixture::build(&mut repository);
        let (plan, answers) = planned(&repository, &tip);
        Self { stores, project, plan, answers }
    }

    /// A new audit of the plan, running.
    pub(crate) async fn start(&self) -> AuditId {
        let id = AuditId(Uuid::new_v4());
        let request = AuditRequest {
            audit: None,
            project: self.project.slug.clone(),
            revision: None,
            base: None,
            kind: AuditKind::Full,
            magics: Vec::new(),
            priority: Priority::Normal,
        };
        let magics = [FILE_MAGICS.as_slice(), &[Magic::Git]].concat();
        let trace = TraceId::random();
        let audit = NewAudit { id, request, magics, branch: None, requested_by: "nats", trace };
        assert!(self.stores[0].record_audit(&self.project, &audit).await.unwrap());
        assert!(self.stores[0].start_audit(id, &self.plan).await.unwrap());
        id
    }

    /// The results of every task.
    pub(crate) fn results(&self, audit: AuditId) -> Vec<TaskResult> {
        let result = |(&(shard, magic), partial): (&(u32, Magic), &PartialResult)| {
            let key = TaskKey { magic, project: self.project.slug.clone(), audit, shard };
            TaskResult { key, partial: partial.clone(), trace: TraceId::random() }
        };
        self.answers.iter().map(result).collect()
    }

    /// What any order must come to, by the law alone.
    fn expected(&self) -> (Vec<Finding>, Verdict) {
        let mut tallies: BTreeMap<Magic, Tally> = BTreeMap::new();
        let known = self.plan.known.iter().map(|(magic, partial)| (*magic, partial));
        for (magic, partial) in known.chain(self.answers.iter().map(|(&(_, magic), partial)| (magic, partial))) {
            tallies.entry(magic).or_default().merge(Tally::of(partial));
        }
        let findings = self.answers.values().flat_map(|partial| &partial.items).flat_map(|item| item.findings.clone());
        (by_fingerprint(findings.collect()), judge(tallies))
    }

    /// What is in the record now.
    async fn recorded(&self, audit: AuditId) -> (Vec<Finding>, Option<Verdict>, [i64; 2]) {
        let findings = self.stores[0].findings(audit, 10_000, 0).await.unwrap();
        let audit = self.stores[0].audit(audit).await.unwrap().unwrap();
        (by_fingerprint(findings), audit.verdict, [audit.tasks_done, audit.tasks_total])
    }
}

fn store(stack: &Stack) -> Store {
    Store::connect(&DatabaseArgs { database_url: stack.postgres.url().into(), database_connections: 4 }).unwrap()
}

fn project(slug: &str) -> Project {
    Project {
        id: Uuid::new_v4(),
        slug: slug.parse().unwrap(),
        name: slug.to_owned(),
        repository_url: format!("https://example.org/{slug}.git"),
        provider: "git".to_owned(),
        team: None,
        default_branch: None,
        webhook_secret: "a secret of the tests".into(),
    }
}

fn by_fingerprint(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
    findings
}

/// The fixture's files two by two under the magics that read files, a shard of commits, and something ruled out.
fn planned(repository: &FixtureRepository, tip: &str) -> (Plan, BTreeMap<(u32, Magic), PartialResult>) {
    let mut shards: Vec<(Shard, Vec<Magic>)> = repository
        .sources()
        .chunks(2)
        .map(|files| (Shard { files: files.to_vec(), ..Shard::default() }, FILE_MAGICS.into()))
        .collect();
    let commits = ["wip", "fix", "Count money in whole cents"].map(|subject| CommitFacts {
        sha: Digest::of(subject.as_bytes()).as_str()[..40].parse().unwrap(),
        subject: subject.to_owned(),
        parents: 1,
        by_bot: false,
        on_default_branch: true,
        changes: Vec::new(),
    });
    shards.push((Shard { commits: commits.into(), ..Shard::default() }, vec![Magic::Git]));
    let link = Item::File { path: "latest".to_owned(), blob: tip.parse().unwrap() };
    let items = vec![ItemResult::skipped(link, SkipReason::Symlink)];
    let known = BTreeMap::from([(Magic::Integrity, PartialResult { items, ..PartialResult::default() })]);

    let mut answers = BTreeMap::new();
    for (number, (shard, magics)) in (1..).zip(&shards) {
        let rulesets = worker::rulesets(shard);
        for (magic, items) in worker::analyze(shard, &magics.iter().copied().collect()) {
            let ruleset = rulesets.get(&magic).cloned();
            answers.insert((number, magic), PartialResult { ruleset, items, ..PartialResult::default() });
        }
    }
    let shards = (0..).zip(shards).map(|(number, (_, magics))| PlannedShard {
        bundle: Digest::of(&[number]),
        manifest: Manifest::default(),
        magics,
        cost: 1,
    });
    let plan = Plan {
        commit: tip.parse().unwrap(),
        shards: shards.collect(),
        trees: Vec::new(),
        known,
        rulesets: worker::catalogue().rulesets(),
        extent: Extent::default(),
    };
    (plan, answers)
}

/// Each result one to three times, in any order, in batches of any size.
fn shuffled(results: &[TaskResult], random: &mut Random) -> Vec<Vec<TaskResult>> {
    let mut deliveries: Vec<TaskResult> = Vec::new();
    for result in results {
        deliveries.extend(std::iter::repeat_n(result.clone(), 1 + random.below(3)));
    }
    random.shuffle(&mut deliveries);
    let mut batches = Vec::new();
    while !deliveries.is_empty() {
        let size = deliveries.len().min(1 + random.below(8));
        batches.push(deliveries.split_off(deliveries.len() - size));
    }
    batches
}

async fn merge_all(store: &Store, batches: &[Vec<TaskResult>]) -> Vec<Merged> {
    let mut merged = Vec::new();
    for batch in batches {
        merged.push(store.merge(batch).await.unwrap());
    }
    merged
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_repetition_and_batching_gives_one_outcome() {
    let stack = Stack::services(StackConfig::default()).await;
    let world = World::new(&stack).await;
    let (findings, verdict) = world.expected();
    assert!(findings.len() > 10, "the fixture gives something to merge");
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let audit = world.start().await;
        let results = world.results(audit);
        let batches = shuffled(&results, &mut random);
        let (one, other) = batches.split_at(random.below(batches.len() + 1));
        let [first, second] = &world.stores;
        let (mut merged, others) = tokio::join!(merge_all(first, one), merge_all(second, other));
        merged.extend(others);

        let tasks = i64::try_from(results.len()).unwrap();
        assert_eq!(world.recorded(audit).await, (findings.clone(), Some(verdict.clone()), [tasks, tasks]));
        assert_eq!(merged.iter().map(|merged| merged.fresh).sum::<usize>(), results.len());
        assert_eq!(merged.iter().map(|merged| merged.finished.len()).sum::<usize>(), 1, "an audit ends once");
        assert!(merged.iter().all(|merged| merged.foreign.is_empty() && merged.contradictions.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_nobody_asked_for_changes_nothing() {
    let stack = Stack::services(StackConfig::default()).await;
    let world = World::new(&stack).await;
    let (store, audit) = (&world.stores[0], world.start().await);
    let result = world.results(audit).remove(0);
    let before = world.recorded(audit).await;
    let strays = [
        TaskKey { shard: 99, ..result.key.clone() },
        TaskKey { shard: 0, ..result.key.clone() },
        TaskKey { magic: Magic::Git, ..result.key.clone() },
        TaskKey { project: "other".parse().unwrap(), ..result.key.clone() },
    ];
    let strays = strays.map(|key| TaskResult { key, ..result.clone() });

    let merged = store.merge(&strays).await.unwrap();
    assert_eq!((merged.fresh, merged.foreign), (0, vec![0, 1, 2, 3]));
    assert!(merged.progress.is_empty() && merged.finished.is_empty() && merged.contradictions.is_empty());
    assert_eq!(world.recorded(audit).await, before);

    // Among results that were asked for, and for an audit that has ended, they change nothing either.
    let batch = [world.results(audit), strays.into()].concat();
    let merged = store.merge(&batch).await.unwrap();
    assert_eq!(merged.fresh, world.answers.len());
    assert_eq!(merged.foreign, Vec::from_iter(world.answers.len()..batch.len()));
    let (findings, verdict) = world.expected();
    let after = world.recorded(audit).await;
    assert_eq!((after.0, after.1), (findings, Some(verdict)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_and_different_answer_is_reported_and_does_not_count() {
    let stack = Stack::services(StackConfig::default()).await;
    let world = World::new(&stack).await;
    let (store, audit) = (&world.stores[0], world.start().await);
    let results = world.results(audit);
    let liars: Vec<TaskResult> = results
        .iter()
        .map(|result| TaskResult {
            partial: PartialResult::failed(ErrorClass::Analyzer, "something else"),
            ..result.clone()
        })
        .collect();

    // In the same batch, in a later one, and after the end.
    let same = store.merge(&[results[0].clone(), liars[0].clone()]).await.unwrap();
    assert_eq!((same.fresh, same.contradictions), (1, vec![results[0].key.clone()]));
    let later = store.merge(&[liars[0].clone(), results[1].clone()]).await.unwrap();
    assert_eq!((later.fresh, later.contradictions), (1, vec![results[0].key.clone()]));
    store.merge(&results).await.unwrap();
    let after = store.merge(&liars).await.unwrap();
    assert_eq!((after.fresh, after.contradictions.len()), (0, liars.len()));

    let (findings, verdict) = world.expected();
    let recorded = world.recorded(audit).await;
    assert_eq!((recorded.0, recorded.1), (findings, Some(verdict)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_result_that_the_record_refuses_costs_only_itself() {
    let mut stack = Stack::services(StackConfig::default()).await;
    let world = World::new(&stack).await;
    let audit = world.start().await;
    let mut results = world.results(audit);
    let bad = results.iter().position(|result| result.partial.items.iter().any(|item| !item.findings.is_empty()));
    let bad = bad.unwrap();
    // No column of Postgres holds this character.
    results[bad].partial.items[0].notes.push("\0".to_owned());
    let lost: BTreeSet<String> = fingerprints(&results[bad].partial).collect();

    // Published before anybody reads, so that all of them are one batch.
    let nats = NatsArgs { nats_url: stack.nats.url().into(), nats_nkey: None, topology: TopologyArgs::default() };
    let bus = Bus::connect(&nats, "tests").await.unwrap();
    for TaskResult { key, partial, trace } in &results {
        let id = format!("{}:{}:{}", key.audit, key.magic, key.shard);
        bus.publish(&Subject::Result(key.clone()), &id, *trace, partial).await.unwrap();
    }
    stack.add(Role::Aggregator).await;
    let ended = wait_for("the audit to end", LONG, async || {
        world.stores[0].audit(audit).await.unwrap().filter(|audit| audit.is_finished())
    })
    .await;

    assert_eq!(ended.state, "partial", "what was lost is said, not passed over");
    assert_eq!(ended.tasks_done, ended.tasks_total);
    let (expected, _) = world.expected();
    let kept: Vec<Finding> = expected.into_iter().filter(|finding| !lost.contains(&finding.fingerprint)).collect();
    assert_eq!(world.recorded(audit).await.0, kept);
    let letter = wait_for("the dead letter", LONG, async || {
        let letters: Vec<(String, String)> = sqlx::query_as("SELECT subject, cause FROM dead_letters")
            .fetch_all(&mut stack.record().await)
            .await
            .unwrap();
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!(letter, [(Subject::Result(results[bad].key.clone()).to_string(), "refused".to_owned())]);
}

fn fingerprints(partial: &PartialResult) -> impl Iterator<Item = String> {
    partial.items.iter().flat_map(|item| item.findings.iter().map(|finding| finding.fingerprint.clone()))
}
