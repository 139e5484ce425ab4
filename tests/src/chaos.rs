//! One run of the product under faults: work is pushed in while processes die, servers fail and the network is spoilt;
//! at the end the checker counts what is lost and what is double.

mod damage;
mod duplicates;
mod effects;
mod faults;
mod report;
mod supervisor;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::effects::Effects;
use self::faults::Deck;
pub use self::report::Report;

/// Kinds of faults from outside, all of which a run of enough kills has.
pub const FAULT_KINDS: usize = faults::KINDS;

use self::supervisor::Supervisor;
use crate::audits::deliver;
use crate::checker::Accepted;
use crate::random::Random;
use crate::stack::{Role, Stack, StackConfig};
use crate::wait::{LONG, try_for};
use crate::workload::Model;

/// Files of one push: each is a shard, and a commit of more than fifty would be a finding by itself.
const FILES: usize = 48;

/// Pushes of one project; later ones know the results of none before, since every file is rewritten.
const VERSIONS: usize = 6;

/// Repositories; each is the repository of many projects.
const MODELS: usize = 3;

/// Audits open at once: enough that every role always has something to do, few enough that each is done within seconds.
const OPEN_MAX: usize = 12;

/// How often processes, faults and the record are looked at.
const TICK: Duration = Duration::from_millis(50);

/// Most pauses between two faults, in ticks.
const FAULT_EVERY_TICKS: usize = 24;

/// How long the answer to a registration is waited for, before it is tried again.
const REGISTERED_WITHIN: Duration = Duration::from_secs(1);

/// How long everything may take to end after the last fault: the longest pause between two tries is five minutes.
const END_WITHIN: Duration = Duration::from_secs(400);

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Decides what happens where and after how many visits; the machine decides when.
    pub seed: u64,
    /// Fewest tasks.
    pub tasks: usize,
    /// Fewest kills: processes of ours and servers that end without a chance to do anything more, or hang until they are
    /// taken for dead.
    pub kills: usize,
    /// Whether a line is printed every few seconds.
    pub is_verbose: bool,
}

/// Everything that a run has in hand.
struct World {
    plan: Plan,
    stack: Stack,
    /// For faults from outside alone, so that a seed means a list of faults.
    chance: Random,
    deck: Deck,
    /// For failpoints: processes die when the machine has it.
    random: Random,
    models: Vec<Model>,
    /// Projects registered so far, each with the number of its model and of its next version.
    projects: Vec<(String, usize, usize)>,
    pushes: usize,
    deliveries: JoinSet<Accepted>,
    accepted: Vec<Accepted>,
    supervisor: Supervisor,
    effects: Effects,
    report: Report,
}

/// Runs `plan` to its end and asserts every invariant. Panics with the seed and the list of faults if one does not hold.
#[expect(clippy::print_stderr, reason = "the test runner shows it beside the test that failed")]
pub async fn run(plan: Plan) -> Report {
    let outcome = AssertUnwindSafe(Box::pin(unwinding(plan))).catch_unwind().await;
    outcome.unwrap_or_else(|panic| {
        // It was printed above all the logs and faults, and who sees only the end of them must see it too.
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        eprintln!("--- and all that since: {}", said.unwrap_or("a panic without words"));
        resume_unwind(panic)
    })
}

async fn unwinding(plan: Plan) -> Report {
    let mut world = World::new(plan).await;
    let begin = Instant::now();
    let mut until_fault = 0;
    while !world.is_enough() {
        world.look().await;
        world.push().await;
        if until_fault > 0 {
            until_fault -= 1;
        } else if world.may_fault() {
            world.fault().await;
            until_fault = world.chance.below(FAULT_EVERY_TICKS);
        }
        sleep(TICK).await;
    }
    world.end(begin).await
}

fn config() -> StackConfig {
    let settings = [
        ("ELDER_ACK_WAIT_SECS", "3"),
        ("ELDER_LOST_AFTER_SECS", "10"),
        // Each kill makes the dispatcher forget the pace; with few tasks at once every fault would be waited out alone.
        ("ELDER_TASKS_IN_FLIGHT_MIN", "256"),
        ("ELDER_SHARD_FILES", "1"),
        ("ELDER_TASKS_IN_FLIGHT", "256"),
        ("ELDER_WORKER_THREADS", "1"),
        ("ELDER_LOG", "warn,broker::aggregator=info"),
    ];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    StackConfig { environment, is_proxied: true, ..StackConfig::default() }
}

impl World {
    async fn new(plan: Plan) -> Self {
        let mut stack = Box::pin(Stack::start_with(config())).await;
        stack.add(Role::Aggregator).await;
        let folder = stack.folder("models");
        std::fs::create_dir_all(&folder).expect("the test's folder can be written to");
        let build = move |number: usize| Model::build(&folder.join(number.to_string()), number, VERSIONS, FILES);
        let models = tokio::task::spawn_blocking(move || (0..MODELS).map(build).collect());
        std::fs::create_dir_all(stack.folder("shops")).expect("the test's folder can be written to");
        Self {
            plan,
            stack,
            chance: Random::new(plan.seed),
            deck: Deck::default(),
            random: Random::new(!plan.seed),
            models: models.await.expect("the models can be built"),
            projects: Vec::new(),
            pushes: 0,
            deliveries: JoinSet::new(),
            accepted: Vec::new(),
            supervisor: Supervisor::default(),
            effects: Effects::default(),
            report: Report::new(plan),
        }
    }

