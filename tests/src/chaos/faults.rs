//! The faults from outside: what is killed, hung, damaged, cut or repeated, and how.

use std::time::Duration;

use deploy::embedded::guard::Signal;
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use super::effects::{Effect, Effects, Server, proxy, signal_nats};
use super::{Report, damage, duplicates};
use crate::proxy::{Door, Loss, Way, Weather};
use crate::random::Random;
use crate::stack::{Role, Stack};

/// One fault; what it needs beyond its kind is drawn when it strikes. The numbers are those of the test plan's matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// F4, F6: SIGKILL of any process of ours at any moment.
    KillRole,
    /// F8: a process hangs for longer than the ack wait, and then goes on as if nothing had been.
    FreezeRole,
    /// F9: SIGKILL of the nats-server.
    KillNats,
    /// F10: the nats-server hangs.
    FreezeNats,
    /// F11: its whole store is deleted.
    WipeNats,
    /// F13: bits of its store flip, or the end of a file is missing.
    DamageNats,
    /// F17, F18: it cannot write any more.
    FillDisk,
    /// F19: SIGKILL of Postgres.
    KillPostgres,
    /// F20: connections of ours are ended by Postgres, in the middle of transactions.
    TerminateBackends,
    /// F21: COMMIT succeeds, and its answer is lost.
    LoseCommits,
    /// Connections of a role are reset.
    Cut,
    /// F16: nothing arrives one way, or both, on and off.
    Partition,
    /// Delays, jitter, slices of some bytes, little bandwidth.
    SlowDown,
    /// New connections are refused, or never answered.
    CloseDoor,
    /// F27, F28, F29: messages come again, in another order, some from long ago.
    Repeat,
}

/// Kinds of faults.
pub(super) const KINDS: usize = WEIGHTS.len();

/// How often each is drawn, relative to the others.
const WEIGHTS: [(Fault, usize); 15] = [
    (Fault::KillRole, 30),
    (Fault::FreezeRole, 8),
    (Fault::KillNats, 10),
    (Fault::FreezeNats, 2),
    (Fault::WipeNats, 2),
    (Fault::DamageNats, 3),
    (Fault::FillDisk, 2),
    (Fault::KillPostgres, 8),
    (Fault::TerminateBackends, 8),
    (Fault::LoseCommits, 8),
    (Fault::Cut, 6),
    (Fault::Partition, 4),
    (Fault::SlowDown, 3),
    (Fault::CloseDoor, 3),
    (Fault::Repeat, 8),
];

const ROLES: [Role; 4] = [Role::Serve, Role::Planner, Role::Worker, Role::Aggregator];

/// Faults like cards: each comes as often as its weight says before any order begins anew.
#[derive(Debug, Default)]
pub(super) struct Deck(Vec<Fault>);

impl Deck {
    /// The next one.
    pub(super) fn draw(&mut self, random: &mut Random) -> Fault {
        if self.0.is_empty() {
            self.0 = WEIGHTS.iter().flat_map(|&(fault, weight)| std::iter::repeat_n(fault, weight)).collect();
            random.shuffle(&mut self.0);
        }
        self.0.pop().unwrap_or(Fault::KillRole)
    }
}

