//! Faults in mid-run: whatever is killed, stopped or wiped, every audit ends once, with exactly its findings.

mod cluster;
mod disk_full;
mod failpoints;
mod outages;
mod tier;

use std::collections::BTreeSet;

use deploy::embedded::guard::Signal;
use futures::future::join_all;
use tests::audits::{deliver, push, sorted};
use tests::fixture::{self, EXPECTED};
use tests::github::Push;
use tests::ledger::Traffic;
use tests::random::Random;
use tests::repository::FixtureRepository;
use tests::stack::{Role, SECRET, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Any number; another one kills at other points.
const SEED: u64 = 20_260_704;

/// Longer than any test: what JetStream has not lost must arrive without the reconciler, which would hide a loss.
const NEVER: u64 = 3_600;

/// A repository of its own for each audit: what one audit has found is known to the next one of the same project.
struct Project {
    slug: String,
    repository: FixtureRepository,
    push: Push,
}

/// Small shards and a small window, so that planner and dispatcher, too, are at work all the time.
fn config(ack_wait: u64, lost_after: u64) -> StackConfig {
    let settings = [
        ("ELDER_ACK_WAIT_SECS", ack_wait),
        ("ELDER_LOST_AFTER_SECS", lost_after),
        ("ELDER_SHARD_FILES", 3),
        ("ELDER_TASKS_IN_FLIGHT", 8),
    ];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_string())).into();
    StackConfig { environment, ..StackConfig::default() }
}

async fn projects(stack: &Stack, count: usize) -> Vec<Project> {
    let mut projects = Vec::new();
    for number in 0..count {
        let slug = format!("shop-{number}");
        let mut repository = FixtureRepository::new(&stack.folder(&format!("{slug}.git")));
        let push = push(None, &fixture::build(&mut repository));
        stack.register(&slug, &repository).await;
        projects.push(Project { slug, repository, push });
    }
    projects
}

/// Delivers all pushes at once and returns the audits' ids, in the same order.
async fn push_all(stack: &Stack, projects: &[Project]) -> Vec<String> {
    let deliveries =
        projects.iter().map(|project| deliver(stack.api().clone(), project.slug.clone(), project.push.clone()));
    join_all(deliveries).await
}

/// Delivers a push while the test goes on.
fn deliver_beside(deliveries: &mut JoinSet<String>, stack: &Stack, project: &Project) {
    let (api, slug, push) = (stack.api().clone(), project.slug.clone(), project.push.clone());
    deliveries.spawn_blocking(|| Handle::current().block_on(deliver(api, slug, push)));
}

/// Waits until each push has become one audit with exactly the expected findings, and everything is accounted for.
async fn assert_all_end(stack: &Stack, projects: &[Project], audits: &[String]) {
    assert_each_ends(stack, projects, audits).await;
    stack.balances().await;
}

/// The same before everything is accounted for.
async fn assert_each_ends(stack: &Stack, projects: &[Project], audits: &[String]) {
    for (project, audit) in projects.iter().zip(audits) {
        let ended = stack.ended(audit).await;
        assert_eq!(ended["state"], "completed", "{ended:#}");
        assert_eq!(ended["commit"], project.push.payload["after"]);
        assert_eq!(stack.findings(audit, &project.repository).await, sorted(&EXPECTED));
    }
    assert_eq!(audits.iter().collect::<BTreeSet<_>>().len(), projects.len(), "every push has its own audit");
    // A forge that missed an answer delivers once more: that changes nothing.
    assert_eq!(push_all(stack, projects).await, audits);
}

/// What can be killed; servers come first, since no role starts without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Nats,
    Postgres,
    Process(Role, usize),
}

const VICTIMS: [Victim; 7] = [
    Victim::Nats,
    Victim::Postgres,
    Victim::Process(Role::Serve, 0),
    Victim::Process(Role::Planner, 0),
    Victim::Process(Role::Aggregator, 0),
    Victim::Process(Role::Worker, 0),
    Victim::Process(Role::Worker, 1),
];

impl Victim {
    async fn kill(self, stack: &mut Stack) {
        match self {
            Self::Nats => stack.nats.kill().await,
            Self::Postgres => stack.postgres.kill().await,
            Self::Process(role, index) => stack.kill(role, index).await,
        }
    }