    fn is_enough(&self) -> bool {
        let Plan { tasks, kills, .. } = self.plan;
        // On a fast machine the last kinds of faults may be a little further down the deck.
        let is_varied = self.report.faults.len() == FAULT_KINDS || self.report.tasks_done >= tasks * 3 / 2;
        self.report.tasks_done >= tasks && self.report.kills() >= kills && is_varied
    }

    /// As many faults from outside as kills are wanted, spread over the work; every process dies at failpoints besides.
    fn may_fault(&self) -> bool {
        let share = |part: usize, whole: usize| part * 1_000 / whole.max(1);
        share(self.report.struck(), self.plan.kills * 2 / 3) <= share(self.report.tasks_done, self.plan.tasks)
    }

    /// Starts the dead again, ends effects whose time has come, and sees how far the work is.
    async fn look(&mut self) {
        self.effects.end_due(&mut self.stack).await;
        self.supervisor.revive(&mut self.stack, &mut self.random, &mut self.report).await;
        while let Some(delivered) = self.deliveries.try_join_next() {
            self.accepted.push(delivered.expect("a push is accepted in the end"));
        }
        if let Some((tasks, open)) = progress(&self.stack).await {
            self.report.progress(tasks, open);
        }
    }

    /// Pushes one more version while few audits are open.
    async fn push(&mut self) {
        if self.report.open + self.deliveries.len() >= OPEN_MAX || self.report.tasks_done >= self.plan.tasks * 2 {
            return;
        }
        let is_used_up = |&(_, _, next): &(String, usize, usize)| next >= VERSIONS;
        if self.projects.last().is_none_or(is_used_up) && !self.add_project().await {
            return;
        }
        let Some((slug, model, next)) = self.projects.last_mut() else { return };
        let version = Arc::clone(&self.models[*model].versions()[*next]);
        *next += 1;
        self.pushes += 1;
        let (api, slug, push) = (self.stack.api().clone(), slug.clone(), version.push(self.pushes));
        self.deliveries.spawn_blocking(move || {
            let audit = Handle::current().block_on(deliver(api, slug.clone(), push.clone()));
            Accepted { slug, push, version, audit }
        });
        // What is on its way counts as open until the record says otherwise.
        self.report.open += 1;
    }

    async fn add_project(&mut self) -> bool {
        let number = self.projects.len();
        let (slug, model) = (format!("shop-{number}"), number % MODELS);
        let shops = self.stack.folder("shops");
        if !shops.join(format!("{slug}.git")).exists() {
            self.models[model].another(&shops, &slug);
        }
        let url = format!("file://{}/{slug}.git", shops.display());
        // Who answers may be frozen, and goes on only if this goes on.
        let registered = timeout(REGISTERED_WITHIN, self.stack.try_register_url(&slug, &url));
        let is_registered = registered.await.unwrap_or(false);
        if is_registered {
            self.projects.push((slug, model, 0));
        }
        is_registered
    }

    async fn fault(&mut self) {
        let fault = self.deck.draw(&mut self.chance);
        self.report.fault(fault);
        let Self { stack, chance, effects, report, .. } = self;
        Box::pin(fault.strike(stack, chance, effects, report)).await;
    }

    /// Ends every fault, waits for all that was accepted, and asserts what must hold.
    async fn end(mut self, begin: Instant) -> Report {
        self.effects.end_all(&mut self.stack).await;
        self.supervisor.disarm(&mut self.stack).await;
        let disarmed = Instant::now();
        while let Some(delivered) = self.deliveries.join_next().await {
            self.accepted.push(delivered.expect("a push is accepted in the end"));
        }
        let ended = try_for(END_WITHIN, async || {
            let (tasks, open) = progress(&self.stack).await?;
            self.report.progress(tasks, open);
            (open == 0).then_some(())
        });
        if ended.await.is_none() {
            panic!("{} s after the last fault not ended: {}", END_WITHIN.as_secs(), self.stack.open_work().await);
        }
        self.report.last_ended = disarmed.elapsed();
        self.report.count = Some(self.stack.is_exact(&self.accepted).await);
        self.report.took = begin.elapsed();
        self.report.clone()
    }
}

/// Tasks done and audits open; nothing while the record is away.
async fn progress(stack: &Stack) -> Option<(usize, usize)> {
    let query = async {
        let mut record = PgConnection::connect(stack.postgres.url()).await.ok()?;
        let counts: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT coalesce(sum(tasks_done), 0)::bigint FROM audits),
                    (SELECT count(*) FROM audits WHERE finished_at IS NULL)",
        )
        .fetch_one(&mut record)
        .await
        .ok()?;
        Some((usize::try_from(counts.0).ok()?, usize::try_from(counts.1).ok()?))
    };
    timeout(LONG, query).await.ok()?
}