impl Fault {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KillRole => "F4, F6 SIGKILL of a role",
            Self::FreezeRole => "F8 SIGSTOP of a role beyond its ack wait",
            Self::KillNats => "F9 SIGKILL of nats-server",
            Self::FreezeNats => "F10 SIGSTOP of nats-server",
            Self::WipeNats => "F11 store of nats-server deleted",
            Self::DamageNats => "F13 store of nats-server damaged",
            Self::FillDisk => "F17, F18 nats-server cannot write",
            Self::KillPostgres => "F19 SIGKILL of Postgres",
            Self::TerminateBackends => "F20 pg_terminate_backend",
            Self::LoseCommits => "F21 answers to COMMIT lost",
            Self::Cut => "connections reset",
            Self::Partition => "F16 partition, one way or both",
            Self::SlowDown => "slow network in small pieces",
            Self::CloseDoor => "connections refused or never answered",
            Self::Repeat => "F27-F29 messages repeated and reordered",
        }
    }

    pub(super) async fn strike(
        self,
        stack: &mut Stack,
        random: &mut Random,
        effects: &mut Effects,
        report: &mut Report,
    ) {
        let (role, server) = (ROLES[random.below(ROLES.len())], server(random));
        let some_seconds = Duration::from_millis(1_000 + 100 * random.below(30) as u64);
        match self {
            Self::KillRole => {
                if let Some((role, index)) = any_process(stack, random) {
                    // The supervisor counts it, and starts it again.
                    stack.process(role, index).signal(Signal::SIGKILL);
                }
            }
            Self::FreezeRole => {
                if let Some((role, index)) = any_process(stack, random) {
                    let process = stack.process(role, index);
                    process.signal(Signal::SIGSTOP);
                    effects.after(2 * some_seconds, Effect::ContinueRole(role, index, process.pid()));
                }
            }
            Self::KillNats => kill_nats(stack, random, report).await,
            Self::FreezeNats => {
                signal_nats(stack, Signal::SIGSTOP);
                effects.after(some_seconds, Effect::ContinueNats(stack.nats.pid().unwrap_or_default()));
            }
            Self::WipeNats => {
                report.kill("nats-server", "store deleted");
                stack.wipe_nats().await;
            }
            Self::DamageNats => {
                report.kill("nats-server", "store damaged");
                stack.nats.kill().await;
                damage::spoil(&stack.folder("services").join("nats"), random);
                // A server that does not start on what is left is given an empty store, as its operator would.
                if let Err(error) = stack.nats.restart().await {
                    report.note(format!("nats-server did not start: {error:#}"));
                    stack.wipe_nats().await;
                }
            }
            Self::FillDisk => {
                damage::forbid_writes(stack);
                report.kill("nats-server", "could not write");
                effects.after(some_seconds, Effect::RestartNats);
            }
            Self::KillPostgres => kill_postgres(stack, random, report).await,
            Self::TerminateBackends => terminate_backends(stack).await,
            Self::LoseCommits => {
                proxy(stack, role, Server::Postgres).lose_replies_to("COMMIT", 1 + random.below(3));
                effects.after(some_seconds, Effect::Clear(role, Server::Postgres));
            }
            Self::Cut => proxy(stack, role, server).cut(),
            Self::Partition => partition(role, server, random, effects),
            Self::SlowDown => slow_down(role, server, random, effects),
            Self::CloseDoor => {
                let door = if random.below(2) == 0 { Door::Refuse } else { Door::Silent };
                proxy(stack, role, server).door(door);
                proxy(stack, role, server).cut();
                effects.after(some_seconds, Effect::Door(role, server, Door::Open));
            }
            Self::Repeat => duplicates::repeat(stack, random).await,
        }
    }
}

fn server(random: &mut Random) -> Server {
    if random.below(2) == 0 { Server::Nats } else { Server::Postgres }
}

fn any_process(stack: &Stack, random: &mut Random) -> Option<(Role, usize)> {
    let running: Vec<_> = stack.processes().into_iter().filter(|&(role, index)| stack.runs(role, index)).collect();
    (!running.is_empty()).then(|| running[random.below(running.len())])
}

async fn kill_nats(stack: &mut Stack, random: &mut Random, report: &mut Report) {
    report.kill("nats-server", "SIGKILL");
    stack.nats.kill().await;
    sleep(Duration::from_millis(10 * random.below(50) as u64)).await;
    stack.nats.restart().await.unwrap_or_else(|error| panic!("{error:#}"));
}

async fn kill_postgres(stack: &mut Stack, random: &mut Random, report: &mut Report) {
    report.kill("postgres", "SIGKILL");
    stack.postgres.kill().await;
    sleep(Duration::from_millis(10 * random.below(50) as u64)).await;
    stack.postgres.restart().await.unwrap_or_else(|error| panic!("{error:#}"));
}

/// Ends about half of the connections of the product.
async fn terminate_backends(stack: &Stack) {
    let Ok(mut record) = PgConnection::connect(stack.postgres.url()).await else { return };
    let ended = sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'elder' AND random() < 0.5",
    );
    ended.execute(&mut record).await.expect("a superuser may end connections");
}

/// On and off a few times, so that whoever reconnects meets the next one.
fn partition(role: Role, server: Server, random: &mut Random, effects: &mut Effects) {
    let loss = if random.below(2) == 0 { Loss::Hold } else { Loss::Swallow };
    let ways = [&[Way::Up][..], &[Way::Down], &[Way::Up, Way::Down]][random.below(3)];
    let mut when = Duration::ZERO;
    for _ in 0..=random.below(3) {
        for &way in ways {
            effects.after(when, Effect::Weather(role, server, way, Weather { loss, ..Weather::default() }));
        }
        when += Duration::from_millis(500 + 100 * random.below(25) as u64);
        effects.after(when, Effect::Clear(role, server));
        when += Duration::from_millis(100 * random.below(10) as u64);
    }
}

fn slow_down(role: Role, server: Server, random: &mut Random, effects: &mut Effects) {
    for way in [Way::Up, Way::Down] {
        let weather = Weather {
            delay: Duration::from_millis(random.below(20) as u64),
            jitter: Duration::from_millis(random.below(50) as u64),
            slice: (random.below(2) == 0).then(|| 1 + random.below(200)),
            bandwidth: (random.below(3) == 0).then_some(200_000),
            ..Weather::default()
        };
        effects.after(Duration::ZERO, Effect::Weather(role, server, way, weather));
    }
    effects.after(Duration::from_secs(3), Effect::Clear(role, server));
}