    async fn restart(self, stack: &mut Stack) {
        match self {
            Self::Nats => stack.nats.restart().await.unwrap(),
            Self::Postgres => stack.postgres.restart().await.unwrap(),
            Self::Process(role, index) => stack.restart(role, index).await,
        }
    }
}

/// Ten faults: each victim at least once, in any order, every second time with another one at the same moment.
fn faults(random: &mut Random) -> Vec<BTreeSet<Victim>> {
    let mut first: Vec<Victim> = VICTIMS.into();
    first.extend((0..3).map(|_| VICTIMS[random.below(VICTIMS.len())]));
    random.shuffle(&mut first);
    first
        .into_iter()
        .map(|victim| {
            let second = (random.below(2) == 0).then(|| VICTIMS[random.below(VICTIMS.len())]);
            [Some(victim), second].into_iter().flatten().collect()
        })
        .collect()
}

/// Lets a random moment pass, from none to a quarter of a second.
async fn moment(random: &mut Random) {
    let mut looks = random.below(13);
    wait_for("a moment to pass", LONG, async || {
        looks = looks.saturating_sub(1);
        (looks == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_audits_survive_the_death_of_every_process() {
    let mut random = Random::new(SEED);
    let mut stack = Stack::start_with(config(2, NEVER)).await;
    let projects = projects(&stack, 20).await;
    let mut pushes = projects.iter();
    let mut deliveries = JoinSet::new();
    for victims in faults(&mut random) {
        let before = stack.tasks_done().await.unwrap();
        pushes.by_ref().take(2).for_each(|project| deliver_beside(&mut deliveries, &stack, project));
        // Two audits have more tasks than this.
        stack.reaches(before + i64::try_from(random.below(12)).unwrap()).await;
        moment(&mut random).await;
        for victim in &victims {
            victim.kill(&mut stack).await;
        }
        moment(&mut random).await;
        for victim in &victims {
            victim.restart(&mut stack).await;
        }
    }
    assert_eq!(deliveries.join_all().await.into_iter().collect::<BTreeSet<_>>().len(), projects.len());
    let audits = push_all(&stack, &projects).await;
    assert_each_ends(&stack, &projects, &audits).await;
    // A task that both workers happened to die with is laid down and split, as if it had killed them.
    stack.balances_but_for_poison().await;
    for victim in VICTIMS {
        // Whoever was not killed has lived through all of this, and still ends well.
        if let Victim::Process(role, index) = victim {
            stack.stop(role, index).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_queue_is_filled_again_from_the_record() {
    let mut stack = Stack::start_with(config(2, 3)).await;
    let projects = projects(&stack, 6).await;
    // Requests are on their way, and nothing is planned yet or little is.
    let audits = push_all(&stack, &projects).await;
    stack.wipe_nats().await;
    // Bundles, tasks and results are on their way, and with nobody at work some of the tasks stay so until the wipe.
    stack.reaches(6).await;
    for worker in 0..2 {
        stack.kill(Role::Worker, worker).await;
    }
    some_published(&stack).await;
    stack.wipe_nats().await;
    for worker in 0..2 {
        stack.restart(Role::Worker, worker).await;
    }

    assert_all_end(&stack, &projects, &audits).await;
    let repeated = "SELECT count(*) FROM tasks WHERE generation > 0";
    let repeated: i64 = sqlx::query_scalar(repeated).fetch_one(&mut stack.record().await).await.unwrap();
    assert!(repeated > 0, "the wipe met tasks under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_are_told_to_stop_lose_and_repeat_nothing() {
    // A long ack wait: every repeated delivery below would be somebody's fault, not the machine's.
    let mut stack = Stack::start_with(config(60, NEVER)).await;
    let projects = projects(&stack, 10).await;
    let mut pushes = projects.iter();
    let mut deliveries = JoinSet::new();
    for role in [Role::Worker, Role::Aggregator, Role::Planner, Role::Serve, Role::Worker] {
        let before = stack.tasks_done().await.unwrap();
        pushes.by_ref().take(2).for_each(|project| deliver_beside(&mut deliveries, &stack, project));
        stack.reaches(before + 3).await;
        stack.stop(role, 0).await;
        stack.restart(role, 0).await;
    }
    deliveries.join_all().await;
    let audits = push_all(&stack, &projects).await;
    assert_all_end(&stack, &projects, &audits).await;

    let tasks = stack.tasks_done().await.unwrap().unsigned_abs();
    let once = |stored| Traffic { stored, delivered: stored };
    assert_eq!(stack.traffic("AUDIT_REQ", "planner").await, once(projects.len() as u64));
    assert_eq!(stack.traffic("AUDIT_TASKS", "worker-normal").await, once(tasks));
    assert_eq!(stack.traffic("AUDIT_RESULTS", "aggregator").await, once(tasks));
}

/// Waits until a task is in the queue.
async fn some_published(stack: &Stack) {
    let mut record = stack.record().await;
    wait_for("a task to be published", LONG, async || {
        let published = "SELECT count(*) FROM tasks WHERE state = 'published'";
        let published: i64 = sqlx::query_scalar(published).fetch_one(&mut record).await.unwrap();
        (published > 0).then_some(())
    })
    .await;
}

/// Waits until every audit is planned and every task of it is in the queue, but for those that wait for others.
async fn all_published(stack: &Stack, audits: usize) {
    let open = "SELECT (SELECT count(*) FROM audits WHERE state = 'running'),
                       (SELECT count(*) FROM tasks WHERE state NOT IN ('waiting', 'published'))";
    let mut record = stack.record().await;
    wait_for("all tasks to be published", LONG, async || {
        let (running, left): (i64, i64) = sqlx::query_as(open).fetch_one(&mut record).await.unwrap();
        (running.unsigned_abs() == audits as u64 && left == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn audits_of_the_same_content_get_an_answer_each() {
    let environment = vec![("ELDER_TASKS_IN_FLIGHT_MIN".to_owned(), "1000".to_owned())];
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let projects = projects(&stack, 4).await;
    let audits = push_all(&stack, &projects).await;
    // The worker finds all of them at once: tasks of different audits that read the same bundle are in one batch.
    all_published(&stack, projects.len()).await;
    stack.add(Role::Worker).await;
    assert_all_end(&stack, &projects, &audits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_whose_bundles_are_lost_wait_until_they_are_packed_again() {
    // Packed again after a worker has given up.
    let environment = vec![("ELDER_LOST_AFTER_SECS".to_owned(), "20".to_owned())];
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let projects = projects(&stack, 1).await;
    let audits = push_all(&stack, &projects).await;
    all_published(&stack, projects.len()).await;
    let bundles = stack.jetstream().await.get_stream("OBJ_audit_bundles").await.unwrap();
    assert!(bundles.purge().await.unwrap().purged > 0, "there were bundles to lose");
    stack.add(Role::Worker).await;

    let ended = stack.ended(&audits[0]).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    assert_eq!(stack.findings(&audits[0], &projects[0].repository).await, sorted(&EXPECTED));
}

/// Ends the first of two planners with `signal` while it dispatches; the second must go on.
async fn assert_taken_over(signal: Signal) {
    let mut stack = Stack::start_with(config(2, NEVER)).await;
    let projects = projects(&stack, 6).await;
    stack.add(Role::Planner).await;
    let audits = push_all(&stack, &projects).await;
    stack.reaches(3).await;
    stack.process(Role::Planner, 0).signal(signal);
    let ready = "SELECT count(*) FROM tasks WHERE state = 'ready'";
    let ready: i64 = sqlx::query_scalar(ready).fetch_one(&mut stack.record().await).await.unwrap();
    assert!(ready > 0, "there was something left to dispatch");
    assert_all_end(&stack, &projects, &audits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_planner_dispatches_when_the_first_is_killed() {
    assert_taken_over(Signal::SIGKILL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_planner_dispatches_when_the_first_hangs() {
    assert_taken_over(Signal::SIGSTOP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_copies_of_one_delivery_at_once_are_one_audit() {
    let stack = Stack::start().await;
    let projects = projects(&stack, 1).await;
    let Project { slug, push, .. } = &projects[0];
    let path = format!("/webhooks/github/{slug}");
    let answers = join_all((0..20).map(|_| stack.api().deliver(&path, push.sign(SECRET)))).await;

    let audits: BTreeSet<_> =
        answers.iter().map(|answer| answer.body["audit_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(audits.len(), 1, "{answers:#?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1, "one of them was the first");
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{answers:#?}");
    assert_all_end(&stack, &projects, &Vec::from_iter(audits)).await;
}
